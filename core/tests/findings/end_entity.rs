//! The rules for the end entity.

use rolesanywhere_core::{
    Certificate, CertificateChain, UnixTime,
    identity::{About, findings},
};

use crate::{
    DAY, DAYS, INSUFFICIENT, UNTRUSTED, below_ca, chain, codes, look, refused,
    support::{CA, END_ENTITY, LEAF, Order, Workshop},
    warned,
};

#[test]
fn the_end_entitys_rules_are_looked_at() {
    let workshop = Workshop::new();
    let extensions = |usage: &str| END_ENTITY.replace("critical,digitalSignature", usage);
    let (encipherment, no_usage) = (
        extensions("keyEncipherment,keyAgreement"),
        END_ENTITY.replace("keyUsage=critical,digitalSignature\n", ""),
    );
    let is_ca = END_ENTITY.replace("CA:FALSE", "CA:TRUE");
    let server = END_ENTITY.replace("clientAuth", "serverAuth");
    let critical = format!("{END_ENTITY}1.2.3.4=critical,DER:0500\n");
    let ed25519: &[&str] = &["-algorithm", "ED25519"];
    let rsa1024: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    let serial = format!("0x7f{}", "ff".repeat(20));
    let (long, name65) = (["-set_serial", &serial], format!("/CN={}", "x".repeat(64)));
    let usual = LEAF;
    for (order, expected, said) in [
        (
            Order {
                name: "a",
                extensions: &no_usage,
                ..usual
            },
            refused("key_usage_missing"),
            INSUFFICIENT,
        ),
        (
            Order {
                name: "b",
                extensions: &encipherment,
                ..usual
            },
            refused("digital_signature_missing"),
            INSUFFICIENT,
        ),
        (
            Order {
                name: "c",
                extensions: &is_ca,
                ..usual
            },
            refused("end_entity_is_ca"),
            INSUFFICIENT,
        ),
        (
            Order {
                name: "d",
                subject: "/",
                ..usual
            },
            refused("subject_empty"),
            None,
        ),
        (
            Order {
                name: "e",
                key: ed25519,
                ..usual
            },
            refused("key_unsupported"),
            None,
        ),
        (
            Order {
                name: "f",
                key: rsa1024,
                ..usual
            },
            refused("key_unsupported"),
            None,
        ),
        (
            Order {
                name: "g",
                more: &["-sha1"],
                ..usual
            },
            refused("signature_algorithm_weak"),
            None,
        ),
        (
            Order {
                name: "h",
                extensions: &server,
                ..usual
            },
            warned("extended_key_usage_without_client_auth"),
            None,
        ),
        (
            Order {
                name: "i",
                extensions: &critical,
                ..usual
            },
            warned("critical_extension_unknown"),
            UNTRUSTED,
        ),
        (
            Order {
                name: "j",
                more: &long,
                ..usual
            },
            warned("serial_number_unusual"),
            None,
        ),
        (
            Order {
                name: "k",
                more: &["-set_serial", "0"],
                ..usual
            },
            warned("serial_number_unusual"),
            None,
        ),
        (
            Order {
                name: "l",
                subject: "/CN=Doe, Jane (IT)",
                ..usual
            },
            warned("common_name_unmappable"),
            None,
        ),
        (
            Order {
                name: "m",
                subject: "/O=a*b/OU=c!d/CN=x",
                ..usual
            },
            warned("attributes_unmappable"),
            None,
        ),
        (
            Order {
                name: "n",
                subject: "/CN=a/CN=b",
                ..usual
            },
            warned("source_identity_uncertain"),
            None,
        ),
    ] {
        let found = look(&below_ca(&workshop, order));
        assert_eq!(codes(&found), [expected], "{}", order.name);
        assert_eq!(found[0].about, About::EndEntity);
        assert_eq!(found[0].service_message, said);
    }
    // 64 characters are the most that OpenSSL writes, and what the service still takes.
    let order = Order {
        name: "o",
        subject: &name65,
        ..usual
    };
    assert_eq!(look(&below_ca(&workshop, order)), []);

    workshop.issue(Order {
        name: "self",
        more: DAYS,
        ..usual
    });
    let found = look(&chain(&workshop, &["self"]));
    assert_eq!(codes(&found), [refused("end_entity_self_signed")]);

    // Version 1 has no extensions either.
    let der = workshop.odd(&[
        ("version=EXPLICIT:0,INTEGER:2\n", ""),
        ("extensions=EXPLICIT:3,SEQUENCE:extensions\n", ""),
        ("issuer=SEQUENCE:name", "issuer=SEQUENCE:no_name"),
        ("[validity]", "[no_name]\n[validity]"),
    ]);
    let version1 = Certificate::from_der(&der).unwrap();
    let version1 = CertificateChain::new(version1, Vec::new()).unwrap();
    let expected = [refused("version_not_3"), refused("key_usage_missing")];
    assert_eq!(codes(&look(&version1)), expected);
}

