//! Certificates wrapped as PKCS#7 (`.p7b`, `.p7c`): `SignedData` that signs nothing (RFC 5652, 5).

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;

use crate::{
    Error, ErrorKind, Result, ber,
    elements::{EXPLICIT, Elements, OBJECT_IDENTIFIER, SEQUENCE},
    pem::{MAX_PEM_LENGTH, MAX_PEM_SECTIONS},
};

/// The DER of the certificates, at least one, in the order of the file. Bounded as a PEM text is.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    if bytes.len() > MAX_PEM_LENGTH {
        return Err(refuse(
            "the PKCS#7 file is longer than 1 MiB: pass the chain alone",
        ));
    }
    let der = ber::first(bytes).ok_or_else(unreadable)?;
    let certificates = elements(&der).ok_or_else(unreadable)?;
    if certificates.is_empty() {
        return Err(refuse(
            "the PKCS#7 file holds no certificate: export it with the chain",
        ));
    }
    if certificates.len() > MAX_PEM_SECTIONS {
        return Err(refuse(
            "the PKCS#7 file holds more than 512 certificates: pass the chain alone",
        ));
    }
    Ok(certificates.into_iter().map(<[u8]>::to_vec).collect())
}

/// The DER of every certificate.
fn elements(der: &[u8]) -> Option<Vec<&[u8]>> {
    const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
    let mut content_info = Elements::within(der, SEQUENCE)?;
    let oid = content_info.expect(OBJECT_IDENTIFIER)?;
    (oid == SIGNED_DATA.as_bytes()).then_some(())?;
    let mut fields = Elements::within(content_info.only(EXPLICIT)?, SEQUENCE)?;
    let mut found = Vec::new();
    while !fields.is_finished() {
        let field = fields.element()?;
        // `[0] IMPLICIT`, the set of certificates.
        if field.tag != EXPLICIT {
            continue;
        }
        let mut set = Elements::of(field.content);
        while !set.is_finished() {
            let element = set.element()?;
            // What is tagged is an attribute certificate or one of PKCS#6.
            if element.tag == SEQUENCE {
                found.push(element.der);
            }
        }
    }
    Some(found)
}

fn unreadable() -> Error {
    refuse("the PKCS#7 file cannot be read (RFC 5652): export the certificates again")
}

fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::InvalidCertificate, message)
}
