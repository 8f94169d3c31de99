//! The classes of the module: the core's types, each behind a class of the same name.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::time::Duration;

use rolesanywhere_core::{
    self as core_, Endpoint, EndpointOptions, Error, ErrorKind, HttpResponse, Partition,
    RenewalPolicy,
    session::ArnPlacement,
    sigv4::{HmacCredentials, HmacSettings, Payload, Settings, SigningRequest},
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    convert::{digest, pairs, seconds_of, text, time},
    error::{Failure, Result},
};

/// The end entity's certificate with its intermediates.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CertificateChain(pub(crate) core_::CertificateChain);

#[wasm_bindgen]
impl CertificateChain {
    /// Reads the certificates of a file, for a key that is elsewhere: PEM or DER, and in the full
    /// build PKCS#7 and PKCS#12, which may want the password.
    pub fn read(
        certificate: Vec<u8>,
        intermediates: Option<Vec<u8>>,
        password: Option<Vec<u8>>,
    ) -> Result<CertificateChain> {
        let certificate = Zeroizing::new(certificate);
        let password = password.map(Zeroizing::new);
        Ok(Self(read_chain(
            &certificate,
            intermediates.as_deref(),
            password.as_ref().map(|password| password.as_slice()),
        )?))
    }

    /// The kind of the end entity's key: `RSA-2048`, `EC P-256`, `ML-DSA-65`, …
    #[wasm_bindgen(getter, js_name = keyAlgorithm)]
    pub fn key_algorithm(&self) -> Result<String> {
        let key = self.0.end_entity().public_key()?;
        Ok(alloc::format!("{}", key.algorithm()))
    }

    /// The content of the end entity's `subjectPublicKey`: PKCS#1 for RSA, `04‖X‖Y` for EC, raw for
    /// ML-DSA.
    #[wasm_bindgen(getter, js_name = publicKey)]
    pub fn public_key(&self) -> Result<Vec<u8>> {
        Ok(self.0.end_entity().public_key()?.as_bytes().to_vec())
    }

    /// SHA-256 over the end entity's DER, hexadecimal.
    #[wasm_bindgen(getter, js_name = fingerprintSha256)]
    pub fn fingerprint_sha256(&self) -> String {
        self.0.end_entity().fingerprint_sha256()
    }

    /// The end entity's serial number in decimal.
    #[wasm_bindgen(getter, js_name = serialDecimal)]
    pub fn serial_decimal(&self) -> String {
        self.0.end_entity().serial_decimal().to_owned()
    }

    /// The first second of the end entity's validity.
    #[wasm_bindgen(getter, js_name = notBefore)]
    pub fn not_before(&self) -> f64 {
        seconds_of(self.0.end_entity().not_before().seconds())
    }

    /// The last second of the end entity's validity.
    #[wasm_bindgen(getter, js_name = notAfter)]
    pub fn not_after(&self) -> f64 {
        seconds_of(self.0.end_entity().not_after().seconds())
    }
}

#[cfg(feature = "full")]
fn read_chain(
    certificate: &[u8],
    intermediates: Option<&[u8]>,
    password: Option<&[u8]>,
) -> core_::Result<core_::CertificateChain> {
    let files = core_::IdentityFiles {
        certificate,
        private_key: None,
        intermediates,
        password,
    };
    files.read_chain()
}

#[cfg(not(feature = "full"))]
fn read_chain(
    certificate: &[u8],
    intermediates: Option<&[u8]>,
    _password: Option<&[u8]>,
) -> core_::Result<core_::CertificateChain> {
    const SEQUENCE: u8 = 0x30;
    let chain = if certificate.first() == Some(&SEQUENCE) {
        core_::CertificateChain::new(core_::Certificate::from_der(certificate)?, Vec::new())?
    } else {
        core_::CertificateChain::from_pem(certificate)?
    };
    match intermediates {
        Some(pem) => chain.with_intermediates_pem(pem),
        None => Ok(chain),
    }
}

/// A call of CreateSession whose parameters have been checked.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CreateSession(core_::CreateSession);

