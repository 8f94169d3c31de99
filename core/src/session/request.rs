//! The request: unsigned, then signed.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

use super::{ArnPlacement, CreateSession};
use crate::{
    CertificateChain, Error, ErrorKind, PublicKey, Result, Signature, SignatureVerifier, Signer,
    SigningAlgorithm, UnixTime,
    encoding::{self, push_json_string},
    sigv4::{Authorization, CanonicalRequest, CredentialScope, Payload, Settings, SigningRequest},
};

/// The signing name of the service.
const SERVICE: &str = "rolesanywhere";

/// A request that lacks its signature. Immutable: it can be signed more than once, and shared.
#[derive(Clone, Debug)]
pub struct UnsignedRequest {
    public_key: PublicKey,
    /// The `Authorization` header up to the signature.
    authorization: String,
    canonical_request: CanonicalRequest,
    string_to_sign: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl UnsignedRequest {
    pub(super) fn new(
        call: &CreateSession,
        chain: &CertificateChain,
        now: UnixTime,
    ) -> Result<Self> {
        let end_entity = chain.end_entity();
        let public_key = end_entity.public_key()?.clone();
        let algorithm = public_key.algorithm().signing_algorithm();
        let arns = [
            ("profileArn", call.profile.as_str()),
            ("roleArn", call.role.as_str()),
            ("trustAnchorArn", call.trust_anchor.as_str()),
        ];
        let in_body = call.arn_placement == ArnPlacement::Body
            || arns.iter().any(|(_, arn)| arn.contains('='));
        let query = if in_body {
            String::new()
        } else {
            query_of(&arns)
        };
        let body = Body {
            duration_seconds: call.duration_seconds,
            instance_properties: &call.instance_properties,
            profile_arn: in_body.then_some(call.profile.as_str()),
            role_arn: in_body.then_some(call.role.as_str()),
            role_session_name: call.role_session_name.as_deref(),
            trust_anchor_arn: in_body.then_some(call.trust_anchor.as_str()),
        };
        let body = body.to_json();

        let mut headers = vec![
            ("content-type".to_string(), "application/json".to_string()),
            ("x-amz-date".to_string(), now.to_sigv4()),
            ("x-amz-x509".to_string(), chain.x509_header()),
        ];
        if let Some(intermediates) = chain.x509_chain_header() {
            headers.push(("x-amz-x509-chain".to_string(), intermediates));
        }
        let path = format!("{}/sessions", call.endpoint.path_prefix());
        let mut signed: Vec<(&str, &str)> = vec![("host", call.endpoint.host_header())];
        signed.extend(
            headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let canonical = CanonicalRequest::new(
            &SigningRequest {
                method: "POST",
                path: &path,
                query: &query,
                headers: &signed,
                payload: Payload::Bytes(body.as_bytes()),
            },
            Settings::default(),
        )?;
        let scope = CredentialScope::new(now, call.endpoint.signing_region(), SERVICE)?;
        let authorization = Authorization::unsigned(
            algorithm.name(),
            end_entity.serial_decimal(),
            &scope,
            canonical.signed_headers(),
        )?;
        let string_to_sign =
            crate::sigv4::string_to_sign(algorithm.name(), now, &scope, &canonical);
        let separator = if query.is_empty() { "" } else { "?" };
        Ok(Self {
            public_key,
            authorization,
            canonical_request: canonical,
            string_to_sign,
            url: format!("{}/sessions{separator}{query}", call.endpoint.url()),
            headers,
            body,
        })
    }

    /// The algorithm to sign with, which follows from the certificate's key.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public_key.algorithm().signing_algorithm()
    }

    /// The certificate's public key, whose private half must sign.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The canonical request (Signature Version 4, task 1).
    pub fn canonical_request(&self) -> &str {
        self.canonical_request.as_str()
    }

    /// The message to sign, **not** hashed. RSA and ECDSA sign its SHA-256 digest, ML-DSA signs the
    /// message itself.
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }

    /// The SHA-256 digest of the [string to sign](Self::string_to_sign), for signers that take a
    /// digest (KMS with `MessageType=DIGEST`, PKCS#11 `CKM_ECDSA`, a TPM). Not for ML-DSA.
    pub fn string_to_sign_sha256(&self) -> [u8; 32] {
        encoding::sha256(self.string_to_sign.as_bytes())
    }

