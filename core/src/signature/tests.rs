//! The two forms of one signature are written down by hand, from X.690.

use super::*;

// r with its high bit set (a leading zero in DER), s short (leading zeros in r‖s).
const DER: &str = "30440221\
    00f1e2d3c4b5a6978897a6b5c4d3e2f1001122334455667788990011223344556602\
    1f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const R_S: &str = "f1e2d3c4b5a6978897a6b5c4d3e2f10011223344556677889900112233445566\
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn bytes(hex: &str) -> Vec<u8> {
    encoding::from_hex(hex).unwrap()
}

#[test]
fn r_s_becomes_der() {
    let signature = Signature::ecdsa_p1363(&bytes(R_S)).unwrap();
    assert_eq!(signature.to_hex(), DER);
    assert_eq!(signature, Signature::ecdsa_der(&bytes(DER)).unwrap());
    assert_eq!(signature.algorithm(), SigningAlgorithm::EcdsaSha256);
}

#[test]
fn every_curve_has_its_length() {
    for length in [64, 96, 132] {
        let signature = Signature::ecdsa_p1363(&alloc::vec![0x80; length]).unwrap();
        assert!(
            Signature::ecdsa_der(signature.as_bytes()).is_ok(),
            "{length}"
        );
    }
    for length in [0, 1, 63, 65, 72, 128, 133] {
        assert!(
            Signature::ecdsa_p1363(&alloc::vec![1; length]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn zero_is_no_signature() {
    assert!(Signature::ecdsa_p1363(&[0; 64]).is_err());
    let mut half = [1; 64];
    half[32..].fill(0);
    assert!(Signature::ecdsa_p1363(&half).is_err());
    assert!(Signature::ecdsa_der(&bytes("3006020100020101")).is_err());
}

#[test]
fn der_that_is_not_canonical_is_refused() {
    for hex in [
        "",
        "30060201010201",         // cut short
        "300602010102010100",     // trailing byte
        "308106020101020101",     // long form of a short length
        "300702020001020101",     // a leading zero too many
        "3006020181020101",       // negative
        "3009020101020101020101", // a third integer
    ] {
        let der = bytes(hex);
        let error = Signature::ecdsa_der(&der).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SigningFailed, "{hex}");
    }
}

#[test]
fn rsa_and_mldsa_have_their_lengths() {
    for length in [255, 1025] {
        assert!(
            Signature::rsa_pkcs1(&alloc::vec![1; length]).is_err(),
            "{length}"
        );
    }
    for length in [256, 384, 512, 1024] {
        assert!(
            Signature::rsa_pkcs1(&alloc::vec![1; length]).is_ok(),
            "{length}"
        );
    }
    for length in [2420, 3309, 4627] {
        assert!(
            Signature::mldsa(&alloc::vec![1; length]).is_ok(),
            "{length}"
        );
        assert!(
            Signature::mldsa(&alloc::vec![1; length + 1]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn names_are_the_services() {
    let names: Vec<_> = SigningAlgorithm::ALL
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    assert_eq!(
        names,
        [
            "AWS4-X509-ECDSA-SHA256",
            "AWS4-X509-MLDSA",
            "AWS4-X509-RSA-SHA256"
        ]
    );
    for algorithm in SigningAlgorithm::ALL {
        assert_eq!(
            SigningAlgorithm::from_name(algorithm.name()),
            Some(*algorithm)
        );
    }
    assert_eq!(SigningAlgorithm::from_name("AWS4-HMAC-SHA256"), None);
}
