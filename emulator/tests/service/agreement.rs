//! The core says before a request what the emulator makes of a certificate: tags, source identity,
//! session name. The two share no code. Here one is held against the other, over certificates of many
//! makes, through trust policies that let in what the core foretells and nothing else.

use rolesanywhere_core::{
    Certificate as CoreCertificate,
    identity::{AttributeMapping, default_session_name, principal_tags, source_identity},
};
use rolesanywhere_emulator::{Config, Service, config::Role};
use serde_json::{Map, Value, json};

use crate::{
    accepted::accept,
    client::Call,
    lab::lab,
    pki::{Certificate, Identity, Issued},
};

const KEY_USAGE: &str = "keyUsage=critical,digitalSignature\n";

#[test]
fn the_core_foretells_tags_source_identity_and_session_name() {
    let lab = lab();
    let intermediates = [
        Certificate::ca("/C=DE/O=Example, Inc/OU=PKI/OU=Issuing/CN=Long Issuing CA")
            .key("p256-issuing-2")
            .serial("3")
            .signed_by(&lab.root),
        Certificate::ca("/DC=example/DC=corp/CN=AD (CS) CA")
            .key("p256-issuing-3")
            .serial("4")
            .signed_by(&lab.root),
    ];
    let mut certificates = 0;
    let mut unmapped = 0;
    for (subject, san, serial) in CERTIFICATES {
        for issuer in [None, Some(&intermediates[0]), Some(&intermediates[1])] {
            let extensions = match *san {
                "" => KEY_USAGE.to_owned(),
                san => format!("{KEY_USAGE}subjectAltName={san}\n"),
            };
            let leaf = Certificate::leaf(subject)
                .extensions(&extensions)
                .serial(serial);
            let leaf = leaf.signed_by(issuer.unwrap_or(&lab.root));
            unmapped += foretold(subject, &leaf, issuer);
            certificates += 1;
        }
    }
    // Neither number is the core's: the table decides them.
    assert_eq!(certificates, 3 * CERTIFICATES.len());
    assert!(unmapped >= 20, "{unmapped} attributes were not mapped");
}

/// Subject, alternative names, serial number.
const CERTIFICATES: &[(&str, &str, &str)] = &[
    ("/CN=host", "", "0x1"),
    ("/CN=host one", "DNS:one.example", "0x12"),
    (
        "/C=US/ST=Washington/L=Seattle/O=Example/OU=Ops/CN=host",
        "DNS:a.example,DNS:b.example",
        "0x123",
    ),
    (
        "/O=Example/OU=Security/OU=Engineering/OU=Research/CN=host",
        "URI:spiffe://example/ns/a",
        "0x80",
    ),
    (
        "/O=Example+OU=Multi+CN=valued",
        "URI:urn:a,DNS:z.example",
        "0xff",
    ),
    (
        "/C=US/O=SPIRE",
        "URI:spiffe://example.org/workload",
        "0x4567",
    ),
    (
        "/DC=com/DC=example/UID=u1/CN=host",
        "email:a@example.com,IP:192.0.2.1",
        "0x0102030405060708090a",
    ),
    ("/O=Example, Inc./CN=host", "DNS:*.example", "0x00ff"),
    (
        "/CN=Köln Straße/O=日本語",
        "DNS:xn--kln-sna.example",
        "0x7f",
    ),
    ("/O=Ops (night)/OU=a#b/CN=host", "", "0x10"),
    (
        "/CN=host/emailAddress=a@example.com/serialNumber=1234",
        "",
        "0x11",
    ),
    (
        "/CN=host/street=Main St. 1/title=Dr/SN=Doe/GN=Jo/initials=J",
        "",
        "0x2a",
    ),
    (
        "/CN=host/dnQualifier=x/pseudonym=p/generationQualifier=III",
        "",
        "0x2b",
    ),
    ("/CN=host/businessCategory=private", "", "0x2c"),
    (
        "/O=no common name",
        "DNS:one.example,dirName:dn\n[dn]\nC=DE\nO=Directory\nOU=1\n2.OU=2\nCN=in it",
        "0x1a2",
    ),
    ("/CN=a=b:c@d_e.f-g", "", "0x1d"),
    (
        "/CN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1",
        "",
        "0x61",
    ),
    (
        "/CN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx12",
        "",
        "0x62",
    ),
    (
        "/CN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1234",
        "",
        "0x64",
    ),
];

/// Asks for a session under a policy that wants exactly what the core says; how many attributes it says
/// are not mapped.
fn foretold(name: &str, leaf: &Issued, issuer: Option<&Issued>) -> usize {
    let lab = lab();
    let certificate = &CoreCertificate::from_der(&leaf.der()).unwrap();
    let tags = principal_tags(certificate, &AttributeMapping::default());
    let identity =
        source_identity(certificate).unwrap_or_else(|| panic!("{name}: no source identity"));
    let key = |tag: &str| format!("aws:PrincipalTag/{tag}");
    let mut equals: Map<String, Value> = tags
        .tags()
        .iter()
        .map(|(tag, value)| (key(tag), json!(value)))
        .collect();
    equals.insert("sts:SourceIdentity".to_owned(), json!(identity));
    equals.insert(
        "sts:RoleSessionName".to_owned(),
        json!(default_session_name(certificate)),
    );
    let keys: Vec<&str> = tags.tags().iter().map(|(tag, _)| tag.as_str()).collect();
    let mut condition = json!({
        "StringEquals": equals,
        "ForAllValues:StringEquals": { "aws:TagKeys": keys },
    });
    let absent: Map<String, Value> = tags
        .unmapped()
        .iter()
        .map(|tag| (key(&tag.to_string()), json!("true")))
        .collect();
    let unmapped = absent.len();
    if unmapped > 0 {
        condition["Null"] = Value::Object(absent);
    }
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": { "Service": "rolesanywhere.amazonaws.com" },
            "Action": "sts:*",
            "Condition": condition,
        }
    });
    let mut config: Config = lab.config();
    config.roles[0] = Role {
        trust_policy: Some(ascii(&policy)),
        ..Role::new("app")
    };
    let service = Service::new(&config).unwrap();
    let mut call: Call = lab.call_of(leaf, "root");
    if let Some(issuer) = issuer {
        call = call.with_chain(&[issuer]);
    }
    let answer = accept(&service, &call.sign(leaf));
    assert_eq!(
        answer["credentialSet"][0]["sourceIdentity"],
        identity.as_str(),
        "{name}"
    );
    unmapped
}

/// JSON in ASCII, since IAM takes no character beyond Latin-1 but as an escape.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}
