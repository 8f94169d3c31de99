//! The cases of `tests/vectors/create-session`, stage by stage; `tests/vectors/README.md` describes
//! the format. The signatures are verified by `ring` and by OpenSSL, neither of which is ours.

// Tests say what they expect by panicking, and JSON is read by index.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64ct::{Base64, Encoding};
use rolesanywhere_core::{
    UnixTime,
    sigv4::{
        Authorization, CanonicalRequest, CredentialScope, Payload, Settings, SigningRequest,
        string_to_sign,
    },
};
use serde_json::Value;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

#[test]
fn the_canonical_request_is_rebuilt() {
    for case in cases() {
        assert_eq!(
            case.canonical_request().as_str(),
            case.text("canonical-request.txt"),
            "{}",
            case.name
        );
    }
}

#[test]
fn the_string_to_sign_is_rebuilt() {
    for case in cases() {
        let authorization = case.authorization();
        assert_eq!(
            string_to_sign(
                authorization.algorithm(),
                case.now(),
                authorization.scope(),
                &case.canonical_request()
            ),
            case.text("string-to-sign.txt"),
            "{}",
            case.name
        );
        let region = case.context["region"].as_str().unwrap();
        let scope = CredentialScope::new(case.now(), region, "rolesanywhere").unwrap();
        assert_eq!(&scope, authorization.scope(), "{}", case.name);
    }
}

#[test]
fn the_signature_verifies_with_ring() {
    for case in cases() {
        let authorization = case.authorization();
        let verification: &dyn ring::signature::VerificationAlgorithm =
            match authorization.algorithm() {
                "AWS4-X509-RSA-SHA256" => &ring::signature::RSA_PKCS1_2048_8192_SHA256,
                other => panic!("{}: teach this test to verify `{other}`", case.name),
            };
        let certificate = case.certificate();
        let key = certificate.tbs_certificate().subject_public_key_info();
        let key = key.subject_public_key.as_bytes().unwrap();
        let key = ring::signature::UnparsedPublicKey::new(verification, key);
        let message = case.text("string-to-sign.txt");
        let mut signature = authorization.signature();
        key.verify(message.as_bytes(), &signature).unwrap();
        // And it verifies nothing else.
        signature[10] ^= 1;
        assert!(key.verify(message.as_bytes(), &signature).is_err());
    }
}

#[test]
fn the_signature_verifies_with_openssl() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for case in cases() {
        assert_eq!(case.authorization().algorithm(), "AWS4-X509-RSA-SHA256");
        let (key, signature) = (folder.join("key.pem"), folder.join("signature.bin"));
        let public_key = openssl()
            .args(["x509", "-pubkey", "-noout", "-in"])
            .arg(case.folder.join("certificate.pem"))
            .output()
            .expect("`openssl` runs");
        fs::write(&key, public_key.stdout).unwrap();
        fs::write(&signature, case.authorization().signature()).unwrap();
        let verified = openssl()
            .args(["dgst", "-sha256", "-verify"])
            .arg(&key)
            .arg("-signature")
            .arg(&signature)
            .arg(case.folder.join("string-to-sign.txt"))
            .output()
            .expect("`openssl` runs");
        assert!(verified.status.success(), "{}: {verified:?}", case.name);
        assert_eq!(verified.stdout, b"Verified OK\n");
    }
}

#[test]
fn the_authorization_header_is_read_and_written() {
    for case in cases() {
        let text = case.text("authorization.txt");
        let read = case.authorization();
        assert_eq!(read.to_string(), text, "{}", case.name);
        assert_eq!(
            read.credential(),
            case.context["serial_number"].as_str().unwrap()
        );
        let written = Authorization::new(
            read.algorithm(),
            case.context["serial_number"].as_str().unwrap(),
            read.scope(),
            case.canonical_request().signed_headers(),
            &read.signature(),
        )
        .unwrap();
        assert_eq!(written, read, "{}", case.name);
    }
}

/// The files of a case belong together: the certificate is the one that was sent.
#[test]
fn the_certificate_is_the_one_in_the_request() {
    for case in cases() {
        let der = case.certificate().to_der().unwrap();
        let headers = case.headers();
        let (_, sent) = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("x-amz-x509"))
            .unwrap();
        assert_eq!(Base64::encode_string(&der), *sent, "{}", case.name);
    }
}

struct Case {
    name: String,
    folder: PathBuf,
    context: Value,
    request: Value,
}

impl Case {
    fn text(&self, file: &str) -> String {
        read(&self.folder, file)
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_iso8601(self.context["time"].as_str().unwrap()).unwrap()
    }

    fn certificate(&self) -> Certificate {
        let pem = self.text("certificate.pem");
        let base64: String = pem
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        Certificate::from_der(&Base64::decode_vec(&base64).unwrap()).unwrap()
    }

    fn authorization(&self) -> Authorization {
        Authorization::parse(&self.text("authorization.txt")).unwrap()
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        self.request["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
            .collect()
    }

    fn canonical_request(&self) -> CanonicalRequest {
        let text = |member: &str| self.request[member].as_str().unwrap();
        let headers = self.headers();
        CanonicalRequest::with_signed_headers(
            &SigningRequest {
                method: text("method"),
                path: text("path"),
                query: text("query"),
                headers: &headers,
                payload: Payload::Bytes(text("body").as_bytes()),
            },
            self.authorization().signed_headers(),
            Settings::default(),
        )
        .unwrap()
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/create-session");
    let cases: Vec<Case> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let folder = entry.unwrap().path();
            Case {
                name: folder.file_name().unwrap().display().to_string(),
                context: serde_json::from_str(&read(&folder, "context.json")).unwrap(),
                request: serde_json::from_str(&read(&folder, "request.json")).unwrap(),
                folder,
            }
        })
        .collect();
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    cases
}

fn openssl() -> Command {
    let mut command = Command::new("openssl");
    command.stdin(Stdio::null());
    command
}

fn read(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