#[wasm_bindgen]
impl CreateSession {
    /// `instance_properties` are pairs; `duration_seconds` and the rest as the service has them.
    #[wasm_bindgen(constructor)]
    // One argument per parameter of the service's; `js/plan.js` passes them by name.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        trust_anchor_arn: &str,
        profile_arn: &str,
        role_arn: &str,
        region: Option<String>,
        endpoint: Option<String>,
        fips: bool,
        dual_stack: bool,
        duration_seconds: Option<f64>,
        role_session_name: Option<String>,
        instance_properties: Vec<String>,
        arns_in_body: bool,
    ) -> Result<CreateSession> {
        let placement = if arns_in_body {
            ArnPlacement::Body
        } else {
            ArnPlacement::Query
        };
        let mut call = core_::CreateSession::new(trust_anchor_arn, profile_arn, role_arn)?
            .with_arn_placement(placement);
        let region = region.as_deref().unwrap_or(call.trust_anchor().region());
        let options = EndpointOptions { fips, dual_stack };
        let endpoint = Endpoint::new(endpoint.as_deref(), region, options)?;
        call = call.with_endpoint(endpoint)?;
        if let Some(seconds) = duration_seconds {
            call = call.with_duration(duration(seconds)?)?;
        }
        if let Some(name) = role_session_name {
            call = call.with_role_session_name(&name)?;
        }
        for (key, value) in pairs(&instance_properties)? {
            call = call.with_instance_property(key, value)?;
        }
        Ok(Self(call))
    }

    /// The base URL of the endpoint.
    #[wasm_bindgen(getter, js_name = endpointUrl)]
    pub fn endpoint_url(&self) -> String {
        self.0.endpoint().url().to_owned()
    }

    /// The region that is signed for, the trust anchor's.
    #[wasm_bindgen(getter)]
    pub fn region(&self) -> String {
        self.0.endpoint().signing_region().to_owned()
    }

    /// The partition of the region: `aws`, `aws-cn`, …
    #[wasm_bindgen(getter)]
    pub fn partition(&self) -> String {
        self.0.endpoint().partition().id().to_owned()
    }

    /// The request to sign, dated `now`.
    pub fn prepare(&self, chain: &CertificateChain, now: f64) -> Result<UnsignedRequest> {
        Ok(UnsignedRequest(self.0.prepare(&chain.0, time(now))?))
    }
}

/// The partition that a region belongs to.
#[wasm_bindgen(js_name = partitionOf)]
pub fn partition_of(region: &str) -> String {
    Partition::of_region(region).id().to_owned()
}

// What is out of range becomes a duration that the core refuses with the bounds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn duration(seconds: f64) -> Result<Duration> {
    let whole = seconds as u32;
    if f64::from(whole) == seconds {
        return Ok(Duration::from_secs(u64::from(whole)));
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        "the session duration is not whole seconds from 900 to 43200",
    )
    .into())
}

/// A request that lacks its signature.
#[wasm_bindgen]
#[derive(Debug)]
pub struct UnsignedRequest(pub(crate) core_::UnsignedRequest);

#[wasm_bindgen]
impl UnsignedRequest {
    /// The name of the algorithm, which follows from the certificate's key.
    #[wasm_bindgen(getter)]
    pub fn algorithm(&self) -> String {
        self.0.algorithm().name().to_owned()
    }

    /// The canonical request.
    #[wasm_bindgen(getter, js_name = canonicalRequest)]
    pub fn canonical_request(&self) -> String {
        self.0.canonical_request().to_owned()
    }

    /// The message to sign, not hashed, in UTF-8.
    #[wasm_bindgen(getter, js_name = stringToSign)]
    pub fn string_to_sign(&self) -> Vec<u8> {
        self.0.string_to_sign().as_bytes().to_vec()
    }

    /// The signed request. `form` names what `signature` is: `ecdsa_der`, `ecdsa_p1363`, `rsa_pkcs1` or
    /// `mldsa`.
    #[wasm_bindgen(js_name = withSignature)]
    pub fn with_signature(&self, form: &str, signature: &[u8]) -> Result<HttpRequest> {
        let signature = match form {
            "ecdsa_der" => core_::Signature::ecdsa_der(signature)?,
            "ecdsa_p1363" => core_::Signature::ecdsa_p1363(signature)?,
            "mldsa" => core_::Signature::mldsa(signature)?,
            "rsa_pkcs1" => core_::Signature::rsa_pkcs1(signature)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the form of a signature is `ecdsa_der`, `ecdsa_p1363`, `mldsa` or `rsa_pkcs1`",
                )
                .into());
            }
        };
        Ok(self.0.with_signature(&signature)?.into())
    }
}

