//! The canonical request: the one text that both sides hash.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use zeroize::Zeroize;

use super::{invalid, is_token_byte, shown, uri};
use crate::{Result, encoding};

/// Headers that are never signed, in lower case: the header that carries the signature, what proxies
/// and HTTP libraries set or rewrite after signing, and the hop-by-hop ones (RFC 9110, 7.6.1).
pub const UNSIGNED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// A request as it will stand on the wire; nothing is copied until it is canonicalized.
#[derive(Clone, Copy)]
pub struct SigningRequest<'a> {
    /// The method, in capitals: `POST`.
    pub method: &'a str,
    /// The path, percent-encoded as on the wire; empty means `/`.
    pub path: &'a str,
    /// The query without its `?`, percent-encoded as on the wire; empty when there is none. A `+`
    /// is a literal plus and becomes `%2B`: a space is written `%20`.
    pub query: &'a str,
    /// The headers, in any order and case. `host` must be among them, once, with the port when it
    /// is not the scheme's own; for HTTP/2 its value is that of `:authority`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, or what is known of it.
    pub payload: Payload<'a>,
}

/// A request's body, as far as its signature depends on it.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// The body itself; it is hashed.
    Bytes(&'a [u8]),
    /// The SHA-256 of a body that is not at hand.
    Sha256([u8; 32]),
    /// The body is not signed (`UNSIGNED-PAYLOAD`): presigned URLs of S3, over TLS only.
    Unsigned,
}

impl Payload<'_> {
    /// The last line of the canonical request, which `x-amz-content-sha256` repeats.
    pub fn header_value(&self) -> String {
        match self {
            Self::Bytes(body) => encoding::sha256_hex(body),
            Self::Sha256(hash) => encoding::hex(hash),
            Self::Unsigned => String::from("UNSIGNED-PAYLOAD"),
        }
    }
}

/// How a service wants its path canonicalized; [`default`](Self::default) is every service's but S3's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Remove dot segments and repeated slashes. Off for S3, where they belong to the key.
    pub normalize_path: bool,
    /// Encode the path, which is encoded on the wire, once more. Off for S3.
    pub double_encode_path: bool,
}

impl Settings {
    /// What S3 wants: the path as it is, encoded once.
    pub const S3: Self = Self {
        normalize_path: false,
        double_encode_path: false,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            normalize_path: true,
            double_encode_path: true,
        }
    }
}

/// A canonical request.
///
/// It quotes every signed header, a session token too: do not log it where there is one. `Debug`
/// shows the signed headers' names only.
#[derive(Clone, PartialEq, Eq)]
pub struct CanonicalRequest {
    text: String,
    // Where the list of signed headers begins and ends in the text.
    signed_headers: (usize, usize),
}

impl CanonicalRequest {
    /// Canonicalizes a request, all of its headers signed but [`UNSIGNED_HEADERS`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `host` is missing or
    /// repeated, and for what no canonical form can carry safely: control characters (a line break
    /// would add a header), other than ASCII, a malformed percent-encoding, a method or header name
    /// that is no token.
    pub fn new(request: &SigningRequest<'_>, settings: Settings) -> Result<Self> {
        Self::assemble(request, &sorted(request.headers)?, settings)
    }

    /// Canonicalizes a request, those of its headers signed that an `Authorization` header lists:
    /// what a verifier does.
    ///
    /// # Errors
    /// As [`new`](Self::new); and when `signed_headers` is not in lower case, sorted and without
    /// repetition, or names a header that the request does not have.
    pub fn with_signed_headers<N: AsRef<str>>(
        request: &SigningRequest<'_>,
        signed_headers: &[N],
        settings: Settings,
    ) -> Result<Self> {
        let mut headers = Vec::with_capacity(signed_headers.len());
        let mut previous = "";
        for name in signed_headers.iter().map(AsRef::as_ref) {
            check_order(previous, name)?;
            let before = headers.len();
            for (_, value) in request
                .headers
                .iter()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                headers.push(Header::new(name, value)?);
            }
            if headers.len() == before {
                return Err(invalid(format_args!(
                    "the signed header `{}` is not in the request",
                    shown(name)
                )));
            }
            previous = name;
        }
        Self::assemble(request, &headers, settings)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the signed headers: lower case, sorted, joined by `;`.
    pub fn signed_headers(&self) -> &str {
        let (start, end) = self.signed_headers;
        self.text.get(start..end).unwrap_or_default()
    }

    /// The SHA-256 of the text.
    pub fn sha256(&self) -> [u8; 32] {
        encoding::sha256(self.text.as_bytes())
    }

    /// The SHA-256 of the text in lower-case hexadecimal, as the string to sign has it.
    pub fn sha256_hex(&self) -> String {
        encoding::hex(&self.sha256())
    }

    /// The [`signed_headers`](Self::signed_headers) that [`new`](Self::new) would list.
    pub(super) fn signed_header_names(request: &SigningRequest<'_>) -> Result<String> {
        let mut names = String::new();
        push_names(&mut names, &sorted(request.headers)?);
        Ok(names)
    }

