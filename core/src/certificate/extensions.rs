//! The extensions that the service looks at.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, net::IpAddr};

use super::{DistinguishedName, name::text, oid, parse::malformed, refuse};
use crate::{
    Result,
    elements::{
        BIT_STRING, BOOLEAN, EXPLICIT, Elements, IMPLICIT, INTEGER, OBJECT_IDENTIFIER,
        OCTET_STRING, SEQUENCE,
    },
};

/// What a key may be used for (RFC 5280, 4.2.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    /// Whether the key may sign what is neither a certificate nor a CRL. The service wants it of an
    /// end entity.
    pub fn digital_signature(self) -> bool {
        self.has(0)
    }

    /// Whether the key may sign certificates. The service wants it of every issuer.
    pub fn key_cert_sign(self) -> bool {
        self.has(5)
    }

    /// Whether the key may sign CRLs.
    pub fn crl_sign(self) -> bool {
        self.has(6)
    }

    /// The names of the usages in the order of RFC 5280: `digitalSignature`, `nonRepudiation`, …
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0u8..)
            .zip(Self::NAMES)
            .filter(move |(bit, _)| self.has(*bit))
            .map(|(_, name)| name)
    }

    fn has(self, bit: u8) -> bool {
        self.0 & (1 << bit) != 0
    }

    /// Bit 0 is the first bit of the BIT STRING; bits beyond the last name are dropped.
    fn from_bits(bits: &[u8]) -> Self {
        let bits = bits
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 != 0));
        Self(
            bits.take(Self::NAMES.len())
                .enumerate()
                .fold(0, |usage, (bit, set)| usage | u16::from(set) << bit),
        )
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Whether the subject is an issuer, and how long the path below it may be (RFC 5280, 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many certificates of intermediate issuers may stand between this one and the end entity,
    /// self-issued ones not counted; `None` when any number may. Held at `u32::MAX`.
    pub path_length: Option<u32>,
}

/// The purposes of a key (RFC 5280, 4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedKeyUsage(Vec<String>);

impl ExtendedKeyUsage {
    /// The dotted OIDs of the purposes in the order of the certificate.
    pub fn purposes(&self) -> &[String] {
        &self.0
    }

    /// Whether clientAuth or anyExtendedKeyUsage is among the purposes.
    pub fn allows_client_auth(&self) -> bool {
        const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
        const ANY: &str = "2.5.29.37.0";
        self.0.iter().any(|oid| oid == CLIENT_AUTH || oid == ANY)
    }
}

/// An alternative name of the subject (RFC 5280, 4.2.1.6). The service looks at the first of each of
/// `Dns`, `Uri` and `DirectoryName`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName {
    /// directoryName, `[4]`.
    DirectoryName(DistinguishedName),
    /// dNSName, `[2]`.
    Dns(String),
    /// rfc822Name, `[1]`.
    Email(String),
    /// iPAddress, `[7]`, of 4 or 16 bytes.
    Ip(IpAddr),
    /// x400Address, ediPartyName, a name that is malformed and whatever may come.
    Other {
        /// The number of the context-specific tag.
        tag: u32,
        /// The content as it stands in the certificate, without tag and length.
        content: Vec<u8>,
    },
    /// otherName, `[0]`: a user principal name (UPN) for instance.
    OtherName {
        /// The dotted OID that says what the value is.
        type_id: String,
        /// The value in DER.
        value: Vec<u8>,
    },
    /// registeredID, `[8]`, dotted.
    RegisteredId(String),
    /// uniformResourceIdentifier, `[6]`: a SPIFFE id for instance.
    Uri(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) subject_alternative_names: Vec<GeneralName>,
    pub(super) subject_key_identifier: Option<Vec<u8>>,
    pub(super) authority_key_identifier: Option<Vec<u8>>,
    pub(super) unknown_critical: Vec<String>,
}

/// Reads the content of `extensions [3]`.
pub(super) fn read(content: Option<&[u8]>) -> Result<Extensions> {
    let mut found = Extensions::default();
    let Some(content) = content else {
        return Ok(found);
    };
    let all = split(content).ok_or_else(|| malformed("list of extensions"))?;
    for (position, extension) in all.iter().enumerate() {
        let earlier = all.iter().take(position);
        if earlier.clone().any(|other| other.id == extension.id) {
            return Err(refuse(format_args!(
                "the certificate has the extension {} twice: ask its issuer for another",
                oid::dotted(extension.id).unwrap_or_default()
            )));
        }
        found.take(extension)?;
    }
    Ok(found)
}

impl Extensions {
    fn take(&mut self, extension: &Extension<'_>) -> Result<()> {
        self.read(extension).map_err(malformed)
    }

