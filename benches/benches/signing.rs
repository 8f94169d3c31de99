//! Signing: each signer of the core beside the library that signs in it, with the same key and
//! message in the same run. The ratio is what the core adds.
//!
//! `cargo bench -p rolesanywhere-benches --bench signing`; a filter such as `aws-lc/RSA` picks some.

// A benchmark has no one to return an error to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::hint::black_box;

use aws_lc_rs::encoding::AsDer;
use p256::ecdsa::signature::Signer as _;
use pkcs8::{PrivateKeyInfoRef, der::Decode};
use rolesanywhere_benches::SideBySide;
use rolesanywhere_core::{
    PrivateKey, Signer,
    signers::{aws_lc::AwsLcSigner, ring::RingSigner, rustcrypto::RustCryptoSigner},
};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, rand_core};
use sha2::{Digest, Sha256};

/// As long as a string to sign.
const MESSAGE: &[u8; 160] = &[b'a'; 160];

fn main() {
    let bench = SideBySide::from_arguments();
    rsa_keys(&bench);
    ec_keys(&bench);
    ml_dsa_keys(&bench);
}

/// Measures one signer of the core and the bare library.
fn compare(bench: &SideBySide, name: String, ours: &dyn Signer, bare: impl FnMut()) {
    bench.compare(&name, bare, || {
        black_box(ours.sign(black_box(MESSAGE)).unwrap());
    });
}

fn rsa_keys(bench: &SideBySide) {
    use aws_lc_rs::{rand::SystemRandom, rsa::KeySize, signature::RsaKeyPair};

    for size in [
        KeySize::Rsa2048,
        KeySize::Rsa3072,
        KeySize::Rsa4096,
        KeySize::Rsa8192,
    ] {
        let pair = RsaKeyPair::generate(size).unwrap();
        let pkcs8 = pair.as_der().unwrap();
        let pkcs8: &[u8] = pkcs8.as_ref();
        let key = PrivateKey::from_der(pkcs8).unwrap();
        let algorithm = key.algorithm();
        let mut signature = vec![0; size.len()];

        compare(
            bench,
            format!("aws-lc/{algorithm}"),
            &AwsLcSigner::new(&key).unwrap(),
            || {
                let encoding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
                pair.sign(
                    encoding,
                    &SystemRandom::new(),
                    black_box(MESSAGE),
                    &mut signature,
                )
                .unwrap();
            },
        );
        if size.len() <= 512 {
            let pair = ring::rsa::KeyPair::from_pkcs8(pkcs8).unwrap();
            let random = ring::rand::SystemRandom::new();
            compare(
                bench,
                format!("ring/{algorithm}"),
                &RingSigner::new(&key).unwrap(),
                || {
                    let encoding = &ring::signature::RSA_PKCS1_SHA256;
                    pair.sign(encoding, &random, black_box(MESSAGE), &mut signature)
                        .unwrap();
                },
            );
            let pair = rustcrypto_rsa(pkcs8);
            let mut random = Weak(1);
            compare(
                bench,
                format!("rustcrypto/{algorithm}"),
                &RustCryptoSigner::new(&key).unwrap(),
                || {
                    let scheme = Pkcs1v15Sign {
                        hash_len: Some(32),
                        prefix: Box::new([0; 19]),
                    };
                    let digest = Sha256::digest(black_box(MESSAGE));
                    black_box(pair.sign_with_rng(&mut random, scheme, &digest).unwrap());
                },
            );
        }
    }
}

fn rustcrypto_rsa(pkcs8: &[u8]) -> RsaPrivateKey {
    let info = PrivateKeyInfoRef::from_der(pkcs8).unwrap();
    let key = pkcs1::RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).unwrap();
    let number = |digits: pkcs8::der::asn1::UintRef<'_>| BigUint::from_bytes_be(digits.as_bytes());
    RsaPrivateKey::from_components(
        number(key.modulus),
        number(key.public_exponent),
        number(key.private_exponent),
        vec![number(key.prime1), number(key.prime2)],
    )
    .unwrap()
}

/// The cheapest random numbers there are, so that what the core pays for good ones shows.
struct Weak(u64);

impl rand_core::RngCore for Weak {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fill_bytes(&mut self, destination: &mut [u8]) {
        rand_core::impls::fill_bytes_via_next(self, destination);
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(destination);
        Ok(())
    }
}

