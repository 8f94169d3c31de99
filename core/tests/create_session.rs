//! `CreateSession` against `tests/vectors/create-session`: what is prepared from the parameters is,
//! byte for byte, what the reference client sent.

// Tests say what they expect by panicking.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rolesanywhere_core::{
    ArnPlacement, CertificateChain, CreateSession, Endpoint, ErrorKind, Signature, Signer,
    SigningAlgorithm, UnixTime, UnsignedRequest, signers::rustcrypto::RustCryptoVerifier,
};

struct Case {
    folder: PathBuf,
    context: serde_json::Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/create-session");
        let cases: Vec<_> = fs::read_dir(root)
            .unwrap()
            .map(|entry| {
                let folder = entry.unwrap().path();
                let context = fs::read_to_string(folder.join("context.json")).unwrap();
                Self {
                    folder,
                    context: serde_json::from_str(&context).unwrap(),
                }
            })
            .collect();
        assert!(!cases.is_empty());
        cases
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    fn of(&self, member: &str) -> &str {
        self.context[member].as_str().unwrap()
    }

    fn call(&self) -> CreateSession {
        let placement = match self.of("arns") {
            "body" => ArnPlacement::Body,
            _ => ArnPlacement::Query,
        };
        let call = CreateSession::new(
            self.of("trust_anchor_arn"),
            self.of("profile_arn"),
            self.of("role_arn"),
        );
        let endpoint = Endpoint::custom(self.of("endpoint"), self.of("region")).unwrap();
        let duration = Duration::from_secs(self.context["duration_seconds"].as_u64().unwrap());
        call.unwrap()
            .with_endpoint(endpoint)
            .unwrap()
            .with_duration(duration)
            .unwrap()
            .with_arn_placement(placement)
    }

    fn chain(&self) -> CertificateChain {
        let chain = CertificateChain::from_pem(self.text("certificate.pem").as_bytes()).unwrap();
        match fs::read(self.folder.join("chain.pem")) {
            Ok(intermediates) => chain.with_intermediates_pem(&intermediates).unwrap(),
            Err(_) => chain,
        }
    }

    fn prepared(&self) -> UnsignedRequest {
        let now = UnixTime::from_iso8601(self.of("time")).unwrap();
        self.call().prepare(&self.chain(), now).unwrap()
    }

    fn signature(&self, of: SigningAlgorithm) -> Signature {
        let authorization = self.text("authorization.txt");
        let hex = authorization.rsplit("Signature=").next().unwrap();
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        match of {
            SigningAlgorithm::EcdsaSha256 => Signature::ecdsa_der(&bytes),
            SigningAlgorithm::MlDsa => Signature::mldsa(&bytes),
            _ => Signature::rsa_pkcs1(&bytes),
        }
        .unwrap()
    }
}

#[test]
fn every_stage_is_the_recorded_one() {
    for case in Case::all() {
        let unsigned = case.prepared();
        assert_eq!(
            unsigned.canonical_request(),
            case.text("canonical-request.txt")
        );
        assert_eq!(unsigned.string_to_sign(), case.text("string-to-sign.txt"));

        let signature = case.signature(unsigned.algorithm());
        unsigned
            .check_signature(&signature, &RustCryptoVerifier)
            .unwrap();
        let request = unsigned.with_signature(&signature).unwrap();
        // The parts, for a host that puts them together itself.
        assert_eq!(
            unsigned.authorization(&signature).unwrap(),
            case.text("authorization.txt")
        );
        assert_eq!(
            (unsigned.url(), unsigned.body()),
            (&*request.url, &*request.body)
        );
        assert_eq!(
            unsigned.headers(),
            &request.headers[..request.headers.len() - 1]
        );
        let header = |name: &str| {
            request
                .headers
                .iter()
                .find(|(header, _)| header == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(
            header("authorization").unwrap(),
            case.text("authorization.txt")
        );

        let sent: serde_json::Value = serde_json::from_str(&case.text("request.json")).unwrap();
        let (path, query) = (
            sent["path"].as_str().unwrap(),
            sent["query"].as_str().unwrap(),
        );
        assert_eq!(request.method, sent["method"]);
        assert_eq!(
            request.url,
            format!("{}{path}?{query}", case.of("endpoint"))
        );
        assert_eq!(
            String::from_utf8(request.body.clone()).unwrap(),
            sent["body"]
        );
        for recorded in sent["headers"].as_array().unwrap() {
            let name = recorded[0].as_str().unwrap().to_lowercase();
            if name.starts_with("x-amz-") || name == "content-type" {
                assert_eq!(header(&name).as_deref(), recorded[1].as_str(), "{name}");
            }
        }
        assert_eq!(header("host"), None, "the host's HTTP library sends it");
    }
}

#[test]
fn a_signature_that_is_not_the_keys_is_refused() {
    for case in Case::all() {
        let unsigned = case.prepared();
        let mut bytes = case.signature(unsigned.algorithm()).as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let wrong = Signature::rsa_pkcs1(&bytes).unwrap();
        let error = unsigned
            .check_signature(&wrong, &RustCryptoVerifier)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyMismatch);

        let longer = Signature::rsa_pkcs1(&[1; 384]).unwrap();
        let error = unsigned.with_signature(&longer).unwrap_err();
        assert!(error.message().contains("384 bytes"), "{error}");

        let other = Signature::ecdsa_p1363(&[1; 64]).unwrap();
        assert!(unsigned.authorization(&other).is_err());
        let error = unsigned.with_signature(&other).unwrap_err();
        assert!(
            error.message().contains("AWS4-X509-ECDSA-SHA256"),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::KeyMismatch);
    }
}

#[derive(Debug)]
struct Elsewhere;

impl Signer for Elsewhere {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::MlDsa
    }

    fn sign(&self, _: &[u8]) -> rolesanywhere_core::Result<Signature> {
        panic!("a signer of another algorithm is not asked")
    }
}

