//! `GetCallerIdentity` by a presigned URL. The core signs: its presigned URLs agree with botocore's in
//! `tests/vectors/signed-requests.json`. `tests/interop` does the same with boto3.

use std::time::Duration;

use rolesanywhere_core::sigv4::{HmacCredentials, HmacSettings, Payload, SigningRequest, presign};
use rolesanywhere_emulator::Request;

use crate::{
    client::{REGION, pair},
    lab::lab,
};

const LIFETIME: u64 = 60;

/// A presigned request, the service that issued its credentials and the time of its signature.
fn presigned(method: &'static str) -> (rolesanywhere_emulator::Service, Request) {
    let lab = lab();
    let service = lab.service();
    let call = lab.call().with_body(r#"{"durationSeconds":900}"#);
    let response = service.handle(&call.sign(&lab.leaf), lab.now);
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let keys = &body["credentialSet"][0]["credentials"];
    let text = |name: &str| keys[name].as_str().unwrap();
    let signed = presign(
        &SigningRequest {
            method,
            path: "/",
            query: "Action=GetCallerIdentity&Version=2011-06-15",
            headers: &[("host", "127.0.0.1:8443")],
            payload: Payload::Bytes(b""),
        },
        &HmacCredentials {
            access_key_id: text("accessKeyId"),
            secret_access_key: text("secretAccessKey"),
            session_token: Some(text("sessionToken")),
        },
        lab.now,
        REGION,
        "sts",
        Duration::from_secs(LIFETIME),
        HmacSettings::for_service("sts"),
    )
    .unwrap();
    let request = Request {
        method: method.to_owned(),
        target: format!("/?{}", signed.as_str()),
        headers: vec![pair("host", "127.0.0.1:8443")],
        body: Vec::new(),
        peer: None,
    };
    (service, request)
}

#[test]
fn a_presigned_url_names_the_caller_until_it_ends() {
    let now = lab().now;
    let (service, request) = presigned("GET");
    for after in [0, i64::try_from(LIFETIME).unwrap(), -300] {
        let response = service.handle(&request, now.plus_seconds(after));
        assert_eq!(response.status, 200, "{after}: {}", response.text());
        assert!(
            response
                .text()
                .contains("<Arn>arn:aws:sts::123456789012:assumed-role/app/")
        );
    }
    // A URL outlives its minute by no second, and is not taken long before its date.
    for after in [i64::try_from(LIFETIME).unwrap() + 1, -901] {
        let response = service.handle(&request, now.plus_seconds(after));
        assert_eq!(response.status, 403, "{after}");
        assert!(response.text().contains("SignatureDoesNotMatch"));
    }
}

/// What is changed and how, and the status and code of the answer.
type Change = (&'static str, fn(&mut Request), u16, &'static str);

#[test]
fn a_presigned_url_that_was_changed_is_refused() {
    let now = lab().now;
    let changes: [Change; 9] = [
        (
            "a longer lifetime",
            |r| r.target = r.target.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "a parameter more",
            |r| r.target.push_str("&a=b"),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "another host",
            |r| r.headers = vec![pair("host", "other")],
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "another method",
            |r| r.method = "POST".to_owned(),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "a lifetime of more than a week",
            |r| r.target = r.target.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"),
            400,
            "IncompleteSignature",
        ),
        (
            "no lifetime",
            |r| r.target = r.target.replace("&X-Amz-Expires=60", ""),
            400,
            "IncompleteSignature",
        ),
        (
            "a lifetime twice",
            |r| r.target.push_str("&X-Amz-Expires=60"),
            400,
            "IncompleteSignature",
        ),
        (
            "another token",
            |r| {
                r.target = r
                    .target
                    .replace("&X-Amz-Security-Token=", "&X-Amz-Security-Token=x");
            },
            403,
            "InvalidClientTokenId",
        ),
        (
            "a header beside the query",
            |r| {
                r.headers
                    .push(pair("authorization", "AWS4-HMAC-SHA256 a=b"))
            },
            400,
            "IncompleteSignature",
        ),
    ];
    let (service, request) = presigned("GET");
    for (name, change, status, code) in changes {
        let mut changed = request.clone();
        change(&mut changed);
        let response = service.handle(&changed, now);
        assert_eq!(response.status, status, "{name}: {}", response.text());
        assert!(
            response.text().contains(code),
            "{name}: {}",
            response.text()
        );
    }
    assert_eq!(service.handle(&request, now).status, 200);
}
