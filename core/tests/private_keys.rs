//! Private keys as OpenSSL writes them: each form is read.
#![cfg(feature = "rustcrypto")]
// Tests say what they expect by panicking.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{
    ErrorKind, KeyAlgorithm, PrivateKey, PublicKey, Result, SignatureVerifier, Signer,
    signers::rustcrypto::{RustCryptoSigner, RustCryptoVerifier},
};
use support::{LEAF, Workshop, converted, generate, refusal, replaced};

/// As `openssl genpkey` takes them, and what they are.
const KINDS: [(&str, &[&str], KeyAlgorithm); 5] = [
    (
        "rsa2048",
        &["-algorithm", "RSA"],
        KeyAlgorithm::Rsa { bits: 2048 },
    ),
    (
        "rsa2050",
        &[
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2050",
            "-pkeyopt",
            "rsa_keygen_pubexp:3",
        ],
        KeyAlgorithm::Rsa { bits: 2050 },
    ),
    (
        "p256",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        KeyAlgorithm::EcP256,
    ),
    (
        "p384",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        KeyAlgorithm::EcP384,
    ),
    (
        "p521",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        KeyAlgorithm::EcP521,
    ),
];

#[test]
fn every_form_of_every_kind_is_read() {
    let workshop = Workshop::new();
    for (name, options, algorithm) in KINDS {
        let pkcs8_pem = generate(&workshop, name, options);
        let convert = |options: &[&str]| converted(&workshop, name, options);
        let expected = PublicKey::from_spki_der(&convert(&["-pubout", "-outform", "DER"])).unwrap();
        assert_eq!(expected.algorithm(), algorithm);
        let traditional_pem = convert(&["-traditional"]);
        for (form, key) in [
            ("PKCS#8 PEM", PrivateKey::from_pem(&pkcs8_pem, None)),
            (
                "PKCS#8 DER",
                PrivateKey::from_der(&convert(&["-outform", "DER"])),
            ),
            (
                "traditional PEM",
                PrivateKey::from_pem(&traditional_pem, None),
            ),
            (
                "traditional DER",
                PrivateKey::from_der(&convert(&["-traditional", "-outform", "DER"])),
            ),
            // A password that is not needed is not used.
            (
                "with a password",
                PrivateKey::from_pem(&pkcs8_pem, Some(b"password")),
            ),
        ] {
            let key = key.unwrap_or_else(|error| panic!("{name}, {form}: {error}"));
            assert_eq!(*key.public_key(), expected, "{name}, {form}");
            key.check_matches(&expected).unwrap();
        }
    }
}

#[test]
fn ec_keys_may_lack_or_compress_their_public_half() {
    let workshop = Workshop::new();
    for (name, options, _) in &KINDS[2..] {
        let key = PrivateKey::from_pem(&generate(&workshop, name, options), None).unwrap();
        let file = format!("{name}.pem");
        for options in [&["-no_public"][..], &["-conv_form", "compressed"]] {
            workshop.openssl(&[&["ec", "-in", &file, "-out", "ec.pem"], options].concat());
            let other = PrivateKey::from_pem(&workshop.read("ec.pem"), None).unwrap();
            other.check_matches(key.public_key()).unwrap();
        }
    }
}

#[test]
fn a_public_half_of_another_key_is_refused() {
    let workshop = Workshop::new();
    for (_, options, algorithm) in &KINDS[2..] {
        let mut keys = ["a", "b"].map(|name| {
            generate(&workshop, name, options);
            converted(&workshop, name, &["-outform", "DER"])
        });
        let points = keys
            .each_ref()
            .map(|der| PrivateKey::from_der(der).unwrap().public_key().clone());
        keys[0] = replaced(&keys[0], points[0].as_bytes(), points[1].as_bytes());
        refusal(
            PrivateKey::from_der(&keys[0]),
            ErrorKind::InvalidKey,
            "the EC key's public half does not belong to its private half",
        );
        // A key of the same kind is told from one of another kind.
        let key = PrivateKey::from_der(&keys[1]).unwrap();
        refusal(
            key.check_matches(&points[0]),
            ErrorKind::KeyMismatch,
            &format!("though both are {algorithm}"),
        );
    }
}

#[test]
fn keys_of_two_kinds_are_both_named() {
    let workshop = Workshop::new();
    let [rsa, .., p521] = KINDS.map(|(name, options, _)| {
        PrivateKey::from_pem(&generate(&workshop, name, options), None).unwrap()
    });
    refusal(
        p521.check_matches(rsa.public_key()),
        ErrorKind::KeyMismatch,
        "the private key is EC P-521 and the certificate's key is RSA-2048",
    );
}

/// RFC 5915 fixes the length of the private number; other writers drop zeros, or add one.
#[test]
fn ec_numbers_of_any_length_are_read() {
    let workshop = Workshop::new();
    let sec1 = |number: &str| {
        workshop.asn1(&format!(
            "asn1=SEQUENCE:key\n[key]\nversion=INTEGER:1\nkey=FORMAT:HEX,OCTETSTRING:{number}\n\
             curve=EXPLICIT:0,OID:prime256v1\n"
        ))
    };
    // The public half of 1 is the generator: SEC 2, 2.4.2.
    let generator = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                     4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    for zeros in [0, 31, 32] {
        let key = PrivateKey::from_der(&sec1(&format!("{}01", "00".repeat(zeros)))).unwrap();
        let shown: String = key
            .public_key()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(shown, generator);
    }
    // SEC 2, 2.4.2: the order, the first number that is too great.
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for (number, part) in [
        (order, "not below the order"),
        (&format!("01{order}"), "too long"),
        ("00", "zero"),
    ] {
        refusal(
            PrivateKey::from_der(&sec1(number)),
            ErrorKind::InvalidKey,
            part,
        );
    }
}