impl rand_core::CryptoRng for Weak {}

fn ec_keys(bench: &SideBySide) {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{
            ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
            ECDSA_P521_SHA256_ASN1_SIGNING, EcdsaKeyPair,
        },
    };

    // aws-lc-rs has P-384 under SHA-384 only; what the core adds for SHA-256 is in the ratio.
    for kind in [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA256_ASN1_SIGNING,
    ] {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pkcs8: &[u8] = pkcs8.as_ref();
        let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8).unwrap();
        let key = PrivateKey::from_der(pkcs8).unwrap();
        let algorithm = key.algorithm();
        compare(
            bench,
            format!("aws-lc/{algorithm}"),
            &AwsLcSigner::new(&key).unwrap(),
            || {
                black_box(pair.sign(&random, black_box(MESSAGE)).unwrap());
            },
        );
        let info = PrivateKeyInfoRef::from_der(pkcs8).unwrap();
        // `ECPrivateKey`: SEQUENCE, version, then the OCTET STRING of the private number.
        let sec1 = info.private_key.as_bytes();
        let at = sec1
            .windows(4)
            .position(|window| window[..3] == [2, 1, 1])
            .unwrap()
            + 5;
        let name = format!("rustcrypto/{algorithm}");
        let ours = RustCryptoSigner::new(&key).unwrap();
        match sec1[at - 1] {
            32 => {
                let bare = p256::ecdsa::SigningKey::from_slice(&sec1[at..at + 32]).unwrap();
                compare(bench, name, &ours, || {
                    let signature: p256::ecdsa::DerSignature = bare.sign(black_box(MESSAGE));
                    black_box(signature);
                });
                let kind = &ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
                let random = ring::rand::SystemRandom::new();
                let pair = ring::signature::EcdsaKeyPair::from_pkcs8(kind, pkcs8, &random).unwrap();
                compare(
                    bench,
                    format!("ring/{algorithm}"),
                    &RingSigner::new(&key).unwrap(),
                    || {
                        black_box(pair.sign(&random, black_box(MESSAGE)).unwrap());
                    },
                );
            }
            48 => {
                let bare = p384::ecdsa::SigningKey::from_slice(&sec1[at..at + 48]).unwrap();
                compare(bench, name, &ours, || {
                    let signature: p384::ecdsa::DerSignature = bare.sign(black_box(MESSAGE));
                    black_box(signature);
                });
            }
            _ => {
                let bare = p521::ecdsa::SigningKey::from_slice(&sec1[at..at + 66]).unwrap();
                compare(bench, name, &ours, || {
                    let signature: p521::ecdsa::DerSignature = bare.sign(black_box(MESSAGE));
                    black_box(signature);
                });
            }
        }
    }
}

fn ml_dsa_keys(bench: &SideBySide) {
    use aws_lc_rs::signature::{
        ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
    };
    use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, SigningKey};

    /// How the bare library signs with a seed.
    fn rustcrypto<P: ml_dsa::MlDsaParams + 'static>(seed: &[u8; 32]) -> Box<dyn Fn()> {
        let key = SigningKey::<P>::from_seed(seed.into());
        Box::new(move || {
            let signature: ml_dsa::Signature<P> = key.sign(black_box(MESSAGE));
            black_box(signature.encode());
        })
    }

    // The time of a signature varies with the key and, hedged, from one to the next.
    let seed = [7; 32];
    for (kind, bare) in [
        (&ML_DSA_44_SIGNING, rustcrypto::<MlDsa44>(&seed)),
        (&ML_DSA_65_SIGNING, rustcrypto::<MlDsa65>(&seed)),
        (&ML_DSA_87_SIGNING, rustcrypto::<MlDsa87>(&seed)),
    ] {
        let pair = PqdsaKeyPair::from_seed(kind, &seed).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        let key = PrivateKey::from_der(pkcs8.as_ref()).unwrap();
        let algorithm = key.algorithm();
        let mut signature = vec![0; kind.signature_len()];
        compare(
            bench,
            format!("aws-lc/{algorithm}"),
            &AwsLcSigner::new(&key).unwrap(),
            || {
                pair.sign(black_box(MESSAGE), &mut signature).unwrap();
            },
        );
        let ours = RustCryptoSigner::new(&key).unwrap();
        compare(bench, format!("rustcrypto/{algorithm}"), &ours, bare);
    }
}
