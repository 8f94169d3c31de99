//! The structures of PKCS#12 (RFC 7292, 4), in DER.

use alloc::{borrow::Cow, vec::Vec};

use const_oid::ObjectIdentifier;

use super::{Mac, UNREADABLE};
use crate::{
    Error, ErrorKind, Result,
    elements::{EXPLICIT, Element, Elements, IMPLICIT, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE},
    key::{malformed, pbe::Scheme},
};

/// `PFX`: the outermost structure.
#[derive(Debug)]
pub(super) struct Pfx<'a> {
    /// What the MAC is over: the `AuthenticatedSafe`, in BER.
    pub(super) content: &'a [u8],
    pub(super) mac: Option<Mac<'a>>,
}

impl<'a> Pfx<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self> {
        let fields = || {
            let mut fields = Elements::within(der, SEQUENCE)?;
            let version = fields.number()?;
            let content_info = ContentInfo::read(&mut fields)?;
            let mac = if fields.is_finished() {
                None
            } else {
                Some(fields.element()?)
            };
            fields.finish()?;
            Some((version, content_info, mac))
        };
        let (version, content_info, mac) = fields().ok_or_else(|| malformed(UNREADABLE))?;
        if version != 3 {
            return Err(malformed("the PKCS#12 file is not of version 3"));
        }
        if content_info.oid == SIGNED_DATA.as_bytes() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the PKCS#12 file is protected by a signature where a password is usual: export it \
                 with a password",
            ));
        }
        Ok(Self {
            content: content_info.data()?,
            mac: mac.map(Mac::parse).transpose()?,
        })
    }
}

/// A part of the `AuthenticatedSafe`.
#[derive(Debug)]
pub(super) enum Safe<'a> {
    Encrypted {
        scheme: Scheme<'a>,
        ciphertext: Cow<'a, [u8]>,
    },
    /// `SafeContents`, in BER.
    Plain(&'a [u8]),
}

impl<'a> Safe<'a> {
    pub(super) fn parse_all(der: &'a [u8]) -> Result<Vec<Self>> {
        elements(der, ContentInfo::read)?
            .iter()
            .map(Self::parse)
            .collect()
    }

    fn parse(content_info: &ContentInfo<'a>) -> Result<Self> {
        let oid = content_info.oid;
        if oid == DATA.as_bytes() {
            content_info.data().map(Self::Plain)
        } else if oid == ENCRYPTED_DATA.as_bytes() {
            Self::encrypted(content_info.content)
        } else if oid == ENVELOPED_DATA.as_bytes() {
            Err(Error::new(
                ErrorKind::Unsupported,
                "the PKCS#12 file is encrypted for a public key where a password is usual: export \
                 it with a password",
            ))
        } else {
            Err(malformed(UNREADABLE))
        }
    }

    /// `EncryptedData` (RFC 5652, 8).
    fn encrypted(der: &'a [u8]) -> Result<Self> {
        let fields = || {
            let mut data = Elements::within(der, SEQUENCE)?;
            let _version = data.number()?;
            let mut fields = Elements::of(data.expect(SEQUENCE)?);
            let _content_type = fields.expect(OBJECT_IDENTIFIER)?;
            let algorithm = fields.algorithm()?;
            let ciphertext = implicit_octets(fields.element()?)?;
            fields.finish()?;
            attributes(data)?;
            Some((algorithm, ciphertext))
        };
        let (algorithm, ciphertext) = fields().ok_or_else(|| malformed(UNREADABLE))?;
        Ok(Self::Encrypted {
            scheme: Scheme::parse(&algorithm)?,
            ciphertext,
        })
    }
}

