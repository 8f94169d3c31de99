//! Certificates and the keys that belong to them.

use pyo3::{prelude::*, types::PyBytes};
use rolesanywhere_core::{
    self as core, IdentityFiles, KeyAlgorithm, Signer as _, signers::aws_lc::AwsLcSigner,
};

use crate::{convert::SecretBytes, error::Result};

/// An X.509 certificate, read and not verified.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Certificate(core::Certificate);

#[pymethods]
impl Certificate {
    #[getter]
    fn serial_decimal(&self) -> &str {
        self.0.serial_decimal()
    }

    #[getter]
    fn subject(&self) -> String {
        self.0.subject().to_string()
    }

    #[getter]
    fn issuer(&self) -> String {
        self.0.issuer().to_string()
    }

    #[getter]
    fn not_before(&self) -> i64 {
        self.0.not_before().seconds()
    }

    #[getter]
    fn not_after(&self) -> i64 {
        self.0.not_after().seconds()
    }

    #[getter]
    fn fingerprint_sha256(&self) -> String {
        self.0.fingerprint_sha256()
    }

    #[getter]
    fn key_algorithm(&self) -> Result<String> {
        Ok(self.0.public_key()?.algorithm().to_string())
    }

    #[getter]
    fn der<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_der())
    }
}

/// The end entity's certificate with its intermediates.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct CertificateChain(pub(super) core::CertificateChain);

#[pymethods]
impl CertificateChain {
    /// Reads the certificates of a file of any form, for a key that is elsewhere.
    #[staticmethod]
    #[pyo3(signature = (certificate, intermediates = None, password = None))]
    fn read(
        py: Python<'_>,
        certificate: SecretBytes,
        intermediates: Option<SecretBytes>,
        password: Option<SecretBytes>,
    ) -> Result<Self> {
        let files = IdentityFiles {
            certificate: &certificate.0,
            private_key: None,
            intermediates: slice(intermediates.as_ref()),
            password: slice(password.as_ref()),
        };
        Ok(Self(py.detach(|| files.read_chain())?))
    }

    #[getter]
    fn end_entity(&self) -> Certificate {
        Certificate(self.0.end_entity().clone())
    }

    #[getter]
    fn intermediates(&self) -> Vec<Certificate> {
        let intermediates = self.0.intermediates().iter();
        intermediates.cloned().map(Certificate).collect()
    }
}

/// A private key, ready to sign. It never leaves the object, which is not to be copied or pickled.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct PrivateKey {
    pub(super) signer: AwsLcSigner,
    algorithm: KeyAlgorithm,
}

#[pymethods]
impl PrivateKey {
    /// Reads the private key of an identity's files, and the chain of the certificate that belongs
    /// to it.
    #[staticmethod]
    #[pyo3(signature = (certificate, private_key = None, intermediates = None, password = None))]
    fn read(
        py: Python<'_>,
        certificate: SecretBytes,
        private_key: Option<SecretBytes>,
        intermediates: Option<SecretBytes>,
        password: Option<SecretBytes>,
    ) -> Result<(Self, CertificateChain)> {
        let files = IdentityFiles {
            certificate: &certificate.0,
            private_key: slice(private_key.as_ref()),
            intermediates: slice(intermediates.as_ref()),
            password: slice(password.as_ref()),
        };
        // Deriving a key from a password takes time by design: others run meanwhile.
        let (key, chain) = py.detach(|| files.read())?;
        let signer = AwsLcSigner::new(&key)?;
        let algorithm = key.algorithm();
        Ok((Self { signer, algorithm }, CertificateChain(chain)))
    }

    #[getter]
    fn algorithm(&self) -> String {
        self.algorithm.to_string()
    }

    /// The algorithm that requests declare: `AWS4-X509-…`.
    #[getter]
    fn signing_algorithm(&self) -> &'static str {
        self.signer.algorithm().name()
    }

    /// Signs a message, which is not hashed yet; an ECDSA signature is ASN.1 DER.
    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> Result<Bound<'py, PyBytes>> {
        let signature = py.detach(|| self.signer.sign(message))?;
        Ok(PyBytes::new(py, signature.as_bytes()))
    }
}

fn slice(bytes: Option<&SecretBytes>) -> Option<&[u8]> {
    bytes.map(|bytes| bytes.0.as_slice())
}
