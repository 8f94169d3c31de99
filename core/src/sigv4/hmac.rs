//! The HMAC variant: what signs with an access key and its secret.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use ::hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::{
    Authorization, CanonicalRequest, CredentialScope, Payload, Settings, SigningRequest, invalid,
    string_to_sign,
};
use crate::{Error, ErrorKind, Result, Secret, UnixTime, encoding};

/// The name of the HMAC variant's algorithm.
pub const HMAC_SHA256: &str = "AWS4-HMAC-SHA256";

/// Signs a request with HMAC, its signature in the `Authorization` header.
///
/// Who signs often keeps a [`SigningKey`] instead of deriving it for each request.
///
/// # Errors
/// As [`SigningKey::new`] and [`SigningKey::sign_headers`].
pub fn sign_headers(
    request: &SigningRequest<'_>,
    credentials: &HmacCredentials<'_>,
    now: UnixTime,
    region: &str,
    service: &str,
    settings: HmacSettings,
) -> Result<SigningInstructions> {
    SigningKey::new(credentials, now, region, service)?.sign_headers(request, now, settings)
}

/// An access key, its secret and its session token, borrowed from whoever wipes them. `Debug` is
/// redacted.
#[derive(Clone, Copy)]
pub struct HmacCredentials<'a> {
    /// The access key id: not a secret.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret_access_key: &'a str,
    /// The session token, with temporary credentials.
    pub session_token: Option<&'a str>,
}

impl fmt::Debug for HmacCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// What differs between services in the HMAC variant; the default is right for most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HmacSettings {
    /// How the service wants its path.
    pub canonical: Settings,
    /// Whether the session token is signed.
    pub session_token: SessionToken,
    /// Add and sign `x-amz-content-sha256`. On for S3, which insists on it.
    ///
    /// With [`Payload::Unsigned`] the value is sent and signed all the same, since the service could not
    /// know otherwise that the body is not signed: as the header, and in a presigned URL as a parameter.
    /// Presigned URLs of S3 (this setting on) go without it: S3 takes their body as not signed.
    pub content_sha256_header: bool,
}

/// What becomes of the session token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionToken {
    /// It is added and signed: what nearly every service wants.
    #[default]
    Signed,
    /// It is added after signing, for the few that want it so, such as AWS IoT's MQTT endpoint.
    Unsigned,
    /// It is added and signed as `x-amz-s3session-token`: what a directory bucket of S3 Express One Zone
    /// wants of credentials that `s3express:CreateSession` returned.
    S3Express,
}

impl SessionToken {
    /// The name of the header, and with other capitals of the query parameter, that carries the token.
    fn header(self) -> &'static str {
        match self {
            Self::Signed | Self::Unsigned => TOKEN_HEADER,
            Self::S3Express => "x-amz-s3session-token",
        }
    }

    /// The name of the query parameter.
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::Signed | Self::Unsigned => TOKEN_HEADER,
            Self::S3Express => "X-Amz-S3session-Token",
        }
    }
}

/// What a signature adds to a request: set these headers, in place of any of the same names.
///
/// It quotes the session token; `Debug` is redacted, and the copies are wiped on drop.
pub struct SigningInstructions {
    headers: Vec<(&'static str, String)>,
    canonical_request: CanonicalRequest,
    string_to_sign: String,
    signature: String,
}

impl SigningInstructions {
    /// The headers to set: `X-Amz-Security-Token` or `x-amz-s3session-token` (a secret) with a session
    /// token, `X-Amz-Date`, `x-amz-content-sha256` where the settings ask for it or the body is not
    /// signed, `Authorization`.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// What was signed, to compare with what the service says that it saw.
    pub fn canonical_request(&self) -> &CanonicalRequest {
        &self.canonical_request
    }

    /// The string to sign.
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }

    /// The signature in lower-case hexadecimal.
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

impl fmt::Debug for SigningInstructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("SigningInstructions")
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl Drop for SigningInstructions {
    fn drop(&mut self) {
        for (_, value) in &mut self.headers {
            value.zeroize();
        }
        self.canonical_request.wipe();
    }
}

/// An access key's signing key for one day, one region and one service.
///
/// Deriving it takes four HMACs, a signature one more: keep it, and make another when
/// [`covers`](Self::covers) says that the day is over. Wiped when dropped; `Debug` is redacted.
pub struct SigningKey {
    access_key_id: String,
    session_token: Option<Secret<String>>,
    scope: CredentialScope,
    key: Zeroizing<[u8; 32]>,
}

impl SigningKey {
    /// Derives the key for the day on which `now` falls. The secret is not kept.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the access key id or the secret is empty, when the session
    /// token cannot stand in a header, and as [`CredentialScope::new`].
    pub fn new(
        credentials: &HmacCredentials<'_>,
        now: UnixTime,
        region: &str,
        service: &str,
    ) -> Result<Self> {
        let scope = CredentialScope::new(now, region, service)?;
        if credentials.access_key_id.is_empty() || credentials.secret_access_key.is_empty() {
            return Err(invalid(
                "the access key id or the secret access key is empty: pass both",
            ));
        }
        if let Some(token) = credentials.session_token
            && (token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(invalid(
                "the session token is empty or holds white space, a control character or other \
                 than ASCII: pass it as it was issued",
            ));
        }
        let secret = credentials.secret_access_key;
        // Room for all of it, so that no copy is left behind by growing.
        let mut seed = Zeroizing::new(String::with_capacity("AWS4".len() + secret.len()));
        seed.push_str("AWS4");
        seed.push_str(secret);
        let mut key = hmac(seed.as_bytes(), scope.date())?;
        for part in [scope.region(), scope.service(), super::TERMINATOR] {
            key = hmac(key.as_slice(), part)?;
        }
        Ok(Self {
            access_key_id: credentials.access_key_id.to_string(),
            session_token: credentials
                .session_token
                .map(|token| Secret::new(token.to_string())),
            scope,
            key,
        })
    }

