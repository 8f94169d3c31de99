//! Presigned URLs: the signature in the query.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{fmt, time::Duration};

use zeroize::Zeroize;

use super::{
    CanonicalRequest, HMAC_SHA256, HmacCredentials, HmacSettings, Payload, SigningKey,
    SigningRequest, hmac::signs_token, invalid, string_to_sign,
};
use crate::{Result, UnixTime, encoding::uri_encode};

/// The longest time for which a URL is presigned: seven days, in seconds.
pub const MAX_PRESIGN_SECONDS: u64 = 604_800;

/// Signs a request with HMAC, its signature in the query.
///
/// # Errors
/// As [`SigningKey::new`] and [`SigningKey::presign`].
pub fn presign(
    request: &SigningRequest<'_>,
    credentials: &HmacCredentials<'_>,
    now: UnixTime,
    region: &str,
    service: &str,
    expires: Duration,
    settings: HmacSettings,
) -> Result<PresignedQuery> {
    SigningKey::new(credentials, now, region, service)?.presign(request, now, expires, settings)
}

impl SigningKey {
    /// Signs a request, its signature in the query. All of its headers but
    /// [`UNSIGNED_HEADERS`](super::UNSIGNED_HEADERS) are signed: whoever uses the URL must send the
    /// same, so pass `host` alone unless the service wants more.
    ///
    /// `expires` counts from `now`; a fraction of a second is dropped. The URL dies with its
    /// credentials, though, when they expire sooner.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `expires` is not 1 to
    /// [`MAX_PRESIGN_SECONDS`] seconds, when the query holds a parameter that the signature sets,
    /// when the key is for another day, and as [`CanonicalRequest::new`].
    pub fn presign(
        &self,
        request: &SigningRequest<'_>,
        now: UnixTime,
        expires: Duration,
        settings: HmacSettings,
    ) -> Result<PresignedQuery> {
        self.require_day(now)?;
        let seconds = expires.as_secs();
        if !(1..=MAX_PRESIGN_SECONDS).contains(&seconds) {
            return Err(invalid(format_args!(
                "a URL cannot be presigned for {seconds} seconds: 1 to {MAX_PRESIGN_SECONDS} are allowed"
            )));
        }
        refuse_signed(request.query)?;

        // The canonical request lists the signed headers twice, in the query as well: they are known
        // only once the headers are canonical, so a first pass finds them.
        let signed_headers = CanonicalRequest::signed_header_names(request)?;
        let token = self
            .session_token()
            .map(|token| {
                let name = settings.session_token.parameter();
                format!("&{name}={}", uri_encode(token))
            })
            .unwrap_or_default();
        let mut query = String::with_capacity(request.query.len() + token.len() + 400);
        // A literal plus goes on the wire as it is signed: a server may read `+` as a space.
        query.push_str(&request.query.replace('+', "%2B"));
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        for (name, value) in [
            ("X-Amz-Algorithm=", HMAC_SHA256),
            (
                "&X-Amz-Credential=",
                &uri_encode(&format!("{}/{}", self.access_key_id(), self.scope())),
            ),
            ("&X-Amz-Date=", &now.to_sigv4()),
            ("&X-Amz-SignedHeaders=", &uri_encode(&signed_headers)),
            ("&X-Amz-Expires=", &seconds.to_string()),
        ] {
            query.push_str(name);
            query.push_str(value);
        }
        if matches!(request.payload, Payload::Unsigned) && !settings.content_sha256_header {
            query.push_str("&X-Amz-Content-Sha256=");
            query.push_str(&request.payload.header_value());
        }
        if signs_token(settings) {
            query.push_str(&token);
        }
        let canonical_request = CanonicalRequest::new(
            &SigningRequest {
                query: &query,
                ..*request
            },
            settings.canonical,
        )?;
        let string_to_sign = string_to_sign(HMAC_SHA256, now, self.scope(), &canonical_request);
        let signature = self.sign(&string_to_sign)?;
        if !signs_token(settings) {
            query.push_str(&token);
        }
        query.push_str("&X-Amz-Signature=");
        query.push_str(&signature);
        Ok(PresignedQuery {
            query,
            canonical_request,
            string_to_sign,
            signature,
        })
    }
}

/// A presigned query: whoever has the URL may make the request, so treat it as a secret. `Debug` is
/// redacted, and the copies are wiped on drop.
pub struct PresignedQuery {
    query: String,
    canonical_request: CanonicalRequest,
    string_to_sign: String,
    signature: String,
}

impl PresignedQuery {
    /// The whole query, what the request had included, without the `?`: percent-encoded, to be put
    /// on the wire as it is.
    pub fn as_str(&self) -> &str {
        &self.query
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

impl fmt::Debug for PresignedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresignedQuery([redacted])")
    }
}

impl Drop for PresignedQuery {
    fn drop(&mut self) {
        self.query.zeroize();
        self.canonical_request.wipe();
        self.signature.zeroize();
    }
}

/// Refuses a query that is signed already, or that the service could read in two ways.
fn refuse_signed(query: &str) -> Result<()> {
    const SET: [&str; 9] = [
        "X-Amz-Algorithm",
        "X-Amz-Content-Sha256",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-S3session-Token",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    ];
    for pair in query.split('&') {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        if let Some(name) = SET.iter().find(|set| set.eq_ignore_ascii_case(name)) {
            return Err(invalid(format_args!(
                "the query holds `{name}` already: presign the URL without it"
            )));
        }
    }
    Ok(())
}
