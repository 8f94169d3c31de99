//! Principal tags.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::is_taggable;
use crate::{
    Certificate, Error, ErrorKind, Result,
    certificate::{DistinguishedName, GeneralName},
};

/// The longest value of a tag, in characters (STS). What the service does with a longer one is not
/// known; it is told here as not mapped.
pub const MAX_TAG_VALUE_LENGTH: usize = 256;

/// The longest specifier of a mapping rule, in characters (the service's model).
pub const MAX_SPECIFIER_LENGTH: usize = 60;

/// The principal tags that the service sets for a certificate under a mapping, in the order of the
/// certificate: subject, issuer, subject alternative name.
///
/// * `x509Subject/NAME` and `x509Issuer/NAME`, one for each kind of attribute. Values of attributes
///   that repeat are joined with `/`, in the order of the certificate.
/// * `x509SAN/DNS` and `x509SAN/URI`: the first of the names of that kind.
/// * `x509SAN/Name/NAME`: the attributes of the first directory name.
///
/// The names C, CN, L, O, OU and ST are documented; that the others are RFC 4519's is a guess
/// ([`Attribute::is_documented`](crate::certificate::Attribute::is_documented)). A value with
/// characters other than letters, digits, separators and `_.:/=+-@`, or longer than
/// [`MAX_TAG_VALUE_LENGTH`], gives no tag: a condition on it behaves as with a certificate that does
/// not have the attribute, so that `StringEquals` is false and `StringNotEquals` is **true**.
pub fn principal_tags(certificate: &Certificate, mapping: &AttributeMapping) -> PrincipalTags {
    let mut tags = PrincipalTags::default();
    let (subject, issuer) = (CertificateField::X509Subject, CertificateField::X509Issuer);
    tags.add_name(subject, "", certificate.subject(), mapping);
    tags.add_name(issuer, "", certificate.issuer(), mapping);

    let san = CertificateField::X509San;
    let names = certificate.subject_alternative_names();
    let dns = names.iter().find_map(|name| match name {
        GeneralName::Dns(name) => Some(name),
        _ => None,
    });
    let uri = names.iter().find_map(|name| match name {
        GeneralName::Uri(name) => Some(name),
        _ => None,
    });
    let directory = names.iter().find_map(|name| match name {
        GeneralName::DirectoryName(name) => Some(name),
        _ => None,
    });
    for (name, value) in [("DNS", dns), ("URI", uri)] {
        if let Some(value) = value.filter(|_| mapping.maps(san, name)) {
            tags.add(san, name.to_string(), Some(value));
        }
    }
    if let Some(directory) = directory {
        tags.add_name(san, "Name/", directory, mapping);
    }
    tags
}

/// The outcome of [`principal_tags`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalTags {
    tags: Vec<(String, String)>,
    unmapped: Vec<UnmappedAttribute>,
}

impl PrincipalTags {
    /// Key and value of each tag. Trust policies name them `aws:PrincipalTag/KEY`.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }

    /// The value of the tag with that key (`x509Subject/CN`).
    pub fn value(&self, key: &str) -> Option<&str> {
        self.tags
            .iter()
            .find(|(tag, _)| tag == key)
            .map(|(_, value)| value.as_str())
    }

    /// What the mapping asks for and STS does not take as a tag.
    pub fn unmapped(&self) -> &[UnmappedAttribute] {
        &self.unmapped
    }

    fn add_name(
        &mut self,
        field: CertificateField,
        prefix: &str,
        name: &DistinguishedName,
        mapping: &AttributeMapping,
    ) {
        let attributes = name.attributes();
        for (position, attribute) in attributes.iter().enumerate() {
            let kind = attribute.name();
            let key = format!("{prefix}{kind}");
            let repeats = attributes.iter().take(position).any(|a| a.name() == kind);
            if repeats || !mapping.maps(field, &key) {
                continue;
            }
            let values: Option<Vec<_>> = attributes
                .iter()
                .filter(|attribute| attribute.name() == kind)
                .map(|attribute| attribute.text())
                .collect();
            self.add(field, key, values.map(|values| values.join("/")).as_deref());
        }
    }

    /// Adds a tag, or notes that its value (`None`: no text) cannot be one.
    fn add(&mut self, field: CertificateField, name: String, value: Option<&str>) {
        let fits = |value: &&str| {
            value.chars().count() <= MAX_TAG_VALUE_LENGTH && value.chars().all(is_taggable)
        };
        match value.filter(fits) {
            Some(value) => self
                .tags
                .push((format!("{field}/{name}"), value.to_string())),
            None => self.unmapped.push(UnmappedAttribute { field, name }),
        }
    }
}

