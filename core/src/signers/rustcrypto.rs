//! Signing and checking in pure Rust, by RustCrypto's crates. It needs no operating system and no
//! entropy, so that a wasm of the core has no imports.

mod blinding;
mod verifier;

pub use verifier::RustCryptoVerifier;

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use ::rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, traits::PrivateKeyParts};
use der::Decode;
use ecdsa::{EcdsaCurve, hazmat::sign_prehashed_rfc6979};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use p256::elliptic_curve::{CurveArithmetic, SecretKey};
use pkcs1::RsaPrivateKeyRef;
use sha2::Sha256;
use zeroize::Zeroizing;

use self::blinding::{Blinding, BlindingKey};
use super::outcome::{failed, unusable};
use crate::{
    KeyAlgorithm, PrivateKey, Result, Signature, Signer, SigningAlgorithm, encoding,
    key::KeyMaterial,
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

    fn signature(&self, message: &[u8]) -> Option<Result<Signature>> {
        match &self.key {
            Key::MlDsa(sign) => Some(Signature::mldsa(&sign(message)?)),
            Key::P256(key) => Some(ecdsa(key, message)),
            Key::P384(key) => Some(ecdsa(key, message)),
            Key::P521(key) => Some(ecdsa(key, message)),
            Key::Rsa(key, blinding_key) => {
                let digest = encoding::sha256(message);
                let mut blinding = Blinding::new(blinding_key, &digest);
                let signature = key
                    .sign_with_rng(&mut blinding, pkcs1v15_sha256(), &digest)
                    .ok()?;
                Some(Signature::rsa_pkcs1(&signature))
            }
        }
    }
}

impl Signer for RustCryptoSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm.signing_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        self.signature(message)
            .unwrap_or_else(|| Err(failed(self.algorithm)))
    }
}

impl fmt::Debug for RustCryptoSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustCryptoSigner")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// ECDSA over SHA-256 with the nonce of RFC 6979 under the same hash, on any curve. A digest shorter
/// than the order is the number that it is; no order here is shorter than the digest.
fn ecdsa<C>(key: &SecretKey<C>, message: &[u8]) -> Result<Signature>
where
    C: EcdsaCurve + CurveArithmetic,
    ecdsa::der::MaxSize<C>: p256::elliptic_curve::array::ArraySize,
    <p256::elliptic_curve::FieldBytesSize<C> as core::ops::Add>::Output:
        core::ops::Add<ecdsa::der::MaxOverhead> + p256::elliptic_curve::array::ArraySize,
{
    let digest = encoding::sha256(message);
    let scalar = Zeroizing::new(key.to_nonzero_scalar());
    let (signature, _) = sign_prehashed_rfc6979::<C, Sha256>(&scalar, &digest, &[]);
    Signature::ecdsa_der(signature.to_der().as_bytes())
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
    let key = RsaPrivateKeyRef::from_der(der).ok()?;
    let number = |digits: der::asn1::UintRef<'_>| BigUint::from_bytes_be(digits.as_bytes());
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

/// RSASSA-PKCS1-v1_5 with SHA-256. The prefix is the `DigestInfo` of RFC 8017, 9.2, note 1; it is
/// written out since `rsa` 0.9 would take it from an older generation of `sha2`.
fn pkcs1v15_sha256() -> Pkcs1v15Sign {
    const DIGEST_INFO: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    Pkcs1v15Sign {
        hash_len: Some(32),
        prefix: Box::new(DIGEST_INFO),
    }
}

#[cfg(test)]
mod tests;
