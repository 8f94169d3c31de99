//! The canonical forms of a path and of a query.

use alloc::{borrow::Cow, string::String, vec::Vec};

use percent_encoding::percent_encode_byte;

use super::{invalid, shown};
use crate::{Result, encoding::uri_encode_path};

/// Appends the canonical form of a path as it stands on the wire.
///
/// Double encoding encodes the path once more, `%` becoming `%25`; single encoding brings each byte
/// to its one percent-encoded form, a `%2F` staying apart from `/`.
pub(super) fn push_path(out: &mut String, path: &str, normalize: bool, double: bool) -> Result<()> {
    check(path, "path", *b"?#")?;
    if !path.is_empty() && !path.starts_with('/') {
        return Err(invalid(format_args!(
            "the path `{}` does not begin with `/`",
            shown(path)
        )));
    }
    let path = if normalize {
        normalize_path(path)
    } else {
        Cow::Borrowed(path)
    };
    if path.is_empty() {
        out.push('/');
    } else if double {
        out.push_str(&uri_encode_path(&path));
    } else {
        push_reencoded(out, &path, true);
    }
    Ok(())
}

/// Appends the canonical form of a query as it stands on the wire, without the `?`: parameters
/// brought to their one encoded form and sorted by name, then value.
pub(super) fn push_query(out: &mut String, query: &str) -> Result<()> {
    check(query, "query", *b"##")?;
    if query.is_empty() {
        return Ok(());
    }
    let mut text = String::with_capacity(query.len() + query.len() / 4 + 1);
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        push_reencoded(&mut text, name, false);
        let name_end = text.len();
        push_reencoded(&mut text, value, false);
        ends.push((name_end, text.len()));
    }
    let mut start = 0;
    let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(ends.len());
    for (name_end, end) in ends {
        let name = text.get(start..name_end).unwrap_or_default();
        let value = text.get(name_end..end).unwrap_or_default();
        pairs.push((name, value));
        start = end;
    }
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
    Ok(())
}

/// RFC 3986, 5.2.4, "remove dot segments", on an absolute path; beyond it, repeated slashes become
/// one, as AWS's suite has it. A dot written as `%2E` is not a dot here.
pub(super) fn normalize_path(path: &str) -> Cow<'_, str> {
    let is_plain = |two: &[u8]| !matches!(two, b"//" | b"/.");
    if path.as_bytes().windows(2).all(is_plain) {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut last = "";
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
        last = segment;
    }
    let mut normal = String::with_capacity(path.len() + 1);
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    // A path that ends in a directory keeps its slash.
    if normal.is_empty() || matches!(last, "" | "." | "..") {
        normal.push('/');
    }
    Cow::Owned(normal)
}

/// Appends checked text with each byte in its one encoded form: the unreserved ones as themselves,
/// the others as `%XX` in capitals, whether they came encoded or not. `+` is a plus, not a space.
fn push_reencoded(out: &mut String, text: &str, keep_slash: bool) {
    let stands = |byte| is_unreserved(byte) || (keep_slash && byte == b'/');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !stands(byte)) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let (byte, length) = match tail.as_bytes() {
            [b'%', high, low, ..] => (hex_value(*high) << 4 | hex_value(*low), 3),
            [byte, ..] => (*byte, 1),
            [] => return,
        };
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(percent_encode_byte(byte));
        }
        rest = tail.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Refuses what cannot stand on the wire: control characters, spaces, other than ASCII, the bytes
/// in `forbidden`, and a `%` without two hexadecimal digits.
fn check(text: &str, what: &str, forbidden: [u8; 2]) -> Result<()> {
    let [first, second] = forbidden;
    // Without an early exit, so that the compiler looks at many bytes at once.
    let on_the_wire = text.bytes().fold(true, |all, byte| {
        all & byte.is_ascii_graphic() & (byte != first) & (byte != second)
    });
    if !on_the_wire {
        return Err(invalid(format_args!(
            "the {what} `{}` holds a character that cannot stand in it: percent-encode it, as it \
             goes on the wire",
            shown(text)
        )));
    }
    let encoded = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(encoded) {
        return Err(invalid(format_args!(
            "the {what} `{}` holds a `%` that two hexadecimal digits do not follow: write a percent \
             sign as `%25`",
            shown(text)
        )));
    }
    Ok(())
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The value of a hexadecimal digit; [`check`] has seen that it is one.
fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}
