//! Private keys that are not taken: each kind is named, with what to do about it.
#![cfg(feature = "rustcrypto")]
// Tests say what they expect by panicking.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{ErrorKind, PrivateKey, PublicKey};
use support::{LEAF, Workshop, converted, generate, refusal};

#[test]
fn kinds_that_the_service_does_not_take_are_named() {
    let workshop = Workshop::new();
    let unsupported = |name: &str, part: &str| {
        for convert in [&[][..], &["-pubout"]] {
            let der = converted(&workshop, name, &[&["-outform", "DER"], convert].concat());
            let result = if convert.is_empty() {
                PrivateKey::from_der(&der).map(drop)
            } else {
                PublicKey::from_spki_der(&der).map(drop)
            };
            refusal(result, ErrorKind::Unsupported, part);
        }
    };
    for (name, options, part) in [
        (
            "ed25519",
            &["-algorithm", "ED25519"][..],
            "the key is Ed25519, which IAM",
        ),
        (
            "ed448",
            &["-algorithm", "ED448"],
            "the key is Ed448, which IAM",
        ),
        (
            "x25519",
            &["-algorithm", "X25519"],
            "the key is X25519, which IAM",
        ),
        ("pss", &["-algorithm", "RSA-PSS"], "RSA restricted to PSS"),
        (
            "small",
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2047"],
            "the RSA key has 2047 bits: 2048 to 8192 are taken",
        ),
        (
            "p224",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:secp224r1",
            ],
            "EC on P-224",
        ),
        (
            "p192",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:prime192v1",
            ],
            "EC on P-192",
        ),
        (
            "k1",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:secp256k1",
            ],
            "EC on secp256k1",
        ),
        (
            "brainpool",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:brainpoolP256r1",
            ],
            "EC on a Brainpool curve",
        ),
        (
            "explicit",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-pkeyopt",
                "ec_param_enc:explicit",
            ],
            "explicit curve parameters",
        ),
    ] {
        generate(&workshop, name, options);
        unsupported(name, part);
    }
    // The same in SEC1, where the curve stands elsewhere.
    for (name, part) in [
        ("explicit", "explicit curve parameters"),
        ("k1", "EC on secp256k1"),
    ] {
        let pem = converted(&workshop, name, &["-traditional"]);
        let error = refusal(
            PrivateKey::from_pem(&pem, None),
            ErrorKind::Unsupported,
            part,
        );
        assert!(
            error.message().starts_with("`EC PRIVATE KEY` on line 1: "),
            "{error}"
        );
    }
    let primes = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_primes:3"];
    let pem = generate(&workshop, "primes", &primes);
    refusal(
        PrivateKey::from_pem(&pem, None),
        ErrorKind::Unsupported,
        "more than two primes",
    );
}

#[test]
fn dsa_is_named_in_each_of_its_forms() {
    let workshop = Workshop::new();
    workshop.openssl(&["dsaparam", "-genkey", "-out", "dsa.pem", "1024"]);
    for (options, pem) in [
        (&[][..], true),
        (&["-traditional"], true),
        (&["-outform", "DER"], false),
        (&["-traditional", "-outform", "DER"], false),
    ] {
        let key = converted(&workshop, "dsa", options);
        let result = if pem {
            PrivateKey::from_pem(&key, None)
        } else {
            PrivateKey::from_der(&key)
        };
        refusal(result, ErrorKind::Unsupported, "the key is DSA, which IAM");
    }
}

