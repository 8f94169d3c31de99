//! Signature verification: ring where it can, RustCrypto where it cannot.
//!
//! One kind of object serves both duties: `path` verifies certificates with it, `authenticate` requests.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams, signature::Verifier as _};
use ring::{digest, signature as ring_signature};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

use crate::{
    certificate::{Certificate, PublicKey, element},
    config::Settings,
};

/// The signatures of certificates that the service takes: SHA-256 or stronger with RSA and ECDSA,
/// every hash on every curve, and ML-DSA. MD5 and SHA-1 stand nowhere, so they are refused.
const CERTIFICATE_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P256_SHA384,
    &EcdsaP256Sha512,
    webpki::ring::ECDSA_P384_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
    &EcdsaP384Sha512,
    &EcdsaP521 {
        signature_alg_id: alg_id::ECDSA_SHA256,
        hash: &digest::SHA256,
    },
    &EcdsaP521 {
        signature_alg_id: alg_id::ECDSA_SHA384,
        hash: &digest::SHA384,
    },
    &EcdsaP521 {
        signature_alg_id: alg_id::ECDSA_SHA512,
        hash: &digest::SHA512,
    },
    webpki::ring::RSA_PKCS1_2048_8192_SHA256,
    webpki::ring::RSA_PKCS1_2048_8192_SHA384,
    webpki::ring::RSA_PKCS1_2048_8192_SHA512,
    webpki::ring::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    webpki::ring::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    webpki::ring::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    &ML_DSA_44,
    &ML_DSA_65,
    &ML_DSA_87,
];

/// RSASSA-PSS, for the setting that takes it.
const RSA_PSS_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    webpki::ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    webpki::ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];

/// Verifies the signature of a request over its string to sign: SHA-256 with RSA (PKCS#1 v1.5) and
/// with ECDSA on every curve (DER), pure ML-DSA with an empty context.
pub(crate) fn verify_request(
    key: PublicKey,
    key_bytes: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    let ring = |algorithm: &'static dyn ring_signature::VerificationAlgorithm| {
        ring_signature::UnparsedPublicKey::new(algorithm, key_bytes)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    };
    match key {
        PublicKey::EcP256 => ring(&ring_signature::ECDSA_P256_SHA256_ASN1),
        PublicKey::EcP384 => ring(&ring_signature::ECDSA_P384_SHA256_ASN1),
        PublicKey::EcP521 => verify_p521(&digest::SHA256, key_bytes, message, signature),
        PublicKey::MlDsa44 => ML_DSA_44.verify_signature(key_bytes, message, signature),
        PublicKey::MlDsa65 => ML_DSA_65.verify_signature(key_bytes, message, signature),
        PublicKey::MlDsa87 => ML_DSA_87.verify_signature(key_bytes, message, signature),
        PublicKey::Other => Err(InvalidSignature),
        // The name warns of what `minimum_rsa_bits` decides: shorter keys come here only if it lets them.
        PublicKey::Rsa { .. } => {
            ring(&ring_signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
        }
    }
}

/// Verifies what a CA has signed: `algorithm` is the content of an `AlgorithmIdentifier`, `key` the
/// content of a `SubjectPublicKeyInfo`.
pub(crate) fn verify_certificate_signature(
    key: &[u8],
    algorithm: &[u8],
    message: &[u8],
    signature: &[u8],
    settings: &Settings,
) -> Result<(), InvalidSignature> {
    let (key_algorithm, rest) = element(key).ok_or(InvalidSignature)?;
    let (bits, _) = element(rest).ok_or(InvalidSignature)?;
    // The first byte counts unused bits; keys have none.
    let key = bits.strip_prefix(&[0]).ok_or(InvalidSignature)?;
    let verifier = certificate_algorithms(settings)
        .find(|candidate| {
            candidate.signature_alg_id().as_ref() == algorithm
                && candidate.public_key_alg_id().as_ref() == key_algorithm
        })
        .ok_or(InvalidSignature)?;
    verifier.verify_signature(key, message, signature)
}

/// Why a signature on a certificate was not found good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureFailure {
    /// It is of a kind, or under a kind of key, that the service does not take.
    Algorithm,
    /// The request has had as many verified as it may.
    Budget,
    /// It does not verify.
    Wrong,
}