/// What stands in `SafeContents`.
#[derive(Debug)]
pub(super) enum Bag<'a> {
    /// An X.509 certificate.
    Certificate(&'a [u8]),
    /// PKCS#8 that is not encrypted.
    Key(&'a [u8]),
    /// `SafeContents` again.
    Nested(&'a [u8]),
    /// A CRL, a secret, a certificate that is not X.509, and what is not known.
    Other,
    /// Encrypted PKCS#8.
    ShroudedKey(&'a [u8]),
}

impl<'a> Bag<'a> {
    pub(super) fn parse_all(der: &'a [u8]) -> Result<Vec<Self>> {
        let bags = elements(der, |list| {
            let mut bag = Elements::of(list.expect(SEQUENCE)?);
            let fields = (bag.expect(OBJECT_IDENTIFIER)?, bag.expect(EXPLICIT)?);
            attributes(bag)?;
            Some(fields)
        })?;
        bags.into_iter()
            .map(|(oid, value)| Self::parse(oid, value))
            .collect()
    }

    fn parse(oid: &[u8], value: &'a [u8]) -> Result<Self> {
        Ok(if oid == KEY_BAG.as_bytes() {
            Self::Key(value)
        } else if oid == SHROUDED_KEY_BAG.as_bytes() {
            Self::ShroudedKey(value)
        } else if oid == CERTIFICATE_BAG.as_bytes() {
            return Self::certificate(value).ok_or_else(|| malformed(UNREADABLE));
        } else if oid == SAFE_CONTENTS_BAG.as_bytes() {
            Self::Nested(value)
        } else {
            Self::Other
        })
    }

    fn certificate(der: &'a [u8]) -> Option<Self> {
        let mut bag = Elements::within(der, SEQUENCE)?;
        let oid = bag.expect(OBJECT_IDENTIFIER)?;
        let value = bag.only(EXPLICIT)?;
        Some(if oid == X509_CERTIFICATE.as_bytes() {
            Self::Certificate(Elements::of(value).only(OCTET_STRING)?)
        } else {
            Self::Other
        })
    }
}

/// `ContentInfo` (RFC 5652, 3).
struct ContentInfo<'a> {
    /// The content of the object identifier.
    oid: &'a [u8],
    /// One element in DER.
    content: &'a [u8],
}

impl<'a> ContentInfo<'a> {
    fn read(list: &mut Elements<'a>) -> Option<Self> {
        let mut fields = Elements::of(list.expect(SEQUENCE)?);
        Some(Self {
            oid: fields.expect(OBJECT_IDENTIFIER)?,
            content: fields.only(EXPLICIT)?,
        })
    }

    fn data(&self) -> Result<&'a [u8]> {
        Some(self.content)
            .filter(|_| self.oid == DATA.as_bytes())
            .and_then(|content| Elements::of(content).only(OCTET_STRING))
            .ok_or_else(|| malformed(UNREADABLE))
    }
}

/// Every element of the sequence that `der` is.
fn elements<'a, T>(der: &'a [u8], read: impl Fn(&mut Elements<'a>) -> Option<T>) -> Result<Vec<T>> {
    let read = || {
        let mut sequence = Elements::within(der, SEQUENCE)?;
        let mut elements = Vec::new();
        while !sequence.is_finished() {
            elements.push(read(&mut sequence)?);
        }
        Some(elements)
    };
    read().ok_or_else(|| malformed(UNREADABLE))
}

/// Passes over attributes at the end, one element or none.
fn attributes(mut fields: Elements<'_>) -> Option<()> {
    if !fields.is_finished() {
        fields.element()?;
    }
    fields.finish()
}

/// `[0] IMPLICIT OCTET STRING`, which BER may write in segments: then the tag does not tell a string
/// and [`ber`](crate::ber) leaves them.
fn implicit_octets(element: Element<'_>) -> Option<Cow<'_, [u8]>> {
    match element.tag {
        IMPLICIT => Some(Cow::Borrowed(element.content)),
        EXPLICIT => {
            let mut segments = Elements::of(element.content);
            let mut joined = Vec::new();
            while !segments.is_finished() {
                joined.extend_from_slice(segments.expect(OCTET_STRING)?);
            }
            Some(Cow::Owned(joined))
        }
        _ => None,
    }
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
const ENVELOPED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.3");
const ENCRYPTED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.6");
const X509_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.22.1");
const KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.3");
const SAFE_CONTENTS_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.6");
