//! The session's name and its source identity.

use super::tags::is_tag_character;
use crate::{certificate::Certificate, create_session::Case, error::Refusal};

/// STS's bounds on session names and source identities.
const STS_LENGTH: std::ops::RangeInclusive<usize> = 2..=64;
/// The longest common name that still takes `CN=` in front of it (user guide).
const MAX_PREFIXED_COMMON_NAME: usize = 61;

/// The name that the client chose, or the certificate's serial number in lower-case hexadecimal.
pub(crate) fn session_name(case: &Case<'_>) -> Result<String, Refusal> {
    if let Some(name) = &case.parameters.role_session_name {
        return Ok(name.clone());
    }
    let hex = &case.certificate()?.serial_hex;
    let name = if case.settings.pad_default_session_name {
        padded(hex)
    } else {
        hex.clone()
    };
    if !STS_LENGTH.contains(&name.len()) {
        return Err(case.unable_to_assume_role(format!(
            "the default session name `{name}` is not {} to {} characters long",
            STS_LENGTH.start(),
            STS_LENGTH.end()
        )));
    }
    Ok(name)
}

/// `CN=` and the common name; the bare common name where that would be too long; `ID=` and the
/// serial number where there is no common name (user guide).
pub(crate) fn source_identity(case: &Case<'_>) -> Result<String, Refusal> {
    let certificate = case.certificate()?;
    match common_name(certificate) {
        Ok(Some(name)) if length(&name) <= MAX_PREFIXED_COMMON_NAME => Ok(format!("CN={name}")),
        Ok(Some(name)) => Ok(name),
        Ok(None) => Ok(serial_identity(certificate)),
        Err(_) if case.settings.irregular_common_name_falls_back_on_serial => {
            Ok(serial_identity(certificate))
        }
        Err(why) => Err(case.unable_to_assume_role(format!("no source identity: {why}"))),
    }
}

/// The common name, if it can be (part of) a source identity.
fn common_name(certificate: &Certificate) -> Result<Option<String>, String> {
    let attributes = certificate.subject_name.attributes().iter();
    let mut common_names = attributes.filter(|attribute| attribute.name() == "CN");
    let Some(common_name) = common_names.next() else {
        return Ok(None);
    };
    if common_names.next().is_some() {
        return Err("the subject has more than one common name".to_owned());
    }
    let Some(name) = common_name.text() else {
        return Err("the common name is not text".to_owned());
    };
    if length(name) > *STS_LENGTH.end() {
        return Err(format!(
            "the common name is longer than {} characters",
            STS_LENGTH.end()
        ));
    }
    if name.is_empty() || !name.chars().all(is_identity_character) {
        return Err(format!(
            "the common name `{name}` holds characters that STS does not take"
        ));
    }
    Ok(Some(name.to_owned()))
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@,]`: the service's own pattern admits more than STS documents, spaces
/// for one, and a common name with spaces was seen to work. The comma is STS's.
fn is_identity_character(character: char) -> bool {
    character == ',' || is_tag_character(character)
}

fn serial_identity(certificate: &Certificate) -> String {
    format!("ID={}", padded(&certificate.serial_hex))
}

/// With a zero in front where the length is odd.
fn padded(hex: &str) -> String {
    let zero = if hex.len().is_multiple_of(2) { "" } else { "0" };
    format!("{zero}{hex}")
}

/// In UTF-16 units: the service is written in Java, whose strings count so. Not established.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
