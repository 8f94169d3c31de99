//! What stands between the parameters of a request and the signature: the canonical request and the
//! string to sign, of the request in `tests/vectors/create-session/recorded-rsa-2048`.
//!
//! Hashing is measured apart, over as many bytes as a request hashes: the rest is ours.

// The vectors are there, or the benchmark has nothing to measure; JSON is read by index.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

use std::{fs, hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rolesanywhere_core::{
    ArnPlacement, CertificateChain, CreateSession, Endpoint, SigningAlgorithm, UnixTime,
    sigv4::{
        CanonicalRequest, CredentialScope, HmacCredentials, HmacSettings, Payload, Settings,
        SigningKey, SigningRequest, string_to_sign,
    },
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn preparing(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/create-session/recorded-rsa-2048");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let context: Value = serde_json::from_str(&read("context.json")).unwrap();
    let recorded: Value = serde_json::from_str(&read("request.json")).unwrap();
    let text = |member: &str| recorded[member].as_str().unwrap();
    let of = |member: &str| context[member].as_str().unwrap();
    let signed = ["content-type", "host", "x-amz-date", "x-amz-x509"];
    let headers: Vec<(&str, &str)> = recorded["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
        .filter(|(name, _)| signed.contains(&name.to_ascii_lowercase().as_str()))
        .collect();
    let request = SigningRequest {
        method: text("method"),
        path: text("path"),
        query: text("query"),
        headers: &headers,
        payload: Payload::Bytes(text("body").as_bytes()),
    };
    let now = UnixTime::from_iso8601(of("time")).unwrap();
    let scope = CredentialScope::new(now, of("region"), "rolesanywhere").unwrap();
    let canonical = CanonicalRequest::new(&request, Settings::default()).unwrap();
    assert_eq!(canonical.as_str(), read("canonical-request.txt"));
    let algorithm = SigningAlgorithm::RsaSha256.name();

    let mut group = criterion.benchmark_group("preparing");
    group.bench_function("canonical request, body hashed", |b| {
        b.iter(|| CanonicalRequest::new(black_box(&request), Settings::default()).unwrap());
    });
    let hashed = SigningRequest {
        payload: Payload::Sha256([7; 32]),
        ..request
    };
    group.bench_function("canonical request, body hashed before", |b| {
        b.iter(|| CanonicalRequest::new(black_box(&hashed), Settings::default()).unwrap());
    });
    group.bench_function("string to sign, canonical request hashed", |b| {
        b.iter(|| string_to_sign(algorithm, now, black_box(&scope), black_box(&canonical)));
    });
    group.throughput(Throughput::Bytes(canonical.as_str().len() as u64));
    group.bench_function("SHA-256 of a canonical request", |b| {
        b.iter(|| Sha256::digest(black_box(canonical.as_str())));
    });
    group.throughput(Throughput::Elements(1));

    let chain = CertificateChain::from_pem(read("certificate.pem").as_bytes()).unwrap();
    let call = CreateSession::new(of("trust_anchor_arn"), of("profile_arn"), of("role_arn"))
        .unwrap()
        .with_endpoint(Endpoint::custom(of("endpoint"), of("region")).unwrap())
        .unwrap()
        .with_arn_placement(ArnPlacement::Query);
    group.bench_function("CreateSession::prepare", |b| {
        b.iter(|| call.prepare(black_box(&chain), now).unwrap());
    });
    group.finish();
}

fn hmac(criterion: &mut Criterion) {
    let credentials = HmacCredentials {
        access_key_id: "ASIAEXAMPLE",
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        session_token: Some("FwoGZXIvYXdzEXAMPLETOKEN"),
    };
    let now = UnixTime::from_seconds(1_720_265_939);
    let request = SigningRequest {
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("host", "sts.us-east-2.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded"),
        ],
        payload: Payload::Bytes(b"Action=GetCallerIdentity&Version=2011-06-15"),
    };
    let settings = HmacSettings::default();
    let key = SigningKey::new(&credentials, now, "us-east-2", "sts").unwrap();

    let mut group = criterion.benchmark_group("hmac");
    group.bench_function("signing key", |b| {
        b.iter(|| SigningKey::new(black_box(&credentials), now, "us-east-2", "sts").unwrap());
    });
    group.bench_function("signed headers, key kept", |b| {
        b.iter(|| {
            key.sign_headers(black_box(&request), now, settings)
                .unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, preparing, hmac);
criterion_main!(benches);
