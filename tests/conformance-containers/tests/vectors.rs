//! Every key, PKCS#12 file and certificate of two third-party suites, against the tables in
//! `expected/`, which `expected/make.py` wrote with `openssl` and the Python package `cryptography`.
//! A file that no table names fails, and a line whose file is missing.

// Tests say what they expect by panicking.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rolesanywhere_core::{Certificate, KeyAlgorithm, PrivateKey, PublicKey, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// PyPI's `cryptography_vectors`, which `tests/run` downloads by hash and unpacks.
#[test]
fn cryptography_vectors() {
    let root = here().join("../../.cache/cryptography_vectors-48.0.0");
    assert!(
        root.exists(),
        "`tests/run conformance-containers` brings the vectors"
    );
    let folders = [
        "cryptography_vectors/asymmetric/PKCS8",
        "cryptography_vectors/asymmetric/Traditional_OpenSSL_Serialization",
        "cryptography_vectors/pkcs12",
        "cryptography_vectors/x509/custom",
        "cryptography_vectors/x509/PKITS_data/pkcs12",
    ];
    check(
        "cryptography_vectors.tsv",
        &folders.map(|folder| (folder.into(), root.join(folder))),
    );
}

/// The test files of RustCrypto's crates for the same formats.
#[test]
fn rustcrypto() {
    let names = ["pkcs1", "pkcs12", "pkcs5", "pkcs8", "sec1", "x509-cert"];
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(here().join("rustcrypto/Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut folders = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, version) = (
            package["name"].as_str().unwrap(),
            package["version"].as_str().unwrap(),
        );
        // x509-cert and others stand in the tree once more, in another version, for pkcs12.
        let pinned = format!("{name}-{version}/tests");
        if names.contains(&name) {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap());
            folders.push((pinned, manifest.with_file_name("tests")));
        }
    }
    assert_eq!(folders.len(), names.len(), "{folders:?}");
    check("rustcrypto.tsv", &folders);
}

/// Reads every file of some folders, each given with its name in the table.
fn check(table: &str, folders: &[(String, PathBuf)]) {
    let text = fs::read_to_string(here().join("expected").join(table)).unwrap();
    let mut expected: BTreeMap<&str, Vec<&str>> = text
        .lines()
        .map(|line| {
            let (name, rest) = line.split_once('\t').unwrap();
            (name, rest.split('\t').collect())
        })
        .collect();
    let mut faults = Vec::new();
    for (name, folder) in folders {
        for (path, name) in files(folder, name) {
            let Some(line) = expected.remove(name.as_str()) else {
                faults.push(format!("{name} is not in the table"));
                continue;
            };
            let [form, password, outcome] = line[..] else {
                panic!("{name}: a line has four columns");
            };
            let found = read(&fs::read(path).unwrap(), form, password);
            if found.0 != outcome {
                faults.push(format!(
                    "{name}: {outcome} expected, {} found ({})",
                    found.0, found.1
                ));
            }
        }
    }
    faults.extend(
        expected
            .keys()
            .map(|name| format!("{name} is in the table and nowhere else")),
    );
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// The outcome as in the table, and the message of an error.
fn read(bytes: &[u8], form: &str, password: &str) -> (String, String) {
    let password = password
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let password = password.map(str::as_bytes);
    match public_key(bytes, form, password) {
        Ok(public_key) => (sha256_of_spki(&public_key), String::new()),
        Err(error) => (error.kind().code().into(), error.to_string()),
    }
}

fn public_key(bytes: &[u8], form: &str, password: Option<&[u8]>) -> Result<PublicKey> {
    match form {
        "certificate" => {
            let certificate = if bytes.starts_with(b"0") {
                Certificate::from_der(bytes)
            } else {
                Certificate::from_pem(bytes)
            }?;
            certificate.public_key().cloned()
        }
        "key" => PrivateKey::from_bytes(bytes, password).map(|key| key.public_key().clone()),
        "pkcs12" => {
            let (key, chain) = PrivateKey::from_pkcs12(bytes, password)?;
            key.check_matches(chain.end_entity().public_key()?)?;
            Ok(key.public_key().clone())
        }
        other => panic!("{other}"),
    }
}

/// The files below a folder that may be vectors, with their names in the table.
fn files(folder: &Path, name: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            found.extend(files(&path, &name));
        } else if ![".rs", ".sh", ".py"].iter().any(|end| name.ends_with(end)) {
            found.push((path, name));
        }
    }
    found
}

/// SHA-256 of the `SubjectPublicKeyInfo` of a key.
fn sha256_of_spki(public_key: &PublicKey) -> String {
    const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const P256: &[u8] =
        b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    const P384: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
    const P521: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";
    let algorithm = match public_key.algorithm() {
        KeyAlgorithm::Rsa { .. } => RSA,
        KeyAlgorithm::EcP256 => P256,
        KeyAlgorithm::EcP384 => P384,
        KeyAlgorithm::EcP521 => P521,
        other => panic!("no table has {other}"),
    };
    let bits = tlv(3, &[&[0], public_key.as_bytes()].concat());
    let digest = Sha256::digest(tlv(0x30, &[algorithm, &bits].concat()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let header = match length.to_be_bytes() {
        [0, short @ 0..0x80] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, content.to_vec()].concat()
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
