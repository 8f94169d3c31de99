//! What the service will make of a certificate: what it refuses, and the principal tags, source
//! identity and session name that it draws from it.
//!
//! The rules are those of the service's user guide (edition of 2026), and what live requests showed
//! where it is silent; where nothing is known the documentation here says so.

mod findings;
mod path;
mod tags;

pub use findings::{About, Finding, MAX_HEADERS_LENGTH, Severity, findings};
pub use path::likely_path;
pub use tags::{
    AttributeMapping, CertificateField, MAX_SPECIFIER_LENGTH, MAX_TAG_VALUE_LENGTH, PrincipalTags,
    UnmappedAttribute, principal_tags,
};

use alloc::{
    format,
    string::{String, ToString},
};

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::Certificate;

/// The lengths that STS takes as session name and as source identity, in characters.
const STS_NAME_LENGTH: core::ops::RangeInclusive<usize> = 2..=64;

/// The longest common name that stands after `CN=` in the source identity, in characters.
const MAX_PREFIXED_COMMON_NAME: usize = 61;

/// The source identity of the session: `CN=` and the common name where that has at most 61
/// characters, the common name alone where it has 62 to 64, and `ID=` with the serial number in
/// hexadecimal where there is none (user guide, "trust model").
///
/// `None` where it is not known what the service does: with several common names, with one that is no
/// text, empty, longer than 64 characters or of characters that [principal tags](principal_tags) cannot
/// hold. Characters are counted as UTF-16 units, as the service likely does.
pub fn source_identity(certificate: &Certificate) -> Option<String> {
    let subject = certificate.subject();
    let mut common_names = subject
        .attributes()
        .iter()
        .filter(|attribute| attribute.name() == "CN");
    let Some(common_name) = common_names.next() else {
        return Some(format!("ID={}", certificate.serial_hex()));
    };
    let text = common_name.text().filter(|text| !text.is_empty())?;
    if common_names.next().is_some() || !text.chars().all(is_taggable) {
        return None;
    }
    match text.encode_utf16().count() {
        ..=MAX_PREFIXED_COMMON_NAME => Some(format!("CN={text}")),
        length if STS_NAME_LENGTH.contains(&length) => Some(text.to_string()),
        _ => None,
    }
}

/// The name of the session where the request has none: the serial number in lower-case hexadecimal.
///
/// An odd number of digits has been seen in no live session; here a zero stands in front of it, as
/// the user guide has it for the source identity.
pub fn default_session_name(certificate: &Certificate) -> &str {
    certificate.serial_hex()
}

/// STS's `[\w+=,.@-]{2,64}`.
fn is_session_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    STS_NAME_LENGTH.contains(&name.len()) && name.bytes().all(allowed)
}

/// STS's `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: what the keys and values of tags may hold.
fn is_taggable(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || " _.:/=+-@".contains(character);
    }
    matches!(
        character.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Separator
    )
}

#[cfg(test)]
mod tests;
