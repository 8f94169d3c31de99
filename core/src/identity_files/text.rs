//! PEM that stands in JSON.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::pem::MAX_PEM_LENGTH;

/// The PEM text in JSON whose strings hold PEM, as `aws acm export-certificate`, `aws acm-pca get-certificate` and
/// Vault answer; `None` when the file is not such JSON.
///
/// What is made may hold a private key: it is wiped when dropped, and no buffer moves.
pub(super) fn pem_within(file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if file.len() > MAX_PEM_LENGTH {
        return None;
    }
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let text = text.trim_ascii();
    let is_json = matches!(text.first()?, b'{' | b'[') && contains(text, b"-----BEGIN ");
    is_json.then(|| strings_apart(text))
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
}
