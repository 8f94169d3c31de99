//! Session tags: what the service makes of the attributes of a certificate.

use std::collections::BTreeMap;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::{
    certificate::{Certificate, Name},
    config::CertificateField,
};

/// The longest key and value of a tag, in characters, and the most tags of a session (STS).
const MAX_KEY_LENGTH: usize = 128;
const MAX_VALUE_LENGTH: usize = 256;
pub(super) const MAX_TAGS: usize = 50;

/// The tags of a session, and the attributes that gave none.
#[derive(Debug, Default)]
pub(crate) struct SessionTags {
    /// By key: `x509Subject/CN`.
    pub(crate) tags: BTreeMap<String, String>,
    unmapped_issuer: Vec<String>,
    unmapped_subject: Vec<String>,
    unmapped_san: Vec<String>,
}

/// The tags of a certificate, as far as `maps` has its attributes mapped: it is asked for `CN` and
/// the like in subject and issuer, and for `DNS`, `URI` and `Name/CN` in the alternative name.
///
/// An attribute that repeats is one tag, its values joined with `/` in the order of the certificate
/// (user guide, 2026). One whose value STS does not take as a tag's gives none.
pub(crate) fn session_tags(
    certificate: &Certificate,
    maps: impl Fn(CertificateField, &str) -> bool,
) -> SessionTags {
    let mut found = SessionTags::default();
    found.add_name(
        CertificateField::Subject,
        "",
        &certificate.subject_name,
        &maps,
    );
    found.add_name(
        CertificateField::Issuer,
        "",
        &certificate.issuer_name,
        &maps,
    );
    let names = &certificate.alternative_names;
    for (kind, value) in [("DNS", &names.dns), ("URI", &names.uri)] {
        if let Some(value) = value
            && maps(CertificateField::SubjectAlternativeName, kind)
        {
            found.add(CertificateField::SubjectAlternativeName, kind, Some(value));
        }
    }
    if let Some(directory) = &names.directory {
        found.add_name(
            CertificateField::SubjectAlternativeName,
            "Name/",
            directory,
            &maps,
        );
    }
    found
}

/// Whether a profile's specifier covers an attribute, both as they stand in the API: `*` covers all
/// of subject or issuer, `Name`, `Name/` and `Name/*` all of the directory name.
pub(crate) fn covers(field: CertificateField, specifier: &str, attribute: &str) -> bool {
    match (field, specifier) {
        (CertificateField::SubjectAlternativeName, "Name" | "Name/" | "Name/*") => {
            attribute.starts_with("Name/")
        }
        (CertificateField::Issuer | CertificateField::Subject, "*") => true,
        _ => specifier == attribute,
    }
}

impl SessionTags {
    /// What the service appends to the refusal of a role when attributes could not be mapped; the
    /// form was recorded, what it writes of attributes other than a DNS name was not.
    pub(crate) fn unmapped(&self) -> Option<String> {
        let (issuer, subject, san) = (
            &self.unmapped_issuer,
            &self.unmapped_subject,
            &self.unmapped_san,
        );
        if issuer.is_empty() && subject.is_empty() && san.is_empty() {
            return None;
        }
        Some(format!(
            "Some attributes failed to be mapped into session tags. \
             Issuer: [ {} ]; Subject: [ {} ]; SAN: [ {} ]",
            issuer.join(", "),
            subject.join(", "),
            san.join(", ")
        ))
    }

    /// How many bytes keys and values take.
    pub(crate) fn size(&self) -> usize {
        self.tags.iter().map(|(k, v)| k.len() + v.len()).sum()
    }

