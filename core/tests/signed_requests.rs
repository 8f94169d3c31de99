//! `tests/vectors/signed-requests.json`: requests made at random, canonicalized and signed by
//! botocore, must come out the same here, in header and in query form.

// Tests say what they expect by panicking, and JSON is read by index.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::{fs, time::Duration};

use rolesanywhere_core::{
    UnixTime,
    sigv4::{
        HmacCredentials, HmacSettings, Payload, SessionToken, SigningKey, SigningRequest,
        host_scope,
    },
};
use serde_json::Value;

#[test]
fn requests_are_signed_as_by_botocore() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/signed-requests.json"
    );
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let text = |name: &str| file[name].as_str().unwrap();
    let (mut headers, mut queries) = (0, 0);
    for row in file["requests"].as_array().unwrap() {
        let credentials = HmacCredentials {
            access_key_id: text("access_key_id"),
            secret_access_key: text("secret_access_key"),
            session_token: row["session_token"].as_str(),
        };
        match row["form"].as_str() {
            Some("header") => {
                check_header_form(row, &credentials);
                headers += 1;
            }
            Some("query") => {
                check_query_form(row, &credentials);
                queries += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((headers, queries), (110, 60));
}

fn check_header_form(row: &Value, credentials: &HmacCredentials<'_>) {
    with_request(row, |request, now, settings| {
        let signed = signing_key(row, credentials, now)
            .sign_headers(request, now, settings)
            .unwrap();
        assert_eq!(
            signed.canonical_request().as_str(),
            row["canonical_request"].as_str().unwrap()
        );
        assert_eq!(
            signed.string_to_sign(),
            row["string_to_sign"].as_str().unwrap()
        );
        let (name, value) = signed.headers().last().unwrap();
        assert_eq!(*name, "Authorization");
        assert_eq!(value, row["authorization"].as_str().unwrap());
    });
}

fn check_query_form(row: &Value, credentials: &HmacCredentials<'_>) {
    with_request(row, |request, now, settings| {
        let expires = Duration::from_secs(row["expires"].as_u64().unwrap());
        let key = signing_key(row, credentials, now);
        // The default of the service is what botocore's signer for its presigned URLs takes.
        let payload = key.presign_payload().header_value();
        assert_eq!(payload, request.payload.header_value());
        let signed = key.presign(request, now, expires, settings).unwrap();
        assert_eq!(
            signed.canonical_request().as_str(),
            row["canonical_request"].as_str().unwrap()
        );
        assert_eq!(
            signed.string_to_sign(),
            row["string_to_sign"].as_str().unwrap()
        );
        assert_eq!(signed.signature(), row["signature"].as_str().unwrap());
        let end = format!("&X-Amz-Signature={}", signed.signature());
        assert!(signed.as_str().ends_with(&end));
    });
}

fn signing_key(row: &Value, credentials: &HmacCredentials<'_>, now: UnixTime) -> SigningKey {
    let text = |name: &str| row[name].as_str().unwrap();
    SigningKey::new(credentials, now, text("region"), text("service")).unwrap()
}

fn with_request(row: &Value, check: impl FnOnce(&SigningRequest<'_>, UnixTime, HmacSettings)) {
    let text = |name: &str| row[name].as_str().unwrap();
    let headers: Vec<(&str, &str)> = row["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
        .collect();
    let request = SigningRequest {
        method: text("method"),
        path: text("path"),
        query: text("query"),
        headers: &headers,
        payload: if text("payload") == "unsigned" {
            Payload::Unsigned
        } else {
            Payload::Bytes(text("body").as_bytes())
        },
    };
    let settings = HmacSettings {
        session_token: match text("session_token_kind") {
            "s3express" => SessionToken::S3Express,
            _ => SessionToken::Signed,
        },
        ..HmacSettings::for_service(text("service"))
    };
    check(
        &request,
        UnixTime::from_sigv4(text("time")).unwrap(),
        settings,
    );
}

/// `tests/vectors/hosts.json`: the signing name and region of every service of botocore in several
/// regions and forms, and the documented host names that carry a resource.
#[test]
fn hosts_tell_service_and_region_as_botocore_signs_for_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/hosts.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let rows = file["hosts"].as_array().unwrap();
    assert!(rows.len() > 3000, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let host = row[0].as_str().unwrap();
        let scope = host_scope(host);
        let (service, region) = (scope.service.as_deref(), scope.region.as_deref());
        if (service, region) != (row[1].as_str(), row[2].as_str()) {
            wrong.push(format!("{row}: {service:?} {region:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        rows.len()
    );
}
