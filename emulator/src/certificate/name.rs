//! Distinguished names: their attributes, and the form in which the service writes them.

use std::{borrow::Cow, fmt};

use x509_parser::{
    der_parser::asn1_rs::Tag,
    x509::{AttributeTypeAndValue, X509Name},
};

/// A name: its attributes in the order of the certificate.
///
/// It is shown as Java's `X500Principal` shows it, which is how the service writes names: RDNs in
/// reverse order, separated by commas without spaces, with the keywords of RFC 2253.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    attributes: Vec<Attribute>,
}

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Which RDN it belongs to.
    rdn: usize,
    oid: Cow<'static, str>,
    name: Option<&'static str>,
    is_rfc2253_keyword: bool,
    text: Option<String>,
    /// The value with tag and length, for values that RFC 2253 shows as such.
    value: Value,
}

/// Tag, form and content of an attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    tag: Tag,
    constructed: bool,
    content: Vec<u8>,
}

impl Name {
    /// Reads the attributes of a name that x509-parser has parsed.
    pub(crate) fn new(name: &X509Name<'_>) -> Self {
        let mut attributes = Vec::new();
        for (rdn, attributes_of_rdn) in name.iter_rdn().enumerate() {
            attributes.extend(attributes_of_rdn.iter().map(|a| Attribute::new(rdn, a)));
        }
        Self { attributes }
    }

    /// Whether two names are one by RFC 5280, 7.1: the same RDNs in the same order, each the same set of
    /// attributes, whatever the type of their strings, without regard to case and to white space at the
    /// ends, runs of white space counting as one.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let (mut own, mut others) = (self.rdns(), other.rdns());
        loop {
            match (own.next(), others.next()) {
                (None, None) => return true,
                (Some(rdn), Some(other)) if Self::is_same_set(rdn, other) => {}
                _ => return false,
            }
        }
    }

    /// Whether two RDNs have the same attributes, in any order.
    pub(crate) fn is_same_set(one: &[Attribute], other: &[Attribute]) -> bool {
        let count = |of: &[Attribute], wanted: &Attribute| {
            of.iter()
                .filter(|attribute| attribute.matches(wanted))
                .count()
        };
        one.len() == other.len()
            && one
                .iter()
                .all(|attribute| count(one, attribute) == count(other, attribute))
    }

    /// The relative distinguished names in the order of the certificate.
    pub(crate) fn rdns(&self) -> impl DoubleEndedIterator<Item = &[Attribute]> {
        self.attributes.chunk_by(|a, b| a.rdn == b.rdn)
    }

    /// The texts of the attributes of a type, which its dotted OID names.
    pub(crate) fn values(&self, oid: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.oid == oid)
            .filter_map(Attribute::text)
    }

    /// The attributes in the order of the certificate, whatever their RDN.
    pub(crate) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rdn) in self.rdns().rev().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            for (at, attribute) in rdn.iter().enumerate() {
                if at > 0 {
                    f.write_str("+")?;
                }
                attribute.write_rfc2253(f)?;
            }
        }
        Ok(())
    }
}

impl Attribute {
    fn new(rdn: usize, attribute: &AttributeTypeAndValue<'_>) -> Self {
        let oid = attribute.attr_type().to_id_string();
        let kind = ATTRIBUTE_TYPES.iter().find(|(known, ..)| *known == oid);
        let value = attribute.attr_value();
        Self {
            rdn,
            oid: kind.map_or(Cow::Owned(oid), |(oid, ..)| Cow::Borrowed(*oid)),
            name: kind.map(|(_, name, _)| *name),
            is_rfc2253_keyword: kind.is_some_and(|(.., keyword)| *keyword),
            text: text(attribute),
            value: Value {
                tag: value.tag(),
                constructed: value.header.is_constructed(),
                content: value.data.to_vec(),
            },
        }
    }

    /// The short name that stands in keys of tags (`CN`), or the dotted OID.
    pub(crate) fn name(&self) -> &str {
        self.name.unwrap_or(&self.oid)
    }

    /// The value, if its type holds text and the content fits the type.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    fn matches(&self, other: &Self) -> bool {
        let same_value = match (&self.text, &other.text) {
            (Some(own), Some(others)) => folded(own).eq(folded(others)),
            _ => self.value == other.value,
        };
        self.oid == other.oid && same_value
    }

    fn write_rfc2253(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_rfc2253_keyword {
            return write!(f, "{}=#{}", self.oid, self.value);
        }
        write!(f, "{}=", self.name())?;
        match (&self.text, self.value.tag) {
            // Java shows the other string types as DER.
            (
                Some(text),
                Tag::BmpString
                | Tag::GeneralString
                | Tag::Ia5String
                | Tag::PrintableString
                | Tag::T61String
                | Tag::Utf8String,
            ) => write_escaped(text, f),
            _ => write!(f, "#{}", self.value),
        }
    }
}

impl fmt::Display for Value {
    /// The DER in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.constructed { 0x20 } else { 0 };
        write!(f, "{:02x}", self.tag.0 | form)?;
        let length = self.content.len();
        if length < 0x80 {
            write!(f, "{length:02x}")?;
        } else {
            let bytes = length.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            write!(f, "{:02x}", 0x80 | (bytes.len() - zeros))?;
            for byte in bytes.iter().skip(zeros) {
                write!(f, "{byte:02x}")?;
            }
        }
        self.content
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// In lower case, with one space for each run of white space and none at the ends.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let words = text.split_whitespace().enumerate();
    words
        .flat_map(|(at, word)| (at > 0).then_some(' ').into_iter().chain(word.chars()))
        .flat_map(char::to_lowercase)
}

