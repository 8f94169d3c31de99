//! The reading of a certificate.
//!
//! The elements are read with `der`. `x509-cert`, which gives them types, refuses what is met in the
//! field and has one meaning: times before 1970, sets that are not sorted, UniversalString, object
//! identifiers with an arc above 32 bits, path lengths above 255.

use alloc::{format, string::String};

use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged, asn1::AnyRef};

use super::{
    Certificate, DistinguishedName, MAX_CERTIFICATE_LENGTH, MAX_SERIAL_LENGTH, SignatureAlgorithm,
    extensions, oid, public_key, refuse, validity,
};
use crate::{Error, Result, UnixTime, encoding};

/// Reads one certificate in DER, with nothing behind it.
pub(super) fn certificate(der: &[u8]) -> Result<Certificate> {
    if der.len() > MAX_CERTIFICATE_LENGTH {
        return Err(refuse(format!(
            "the certificate has {} bytes, more than {MAX_CERTIFICATE_LENGTH}",
            der.len()
        )));
    }
    let outer = outer(der).map_err(|error| {
        refuse(format!(
            "it is not a certificate in DER: {error}; pass the certificate as its issuer gave it"
        ))
    })?;
    let tbs = to_be_signed(outer.tbs).map_err(|error| {
        refuse(format!(
            "the certificate is malformed: {error}; ask its issuer for another"
        ))
    })?;
    if tbs.signature_algorithm != outer.signature_algorithm {
        return Err(refuse(
            "the certificate names two different signature algorithms: ask its issuer for another",
        ));
    }
    let (serial_decimal, serial_hex) = serial(tbs.serial)?;
    Ok(Certificate {
        der: der.to_vec(),
        version: version(tbs.version)?,
        serial_decimal,
        serial_hex,
        signature_algorithm: SignatureAlgorithm::from_der(outer.signature_algorithm)
            .ok_or_else(|| refuse("the certificate's signature algorithm is malformed"))?,
        issuer: DistinguishedName::from_der(tbs.issuer).map_err(|e| e.context("issuer"))?,
        not_before: time(tbs.not_before, "notBefore")?,
        not_after: time(tbs.not_after, "notAfter")?,
        subject: DistinguishedName::from_der(tbs.subject).map_err(|e| e.context("subject"))?,
        public_key: public_key::read(tbs.subject_public_key_info),
        extensions: extensions::read(tbs.extensions)?,
    })
}

/// The first DER element of `bytes`, without what follows; all of them when it cannot be told.
pub(super) fn first_element(bytes: &[u8]) -> &[u8] {
    SliceReader::new(bytes)
        .and_then(|mut reader| reader.tlv_bytes())
        .unwrap_or(bytes)
}

struct Outer<'a> {
    tbs: &'a [u8],
    signature_algorithm: &'a [u8],
}

fn outer(der: &[u8]) -> der::Result<Outer<'_>> {
    let mut reader = SliceReader::new(der)?;
    let outer = reader.sequence(|certificate| {
        let outer = Outer {
            tbs: certificate.tlv_bytes()?,
            signature_algorithm: certificate.tlv_bytes()?,
        };
        expect(certificate, Tag::BitString)?;
        Ok::<_, der::Error>(outer)
    })?;
    reader.finish()?;
    Ok(outer)
}

struct ToBeSigned<'a> {
    version: Option<&'a [u8]>,
    serial: &'a [u8],
    signature_algorithm: &'a [u8],
    issuer: &'a [u8],
    not_before: AnyRef<'a>,
    not_after: AnyRef<'a>,
    subject: &'a [u8],
    subject_public_key_info: &'a [u8],
    extensions: Option<&'a [u8]>,
}

fn to_be_signed(tbs: &[u8]) -> der::Result<ToBeSigned<'_>> {
    let mut reader = SliceReader::new(tbs)?;
    reader.sequence(|tbs| {
        let version = explicit(tbs, 0)?
            .map(|content| {
                let mut reader = SliceReader::new(content)?;
                let version = expect(&mut reader, Tag::Integer)?;
                reader.finish()?;
                Ok::<_, der::Error>(version)
            })
            .transpose()?;
        let serial = expect(tbs, Tag::Integer)?;
        let signature_algorithm = tbs.tlv_bytes()?;
        let issuer = tbs.tlv_bytes()?;
        let (not_before, not_after) =
            tbs.sequence(|validity| Ok::<_, der::Error>((validity.decode()?, validity.decode()?)))?;
        let subject = tbs.tlv_bytes()?;
        let subject_public_key_info = tbs.tlv_bytes()?;
        // The unique identifiers of version 2: issuer [1], subject [2].
        implicit(tbs, 1)?;
        implicit(tbs, 2)?;
        Ok(ToBeSigned {
            version,
            serial,
            signature_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            subject_public_key_info,
            extensions: explicit(tbs, 3)?,
        })
    })
}

