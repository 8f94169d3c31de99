//! Keys and sealed entries of the shared store, against `tests/vectors/sharing.json`, which Python
//! and OpenSSL have made.

// Tests say what they expect by panicking.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]
#![cfg(feature = "sealing")]

use std::{fs, path::Path};

use rolesanywhere_core::{
    CertificateChain, CreateSession,
    provider::{EntryKey, SealingKey},
};
use serde_json::Value;

fn vectors() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/sharing.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn keys_are_made_by_the_documented_recipe() {
    let vectors = vectors();
    let cases = vectors["keys"].as_array().unwrap();
    assert!(cases.len() >= 8);
    for case in cases {
        let parameters = case["parameters"].as_object().unwrap();
        let parameters = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let call = CreateSession::from_parameters(parameters).unwrap();
        let context = case["context"].as_str().unwrap();
        let key = match case["certificates"].as_str() {
            Some(file) => {
                let folder = "../tests/vectors/lifecycle/certificates";
                let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join(folder)
                    .join(file);
                let chain = CertificateChain::from_pem(&fs::read(path).unwrap()).unwrap();
                EntryKey::new(&call, &chain, context)
            }
            None => EntryKey::of_identity(&call, case["identity"].as_str().unwrap(), context),
        };
        assert_eq!(key.as_str(), case["key"], "{}", case["text"]);
        assert_eq!(key.of_failure().as_str(), case["failure_key"]);
    }
}

#[test]
fn entries_are_sealed_as_by_openssl() {
    let vectors = vectors();
    let cases = vectors["sealed"].as_array().unwrap();
    assert!(cases.len() >= 4);
    for case in cases {
        let bytes = |name: &str| from_hex(case[name].as_str().unwrap());
        let key = case["key"].as_str().unwrap();
        let sealing = SealingKey::new(&bytes("sealing_key")).unwrap();
        let nonce = bytes("nonce").try_into().unwrap();
        let (plain, sealed) = (bytes("plain"), bytes("sealed"));
        assert_eq!(sealing.seal(key, nonce, &plain).unwrap(), sealed);
        assert_eq!(*sealing.open(key, &sealed).unwrap(), plain);
        // Damaged anywhere, cut short, in another place or under another key it does not open.
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(sealing.open(key, &damaged).is_err(), "{at}");
            assert!(sealing.open(key, &sealed[..at]).is_err(), "{at}");
        }
        assert!(sealing.open("another place", &sealed).is_err());
        assert!(
            SealingKey::new(&[7; 32])
                .unwrap()
                .open(key, &sealed)
                .is_err()
        );
    }
    assert!(SealingKey::new(&[7; 31]).is_err());
    let sealing = SealingKey::new(&[0x73; 32]).unwrap();
    assert_eq!(format!("{sealing:?}"), "SealingKey([redacted])");
    assert!(
        sealing
            .seal("k", [0; 12], &vec![0; 256 * 1024 + 1])
            .is_err()
    );
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
