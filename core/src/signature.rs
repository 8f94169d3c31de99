//! Signatures, who makes them, and who checks them.

use alloc::{boxed::Box, format, vec::Vec};
use core::fmt;

use crate::{Error, ErrorKind, Result, encoding, key::PublicKey};

/// The longest signature that is accepted, in bytes: ML-DSA-87's 4,627 is the longest there is.
pub const MAX_SIGNATURE_LENGTH: usize = 4627;

/// How a request is signed: the algorithm that the `Authorization` header names.
///
/// Source: the service's user guide, "signing process"; ML-DSA since February 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// ECDSA over SHA-256, whatever the curve; the signature is ASN.1 DER.
    EcdsaSha256,
    /// Pure ML-DSA with an empty context over the string to sign itself, for every parameter set.
    MlDsa,
    /// RSASSA-PKCS1-v1_5 over SHA-256.
    RsaSha256,
}

impl SigningAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::EcdsaSha256, Self::MlDsa, Self::RsaSha256];

    /// The name in the `Authorization` header and in the string to sign.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaSha256 => "AWS4-X509-ECDSA-SHA256",
            Self::MlDsa => "AWS4-X509-MLDSA",
            Self::RsaSha256 => "AWS4-X509-RSA-SHA256",
        }
    }

    /// The algorithm of that name, `None` when there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name)
    }

    /// Whether a signer may be handed the SHA-256 digest of the message instead of the message.
    /// ML-DSA signs the message itself.
    pub const fn signs_digest(self) -> bool {
        !matches!(self, Self::MlDsa)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A signature in the form that the service takes: not a secret, but only as good as its maker.
///
/// Each constructor names the form that it is given; forms are never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    algorithm: SigningAlgorithm,
    bytes: Vec<u8>,
}

impl Signature {
    /// An ECDSA signature in ASN.1 DER (`SEQUENCE { r INTEGER, s INTEGER }`): OpenSSL, KMS, Java,
    /// Go, Secure Enclave.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when it is no canonical DER of two positive integers.
    pub fn ecdsa_der(der: &[u8]) -> Result<Self> {
        if !ecdsa::is_canonical_der(der) {
            return Err(failed(
                "the signer's ECDSA signature is not DER: if it is r‖s, use `ecdsa_p1363`",
            ));
        }
        Ok(Self {
            algorithm: SigningAlgorithm::EcdsaSha256,
            bytes: der.to_vec(),
        })
    }

    /// An ECDSA signature as r‖s, both of the curve's length (IEEE P1363): WebCrypto, PKCS#11, JOSE.
    /// It becomes DER here.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when the length is not that of P-256 (64 bytes), P-384 (96) or
    /// P-521 (132), or r or s is zero.
    pub fn ecdsa_p1363(r_s: &[u8]) -> Result<Self> {
        let bytes = ecdsa::der_from_p1363(r_s).ok_or_else(|| {
            failed("the signer's ECDSA signature is not r‖s of P-256, P-384 or P-521: if it is DER, use `ecdsa_der`")
        })?;
        Ok(Self {
            algorithm: SigningAlgorithm::EcdsaSha256,
            bytes,
        })
    }

    /// An RSASSA-PKCS1-v1_5 signature: as long as the modulus, big endian.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when the length is not 256 to 1,024 bytes (2,048 to 8,192 bits).
    pub fn rsa_pkcs1(bytes: &[u8]) -> Result<Self> {
        if !(256..=1024).contains(&bytes.len()) {
            return Err(failed(&format!(
                "the signer's RSA signature has {} bytes: 256 to 1,024 are expected",
                bytes.len()
            )));
        }
        Ok(Self {
            algorithm: SigningAlgorithm::RsaSha256,
            bytes: bytes.to_vec(),
        })
    }

    /// An ML-DSA signature (FIPS 204): 2,420, 3,309 or 4,627 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when the length is another.
    pub fn mldsa(bytes: &[u8]) -> Result<Self> {
        if ![2420, 3309, MAX_SIGNATURE_LENGTH].contains(&bytes.len()) {
            return Err(failed(&format!(
                "the signer's ML-DSA signature has {} bytes: 2,420, 3,309 or 4,627 are expected",
                bytes.len()
            )));
        }
        Ok(Self {
            algorithm: SigningAlgorithm::MlDsa,
            bytes: bytes.to_vec(),
        })
    }

    /// The algorithm that the constructor named.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The bytes that the `Authorization` header carries in hexadecimal.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lower-case hexadecimal, as the `Authorization` header writes it.
    pub fn to_hex(&self) -> alloc::string::String {
        encoding::hex(&self.bytes)
    }
}

fn failed(message: &str) -> Error {
    Error::new(ErrorKind::SigningFailed, message)
}

/// Signs with a private key that it holds or reaches.
///
/// A host whose signer is asynchronous does not need this trait: it takes the string to sign from
/// [`UnsignedRequest`](crate::session::UnsignedRequest), signs it as it likes and passes a
/// [`Signature`] back.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The algorithm, which follows from the key.
    fn algorithm(&self) -> SigningAlgorithm;

    /// Signs a message. The message is **not** hashed: RSA and ECDSA signers hash it with SHA-256
    /// first, whatever the curve; ML-DSA signers take it as it is, with an empty context.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] saying why, without any part of the key.
    fn sign(&self, message: &[u8]) -> Result<Signature>;
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn algorithm(&self) -> SigningAlgorithm {
        (**self).algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        (**self).sign(message)
    }
}

/// Checks signatures under a public key.
pub trait SignatureVerifier: fmt::Debug + Send + Sync {
    /// Checks that `signature` was made over `message` (not hashed, as for [`Signer::sign`]) with
    /// the private half of `key`.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`] when the algorithm is not the key's or the signature is not valid;
    /// [`ErrorKind::Unsupported`] when this verifier does not know the key's kind.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<()>;
}

/// The two forms of an ECDSA signature.
mod ecdsa {
    use alloc::vec::Vec;

    use crate::elements::{Elements, SEQUENCE, encode, encode_natural};

    pub(super) fn is_canonical_der(der: &[u8]) -> bool {
        // P-521's integers have at most 66 bytes.
        let fits = |digits: &[u8]| digits.len() <= 66 && digits.iter().any(|digit| *digit != 0);
        let integers = || {
            let mut value = Elements::within(der, SEQUENCE)?;
            let integers = (value.natural()?, value.natural()?);
            value.finish()?;
            Some(integers)
        };
        integers().is_some_and(|(r, s)| fits(r) && fits(s))
    }

    pub(super) fn der_from_p1363(bytes: &[u8]) -> Option<Vec<u8>> {
        if ![64, 96, 132].contains(&bytes.len()) {
            return None;
        }
        let (r, s) = bytes.split_at_checked(bytes.len() / 2)?;
        if [r, s]
            .iter()
            .any(|integer| integer.iter().all(|digit| *digit == 0))
        {
            return None;
        }
        let der = encode(SEQUENCE, &[&encode_natural(r), &encode_natural(s)]);
        Some(der.to_vec())
    }
}

#[cfg(test)]
mod tests;
