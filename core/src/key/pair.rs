//! Which key belongs to which certificate, among several of both.

use alloc::{format, vec::Vec};

use super::PrivateKey;
use crate::{Certificate, Error, ErrorKind, Result, error::divided};

/// A key and its certificate, found among others.
pub(crate) struct Pair {
    pub(crate) key: PrivateKey,
    pub(crate) end_entity: Certificate,
    /// The certificates that are left.
    pub(crate) others: Vec<Certificate>,
    /// Why the rest of the certificates cannot be read.
    pub(crate) unreadable: Vec<Error>,
}

/// Finds the one key that has a certificate. Public keys are compared; order, names and local key
/// identifiers tell nothing reliable.
///
/// Where a key has several certificates, the end entity's goes before a CA's, and the newest (the
/// latest begin of validity) before the others: that is a renewal under the same key. Where several
/// keys have certificates and only one of these is an end entity's, that one is meant.
///
/// Keys and certificates that cannot be read are told of when nothing else is found.
pub(crate) fn pair(
    keys: Vec<Result<PrivateKey>>,
    certificates: Vec<Result<Certificate>>,
) -> Result<Pair> {
    let (keys, refused_keys) = divided(keys);
    let (mut certificates, unreadable) = divided(certificates);
    let mut pairs: Vec<(PrivateKey, usize)> = Vec::new();
    let mut unpaired = None;
    for key in keys {
        if pairs
            .iter()
            .any(|(other, _)| other.public_key() == key.public_key())
        {
            continue;
        }
        match certificate_of(&key, &certificates) {
            Some(at) => pairs.push((key, at)),
            None => unpaired = Some(key),
        }
    }
    let certificate = |at: usize| certificates.get(at);
    let is_end_entity =
        |(_, at): &(PrivateKey, usize)| certificate(*at).is_some_and(|found| !found.is_ca());
    if pairs.iter().filter(|pair| is_end_entity(pair)).count() == 1 {
        pairs.retain(is_end_entity);
    }
    let mut pairs = pairs.into_iter();
    let Some((key, at)) = pairs.next() else {
        return Err(nothing(
            unpaired,
            refused_keys.into_iter().next(),
            &certificates,
            unreadable.into_iter().next(),
        ));
    };
    if let Some((_, other)) = pairs.next() {
        let subject = |at| certificate(at).map(|found| format!("{}", found.subject()));
        return Err(Error::written(
            ErrorKind::InvalidKey,
            format_args!(
                "several private keys have a certificate here, of `{}` and of `{}`: leave the one \
                 that is meant",
                subject(at).unwrap_or_default(),
                subject(other).unwrap_or_default()
            ),
        ));
    }
    let end_entity = certificates.swap_remove(at);
    Ok(Pair {
        key,
        end_entity,
        others: certificates,
        unreadable,
    })
}

/// Where the certificate of a key stands.
fn certificate_of(key: &PrivateKey, certificates: &[Certificate]) -> Option<usize> {
    certificates
        .iter()
        .enumerate()
        .filter(|(_, certificate)| {
            certificate
                .public_key()
                .is_ok_and(|k| k == key.public_key())
        })
        .max_by_key(|(at, certificate)| {
            // Of equals the first.
            (
                !certificate.is_ca(),
                certificate.not_before(),
                core::cmp::Reverse(*at),
            )
        })
        .map(|(at, _)| at)
}

/// Why no key has a certificate.
fn nothing(
    unpaired: Option<PrivateKey>,
    refused_key: Option<Error>,
    certificates: &[Certificate],
    refused_certificate: Option<Error>,
) -> Error {
    let Some(key) = unpaired else {
        return match (refused_key, certificates, refused_certificate) {
            (Some(error), ..) | (None, [], Some(error)) => error,
            _ => Error::new(
                ErrorKind::InvalidKey,
                "no private key is here: pass the private key that belongs to the certificate",
            ),
        };
    };
    match (certificates, refused_certificate) {
        ([], Some(error)) => error,
        ([], None) => Error::new(
            ErrorKind::InvalidCertificate,
            "no certificate is here: pass the certificate that was issued for the private key",
        ),
        (_, Some(error)) => error.context(
            "the private key belongs to none of the certificates that can be read, and one cannot be",
        ),
        // The messages that tell the algorithms apart.
        ([only], None) => match only
            .public_key()
            .and_then(|public_key| key.check_matches(public_key))
        {
            Err(error) => error,
            Ok(()) => Error::new(ErrorKind::KeyMismatch, MISMATCH),
        },
        (_, None) => Error::new(ErrorKind::KeyMismatch, MISMATCH),
    }
}

const MISMATCH: &str = "the private key belongs to none of the certificates: pass the key and the \
                        certificate of one request";