/// Java escapes these wherever they stand, and white space at the ends.
fn write_escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_space = |c: char| c == ' ' || c == '\r';
    let inner = text.trim_start_matches(is_space);
    let begin = text.len() - inner.len();
    let end = begin + inner.trim_end_matches(is_space).len();
    for (at, c) in text.char_indices() {
        match c {
            '\0' => f.write_str("\\00")?,
            _ if at < begin || at >= end || ",=+<>#;\"\\".contains(c) => write!(f, "\\{c}")?,
            _ => write!(f, "{c}")?,
        }
    }
    Ok(())
}

/// The text of an attribute's value, by its string type; `None` for a type that holds no text.
fn text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let value = attribute.attr_value();
    let bytes = value.data;
    match value.tag() {
        Tag::BmpString => {
            let units: Vec<u16> = bytes
                .chunks(2)
                .map(|pair| <[u8; 2]>::try_from(pair).map(u16::from_be_bytes))
                .collect::<Result<_, _>>()
                .ok()?;
            String::from_utf16(&units).ok()
        }
        Tag::UniversalString => bytes
            .chunks(4)
            .map(|four| {
                let value = u32::from_be_bytes(<[u8; 4]>::try_from(four).ok()?);
                char::from_u32(value)
            })
            .collect(),
        Tag::Utf8String => String::from_utf8(bytes.to_vec()).ok(),
        // ASCII or T.61 is what the standard says; Latin-1 is what software writes.
        Tag::GeneralString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::PrintableString
        | Tag::T61String
        | Tag::VisibleString => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        _ => None,
    }
}

/// OID, short name, and whether RFC 2253 (2.3) has it as a keyword.
///
/// The user guide names C, O, OU, ST, L and CN. That the others are mapped too is known, under which
/// names is not: these are RFC 4519's, X.520's and OpenSSL's.
const ATTRIBUTE_TYPES: [(&str, &str, bool); 19] = [
    ("0.9.2342.19200300.100.1.1", "UID", true),
    ("0.9.2342.19200300.100.1.25", "DC", true),
    ("1.2.840.113549.1.9.1", "E", false),
    ("2.5.4.10", "O", true),
    ("2.5.4.11", "OU", true),
    ("2.5.4.12", "T", false),
    ("2.5.4.3", "CN", true),
    ("2.5.4.4", "SN", false),
    ("2.5.4.42", "GN", false),
    ("2.5.4.43", "initials", false),
    ("2.5.4.44", "generationQualifier", false),
    ("2.5.4.46", "dnQualifier", false),
    ("2.5.4.5", "serialNumber", false),
    ("2.5.4.6", "C", true),
    ("2.5.4.65", "pseudonym", false),
    ("2.5.4.7", "L", true),
    ("2.5.4.8", "ST", true),
    ("2.5.4.9", "STREET", true),
    ("2.5.4.97", "organizationIdentifier", false),
];

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer;

    use super::*;

    /// A name of attributes in RDNs of their own: OID's content, tag of the string, value.
    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Name {
        fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
            let mut der = vec![tag, u8::try_from(content.len()).unwrap()];
            der.extend(content);
            der
        }
        let rdns = attributes.iter().flat_map(|(oid, tag, value)| {
            let attribute = [tlv(6, oid), tlv(*tag, value)].concat();
            tlv(0x31, &tlv(0x30, &attribute))
        });
        let der = tlv(0x30, &rdns.collect::<Vec<u8>>());
        Name::new(&X509Name::from_der(&der).unwrap().1)
    }

    const CN: &[u8] = &[0x55, 4, 3];
    const OU: &[u8] = &[0x55, 4, 11];
    /// 2.5.4.45, x500UniqueIdentifier.
    const UNIQUE: &[u8] = &[0x55, 4, 45];
    const PRINTABLE: u8 = 0x13;
    const UTF8: u8 = 0x0c;

    #[test]
    fn names_match_as_rfc_5280_has_it() {
        let of = |text: &str| name(&[(CN, UTF8, text.as_bytes())]);
        let printable = name(&[(CN, PRINTABLE, b"Good CA")]);
        for (same, other) in [
            (true, of("Good CA")),
            (true, of(" good  ca ")),
            (false, of("GoodCA")),
            (false, of("Good CA 2")),
            (false, name(&[(OU, PRINTABLE, b"Good CA")])),
            (false, name(&[(CN, UTF8, b"Good CA"), (OU, UTF8, b"x")])),
        ] {
            assert_eq!(printable.matches(&other), same, "{other}");
        }
    }

    #[test]
    fn names_are_written_as_java_writes_them() {
        // `new X500Principal(der).getName(X500Principal.RFC2253)`, OpenJDK 17.
        for (name, text) in [
            (name(&[(OU, UTF8, b"a"), (CN, UTF8, b"b")]), "CN=b,OU=a"),
            (
                name(&[(CN, UTF8, b"x, y+z=\"#\\<>;")]),
                "CN=x\\, y\\+z\\=\\\"\\#\\\\\\<\\>\\;",
            ),
            (name(&[(CN, UTF8, b" a ")]), "CN=\\ a\\ "),
            (name(&[(UNIQUE, PRINTABLE, b"1")]), "2.5.4.45=#130131"),
        ] {
            assert_eq!(name.to_string(), text);
        }
    }
}
