//! The secret part of a private key, in the one form per kind that every signer can take.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// What a signer is built from. Wiped when dropped.
#[cfg_attr(not(feature = "rustcrypto"), allow(dead_code))] // there is no signer without it
pub(crate) enum KeyMaterial {
    /// The private scalar, big endian, exactly 32 (P-256), 48 (P-384) or 66 (P-521) bytes.
    Ec(Zeroizing<Vec<u8>>),
    /// An ML-DSA key that was given as its expanded form alone: 2,560, 4,032 or 4,896 bytes.
    MlDsaExpanded(Zeroizing<Vec<u8>>),
    /// An ML-DSA key as its seed ξ (FIPS 204, KeyGen_internal), from which all else follows.
    MlDsaSeed(Zeroizing<[u8; 32]>),
    /// PKCS#1 `RSAPrivateKey` in DER, two primes.
    Rsa(Zeroizing<Vec<u8>>),
}
