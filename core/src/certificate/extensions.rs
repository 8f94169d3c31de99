//! The extensions that the service looks at.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, net::IpAddr};

use der::{Reader, SliceReader, Tag, Tagged, asn1::AnyRef};

use super::{
    DistinguishedName,
    name::text,
    oid,
    parse::{Malformed, expect, explicit, implicit},
    refuse,
};
use crate::Result;

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
    let all = split(content).map_err(|error| error.of("list of extensions"))?;
    for (position, extension) in all.iter().enumerate() {
        let earlier = all.iter().take(position);
        if earlier.clone().any(|other| other.id == extension.id) {
            return Err(refuse(format!(
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
        let value = extension.value;
        match *extension.id {
            // The arc id-ce, 2.5.29.
            [0x55, 0x1d, number] => match number {
                14 => self.subject_key_identifier = octets(value),
                15 => {
                    self.key_usage = Some(key_usage(value).map_err(|error| error.of("key usage"))?);
                }
                17 => {
                    self.subject_alternative_names = subject_alternative_names(value)
                        .map_err(|error| error.of("subject alternative name"))?;
                }
                19 => {
                    self.basic_constraints = Some(
                        basic_constraints(value).map_err(|error| error.of("basic constraints"))?,
                    );
                }
                35 => self.authority_key_identifier = authority_key_identifier(value),
                37 => {
                    self.extended_key_usage = Some(
                        extended_key_usage(value)
                            .map_err(|error| error.of("extended key usage"))?,
                    );
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

fn split(content: &[u8]) -> core::result::Result<Vec<Extension<'_>>, Malformed> {
    let mut reader = SliceReader::new(content)?;
    let mut found = Vec::new();
    reader.sequence(|list| {
        while !list.is_finished() {
            found.push(list.sequence(|extension| {
                let id = expect(extension, Tag::ObjectIdentifier)?;
                let critical = boolean(extension)?;
                let value = expect(extension, Tag::OctetString)?;
                Ok::<_, der::Error>(Extension {
                    id,
                    critical,
                    value,
                })
            })?);
        }
        Ok::<_, der::Error>(())
    })?;
    reader.finish()?;
    Ok(found)
}

/// `BOOLEAN DEFAULT FALSE`. Anything but zero is true, as BER has it; so is written by old tools.
fn boolean(reader: &mut SliceReader<'_>) -> der::Result<bool> {
    if reader.is_finished() || Tag::peek(reader)? != Tag::Boolean {
        return Ok(false);
    }
    match expect(reader, Tag::Boolean)? {
        [value] => Ok(*value != 0),
        _ => Err(Tag::Boolean.length_error().into()),
    }
}

fn key_usage(value: &[u8]) -> core::result::Result<KeyUsage, Malformed> {
    let mut reader = SliceReader::new(value)?;
    let content = expect(&mut reader, Tag::BitString)?;
    reader.finish()?;
    match content.split_first() {
        Some((unused, bits)) if *unused < 8 && (*unused == 0 || !bits.is_empty()) => {
            Ok(KeyUsage::from_bits(bits))
        }
        _ => Err(Malformed),
    }
}

fn basic_constraints(value: &[u8]) -> core::result::Result<BasicConstraints, Malformed> {
    let mut reader = SliceReader::new(value)?;
    let constraints = reader.sequence(|sequence| {
        let ca = boolean(sequence)?;
        let path_length = if sequence.is_finished() {
            None
        } else {
            Some(expect(sequence, Tag::Integer)?)
        };
        Ok::<_, der::Error>((ca, path_length))
    })?;
    reader.finish()?;
    let (ca, path_length) = constraints;
    let path_length = path_length.map(non_negative).transpose()?;
    Ok(BasicConstraints { ca, path_length })
}

fn non_negative(integer: &[u8]) -> core::result::Result<u32, Malformed> {
    match integer.first() {
        Some(first) if first & 0x80 == 0 => {
            Ok(integer
                .iter()
                .fold(0u32, |value, byte| match value.checked_mul(256) {
                    Some(value) => value + u32::from(*byte),
                    None => u32::MAX,
                }))
        }
        _ => Err(Malformed),
    }
}

fn extended_key_usage(value: &[u8]) -> core::result::Result<ExtendedKeyUsage, Malformed> {
    let mut reader = SliceReader::new(value)?;
    let mut purposes = Vec::new();
    reader.sequence(|list| {
        while !list.is_finished() {
            let oid = expect(list, Tag::ObjectIdentifier)?;
            purposes.push(oid::dotted(oid).ok_or_else(|| Tag::ObjectIdentifier.value_error())?);
        }
        Ok::<_, der::Error>(())
    })?;
    reader.finish()?;
    Ok(ExtendedKeyUsage(purposes))
}

fn octets(value: &[u8]) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(value).ok()?;
    let content = expect(&mut reader, Tag::OctetString).ok()?;
    Some(content.to_vec())
}

fn authority_key_identifier(value: &[u8]) -> Option<Vec<u8>> {
    let content = {
        let mut reader = SliceReader::new(value).ok()?;
        expect(&mut reader, Tag::Sequence).ok()?
    };
    let mut reader = SliceReader::new(content).ok()?;
    Some(implicit(&mut reader, 0).ok()??.to_vec())
}

fn subject_alternative_names(value: &[u8]) -> core::result::Result<Vec<GeneralName>, Malformed> {
    let mut reader = SliceReader::new(value)?;
    let mut names = Vec::new();
    reader.sequence(|list| {
        while !list.is_finished() {
            let name: AnyRef<'_> = list.decode()?;
            let Tag::ContextSpecific { number, .. } = name.tag() else {
                return Err(name.tag().unexpected_error(None).into());
            };
            names.push(general_name(number.value(), name.value()));
        }
        Ok::<_, der::Error>(())
    })?;
    reader.finish()?;
    Ok(names)
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
    let mut reader = SliceReader::new(content).ok()?;
    let type_id = oid::dotted(expect(&mut reader, Tag::ObjectIdentifier).ok()?)?;
    let value = explicit(&mut reader, 0).ok()??.to_vec();
    reader.finish().ok()?;
    Some(GeneralName::OtherName { type_id, value })
}
