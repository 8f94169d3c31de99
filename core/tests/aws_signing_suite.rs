//! AWS's signing test suite for Signature Version 4, stage by stage: canonical request, string to
//! sign, signature, signed request, each compared byte for byte with the suite's file.
//!
//! The files stand in the registry package `aws-sigv4`, which
//! `tests/conformance/aws-signing-suite` pins by hash; nothing of it is compiled. The package holds
//! the 38 cases of AWS's CRT (aws-c-auth 0.9.0), each in header and query form, and two older cases
//! in header form: 40 folders, 78 signatures.

// Tests say what they expect by panicking, and JSON is read by index.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rolesanywhere_core::{
    UnixTime,
    sigv4::{
        Authorization, CanonicalRequest, HmacCredentials, HmacSettings, Payload, SessionToken,
        Settings, SigningInstructions, SigningRequest, presign, sign_headers, string_to_sign,
    },
};
use serde_json::Value;

/// The cases that AWS's CRT does not have. They hold fewer files, no `context.json` among them, and
/// have tests of their own below.
const OLDER_CASES: [&str; 2] = ["double-encode-path", "double-url-encode"];

/// The cases whose path holds what percent-encoding changes. The suite writes these paths as they
/// were before encoding and expects them encoded once, so they run with single encoding; where
/// encoding changes nothing, both settings must give the same, and both are run.
const SINGLE_ENCODED: [&str; 3] = ["get-space-normalized", "get-space-unnormalized", "get-utf8"];

#[test]
fn every_case_in_header_form() {
    let cases = crt_cases();
    for case in &cases {
        for double_encode_path in case.encodings() {
            case.check_header_form(double_encode_path);
        }
    }
    assert_eq!(cases.len(), 38);
}

#[test]
fn every_case_in_query_form() {
    let cases = crt_cases();
    for case in &cases {
        for double_encode_path in case.encodings() {
            case.check_query_form(double_encode_path);
        }
    }
    assert_eq!(cases.len(), 38);
}

/// Its canonical request is of another time than its signed request, and of no scope that is
/// written down: so the canonical request is compared as it is, and the signature at its own time.
#[test]
fn double_encode_path() {
    let folder = suite().join("double-encode-path");
    let request = RawRequest::parse(&read(&folder, "request.txt"));
    let expected = read(&folder, "header-canonical-request.txt");
    let mut headers = request.headers();
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-date"));
    headers.push(("x-amz-date", "20210511T154045Z"));
    let canonical =
        CanonicalRequest::new(&request.signing_request(&headers), Settings::default()).unwrap();
    assert_eq!(canonical.as_str(), expected);

    let headers = request.headers();
    let instructions = sign_headers(
        &request.signing_request(&headers),
        // The well-known test credentials of `aws-credential-types`, which made the file.
        &HmacCredentials {
            access_key_id: "ANOTREAL",
            secret_access_key: "notrealrnrELgWzOk3IfjzDKtFBhDby",
            session_token: None,
        },
        UnixTime::from_sigv4("20150830T123600Z").unwrap(),
        "us-east-1",
        "service",
        HmacSettings::default(),
    )
    .unwrap();
    let signed = RawRequest::parse(&read(&folder, "header-signed-request.txt"));
    assert_eq!(authorization(&instructions), signed.header("authorization"));
}

/// Its string to sign ends in a newline that was not signed; AWS's own test trims it too.
#[test]
fn double_url_encode() {
    let folder = suite().join("double-url-encode");
    let request = RawRequest::parse(&read(&folder, "request.txt"));
    let headers = request.headers();
    let instructions = sign_headers(
        &request.signing_request(&headers),
        &HmacCredentials {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token: None,
        },
        UnixTime::from_sigv4(request.header("x-amz-date")).unwrap(),
        "us-east-2",
        "lambda",
        HmacSettings::default(),
    )
    .unwrap();
    assert_eq!(
        instructions.canonical_request().as_str(),
        read(&folder, "header-canonical-request.txt")
    );
    assert_eq!(
        instructions.string_to_sign(),
        read(&folder, "header-string-to-sign.txt").trim_end()
    );
    let signed = RawRequest::parse(&read(&folder, "header-signed-request.txt"));
    assert_eq!(authorization(&instructions), signed.header("authorization"));
}

