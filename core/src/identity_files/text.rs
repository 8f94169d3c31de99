//! PEM that stands in other text: base64 of it, and JSON.

use alloc::vec::Vec;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::pem::MAX_PEM_LENGTH;

/// The PEM text in a file that holds it in another form; `None` when the file is none of these.
///
/// - Base64 of a PEM text, as Kubernetes keeps it in a `Secret`.
/// - JSON whose strings hold PEM: what `aws acm export-certificate`, `aws acm-pca get-certificate` and
///   Vault answer.
///
/// What is made may hold a private key: it is wiped when dropped, and no buffer moves.
pub(super) fn pem_within(file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if file.len() > MAX_PEM_LENGTH {
        return None;
    }
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let text = text.trim_ascii();
    match text.first()? {
        b'L' if text.starts_with(BASE64_OF_BEGIN) => decoded(text),
        b'{' | b'[' if contains(text, b"-----BEGIN ") => Some(strings_apart(text)),
        _ => None,
    }
}

/// Base64 of `-----BEGI`, with which every PEM text without a preamble begins.
const BASE64_OF_BEGIN: &[u8] = b"LS0tLS1CRUdJ";

fn decoded(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.len()));
    base64.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let mut pem = Zeroizing::new(alloc::vec![0; base64.len().div_ceil(4) * 3]);
    let length = Base64::decode(&*base64, &mut pem).ok()?.len();
    pem.truncate(length);
    Some(pem)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// JSON with its escapes resolved (RFC 8259, 7) and a line break in the place of each quotation mark, so
/// that a PEM text in a string stands on lines of its own. No parser of JSON: what is not PEM is passed
/// over, and a parser would leave the key in memory that nobody wipes.
fn strings_apart(json: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(json.len()));
    let mut rest = json.iter().copied();
    while let Some(byte) = rest.next() {
        text.push(match byte {
            b'"' => b'\n',
            b'\\' => match rest.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'u') => unicode(rest.by_ref()),
                Some(escaped) => escaped,
                None => break,
            },
            other => other,
        });
    }
    text
}

/// The character of `\uXXXX` where it is ASCII, all that PEM has.
fn unicode(mut rest: impl Iterator<Item = u8>) -> u8 {
    let mut value = 0u32;
    for _ in 0..4 {
        let digit = rest.next().and_then(|byte| char::from(byte).to_digit(16));
        value = value << 4 | digit.unwrap_or(0xf);
    }
    u8::try_from(value)
        .ok()
        .filter(u8::is_ascii)
        .unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(file: &str) -> Option<alloc::string::String> {
        let text = pem_within(file.as_bytes())?;
        Some(alloc::string::String::from_utf8(text.to_vec()).unwrap())
    }

    /// RFC 8259, 7.
    #[test]
    fn escapes_of_json_are_resolved() {
        let json =
            r#"{"a":"-----BEGIN X-----\nab\/c\u002b\r\n-----END X-----\u000A","b":"\"\\\t"}"#;
        assert_eq!(
            within(json).unwrap(),
            "{\na\n:\n-----BEGIN X-----\nab/c+\r\n-----END X-----\n\n,\nb\n:\n\"\\\t\n}"
        );
        for cut in [
            r#"{"-----BEGIN X\"#,
            r#"{"-----BEGIN X\u"#,
            r#"{"-----BEGIN X\u00"#,
        ] {
            assert!(
                within(cut).is_some_and(|text| text.len() <= cut.len()),
                "{cut}"
            );
        }
        assert_eq!(within(r#"{"a": 1}"#), None);
    }

    /// As `base64` of GNU coreutils writes it.
    #[test]
    fn base64_of_pem_is_decoded() {
        let base64 = "LS0tLS1CRUdJTiBYLS0tLS0KYWJj\nZAotLS0tLUVORCBYLS0tLS0K\n";
        let pem = "-----BEGIN X-----\nabcd\n-----END X-----\n";
        assert_eq!(within(base64).as_deref(), Some(pem));
        assert_eq!(within(&base64[..base64.len() - 3]), None);
        assert_eq!(within(pem), None);
    }
}