fn version(content: Option<&[u8]>) -> Result<u8> {
    match content {
        None | Some([0]) => Ok(1),
        Some([1]) => Ok(2),
        Some([2]) => Ok(3),
        Some(_) => Err(refuse(
            "the certificate's version is none of 1, 2 and 3: ask its issuer for one of version 3",
        )),
    }
}

/// The serial number in decimal and in hexadecimal of even length.
fn serial(content: &[u8]) -> Result<(String, String)> {
    if content.len() > MAX_SERIAL_LENGTH {
        return Err(refuse(format!(
            "the certificate's serial number has {} bytes, more than {MAX_SERIAL_LENGTH}: ask its \
             issuer for one of at most 20",
            content.len()
        )));
    }
    match content.first() {
        None => return Err(refuse("the certificate's serial number is empty")),
        Some(first) if first & 0x80 != 0 => {
            return Err(refuse(
                "the certificate's serial number is negative, which the service cannot be told: ask \
                 its issuer for one with a positive serial number",
            ));
        }
        Some(_) => {}
    }
    let significant = content.iter().position(|byte| *byte != 0);
    let digits = significant.and_then(|at| content.get(at..)).unwrap_or(&[0]);
    let decimal = oid::decimal(digits.iter().copied(), 256);
    Ok((decimal, encoding::hex(digits)))
}

fn time(element: AnyRef<'_>, which: &str) -> Result<UnixTime> {
    validity::time(element).ok_or_else(|| {
        refuse(format!(
            "the certificate's {which} is not a time: ask its issuer for another"
        ))
    })
}

/// The content of the next element, which must have that tag.
pub(super) fn expect<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> der::Result<&'a [u8]> {
    let element: AnyRef<'a> = reader.decode()?;
    element.tag().assert_eq(tag)?;
    Ok(element.value())
}

/// The content of the next element where it is `[number]`, constructed; nothing is read otherwise.
pub(super) fn explicit<'a>(
    reader: &mut SliceReader<'a>,
    number: u32,
) -> der::Result<Option<&'a [u8]>> {
    context_specific(reader, number, true)
}

/// The content of the next element where it is `[number]`, primitive; nothing is read otherwise.
pub(super) fn implicit<'a>(
    reader: &mut SliceReader<'a>,
    number: u32,
) -> der::Result<Option<&'a [u8]>> {
    context_specific(reader, number, false)
}

fn context_specific<'a>(
    reader: &mut SliceReader<'a>,
    number: u32,
    constructed: bool,
) -> der::Result<Option<&'a [u8]>> {
    if reader.is_finished() {
        return Ok(None);
    }
    let wanted = Tag::ContextSpecific {
        constructed,
        number: TagNumber(number),
    };
    if Tag::peek(reader)? != wanted {
        return Ok(None);
    }
    Ok(Some(AnyRef::decode(reader)?.value()))
}

/// The dotted OID and the parameters of an `AlgorithmIdentifier`.
pub(super) fn algorithm(der: &[u8]) -> Option<(String, Option<AnyRef<'_>>)> {
    let mut reader = SliceReader::new(der).ok()?;
    let (oid, parameters) = reader
        .sequence(|algorithm| {
            let oid = expect(algorithm, Tag::ObjectIdentifier)?;
            let parameters: Option<AnyRef<'_>> = if algorithm.is_finished() {
                None
            } else {
                Some(algorithm.decode()?)
            };
            Ok::<_, der::Error>((oid, parameters))
        })
        .ok()?;
    reader.finish().ok()?;
    Some((oid::dotted(oid)?, parameters))
}

impl From<der::Error> for Malformed {
    fn from(_: der::Error) -> Self {
        Self
    }
}

/// An element that does not have the form that it should have.
pub(super) struct Malformed;

impl Malformed {
    /// The error that says which element.
    pub(super) fn of(self, what: &str) -> Error {
        refuse(format!(
            "the certificate's {what} is malformed: ask its issuer for another"
        ))
    }
}
