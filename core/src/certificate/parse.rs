//! The reading of a certificate.
//!
//! `x509-cert`, which gives the elements types, refuses what is met in the field and has one meaning:
//! times before 1970, sets that are not sorted, UniversalString, object identifiers with an arc above
//! 32 bits, path lengths above 255.

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use super::{
    Certificate, DistinguishedName, MAX_CERTIFICATE_LENGTH, MAX_SERIAL_LENGTH, SignatureAlgorithm,
    extensions, oid, public_key, refuse, validity,
};
use crate::{
    Error, Result,
    elements::{
        BIT_STRING, EXPLICIT, Element, Elements, IMPLICIT, INTEGER, NULL, SEQUENCE, outermost,
    },
    encoding,
};

/// Reads the certificate that `der` begins with.
pub(super) fn certificate(der: &[u8]) -> Result<Certificate> {
    let der = outermost(der);
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
        return Err(two_algorithms(
            tbs.signature_algorithm,
            outer.signature_algorithm,
        ));
    }
    let (serial_decimal, serial_hex) = serial(tbs.serial)?;
    let (not_before, not_after) = (
        time(tbs.not_before, "notBefore")?,
        time(tbs.not_after, "notAfter")?,
    );
    Ok(Certificate {
        der: der.to_vec(),
        version: version(tbs.version)?,
        serial_decimal,
        serial_hex,
        signature_algorithm: SignatureAlgorithm::from_der(outer.signature_algorithm)
            .ok_or_else(|| refuse("the certificate's signature algorithm is malformed"))?,
        issuer: DistinguishedName::from_der(tbs.issuer).map_err(|e| e.context("issuer"))?,
        not_before: not_before.time,
        not_after: not_after.time,
        has_unusual_time: not_before.is_unusual || not_after.is_unusual,
        subject: DistinguishedName::from_der(tbs.subject).map_err(|e| e.context("subject"))?,
        public_key: public_key::read(tbs.subject_public_key_info),
        extensions: extensions::read(tbs.extensions)?,
    })
}

/// The signed part of a certificate, and the signature: the content of its BIT STRING. For certificates
/// that have been read.
#[cfg(feature = "issuer-signatures")]
pub(super) fn signed(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut certificate = Elements::within(der, SEQUENCE)?;
    let tbs = certificate.element()?.der;
    certificate.element()?;
    match certificate.only(BIT_STRING)? {
        [0, signature @ ..] => Some((tbs, signature)),
        _ => None,
    }
}

/// The refusal of a certificate whose signed part names another signature algorithm than stands behind it.
fn two_algorithms(signed: &[u8], outer: &[u8]) -> Error {
    let parts = |der| {
        let (oid, parameters) = algorithm(der)?;
        Some((oid, parameters.filter(|element| element.der != NULL)))
    };
    let is_re_encoded = match (parts(signed), parts(outer)) {
        (Some((one, None)), Some((other, None))) => one == other,
        _ => false,
    };
    refuse(if is_re_encoded {
        "the certificate names its signature algorithm twice, once with the parameter NULL and once \
         without: a program that it passed through has written it anew (node-forge does so), and \
         validators refuse it; take the certificate as its issuer gave it"
    } else {
        "the certificate names two different signature algorithms: ask its issuer for another"
    })
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

/// The serial number in decimal and in hexadecimal of even length, as [`Certificate::serial_decimal`]
/// documents them. Whether it can be sent is asked of the end entity's alone.
fn serial(content: &[u8]) -> Result<(String, String)> {
    let (sign, magnitude) = match content.first() {
        None => return Err(refuse("the certificate's serial number is empty")),
        Some(first) if first & 0x80 != 0 => ("-", Cow::Owned(negated(content))),
        Some(_) => ("", Cow::Borrowed(content)),
    };
    let significant = magnitude.iter().position(|byte| *byte != 0);
    let digits = significant.and_then(|at| magnitude.get(at..));
    let digits = digits.unwrap_or(&[0]);
    let hex = encoding::hex(digits);
    let decimal = if digits.len() > MAX_SERIAL_LENGTH {
        format!("{sign}0x{hex}")
    } else {
        format!("{sign}{}", oid::decimal(digits.iter().copied(), 256))
    };
    Ok((decimal, format!("{sign}{hex}")))
}

/// The magnitude of a negative number in two's complement.
fn negated(content: &[u8]) -> Vec<u8> {
    let mut magnitude: Vec<u8> = content.iter().map(|byte| !byte).collect();
    for byte in magnitude.iter_mut().rev() {
        let (sum, carries) = byte.overflowing_add(1);
        *byte = sum;
        if !carries {
            break;
        }
    }
    magnitude
}

fn time(element: Element<'_>, which: &str) -> Result<validity::Read> {
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
