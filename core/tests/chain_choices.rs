//! Chains beside certificates that are bad, or of one name: what is passed over and which is chosen.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{Certificate, CertificateChain};
use support::{CA, LEAF, Order, Workshop};

/// A root, a CA below it, and an end entity below that.
fn hierarchy(workshop: &Workshop) {
    for (name, issuer) in [("root", ""), ("ca1", "root")] {
        workshop.issue(Order {
            name,
            subject: &format!("/CN={name}"),
            issuer,
            extensions: CA,
            ..LEAF
        });
    }
    workshop.issue(Order {
        issuer: "ca1",
        ..LEAF
    });
}

fn names(certificates: &[Certificate]) -> Vec<&str> {
    certificates
        .iter()
        .map(|certificate| certificate.subject().common_name().unwrap())
        .collect()
}

fn read(workshop: &Workshop, files: &[&str]) -> CertificateChain {
    let text: String = files.iter().map(|file| workshop.pem(file)).collect();
    CertificateChain::from_pem(text.as_bytes()).unwrap()
}

const JUNK: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// OpenSSL too reads the certificate before a bad one: `openssl x509` stops after it.
#[test]
fn a_bad_certificate_beside_good_ones_is_told_by_its_line_and_passed_over() {
    let workshop = Workshop::new();
    hierarchy(&workshop);
    let pem = workshop.pem("leaf");
    let text = format!("{pem}{JUNK}{}", workshop.pem("ca1"));
    workshop.write("text.pem", &text);
    let chain = CertificateChain::from_pem(text.as_bytes()).unwrap();
    let line = pem.lines().count() + 1;
    let start = format!("the certificate that begins on line {line}: it is not a certificate");
    let [told] = chain.unreadable() else {
        panic!("{chain:?}");
    };
    assert!(told.starts_with(&start), "{told}");
    assert_eq!(names(chain.intermediates()), ["ca1"]);
    assert!(workshop.succeeds(&["x509", "-in", "text.pem", "-noout"]));

    let chain = read(&workshop, &["leaf"])
        .with_intermediates_pem(format!("{JUNK}{}", workshop.pem("ca1")).as_bytes())
        .unwrap();
    assert_eq!(chain.unreadable().len(), 1);
    assert_eq!(names(chain.intermediates()), ["ca1"]);
    let error = chain.with_intermediates_pem(JUNK.as_bytes()).unwrap_err();
    assert!(error.message().contains("begins on line 1"), "{error}");

    // A CA does not take the place of an end entity that cannot be read.
    let text = JUNK.to_owned() + &workshop.pem("ca1");
    let error = CertificateChain::from_pem(text.as_bytes()).unwrap_err();
    assert!(error.message().contains("begins on line 1"), "{error}");
}

/// RFC 5280 (4.1.2.2) asks for a positive number of at most 20 bytes; `openssl verify` takes any.
#[test]
fn the_serial_number_is_asked_of_the_end_entity_alone() {
    let workshop = Workshop::new();
    let long = format!("0x{}", "7f".repeat(129));
    let most = format!("0x{}", "ff".repeat(128));
    hierarchy(&workshop);
    for (serial, decimal, refusal) in [
        ("-5", "-5", Some("serial number is negative")),
        ("-256", "-256", Some("serial number is negative")),
        (&long, &long, Some("has 129 bytes, more than 128")),
        (&most, "", None),
    ] {
        let more: &[_] = &["-set_serial", serial];
        workshop.issue(Order {
            name: "ca",
            subject: "/CN=ca",
            issuer: "root",
            extensions: CA,
            more,
            ..LEAF
        });
        workshop.issue(Order {
            issuer: "ca",
            ..LEAF
        });
        let chain = read(&workshop, &["leaf", "ca"]);
        assert_eq!(names(chain.intermediates()), ["ca"], "{serial}");
        if !decimal.is_empty() {
            assert_eq!(chain.intermediates()[0].serial_decimal(), decimal);
        }
        let verify = [
            "verify",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "ca.pem",
            "leaf.pem",
        ];
        assert!(workshop.succeeds(&verify), "{serial}");

        workshop.issue(Order {
            issuer: "root",
            more,
            ..LEAF
        });
        let text = workshop.pem("leaf");
        match (CertificateChain::from_pem(text.as_bytes()), refusal) {
            (Ok(chain), None) => {
                // `python3 -c 'print(len(str(2**1024 - 1)))'`
                assert_eq!(chain.end_entity().serial_decimal().len(), 309);
            }
            (Err(error), Some(part)) => assert!(error.message().contains(part), "{error}"),
            (other, _) => panic!("{serial}: {other:?}"),
        }
    }
}

/// Seven CAs of one name without key identifiers, of which one issued the end entity; OpenSSL finds it by
/// the signature too.
#[cfg(feature = "issuer-signatures")]
#[test]
fn of_many_namesakes_the_one_is_taken_whose_key_verifies() {
    let keys: [&[&str]; 3] = [
        support::P256,
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ];
    for (key, hash) in keys.into_iter().zip(["-sha256", "-sha512", "-sha384"]) {
        let workshop = Workshop::new();
        hierarchy(&workshop);
        let bare = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
                    subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n";
        let files: Vec<String> = (0..7).map(|number| format!("ca-{number}")).collect();
        for name in &files {
            workshop.issue(Order {
                name,
                key,
                subject: "/CN=ca",
                issuer: "root",
                extensions: bare,
                ..LEAF
            });
        }
        workshop.issue(Order {
            issuer: "ca-4",
            extensions: "keyUsage=critical,digitalSignature\nauthorityKeyIdentifier=none\n",
            more: &[hash],
            ..LEAF
        });
        let mut all = vec!["leaf"];
        all.extend(files.iter().map(String::as_str));
        let chain = read(&workshop, &all);
        let expected = Certificate::from_pem(workshop.pem("ca-4").as_bytes()).unwrap();
        assert_eq!(chain.intermediates(), [expected]);
        assert_eq!(chain.unrelated().len(), 6);
    }
}

/// As below, without key identifiers: only the signature tells it from a root.
#[cfg(feature = "issuer-signatures")]
#[test]
fn a_rollover_certificate_without_key_identifiers_is_no_root() {
    let workshop = Workshop::new();
    let bare = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
                subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n";
    let root = Order {
        name: "root",
        subject: "/CN=root",
        extensions: bare,
        ..LEAF
    };
    workshop.issue(root);
    workshop.issue(Order {
        name: "rollover",
        issuer: "root",
        ..root
    });
    workshop.issue(Order {
        issuer: "rollover",
        extensions: "keyUsage=critical,digitalSignature\nauthorityKeyIdentifier=none\n",
        ..LEAF
    });
    let chain = read(&workshop, &["leaf", "rollover", "root"]);
    let expected = Certificate::from_pem(workshop.pem("rollover").as_bytes()).unwrap();
    assert_eq!(chain.intermediates(), [expected]);
}
