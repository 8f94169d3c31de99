//! The `Authorization` header.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{CredentialScope, canonical_request::check_order, invalid, is_token_byte, shown};
use crate::{Result, encoding};

/// The longest header that is read, in bytes: ML-DSA-87's signature takes 9,254 of them, and front
/// ends refuse headers of more than 16 KiB.
pub const MAX_AUTHORIZATION_LENGTH: usize = 16 * 1024;

/// The most signed headers that are read. Real requests sign fewer than twenty; HTTP servers accept
/// about a hundred headers.
pub const MAX_SIGNED_HEADERS: usize = 100;

/// The longest credential that is accepted: a serial number of
/// [`MAX_SERIAL_LENGTH`](crate::certificate::MAX_SERIAL_LENGTH) bytes has at most 309 digits, an access key
/// id 128 characters.
const MAX_CREDENTIAL_LENGTH: usize = 309;

const NOT_HEXADECIMAL: &str =
    "the signature is not hexadecimal in lower case with an even number of digits";

/// An `Authorization` header of any SigV4 variant:
/// `ALGORITHM Credential=CREDENTIAL/SCOPE, SignedHeaders=a;b, Signature=HEX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    algorithm: String,
    credential: String,
    scope: CredentialScope,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// A header from its parts. `credential` is the access key id or, for X.509, the certificate's
    /// serial number in decimal; `signed_headers` is
    /// [`CanonicalRequest::signed_headers`](super::CanonicalRequest::signed_headers); `signature` is
    /// written in hexadecimal.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a part could not be read back.
    pub fn new(
        algorithm: &str,
        credential: &str,
        scope: &CredentialScope,
        signed_headers: &str,
        signature: &[u8],
    ) -> Result<Self> {
        if signature.is_empty() {
            return Err(invalid(NOT_HEXADECIMAL));
        }
        let signature = encoding::hex(signature);
        Self::assemble(
            algorithm,
            credential,
            scope.clone(),
            signed_headers,
            signature,
        )
    }

    /// The text of a header up to its signature, which goes behind it in lower-case hexadecimal.
    pub(crate) fn unsigned(
        algorithm: &str,
        credential: &str,
        scope: &CredentialScope,
        signed_headers: &str,
    ) -> Result<String> {
        let scope = scope.clone();
        let header = Self::assemble(algorithm, credential, scope, signed_headers, String::new())?;
        Ok(header.to_string())
    }

    /// Reads a header as [`Display`](fmt::Display) writes it, at most one space after each comma.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_AUTHORIZATION_LENGTH {
            return Err(invalid(format_args!(
                "the authorization header has {} bytes: at most {MAX_AUTHORIZATION_LENGTH} are read",
                text.len()
            )));
        }
        let (algorithm, rest) = text.split_once(' ').ok_or_else(|| {
            invalid("the authorization header has no space after the algorithm's name")
        })?;
        let mut parts = rest.split(',');
        let mut part = |name: &str, first: bool| {
            let part = parts.next().unwrap_or_default();
            let part = if first {
                part
            } else {
                part.strip_prefix(' ').unwrap_or(part)
            };
            part.strip_prefix(name)
                .and_then(|part| part.strip_prefix('='))
                .ok_or_else(|| {
                    invalid(format_args!(
                        "the authorization header has `{}` where `{name}=` is expected",
                        shown(part)
                    ))
                })
        };
        let credential = part("Credential", true)?;
        let signed_headers = part("SignedHeaders", false)?;
        let signature = part("Signature", false)?;
        if parts.next().is_some() {
            return Err(invalid(
                "the authorization header goes on after the signature",
            ));
        }
        let (credential, scope) = credential.split_once('/').ok_or_else(|| {
            invalid("the authorization header's credential has no credential scope")
        })?;
        let scope = CredentialScope::parse(scope)?;
        Self::from_hex(
            algorithm,
            credential,
            scope,
            signed_headers,
            signature.to_string(),
        )
    }

    /// The algorithm's name: `AWS4-X509-ECDSA-SHA256`, `AWS4-HMAC-SHA256`, …
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The access key id, or the certificate's serial number in decimal.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// The credential scope.
    pub fn scope(&self) -> &CredentialScope {
        &self.scope
    }

    /// The names of the signed headers, in lower case, sorted.
    pub fn signed_headers(&self) -> &[String] {
        &self.signed_headers
    }

    /// The signature in lower-case hexadecimal.
    pub fn signature_hex(&self) -> &str {
        &self.signature
    }

    /// The signature's bytes.
    pub fn signature(&self) -> Vec<u8> {
        // The constructors have read it.
        encoding::from_hex(&self.signature).unwrap_or_default()
    }

    fn from_hex(
        algorithm: &str,
        credential: &str,
        scope: CredentialScope,
        signed_headers: &str,
        signature: String,
    ) -> Result<Self> {
        if signature.is_empty() || encoding::from_hex(&signature).is_none() {
            return Err(invalid(NOT_HEXADECIMAL));
        }
        Self::assemble(algorithm, credential, scope, signed_headers, signature)
    }

    /// Checks all but the signature, which is hexadecimal.
    pub(super) fn assemble(
        algorithm: &str,
        credential: &str,
        scope: CredentialScope,
        signed_headers: &str,
        signature: String,
    ) -> Result<Self> {
        if algorithm.is_empty() || algorithm.len() > 64 || !algorithm.bytes().all(is_token_byte) {
            return Err(invalid(format_args!(
                "`{}` is not the name of a signing algorithm",
                shown(algorithm)
            )));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if credential.is_empty()
            || credential.len() > MAX_CREDENTIAL_LENGTH
            || !credential.bytes().all(allowed)
        {
            return Err(invalid(format_args!(
                "`{}` is neither an access key id nor a decimal serial number",
                shown(credential)
            )));
        }
        if signed_headers.split(';').count() > MAX_SIGNED_HEADERS {
            return Err(invalid(format_args!(
                "more than {MAX_SIGNED_HEADERS} headers are signed"
            )));
        }
        let mut names: Vec<String> = Vec::new();
        for name in signed_headers.split(';') {
            check_order(names.last().map_or("", String::as_str), name)?;
            names.push(name.to_string());
        }
        Ok(Self {
            algorithm: algorithm.to_string(),
            credential: credential.to_string(),
            scope,
            signed_headers: names,
            signature,
        })
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} Credential={}/{}, SignedHeaders=",
            self.algorithm, self.credential, self.scope
        )?;
        for (index, name) in self.signed_headers.iter().enumerate() {
            if index > 0 {
                f.write_str(";")?;
            }
            f.write_str(name)?;
        }
        write!(f, ", Signature={}", self.signature)
    }
}
