//! The reading of a certificate.
//!
//! `x509-cert`, which gives the elements types, refuses what is met in the field and has one meaning:
//! times before 1970, sets that are not sorted, UniversalString, object identifiers with an arc above
//! 32 bits, path lengths above 255.

use alloc::string::String;

use super::{
    Certificate, DistinguishedName, MAX_CERTIFICATE_LENGTH, MAX_SERIAL_LENGTH, SignatureAlgorithm,
    extensions, oid, public_key, refuse, validity,
};
use crate::{
    Error, Result, UnixTime,
    elements::{BIT_STRING, EXPLICIT, Element, Elements, IMPLICIT, INTEGER, SEQUENCE},
    encoding,
};

/// Reads one certificate in DER, with nothing behind it.
pub(super) fn certificate(der: &[u8]) -> Result<Certificate> {
    if der.len() > MAX_CERTIFICATE_LENGTH {
        return Err(refuse(format_args!(
            "the certificate has {} bytes, more than {MAX_CERTIFICATE_LENGTH}",
            der.len()
        )));
    }
    let outer = outer(der).ok_or_else(|| {
        refuse("it is not a certificate in DER: pass the certificate as its issuer gave it")
    })?;
    let tbs = to_be_signed(outer.tbs)
        .ok_or_else(|| refuse("the certificate is malformed: ask its issuer for another"))?;
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
    Elements::of(bytes)
        .element()
        .map_or(bytes, |element| element.der)
}

struct Outer<'a> {
    tbs: &'a [u8],
    signature_algorithm: &'a [u8],
}

fn outer(der: &[u8]) -> Option<Outer<'_>> {
    let mut certificate = Elements::within(der, SEQUENCE)?;
    let outer = Outer {
        tbs: certificate.element()?.der,
        signature_algorithm: certificate.element()?.der,
    };
    certificate.only(BIT_STRING)?;
    Some(outer)
}

struct ToBeSigned<'a> {
    version: Option<&'a [u8]>,
    serial: &'a [u8],
    signature_algorithm: &'a [u8],
    issuer: &'a [u8],
    not_before: Element<'a>,
    not_after: Element<'a>,
    subject: &'a [u8],
    subject_public_key_info: &'a [u8],
    extensions: Option<&'a [u8]>,
}

fn to_be_signed(tbs: &[u8]) -> Option<ToBeSigned<'_>> {
    let mut tbs = Elements::within(tbs, SEQUENCE)?;
    let version = match tbs.optional(EXPLICIT)? {
        Some(content) => Some(Elements::of(content).only(INTEGER)?),
        None => None,
    };
    let serial = tbs.expect(INTEGER)?;
    let signature_algorithm = tbs.element()?.der;
    let issuer = tbs.element()?.der;
    let mut validity = Elements::of(tbs.expect(SEQUENCE)?);
    let (not_before, not_after) = (validity.element()?, validity.element()?);
    validity.finish()?;
    let subject = tbs.element()?.der;
    let subject_public_key_info = tbs.element()?.der;
    // The unique identifiers of version 2: issuer [1], subject [2].
    tbs.optional(IMPLICIT + 1)?;
    tbs.optional(IMPLICIT + 2)?;
    let extensions = tbs.optional(EXPLICIT + 3)?;
    tbs.finish()?;
    Some(ToBeSigned {
        version,
        serial,
        signature_algorithm,
        issuer,
        not_before,
        not_after,
        subject,
        subject_public_key_info,
        extensions,
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
        return Err(refuse(format_args!(
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

fn time(element: Element<'_>, which: &str) -> Result<UnixTime> {
    validity::time(element.tag, element.content).ok_or_else(|| {
        refuse(format_args!(
            "the certificate's {which} is not a time: ask its issuer for another"
        ))
    })
}

/// The dotted OID and the parameters of an `AlgorithmIdentifier`.
pub(super) fn algorithm(der: &[u8]) -> Option<(String, Option<Element<'_>>)> {
    let mut elements = Elements::of(der);
    let algorithm = elements.algorithm()?;
    elements.finish()?;
    Some((oid::dotted(algorithm.oid)?, algorithm.parameters))
}

/// The error that says which element does not have the form that it should have.
pub(super) fn malformed(what: &str) -> Error {
    refuse(format_args!(
        "the certificate's {what} is malformed: ask its issuer for another"
    ))
}
