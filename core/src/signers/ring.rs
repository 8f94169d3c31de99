//! Signing and checking by ring, where it knows the key.

use alloc::{boxed::Box, vec};
use core::fmt;

use ::ring::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA256_ASN1,
        EcdsaKeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};

use super::{
    outcome::{check_algorithm, failed, mismatch, unusable},
    rustcrypto::{RustCryptoSigner, RustCryptoVerifier},
};
use crate::{
    KeyAlgorithm, PrivateKey, PublicKey, Result, Signature, SignatureVerifier, Signer,
    SigningAlgorithm, key::KeyMaterial,
};

/// Signs by ring: RSA of 2,048 to 4,096 bits, and EC P-256.
///
/// [`RustCryptoSigner`] signs the rest: longer RSA keys, P-384 (ring has it under SHA-384 only),
/// P-521, ML-DSA, and those RSA keys that ring refuses: a public exponent below 65,537, a modulus
/// whose length is no multiple of 512 bits, primes of different lengths or with the greater one
/// second.
///
/// ECDSA takes its nonces from the operating system's random numbers, on load and on every
/// signature. RSA takes none: ring computes it in constant time.
pub struct RingSigner {
    algorithm: KeyAlgorithm,
    key: Key,
}

enum Key {
    P256(Box<EcdsaKeyPair>, SystemRandom),
    Rsa(Box<RsaKeyPair>),
    RustCrypto(RustCryptoSigner),
}

impl RingSigner {
    /// Loads a private key. ring does not wipe the copy that it makes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when the numbers of an RSA key do not
    /// belong together. ring does not look at the private exponent, since it signs without it.
    pub fn new(key: &PrivateKey) -> Result<Self> {
        let algorithm = key.algorithm();
        let key = match (key.material(), algorithm) {
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP256) => {
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_ASN1_SIGNING,
                    scalar,
                    key.public_key().as_bytes(),
                    &random,
                )
                .map_err(|_| unusable(algorithm))?;
                Key::P256(Box::new(pair), random)
            }
            (KeyMaterial::Rsa(der), _) => match RsaKeyPair::from_der(der) {
                Ok(pair) => Key::Rsa(Box::new(pair)),
                // Either one of ring's own rules, or a bad key, which RustCrypto refuses too.
                Err(_) => Key::RustCrypto(RustCryptoSigner::new(key)?),
            },
            _ => Key::RustCrypto(RustCryptoSigner::new(key)?),
        };
        Ok(Self { algorithm, key })
    }
}

impl Signer for RingSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm.signing_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        match &self.key {
            Key::P256(pair, random) => {
                let signature = pair
                    .sign(random, message)
                    .map_err(|_| failed(self.algorithm))?;
                Signature::ecdsa_der(signature.as_ref())
            }
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // ring takes a source of random numbers here, and does not use it.
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(|_| failed(self.algorithm))?;
                Signature::rsa_pkcs1(&signature)
            }
            Key::RustCrypto(signer) => signer.sign(message),
        }
    }
}

impl fmt::Debug for RingSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingSigner")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Checks RSA, P-256 and P-384 by ring, P-521 and ML-DSA by [`RustCryptoVerifier`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RingVerifier;

impl SignatureVerifier for RingVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<()> {
        let algorithm: &'static dyn VerificationAlgorithm = match key.algorithm() {
            KeyAlgorithm::EcP256 => &ECDSA_P256_SHA256_ASN1,
            KeyAlgorithm::EcP384 => &ECDSA_P384_SHA256_ASN1,
            KeyAlgorithm::Rsa { .. } => &RSA_PKCS1_2048_8192_SHA256,
            _ => return RustCryptoVerifier.verify(key, message, signature),
        };
        check_algorithm(key, signature)?;
        UnparsedPublicKey::new(algorithm, key.as_bytes())
            .verify(message, signature.as_bytes())
            .map_err(|_| mismatch(key))
    }
}
