//! Keys: the algorithm, the public half, and the private half that goes in and never out.

mod material;

pub(crate) use material::KeyMaterial;

use alloc::vec::Vec;
use core::fmt;

use crate::SigningAlgorithm;

/// The kinds of key that the service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256 (secp256r1).
    EcP256,
    /// ECDSA on NIST P-384 (secp384r1).
    EcP384,
    /// ECDSA on NIST P-521 (secp521r1).
    EcP521,
    /// ML-DSA-44 (FIPS 204).
    MlDsa44,
    /// ML-DSA-65 (FIPS 204).
    MlDsa65,
    /// ML-DSA-87 (FIPS 204).
    MlDsa87,
    /// RSA.
    Rsa {
        /// The length of the modulus in bits, 2,048 to 8,192.
        bits: u32,
    },
}

impl KeyAlgorithm {
    /// How such a key signs requests.
    pub const fn signing_algorithm(self) -> SigningAlgorithm {
        match self {
            Self::EcP256 | Self::EcP384 | Self::EcP521 => SigningAlgorithm::EcdsaSha256,
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => SigningAlgorithm::MlDsa,
            Self::Rsa { .. } => SigningAlgorithm::RsaSha256,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("EC P-256"),
            Self::EcP384 => f.write_str("EC P-384"),
            Self::EcP521 => f.write_str("EC P-521"),
            Self::MlDsa44 => f.write_str("ML-DSA-44"),
            Self::MlDsa65 => f.write_str("ML-DSA-65"),
            Self::MlDsa87 => f.write_str("ML-DSA-87"),
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
        }
    }
}

/// A public key, in the form that makes equal keys equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// `bytes` must be in the form that [`as_bytes`](Self::as_bytes) documents.
    pub(crate) fn new(algorithm: KeyAlgorithm, bytes: Vec<u8>) -> Self {
        Self { algorithm, bytes }
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The content of the `subjectPublicKey` bit string: an RSA key as PKCS#1 `RSAPublicKey` DER, an
    /// EC key as the uncompressed point `04‖X‖Y`, an ML-DSA key raw.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A private key: bytes go in, never out. Not `Clone`; wiped when dropped.
pub struct PrivateKey {
    material: KeyMaterial,
    public_key: PublicKey,
}

impl PrivateKey {
    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public_key.algorithm()
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// For the signers of this crate only.
    pub(crate) fn material(&self) -> &KeyMaterial {
        &self.material
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