/// Verifies that the key of `issuer` signed `certificate`, unless it is known. `remaining` is how many more
/// signatures may be asked for.
pub(crate) fn verify_issued(
    issuer: &Certificate,
    certificate: &Certificate,
    settings: &Settings,
    good: &GoodSignatures,
    remaining: &AtomicU32,
) -> Result<(), SignatureFailure> {
    let (key_algorithm, _) = element(&issuer.key_info).ok_or(SignatureFailure::Algorithm)?;
    let algorithm = certificate_algorithms(settings)
        .find(|candidate| {
            candidate.signature_alg_id().as_ref() == certificate.signature_algorithm
                && candidate.public_key_alg_id().as_ref() == key_algorithm
        })
        .ok_or(SignatureFailure::Algorithm)?;
    if remaining.load(Ordering::Relaxed) == 0 {
        return Err(SignatureFailure::Budget);
    }
    let (message, signature) = certificate.signed().ok_or(SignatureFailure::Wrong)?;
    Budgeted::new(algorithm, remaining, good)
        .verify_signature(&issuer.key_bytes, message, signature)
        .map_err(|_| SignatureFailure::Wrong)
}

/// The algorithms of certificates that the settings let in.
pub(crate) fn certificate_algorithms(
    settings: &Settings,
) -> impl Iterator<Item = &'static dyn SignatureVerificationAlgorithm> {
    let pss: &[_] = if settings.accept_rsa_pss_certificates {
        RSA_PSS_ALGORITHMS
    } else {
        &[]
    };
    CERTIFICATE_ALGORITHMS.iter().chain(pss).copied()
}

/// The signatures of certificates that were found good, by hash; the newest some thousands.
///
/// A workload sends the same certificates each time, and what a key has signed it has signed for good:
/// validity, names, constraints and revocation are looked at in every call, the arithmetic is not
/// repeated. Requests' own signatures differ each time and are never looked up.
#[derive(Debug, Default)]
pub(crate) struct GoodSignatures(Mutex<Generations>);

/// When the younger is full it becomes the older, which goes.
#[derive(Debug, Default)]
struct Generations {
    younger: HashSet<[u8; 32]>,
    older: HashSet<[u8; 32]>,
}

/// Ten thousand workloads of some CAs are within two generations; together they take a megabyte.
const GENERATION: usize = 8_192;

impl GoodSignatures {
    fn contains(&self, id: &[u8; 32]) -> bool {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.younger.contains(id) {
            return true;
        }
        let is_older = generations.older.contains(id);
        if is_older {
            generations.insert(*id);
        }
        is_older
    }

    fn insert(&self, id: [u8; 32]) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.insert(id);
    }
}

impl Generations {
    fn insert(&mut self, id: [u8; 32]) {
        if self.younger.len() >= GENERATION {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(id);
    }
}

/// What a signature is known by: algorithms, key, message and signature, each with its length.
fn signature_id(parts: [&[u8]; 5]) -> Option<[u8; 32]> {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().ok()
}

/// An algorithm for the certificates of one request: it verifies as long as the request's budget
/// lasts, and not again what is known to be good.
#[derive(Debug)]
struct Budgeted<'a> {
    algorithm: &'a dyn SignatureVerificationAlgorithm,
    remaining: &'a AtomicU32,
    good: &'a GoodSignatures,
}

impl<'a> Budgeted<'a> {
    fn new(
        algorithm: &'a dyn SignatureVerificationAlgorithm,
        remaining: &'a AtomicU32,
        good: &'a GoodSignatures,
    ) -> Self {
        Self {
            algorithm,
            remaining,
            good,
        }
    }
}

impl SignatureVerificationAlgorithm for Budgeted<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        // What is known to be good counts as well: what a request may ask for does not depend on what
        // others asked for before.
        self.remaining
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .map_err(|_| InvalidSignature)?;
        let key_algorithm = self.algorithm.public_key_alg_id();
        let algorithm = self.algorithm.signature_alg_id();
        let id = signature_id([
            key_algorithm.as_ref(),
            algorithm.as_ref(),
            public_key,
            message,
            signature,
        ])
        .ok_or(InvalidSignature)?;
        if self.good.contains(&id) {
            return Ok(());
        }
        self.algorithm
            .verify_signature(public_key, message, signature)?;
        self.good.insert(id);
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

/// ring has no SHA-512 on P-256.
#[derive(Debug)]
struct EcdsaP256Sha512;

impl SignatureVerificationAlgorithm for EcdsaP256Sha512 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        use p256::ecdsa::{DerSignature, VerifyingKey, signature::hazmat::PrehashVerifier};
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::try_from(signature).map_err(|_| InvalidSignature)?;
        key.verify_prehash(
            digest::digest(&digest::SHA512, message).as_ref(),
            &signature,
        )
        .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

/// ring has no SHA-512 on P-384.
#[derive(Debug)]
struct EcdsaP384Sha512;