/// An attribute that gives no tag, since STS does not take its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnmappedAttribute {
    /// Where it stands.
    pub field: CertificateField,
    /// The rest of the key that the tag would have: `CN`, `DNS`, `Name/O`.
    pub name: String,
}

impl fmt::Display for UnmappedAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.field, self.name)
    }
}

/// A part of the certificate that attributes are mapped from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateField {
    /// The issuer's name.
    X509Issuer,
    /// The subject alternative name.
    X509San,
    /// The subject's name.
    X509Subject,
}

impl CertificateField {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::X509Issuer, Self::X509San, Self::X509Subject];

    /// The name in the service's model and in the keys of tags: `x509Subject`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509Issuer => "x509Issuer",
            Self::X509San => "x509SAN",
            Self::X509Subject => "x509Subject",
        }
    }
}

impl fmt::Display for CertificateField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The attribute mapping of a profile: which attributes become tags.
///
/// The default is that of a new profile: every attribute of subject and issuer, and of the subject
/// alternative name the first DNS name, the first URI and the attributes of the first directory name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeMapping {
    rules: Vec<(CertificateField, Rule)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// Every attribute whose name begins so: `*` and `Name/*`.
    All(&'static str),
    /// The attribute of that name.
    One(String),
}

impl AttributeMapping {
    /// The mapping that maps nothing.
    pub fn empty() -> Self {
        Self { rules: Vec::new() }
    }

    /// The same mapping with these specifiers for `field` in the place of those that it has; none of
    /// them maps nothing of the field.
    ///
    /// For subject and issuer a specifier is `*` (every attribute), a short name (`CN`) or a dotted
    /// OID. For the subject alternative name it is `DNS`, `URI`, `Name/*` (`Name` and `Name/` mean
    /// the same) or `Name/` and a short name or OID. Names are compared as they are written.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when a specifier is none, or longer than
    /// [`MAX_SPECIFIER_LENGTH`].
    pub fn with_rules(mut self, field: CertificateField, specifiers: &[&str]) -> Result<Self> {
        let rules = specifiers
            .iter()
            .map(|specifier| Rule::new(field, specifier))
            .collect::<Result<Vec<_>>>()?;
        self.rules.retain(|(other, _)| *other != field);
        self.rules
            .extend(rules.into_iter().map(|rule| (field, rule)));
        Ok(self)
    }

    /// Whether the attribute of that name is mapped; `Name/CN` and the like within the subject
    /// alternative name.
    fn maps(&self, field: CertificateField, name: &str) -> bool {
        self.rules
            .iter()
            .filter(|(other, _)| *other == field)
            .any(|(_, rule)| match rule {
                Rule::All(prefix) => name.starts_with(prefix),
                Rule::One(one) => one == name,
            })
    }
}

impl Default for AttributeMapping {
    fn default() -> Self {
        use CertificateField::{X509Issuer, X509San, X509Subject};
        Self {
            rules: Vec::from([
                (X509Issuer, Rule::All("")),
                (X509San, Rule::One("DNS".to_string())),
                (X509San, Rule::One("URI".to_string())),
                (X509San, Rule::All("Name/")),
                (X509Subject, Rule::All("")),
            ]),
        }
    }
}

impl Rule {
    fn new(field: CertificateField, specifier: &str) -> Result<Self> {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
        };
        let fits = specifier.len() <= MAX_SPECIFIER_LENGTH;
        match (field, specifier) {
            (CertificateField::X509San, "Name" | "Name/" | "Name/*") => Ok(Self::All("Name/")),
            (CertificateField::X509San, "DNS" | "URI") => Ok(Self::One(specifier.to_string())),
            (CertificateField::X509San, _) => specifier
                .strip_prefix("Name/")
                .filter(|name| fits && is_name(name))
                .map(|_| Self::One(specifier.to_string()))
                .ok_or_else(|| refuse(field, specifier, "`DNS`, `URI`, `Name/*` or `Name/CN`")),
            (_, "*") => Ok(Self::All("")),
            (_, name) if fits && is_name(name) => Ok(Self::One(name.to_string())),
            _ => Err(refuse(
                field,
                specifier,
                "`*`, a name such as `CN`, or an OID",
            )),
        }
    }
}

fn refuse(field: CertificateField, specifier: &str, forms: &str) -> Error {
    let shown: String = specifier.chars().take(MAX_SPECIFIER_LENGTH).collect();
    Error::written(
        ErrorKind::InvalidInput,
        format_args!("`{shown}` is not a specifier of {field}: use {forms}"),
    )
}
