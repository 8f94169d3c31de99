//! Signing and checking in pure Rust, by RustCrypto's crates. It needs no operating system and no
//! entropy, so that a wasm of the core has no imports.

mod blinding;
mod verifier;

pub use verifier::RustCryptoVerifier;
#[cfg(feature = "issuer-signatures")]
pub(crate) use verifier::is_signature;

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use ::rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, traits::PrivateKeyParts};
use ecdsa::{EcdsaCurve, hazmat::sign_prehashed_rfc6979};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use p256::elliptic_curve::{CurveArithmetic, SecretKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use self::blinding::{Blinding, BlindingKey};
use super::outcome::{failed, unusable};
use crate::{
    KeyAlgorithm, PrivateKey, Result, Signature, Signer, SigningAlgorithm, encoding,
    key::{KeyMaterial, RsaNumbers},
};

/// Signs with any key in pure Rust. Every signature is deterministic.
///
/// - RSA by `rsa`, blinded: see below.
/// - EC by `p256`, `p384` and `p521`, with nonces of RFC 6979 under HMAC-SHA-256.
/// - ML-DSA by `ml-dsa`, in the deterministic variant of FIPS 204 with an empty context.
///
/// # RSA and timing
///
/// `rsa` 0.9 does not compute in constant time (RUSTSEC-2023-0071), so each signature is blinded: the
/// private operation works on m·rᵉ for an r that nobody outside can know. That r comes from an
/// HMAC-DRBG that is keyed with the private key and the message, as RFC 6979 takes its nonces. To one
/// who lacks the private key it is as good as random, whatever messages he chooses. Signing a message
/// again repeats r, and with it the whole computation: there is nothing new to time. The Marvin attack
/// behind the advisory also needs a secret result; a signature is public. After the operation the
/// signature is checked under the public key, so that a fault in it gives an error and not a
/// signature that tells a prime.
pub struct RustCryptoSigner {
    algorithm: KeyAlgorithm,
    key: Key,
}

/// A loaded key. All of them wipe themselves.
enum Key {
    MlDsa(Box<MlDsa>),
    P256(SecretKey<p256::NistP256>),
    P384(SecretKey<p384::NistP384>),
    P521(SecretKey<p521::NistP521>),
    Rsa(Box<RsaPrivateKey>, BlindingKey),
}

/// Signs a message with an ML-DSA key that stands inside.
type MlDsa = dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync;

impl RustCryptoSigner {
    /// Loads a private key; its copy in the signer is wiped when the signer is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when the numbers of an RSA key do not
    /// belong together.
    pub fn new(key: &PrivateKey) -> Result<Self> {
        let algorithm = key.algorithm();
        let key = match (key.material(), algorithm) {
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP256) => {
                SecretKey::from_slice(scalar).ok().map(Key::P256)
            }
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP384) => {
                SecretKey::from_slice(scalar).ok().map(Key::P384)
            }
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP521) => {
                SecretKey::from_slice(scalar).ok().map(Key::P521)
            }
            (KeyMaterial::Rsa(der), KeyAlgorithm::Rsa { .. }) => {
                rsa(der).map(|key| Key::Rsa(Box::new(key), BlindingKey::new(der)))
            }
            (material, KeyAlgorithm::MlDsa44) => ml_dsa::<MlDsa44>(material),
            (material, KeyAlgorithm::MlDsa65) => ml_dsa::<MlDsa65>(material),
            (material, KeyAlgorithm::MlDsa87) => ml_dsa::<MlDsa87>(material),
            // `PrivateKey` never joins other material to an algorithm.
            _ => None,
        }
        .ok_or_else(|| unusable(algorithm))?;
        Ok(Self { algorithm, key })
    }

    /// Signs a message, which is not hashed yet, under the given hash function. The service takes
    /// SHA-256 alone, which is what [`sign`](Signer::sign) signs under; this is for tools that try a
    /// key out. ML-DSA signs the message itself, whatever the hash function.
    ///
    /// # Errors
    /// As [`sign`](Signer::sign).
    pub fn sign_under(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        self.signature(hash, message)
            .unwrap_or_else(|| Err(failed(self.algorithm)))
    }

    fn signature(&self, hash: HashAlgorithm, message: &[u8]) -> Option<Result<Signature>> {
        match &self.key {
            Key::MlDsa(sign) => Some(Signature::mldsa(&sign(message)?)),
            Key::P256(key) => Some(ecdsa(key, hash, message)),
            Key::P384(key) => Some(ecdsa(key, hash, message)),
            Key::P521(key) => Some(ecdsa(key, hash, message)),
            Key::Rsa(key, blinding_key) => {
                let mut blinding = Blinding::new(blinding_key, &encoding::sha256(message));
                let signature = key
                    .sign_with_rng(&mut blinding, pkcs1v15(hash), &hash.digest(message))
                    .ok()?;
                Some(Signature::rsa_pkcs1(&signature))
            }
        }
    }
}