    /// The credential scope, which names the day, the region and the service.
    pub fn scope(&self) -> &CredentialScope {
        &self.scope
    }

    /// The access key id.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Whether the key is for the day on which `now` falls.
    pub fn covers(&self, now: UnixTime) -> bool {
        now.to_sigv4_date() == self.scope.date()
    }

    /// The signature of a string to sign, in lower-case hexadecimal.
    ///
    /// # Errors
    /// None in practice: HMAC takes a key of any length.
    pub fn sign(&self, string_to_sign: &str) -> Result<String> {
        Ok(encoding::hex(
            hmac(self.key.as_slice(), string_to_sign)?.as_slice(),
        ))
    }

    /// Signs a request, its signature in the `Authorization` header. Headers of `request` that the
    /// signature sets anew are left out of account, so a request may be signed again.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the key is for another day, and as [`CanonicalRequest::new`].
    pub fn sign_headers(
        &self,
        request: &SigningRequest<'_>,
        now: UnixTime,
        settings: HmacSettings,
    ) -> Result<SigningInstructions> {
        self.require_day(now)?;
        let mut added: Vec<(&'static str, String)> = Vec::with_capacity(4);
        if let Some(token) = &self.session_token {
            added.push((settings.session_token.header(), token.expose().clone()));
        }
        added.push(("X-Amz-Date", now.to_sigv4()));
        let unsigned = matches!(request.payload, Payload::Unsigned);
        if settings.content_sha256_header || unsigned {
            added.push(("x-amz-content-sha256", request.payload.header_value()));
        }
        let mut headers = without_headers(request.headers, &added);
        headers.extend(
            added
                .iter()
                .filter(|(name, _)| signs_token(settings) || *name != TOKEN_HEADER)
                .map(|(name, value)| (*name, value.as_str())),
        );
        let canonical_request = CanonicalRequest::new(
            &SigningRequest {
                headers: &headers,
                ..*request
            },
            settings.canonical,
        )?;
        let string_to_sign = string_to_sign(HMAC_SHA256, now, &self.scope, &canonical_request);
        let signature = self.sign(&string_to_sign)?;
        let authorization = Authorization::assemble(
            HMAC_SHA256,
            &self.access_key_id,
            self.scope.clone(),
            canonical_request.signed_headers(),
            signature.clone(),
        )?;
        added.push(("Authorization", authorization.to_string()));
        Ok(SigningInstructions {
            headers: added,
            canonical_request,
            string_to_sign,
            signature,
        })
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token
            .as_ref()
            .map(|token| token.expose().as_str())
    }

    pub(super) fn require_day(&self, now: UnixTime) -> Result<()> {
        if self.covers(now) {
            return Ok(());
        }
        Err(invalid(format_args!(
            "the signing key is for the day `{}` and the request is of `{}`: derive another key",
            self.scope.date(),
            now.to_sigv4_date()
        )))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope.as_str())
            .finish_non_exhaustive()
    }
}

const TOKEN_HEADER: &str = "X-Amz-Security-Token";

pub(super) fn signs_token(settings: HmacSettings) -> bool {
    settings.session_token != SessionToken::Unsigned
}

/// The request's headers but for those that `added` replaces.
fn without_headers<'a>(
    headers: &[(&'a str, &'a str)],
    added: &[(&'static str, String)],
) -> Vec<(&'a str, &'a str)> {
    let mut kept = Vec::with_capacity(headers.len() + added.len());
    kept.extend(headers.iter().copied().filter(|(name, _)| {
        !added
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    }));
    kept
}

fn hmac(key: &[u8], message: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| Error::new(ErrorKind::SigningFailed, "HMAC does not take the key"))?;
    mac.update(message.as_bytes());
    let mut output = mac.finalize().into_bytes();
    let code = Zeroizing::new(output.into());
    output.as_mut_slice().zeroize();
    Ok(code)
}
