//! Signing and checking by AWS-LC, through aws-lc-rs.
//!
//! AWS-LC gathers entropy from the processor's jitter when the process first needs a random number,
//! which costs about 40 ms of processor time. Build with `AWS_LC_SYS_NO_JITTER_ENTROPY=1` in the
//! environment, and it takes the operating system's random numbers alone. This workspace does so in
//! its `.cargo/config.toml`; whoever builds the crate elsewhere sets it himself.

use alloc::{boxed::Box, vec, vec::Vec};
use core::fmt;

use aws_lc_rs::{
    digest::{Digest, SHA384, SHA384_OUTPUT_LEN},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA256_ASN1,
        ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA256_ASN1_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65,
        ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};

use super::{
    outcome::{check_algorithm, failed, mismatch, unusable},
    rustcrypto::RustCryptoSigner,
};
use crate::{
    KeyAlgorithm, PrivateKey, PublicKey, Result, Signature, SignatureVerifier, Signer,
    SigningAlgorithm, encoding, key::KeyMaterial,
};

/// Signs with any key by AWS-LC. An RSA key that AWS-LC refuses for a rule of its own is signed by
/// [`RustCryptoSigner`].
///
/// ECDSA nonces, ML-DSA's hedging (FIPS 204, algorithm 2) and RSA's blinding take the operating
/// system's random numbers, on every signature.
pub struct AwsLcSigner {
    algorithm: KeyAlgorithm,
    key: Key,
}

enum Key {
    /// P-256 and P-521, which hash with SHA-256 themselves.
    Ec(Box<EcdsaKeyPair>),
    MlDsa(Box<PqdsaKeyPair>),
    /// P-384, which is handed the digest: see [`sha256_as_sha384`].
    P384(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
    RustCrypto(RustCryptoSigner),
}

impl AwsLcSigner {
    /// Loads a private key; AWS-LC wipes its copy when the signer is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when the numbers of the key do not
    /// belong together.
    pub fn new(key: &PrivateKey) -> Result<Self> {
        let algorithm = key.algorithm();
        let ec = |scalar: &[u8], kind: &'static EcdsaSigningAlgorithm| {
            EcdsaKeyPair::from_private_key_and_public_key(kind, scalar, key.public_key().as_bytes())
                .map(Box::new)
                .map_err(|_| unusable(algorithm))
        };
        let ml_dsa = |kind: &'static PqdsaSigningAlgorithm| {
            match key.material() {
                KeyMaterial::MlDsaExpanded(key) => PqdsaKeyPair::from_raw_private_key(kind, key),
                KeyMaterial::MlDsaSeed(seed) => PqdsaKeyPair::from_seed(kind, &**seed),
                // `PrivateKey` never joins other material to these algorithms.
                _ => return Err(unusable(algorithm)),
            }
            .map(|pair| Key::MlDsa(Box::new(pair)))
            .map_err(|_| unusable(algorithm))
        };
        let key = match (key.material(), algorithm) {
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP256) => {
                Key::Ec(ec(scalar, &ECDSA_P256_SHA256_ASN1_SIGNING)?)
            }
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP384) => {
                Key::P384(ec(scalar, &ECDSA_P384_SHA384_ASN1_SIGNING)?)
            }
            (KeyMaterial::Ec(scalar), KeyAlgorithm::EcP521) => {
                Key::Ec(ec(scalar, &ECDSA_P521_SHA256_ASN1_SIGNING)?)
            }
            (KeyMaterial::Rsa(der), _) => match RsaKeyPair::from_der(der) {
                Ok(pair) => Key::Rsa(Box::new(pair)),
                // Either one of AWS-LC's own rules, or a bad key, which RustCrypto refuses too.
                Err(_) => Key::RustCrypto(RustCryptoSigner::new(key)?),
            },
            (_, KeyAlgorithm::MlDsa44) => ml_dsa(&ML_DSA_44_SIGNING)?,
            (_, KeyAlgorithm::MlDsa65) => ml_dsa(&ML_DSA_65_SIGNING)?,
            (_, KeyAlgorithm::MlDsa87) => ml_dsa(&ML_DSA_87_SIGNING)?,
            // `PrivateKey` never joins other material to these algorithms.
            _ => return Err(unusable(algorithm)),
        };
        Ok(Self { algorithm, key })
    }

    /// The signature's bytes; `None` when AWS-LC fails.
    fn signature(&self, message: &[u8]) -> Option<Result<Signature>> {
        // aws-lc-rs takes a source of random numbers and uses its own.
        let random = SystemRandom::new();
        match &self.key {
            Key::Ec(pair) => {
                let signature = pair.sign(&random, message).ok()?;
                Some(Signature::ecdsa_der(signature.as_ref()))
            }
            Key::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).ok()?;
                Some(Signature::mldsa(&signature))
            }
            Key::P384(pair) => {
                let signature = pair.sign_digest(&sha256_as_sha384(message)?).ok()?;
                Some(Signature::ecdsa_der(signature.as_ref()))
            }
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()?;
                Some(Signature::rsa_pkcs1(&signature))
            }
            Key::RustCrypto(signer) => Some(signer.sign(message)),
        }
    }
}

impl Signer for AwsLcSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm.signing_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        self.signature(message)
            .unwrap_or_else(|| Err(failed(self.algorithm)))
    }
}

impl fmt::Debug for AwsLcSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsLcSigner")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The SHA-256 digest of a message in the length of a SHA-384 digest, the zeros in front.
///
/// aws-lc-rs signs with P-384 under SHA-384 only, and the service wants SHA-256. ECDSA signs the
/// number that a digest is, cut to the length of the order (FIPS 186-5, 6.4.1); zeros in front do not
/// change the number, and 48 bytes are the length of P-384's order. So this signs SHA-256.
fn sha256_as_sha384(message: &[u8]) -> Option<Digest> {
    let digest = encoding::sha256(message);
    let mut padded = Vec::with_capacity(SHA384_OUTPUT_LEN);
    padded.resize(SHA384_OUTPUT_LEN.checked_sub(digest.len())?, 0);
    padded.extend_from_slice(&digest);
    Digest::import_less_safe(&padded, &SHA384).ok()
}

/// Checks signatures of every kind by AWS-LC.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLcVerifier;

impl SignatureVerifier for AwsLcVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<()> {
        check_algorithm(key, signature)?;
        let algorithm: &'static dyn VerificationAlgorithm = match key.algorithm() {
            KeyAlgorithm::EcP256 => &ECDSA_P256_SHA256_ASN1,
            KeyAlgorithm::EcP384 => &ECDSA_P384_SHA256_ASN1,
            KeyAlgorithm::EcP521 => &ECDSA_P521_SHA256_ASN1,
            KeyAlgorithm::MlDsa44 => &ML_DSA_44,
            KeyAlgorithm::MlDsa65 => &ML_DSA_65,
            KeyAlgorithm::MlDsa87 => &ML_DSA_87,
            KeyAlgorithm::Rsa { .. } => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, key.as_bytes())
            .verify(message, signature.as_bytes())
            .map_err(|_| mismatch(key))
    }
}
