//! Whether one certificate's key signed another, to choose among namesakes. The service verifies for
//! itself.

use super::{Certificate, HashAlgorithm, SignatureAlgorithm, parse};
use crate::{
    KeyAlgorithm,
    signers::rustcrypto::{HashAlgorithm as Hash, is_signature},
};

/// `None` where it cannot be told.
pub(super) fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> Option<bool> {
    let key = issuer.public_key().ok()?;
    let (hash, fits) = match (certificate.signature_algorithm(), key.algorithm()) {
        (SignatureAlgorithm::Rsa(hash), of) => {
            (known(hash)?, matches!(of, KeyAlgorithm::Rsa { .. }))
        }
        (SignatureAlgorithm::Ecdsa(hash), of) => {
            use KeyAlgorithm::{EcP256, EcP384, EcP521};
            (known(hash)?, matches!(of, EcP256 | EcP384 | EcP521))
        }
        // ML-DSA hashes for itself.
        (SignatureAlgorithm::MlDsa44, of) => (Hash::Sha256, of == KeyAlgorithm::MlDsa44),
        (SignatureAlgorithm::MlDsa65, of) => (Hash::Sha256, of == KeyAlgorithm::MlDsa65),
        (SignatureAlgorithm::MlDsa87, of) => (Hash::Sha256, of == KeyAlgorithm::MlDsa87),
        _ => return None,
    };
    let (message, signature) = parse::signed(certificate.as_der())?;
    Some(fits && is_signature(key, hash, message, signature))
}

fn known(hash: &HashAlgorithm) -> Option<Hash> {
    match hash {
        HashAlgorithm::Sha256 => Some(Hash::Sha256),
        HashAlgorithm::Sha384 => Some(Hash::Sha384),
        HashAlgorithm::Sha512 => Some(Hash::Sha512),
        _ => None,
    }
}
