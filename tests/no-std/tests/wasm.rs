//! A wasm of the core imports nothing, and signs byte for byte as the native core does.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64ct::{Base64, Encoding};
use rolesanywhere_core::{
    CertificateChain, CreateSession, PrivateKey, UnixTime, signers::rustcrypto::RustCryptoSigner,
};

const NOW: i64 = 1_720_265_939;

/// The guest in Node, which answers line by line.
struct Guest {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Guest {
    fn new() -> Self {
        let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("walk.mjs");
        let mut child = Command::new("node")
            .arg(host)
            .arg(build())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut guest = Self { child, input, output };
        let imports: Vec<String> = serde_json::from_str(&guest.line()).unwrap();
        assert!(imports.is_empty(), "the wasm imports {imports:?}");
        guest
    }

    fn call(&mut self, function: &str, input: &[u8], number: i64) -> String {
        let call = serde_json::json!([function, Base64::encode_string(input), number]);
        writeln!(self.input, "{call}").unwrap();
        serde_json::from_str(&self.line()).unwrap()
    }

    fn line(&mut self) -> String {
        self.output.next().expect("the host ended").unwrap()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It is done, or hangs: its end tells nothing that the answers did not.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn build() -> PathBuf {
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--release", "--target", "wasm32-unknown-unknown"])
        .arg("--manifest-path")
        .arg(guest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success(), "the guest does not build");
    target.join("wasm32-unknown-unknown/release/rolesanywhere_no_std_guest.wasm")
}

/// A self-made certificate and its key in one PEM text, by OpenSSL.
fn openssl(key: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("openssl")
        .current_dir(folder.path())
        .args(["req", "-x509", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem"])
        .args(["-subj", "/CN=guest", "-days", "30", "-addext", "basicConstraints=CA:FALSE"])
        .args(["-addext", "keyUsage=digitalSignature", "-newkey"])
        .args(key)
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let mut pem = std::fs::read(folder.path().join("certificate.pem")).unwrap();
    pem.extend(std::fs::read(folder.path().join("key.pem")).unwrap());
    pem
}

fn native(pem: &[u8]) -> String {
    let chain = CertificateChain::from_pem(pem).unwrap();
    let key = PrivateKey::from_pem(pem, None).unwrap();
    let call = CreateSession::new(
        "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
        "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
        "arn:aws:iam::123456789012:role/r",
    );
    let unsigned = call.unwrap().prepare(&chain, UnixTime::from_seconds(NOW)).unwrap();
    let request = unsigned.sign(&RustCryptoSigner::new(&key).unwrap()).unwrap();
    request.headers.into_iter().find(|(name, _)| name == "authorization").unwrap().1
}

#[test]
fn the_whole_walk_runs_without_imports() {
    let mut guest = Guest::new();
    for key in [
        &["rsa:2048"][..],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ] {
        let pem = openssl(key);
        let header = guest.call("sign", &pem, NOW);
        assert!(header.starts_with("AWS4-X509-"), "{header}");
        assert_eq!(header, native(&pem), "{key:?}");
    }
    let refused = guest.call("sign", b"no certificate", NOW);
    assert!(refused.starts_with("error: "), "{refused}");

    let body = br#"{"credentialSet":[{"credentials":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T","expiration":"2030-01-01T00:00:00Z"}}]}"#;
    assert_eq!(
        guest.call("read", body, 201),
        r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2030-01-01T00:00:00Z"}"#
    );
    assert!(guest.call("read", body, 500).starts_with("error: "));
}