#[test]
fn a_signer_of_another_algorithm_is_not_asked() {
    let error = Case::all()[0].prepared().sign(&Elsewhere).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyMismatch);
}

#[test]
fn the_arns_can_travel_in_the_body() {
    let case = &Case::all()[0];
    let now = UnixTime::from_iso8601(case.of("time")).unwrap();
    let call = case
        .call()
        .with_arn_placement(ArnPlacement::Body)
        .with_role_session_name("host-1")
        .unwrap()
        .with_instance_property("name", "a \"quoted\" value")
        .unwrap();
    let unsigned = call.prepare(&case.chain(), now).unwrap();
    let request = unsigned
        .with_signature(&case.signature(unsigned.algorithm()))
        .unwrap();
    assert_eq!(request.url, format!("{}/sessions", case.of("endpoint")));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "durationSeconds": 3600,
            "instanceProperties": { "name": "a \"quoted\" value" },
            "profileArn": case.of("profile_arn"),
            "roleArn": case.of("role_arn"),
            "roleSessionName": "host-1",
            "trustAnchorArn": case.of("trust_anchor_arn"),
        })
    );
}

#[test]
fn an_arn_with_an_equals_sign_goes_into_the_body() {
    let case = &Case::all()[0];
    let role = format!("{}=x", case.of("role_arn"));
    let call = CreateSession::new(case.of("trust_anchor_arn"), case.of("profile_arn"), &role);
    let unsigned = call
        .unwrap()
        .prepare(&case.chain(), UnixTime::from_seconds(0))
        .unwrap();
    let request = unsigned
        .with_signature(&case.signature(unsigned.algorithm()))
        .unwrap();
    assert!(!request.url.contains('?'), "{}", request.url);
    assert!(
        String::from_utf8(request.body)
            .unwrap()
            .contains("rolesanywhere1=x")
    );
}

#[test]
fn the_path_of_a_custom_endpoint_is_signed() {
    let case = &Case::all()[0];
    let endpoint = Endpoint::custom("https://proxy.example:8443/aws/", case.of("region")).unwrap();
    let call = case.call().with_endpoint(endpoint).unwrap();
    let unsigned = call
        .prepare(&case.chain(), UnixTime::from_seconds(0))
        .unwrap();
    let mut lines = unsigned.canonical_request().lines();
    assert_eq!(
        (lines.next(), lines.next()),
        (Some("POST"), Some("/aws/sessions"))
    );
    assert!(
        unsigned
            .canonical_request()
            .contains("\nhost:proxy.example:8443\n")
    );
    let request = unsigned
        .with_signature(&case.signature(unsigned.algorithm()))
        .unwrap();
    assert!(
        request
            .url
            .starts_with("https://proxy.example:8443/aws/sessions?profileArn=")
    );
}

#[test]
fn debug_hides_the_signature() {
    let case = &Case::all()[0];
    let unsigned = case.prepared();
    let signature = case.signature(unsigned.algorithm());
    let text = format!("{:?}", unsigned.with_signature(&signature).unwrap());
    assert!(
        !text.contains(&signature.to_hex()) && text.contains("[redacted]"),
        "{text}"
    );
}
