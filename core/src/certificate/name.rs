//! Distinguished names.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt::{self, Write};

use const_oid::ObjectIdentifier;

use super::oid;
use crate::{
    Result,
    elements::{Elements, OBJECT_IDENTIFIER, SEQUENCE, SET},
    encoding,
};

/// The name of a subject or an issuer: relative distinguished names in the order of the certificate,
/// each of one or more attributes.
///
/// It is shown as Java's `X500Principal` shows it, which is how the service writes names: in the
/// reverse order of the certificate, separated by commas without spaces, with RFC 2253's keywords
/// and dotted OIDs for the rest.
///
/// Names are equal when their DER is; [`matches`](Self::matches) compares them as RFC 5280 does.
#[derive(Clone, PartialEq, Eq)]
pub struct DistinguishedName {
    der: Vec<u8>,
    attributes: Vec<Attribute>,
}

impl DistinguishedName {
    /// The name as it stands in the certificate: DER of an `RDNSequence`.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the name has no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Every attribute in the order of the certificate, whatever its RDN.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The relative distinguished names in the order of the certificate, each with its attributes in
    /// the order of the certificate.
    pub fn rdns(&self) -> impl DoubleEndedIterator<Item = &[Attribute]> {
        self.attributes.chunk_by(|a, b| a.rdn == b.rdn)
    }

    /// The values of the attributes with that [short name](Attribute::name) or dotted OID, in the
    /// order of the certificate; those that are no text are left out.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.name() == name || attribute.oid() == name)
            .filter_map(Attribute::text)
    }

    /// The common name: the first in the order of the certificate where there are several.
    pub fn common_name(&self) -> Option<&str> {
        self.values("CN").next()
    }

    /// Whether two names are the same name as RFC 5280 (7.1) compares them: the same relative
    /// distinguished names in the same order, each the same set of attributes, whatever the type of their strings, without regard to the case of ASCII letters
    /// (as in OpenSSL) and to white space at the ends, runs of white space counting as one.
    pub fn matches(&self, other: &Self) -> bool {
        self.der == other.der
            || self.attributes.len() == other.attributes.len()
                && self.canonical() == other.canonical()
    }

    /// A text that is the same for names that [match](Self::matches), and for no others.
    pub(super) fn canonical(&self) -> String {
        let mut text = String::with_capacity(self.der.len());
        for rdn in self.rdns() {
            if let [only] = rdn {
                only.push_canonical(&mut text);
                continue;
            }
            // A set has no order.
            let mut attributes: Vec<String> = rdn
                .iter()
                .map(|attribute| {
                    let mut text = String::new();
                    attribute.push_canonical(&mut text);
                    text
                })
                .collect();
            attributes.sort_unstable();
            text.extend(attributes);
        }
        text
    }

    /// Reads an `RDNSequence`; sets need not be sorted.
    pub(super) fn from_der(der: &[u8]) -> Result<Self> {
        Ok(Self {
            der: der.to_vec(),
            attributes: attributes(der).ok_or_else(|| {
                super::refuse("a name is malformed: ask the certificate's issuer for another")
            })?,
        })
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, rdn) in self.rdns().rev().enumerate() {
            if position > 0 {
                f.write_char(',')?;
            }
            for (position, attribute) in rdn.iter().enumerate() {
                if position > 0 {
                    f.write_char('+')?;
                }
                attribute.fmt_rfc2253(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// One attribute of a name: what it is, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    rdn: usize,
    kind: Option<&'static AttributeType>,
    oid: Cow<'static, str>,
    der: Vec<u8>,
    text: Option<String>,
}

impl Attribute {
    /// The dotted OID: `2.5.4.3`.
    pub fn oid(&self) -> &str {
        &self.oid
    }

    /// The short name: `CN`, `OU`, `serialNumber`, …; the dotted OID where there is none. It is what
    /// names the principal tag.
    pub fn name(&self) -> &str {
        self.kind.map_or(&*self.oid, |kind| kind.name)
    }

    /// Whether the service's user guide names this attribute (C, CN, L, O, OU, ST). That it maps the
    /// others to tags is known, under which names is not.
    pub fn is_documented(&self) -> bool {
        self.kind.is_some_and(|kind| kind.documented)
    }

    /// The value as text; `None` when it is no string (a BIT STRING for instance) or not decodable.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The value as it stands in the certificate, tag and length included.
    pub fn value_der(&self) -> &[u8] {
        &self.der
    }

    /// Appends a text that is the same for attributes that match, and for no others.
    fn push_canonical(&self, text: &mut String) {
        // Writing into a `String` does not fail. The NUL ends a value: within one it is escaped.
        let _ = write!(text, "{}\0{}", self.rdn, self.oid);
        match self.text() {
            Some(value) => {
                text.push('=');
                push_folded(text, value);
            }
            None => {
                text.push('#');
                text.push_str(&encoding::hex(&self.der));
            }
        }
        text.push('\0');
    }

    /// As Java's `X500Principal.getName(RFC2253)`: what has no keyword there is shown as DER, and so
    /// are NumericString, VisibleString and UniversalString.
    fn fmt_rfc2253(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = self.kind.filter(|kind| kind.rfc2253);
        f.write_str(keyword.map_or(&*self.oid, |keyword| keyword.name))?;
        f.write_char('=')?;
        let as_text = match self.der.first() {
            Some(0x0c | 0x13 | 0x14 | 0x16 | 0x1b | 0x1e) if keyword.is_some() => self.text(),
            _ => None,
        };
        match as_text {
            Some(text) => fmt_escaped(text, f),
            None => write!(f, "#{}", encoding::hex(&self.der)),
        }
    }
}

/// Appends a value with the capital letters of ASCII in lower case, runs of white space as one space
/// and none at the ends, NUL as `\0` and the backslash doubled. Other capitals stay, as OpenSSL
/// compares them: the table of Unicode's would be a twentieth of a wasm module.
fn push_folded(text: &mut String, value: &str) {
    for (position, word) in value.split_whitespace().enumerate() {
        if position > 0 {
            text.push(' ');
        }
        for c in word.chars() {
            match c {
                '\0' => text.push_str("\\0"),
                '\\' => text.push_str("\\\\"),
                _ => text.push(c.to_ascii_lowercase()),
            }
        }
    }
}

/// Java escapes `=` and `#` everywhere; RFC 2253 asks for `#` in the first place only.
fn fmt_escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_space = |c: char| matches!(c, ' ' | '\r');
    let lead = text.len() - text.trim_start_matches(is_space).len();
    let trail = text.trim_end_matches(is_space).len();
    for (at, c) in text.char_indices() {
        if at < lead || at >= trail || ",=+<>#;\"\\".contains(c) {
            f.write_char('\\')?;
        }
        match c {
            '\0' => f.write_str("\\00")?,
            _ => f.write_char(c)?,
        }
    }
    Ok(())
}

fn attributes(name: &[u8]) -> Option<Vec<Attribute>> {
    let mut found = Vec::new();
    let mut sequence = Elements::within(name, SEQUENCE)?;
    let mut rdn = 0;
    while !sequence.is_finished() {
        let mut set = Elements::of(sequence.expect(SET)?);
        // An empty set names nothing: it is passed by, as Java and OpenSSL do.
        let is_empty = set.is_finished();
        while !set.is_finished() {
            found.push(read_attribute(rdn, set.expect(SEQUENCE)?)?);
        }
        rdn += usize::from(!is_empty);
    }
    Some(found)
}

fn read_attribute(rdn: usize, attribute: &[u8]) -> Option<Attribute> {
    let mut attribute = Elements::of(attribute);
    let oid = attribute.expect(OBJECT_IDENTIFIER)?;
    let value = attribute.element()?;
    attribute.finish()?;
    let kind = ATTRIBUTE_TYPES
        .iter()
        .find(|kind| kind.id.as_bytes() == oid);
    Some(Attribute {
        rdn,
        kind,
        oid: match kind {
            Some(kind) => Cow::Borrowed(kind.oid),
            None => Cow::Owned(oid::dotted(oid)?),
        },
        der: value.der.to_vec(),
        text: text(value.tag, value.content),
    })
}

/// The text in a string type of ASN.1, given its tag; `None` when the tag is no string's or the
/// content does not fit it.
pub(super) fn text(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        // UTF8String.
        0x0c => core::str::from_utf8(content).ok().map(String::from),
        // NumericString, PrintableString, TeletexString, IA5String, VisibleString, GeneralString:
        // ASCII, or Latin-1 from those who do not keep to it. T.61 proper has not been seen.
        0x12 | 0x13 | 0x14 | 0x16 | 0x1a | 0x1b => {
            Some(content.iter().copied().map(char::from).collect())
        }
        // UniversalString: UCS-4, big endian.
        0x1c => {
            let (quads, rest) = content.as_chunks();
            rest.is_empty().then_some(())?;
            quads
                .iter()
                .map(|quad| char::from_u32(u32::from_be_bytes(*quad)))
                .collect()
        }
        // BMPString: UCS-2, big endian; pairs of surrogates are seen and taken as UTF-16.
        0x1e => {
            let (pairs, rest) = content.as_chunks();
            rest.is_empty().then_some(())?;
            char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
                .collect::<core::result::Result<_, _>>()
                .ok()
        }
        _ => None,
    }
}