impl SignatureVerificationAlgorithm for EcdsaP384Sha512 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        use p384::ecdsa::{DerSignature, VerifyingKey, signature::hazmat::PrehashVerifier};
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::try_from(signature).map_err(|_| InvalidSignature)?;
        key.verify_prehash(
            digest::digest(&digest::SHA512, message).as_ref(),
            &signature,
        )
        .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P384
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

/// ring has no P-521.
#[derive(Debug)]
struct EcdsaP521 {
    signature_alg_id: AlgorithmIdentifier,
    hash: &'static digest::Algorithm,
}

impl SignatureVerificationAlgorithm for EcdsaP521 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        verify_p521(self.hash, public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature_alg_id
    }
}

fn verify_p521(
    hash: &'static digest::Algorithm,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    use p521::ecdsa::{DerSignature, VerifyingKey, signature::hazmat::PrehashVerifier};
    let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
    let signature = DerSignature::try_from(signature).map_err(|_| InvalidSignature)?;
    key.verify_prehash(digest::digest(hash, message).as_ref(), &signature)
        .map_err(|_| InvalidSignature)
}

static ML_DSA_44: MlDsa<MlDsa44> = MlDsa::new(alg_id::ML_DSA_44);
static ML_DSA_65: MlDsa<MlDsa65> = MlDsa::new(alg_id::ML_DSA_65);
static ML_DSA_87: MlDsa<MlDsa87> = MlDsa::new(alg_id::ML_DSA_87);

/// Pure ML-DSA with an empty context (FIPS 204, RFC 9881).
#[derive(Debug)]
struct MlDsa<P> {
    alg_id: AlgorithmIdentifier,
    parameters: std::marker::PhantomData<fn() -> P>,
}

impl<P> MlDsa<P> {
    const fn new(alg_id: AlgorithmIdentifier) -> Self {
        Self {
            alg_id,
            parameters: std::marker::PhantomData,
        }
    }
}

impl<P: MlDsaParams + std::fmt::Debug> SignatureVerificationAlgorithm for MlDsa<P> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key =
            ml_dsa::EncodedVerifyingKey::<P>::try_from(public_key).map_err(|_| InvalidSignature)?;
        let signature =
            ml_dsa::Signature::<P>::try_from(signature).map_err(|_| InvalidSignature)?;
        ml_dsa::VerifyingKey::<P>::decode(&key)
            .verify(message, &signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.alg_id
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.alg_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds everything good, as often as it is asked.
    #[derive(Debug)]
    struct Counting(AtomicU32);

    impl SignatureVerificationAlgorithm for Counting {
        fn verify_signature(
            &self,
            _: &[u8],
            _: &[u8],
            signature: &[u8],
        ) -> Result<(), InvalidSignature> {
            self.0.fetch_add(1, Ordering::Relaxed);
            if signature == b"bad" {
                Err(InvalidSignature)
            } else {
                Ok(())
            }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::RSA_ENCRYPTION
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::RSA_PKCS1_SHA256
        }
    }

    #[test]
    fn only_what_is_the_same_and_good_is_not_verified_again() {
        let (counting, good) = (Counting(AtomicU32::new(0)), GoodSignatures::default());
        let asked = |key: &[u8], message: &[u8], signature: &[u8]| {
            let before = counting.0.load(Ordering::Relaxed);
            let remaining = AtomicU32::new(1);
            let budgeted = Budgeted::new(&counting, &remaining, &good);
            let is_good = budgeted.verify_signature(key, message, signature).is_ok();
            (is_good, counting.0.load(Ordering::Relaxed) - before)
        };
        assert_eq!(asked(b"key", b"message", b"good"), (true, 1));
        assert_eq!(asked(b"key", b"message", b"good"), (true, 0));
        // The same bytes, divided otherwise.
        assert_eq!(asked(b"keym", b"essage", b"good"), (true, 1));
        assert_eq!(asked(b"key", b"message", b"Good"), (true, 1));
        assert_eq!(asked(b"yek", b"message", b"good"), (true, 1));
        for _ in 0..2 {
            assert_eq!(asked(b"key", b"message", b"bad"), (false, 1));
        }
        // Many others in between, and it has to be verified anew.
        for number in 0..2 * GENERATION {
            good.insert(signature_id([&number.to_be_bytes(), b"", b"", b"", b""]).unwrap());
        }
        assert_eq!(asked(b"key", b"message", b"good"), (true, 1));
        // The budget is the request's, whatever is known.
        let none = AtomicU32::new(0);
        let budgeted = Budgeted::new(&counting, &none, &good);
        assert!(
            budgeted
                .verify_signature(b"key", b"message", b"good")
                .is_err()
        );
    }
}
