//! AWS Signature Version 4: one canonicalizer for any request, for the X.509 variants that
//! `CreateSession` takes and for the HMAC variant that everything else takes.
//!
//! ```text
//! SigningRequest ─► CanonicalRequest ─► string_to_sign ─► a signature ─► Authorization
//! ```
//!
//! [`sign_headers`] and [`presign`] walk the whole way for HMAC and say what to add to the request.
//! For X.509 the signature is a [`Signer`](crate::Signer)'s or the host's.
//!
//! Sources: AWS's "Signature Version 4 signing process" and IAM Roles Anywhere's user guide,
//! "signing process for authentication". What they leave open follows AWS's signing test suite.

mod authorization;
mod canonical_request;
mod credential_scope;
mod hmac;
mod presign;
mod service;
mod uri;

#[cfg(test)]
mod tests;

pub use authorization::{Authorization, MAX_AUTHORIZATION_LENGTH, MAX_SIGNED_HEADERS};
pub use canonical_request::{
    CanonicalRequest, Payload, Settings, SigningRequest, UNSIGNED_HEADERS,
};
pub use credential_scope::{CredentialScope, MAX_SCOPE_PART_LENGTH, TERMINATOR};
pub use hmac::{
    HMAC_SHA256, HmacCredentials, HmacSettings, SessionToken, SigningInstructions, SigningKey,
    sign_headers,
};
pub use presign::{MAX_PRESIGN_SECONDS, PresignedQuery, presign};
pub use service::{HostScope, host_scope, is_s3};

use alloc::string::String;

use crate::{Error, ErrorKind, UnixTime, encoding};

/// The string to sign: algorithm, time, credential scope and the hash of the canonical request, one
/// a line, without a newline at the end.
///
/// `algorithm` is the name that the `Authorization` header gives, such as
/// [`SigningAlgorithm::name`](crate::SigningAlgorithm::name) or [`HMAC_SHA256`]. The scope's date
/// must be the day of `now`; a service refuses the signature otherwise.
pub fn string_to_sign(
    algorithm: &str,
    now: UnixTime,
    scope: &CredentialScope,
    canonical: &CanonicalRequest,
) -> String {
    let (time, scope) = (now.to_sigv4(), scope.as_str());
    let hash = encoding::hex(&canonical.sha256());
    let mut text =
        String::with_capacity(algorithm.len() + time.len() + scope.len() + hash.len() + 3);
    for (part, end) in [(algorithm, "\n"), (&time, "\n"), (scope, "\n"), (&hash, "")] {
        text.push_str(part);
        text.push_str(end);
    }
    text
}

fn invalid(message: impl core::fmt::Display) -> Error {
    Error::written(ErrorKind::InvalidInput, format_args!("{message}"))
}

/// The beginning of what the user wrote, for an error message.
fn shown(text: &str) -> String {
    const LENGTH: usize = 60;
    let mut shown: String = text
        .chars()
        .take(LENGTH)
        .flat_map(char::escape_default)
        .collect();
    if text.chars().nth(LENGTH).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a byte may stand in a method or a header name (RFC 9110, 5.6.2, `tchar`).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
