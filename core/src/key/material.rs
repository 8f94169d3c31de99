//! The secret part of a private key, in the one form per kind that every signer can take.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// What a signer is built from. Wiped when dropped.
pub(crate) enum KeyMaterial {
    /// The private scalar, big endian, exactly 32 (P-256), 48 (P-384) or 66 (P-521) bytes.
    Ec(Zeroizing<Vec<u8>>),
    /// An ML-DSA key as its 32-byte seed ξ (FIPS 204, KeyGen_internal), or, when the file held no
    /// seed, as the expanded key (2,560, 4,032 or 4,896 bytes).
    MlDsa {
        seed: Option<Zeroizing<[u8; 32]>>,
        expanded: Option<Zeroizing<Vec<u8>>>,
    },
    /// PKCS#1 `RSAPrivateKey` DER, two primes.
    Rsa(Zeroizing<Vec<u8>>),
}
