//! What a file is, by its beginning and its outermost fields.

use super::Purpose;
use crate::{
    ErrorKind,
    elements::{
        BIT_STRING, EXPLICIT, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
    },
    key, pem, source,
};

/// Whether a file holds something that is wanted and that only the feature `containers` opens: an
/// encrypted key, PKCS#12, PKCS#7, or BER that may be one of these. For a host that keeps the feature in
/// a module of its own (see [`open`](super::open)); no error, since whoever reads the file will tell it.
pub fn is_container(file: &[u8], purpose: Purpose) -> bool {
    let wants_keys = purpose != Purpose::Certificates;
    let content = source::decoded(file);
    let file = content.as_ref().map_or(file, |content| content.as_slice());
    match Form::of(file) {
        Form::Pem => pem::sections(file, ErrorKind::InvalidInput).is_ok_and(|sections| {
            sections.iter().any(|section| {
                let label = section.label();
                is_pkcs7(label)
                    || label == PKCS12
                    || wants_keys && key::is_key(label) && key::is_encrypted_section(section)
            })
        }),
        Form::Certificate | Form::Other => false,
        Form::EncryptedKey => wants_keys,
        Form::Ber | Form::Pkcs12 | Form::Pkcs7 => true,
    }
}

/// Whether a section of PEM with that label is PKCS#7.
pub(super) fn is_pkcs7(label: &str) -> bool {
    matches!(label, "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS")
}

/// The label of PKCS#12 in PEM.
pub(super) const PKCS12: &str = "PKCS12";

/// What a file is, as far as that tells.
pub(super) enum Form {
    /// A sequence that is not DER.
    Ber,
    Certificate,
    EncryptedKey,
    /// DER of another kind, a key in most cases.
    Other,
    /// PEM, or no form that is known.
    Pem,
    Pkcs12,
    Pkcs7,
}

impl Form {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.first() != Some(&SEQUENCE) {
            return Self::Pem;
        }
        let mut tags = [0; 4];
        let Some(count) = first_tags(bytes, &mut tags) else {
            return Self::Ber;
        };
        match tags.get(..count).unwrap_or_default() {
            [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] => Self::Pkcs12,
            [OBJECT_IDENTIFIER, EXPLICIT] => Self::Pkcs7,
            [SEQUENCE, OCTET_STRING] => Self::EncryptedKey,
            [SEQUENCE, SEQUENCE, BIT_STRING] => Self::Certificate,
            _ => Self::Other,
        }
    }
}

/// The tags of the first fields of the sequence that `der` is, and how many these are.
fn first_tags(der: &[u8], tags: &mut [u8]) -> Option<usize> {
    let mut sequence = Elements::within(der, SEQUENCE)?;
    let mut count = 0;
    for tag in tags {
        if sequence.is_finished() {
            break;
        }
        *tag = sequence.element()?.tag;
        count += 1;
    }
    Some(count)
}
