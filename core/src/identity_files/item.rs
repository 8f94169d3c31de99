//! What a file holds, without encryption and wrapping: keys and certificates in DER, not read yet.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

#[cfg(feature = "export-private-key")]
use super::opened;
use super::{
    Purpose,
    form::{Form, PKCS12, is_pkcs7},
};
use crate::{
    Certificate, Error, ErrorKind, PemSection, Result, certificate,
    key::{self, Contents},
    pem, source,
};

/// One key or certificate of a file.
pub(super) enum Item {
    Certificate(Part),
    Key(Part),
    /// A key that could not be opened; another may be the one that is wanted.
    RefusedKey(Error),
    /// A certificate that may be unreadable: containers hold some that are not wanted.
    SpareCertificate(Part),
}

/// DER, and what errors call it: nothing, where the file holds nothing else.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) der: Zeroizing<Vec<u8>>,
}

impl Part {
    fn new(der: &[u8]) -> Self {
        Self::named(String::new(), der)
    }

    pub(super) fn named(name: String, der: &[u8]) -> Self {
        Self {
            name,
            der: Zeroizing::new(der.to_vec()),
        }
    }
}

/// Everything that a file holds and the purpose wants, in the order of the file, keys last.
pub(super) fn items(file: &[u8], purpose: Purpose, password: Option<&[u8]>) -> Result<Vec<Item>> {
    #[cfg(feature = "export-private-key")]
    if let Some(items) = opened::decoded(file) {
        return items;
    }
    let content = source::decoded(file);
    let file = content.as_ref().map_or(file, |content| content.as_slice());
    let mut items = match Form::of(file) {
        Form::Pem => sections(file, purpose, password)?,
        #[cfg(feature = "containers")]
        Form::Ber => match crate::ber::to_der(file) {
            Some(der) => binary(&Form::of(&der), file, purpose, password)?,
            None => binary(&Form::Other, file, purpose, password)?,
        },
        form => binary(&form, file, purpose, password)?,
    };
    if purpose == Purpose::Certificates {
        items.retain(|item| !matches!(item, Item::Key(_) | Item::RefusedKey(_)));
    }
    Ok(items)
}

fn binary(
    form: &Form,
    file: &[u8],
    purpose: Purpose,
    password: Option<&[u8]>,
) -> Result<Vec<Item>> {
    let is_key = purpose == Purpose::PrivateKey;
    Ok(match form {
        Form::Pkcs12 => pkcs12(file, password)?,
        Form::Pkcs7 if !is_key => pkcs7(file)?,
        Form::Certificate if !is_key => [Item::SpareCertificate(Part::new(file))].into(),
        // Whoever reads it says what it is instead.
        _ if !is_key => [Item::Certificate(Part::new(file))].into(),
        _ => [match key::opened(file, password) {
            Ok(der) => Item::Key(Part::new(&der)),
            Err(error) => Item::RefusedKey(error),
        }]
        .into(),
    })
}

fn sections(text: &[u8], purpose: Purpose, password: Option<&[u8]>) -> Result<Vec<Item>> {
    let kind = match purpose {
        Purpose::PrivateKey => ErrorKind::InvalidKey,
        Purpose::Certificates | Purpose::Identity => ErrorKind::InvalidCertificate,
    };
    let sections = pem::sections(text, kind)?;
    let mut items = Vec::new();
    for section in &sections {
        let label = section.label();
        if is_pkcs7(label) {
            items.extend(pkcs7(section.der())?);
        } else if label == PKCS12 {
            items.extend(pkcs12(section.der(), password)?);
        } else if let Some((der, name)) = Certificate::der_in_section(section) {
            items.push(Item::Certificate(Part::named(name, der)));
        }
    }
    let has_keys = items.iter().any(|item| matches!(item, Item::Key(_)));
    let keys = || {
        sections
            .iter()
            .filter(|section| key::is_key(section.label()))
    };
    if purpose != Purpose::PrivateKey {
        let is_certificate = |item: &Item| !matches!(item, Item::Key(_));
        if !items.iter().any(is_certificate) {
            return Err(certificate::no_certificate(&sections));
        }
    } else if !has_keys && keys().next().is_none() {
        return Err(key::no_key(&sections));
    }
    // A password is needed only for a key that is wanted.
    if purpose != Purpose::Certificates {
        items.extend(keys().map(|section| key_of(section, password)));
    }
    Ok(items)
}

fn key_of(section: &PemSection, password: Option<&[u8]>) -> Item {
    let name = section.name();
    match key::opened_section(section, password) {
        Ok(der) => Item::Key(Part { name, der }),
        Err(error) => Item::RefusedKey(error.context(name)),
    }
}

fn pkcs12(file: &[u8], password: Option<&[u8]>) -> Result<Vec<Item>> {
    let Contents { keys, certificates } = Contents::read(file, password)?;
    let keys = keys.iter().map(|der| Item::Key(Part::new(der)));
    let certificates = certificates
        .iter()
        .map(|der| Item::SpareCertificate(Part::new(der)));
    Ok(certificates.chain(keys).collect())
}

#[cfg(feature = "containers")]
fn pkcs7(file: &[u8]) -> Result<Vec<Item>> {
    let certificate = |der: &Vec<u8>| Item::Certificate(Part::new(der));
    Ok(super::pkcs7::certificates(file)?
        .iter()
        .map(certificate)
        .collect())
}

#[cfg(not(feature = "containers"))]
fn pkcs7(_: &[u8]) -> Result<Vec<Item>> {
    Err(key::closed(
        "PKCS#7",
        "openssl pkcs7 -in FILE -print_certs -out NEW",
    ))
}