    fn add_name(
        &mut self,
        field: CertificateField,
        prefix: &str,
        name: &Name,
        maps: &impl Fn(CertificateField, &str) -> bool,
    ) {
        let attributes = name.attributes();
        for (at, attribute) in attributes.iter().enumerate() {
            let kind = attribute.name();
            let came_before = attributes.iter().take(at).any(|a| a.name() == kind);
            let key = format!("{prefix}{kind}");
            if came_before || !maps(field, &key) {
                continue;
            }
            let values: Option<Vec<&str>> = attributes
                .iter()
                .filter(|attribute| attribute.name() == kind)
                .map(|attribute| attribute.text())
                .collect();
            self.add(
                field,
                &key,
                values.map(|values| values.join("/")).as_deref(),
            );
        }
    }

    /// Adds a tag, or notes that there can be none; a value that is no text is `None`.
    fn add(&mut self, field: CertificateField, name: &str, value: Option<&str>) {
        let key = format!("{}/{name}", field.as_str());
        let fits = |value: &&str| {
            value.chars().count() <= MAX_VALUE_LENGTH && value.chars().all(is_tag_character)
        };
        match value.filter(fits) {
            Some(value) if key.chars().count() <= MAX_KEY_LENGTH => {
                self.tags.insert(key, value.to_owned());
            }
            _ => match field {
                CertificateField::Issuer => self.unmapped_issuer.push(name.to_owned()),
                CertificateField::Subject => self.unmapped_subject.push(name.to_owned()),
                // The one that was recorded is a DNS name, told as `DNS/2`: 2 is its tag in
                // GeneralName (RFC 5280, 4.2.1.6), so a URI's is 6.
                CertificateField::SubjectAlternativeName => self.unmapped_san.push(match name {
                    "DNS" => "DNS/2".to_owned(),
                    "URI" => "URI/6".to_owned(),
                    _ => name.to_owned(),
                }),
            },
        }
    }
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`, of keys and values of tags (STS API, `Tag`).
pub(super) fn is_tag_character(character: char) -> bool {
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
mod tests {
    use super::*;

    /// General categories from Python's `unicodedata`: Ll, Lo, Nd, Nl, Zs, Zl are in; Mn, So, Sc, Cf
    /// and controls are out.
    #[test]
    fn tags_hold_what_sts_takes() {
        for c in "aZ0 _.:/=+-@\u{e9}\u{4e2d}\u{663}\u{2167}\u{a0}\u{2028}".chars() {
            assert!(is_tag_character(c), "{c:?}");
        }
        for c in ",()\"#*\\&;~'\n\0\u{7f}\u{301}\u{24b6}\u{20ac}\u{200b}\u{1f600}".chars() {
            assert!(!is_tag_character(c), "{c:?}");
        }
    }

    #[test]
    fn specifiers_cover_what_the_guide_says() {
        for (field, specifier, attribute, expected) in [
            (CertificateField::Subject, "*", "CN", true),
            (CertificateField::Subject, "CN", "CN", true),
            (CertificateField::Subject, "CN", "OU", false),
            (CertificateField::Subject, "cn", "CN", false),
            (CertificateField::Issuer, "*", "2.5.4.45", true),
            (CertificateField::SubjectAlternativeName, "DNS", "DNS", true),
            (
                CertificateField::SubjectAlternativeName,
                "URI",
                "DNS",
                false,
            ),
            (CertificateField::SubjectAlternativeName, "*", "DNS", false),
            (
                CertificateField::SubjectAlternativeName,
                "Name",
                "Name/CN",
                true,
            ),
            (
                CertificateField::SubjectAlternativeName,
                "Name/",
                "Name/CN",
                true,
            ),
            (
                CertificateField::SubjectAlternativeName,
                "Name/*",
                "Name/CN",
                true,
            ),
            (
                CertificateField::SubjectAlternativeName,
                "Name/*",
                "DNS",
                false,
            ),
            (
                CertificateField::SubjectAlternativeName,
                "Name/CN",
                "Name/CN",
                true,
            ),
            (
                CertificateField::SubjectAlternativeName,
                "Name/CN",
                "Name/OU",
                false,
            ),
        ] {
            assert_eq!(
                covers(field, specifier, attribute),
                expected,
                "{field:?} {specifier} {attribute}"
            );
        }
    }
}
