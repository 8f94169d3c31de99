//! The public key of a certificate, in the form that makes equal keys equal bytes.

use alloc::{format, string::String};

use der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef};

use super::parse::{Malformed, algorithm, expect};
use crate::{Error, ErrorKind, KeyAlgorithm, PublicKey, Result};

/// The lengths of an RSA modulus that are taken, in bits. Below, the service's minimum is not known
/// and nobody should sign with it; above, no signer of this crate does.
const RSA_BITS: core::ops::RangeInclusive<u32> = 2048..=8192;

/// Reads a `SubjectPublicKeyInfo`.
pub(super) fn read(subject_public_key_info: &[u8]) -> Result<PublicKey> {
    let (oid, parameters, key) = split(subject_public_key_info).map_err(malformed)?;
    match &*oid {
        "1.2.840.113549.1.1.1" => rsa(key),
        "1.2.840.10045.2.1" => ec(parameters, key),
        "2.16.840.1.101.3.4.3.17" => ml_dsa(KeyAlgorithm::MlDsa44, 1312, key),
        "2.16.840.1.101.3.4.3.18" => ml_dsa(KeyAlgorithm::MlDsa65, 1952, key),
        "2.16.840.1.101.3.4.3.19" => ml_dsa(KeyAlgorithm::MlDsa87, 2592, key),
        "1.2.840.113549.1.1.7" => Err(unsupported("RSA-OAEP")),
        "1.2.840.113549.1.1.10" => Err(unsupported("RSA-PSS")),
        "1.2.840.10040.4.1" => Err(unsupported("DSA")),
        "1.2.840.10046.2.1" => Err(unsupported("Diffie-Hellman")),
        "1.3.101.110" => Err(unsupported("X25519")),
        "1.3.101.111" => Err(unsupported("X448")),
        "1.3.101.112" => Err(unsupported("Ed25519")),
        "1.3.101.113" => Err(unsupported("Ed448")),
        _ => Err(unsupported(&format!("of the algorithm {oid}"))),
    }
}

/// The algorithm's dotted OID and parameters, and the content of the BIT STRING.
fn split(
    subject_public_key_info: &[u8],
) -> core::result::Result<(String, Option<AnyRef<'_>>, &[u8]), Malformed> {
    let mut reader = SliceReader::new(subject_public_key_info)?;
    let (identifier, bits) = reader.sequence(|sequence| {
        Ok::<_, der::Error>((sequence.tlv_bytes()?, expect(sequence, Tag::BitString)?))
    })?;
    reader.finish()?;
    let (oid, parameters) = algorithm(identifier).ok_or(Malformed)?;
    match bits.split_first() {
        Some((0, key)) => Ok((oid, parameters, key)),
        _ => Err(Malformed),
    }
}

fn rsa(key: &[u8]) -> Result<PublicKey> {
    // `pkcs1` refuses integers that are negative or written with leading zeros, so that what it
    // takes is the one form of the key.
    let parsed = pkcs1::RsaPublicKeyRef::from_der(key).map_err(|_| malformed(Malformed))?;
    let modulus = parsed.modulus.as_bytes();
    let leading = modulus.first().map_or(8, |byte| byte.leading_zeros());
    let bits = u32::try_from(modulus.len()).unwrap_or(u32::MAX);
    let bits = bits.saturating_mul(8).saturating_sub(leading);
    if !RSA_BITS.contains(&bits) {
        return Err(unsupported(&format!("RSA of {bits} bits")));
    }
    Ok(PublicKey::new(KeyAlgorithm::Rsa { bits }, key.to_vec()))
}

fn ec(parameters: Option<AnyRef<'_>>, point: &[u8]) -> Result<PublicKey> {
    let Some(parameters) = parameters else {
        return Err(malformed(Malformed));
    };
    if parameters.tag() == Tag::Sequence {
        return Err(unsupported(
            "EC with explicit curve parameters instead of a named curve",
        ));
    }
    let curve = super::oid::dotted(parameters.value())
        .filter(|_| parameters.tag() == Tag::ObjectIdentifier)
        .ok_or_else(|| malformed(Malformed))?;
    let (algorithm, length) = match &*curve {
        "1.2.840.10045.3.1.7" => (KeyAlgorithm::EcP256, 32),
        "1.3.132.0.34" => (KeyAlgorithm::EcP384, 48),
        "1.3.132.0.35" => (KeyAlgorithm::EcP521, 66),
        "1.2.840.10045.3.1.1" => return Err(unsupported("EC P-192")),
        "1.3.132.0.10" => return Err(unsupported("EC secp256k1")),
        "1.3.132.0.33" => return Err(unsupported("EC P-224")),
        "1.3.36.3.3.2.8.1.1.7" => return Err(unsupported("EC brainpoolP256r1")),
        "1.3.36.3.3.2.8.1.1.11" => return Err(unsupported("EC brainpoolP384r1")),
        "1.3.36.3.3.2.8.1.1.13" => return Err(unsupported("EC brainpoolP512r1")),
        _ => return Err(unsupported(&format!("EC on the curve {curve}"))),
    };
    match point.split_first() {
        Some((4, rest)) if rest.len() == 2 * length => {
            Ok(PublicKey::new(algorithm, point.to_vec()))
        }
        Some((2 | 3, rest)) if rest.len() == length => decompress(algorithm, point),
        _ => Err(malformed(Malformed)),
    }
}

/// The uncompressed form of a compressed point (SEC 1, 2.3.4).
#[cfg(feature = "rustcrypto")]
fn decompress(algorithm: KeyAlgorithm, point: &[u8]) -> Result<PublicKey> {
    use p256::elliptic_curve::sec1::ToSec1Point;
    let uncompressed = match algorithm {
        KeyAlgorithm::EcP256 => p256::PublicKey::from_sec1_bytes(point)
            .map(|key| key.to_sec1_point(false).as_bytes().to_vec()),
        KeyAlgorithm::EcP384 => p384::PublicKey::from_sec1_bytes(point)
            .map(|key| key.to_sec1_point(false).as_bytes().to_vec()),
        _ => p521::PublicKey::from_sec1_bytes(point)
            .map(|key| key.to_sec1_point(false).as_bytes().to_vec()),
    };
    uncompressed
        .map(|bytes| PublicKey::new(algorithm, bytes))
        .map_err(|_| malformed(Malformed))
}

/// Without the arithmetic of the curves a compressed point cannot be compared.
#[cfg(not(feature = "rustcrypto"))]
fn decompress(algorithm: KeyAlgorithm, _point: &[u8]) -> Result<PublicKey> {
    Err(unsupported(&format!(
        "{algorithm} as a compressed point, which takes the feature `rustcrypto`"
    )))
}

fn ml_dsa(algorithm: KeyAlgorithm, length: usize, key: &[u8]) -> Result<PublicKey> {
    if key.len() != length {
        return Err(malformed(Malformed));
    }
    Ok(PublicKey::new(algorithm, key.to_vec()))
}

fn malformed(error: Malformed) -> Error {
    error.of("public key")
}

fn unsupported(what: &str) -> Error {
    let message = format!(
        "the certificate's public key is {what}: ask its issuer for one with an RSA key of 2,048 to \
         8,192 bits, an EC key on P-256, P-384 or P-521, or an ML-DSA key"
    );
    Error::new(ErrorKind::Unsupported, message)
}
