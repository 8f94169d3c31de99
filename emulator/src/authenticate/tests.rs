//! The recorded request of AWS's helper, whose CA is not known: everything but the chain.

use rolesanywhere_core::UnixTime;
use serde_json::Value;

use super::SignedRequest;
use crate::{message::Request, parameters::Parameters, path, verification::verify_request};

/// `tests/vectors/create-session/recorded-rsa-2048` of the repository.
fn vector(file: &str) -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/create-session/recorded-rsa-2048/"
    );
    std::fs::read_to_string(format!("{folder}{file}")).unwrap()
}

fn recorded() -> Request {
    let json: Value = serde_json::from_str(&vector("request.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = json["headers"].as_array().unwrap();
    let mut headers: Vec<(String, String)> = headers
        .iter()
        .map(|header| (text(&header[0]), text(&header[1])))
        .collect();
    if !headers.iter().any(|(name, _)| name == "Authorization") {
        let value = vector("authorization.txt").trim_end().to_owned();
        headers.push(("Authorization".to_owned(), value));
    }
    Request {
        method: text(&json["method"]),
        target: format!("{}?{}", text(&json["path"]), text(&json["query"])),
        headers,
        body: text(&json["body"]).into_bytes(),
        peer: None,
    }
}

fn time() -> UnixTime {
    UnixTime::from_sigv4("20240706T113859Z").unwrap()
}

#[test]
fn the_recorded_request_verifies() {
    let request = recorded();
    let signed = SignedRequest::new(&request, &["host", "x-amz-date", "x-amz-x509"]).unwrap();
    assert_eq!(
        signed.string_to_sign,
        vector("string-to-sign.txt").trim_end_matches('\n')
    );
    signed.check_scope("us-east-2", "rolesanywhere").unwrap();
    signed.check_clock(time(), 0).unwrap();
    assert_eq!(signed.authorization.key_id, "21");
    let certificate = path::read_certificate(&request).unwrap();
    assert_eq!(certificate.serial_decimal, "21");
    assert!(certificate.is_valid_at(time()));
    let verify = |string_to_sign: &str, signature: &[u8]| {
        verify_request(
            certificate.key,
            &certificate.key_bytes,
            string_to_sign.as_bytes(),
            signature,
        )
    };
    let signature = signed.authorization.signature.clone();
    verify(&signed.string_to_sign, &signature).unwrap();
    let mut broken = signature.clone();
    broken[0] ^= 1;
    verify(&signed.string_to_sign, &broken).unwrap_err();
    verify(&format!("{}\n", signed.string_to_sign), &signature).unwrap_err();
    let parameters = Parameters::parse(&signed.query, &request.body).unwrap();
    assert_eq!(parameters.duration_seconds, Some(3_600));
    assert_eq!(
        parameters.role_arn,
        "arn:aws:iam::291738886548:role/rolesanywhere1"
    );
}

/// AWS's own canonical requests would be another test of the same: the core runs them, and the
/// integration tests hold this canonicalizer against a second one.
#[test]
fn every_part_of_the_recorded_request_is_covered() {
    let base = SignedRequest::new(&recorded(), &[]).unwrap().string_to_sign;
    let changes: [fn(&mut Request); 6] = [
        |request| request.method = "PUT".to_owned(),
        |request| request.target = request.target.replace("/sessions", "/session"),
        |request| request.target = request.target.replace("rolesanywhere1", "rolesanywhere2"),
        |request| request.body.push(b' '),
        |request| request.headers[0].1 = "127.0.0.1:8081".to_owned(),
        |request| {
            let (_, date) = request
                .headers
                .iter_mut()
                .find(|(name, _)| name == "X-Amz-Date")
                .unwrap();
            *date = "20240706T113858Z".to_owned();
        },
    ];
    for change in changes {
        let mut request = recorded();
        change(&mut request);
        let changed = SignedRequest::new(&request, &[]).unwrap().string_to_sign;
        assert_ne!(changed, base);
    }
}
