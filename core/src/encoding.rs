//! The text encodings of SigV4, each through the crate that keeps it.

use alloc::{string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Everything but RFC 3986's unreserved characters: what SigV4 percent-encodes.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Everything that SigV4 percent-encodes in a path, in which `/` stands for itself.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// Bytes of a lower-case hexadecimal text; `None` for capitals, odd lengths and anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    base16ct::lower::decode_vec(text).ok()
}

/// Standard base64 with padding, on one line.
pub(crate) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal SHA-256, the form in which SigV4 writes hashes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// SigV4's `UriEncode`: all but the unreserved characters, upper-case hexadecimal, space as `%20`.
pub(crate) fn uri_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).collect()
}

/// [`uri_encode`] for a path: `/` stands for itself.
pub(crate) fn uri_encode_path(text: &str) -> String {
    utf8_percent_encode(text, RESERVED_IN_PATH).collect()
}

/// Writes a JSON string (RFC 8259, section 7). By hand, because `serde_json` writes into a buffer
/// that grows and so leaves unwiped copies of the secrets behind.
pub(crate) fn push_json_string(json: &mut String, value: &str) {
    json.push('"');
    for c in value.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                let escaped = Zeroizing::new(alloc::format!("\\u{:04x}", u32::from(c)));
                json.push_str(&escaped);
            }
            c => json.push(c),
        }
    }
    json.push('"');
}
