//! Encrypted private keys as the `openssl` command makes them, read and compared with what
//! `openssl pkey -pubout` says of the plain key.
#![cfg(feature = "containers")]
// Tests say what they expect by panicking.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod support;

use rolesanywhere_core::{ErrorKind, PrivateKey, PublicKey};
use support::{P256, Workshop};

const PASSWORD: &str = "correct horse";
const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];

/// A workshop with a plain key in `key.pem`, and that key's public half.
fn workshop(key: &[&str]) -> (Workshop, PublicKey) {
    let workshop = Workshop::new();
    workshop.openssl(&[&["genpkey", "-out", "key.pem"], key].concat());
    workshop.openssl(&[
        "pkey",
        "-in",
        "key.pem",
        "-pubout",
        "-outform",
        "DER",
        "-out",
        "public.der",
    ]);
    let public_key = PublicKey::from_spki_der(&workshop.read("public.der")).unwrap();
    (workshop, public_key)
}

/// Encrypts `key.pem` as `how` says and reads it, with and without the right password.
#[track_caller]
fn check(workshop: &Workshop, public_key: &PublicKey, how: &[&str]) {
    let command = [
        "-in",
        "key.pem",
        "-out",
        "encrypted.pem",
        "-passout",
        "pass:correct horse",
    ];
    workshop.openssl(&[how, &command].concat());
    let pem = workshop.read("encrypted.pem");
    assert!(!String::from_utf8_lossy(&pem).contains("BEGIN PRIVATE"));

    let key = PrivateKey::from_pem(&pem, Some(PASSWORD.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", how.join(" ")));
    assert_eq!(key.public_key(), public_key, "{how:?}");
    let wrong = PrivateKey::from_pem(&pem, Some(b"wrong")).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongPassword, "{how:?}: {wrong}");
    let none = PrivateKey::from_pem(&pem, None).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::PasswordRequired, "{how:?}: {none}");
}

#[test]
fn pbes2_with_every_cipher_and_prf() {
    let (workshop, public_key) = workshop(P256);
    for cipher in ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-ede3-cbc"] {
        for prf in [
            "hmacWithSHA1",
            "hmacWithSHA224",
            "hmacWithSHA256",
            "hmacWithSHA384",
            "hmacWithSHA512",
            "hmacWithSHA512-224",
            "hmacWithSHA512-256",
        ] {
            let how = [
                "pkcs8", "-topk8", "-v2", cipher, "-v2prf", prf, "-iter", "3",
            ];
            check(&workshop, &public_key, &how);
        }
        check(&workshop, &public_key, &["pkcs8", "-topk8", "-v2", cipher]);
    }
}

#[test]
fn pbes2_with_des_and_its_refusal_of_other_ciphers() {
    let (workshop, public_key) = workshop(P256);
    let legacy = [
        "pkcs8",
        "-provider",
        "default",
        "-provider",
        "legacy",
        "-topk8",
        "-v2",
    ];
    for cipher in ["des-cbc", "rc2-cbc", "rc2-64-cbc", "rc2-40-cbc"] {
        check(&workshop, &public_key, &[&legacy[..], &[cipher]].concat());
    }
    for (cipher, name) in [
        ("camellia-256-cbc", "Camellia-256-CBC"),
        ("aria-256-cbc", "ARIA-256-CBC"),
        ("seed-cbc", "1.2.410.200004.1.4"),
    ] {
        let out = [
            "-in",
            "key.pem",
            "-out",
            "refused.pem",
            "-passout",
            "pass:correct horse",
        ];
        workshop.openssl(&[&legacy[..], &[cipher], &out].concat());
        // Unsupported, whatever the password.
        for password in [None, Some(PASSWORD.as_bytes()), Some(b"wrong")] {
            let error = PrivateKey::from_pem(&workshop.read("refused.pem"), password).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.message().contains(name), "{error}");
        }
    }
}

#[test]
fn scrypt() {
    let (workshop, public_key) = workshop(P256);
    for n in [
        &[][..],
        &["-scrypt_N", "1024", "-scrypt_r", "4", "-scrypt_p", "3"],
    ] {
        check(
            &workshop,
            &public_key,
            &[&["pkcs8", "-topk8", "-scrypt"], n].concat(),
        );
    }
}

