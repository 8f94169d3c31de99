//! One call of CreateSession: the parameters, the request, its signature, the answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pyo3::{prelude::*, types::PyBytes};
use rolesanywhere_core::{
    self as core, Endpoint, EndpointOptions, HttpResponse, Signer as _, UnixTime,
    signers::aws_lc::AwsLcVerifier,
};

use super::{CertificateChain, PrivateKey};
use crate::{
    convert::{self, SecretBytes},
    error::Result,
};

/// A call of CreateSession whose parameters have been checked.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct CreateSession(pub(super) core::CreateSession);

#[pymethods]
impl CreateSession {
    #[new]
    #[pyo3(signature = (
        trust_anchor_arn, profile_arn, role_arn, *, region = None, endpoint = None, fips = false,
        dual_stack = false, duration_seconds = None, role_session_name = None,
        instance_properties = None, arn_placement = "query",
    ))]
    // One argument per parameter of the service's: Python passes them by name.
    #[allow(clippy::too_many_arguments)]
    fn new(
        trust_anchor_arn: &str,
        profile_arn: &str,
        role_arn: &str,
        region: Option<&str>,
        endpoint: Option<&str>,
        fips: bool,
        dual_stack: bool,
        duration_seconds: Option<i64>,
        role_session_name: Option<&str>,
        instance_properties: Option<BTreeMap<String, String>>,
        arn_placement: &str,
    ) -> Result<Self> {
        let mut call = core::CreateSession::new(trust_anchor_arn, profile_arn, role_arn)?
            .with_arn_placement(convert::arn_placement(arn_placement)?);
        let region = region.unwrap_or(call.trust_anchor().region()).to_owned();
        let options = EndpointOptions { fips, dual_stack };
        call = call.with_endpoint(Endpoint::new(endpoint, &region, options)?)?;
        if let Some(seconds) = duration_seconds {
            // A negative number becomes 0, which is refused as too short.
            let seconds = u64::try_from(seconds).unwrap_or(0);
            call = call.with_duration(Duration::from_secs(seconds))?;
        }
        if let Some(name) = role_session_name {
            call = call.with_role_session_name(name)?;
        }
        for (key, value) in instance_properties.unwrap_or_default() {
            call = call.with_instance_property(&key, &value)?;
        }
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
