//! The structures of PKCS#12 (RFC 7292, 4), in DER.

use alloc::{borrow::Cow, vec::Vec};

use const_oid::ObjectIdentifier;
use der::{
    Decode, Reader, SliceReader, Tag, TagNumber, Tagged,
    asn1::{AnyRef, OctetStringRef, SequenceRef},
};
use spki::AlgorithmIdentifierRef;

use super::{Mac, UNREADABLE, octets};
use crate::{
    Error, ErrorKind, Result,
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
            AnyRef::from_der(der)?.sequence(|reader| {
                Ok::<_, der::Error>((
                    reader.decode::<u8>()?,
                    ContentInfo::decode(reader)?,
                    reader.decode::<Option<AnyRef<'a>>>()?,
                ))
            })
        };
        let (version, content_info, mac) = fields().map_err(|_| malformed(UNREADABLE))?;
        if version != 3 {
            return Err(malformed("the PKCS#12 file is not of version 3"));
        }
        if content_info.oid == SIGNED_DATA {
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
        elements(der, ContentInfo::decode)?
            .iter()
            .map(Self::parse)
            .collect()
    }

    fn parse(content_info: &ContentInfo<'a>) -> Result<Self> {
        match content_info.oid {
            DATA => content_info.data().map(Self::Plain),
            ENCRYPTED_DATA => Self::encrypted(content_info.content),
            ENVELOPED_DATA => Err(Error::new(
                ErrorKind::Unsupported,
                "the PKCS#12 file is encrypted for a public key where a password is usual: export \
                 it with a password",
            )),
            _ => Err(malformed(UNREADABLE)),
        }
    }

    /// `EncryptedData` (RFC 5652, 8).
    fn encrypted(der: &'a [u8]) -> Result<Self> {
        let fields = || {
            AnyRef::from_der(der)?.sequence(|reader| {
                let _version: u8 = reader.decode()?;
                let fields = reader.sequence(|reader| {
                    let _content_type: ObjectIdentifier = reader.decode()?;
                    Ok::<_, der::Error>((
                        reader.decode::<AlgorithmIdentifierRef<'a>>()?,
                        reader.decode::<AnyRef<'a>>()?,
                    ))
                })?;
                let _attributes: Option<AnyRef<'_>> = reader.decode()?;
                Ok::<_, der::Error>(fields)
            })
        };
        let (algorithm, content) = fields().map_err(|_| malformed(UNREADABLE))?;
        Ok(Self::Encrypted {
            scheme: Scheme::parse(&algorithm)?,
            ciphertext: implicit_octets(content).map_err(|_| malformed(UNREADABLE))?,
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
        elements(der, |reader| {
            reader.sequence(|reader| {
                let oid: ObjectIdentifier = reader.decode()?;
                let value = explicit(reader)?;
                let _attributes: Option<AnyRef<'_>> = reader.decode()?;
                Ok::<_, der::Error>((oid, value))
            })
        })?
        .into_iter()
        .map(|(oid, value)| match oid {
            KEY_BAG => Ok(Self::Key(value)),
            SHROUDED_KEY_BAG => Ok(Self::ShroudedKey(value)),
            CERTIFICATE_BAG => Self::certificate(value),
            SAFE_CONTENTS_BAG => Ok(Self::Nested(value)),
            _ => Ok(Self::Other),
        })
        .collect()
    }

    fn certificate(der: &'a [u8]) -> Result<Self> {
        let fields = || {
            AnyRef::from_der(der)?.sequence(|reader| {
                let oid: ObjectIdentifier = reader.decode()?;
                Ok::<_, der::Error>((oid, explicit(reader)?))
            })
        };
        match fields() {
            Ok((X509_CERTIFICATE, value)) => octets(value).map(Self::Certificate),
            Ok(_) => Ok(Self::Other),
            Err(error) => Err(error),
        }
        .map_err(|_| malformed(UNREADABLE))
    }
}

/// `ContentInfo` (RFC 5652, 3).
#[derive(Debug)]
struct ContentInfo<'a> {
    oid: ObjectIdentifier,
    /// One element in DER.
    content: &'a [u8],
}

impl<'a> ContentInfo<'a> {
    fn decode(reader: &mut SliceReader<'a>) -> der::Result<Self> {
        reader.sequence(|reader| {
            Ok(Self {
                oid: reader.decode()?,
                content: explicit(reader)?,
            })
        })
    }

    fn data(&self) -> Result<&'a [u8]> {
        match self.oid {
            DATA => octets(self.content).map_err(|_| malformed(UNREADABLE)),
            _ => Err(malformed(UNREADABLE)),
        }
    }
}

/// Every element of the sequence that `der` is.
fn elements<'a, T>(
    der: &'a [u8],
    decode: impl Fn(&mut SliceReader<'a>) -> der::Result<T>,
) -> Result<Vec<T>> {
    let read = || {
        let sequence = <&SequenceRef>::from_der(der)?;
        let mut reader = SliceReader::new(sequence.as_bytes())?;
        let mut elements = Vec::new();
        while !reader.is_finished() {
            elements.push(decode(&mut reader)?);
        }
        Ok::<_, der::Error>(elements)
    };
    read().map_err(|_| malformed(UNREADABLE))
}

/// The element inside `[0] EXPLICIT`.
fn explicit<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    let any: AnyRef<'a> = reader.decode()?;
    any.tag().assert_eq(tag_zero(true))?;
    Ok(any.value())
}

/// `[0] IMPLICIT OCTET STRING`, which BER may write in segments: then the tag does not tell a string
/// and [`ber`](crate::ber) leaves them.
fn implicit_octets(any: AnyRef<'_>) -> der::Result<Cow<'_, [u8]>> {
    if any.tag() == tag_zero(false) {
        return Ok(Cow::Borrowed(any.value()));
    }
    any.tag().assert_eq(tag_zero(true))?;
    let mut reader = SliceReader::new(any.value())?;
    let mut joined = Vec::new();
    while !reader.is_finished() {
        joined.extend_from_slice(reader.decode::<&OctetStringRef>()?.as_bytes());
    }
    Ok(Cow::Owned(joined))
}

const fn tag_zero(constructed: bool) -> Tag {
    Tag::ContextSpecific {
        constructed,
        number: TagNumber(0),
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
