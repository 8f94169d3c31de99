//! One call of CreateSession: the parameters, the request, its signature, the answer.

use std::sync::Arc;

use pyo3::{
    prelude::*,
    types::{PyBool, PyBytes, PyDict},
};
use rolesanywhere_core::{
    self as core, HttpResponse, Signer as _, UnixTime, signers::aws_lc::AwsLcVerifier,
};

use super::{CertificateChain, PrivateKey};
use crate::{
    convert::SecretBytes,
    error::{Failure, Result},
};

/// A call of CreateSession whose parameters have been checked.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct CreateSession(pub(super) core::CreateSession);

#[pymethods]
impl CreateSession {
    /// `parameters` are those of the core's `Parameter::ALL` by their names, `instance_properties` a
    /// dictionary.
    #[new]
    #[pyo3(signature = (trust_anchor_arn, profile_arn, role_arn, **parameters))]
    fn new(
        trust_anchor_arn: &str,
        profile_arn: &str,
        role_arn: &str,
        parameters: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut named = vec![
            ("trust_anchor_arn".to_owned(), trust_anchor_arn.to_owned()),
            ("profile_arn".to_owned(), profile_arn.to_owned()),
            ("role_arn".to_owned(), role_arn.to_owned()),
        ];
        for (name, value) in parameters.into_iter().flatten() {
            let name: String = name.extract()?;
            if let Ok(properties) = value.cast::<PyDict>() {
                for (key, value) in properties {
                    let key: String = key.extract()?;
                    named.push((format!("instance_property.{key}"), value.extract()?));
                }
            } else if let Ok(is_set) = value.cast::<PyBool>() {
                named.push((name, is_set.is_true().to_string()));
            } else if !value.is_none() {
                named.push((name, value.str()?.extract()?));
            }
        }
        let named = named.iter().map(|(name, value)| (&**name, &**value));
        let call = core::CreateSession::from_parameters(named).map_err(Failure::from)?;
        Ok(Self(call))
    }

    #[getter]
    fn endpoint_url(&self) -> &str {
        self.0.endpoint().url()
    }

    #[getter]
    fn region(&self) -> &str {
        self.0.endpoint().signing_region()
    }

    #[getter]
    fn partition(&self) -> &'static str {
        self.0.endpoint().partition().id()
    }

    /// The request to sign, dated `now` (Unix seconds).
    fn prepare(&self, chain: &CertificateChain, now: i64) -> Result<UnsignedRequest> {
        let now = UnixTime::from_seconds(now);
        Ok(UnsignedRequest(Arc::new(self.0.prepare(&chain.0, now)?)))
    }
}

/// A signature in the form that its constructor names.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Signature(pub(super) core::Signature);

#[pymethods]
impl Signature {
    #[staticmethod]
    fn ecdsa_der(der: &[u8]) -> Result<Self> {
        Ok(Self(core::Signature::ecdsa_der(der)?))
    }

    #[staticmethod]
    fn ecdsa_p1363(r_s: &[u8]) -> Result<Self> {
        Ok(Self(core::Signature::ecdsa_p1363(r_s)?))
    }

    #[staticmethod]
    fn rsa_pkcs1(signature: &[u8]) -> Result<Self> {
        Ok(Self(core::Signature::rsa_pkcs1(signature)?))
    }

    #[staticmethod]
    fn mldsa(signature: &[u8]) -> Result<Self> {
        Ok(Self(core::Signature::mldsa(signature)?))
    }
}

/// A request that lacks its signature.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct UnsignedRequest(pub(super) Arc<core::UnsignedRequest>);

#[pymethods]
impl UnsignedRequest {
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.0.algorithm().name()
    }

    #[getter]
    fn canonical_request(&self) -> &str {
        self.0.canonical_request()
    }

    /// The message to sign, not hashed.
    #[getter]
    fn string_to_sign<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.string_to_sign().as_bytes())
    }

    /// The SHA-256 digest of the string to sign; not for ML-DSA.
    #[getter]
    fn string_to_sign_sha256<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.string_to_sign_sha256())
    }

    fn sign(&self, py: Python<'_>, key: &PrivateKey) -> Result<HttpRequest> {
        // RSA takes a third of a millisecond and more: others run meanwhile.
        Ok(py.detach(|| self.0.sign(&key.signer))?.into())
    }

    /// The signature by a key.
    fn signature(&self, py: Python<'_>, key: &PrivateKey) -> Result<Signature> {
        let message = self.0.string_to_sign().as_bytes();
        Ok(Signature(py.detach(|| key.signer.sign(message))?))
    }

    /// Raises when the signature is not valid under the certificate's key.
    fn check_signature(&self, signature: &Signature) -> Result<()> {
        Ok(self.0.check_signature(&signature.0, &AwsLcVerifier)?)
    }

    /// The signed request, once the signature has been found valid under the certificate's key.
    fn with_signature(&self, signature: &Signature) -> Result<HttpRequest> {
        self.check_signature(signature)?;
        Ok(self.0.with_signature(&signature.0)?.into())
    }
}

/// A signed request, to be sent as it is. `host` is not among the headers: it is the URL's.
#[pyclass(frozen, get_all, module = "rolesanywhere._native")]
pub(crate) struct HttpRequest {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What the service answered: credentials and what it says about them.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Session(pub(super) core::Session);

#[pymethods]
impl Session {
    /// Reads an answer; raises the service's refusal.
    #[staticmethod]
    fn from_response(
        status: u16,
        headers: Vec<(String, String)>,
        body: SecretBytes,
    ) -> Result<Self> {
        let response = HttpResponse {
            status,
            headers,
            body: body.0,
        };
        Ok(Self(core::Session::from_response(&response)?))
    }

    #[getter]
    fn access_key_id(&self) -> &str {
        self.0.credentials().access_key_id()
    }

    #[getter]
    fn secret_access_key(&self) -> &str {
        self.0.credentials().secret_access_key().expose()
    }

    #[getter]
    fn session_token(&self) -> &str {
        self.0.credentials().session_token().expose()
    }

    /// Unix seconds, by the service's clock.
    #[getter]
    fn expiration(&self) -> i64 {
        self.0.credentials().expiration().seconds()
    }

    #[getter]
    fn account_id(&self) -> Option<&str> {
        self.0.credentials().account_id()
    }

    #[getter]
    fn role_arn(&self) -> Option<&str> {
        self.0.role_arn().map(core::Arn::as_str)
    }

    #[getter]
    fn assumed_role_arn(&self) -> Option<&str> {
        self.0.assumed_role_arn().map(core::Arn::as_str)
    }

    #[getter]
    fn source_identity(&self) -> Option<&str> {
        self.0.source_identity()
    }

    #[getter]
    fn subject_arn(&self) -> Option<&str> {
        self.0.subject_arn().map(core::Arn::as_str)
    }

    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.0.request_id()
    }
}