/// A case of the CRT: a folder with a file for each stage.
struct Case {
    name: String,
    folder: PathBuf,
    context: Value,
    request: RawRequest,
}

impl Case {
    fn encodings(&self) -> Vec<bool> {
        if SINGLE_ENCODED.contains(&self.name.as_str()) {
            vec![false]
        } else {
            vec![true, false]
        }
    }

    fn check_header_form(&self, double_encode_path: bool) {
        let (name, request) = (&self.name, &self.request);
        let headers = request.headers();
        let signed = sign_headers(
            &request.signing_request(&headers),
            &self.credentials(),
            self.now(),
            self.text("region"),
            self.text("service"),
            self.settings(double_encode_path),
        )
        .unwrap();
        assert_eq!(
            signed.canonical_request().as_str(),
            self.file("header-canonical-request.txt"),
            "{name}"
        );
        assert_eq!(
            signed.string_to_sign(),
            self.file("header-string-to-sign.txt"),
            "{name}"
        );
        assert_eq!(
            signed.signature(),
            self.file("header-signature.txt"),
            "{name}"
        );
        let mut head = request.head.clone();
        for (header, value) in signed.headers() {
            head.push_str(&format!("{header}:{value}\n"));
        }
        assert_eq!(
            format!("{head}\n{}", request.body),
            self.signed_request("header-signed-request.txt"),
            "{name}"
        );

        // The parts again, each by itself, from the signed request: what a verifier does.
        let received = RawRequest::parse(&self.file("header-signed-request.txt"));
        let headers = received.headers();
        let authorization = Authorization::parse(received.header("authorization")).unwrap();
        let canonical = CanonicalRequest::with_signed_headers(
            &received.signing_request(&headers),
            authorization.signed_headers(),
            self.settings(double_encode_path).canonical,
        )
        .unwrap();
        assert_eq!(
            canonical.as_str(),
            self.file("header-canonical-request.txt"),
            "{name}"
        );
        assert_eq!(
            string_to_sign(
                authorization.algorithm(),
                self.now(),
                authorization.scope(),
                &canonical
            ),
            self.file("header-string-to-sign.txt"),
            "{name}"
        );
        assert_eq!(authorization.signature_hex(), signed.signature(), "{name}");
        assert_eq!(
            authorization.to_string(),
            received.header("authorization"),
            "{name}"
        );
    }

    fn check_query_form(&self, double_encode_path: bool) {
        let (name, request) = (&self.name, &self.request);
        let headers = request.headers();
        let expires = self.context["expiration_in_seconds"].as_u64().unwrap();
        let signed = presign(
            &request.signing_request(&headers),
            &self.credentials(),
            self.now(),
            self.text("region"),
            self.text("service"),
            Duration::from_secs(expires),
            self.settings(double_encode_path),
        )
        .unwrap();
        assert_eq!(
            signed.canonical_request().as_str(),
            self.file("query-canonical-request.txt"),
            "{name}"
        );
        assert_eq!(
            signed.string_to_sign(),
            self.file("query-string-to-sign.txt"),
            "{name}"
        );
        assert_eq!(
            signed.signature(),
            self.file("query-signature.txt"),
            "{name}"
        );
        let (_, rest) = request.head.split_once('\n').unwrap();
        assert_eq!(
            format!(
                "{} {}?{} HTTP/1.1\n{rest}\n{}",
                request.method,
                request.path,
                signed.as_str(),
                request.body
            ),
            self.signed_request("query-signed-request.txt"),
            "{name}"
        );
    }

