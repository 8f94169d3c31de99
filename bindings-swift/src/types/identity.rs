//! Certificates and the keys that belong to them.

use std::sync::Arc;

use rolesanywhere_core::{self as core, IdentityFiles, Signer as _, signers::aws_lc::AwsLcSigner};

use super::{Signature, UnsignedRequest};
use crate::{
    convert::given,
    error::{Result, thrown},
};

/// The end entity's certificate with its intermediates.
#[derive(Debug, uniffi::Object)]
pub struct CertificateChain(pub(super) core::CertificateChain);

#[uniffi::export]
impl CertificateChain {
    /// Reads the certificates of a file of any form, for a key that is elsewhere.
    #[uniffi::constructor]
    pub fn read(
        certificate: &[u8],
        intermediates: &[u8],
        password: &[u8],
        has_password: bool,
    ) -> Result<Arc<Self>> {
        let files = IdentityFiles {
            certificate,
            private_key: None,
            intermediates: given(intermediates),
            password: has_password.then_some(password),
        };
        Ok(Arc::new(Self(files.read_chain().map_err(thrown)?)))
    }

    /// The end entity's serial number in decimal.
    pub fn serial_decimal(&self) -> String {
        self.0.end_entity().serial_decimal().to_owned()
    }

    /// The end entity's subject, RFC 4514.
    pub fn subject(&self) -> String {
        self.0.end_entity().subject().to_string()
    }

    /// The end entity's issuer, RFC 4514.
    pub fn issuer(&self) -> String {
        self.0.end_entity().issuer().to_string()
    }

    /// The first second of the end entity's validity.
    pub fn not_before(&self) -> i64 {
        self.0.end_entity().not_before().seconds()
    }

    /// The last second of the end entity's validity.
    pub fn not_after(&self) -> i64 {
        self.0.end_entity().not_after().seconds()
    }

    /// SHA-256 over the end entity's DER, hexadecimal.
    pub fn fingerprint_sha256(&self) -> String {
        self.0.end_entity().fingerprint_sha256()
    }

    /// The kind of the end entity's key: `RSA-2048`, `EC P-256`, …
    pub fn key_algorithm(&self) -> Result<String> {
        let key = self.0.end_entity().public_key().map_err(thrown)?;
        Ok(key.algorithm().to_string())
    }
}

/// A private key, ready to sign, and the chain of the certificate that belongs to it. The key never
/// leaves the object; AWS-LC wipes it when the object goes.
#[derive(Debug, uniffi::Object)]
pub struct LocalIdentity {
    signer: AwsLcSigner,
    chain: Arc<CertificateChain>,
}

#[uniffi::export]
impl LocalIdentity {
    /// Reads an identity's files: PEM, DER, PKCS#12, PKCS#7, any form in any place.
    #[uniffi::constructor]
    pub fn read(
        certificate: &[u8],
        private_key: &[u8],
        intermediates: &[u8],
        password: &[u8],
        has_password: bool,
    ) -> Result<Arc<Self>> {
        let files = IdentityFiles {
            certificate,
            private_key: given(private_key),
            intermediates: given(intermediates),
            password: has_password.then_some(password),
        };
        let (key, chain) = files.read().map_err(thrown)?;
        let signer = AwsLcSigner::new(&key).map_err(thrown)?;
        let chain = Arc::new(CertificateChain(chain));
        Ok(Arc::new(Self { signer, chain }))
    }

    /// The certificate and its intermediates.
    pub fn chain(&self) -> Arc<CertificateChain> {
        Arc::clone(&self.chain)
    }

    /// The signature of a request.
    pub fn sign(&self, request: &UnsignedRequest) -> Result<Arc<Signature>> {
        let signature = self.signer.sign(request.0.string_to_sign().as_bytes());
        Ok(Arc::new(Signature(signature.map_err(thrown)?)))
    }
}
