//! Key stores that Java's `keytool` makes: PKCS#12 with trusted certificates beside the key's own.

// Tests say what they expect by panicking.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{fs, process::Command};

use rolesanywhere_core::{ErrorKind, PrivateKey, PublicKey};
use tempfile::TempDir;

const STORE: &[&str] = &[
    "-keystore",
    "store.p12",
    "-storetype",
    "PKCS12",
    "-storepass",
    "secret",
];

#[test]
fn key_stores() {
    // As Java writes them today, as before 8u301, and in BER terms whatever it chooses.
    for flag in ["-J-Dx=y", "-J-Dkeystore.pkcs12.legacy=true"] {
        let dir = tempfile::tempdir().unwrap();
        generate(&dir, "me", flag);
        let (key, chain) = read(&dir).unwrap();
        assert_eq!(key.public_key(), &public_key(&dir));
        assert_eq!(chain.end_entity().subject().to_string(), "CN=me");

        // Trusted certificates, which Java marks with 2.16.840.1.113894.746875.1.1.
        for name in ["first", "second"] {
            let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
            let subject = format!("/CN={name}");
            run(
                &dir,
                "openssl",
                &[
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &pem,
                    "-subj", &subject,
                ],
            );
            let import = [
                "-importcert",
                "-noprompt",
                "-trustcacerts",
                "-alias",
                name,
                "-file",
                &pem,
            ];
            run(&dir, "keytool", &[&import, STORE, &[flag]].concat());
        }
        let (key, chain) = read(&dir).unwrap();
        assert_eq!(key.public_key(), &public_key(&dir));
        assert_eq!(chain.end_entity().subject().to_string(), "CN=me");
        assert!(chain.intermediates().is_empty());
        assert_eq!(chain.unrelated().len(), 2, "{chain:?}");

        generate(&dir, "another", flag);
        let error = read(&dir).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
        assert!(error.message().contains("`CN=me`"), "{error}");
        assert!(error.message().contains("`CN=another`"), "{error}");
    }
}

fn generate(dir: &TempDir, name: &str, flag: &str) {
    let subject = format!("CN={name}");
    let generate = [
        "-genkeypair",
        "-keyalg",
        "EC",
        "-groupname",
        "secp256r1",
        "-alias",
        name,
        "-dname",
        &subject,
    ];
    run(dir, "keytool", &[&generate, STORE, &[flag]].concat());
}

fn read(
    dir: &TempDir,
) -> rolesanywhere_core::Result<(PrivateKey, rolesanywhere_core::CertificateChain)> {
    PrivateKey::from_pkcs12(
        &fs::read(dir.path().join("store.p12")).unwrap(),
        Some(b"secret"),
    )
}

/// The public half of the one key, by `openssl`.
fn public_key(dir: &TempDir) -> PublicKey {
    run(
        dir,
        "openssl",
        &[
            "pkcs12",
            "-legacy",
            "-in",
            "store.p12",
            "-passin",
            "pass:secret",
            "-nodes",
            "-nocerts",
            "-out",
            "key.pem",
        ],
    );
    run(
        dir,
        "openssl",
        &[
            "pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "key.der",
        ],
    );
    PublicKey::from_spki_der(&fs::read(dir.path().join("key.der")).unwrap()).unwrap()
}

fn run(dir: &TempDir, program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir.path())
        .output()
        .unwrap_or_else(|error| panic!("this test needs the command `{program}`: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}