#[test]
fn pbes1_and_the_schemes_of_pkcs12() {
    let (workshop, public_key) = workshop(P256);
    for scheme in [
        "PBE-MD5-DES",
        "PBE-MD5-RC2-64",
        "PBE-SHA1-DES",
        "PBE-SHA1-RC2-64",
        "PBE-SHA1-3DES",
        "PBE-SHA1-2DES",
        "PBE-SHA1-RC2-128",
        "PBE-SHA1-RC2-40",
    ] {
        let legacy = [
            "pkcs8",
            "-provider",
            "default",
            "-provider",
            "legacy",
            "-topk8",
            "-v1",
        ];
        check(&workshop, &public_key, &[&legacy[..], &[scheme]].concat());
    }
    for (scheme, name) in [
        ("PBE-SHA1-RC4-128", "RC4-128"),
        ("PBE-SHA1-RC4-40", "RC4-40"),
    ] {
        workshop.openssl(&[
            "pkcs8",
            "-provider",
            "default",
            "-provider",
            "legacy",
            "-topk8",
            "-v1",
            scheme,
            "-in",
            "key.pem",
            "-out",
            "refused.pem",
            "-passout",
            "pass:correct horse",
        ]);
        let error = PrivateKey::from_pem(&workshop.read("refused.pem"), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn traditional_pem_encryption() {
    for (key, command) in [(P256, "ec"), (RSA, "rsa")] {
        let (workshop, public_key) = workshop(key);
        for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
            let traditional: &[&str] = if command == "rsa" {
                &["-traditional"]
            } else {
                &[]
            };
            check(
                &workshop,
                &public_key,
                &[&[command, cipher], traditional].concat(),
            );
            let text = String::from_utf8(workshop.read("encrypted.pem")).unwrap();
            assert!(text.contains("Proc-Type: 4,ENCRYPTED"), "{text}");
            // As editors and mail leave it.
            let crlf = format!("\u{feff}some words\r\n{}", text.replace('\n', "\r\n"));
            let read = PrivateKey::from_pem(crlf.as_bytes(), Some(PASSWORD.as_bytes())).unwrap();
            assert_eq!(read.public_key(), &public_key);
        }
        let out = ["-camellia256", "-in", "key.pem", "-out", "refused.pem"];
        let traditional: &[&str] = if command == "rsa" {
            &["-traditional"]
        } else {
            &[]
        };
        let password = ["-passout", "pass:correct horse"];
        workshop.openssl(&[&[command], &out[..], traditional, &password].concat());
        let error = PrivateKey::from_pem(&workshop.read("refused.pem"), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains("CAMELLIA-256-CBC"), "{error}");
    }
}

#[test]
fn every_kind_of_key_inside() {
    for curve in ["P-256", "P-384", "P-521"] {
        let curve = format!("ec_paramgen_curve:{curve}");
        let (workshop, public_key) = workshop(&["-algorithm", "EC", "-pkeyopt", &curve]);
        check(&workshop, &public_key, &["pkcs8", "-topk8"]);
    }
    let (workshop, public_key) = workshop(RSA);
    check(&workshop, &public_key, &["pkcs8", "-topk8"]);
}

/// The right password for a key that the service does not take is not called a wrong one.
#[test]
fn a_refused_kind_of_key_is_told_from_a_wrong_password() {
    let workshop = Workshop::new();
    workshop.openssl(&["genpkey", "-algorithm", "ED25519", "-out", "key.pem"]);
    let out = [
        "-in",
        "key.pem",
        "-out",
        "encrypted.pem",
        "-passout",
        "pass:correct horse",
    ];
    workshop.openssl(&[&["pkcs8", "-topk8"], &out[..]].concat());
    let pem = workshop.read("encrypted.pem");
    let error = PrivateKey::from_pem(&pem, Some(PASSWORD.as_bytes())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("Ed25519"), "{error}");
    let error = PrivateKey::from_pem(&pem, Some(b"wrong")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongPassword, "{error}");
}

/// Hundreds of wrong passwords: some leave a padding that looks right.
#[test]
fn wrong_passwords_are_always_called_wrong() {
    let (workshop, _) = workshop(P256);
    for how in [
        &["pkcs8", "-topk8", "-v2", "aes-128-cbc", "-iter", "1"][..],
        &["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-iter", "1"],
        &["ec", "-aes128"],
    ] {
        let command = [
            "-in",
            "key.pem",
            "-out",
            "encrypted.pem",
            "-passout",
            "pass:correct horse",
        ];
        workshop.openssl(&[how, &command].concat());
        let pem = workshop.read("encrypted.pem");
        for attempt in 0..1500 {
            let error =
                PrivateKey::from_pem(&pem, Some(attempt.to_string().as_bytes())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WrongPassword, "{attempt}: {error}");
        }
    }
}

/// A hostile file is refused at once, by the numbers that it asks for.
#[test]
fn the_work_of_a_file_is_bounded() {
    let workshop = Workshop::new();
    let pbkdf2 = |iterations: &str| {
        format!(
            "kdf=OID:1.2.840.113549.1.5.12\np=SEQUENCE:pbkdf2\n[pbkdf2]\n\
                 salt=OCTETSTRING:12345678\niterations=INTEGER:{iterations}\n"
        )
    };
    let scrypt = |n: &str, r: &str, p: &str| {
        format!(
            "kdf=OID:1.3.6.1.4.1.11591.4.11\np=SEQUENCE:scrypt\n[scrypt]\n\
                 salt=OCTETSTRING:12345678\nn=INTEGER:{n}\nr=INTEGER:{r}\np=INTEGER:{p}\n"
        )
    };
    for (kdf, kind) in [
        (pbkdf2("10000001"), ErrorKind::Unsupported),
        (pbkdf2("4294967296"), ErrorKind::Unsupported),
        (pbkdf2("0"), ErrorKind::InvalidKey),
        (pbkdf2("-1"), ErrorKind::InvalidKey),
        (scrypt("1048576", "8", "1"), ErrorKind::Unsupported),
        (
            scrypt("1024", "4294967295", "4294967295"),
            ErrorKind::Unsupported,
        ),
        (scrypt("262144", "8", "1000"), ErrorKind::Unsupported),
        (scrypt("1", "8", "1"), ErrorKind::InvalidKey),
        (scrypt("1000", "8", "1"), ErrorKind::InvalidKey),
        (scrypt("1024", "0", "1"), ErrorKind::InvalidKey),
        (scrypt("1024", "8", "0"), ErrorKind::InvalidKey),
    ] {
        let der = workshop.asn1(&format!(
            "asn1=SEQUENCE:top\n[top]\nscheme=SEQUENCE:scheme\n\
             content=FORMAT:HEX,OCTETSTRING:00112233445566778899AABBCCDDEEFF\n[scheme]\n\
             oid=OID:1.2.840.113549.1.5.13\nparameters=SEQUENCE:pbes2\n[pbes2]\n\
             kdf=SEQUENCE:kdf\ncipher=SEQUENCE:cipher\n[cipher]\n\
             oid=OID:2.16.840.1.101.3.4.1.2\n\
             iv=FORMAT:HEX,OCTETSTRING:00112233445566778899AABBCCDDEEFF\n[kdf]\n{kdf}"
        ));
        workshop.write("hostile.der", &der);
        workshop.openssl(&["base64", "-in", "hostile.der", "-out", "hostile.b64"]);
        let base64 = String::from_utf8(workshop.read("hostile.b64")).unwrap();
        let label = "ENCRYPTED PRIVATE KEY";
        let pem = format!("-----BEGIN {label}-----\n{base64}-----END {label}-----\n");
        let began = std::time::Instant::now();
        let error = PrivateKey::from_pem(pem.as_bytes(), Some(b"x")).unwrap_err();
        assert_eq!(error.kind(), kind, "{kdf}: {error}");
        assert!(began.elapsed().as_millis() < 500, "{kdf}");
    }
}
