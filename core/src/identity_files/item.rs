//! What a file holds, without encryption and wrapping: keys and certificates in DER, not read yet.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

#[cfg(feature = "export-private-key")]
use super::opened;
use super::{Purpose, form::Form, text};
use crate::{
    Certificate, Error, ErrorKind, PemSection, Result, certificate,
    elements::{Elements, SEQUENCE},
    key::{self, Contents},
    pem::{self, MAX_PEM_SECTIONS},
    source,
};

/// One key or certificate of a file. Any of them may be beside the point: whoever reads them tells of one
/// that is refused only when nothing else does.
pub(super) enum Item {
    Certificate(Part),
    Key(Part),
    /// Certificates that could not be opened.
    RefusedCertificate(Error),
    /// A key that could not be opened.
    RefusedKey(Error),
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
    if let Some(why) = key::key_store(file) {
        return Err(Error::new(ErrorKind::Unsupported, why));
    }
    let content = source::decoded(file);
    let file = content.as_ref().map_or(file, |content| content.as_slice());
    let within = text::pem_within(file);
    let file = within.as_ref().map_or(file, |text| text.as_slice());
    let mut items = match Form::of(file) {
        Form::Pem => sections(file, purpose, password)?,
        form => binary(form, file, purpose, password)?,
    };
    if purpose == Purpose::Certificates {
        items.retain(|item| !matches!(item, Item::Key(_) | Item::RefusedKey(_)));
    }
    Ok(items)
}

fn binary(form: Form, file: &[u8], purpose: Purpose, password: Option<&[u8]>) -> Result<Vec<Item>> {
    let is_key = purpose == Purpose::PrivateKey;
    Ok(match resolved(form, file) {
        Form::Pkcs12 => pkcs12(file, password)?,
        Form::Pkcs7 if !is_key => pkcs7(file)?,
        // Several may stand one after the other; that of a single one is cut where it is read.
        Form::Certificate if !is_key => {
            let mut rest = Elements::of(file);
            core::iter::from_fn(|| rest.element())
                .take_while(|element| element.tag == SEQUENCE)
                .take(MAX_PEM_SECTIONS)
                .map(|element| Item::Certificate(Part::new(element.der)))
                .collect()
        }
        // Whoever reads it says what it is instead.
        _ if !is_key => [Item::Certificate(Part::new(file))].into(),
        _ => [match key::opened(file, password) {
            Ok(der) => Item::Key(Part::new(&der)),
            Err(error) => Item::RefusedKey(error),
        }]
        .into(),
    })
}

/// What BER is when it is made DER.
#[cfg(feature = "containers")]
fn resolved(form: Form, file: &[u8]) -> Form {
    match form {
        Form::Ber => crate::ber::first(file).map_or(Form::Other, |der| Form::of(&der)),
        form => form,
    }
}

#[cfg(not(feature = "containers"))]
fn resolved(form: Form, _: &[u8]) -> Form {
    form
}

fn sections(text: &[u8], purpose: Purpose, password: Option<&[u8]>) -> Result<Vec<Item>> {
    let kind = match purpose {
        Purpose::PrivateKey => ErrorKind::InvalidKey,
        Purpose::Certificates | Purpose::Identity => ErrorKind::InvalidCertificate,
    };
    let sections = pem::sections(text, kind)?;
    let mut items = Vec::new();
    for section in &sections {
        let container = Form::of_container(section).map(|form| resolved(form, section.der()));
        match container {
            Some(Form::Pkcs12) => items.extend(pkcs12(section.der(), password)?),
            Some(Form::Pkcs7) => match pkcs7(section.der()) {
                Ok(certificates) => items.extend(certificates),
                Err(error) => items.push(Item::RefusedCertificate(error.context(section.name()))),
            },
            _ => {
                if let Some((der, name)) = Certificate::der_in_section(section) {
                    items.push(Item::Certificate(Part::named(name, der)));
                }
            }
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
        .map(|der| Item::Certificate(Part::new(der)));
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
