//! Keys: the algorithm, the public half, and the private half that goes in and never out.

mod algorithm;
#[cfg(not(feature = "containers"))]
mod closed;
mod container;
mod ec;
#[cfg(feature = "containers")]
mod encrypted;
#[cfg(feature = "export-private-key")]
mod export;
#[cfg(feature = "containers")]
mod legacy_pem;
mod limits;
mod material;
mod ml_dsa;
mod pair;
#[cfg(feature = "containers")]
mod pbe;
mod pem;
#[cfg(feature = "containers")]
mod pkcs12;
mod refusal;
mod rsa;
mod store;

#[cfg(not(feature = "containers"))]
pub(crate) use closed::{Contents, closed};
pub use container::MAX_PRIVATE_KEY_LENGTH;
pub use limits::{MAX_KDF_ITERATIONS, MAX_PKCS12_LENGTH, MAX_SCRYPT_MEMORY};
pub(crate) use material::KeyMaterial;
pub(crate) use pair::{Pair, pair};
pub(crate) use pem::{
    is_encrypted as is_encrypted_section, is_key, no_key, opened as opened_section,
};
#[cfg(feature = "containers")]
pub(crate) use pkcs12::Contents;
#[cfg(feature = "rustcrypto")]
pub(crate) use rsa::{RsaNumbers, public_numbers as rsa_public_numbers};
pub(crate) use store::key_store;

use alloc::{format, vec::Vec};
use core::fmt;

use zeroize::Zeroizing;

use crate::{
    Certificate, CertificateChain, Error, ErrorKind, Result, SigningAlgorithm,
    elements::{AlgorithmIdentifier, BIT_STRING, Elements, SEQUENCE, outermost},
};
use algorithm::Family;
#[cfg(not(feature = "containers"))]
use closed::{decrypt_pem, decrypt_pkcs8};
#[cfg(feature = "containers")]
use {encrypted::decrypt as decrypt_pkcs8, legacy_pem::decrypt as decrypt_pem};

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

    /// Reads a `SubjectPublicKeyInfo` in DER (RFC 5280, 4.1.2.7): what a certificate holds and what
    /// `openssl pkey -pubout -outform DER` writes.
    ///
    /// A point of an EC key may be compressed where the feature `rustcrypto` is on, and is then
    /// checked to lie on its curve; without the feature it is neither.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when it cannot be read; [`ErrorKind::Unsupported`] naming a kind of
    /// key that the service does not take.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        let Some((algorithm, bits)) = spki(der) else {
            return Err(malformed(
                "the public key is not a readable `SubjectPublicKeyInfo` (RFC 5280)",
            ));
        };
        let family = Family::identify(&algorithm)?;
        // The first byte of a bit string counts the bits that are missing at its end.
        let [0, key @ ..] = bits else {
            return Err(malformed("the public key is not whole bytes"));
        };
        match family {
            Family::Ec(curve) => ec::public_key(curve, key),
            Family::MlDsa(set) => ml_dsa::public_key(set, key),
            Family::Rsa => rsa::public_key(key),
        }
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

/// The fields of a `SubjectPublicKeyInfo`.
fn spki(der: &[u8]) -> Option<(AlgorithmIdentifier<'_>, &[u8])> {
    let mut info = Elements::within(der, SEQUENCE)?;
    Some((info.algorithm()?, info.only(BIT_STRING)?))
}

/// A private key: bytes go in, never out. Not `Clone`; wiped when dropped.
///
/// The caller owns the bytes that it passes in, and wipes them. Copies that are made on the way are
/// wiped here.
pub struct PrivateKey {
    material: KeyMaterial,
    public_key: PublicKey,
}

