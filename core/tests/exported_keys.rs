//! Private keys as PKCS#8, byte for byte as OpenSSL writes them.
#![cfg(all(feature = "export-private-key", feature = "rustcrypto"))]
// Tests say what they expect by panicking.
#![allow(clippy::unwrap_used)]

mod support;

use rolesanywhere_core::PrivateKey;
use support::Workshop;

#[test]
fn a_key_of_any_form_becomes_the_pkcs8_that_openssl_makes_of_it() {
    let workshop = Workshop::new();
    for (algorithm, option, traditional) in [
        ("RSA", "rsa_keygen_bits:2048", "rsa"),
        ("EC", "ec_paramgen_curve:P-256", "ec"),
        ("EC", "ec_paramgen_curve:P-384", "ec"),
        ("EC", "ec_paramgen_curve:P-521", "ec"),
    ] {
        let make = ["genpkey", "-algorithm", algorithm, "-pkeyopt", option];
        workshop.openssl(&[&make[..], &["-out", "key.pem"]].concat());
        let convert = ["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem"];
        workshop.openssl(&[&convert[..], &["-outform", "DER", "-out", "key.der"]].concat());
        let bare = ["-in", "key.pem", "-traditional", "-out", "bare.pem"];
        workshop.openssl(&[&["pkey"], &bare[..]].concat());
        assert!(
            workshop
                .pem("bare")
                .contains(&format!("{} PRIVATE KEY", traditional.to_uppercase()))
        );
        for name in ["key.pem", "key.der", "bare.pem"] {
            let key = PrivateKey::from_bytes(&workshop.read(name), None).unwrap();
            let exported = key.to_pkcs8_der().unwrap();
            assert_eq!(
                exported.as_slice(),
                workshop.read("key.der"),
                "{option}: {name}"
            );
        }
    }
}
