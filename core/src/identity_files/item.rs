//! What a file holds, without encryption and wrapping: keys and certificates in DER, not read yet.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use super::{
    Purpose,
    form::{Form, PKCS12, is_pkcs7},
};
use crate::{
    Certificate, Error, ErrorKind, PemSection, Result, certificate,
    elements::{EXPLICIT, Element, Elements, OCTET_STRING},
    key::{self, Contents},
    pem,
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

    fn named(name: String, der: &[u8]) -> Self {
        Self {
            name,
            der: Zeroizing::new(der.to_vec()),
        }
    }
}

/// Everything that a file holds and the purpose wants, in the order of the file, keys last.
pub(super) fn items(file: &[u8], purpose: Purpose, password: Option<&[u8]>) -> Result<Vec<Item>> {
    if let Some(items) = decoded(file) {
        return items;
    }
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

// ---- as bytes, from one build of this crate to another of the same version
//
//   Opened ::= [0] { Entry… }        Entry ::= [kind] { OCTET STRING, OCTET STRING }
//
// No other file begins so: it is neither a SEQUENCE nor UTF-8.

/// `[0]`: no file that people have begins with it.
const OPENED: u8 = EXPLICIT;

/// The kinds of entry. The first octet string is the name, of a refusal the error's code.
const CERTIFICATE: u8 = EXPLICIT;
const KEY: u8 = EXPLICIT + 1;
const REFUSED_KEY: u8 = EXPLICIT + 2;
const SPARE_CERTIFICATE: u8 = EXPLICIT + 3;
const REFUSED_FILE: u8 = EXPLICIT + 4;

/// The bytes that [`items`] takes for the file that these items are of.
#[cfg(all(feature = "containers", feature = "export-private-key"))]
pub(super) fn encoded(items: &Result<Vec<Item>>) -> Zeroizing<Vec<u8>> {
    use crate::elements::encode;
    let entry = |kind, name: &[u8], content: &[u8]| {
        let (name, content) = (
            encode(OCTET_STRING, &[name]),
            encode(OCTET_STRING, &[content]),
        );
        encode(kind, &[&name, &content])
    };
    let part = |kind, part: &Part| entry(kind, part.name.as_bytes(), &part.der);
    let refused = |kind, error: &Error| {
        let code = error.kind().code();
        entry(kind, code.as_bytes(), error.message().as_bytes())
    };
    let entries: Vec<_> = match items {
        Err(error) => [refused(REFUSED_FILE, error)].into(),
        Ok(items) => items
            .iter()
            .map(|item| match item {
                Item::Certificate(certificate) => part(CERTIFICATE, certificate),
                Item::Key(key) => part(KEY, key),
                Item::RefusedKey(error) => refused(REFUSED_KEY, error),
                Item::SpareCertificate(certificate) => part(SPARE_CERTIFICATE, certificate),
            })
            .collect(),
    };
    let entries: Vec<&[u8]> = entries.iter().map(|entry| entry.as_slice()).collect();
    encode(OPENED, &entries)
}

/// The longest that is read, in bytes: 4 MiB. A PEM text and a PKCS#12 or PKCS#7 file may have 1 MiB, and
/// names are added.
const MAX_OPENED_LENGTH: usize = 4 << 20;

/// The items of a file that another build has opened; `None` when it is another file.
fn decoded(bytes: &[u8]) -> Option<Result<Vec<Item>>> {
    (bytes.len() <= MAX_OPENED_LENGTH).then_some(())?;
    let mut entries = Elements::within(bytes, OPENED)?;
    let mut items = Vec::new();
    while !entries.is_finished() {
        match entry(entries.element()?)? {
            Ok(item) => items.push(item),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(items))
}

fn entry(element: Element<'_>) -> Option<Result<Item>> {
    let mut fields = Elements::of(element.content);
    let name = core::str::from_utf8(fields.expect(OCTET_STRING)?).ok()?;
    let content = fields.only(OCTET_STRING)?;
    let part = || Part::named(name.into(), content);
    let refusal = || {
        let kind = ErrorKind::ALL.iter().find(|kind| kind.code() == name)?;
        Some(Error::new(*kind, core::str::from_utf8(content).ok()?))
    };
    Some(match element.tag {
        CERTIFICATE => Ok(Item::Certificate(part())),
        KEY => Ok(Item::Key(part())),
        REFUSED_KEY => Ok(Item::RefusedKey(refusal()?)),
        SPARE_CERTIFICATE => Ok(Item::SpareCertificate(part())),
        REFUSED_FILE => Err(refusal()?),
        _ => return None,
    })
}
