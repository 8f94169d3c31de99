//! NIST's Public Key Interoperability Test Suite, sections 4.1 to 4.13.
//!
//! `tests/pkits/table.txt` holds every test with NIST's outcome, the emulator's, and a reason wherever
//! the two differ. The certificates come from PyPI's `cryptography_vectors`, which `tests/run` fetches.
//!
//! PKITS has no keys that a request could be signed with here, and needs none: a request with a wrong
//! signature comes as far as the check of the signature if, and only if, path, end entity and
//! revocation pass.

use std::{
    fs,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{
    Config, Service,
    audit::Outcome,
    config::{Crl, Profile, Role, TrustAnchor},
};

use crate::{
    client::{ACCOUNT, Arns, Call, REGION},
    pki::Identity,
};

/// 2024-01-01T00:00:00Z: most certificates of the suite are valid from 2010 to 2030.
const NOW: i64 = 1_704_067_200;

/// How many tests the sections have.
const TESTS: usize = 6 + 8 + 11 + 21 + 8 + 17 + 5 + 15 + 8 + 9 + 11 + 10 + 38;

/// A line of the table.
struct Row<'a> {
    number: &'a str,
    name: &'a str,
    is_valid: bool,
    /// `accepted`, `list refused` or the check that refuses.
    ours: &'a str,
    end_entity: &'a str,
    chain: Vec<&'a str>,
    crls: Vec<&'a str>,
    /// Why the emulator decides otherwise.
    why: &'a str,
}

#[test]
fn every_test_has_its_outcome() {
    let table = include_str!("../pkits/table.txt");
    let rows: Vec<Row<'_>> = table
        .lines()
        .filter(|l| !l.starts_with('#'))
        .map(row)
        .collect();
    assert_eq!(rows.len(), TESTS);
    let mut wrong = Vec::new();
    for row in &rows {
        let (outcome, reason) = outcome(row);
        if outcome != row.ours {
            wrong.push(format!(
                "{} {}: {outcome}, not {}: {reason}",
                row.number, row.name, row.ours
            ));
        }
        let agrees = row.is_valid == (row.ours == "accepted");
        if agrees != row.why.is_empty() {
            let what = if agrees {
                "needs no reason"
            } else {
                "needs a reason"
            };
            wrong.push(format!("{} {} {what}", row.number, row.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} lines:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn row(line: &str) -> Row<'_> {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [number, name, nist, ours, end_entity, chain, crls, why] = fields[..] else {
        panic!("not a line of the table: {line}");
    };
    Row {
        number,
        name,
        is_valid: match nist {
            "valid" => true,
            "invalid" => false,
            other => panic!("{number}: NIST says valid or invalid, not `{other}`"),
        },
        ours,
        end_entity,
        chain: chain.split_whitespace().collect(),
        crls: crls.split_whitespace().collect(),
        why,
    }
}

/// What the emulator makes of a test, and why.
fn outcome(row: &Row<'_>) -> (String, String) {
    let anchor = pem("CERTIFICATE", &file("certs/TrustAnchorRootCertificate.crt"));
    let mut config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("root", &anchor))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    for (number, crl) in row.crls.iter().enumerate() {
        let pem = pem("X509 CRL", &file(&format!("crls/{crl}.crl")));
        config = config.with_crl(Crl::new(&format!("{number}"), "root", &pem));
    }
    let service = match Service::new(&config) {
        Ok(service) => service,
        Err(error) => return ("list refused".to_owned(), error.to_string()),
    };
    let arns = Arns {
        trust_anchor: service.trust_anchor_arn("root").unwrap(),
        profile: service.profile_arn("app").unwrap(),
        role: service.role_arn("app").unwrap(),
    };
    let certificate = |name: &str| Vector(file(&format!("certs/{name}.crt")));
    let end_entity = certificate(row.end_entity);
    let chain: Vec<Vector> = row.chain.iter().map(|name| certificate(name)).collect();
    let chain: Vec<&dyn Identity> = chain.iter().map(|ca| ca as &dyn Identity).collect();
    let now = UnixTime::from_seconds(NOW);
    let mut call = Call::helper(&arns, &end_entity, now);
    call.algorithm = "AWS4-X509-RSA-SHA256".to_owned();
    if !chain.is_empty() {
        call = call.with_chain(&chain);
    }
    let response = service.handle(&call.signed(&[0; 256]), now);
    assert_eq!(
        response.status, 403,
        "{}: the signature is wrong",
        row.number
    );
    match service.audit_records().pop().unwrap().outcome {
        Outcome::Refused {
            check: "signature",
            reason,
            ..
        } => ("accepted".to_owned(), reason),
        Outcome::Refused { check, reason, .. } => (check.to_owned(), reason),
        other => panic!("{}: {other:?}", row.number),
    }
}

/// A certificate of the suite, whose key nobody has.
struct Vector(Vec<u8>);

impl Identity for Vector {
    fn der(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// Serial numbers of the suite have one octet or, in a few, up to twenty.
    fn serial(&self) -> String {
        // Certificate, TBSCertificate, [0] version; then INTEGER.
        let tbs = content(content(&self.0));
        let serial = content(&tbs[5..]);
        crate::pki::decimal(&data_encoding::HEXUPPER.encode(serial))
    }

    fn sign(&self, _: &[u8]) -> Vec<u8> {
        panic!("nobody has the key")
    }
}

/// The content of the first DER element.
fn content(der: &[u8]) -> &[u8] {
    let (start, length) = match usize::from(der[1]) {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) * 256 + usize::from(der[3])),
        length => (2, length),
    };
    &der[start..start + length]
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn file(name: &str) -> Vec<u8> {
    static FOLDER: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../.cache/cryptography_vectors-48.0.0/cryptography_vectors/x509/PKITS_data")
    });
    let path = FOLDER.join(name);
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: `tests/run emulator` fetches the vectors",
            path.display()
        )
    })
}