    /// The URL that the signed request goes to: [`HttpRequest::url`].
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers of the signed request but for `authorization`: [`HttpRequest::headers`].
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body of the signed request: [`HttpRequest::body`].
    pub fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }

    /// The `authorization` header, from a signature that a signer of the host's made: for a host that
    /// puts the request together itself while its signer is at work. Most hosts want
    /// [`with_signature`](Self::with_signature).
    ///
    /// # Errors
    /// As [`with_signature`](Self::with_signature).
    pub fn authorization(&self, signature: &Signature) -> Result<String> {
        self.expect_algorithm(signature.algorithm())?;
        if let Some(expected) = signature_length(&self.public_key)
            && expected != signature.as_bytes().len()
        {
            return Err(Error::written(
                ErrorKind::KeyMismatch,
                format_args!(
                    "the signature has {} bytes, one with the certificate's {} key has {expected}: \
                     sign with the key that belongs to the certificate",
                    signature.as_bytes().len(),
                    self.public_key.algorithm()
                ),
            ));
        }
        Ok([&self.authorization, &*signature.to_hex()].concat())
    }

    /// The signed request, from a signature that a signer of the host's made.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`] when the signature is of another algorithm than the certificate's
    /// key, or cannot be of this key by its length.
    pub fn with_signature(&self, signature: &Signature) -> Result<HttpRequest> {
        let authorization = self.authorization(signature)?;
        let mut headers = self.headers.clone();
        headers.push(("authorization".to_string(), authorization));
        Ok(HttpRequest {
            method: "POST",
            url: self.url.clone(),
            headers,
            body: self.body.clone().into_bytes(),
        })
    }

    /// The signed request, from a signer that can sign at once.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`] when the signer's algorithm is not the certificate's; whatever the
    /// signer returns.
    pub fn sign(&self, signer: &dyn Signer) -> Result<HttpRequest> {
        self.expect_algorithm(signer.algorithm())?;
        self.with_signature(&signer.sign(self.string_to_sign.as_bytes())?)
    }

    /// Checks a signature under the certificate's public key: worth its time with a signer that the
    /// host reaches over a network or a bus, whose key may be another.
    ///
    /// # Errors
    /// As [`SignatureVerifier::verify`].
    pub fn check_signature(
        &self,
        signature: &Signature,
        verifier: &dyn SignatureVerifier,
    ) -> Result<()> {
        self.expect_algorithm(signature.algorithm())?;
        verifier.verify(&self.public_key, self.string_to_sign.as_bytes(), signature)
    }

    fn expect_algorithm(&self, algorithm: SigningAlgorithm) -> Result<()> {
        if algorithm == self.algorithm() {
            return Ok(());
        }
        Err(Error::written(
            ErrorKind::KeyMismatch,
            format_args!(
                "the signer signs with {algorithm}, the certificate's {} key wants {}: \
                 sign with the key that belongs to the certificate",
                self.public_key.algorithm(),
                self.algorithm()
            ),
        ))
    }
}

/// A signed request for the host to send as it is. `Debug` hides the signature: within minutes of
/// its date, whoever holds the request can send it.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, `POST`.
    pub method: &'static str,
    /// The whole URL, query included. It must be sent byte for byte as it stands.
    pub url: String,
    /// The headers, names in lower case. `host` is not among them, though it is signed: HTTP
    /// libraries send the URL's authority, which is what was signed.
    pub headers: Vec<(String, String)>,
    /// The body, JSON in UTF-8.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "authorization" => (name.as_str(), "[redacted]"),
                _ => (name.as_str(), value.as_str()),
            })
            .collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &shown)
            .field("body", &String::from_utf8_lossy(&self.body))
            .finish()
    }
}

struct Body<'a> {
    duration_seconds: Option<u32>,
    instance_properties: &'a [(String, String)],
    profile_arn: Option<&'a str>,
    role_arn: Option<&'a str>,
    role_session_name: Option<&'a str>,
    trust_anchor_arn: Option<&'a str>,
}

impl Body<'_> {
    /// JSON without what is not given.
    fn to_json(&self) -> String {
        let mut json = String::from("{");
        if let Some(seconds) = self.duration_seconds {
            push_name(&mut json, "durationSeconds");
            json.push_str(&seconds.to_string());
        }
        if !self.instance_properties.is_empty() {
            push_name(&mut json, "instanceProperties");
            json.push('{');
            for (key, value) in self.instance_properties {
                push_name(&mut json, key);
                push_json_string(&mut json, value);
            }
            json.push('}');
        }
        for (name, value) in [
            ("profileArn", self.profile_arn),
            ("roleArn", self.role_arn),
            ("roleSessionName", self.role_session_name),
            ("trustAnchorArn", self.trust_anchor_arn),
        ] {
            if let Some(value) = value {
                push_name(&mut json, name);
                push_json_string(&mut json, value);
            }
        }
        json.push('}');
        json
    }
}

/// The name of a member, after a comma where it is not the first.
fn push_name(json: &mut String, name: &str) {
    if !json.ends_with('{') {
        json.push(',');
    }
    push_json_string(json, name);
    json.push(':');
}

fn query_of(arns: &[(&str, &str)]) -> String {
    let mut query = String::with_capacity(384);
    for (name, arn) in arns {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&encoding::uri_encode(arn));
    }
    query
}

/// How long a signature under this key is, in bytes; `None` for ECDSA, whose DER varies.
fn signature_length(key: &PublicKey) -> Option<usize> {
    use crate::KeyAlgorithm::{EcP256, EcP384, EcP521, MlDsa44, MlDsa65, MlDsa87, Rsa};
    match key.algorithm() {
        EcP256 | EcP384 | EcP521 => None,
        MlDsa44 => Some(2420),
        MlDsa65 => Some(3309),
        MlDsa87 => Some(4627),
        Rsa { bits } => usize::try_from(bits.div_ceil(8)).ok(),
    }
}
