//! Certificates wrapped as PKCS#7 (`.p7b`, `.p7c`): `SignedData` that signs nothing (RFC 5652, 5).

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged, asn1::AnyRef};

use crate::{
    Certificate, Error, ErrorKind, Result, ber,
    pem::{MAX_PEM_LENGTH, MAX_PEM_SECTIONS},
};

/// Reads the certificates, at least one, in the order of the file. Bounded as a PEM text is.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>> {
    if bytes.len() > MAX_PEM_LENGTH {
        return Err(refuse(
            "the PKCS#7 file is longer than 1 MiB: pass the chain alone",
        ));
    }
    let der = ber::to_der(bytes).ok_or_else(unreadable)?;
    let certificates = elements(&der).map_err(|_| unreadable())?;
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
    certificates
        .into_iter()
        .map(Certificate::from_der)
        .collect()
}

/// The DER of every certificate.
fn elements(der: &[u8]) -> der::Result<Vec<&[u8]>> {
    const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
    // `[0]`: here EXPLICIT around `SignedData`, in it IMPLICIT for the set of certificates.
    const ZERO: Tag = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(0),
    };
    let content: AnyRef<'_> = AnyRef::from_der(der)?.sequence(|reader| {
        let oid: ObjectIdentifier = reader.decode()?;
        if oid != SIGNED_DATA {
            return Err(der::ErrorKind::OidUnknown { oid }.into());
        }
        reader.decode()
    })?;
    content.tag().assert_eq(ZERO)?;
    let signed_data = AnyRef::from_der(content.value())?;
    signed_data.tag().assert_eq(Tag::Sequence)?;
    let mut fields = SliceReader::new(signed_data.value())?;
    let mut found = Vec::new();
    while !fields.is_finished() {
        let field: AnyRef<'_> = fields.decode()?;
        if field.tag() != ZERO {
            continue;
        }
        let mut set = SliceReader::new(field.value())?;
        while !set.is_finished() {
            let element = set.tlv_bytes()?;
            // What is tagged is an attribute certificate or one of PKCS#6.
            if AnyRef::from_der(element)?.tag() == Tag::Sequence {
                found.push(element);
            }
        }
    }
    Ok(found)
}

fn unreadable() -> Error {
    refuse("the PKCS#7 file cannot be read (RFC 5652): export the certificates again")
}

fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::InvalidCertificate, message)
}