/// An attribute type with a short name.
#[derive(Debug, PartialEq, Eq)]
struct AttributeType {
    oid: &'static str,
    id: ObjectIdentifier,
    name: &'static str,
    /// The service's user guide names it.
    documented: bool,
    /// It has a keyword in RFC 2253 (section 2.3) and in Java.
    rfc2253: bool,
}

const fn attribute(
    oid: &'static str,
    name: &'static str,
    documented: bool,
    rfc2253: bool,
) -> AttributeType {
    AttributeType {
        oid,
        // Constant: a wrong OID does not compile.
        id: ObjectIdentifier::new_unwrap(oid),
        name,
        documented,
        rfc2253,
    }
}

/// The names are those of RFC 4519 and of OpenSSL where the user guide is silent.
static ATTRIBUTE_TYPES: [AttributeType; 19] = [
    attribute("2.5.4.3", "CN", true, true),
    attribute("2.5.4.11", "OU", true, true),
    attribute("2.5.4.10", "O", true, true),
    attribute("2.5.4.6", "C", true, true),
    attribute("2.5.4.8", "ST", true, true),
    attribute("2.5.4.7", "L", true, true),
    attribute("0.9.2342.19200300.100.1.25", "DC", false, true),
    attribute("0.9.2342.19200300.100.1.1", "UID", false, true),
    attribute("2.5.4.9", "STREET", false, true),
    attribute("1.2.840.113549.1.9.1", "E", false, false),
    attribute("2.5.4.4", "SN", false, false),
    attribute("2.5.4.5", "serialNumber", false, false),
    attribute("2.5.4.12", "T", false, false),
    attribute("2.5.4.42", "GN", false, false),
    attribute("2.5.4.43", "initials", false, false),
    attribute("2.5.4.44", "generationQualifier", false, false),
    attribute("2.5.4.46", "dnQualifier", false, false),
    attribute("2.5.4.65", "pseudonym", false, false),
    attribute("2.5.4.97", "organizationIdentifier", false, false),
];

#[cfg(test)]
mod tests;