/// A signed request, to be sent as it is. `host` is not among the headers: it is the URL's.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct HttpRequest {
    /// `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers, flat pairs.
    pub headers: Vec<String>,
    /// The body, JSON in UTF-8.
    pub body: Vec<u8>,
}

/// What the service answered: credentials and what it says about them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session(core_::Session);

#[wasm_bindgen]
impl Session {
    /// Reads an answer; throws the service's refusal. `headers` are pairs.
    #[wasm_bindgen(js_name = fromResponse)]
    pub fn from_response(status: u16, headers: Vec<String>, body: Vec<u8>) -> Result<Session> {
        let body = Zeroizing::new(body);
        let headers = pairs(&headers)?
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let response = HttpResponse {
            status,
            headers,
            body,
        };
        Ok(Self(core_::Session::from_response(&response)?))
    }

    /// The access key id.
    #[wasm_bindgen(getter, js_name = accessKeyId)]
    pub fn access_key_id(&self) -> String {
        self.0.credentials().access_key_id().to_owned()
    }

    /// The secret access key.
    #[wasm_bindgen(getter, js_name = secretAccessKey)]
    pub fn secret_access_key(&self) -> JsValue {
        text(self.0.credentials().secret_access_key().expose())
    }

    /// The session token.
    #[wasm_bindgen(getter, js_name = sessionToken)]
    pub fn session_token(&self) -> JsValue {
        text(self.0.credentials().session_token().expose())
    }

    /// Unix seconds, by the service's clock.
    #[wasm_bindgen(getter)]
    pub fn expiration(&self) -> f64 {
        seconds_of(self.0.credentials().expiration().seconds())
    }

    /// The account of the assumed role.
    #[wasm_bindgen(getter, js_name = accountId)]
    pub fn account_id(&self) -> Option<String> {
        self.0.credentials().account_id().map(ToOwned::to_owned)
    }

    /// The role.
    #[wasm_bindgen(getter, js_name = roleArn)]
    pub fn role_arn(&self) -> Option<String> {
        self.0.role_arn().map(|arn| arn.as_str().to_owned())
    }

    /// Who the credentials are.
    #[wasm_bindgen(getter, js_name = assumedRoleArn)]
    pub fn assumed_role_arn(&self) -> Option<String> {
        self.0.assumed_role_arn().map(|arn| arn.as_str().to_owned())
    }

    /// The source identity that the service derived from the certificate.
    #[wasm_bindgen(getter, js_name = sourceIdentity)]
    pub fn source_identity(&self) -> Option<String> {
        self.0.source_identity().map(ToOwned::to_owned)
    }

    /// The service's record of the certificate's subject.
    #[wasm_bindgen(getter, js_name = subjectArn)]
    pub fn subject_arn(&self) -> Option<String> {
        self.0.subject_arn().map(|arn| arn.as_str().to_owned())
    }

    /// The request id, which AWS support asks for.
    #[wasm_bindgen(getter, js_name = requestId)]
    pub fn request_id(&self) -> Option<String> {
        self.0.request_id().map(ToOwned::to_owned)
    }
}

/// Decides when to renew. Times are Unix seconds by the caller's clock.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Renewal(core_::Renewal);

#[wasm_bindgen]
impl Renewal {
    /// A plan without credentials. `jitter` is a random number.
    #[wasm_bindgen(constructor)]
    pub fn new(jitter: u32) -> Self {
        Self(core_::Renewal::new(
            RenewalPolicy::default(),
            u64::from(jitter),
        ))
    }

    /// What to do: `renew`, `use`, `use_and_renew` or `wait`.
    pub fn next(&self, now: f64) -> Next {
        let (action, until) = match self.0.next(time(now)) {
            core_::Next::Renew => ("renew", None),
            core_::Next::Use { until } => ("use", Some(until)),
            core_::Next::UseAndRenew => ("use_and_renew", None),
            core_::Next::WaitUntil(until) => ("wait", Some(until)),
        };
        Next {
            action,
            until: until.map(|until| seconds_of(until.seconds())),
        }
    }