    /// Fails with the name of the extension.
    fn read(&mut self, extension: &Extension<'_>) -> core::result::Result<(), &'static str> {
        let value = extension.value;
        match *extension.id {
            // The arc id-ce, 2.5.29.
            [0x55, 0x1d, number] => match number {
                14 => self.subject_key_identifier = octets(value),
                15 => self.key_usage = Some(key_usage(value).ok_or("key usage")?),
                17 => {
                    self.subject_alternative_names =
                        subject_alternative_names(value).ok_or("subject alternative name")?
                }
                19 => {
                    self.basic_constraints =
                        Some(basic_constraints(value).ok_or("basic constraints")?)
                }
                35 => self.authority_key_identifier = authority_key_identifier(value),
                37 => {
                    self.extended_key_usage =
                        Some(extended_key_usage(value).ok_or("extended key usage")?)
                }
                // What else RFC 5280 (4.2.1) defines and a validator handles: issuer alternative
                // name, name constraints, CRL distribution points, policies, policy mappings,
                // policy constraints, inhibitAnyPolicy.
                18 | 30 | 31 | 32 | 33 | 36 | 54 => {}
                _ => self.note_unknown(extension),
            },
            _ => self.note_unknown(extension),
        }
        Ok(())
    }

    fn note_unknown(&mut self, extension: &Extension<'_>) {
        if extension.critical {
            let oid = oid::dotted(extension.id).unwrap_or_else(|| "an unreadable OID".to_string());
            self.unknown_critical.push(oid);
        }
    }
}

struct Extension<'a> {
    id: &'a [u8],
    critical: bool,
    value: &'a [u8],
}

fn split(content: &[u8]) -> Option<Vec<Extension<'_>>> {
    let mut list = Elements::within(content, SEQUENCE)?;
    let mut found = Vec::new();
    while !list.is_finished() {
        let mut extension = Elements::of(list.expect(SEQUENCE)?);
        found.push(Extension {
            id: extension.expect(OBJECT_IDENTIFIER)?,
            critical: boolean(&mut extension)?,
            value: extension.only(OCTET_STRING)?,
        });
    }
    Some(found)
}

/// `BOOLEAN DEFAULT FALSE`. Anything but zero is true, as BER has it; so is written by old tools.
fn boolean(elements: &mut Elements<'_>) -> Option<bool> {
    match elements.optional(BOOLEAN)? {
        None => Some(false),
        Some([value]) => Some(*value != 0),
        Some(_) => None,
    }
}

fn key_usage(value: &[u8]) -> Option<KeyUsage> {
    match Elements::of(value).only(BIT_STRING)?.split_first() {
        Some((unused, bits)) if *unused < 8 && (*unused == 0 || !bits.is_empty()) => {
            Some(KeyUsage::from_bits(bits))
        }
        _ => None,
    }
}

fn basic_constraints(value: &[u8]) -> Option<BasicConstraints> {
    let mut constraints = Elements::within(value, SEQUENCE)?;
    let ca = boolean(&mut constraints)?;
    let path_length = if constraints.is_finished() {
        None
    } else {
        Some(non_negative(constraints.only(INTEGER)?)?)
    };
    Some(BasicConstraints { ca, path_length })
}

fn non_negative(integer: &[u8]) -> Option<u32> {
    if integer.first()? & 0x80 != 0 {
        return None;
    }
    let value = integer.iter().try_fold(0u32, |value, byte| {
        Some(value.checked_mul(256)? + u32::from(*byte))
    });
    Some(value.unwrap_or(u32::MAX))
}

fn extended_key_usage(value: &[u8]) -> Option<ExtendedKeyUsage> {
    let mut list = Elements::within(value, SEQUENCE)?;
    let mut purposes = Vec::new();
    while !list.is_finished() {
        purposes.push(oid::dotted(list.expect(OBJECT_IDENTIFIER)?)?);
    }
    Some(ExtendedKeyUsage(purposes))
}

fn octets(value: &[u8]) -> Option<Vec<u8>> {
    Some(Elements::of(value).expect(OCTET_STRING)?.to_vec())
}

fn authority_key_identifier(value: &[u8]) -> Option<Vec<u8>> {
    let content = Elements::of(value).expect(SEQUENCE)?;
    Some(Elements::of(content).optional(IMPLICIT)??.to_vec())
}

fn subject_alternative_names(value: &[u8]) -> Option<Vec<GeneralName>> {
    let mut list = Elements::within(value, SEQUENCE)?;
    let mut names = Vec::new();
    while !list.is_finished() {
        let name = list.element()?;
        // Context-specific, primitive or constructed, of a number that fits into the first byte.
        (name.tag & 0xc0 == IMPLICIT).then_some(())?;
        names.push(general_name(u32::from(name.tag & 0x1f), name.content));
    }
    Some(names)
}

/// A name that does not have the form of its tag is kept as it is: the service passes it over.
fn general_name(tag: u32, content: &[u8]) -> GeneralName {
    let known = match tag {
        0 => other_name(content),
        1 => ia5(content).map(GeneralName::Email),
        2 => ia5(content).map(GeneralName::Dns),
        4 => DistinguishedName::from_der(content)
            .ok()
            .map(GeneralName::DirectoryName),
        6 => ia5(content).map(GeneralName::Uri),
        7 => ip(content).map(GeneralName::Ip),
        8 => oid::dotted(content).map(GeneralName::RegisteredId),
        _ => None,
    };
    known.unwrap_or_else(|| GeneralName::Other {
        tag,
        content: content.to_vec(),
    })
}

/// IA5String is ASCII; UTF-8 is seen in its place, and Latin-1.
fn ia5(content: &[u8]) -> Option<String> {
    const UTF8_STRING: u8 = 0x0c;
    const IA5_STRING: u8 = 0x16;
    text(UTF8_STRING, content).or_else(|| text(IA5_STRING, content))
}

fn ip(content: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(content)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(content).map(IpAddr::from))
        .ok()
}

fn other_name(content: &[u8]) -> Option<GeneralName> {
    let mut name = Elements::of(content);
    let type_id = oid::dotted(name.expect(OBJECT_IDENTIFIER)?)?;
    let value = name.only(EXPLICIT)?.to_vec();
    Some(GeneralName::OtherName { type_id, value })
}
