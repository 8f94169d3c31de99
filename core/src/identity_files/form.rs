//! What a file is, by its beginning and its outermost fields.

use super::{Purpose, text};
use crate::{
    Certificate, ErrorKind, PemSection,
    elements::{
        BIT_STRING, EXPLICIT, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
        outermost,
    },
    key, pem, source,
};

/// Whether a file holds something that is wanted and that only the feature `containers` opens: an
/// encrypted key, PKCS#12, PKCS#7, or BER that may be one of these. For a host that keeps the feature in
/// a module of its own (see [`open`](super::open)); no error, since whoever reads the file will tell it.
pub fn is_container(file: &[u8], purpose: Purpose) -> bool {
    if let Some(text) = text::pem_within(file) {
        return holds_container(&text, purpose);
    }
    holds_container(file, purpose)
}

fn holds_container(file: &[u8], purpose: Purpose) -> bool {
    let wants_keys = purpose != Purpose::Certificates;
    let content = source::decoded(file);
    let file = content.as_ref().map_or(file, |content| content.as_slice());
    match Form::of(file) {
        Form::Pem => pem::sections(file, ErrorKind::InvalidInput).is_ok_and(|sections| {
            sections.iter().any(|section| {
                Form::of_container(section).is_some()
                    || wants_keys
                        && key::is_key(section.label())
                        && key::is_encrypted_section(section)
            })
        }),
        Form::Certificate | Form::Other => false,
        Form::EncryptedKey => wants_keys,
        Form::Ber | Form::Pkcs12 | Form::Pkcs7 => true,
    }
}

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
    /// What a section of PEM is that holds PKCS#12 or PKCS#7, or BER that may be one of these. The label
    /// tells, save that Windows' `certutil -encode` writes `CERTIFICATE` over whatever it is given.
    pub(super) fn of_container(section: &PemSection) -> Option<Self> {
        match section.label() {
            "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Some(Self::Pkcs7),
            "PKCS12" => Some(Self::Pkcs12),
            _ => {
                let (der, _) = Certificate::der_in_section(section)?;
                let form = Self::of(der);
                matches!(form, Self::Ber | Self::Pkcs7 | Self::Pkcs12).then_some(form)
            }
        }
    }

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

/// The tags of the first fields of the sequence that `der` begins with, and how many these are.
fn first_tags(der: &[u8], tags: &mut [u8]) -> Option<usize> {
    let mut sequence = Elements::within(outermost(der), SEQUENCE)?;
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
