//! Items as bytes, from one build of this crate to another of the same version.
//!
//! ```text
//! Opened ::= [0] { Entry… }        Entry ::= [kind] { OCTET STRING, OCTET STRING }
//! ```
//!
//! No other file begins so: it is neither a SEQUENCE nor UTF-8. Only builds with the feature
//! `export-private-key` read it.

use alloc::vec::Vec;
#[cfg(feature = "containers")]
use zeroize::Zeroizing;

use super::item::{Item, Part};
use crate::{
    Error, ErrorKind, Result,
    elements::{EXPLICIT, Element, Elements, OCTET_STRING},
};

const OPENED: u8 = EXPLICIT;

/// The kinds of entry. The first octet string is the name, of a refusal the error's code.
const CERTIFICATE: u8 = EXPLICIT;
const KEY: u8 = EXPLICIT + 1;
const REFUSED_KEY: u8 = EXPLICIT + 2;
const REFUSED_CERTIFICATE: u8 = EXPLICIT + 3;
const REFUSED_FILE: u8 = EXPLICIT + 4;

/// The bytes that [`items`](super::item::items) takes for the file that these items are of.
#[cfg(feature = "containers")]
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
                Item::RefusedCertificate(error) => refused(REFUSED_CERTIFICATE, error),
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
pub(super) fn decoded(bytes: &[u8]) -> Option<Result<Vec<Item>>> {
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
        REFUSED_CERTIFICATE => Ok(Item::RefusedCertificate(refusal()?)),
        REFUSED_FILE => Err(refusal()?),
        _ => return None,
    })
}