#[test]
fn refusals_come_first_and_messages_name_what_was_found() {
    let workshop = Workshop::new();
    let found = look(&below_ca(
        &workshop,
        Order {
            subject: "/O=a*b/CN=c(d)",
            extensions: "keyUsage=keyAgreement\nextendedKeyUsage=serverAuth\n",
            ..LEAF
        },
    ));
    assert_eq!(
        codes(&found),
        [
            refused("digital_signature_missing"),
            warned("extended_key_usage_without_client_auth"),
            warned("common_name_unmappable"),
            warned("attributes_unmappable"),
        ]
    );
    assert_eq!(
        found[0].to_string(),
        "the certificate's key usage is `keyAgreement`, and the service wants digitalSignature: ask \
         the issuer for an end-entity certificate whose key usage has digitalSignature and that is \
         not a CA"
    );
    assert!(found[2].message.contains("`c(d)`"), "{}", found[2]);
    assert!(found[3].message.contains("`x509Subject/O`"), "{}", found[3]);
}

#[test]
fn the_validity_is_looked_at_to_the_second() {
    let workshop = Workshop::new();
    let chain = below_ca(&workshop, LEAF);
    let leaf = chain.end_entity();
    let at = |now: UnixTime| -> Vec<_> {
        let found = findings(&chain, now, None);
        let all = codes(&found).into_iter();
        all.filter(|(code, _)| code.starts_with("end_entity"))
            .collect()
    };
    let (from, to) = (leaf.not_before(), leaf.not_after());
    assert_eq!(
        at(from.plus_seconds(-1)),
        [refused("end_entity_not_yet_valid")]
    );
    assert_eq!(at(from), []);
    // 365 days: the last tenth are 36.5.
    let soon = to.plus_seconds(-36 * DAY - DAY / 2);
    assert_eq!(at(soon), []);
    assert_eq!(
        at(soon.plus_seconds(1)),
        [warned("end_entity_expires_soon")]
    );
    assert_eq!(at(to), [warned("end_entity_expires_soon")]);
    assert_eq!(at(to.plus_seconds(1)), [refused("end_entity_expired")]);

    // Ten years: 45 days.
    let long = below_ca(
        &workshop,
        Order {
            name: "long",
            more: &["-days", "3650"],
            ..LEAF
        },
    );
    let to = long.end_entity().not_after();
    for (now, expected) in [
        (to.plus_seconds(-45 * DAY), 0),
        (to.plus_seconds(-45 * DAY + 1), 1),
    ] {
        let found = findings(&long, now, None);
        let soon = found.iter().filter(|f| f.code == "end_entity_expires_soon");
        assert_eq!(soon.count(), expected);
    }
}

#[test]
fn algorithms_that_the_service_is_not_known_to_take_are_told() {
    let workshop = Workshop::new();
    let rsa: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    workshop.issue(Order {
        name: "ca",
        key: rsa,
        subject: "/CN=ca",
        extensions: CA,
        more: DAYS,
        ..LEAF
    });
    let pss = ["-sigopt", "rsa_padding_mode:pss"];
    workshop.issue(Order {
        issuer: "ca",
        more: &[DAYS, &pss].concat(),
        ..LEAF
    });
    let found = look(&chain(&workshop, &["leaf"]));
    assert_eq!(codes(&found), [warned("signature_algorithm_uncertain")]);
    assert!(
        found[0].message.contains("RSA-PSS with SHA-256"),
        "{}",
        found[0]
    );

    let der = workshop.odd(&[
        ("oid=OID:1.2.840.10045.4.3.2", "oid=OID:1.2.3.4"),
        ("issuer=SEQUENCE:name", "issuer=SEQUENCE:no_name"),
        ("[validity]", "[no_name]\n[validity]"),
    ]);
    let unknown = Certificate::from_der(&der).unwrap();
    let unknown = CertificateChain::new(unknown, Vec::new()).unwrap();
    assert_eq!(
        codes(&look(&unknown)),
        [warned("signature_algorithm_uncertain")]
    );
}

/// ML-DSA is what the service takes: nothing is said of it.
#[test]
fn ml_dsa_is_no_finding() {
    for pem in [
        include_str!("../certificates/ml-dsa-44.pem"),
        include_str!("../certificates/ml-dsa-87.pem"),
    ] {
        let chain = CertificateChain::from_pem(pem.as_bytes()).unwrap();
        // Self-signed, as keytool makes them; nothing else.
        assert_eq!(codes(&look(&chain)), [refused("end_entity_self_signed")]);
    }
}
