//! What is read once a session: the certificate and the service's answer.

// A benchmark stops when its material is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::{fs, hint::black_box, path::Path};

use criterion::{Criterion, criterion_group, criterion_main};
use rolesanywhere_core::{Certificate, CertificateChain, HttpResponse, Session};

fn certificate(criterion: &mut Criterion) {
    let case = "../tests/vectors/create-session/recorded-rsa-2048/certificate.pem";
    let pem = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(case)).unwrap();
    let der = Certificate::from_pem(&pem).unwrap().as_der().to_vec();
    let mut group = criterion.benchmark_group("certificate");
    group.bench_function("from_der", |bencher| {
        bencher.iter(|| Certificate::from_der(black_box(&der)).unwrap());
    });
    group.bench_function("from_pem", |bencher| {
        bencher.iter(|| Certificate::from_pem(black_box(&pem)).unwrap());
    });
    group.bench_function("chain_from_pem", |bencher| {
        bencher.iter(|| CertificateChain::from_pem(black_box(&pem)).unwrap());
    });
    group.finish();
}

/// An answer of the length that the live service gives: a token of some 800 characters.
fn answer(criterion: &mut Criterion) {
    let token = "IQoJb3JpZ2luX2VjE".repeat(48);
    let body = format!(
        r#"{{"credentialSet":[{{"assumedRoleUser":{{"arn":"arn:aws:sts::123456789012:assumed-role/reader/61d5692c","assumedRoleId":"AROAEXAMPLE:61d5692c"}},"credentials":{{"accessKeyId":"ASIAEXAMPLE","expiration":"2030-01-16T00:02:43Z","secretAccessKey":"abc/DEF+123","sessionToken":"{token}"}},"packedPolicySize":46,"roleArn":"arn:aws:iam::123456789012:role/reader","sourceIdentity":"CN=alice"}}],"subjectArn":"arn:aws:rolesanywhere:us-east-1:123456789012:subject/2c4e"}}"#
    );
    let headers = vec![(
        "date".to_string(),
        "Sat, 06 Jul 2024 11:38:59 GMT".to_string(),
    )];
    let response = HttpResponse::new(201, headers, body.into_bytes());
    criterion.bench_function("answer/from_response", |bencher| {
        bencher.iter(|| Session::from_response(black_box(&response)).unwrap());
    });
}

criterion_group!(benches, certificate, answer);
criterion_main!(benches);
