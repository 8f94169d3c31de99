//! OpenSSL's keys sign here and OpenSSL accepts; OpenSSL signs and it is accepted here.
//!
//! It covers what Wycheproof has no vectors of: P-521 under SHA-256, and RSA signing. OpenSSL 3.0
//! knows no ML-DSA, so Wycheproof covers that alone.

// Tests say what they expect by panicking, and print what they counted.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::{fs, path::PathBuf, process::Command};

use rolesanywhere_core::{
    ErrorKind, KeyAlgorithm, PrivateKey, PublicKey, Signature, SignatureVerifier, Signer,
    SigningAlgorithm,
    signers::{
        aws_lc::{AwsLcSigner, AwsLcVerifier},
        ring::{RingSigner, RingVerifier},
        rustcrypto::{RustCryptoSigner, RustCryptoVerifier},
    },
};
use tempfile::TempDir;

const MESSAGE: &[u8] = b"AWS4-X509-ECDSA-SHA256\n20211103T120000Z\n\xc3\xa4";

/// What `openssl genpkey` makes, as it is told, and what it is.
const KINDS: [(&str, &[&str], KeyAlgorithm); 9] = [
    (
        "rsa2048",
        &["-algorithm", "RSA"],
        KeyAlgorithm::Rsa { bits: 2048 },
    ),
    (
        "rsa3072",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
        KeyAlgorithm::Rsa { bits: 3072 },
    ),
    (
        "rsa4096",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
        KeyAlgorithm::Rsa { bits: 4096 },
    ),
    // ring refuses the length, and the exponent of the next: RustCrypto signs.
    (
        "rsa2050",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2050"],
        KeyAlgorithm::Rsa { bits: 2050 },
    ),
    (
        "rsa-3",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_pubexp:3"],
        KeyAlgorithm::Rsa { bits: 2048 },
    ),
    // Made once by `openssl genpkey`, which takes the better part of a minute.
    ("rsa8192", &[], KeyAlgorithm::Rsa { bits: 8192 }),
    (
        "p256",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        KeyAlgorithm::EcP256,
    ),
    (
        "p384",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        KeyAlgorithm::EcP384,
    ),
    (
        "p521",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        KeyAlgorithm::EcP521,
    ),
];

const VERIFIERS: [&dyn SignatureVerifier; 3] = [&RustCryptoVerifier, &RingVerifier, &AwsLcVerifier];

fn signers(key: &PrivateKey) -> [Box<dyn Signer>; 3] {
    [
        Box::new(RustCryptoSigner::new(key).unwrap()),
        Box::new(RingSigner::new(key).unwrap()),
        Box::new(AwsLcSigner::new(key).unwrap()),
    ]
}

/// A directory in which `openssl` works.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        let workshop = Self(tempfile::tempdir().unwrap());
        fs::write(workshop.path("message"), MESSAGE).unwrap();
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Whether the command succeeded.
    fn try_openssl(&self, arguments: &[&str]) -> bool {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("these tests need the `openssl` command");
        output.status.success()
    }

    fn openssl(&self, arguments: &[&str]) {
        assert!(self.try_openssl(arguments), "openssl {arguments:?}");
    }

    /// Makes `key.pem` and `public.pem`.
    fn generate(&self, options: &[&str]) {
        if options.is_empty() {
            fs::write(self.path("key.pem"), include_bytes!("rsa8192.pem")).unwrap();
        } else {
            self.openssl(&[&["genpkey", "-out", "key.pem"], options].concat());
        }
        self.openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
        self.openssl(&[
            "pkey",
            "-in",
            "key.pem",
            "-pubout",
            "-outform",
            "DER",
            "-out",
            "public.der",
        ]);
    }

    /// The key in every form in which OpenSSL writes it.
    fn keys(&self) -> Vec<PrivateKey> {
        let read = |name: &str, options: &[&str]| {
            self.openssl(&[&["pkey", "-in", "key.pem", "-out", name], options].concat());
            self.read(name)
        };
        vec![
            PrivateKey::from_pem(&read("pkcs8.pem", &[]), None).unwrap(),
            PrivateKey::from_pem(&read("traditional.pem", &["-traditional"]), None).unwrap(),
            PrivateKey::from_der(&read("pkcs8.der", &["-outform", "DER"])).unwrap(),
            PrivateKey::from_der(&read(
                "traditional.der",
                &["-traditional", "-outform", "DER"],
            ))
            .unwrap(),
        ]
    }

    /// Whether OpenSSL accepts a signature over the message.
    fn accepts(&self, signature: &Signature) -> bool {
        fs::write(self.path("signature"), signature.as_bytes()).unwrap();
        let verify = [
            "dgst",
            "-sha256",
            "-verify",
            "public.pem",
            "-signature",
            "signature",
        ];
        self.try_openssl(&[&verify[..], &["message"]].concat())
    }
}

#[test]
fn openssl_accepts_what_is_signed_here() {
    for (name, options, algorithm) in KINDS {
        let workshop = Workshop::new();
        workshop.generate(options);
        let mut signatures = 0;
        for key in workshop.keys() {
            assert_eq!(key.algorithm(), algorithm, "{name}");
            for signer in signers(&key) {
                assert_eq!(signer.algorithm(), algorithm.signing_algorithm());
                let signature = signer.sign(MESSAGE).unwrap();
                assert!(workshop.accepts(&signature), "{name}: {signer:?}");
                let another = signer.sign(b"another message").unwrap();
                assert!(!workshop.accepts(&another), "{name}: {signer:?}");
                signatures += 1;
            }
        }
        println!("{name}: OpenSSL accepted {signatures} signatures");
    }
}

#[test]
fn what_openssl_signs_is_accepted_here() {
    for (name, options, algorithm) in KINDS {
        let workshop = Workshop::new();
        workshop.generate(options);
        let key = PublicKey::from_spki_der(&workshop.read("public.der")).unwrap();
        let private_key = PrivateKey::from_pem(&workshop.read("key.pem"), None).unwrap();
        // Several, since the length of an ECDSA signature varies.
        for _ in 0..8 {
            let sign = [
                "dgst",
                "-sha256",
                "-sign",
                "key.pem",
                "-out",
                "signature",
                "message",
            ];
            workshop.openssl(&sign);
            let bytes = workshop.read("signature");
            let signature = match algorithm.signing_algorithm() {
                SigningAlgorithm::EcdsaSha256 => Signature::ecdsa_der(&bytes),
                _ => Signature::rsa_pkcs1(&bytes),
            }
            .unwrap();
            for verifier in VERIFIERS {
                verifier
                    .verify(&key, MESSAGE, &signature)
                    .unwrap_or_else(|error| panic!("{name}: {verifier:?}: {error}"));
                let error = verifier.verify(&key, b"another", &signature).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::KeyMismatch, "{name}: {verifier:?}");
            }
            // RSASSA-PKCS1-v1_5 has one signature for a message.
            if let KeyAlgorithm::Rsa { .. } = algorithm {
                for signer in signers(&private_key) {
                    assert_eq!(
                        signer.sign(MESSAGE).unwrap(),
                        signature,
                        "{name}: {signer:?}"
                    );
                }
                break;
            }
        }
        println!("{name}: what OpenSSL signs is accepted");
    }
}