    /// Whether there are credentials that the service still accepts.
    #[wasm_bindgen(js_name = isValid)]
    pub fn is_valid(&self, now: f64) -> bool {
        self.0.is_valid(time(now))
    }

    /// Tells that a session was received.
    pub fn renewed(&mut self, now: f64, session: &Session) {
        self.0.renewed(time(now), &session.0);
    }

    /// Tells that credentials came from elsewhere.
    pub fn restored(&mut self, now: f64, expiration: f64) {
        self.0.restored(time(now), time(expiration));
    }

    /// Tells that a renewal failed.
    pub fn failed(&mut self, now: f64, failure: &Failure) {
        self.0.failed(time(now), &failure.0);
    }

    /// The time to date requests with: `now`, corrected by what the server's clock has shown.
    #[wasm_bindgen(js_name = signingTime)]
    pub fn signing_time(&self, now: f64) -> f64 {
        seconds_of(self.0.signing_time(time(now)).seconds())
    }
}

/// What to do now, and until when.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Next {
    action: &'static str,
    until: Option<f64>,
}

#[wasm_bindgen]
impl Next {
    /// `renew`, `use`, `use_and_renew` or `wait`.
    #[wasm_bindgen(getter)]
    pub fn action(&self) -> String {
        self.action.to_owned()
    }

    /// When to ask again, with `use` and `wait`.
    #[wasm_bindgen(getter)]
    pub fn until(&self) -> Option<f64> {
        self.until
    }
}

/// The signing key of one access key for one day, region and service (Signature Version 4, HMAC).
#[wasm_bindgen]
#[derive(Debug)]
pub struct SigningKey {
    key: core_::sigv4::SigningKey,
    settings: HmacSettings,
}

#[wasm_bindgen]
impl SigningKey {
    /// `s3` takes the path as it is and puts the body's hash in a header, as S3 wants it.
    #[wasm_bindgen(constructor)]
    pub fn new(
        access_key_id: &str,
        secret_access_key: String,
        session_token: Option<String>,
        now: f64,
        region: &str,
        service: &str,
        s3: bool,
    ) -> Result<SigningKey> {
        let secret_access_key = Zeroizing::new(secret_access_key);
        let session_token = session_token.map(Zeroizing::new);
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key: &secret_access_key,
            session_token: session_token.as_ref().map(|token| token.as_str()),
        };
        let key = core_::sigv4::SigningKey::new(&credentials, time(now), region, service)?;
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

    /// Whether the key is for the day of `now`.
    pub fn covers(&self, now: f64) -> bool {
        self.key.covers(time(now))
    }

    /// The headers to set, flat pairs. `headers` are flat pairs too; without `sha256`, the payload's,
    /// the payload is not signed.
    #[wasm_bindgen(js_name = signHeaders)]
    pub fn sign_headers(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<String>,
        sha256: Option<Vec<u8>>,
        now: f64,
    ) -> Result<Vec<JsValue>> {
        let headers = pairs(&headers)?;
        let request = request(method, path, query, &headers, sha256.as_deref())?;
        let signed = self.key.sign_headers(&request, time(now), self.settings)?;
        let headers = signed.headers().iter();
        Ok(headers
            .flat_map(|(name, value)| [text(name), text(value)])
            .collect())
    }

    /// The query of a presigned URL, which is valid for `expires` seconds.
    #[allow(clippy::too_many_arguments)] // the parts of a request, which `js/sign.js` passes
    pub fn presign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<String>,
        sha256: Option<Vec<u8>>,
        now: f64,
        expires: u32,
    ) -> Result<JsValue> {
        let headers = pairs(&headers)?;
        let request = request(method, path, query, &headers, sha256.as_deref())?;
        let expires = Duration::from_secs(u64::from(expires));
        let presigned = self
            .key
            .presign(&request, time(now), expires, self.settings)?;
        Ok(text(presigned.as_str()))
    }
}

fn request<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    sha256: Option<&[u8]>,
) -> Result<SigningRequest<'a>> {
    Ok(SigningRequest {
        method,
        path,
        query,
        headers,
        payload: match sha256 {
            Some(sha256) => Payload::Sha256(digest(sha256)?),
            None => Payload::Unsigned,
        },
    })
}