/// The hash function under a signature; see [`RustCryptoSigner::sign_under`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256, the service's.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

impl Signer for RustCryptoSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm.signing_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        self.sign_under(HashAlgorithm::Sha256, message)
    }
}

impl fmt::Debug for RustCryptoSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustCryptoSigner")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// ECDSA with the nonce of RFC 6979 under the same hash, on any curve. A digest shorter than the order
/// is the number that it is; of a longer one the leading bits count (FIPS 186-5, 6.4.1).
fn ecdsa<C>(key: &SecretKey<C>, hash: HashAlgorithm, message: &[u8]) -> Result<Signature>
where
    C: EcdsaCurve + CurveArithmetic,
{
    let digest = hash.digest(message);
    let scalar = Zeroizing::new(key.to_nonzero_scalar());
    let (signature, _) = match hash {
        HashAlgorithm::Sha256 => sign_prehashed_rfc6979::<C, Sha256>(&scalar, &digest, &[]),
        HashAlgorithm::Sha384 => sign_prehashed_rfc6979::<C, Sha384>(&scalar, &digest, &[]),
        HashAlgorithm::Sha512 => sign_prehashed_rfc6979::<C, Sha512>(&scalar, &digest, &[]),
    };
    Signature::ecdsa_p1363(&signature.to_bytes())
}

/// Loads an ML-DSA key and returns what signs with it: deterministic, with an empty context.
fn ml_dsa<P: MlDsaParams + 'static>(material: &KeyMaterial) -> Option<Key> {
    match material {
        KeyMaterial::MlDsaSeed(seed) => {
            let key = ml_dsa::SigningKey::<P>::from_seed((&**seed).into());
            Some(Key::MlDsa(Box::new(move |message| {
                let signature = key.expanded_key().sign_deterministic(message, &[]).ok()?;
                Some(signature.encode().to_vec())
            })))
        }
        KeyMaterial::MlDsaExpanded(expanded) => {
            let bytes: ml_dsa::ExpandedSigningKeyBytes<P> = expanded.as_slice().try_into().ok()?;
            let bytes = Zeroizing::new(bytes);
            // Deprecated in favour of the seed, which the key's file did not hold. It panics on
            // coefficients out of bounds: `PrivateKey` lets none through.
            #[allow(deprecated)]
            let key = Box::new(ml_dsa::ExpandedSigningKey::<P>::from_expanded(&bytes));
            Some(Key::MlDsa(Box::new(move |message| {
                let signature = key.sign_deterministic(message, &[]).ok()?;
                Some(signature.encode().to_vec())
            })))
        }
        _ => None,
    }
}

/// Loads an RSA key, which checks that n = p·q and that d is the inverse of e.
fn rsa(der: &[u8]) -> Option<RsaPrivateKey> {
    let key = RsaNumbers::parse(der)?;
    let number = BigUint::from_bytes_be;
    let key = RsaPrivateKey::from_components(
        number(key.modulus),
        number(key.public_exponent),
        number(key.private_exponent),
        alloc::vec![number(key.prime1), number(key.prime2)],
    )
    .ok()?;
    // Without them the private operation takes another, slower path.
    key.qinv().is_some().then_some(key)
}

/// RSASSA-PKCS1-v1_5. The prefix is the `DigestInfo` of RFC 8017, 9.2, note 1; it is written out since
/// `rsa` 0.9 would take it from an older generation of `sha2`.
fn pkcs1v15(hash: HashAlgorithm) -> Pkcs1v15Sign {
    // The total length, the last arc of the object identifier, and the digest's length.
    let (total, arc, length) = match hash {
        HashAlgorithm::Sha256 => (0x31, 0x01, 0x20),
        HashAlgorithm::Sha384 => (0x41, 0x02, 0x30),
        HashAlgorithm::Sha512 => (0x51, 0x03, 0x40),
    };
    let digest_info = [
        0x30, total, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc,
        0x05, 0x00, 0x04, length,
    ];
    Pkcs1v15Sign {
        hash_len: Some(usize::from(length)),
        prefix: Box::new(digest_info),
    }
}

#[cfg(test)]
mod tests;