    /// Wipes the text, for one that quotes a session token.
    pub(super) fn wipe(&mut self) {
        self.text.zeroize();
        self.signed_headers = (0, 0);
    }

    /// `headers` are sorted by name, those of one name in order of arrival.
    fn assemble(
        request: &SigningRequest<'_>,
        headers: &[Header<'_>],
        settings: Settings,
    ) -> Result<Self> {
        if request.method.is_empty() || !request.method.bytes().all(is_token_byte) {
            return Err(invalid(format_args!(
                "`{}` is not an HTTP method",
                shown(request.method)
            )));
        }
        if headers
            .iter()
            .filter(|header| header.name == "host")
            .count()
            != 1
        {
            return Err(invalid(
                "the request has no `host` header to sign, or several: pass it once",
            ));
        }
        let length: usize = headers
            .iter()
            .map(|header| 2 * header.name.len() + header.value.len() + 3)
            .sum();
        let target = request.path.len() + request.query.len();
        // Enough for everything when a quarter of the target has to be encoded: one allocation.
        let mut text = String::with_capacity(request.method.len() + target * 3 / 2 + length + 80);
        text.push_str(request.method);
        text.push('\n');
        uri::push_path(
            &mut text,
            request.path,
            settings.normalize_path,
            settings.double_encode_path,
        )?;
        text.push('\n');
        uri::push_query(&mut text, request.query)?;
        text.push('\n');
        let mut previous = "";
        for header in headers {
            if header.name == previous {
                text.push(',');
            } else {
                if !previous.is_empty() {
                    text.push('\n');
                }
                text.push_str(&header.name);
                text.push(':');
            }
            header.push_value(&mut text);
            previous = &header.name;
        }
        text.push_str("\n\n");
        let start = text.len();
        push_names(&mut text, headers);
        let end = text.len();
        text.push('\n');
        text.push_str(&request.payload.header_value());
        Ok(Self {
            text,
            signed_headers: (start, end),
        })
    }
}

impl fmt::Debug for CanonicalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CanonicalRequest")
            .field("signed_headers", &self.signed_headers())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningRequest<'_> {
    /// Without the header values, of which one may be a session token, and without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("SigningRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(body) => write!(f, "Bytes({} bytes)", body.len()),
            Self::Sha256(hash) => write!(f, "Sha256({})", encoding::hex(hash)),
            Self::Unsigned => f.write_str("Unsigned"),
        }
    }
}

/// A header with its name in lower case and a value that may be signed.
struct Header<'a> {
    name: Cow<'a, str>,
    value: &'a str,
    // Whether there is white space to trim and to collapse.
    spaced: bool,
}

impl<'a> Header<'a> {
    fn new(name: &'a str, value: &'a str) -> Result<Self> {
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(invalid(format_args!(
                "`{}` is not a header name",
                shown(name)
            )));
        }
        // Certificates make values of kilobytes: without an early exit, the compiler looks at many
        // bytes at once.
        let (mut signable, mut spaced) = (true, false);
        for byte in value.bytes() {
            let space = (byte == b' ') | (byte == b'\t');
            spaced |= space;
            signable &= space | byte.is_ascii_graphic();
        }
        // The value stays out of the message: it may be a secret.
        if !signable {
            return Err(invalid(format_args!(
                "the value of the header `{}` holds a line break, another control character or \
                 other than ASCII: remove it",
                shown(name)
            )));
        }
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Ok(Self {
            name,
            value,
            spaced,
        })
    }

    /// Appends the value without white space around it, and each run within as one space.
    fn push_value(&self, out: &mut String) {
        if !self.spaced {
            out.push_str(self.value);
            return;
        }
        for (index, word) in self.value.split_ascii_whitespace().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
}

/// The headers that are signed, by name, those of one name in order of arrival.
fn sorted<'a>(headers: &[(&'a str, &'a str)]) -> Result<Vec<Header<'a>>> {
    let mut sorted = Vec::with_capacity(headers.len());
    for &(name, value) in headers {
        if !is_unsigned(name) {
            sorted.push(Header::new(name, value)?);
        }
    }
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sorted)
}

/// Appends the names of sorted headers, each once, joined by `;`.
fn push_names(out: &mut String, headers: &[Header<'_>]) {
    let mut previous = "";
    for header in headers {
        if header.name != previous {
            if !previous.is_empty() {
                out.push(';');
            }
            out.push_str(&header.name);
        }
        previous = &header.name;
    }
}

fn is_unsigned(name: &str) -> bool {
    UNSIGNED_HEADERS
        .iter()
        .any(|unsigned| unsigned.eq_ignore_ascii_case(name))
}

/// Checks one step through a list of signed headers.
pub(super) fn check_order(previous: &str, name: &str) -> Result<()> {
    let why = if name.is_empty() {
        "it is empty"
    } else if !name.bytes().all(is_token_byte) {
        "it is not a header name"
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        "write it in lower case"
    } else if name == previous {
        "it is listed twice"
    } else if name < previous {
        "sort the list"
    } else {
        return Ok(());
    };
    Err(invalid(format_args!(
        "`{}` cannot stand in the list of signed headers: {why}",
        shown(name)
    )))
}