#[test]
fn other_blocks_may_stand_beside_the_key_in_any_order() {
    let workshop = Workshop::new();
    let certificate = workshop.issue(LEAF);
    let key = String::from_utf8(workshop.read("leaf.key")).unwrap();
    let parameters = workshop.openssl(&["ecparam", "-name", "prime256v1"]);
    assert!(parameters.contains("BEGIN EC PARAMETERS"));
    let expected = PrivateKey::from_pem(key.as_bytes(), None).unwrap();
    for text in [
        format!("{parameters}{key}"),
        format!("{certificate}{key}"),
        format!("{key}{certificate}"),
        format!("Bag Attributes\n    friendlyName: leaf\n{certificate}text\n{key}{certificate}"),
    ] {
        let read = PrivateKey::from_pem(text.as_bytes(), None).unwrap();
        read.check_matches(expected.public_key()).unwrap();
    }
    let error = refusal(
        PrivateKey::from_pem(format!("{key}{certificate}{key}").as_bytes(), None),
        ErrorKind::InvalidKey,
        "two private keys, `PRIVATE KEY` on line 1 and `PRIVATE KEY` on line ",
    );
    assert!(
        error
            .message()
            .ends_with("leave the one that belongs to the certificate")
    );
}

#[test]
fn rsa_numbers_that_contradict_one_another_are_found() {
    let workshop = Workshop::new();
    generate(&workshop, "rsa", &["-algorithm", "RSA"]);
    let der = converted(&workshop, "rsa", &["-traditional", "-outform", "DER"]);
    // 0x30 and its length, the version, the modulus with its header, the exponent, d, p: a byte in
    // the middle of each of n, d and p is changed.
    for (what, at) in [("n", 100), ("d", 400), ("p", 620)] {
        let mut der = der.clone();
        der[at] ^= 0x40;
        let key = PrivateKey::from_der(&der).unwrap();
        for signer in signers(&key) {
            match signer {
                // ring does not look at d, since it signs without it: what it makes is right.
                Ok(signer) if what == "d" && format!("{signer:?}").starts_with("RingSigner") => {
                    let signature = signer.sign(b"message").unwrap();
                    RustCryptoVerifier
                        .verify(key.public_key(), b"message", &signature)
                        .unwrap();
                }
                signer => {
                    let error = refusal(signer, ErrorKind::InvalidKey, "contradict one another");
                    assert!(error.message().contains("RSA-2048"), "{what}: {error}");
                }
            }
        }
    }
}

fn signers(key: &PrivateKey) -> Vec<Result<Box<dyn Signer>>> {
    fn boxed<S: Signer + 'static>(signer: Result<S>) -> Result<Box<dyn Signer>> {
        signer.map(|signer| Box::new(signer) as Box<dyn Signer>)
    }
    vec![
        boxed(RustCryptoSigner::new(key)),
        #[cfg(feature = "ring")]
        boxed(rolesanywhere_core::signers::ring::RingSigner::new(key)),
        #[cfg(feature = "aws-lc")]
        boxed(rolesanywhere_core::signers::aws_lc::AwsLcSigner::new(key)),
    ]
}

/// Whatever byte is changed or missing, there is a key or an error, and no panic.
#[test]
fn damaged_keys_are_refused_or_read() {
    let workshop = Workshop::new();
    for (name, options, _) in [KINDS[0], KINDS[2], KINDS[4]] {
        generate(&workshop, name, options);
        for form in [
            &["-outform", "DER"][..],
            &["-outform", "DER", "-traditional"],
        ] {
            let der = converted(&workshop, name, form);
            PrivateKey::from_der(&der).unwrap();
            for length in 0..der.len() {
                assert!(
                    PrivateKey::from_der(&der[..length]).is_err(),
                    "{name} {length}"
                );
            }
            for at in 0..der.len() {
                let mut der = der.clone();
                der[at] ^= 1;
                // Some changes leave a key, another one.
                let _ = PrivateKey::from_der(&der);
            }
            let longer = [&der[..], b"\n"].concat();
            let key = PrivateKey::from_der(&longer).unwrap();
            assert_eq!(
                key.public_key(),
                PrivateKey::from_der(&der).unwrap().public_key()
            );
        }
    }
}

#[test]
fn keys_are_not_printed() {
    let workshop = Workshop::new();
    let key = PrivateKey::from_pem(&generate(&workshop, KINDS[2].0, KINDS[2].1), None).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey { algorithm: EcP256, .. }");
    let signer = RustCryptoSigner::new(&key).unwrap();
    assert_eq!(
        format!("{signer:?}"),
        "RustCryptoSigner { algorithm: EcP256, .. }"
    );
}