impl PrivateKey {
    /// Reads a private key in DER that is not encrypted: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) or
    /// SEC1 (RFC 5915), told apart by their structure. ML-DSA keys may have any of the three forms
    /// of RFC 9881. What stands behind the key is passed over, as by OpenSSL.
    ///
    /// An EC key that names no curve, as BouncyCastle writes some, is read where its public half tells the
    /// curve; [`IdentityFiles`](crate::IdentityFiles) takes the curve of its certificate.
    ///
    /// A public half is derived, and compared with the one that the key carries where it carries
    /// one. Both need the feature `rustcrypto` (on by default); without it, EC and ML-DSA keys must
    /// carry their public half, and it is believed.
    ///
    /// Whether the numbers of an RSA key belong together is found out by the signer that is made
    /// from it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when the bytes cannot be read, are longer than
    /// [`MAX_PRIVATE_KEY_LENGTH`], or are something else than a private key, which the message
    /// names; [`ErrorKind::PasswordRequired`] when they are an encrypted key;
    /// [`ErrorKind::Unsupported`] naming a kind of key that the service or this build does not take.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        container::private_key(der, &[])
    }

    /// Reads the private key of a PEM text. Certificates, `EC PARAMETERS` and other blocks may stand
    /// before or after it, in any order; more than one private key may not.
    ///
    /// The password is used only if the key is encrypted; the caller owns and wipes it.
    ///
    /// # Errors
    /// As for [`from_der`](Self::from_der), and [`ErrorKind::WrongPassword`] when the password does
    /// not open the key; [`ErrorKind::Unsupported`] when the key is encrypted and the feature
    /// `containers` is off.
    pub fn from_pem(pem: &[u8], password: Option<&[u8]>) -> Result<Self> {
        pem::private_key(pem, password)
    }

    /// Reads a private key in any form that has one: PEM, DER (encrypted or not), PKCS#12. Of a
    /// PKCS#12 file its one key is taken, with or without a certificate.
    ///
    /// [`IdentityFiles`](crate::IdentityFiles) reads a key together with its certificate.
    ///
    /// # Errors
    /// As for [`from_der`](Self::from_der), [`from_pem`](Self::from_pem) and
    /// [`from_pkcs12`](Self::from_pkcs12).
    pub fn from_bytes(bytes: &[u8], password: Option<&[u8]>) -> Result<Self> {
        crate::identity_files::private_key(bytes, password)
    }

    /// Reads the private key of a PKCS#12 file (`.p12`, `.pfx`; RFC 7292, in DER or BER) and the chain
    /// of its certificate.
    ///
    /// The certificate is found by its public key. Of several certificates of one key the end
    /// entity's and newest is taken; the others of the file are passed to
    /// [`CertificateChain::new`], which orders them and drops the root. Bags of other kinds (CRLs,
    /// secrets) are passed over.
    ///
    /// The password is UTF-8; the caller owns and wipes it. `None` opens a file without encryption,
    /// and one with an empty password, in either of the two forms that tools give it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongPassword`] when the MAC does not fit the password, or without a MAC the
    /// decryption; [`ErrorKind::PasswordRequired`] when there is none and an empty one does not do;
    /// [`ErrorKind::Unsupported`] naming a scheme that is not read, a file that asks for more work
    /// than [`MAX_KDF_ITERATIONS`] or [`MAX_SCRYPT_MEMORY`], or a kind of key, and any file where the
    /// feature `containers` is off;
    /// [`ErrorKind::InvalidKey`] when the file is damaged, longer than [`MAX_PKCS12_LENGTH`], holds
    /// no key, or several with a certificate each (the message names them);
    /// [`ErrorKind::InvalidCertificate`] when it holds no certificate; [`ErrorKind::KeyMismatch`]
    /// when none belongs to the key.
    pub fn from_pkcs12(file: &[u8], password: Option<&[u8]>) -> Result<(Self, CertificateChain)> {
        let Contents { keys, certificates } = Contents::read(file, password)?;
        let keys = keys.iter().map(|der| Self::from_der(der)).collect();
        let certificates = certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect();
        let Pair {
            key,
            end_entity,
            others,
            unreadable,
        } = pair(keys, certificates).map_err(|error| error.context("the PKCS#12 file"))?;
        let chain = CertificateChain::new(end_entity, others)?;
        Ok((key, chain.beside(unreadable)))
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public_key.algorithm()
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Checks that this key is the private half of `public_key`, the certificate's.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`], naming both kinds of key when they differ.
    pub fn check_matches(&self, public_key: &PublicKey) -> Result<()> {
        if self.public_key == *public_key {
            return Ok(());
        }
        let (own, other) = (self.algorithm(), public_key.algorithm());
        let message = if own == other {
            format!(
                "the private key does not belong to the certificate, though both are {own}: pass \
                 the key and the certificate of one request"
            )
        } else {
            format!(
                "the private key is {own} and the certificate's key is {other}: pass the pair that \
                 belongs together"
            )
        };
        Err(Error::new(ErrorKind::KeyMismatch, message))
    }

    /// For the signers of this crate only.
    #[cfg_attr(not(feature = "rustcrypto"), allow(dead_code))] // there is no signer without it
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

/// [`PrivateKey::from_der`], beside the public keys of certificates, of which one may be its.
pub(crate) fn beside(der: &[u8], certified: &[&PublicKey]) -> Result<PrivateKey> {
    container::private_key(der, certified)
}

/// A key in DER without its encryption (PKCS#8), where it has one.
pub(crate) fn opened(der: &[u8], password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    let der = outermost(der);
    if container::is_encrypted(der) {
        decrypt_pkcs8(der, password)
    } else {
        Ok(Zeroizing::new(der.to_vec()))
    }
}

/// The refusal of a key that cannot be read, or whose parts contradict one another.
fn malformed(what: &str) -> Error {
    Error::written(
        ErrorKind::InvalidKey,
        format_args!("{what}: the file is damaged or its writer is at fault, export the key again"),
    )
}
