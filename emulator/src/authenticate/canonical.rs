//! The canonical request (SigV4), rebuilt from the raw request.

use crate::message::Request;

use super::hex;

/// A name and a value of the query, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryPair {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// CreateSession has three parameters in its query, a presigned URL seven.
const MAX_QUERY_PAIRS: usize = 100;

/// Splits and decodes a raw query. `+` stands for itself: RFC 3986 knows no other meaning, and role
/// names may hold it.
pub(crate) fn decode_query(query: &str) -> Result<Vec<QueryPair>, String> {
    let parts: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    if parts.len() > MAX_QUERY_PAIRS {
        return Err(format!(
            "the query has more than {MAX_QUERY_PAIRS} parameters"
        ));
    }
    parts
        .into_iter()
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok(QueryPair {
                name: decode(name)?,
                value: decode(value)?,
            })
        })
        .collect()
}

/// A percent-encoded text, decoded.
pub(crate) fn decode_text(text: &str) -> Result<String, String> {
    String::from_utf8(decode(text)?).map_err(|_| "the text is not UTF-8".to_owned())
}

/// The canonical request. The path is encoded once more than it came, as SigV4 asks of every service
/// but S3: that changes it where it holds an ARN.
pub(crate) fn canonical_request(
    request: &Request,
    query: &[QueryPair],
    signed_headers: &[String],
    body_hash: &str,
) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        canonical_path(request.path()),
        canonical_query(query)
    );
    for name in signed_headers {
        let values: Vec<String> = request.header_values(name).map(trimmed).collect();
        text.push_str(name);
        text.push(':');
        text.push_str(&values.join(","));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signed_headers.join(";"));
    text.push('\n');
    text.push_str(body_hash);
    text
}

fn canonical_path(path: &str) -> String {
    let segments: Vec<String> = path.split('/').map(|s| encode(s.as_bytes())).collect();
    segments.join("/")
}

fn canonical_query(query: &[QueryPair]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|pair| (encode(&pair.name), encode(&pair.value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// A header value without white space around it, and with runs of spaces within made one space.
fn trimmed(value: &str) -> String {
    let words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| {
            byte.and_then(|byte| char::from(byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => decoded.push(high * 16 + low),
            _ => return Err("the query has a `%` without two hexadecimal digits".to_owned()),
        }
    }
    Ok(decoded)
}

/// RFC 3986: everything but the unreserved characters becomes `%XX`, in capitals.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.push_str(&hex(&[*byte]).to_ascii_uppercase());
        }
    }
    text
}