#[test]
fn what_is_no_private_key_is_named() {
    let workshop = Workshop::new();
    let certificate = workshop.issue(LEAF);
    workshop.openssl(&[
        "x509", "-in", "leaf.pem", "-outform", "DER", "-out", "leaf.der",
    ]);
    workshop.openssl(&[
        "req", "-in", "leaf.csr", "-outform", "DER", "-out", "csr.der",
    ]);
    let pkey = ["pkey", "-in", "leaf.key"];
    workshop.openssl(&[&pkey[..], &["-pubout", "-out", "public.pem"]].concat());
    workshop.openssl(
        &[
            &pkey[..],
            &["-pubout", "-outform", "DER", "-out", "public.der"],
        ]
        .concat(),
    );
    workshop.openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "leaf.pem",
        "-outform",
        "DER",
        "-out",
        "p7.der",
    ]);
    workshop.openssl(&[
        "pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-passout", "pass:x", "-out",
        "leaf.p12",
    ]);
    let pem = |text: &[u8]| PrivateKey::from_pem(text, None);
    let der = |name: &str| PrivateKey::from_der(&workshop.read(name));
    use ErrorKind::{InvalidKey, Unsupported};
    for (result, kind, part) in [
        (
            pem(certificate.as_bytes()),
            InvalidKey,
            "this is a certificate, a request for one or a CRL",
        ),
        (
            pem(&workshop.read("leaf.csr")),
            InvalidKey,
            "this is a certificate, a request",
        ),
        (
            pem(&workshop.read("public.pem")),
            InvalidKey,
            "this is a public key: pass the private key",
        ),
        (pem(b""), InvalidKey, "the text is empty"),
        (pem(b"key"), InvalidKey, "no PEM block was found"),
        (
            der("leaf.der"),
            InvalidKey,
            "this is a certificate, a request for one or a CRL",
        ),
        (
            der("csr.der"),
            InvalidKey,
            "this is a certificate, a request",
        ),
        (der("p7.der"), InvalidKey, "this is a certificate"),
        (
            der("public.der"),
            InvalidKey,
            "this is a public key: pass the private key",
        ),
        (der("leaf.p12"), Unsupported, "this is PKCS#12 (.p12, .pfx)"),
        (
            der("leaf.key"),
            InvalidKey,
            "the private key is PEM, not DER",
        ),
        (PrivateKey::from_der(b""), InvalidKey, "not DER"),
        (
            PrivateKey::from_der(b"\x30\x80\x02\x01\x03"),
            Unsupported,
            "this is PKCS#12",
        ),
        (
            PrivateKey::from_der(b"\xfe\xed\xfe\xed\0\0\0\x02"),
            Unsupported,
            "Java key store",
        ),
        (
            PrivateKey::from_der(b"PuTTY-User-Key-File-3: ssh-rsa"),
            Unsupported,
            "PuTTY key",
        ),
        (
            PrivateKey::from_der(b"\x30\x03\x02\x01\x05"),
            InvalidKey,
            "no private key of PKCS#8",
        ),
        (
            PrivateKey::from_der(&[&[0x30, 0x83, 1, 0x11, 0x6b], &[0; 69_995][..]].concat()),
            InvalidKey,
            "more than 65536",
        ),
    ] {
        refusal(result, kind, part);
    }
}

#[test]
fn keys_for_other_programs_are_named_with_the_remedy() {
    let block = |label: &str| {
        let text = format!("-----BEGIN {label}-----\nMAMCAQU=\n-----END {label}-----\n");
        PrivateKey::from_pem(text.as_bytes(), None)
    };
    for (label, part) in [
        (
            "OPENSSH PRIVATE KEY",
            "convert it with `ssh-keygen -p -m PKCS8 -f KEY`",
        ),
        ("TSS2 PRIVATE KEY", "only its TPM can use"),
        ("DSA PRIVATE KEY", "the key is DSA"),
    ] {
        refusal(block(label), ErrorKind::Unsupported, part);
    }
    refusal(
        block("EC PARAMETERS"),
        ErrorKind::InvalidKey,
        "holds no private key, only `EC PARAMETERS`",
    );
    let tpm = b"\x30\x08\x06\x06\x67\x81\x05\x0a\x01\x03";
    refusal(
        PrivateKey::from_der(tpm),
        ErrorKind::Unsupported,
        "only its TPM can use",
    );
}