    fn credentials(&self) -> HmacCredentials<'_> {
        let credentials = &self.context["credentials"];
        HmacCredentials {
            access_key_id: credentials["access_key_id"].as_str().unwrap(),
            secret_access_key: credentials["secret_access_key"].as_str().unwrap(),
            session_token: credentials["token"].as_str(),
        }
    }

    fn settings(&self, double_encode_path: bool) -> HmacSettings {
        let omit_token = self
            .context
            .get("omit_session_token")
            .is_some_and(|omit| omit.as_bool().unwrap());
        HmacSettings {
            canonical: Settings {
                normalize_path: self.context["normalize"].as_bool().unwrap(),
                double_encode_path,
            },
            session_token: if omit_token {
                SessionToken::Unsigned
            } else {
                SessionToken::Signed
            },
            content_sha256_header: self.context["sign_body"].as_bool().unwrap(),
        }
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_iso8601(self.text("timestamp")).unwrap()
    }

    fn text(&self, member: &str) -> &str {
        self.context[member].as_str().unwrap()
    }

    fn file(&self, name: &str) -> String {
        read(&self.folder, name)
    }

    /// The signed request of a file, its target encoded as [`RawRequest::parse`] does it.
    fn signed_request(&self, file: &str) -> String {
        let request = RawRequest::parse(&self.file(file));
        format!("{}\n{}", request.head, request.body)
    }
}

/// A request as the suite writes it, made ready for the wire.
struct RawRequest {
    /// The request line and the headers, each line ended by a newline.
    head: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl RawRequest {
    /// Does what an HTTP library does before a request is signed: percent-encodes the target's
    /// spaces and other than ASCII, and unfolds header lines (RFC 9112, 5.2). Folded lines stay
    /// folded in `head`.
    fn parse(text: &str) -> Self {
        let (head, body) = match text.split_once("\n\n") {
            Some((head, body)) => (head, body),
            None => (text.trim_end_matches('\n'), ""),
        };
        let (line, rest) = head.split_once('\n').unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        // `double-url-encode` leaves the version out of its signed request.
        let target = wire_form(target.strip_suffix(" HTTP/1.1").unwrap_or(target));
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in rest.lines() {
            if line.starts_with(' ') {
                let (_, value) = headers.last_mut().unwrap();
                value.push_str(line);
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        Self {
            head: format!("{method} {target} HTTP/1.1\n{rest}\n"),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.to_owned(),
        }
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    fn header(&self, name: &str) -> &str {
        let mut found = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (Some((_, value)), None) = (found.next(), found.next()) else {
            panic!("`{name}` is missing or repeated");
        };
        value.trim()
    }

    fn signing_request<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> SigningRequest<'a> {
        SigningRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers,
            payload: Payload::Bytes(self.body.as_bytes()),
        }
    }
}

fn wire_form(target: &str) -> String {
    let mut wire = String::new();
    for byte in target.bytes() {
        if byte.is_ascii_graphic() {
            wire.push(char::from(byte));
        } else {
            wire.push_str(&format!("%{byte:02X}"));
        }
    }
    wire
}

fn authorization(instructions: &SigningInstructions) -> &str {
    let (_, value) = instructions
        .headers()
        .iter()
        .find(|(name, _)| *name == "Authorization")
        .unwrap();
    value
}

fn crt_cases() -> Vec<Case> {
    let suite = suite();
    let names: BTreeSet<String> = fs::read_dir(&suite)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 40, "the suite has grown or shrunk: {names:?}");
    assert!(OLDER_CASES.iter().all(|name| names.contains(*name)));
    names
        .into_iter()
        .filter(|name| !OLDER_CASES.contains(&name.as_str()))
        .map(|name| {
            let folder = suite.join(&name);
            Case {
                context: serde_json::from_str(&read(&folder, "context.json")).unwrap(),
                request: RawRequest::parse(&read(&folder, "request.txt")),
                name,
                folder,
            }
        })
        .collect()
}

/// Where Cargo keeps the suite; it is fetched when it is not there yet.
fn suite() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/conformance/aws-signing-suite/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(&cargo)
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(&manifest)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{}`: {error}", cargo.display()));
    assert!(
        output.status.success(),
        "cannot fetch the suite; run `cargo fetch --locked --manifest-path {}` where the registry \
         can be reached: {}",
        manifest.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let manifest = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "aws-sigv4")
        .and_then(|package| package["manifest_path"].as_str())
        .expect("`aws-sigv4` is a dependency");
    Path::new(manifest)
        .with_file_name("aws-signing-test-suite")
        .join("v4")
}

fn read(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
