//! The classes of the module: the core's types, each behind a class of the same name.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use pyo3::{prelude::*, types::PyBytes};
use rolesanywhere_core::{
    self as core, Endpoint, EndpointOptions, HttpResponse, IdentityFiles, KeyAlgorithm, Next,
    RenewalPolicy, UnixTime,
    signers::aws_lc::{AwsLcSigner, AwsLcVerifier},
    sigv4::{HmacCredentials, HmacSettings, Payload, Settings, SigningRequest},
};

use crate::{
    convert::{SecretBytes, arn_placement},
    error::{Failure, Result},
};

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
pub(crate) struct CertificateChain(core::CertificateChain);

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
    signer: AwsLcSigner,
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
}

/// A call of CreateSession whose parameters have been checked.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct CreateSession(core::CreateSession);

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
            .with_arn_placement(self::arn_placement(arn_placement)?);
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
        Ok(UnsignedRequest(self.0.prepare(&chain.0, now)?))
    }
}

/// A signature in the form that its constructor names.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Signature(core::Signature);

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
pub(crate) struct UnsignedRequest(core::UnsignedRequest);

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

    /// The signed request, once the signature has been found valid under the certificate's key.
    fn with_signature(&self, signature: &Signature) -> Result<HttpRequest> {
        self.0.check_signature(&signature.0, &AwsLcVerifier)?;
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
pub(crate) struct Session(core::Session);

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

/// Decides when to renew. Times are Unix seconds by the caller's clock.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Renewal(Mutex<core::Renewal>);

#[pymethods]
impl Renewal {
    #[new]
    #[pyo3(signature = (jitter, background_window = None, mandatory_window = None))]
    fn new(jitter: u64, background_window: Option<u64>, mandatory_window: Option<u64>) -> Self {
        let mut policy = RenewalPolicy::default();
        if let Some(seconds) = background_window {
            policy.background_window = Duration::from_secs(seconds);
        }
        if let Some(seconds) = mandatory_window {
            policy.mandatory_window = Duration::from_secs(seconds);
        }
        Self(Mutex::new(core::Renewal::new(policy, jitter)))
    }

    /// What to do: `("renew", None)`, `("use", until)`, `("use_and_renew", None)` or
    /// `("wait", until)`.
    fn next(&self, now: i64) -> (&'static str, Option<i64>) {
        match self.with(|renewal| renewal.next(UnixTime::from_seconds(now))) {
            Next::Renew => ("renew", None),
            Next::Use { until } => ("use", Some(until.seconds())),
            Next::UseAndRenew => ("use_and_renew", None),
            Next::WaitUntil(until) => ("wait", Some(until.seconds())),
        }
    }

    fn is_valid(&self, now: i64) -> bool {
        self.with(|renewal| renewal.is_valid(UnixTime::from_seconds(now)))
    }

    fn renewed(&self, now: i64, session: &Session) {
        self.with(|renewal| renewal.renewed(UnixTime::from_seconds(now), &session.0));
    }

    fn restored(&self, now: i64, expiration: i64) {
        let expiration = UnixTime::from_seconds(expiration);
        self.with(|renewal| renewal.restored(UnixTime::from_seconds(now), expiration));
    }

    fn failed(&self, now: i64, failure: &Failure) {
        self.with(|renewal| renewal.failed(UnixTime::from_seconds(now), &failure.0));
    }

    /// The time to date requests with: `now`, corrected by what the server's clock has shown.
    fn signing_time(&self, now: i64) -> i64 {
        self.with(|renewal| renewal.signing_time(UnixTime::from_seconds(now)).seconds())
    }
}

impl Renewal {
    fn with<T>(&self, act: impl FnOnce(&mut core::Renewal) -> T) -> T {
        // A panic of the core leaves its plan as it was: there is nothing to distrust.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The signing key of one access key for one day, region and service (Signature Version 4, HMAC).
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct SigningKey {
    key: core::sigv4::SigningKey,
    settings: HmacSettings,
}

#[pymethods]
impl SigningKey {
    #[new]
    #[allow(clippy::too_many_arguments)] // Python passes them by name
    fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
        now: i64,
        region: &str,
        service: &str,
        s3: bool,
    ) -> Result<Self> {
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key,
            session_token,
        };
        let now = UnixTime::from_seconds(now);
        let key = core::sigv4::SigningKey::new(&credentials, now, region, service)?;
        // S3 takes the path as it is, and wants the body's hash in a header.
        let settings = HmacSettings {
            canonical: if s3 {
                Settings::S3
            } else {
                Settings::default()
            },
            content_sha256_header: s3,
            ..HmacSettings::default()
        };
        Ok(Self { key, settings })
    }

    fn covers(&self, now: i64) -> bool {
        self.key.covers(UnixTime::from_seconds(now))
    }

    /// The headers to set on a request; `body` is `None` when it is not signed.
    fn sign_headers(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: Option<&[u8]>,
        now: i64,
    ) -> Result<Vec<(&'static str, String)>> {
        let headers = borrowed(&headers);
        let request = request(method, path, query, &headers, body);
        let now = UnixTime::from_seconds(now);
        let signed = self.key.sign_headers(&request, now, self.settings)?;
        Ok(signed.headers().to_vec())
    }

    /// The query of a presigned URL, which is valid for `expires` seconds.
    #[allow(clippy::too_many_arguments)] // the parts of a request, which Python passes by name
    fn presign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: Option<&[u8]>,
        now: i64,
        expires: u64,
    ) -> Result<String> {
        let headers = borrowed(&headers);
        let request = request(method, path, query, &headers, body);
        let (now, expires) = (UnixTime::from_seconds(now), Duration::from_secs(expires));
        let presigned = self.key.presign(&request, now, expires, self.settings)?;
        Ok(presigned.as_str().to_owned())
    }
}

fn slice(bytes: Option<&SecretBytes>) -> Option<&[u8]> {
    bytes.map(|bytes| bytes.0.as_slice())
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn request<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Option<&'a [u8]>,
) -> SigningRequest<'a> {
    SigningRequest {
        method,
        path,
        query,
        headers,
        payload: body.map_or(Payload::Unsigned, Payload::Bytes),
    }
}
