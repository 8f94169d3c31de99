//! The text that Go's `pkix.Name` makes of a distinguished name, by which users of
//! `aws_signing_helper` know their certificates.

use std::fmt::Write as _;

use rolesanywhere_core::certificate::{Attribute, DistinguishedName};

/// The attributes that Go keeps apart, in the order in which it prints them.
const KNOWN: [(&str, &str); 9] = [
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.3", "CN"),
    ("2.5.4.11", "OU"),
    ("2.5.4.10", "O"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.6", "C"),
];

/// A name as Go prints it: regrouped, whatever the order in the certificate. Of several serial numbers
/// and common names the last one counts, several values of another attribute are joined by `+`, and
/// other attributes follow in the reverse order of the certificate, as DER.
pub(crate) fn go_name(name: &DistinguishedName) -> String {
    let mut parts = Vec::new();
    for (oid, keyword) in KNOWN {
        let mut values: Vec<&str> = values(name, oid).collect();
        if matches!(keyword, "SERIALNUMBER" | "CN") {
            // Go leaves an empty one out, and takes each for the one before.
            values = values
                .pop()
                .filter(|last| !last.is_empty())
                .into_iter()
                .collect();
        }
        let values: Vec<String> = values
            .into_iter()
            .map(|value| format!("{keyword}={}", escaped(value)))
            .collect();
        if !values.is_empty() {
            parts.push(values.join("+"));
        }
    }
    let others = name.attributes().iter().rev();
    let others = others.filter(|other| KNOWN.iter().all(|(oid, _)| *oid != other.oid()));
    parts.extend(others.map(|other| format!("{}=#{}", other.oid(), der(other))));
    parts.join(",")
}

fn values<'a>(name: &'a DistinguishedName, oid: &'a str) -> impl Iterator<Item = &'a str> {
    let attributes = name.attributes().iter();
    let attributes = attributes.filter(move |attribute| attribute.oid() == oid);
    attributes.filter_map(Attribute::text)
}

/// The DER that Go writes for the value: a string again, whatever kind of string it was.
fn der(attribute: &Attribute) -> String {
    let Some(text) = attribute.text() else {
        return hex(attribute.value_der());
    };
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if text.bytes().all(printable) {
        0x13
    } else {
        0x0c
    };
    let mut der = vec![tag];
    let length = text.len().to_be_bytes();
    let length = length
        .iter()
        .position(|byte| *byte != 0)
        .and_then(|at| length.get(at..));
    match length {
        None => der.push(0),
        Some([short @ 0..0x80]) => der.push(*short),
        Some(long) => {
            der.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            der.extend_from_slice(long);
        }
    }
    der.extend_from_slice(text.as_bytes());
    hex(&der)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // Writing into a string does not fail.
        text
    })
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        let escape = match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => at == 0 || at == value.len() - 1,
            '#' => at == 0,
            _ => false,
        };
        if escape {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
