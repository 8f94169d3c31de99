//! The rules for issuers, and for the chain as a whole.

use rolesanywhere_core::identity::{About, MAX_HEADERS_LENGTH, Severity, findings};

use crate::{
    DAY, DAYS, authority, below_ca, chain, codes, look, refused,
    support::{CA, END_ENTITY, LEAF, Order, Workshop},
    warned,
};

#[test]
fn the_rules_for_issuers_are_looked_at() {
    let workshop = Workshop::new();
    authority(&workshop, "root", "", CA, DAYS);
    let not_ca = CA.replace("CA:TRUE", "CA:FALSE");
    let no_sign = CA.replace("keyCertSign,", "");
    let no_usage = CA.replace("keyUsage=critical,keyCertSign,cRLSign\n", "");
    for (name, extensions, more, expected) in [
        (
            "a",
            not_ca.as_str(),
            &[][..],
            &[refused("issuer_not_ca")][..],
        ),
        (
            "b",
            &no_sign,
            &[],
            &[refused("issuer_key_cert_sign_missing")],
        ),
        (
            "c",
            &no_usage,
            &[],
            &[refused("issuer_key_cert_sign_missing")],
        ),
        ("d", CA, &["-sha1"], &[refused("signature_algorithm_weak")]),
    ] {
        authority(&workshop, name, "root", extensions, &[DAYS, more].concat());
        workshop.issue(Order {
            issuer: name,
            more: DAYS,
            ..LEAF
        });
        let found = look(&chain(&workshop, &["leaf", name, "root"]));
        assert_eq!(codes(&found), expected);
        assert_eq!(found[0].about, About::Intermediate(0));
        assert!(
            found[0].message.contains(&format!("`CN={name}`")),
            "{}",
            found[0]
        );
    }

    // The issuer's validity, which ends before the end entity's.
    authority(&workshop, "short", "root", CA, &["-days", "100"]);
    workshop.issue(Order {
        issuer: "short",
        more: DAYS,
        ..LEAF
    });
    let short = chain(&workshop, &["leaf", "short"]);
    let issuer = &short.intermediates()[0];
    for (now, expected) in [
        (issuer.not_before().plus_seconds(-1), "issuer_not_yet_valid"),
        (issuer.not_after(), "issuer_expires_soon"),
        (issuer.not_after().plus_seconds(1), "issuer_expired"),
    ] {
        let found = findings(&short, now, None);
        let of_issuer: Vec<_> = codes(&found)
            .into_iter()
            .filter(|(code, _)| code.starts_with("issuer"))
            .collect();
        let severity = match expected {
            "issuer_expires_soon" => Severity::Warning,
            _ => Severity::Refusal,
        };
        assert_eq!(of_issuer, [(expected, severity)]);
    }

    // The same CA's certificate from another root makes the bad one needless.
    workshop.write("cross.key", workshop.read("a.key"));
    workshop.issue(Order {
        name: "cross",
        subject: "/CN=a",
        issuer: "root",
        extensions: CA,
        more: DAYS,
        ..LEAF
    });
    workshop.issue(Order {
        issuer: "a",
        more: DAYS,
        ..LEAF
    });
    let found = look(&chain(&workshop, &["leaf", "a", "cross"]));
    assert_eq!(codes(&found), [warned("issuer_not_ca")]);
}

/// What is found of a path length is what OpenSSL's own validator says.
#[test]
fn path_lengths_are_counted_as_openssl_counts_them() {
    for (top, middle, fits) in [
        ("", "", true),
        (",pathlen:1", ",pathlen:0", true),
        (",pathlen:0", "", false),
        (",pathlen:2", ",pathlen:0", true),
    ] {
        let workshop = Workshop::new();
        let ca = |length: &str| CA.replace("CA:TRUE", &format!("CA:TRUE{length}"));
        authority(&workshop, "root", "", CA, DAYS);
        authority(&workshop, "top", "root", &ca(top), DAYS);
        authority(&workshop, "middle", "top", &ca(middle), DAYS);
        workshop.issue(Order {
            issuer: "middle",
            more: DAYS,
            ..LEAF
        });
        let found = look(&chain(&workshop, &["leaf", "middle", "top"]));
        let expected: &[_] = if fits {
            &[]
        } else {
            &[refused("issuer_path_length_exceeded")]
        };
        assert_eq!(codes(&found), expected, "{top} {middle}");
        workshop.write(
            "untrusted.pem",
            workshop.pem("top") + &workshop.pem("middle"),
        );
        let verify = [
            "verify",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "untrusted.pem",
            "leaf.pem",
        ];
        assert_eq!(workshop.succeeds(&verify), fits, "{top} {middle}");
    }
}

#[test]
fn the_whole_is_looked_at() {
    let workshop = Workshop::new();
    let usual = below_ca(&workshop, LEAF);
    let now = usual.end_entity().not_before().plus_seconds(DAY);
    let found = findings(&usual, now, Some("no spaces"));
    assert_eq!(codes(&found), [refused("session_name_invalid")]);
    assert!(found[0].message.contains("`no spaces`"));

    // The intermediate in between is missing, so that those above it lead nowhere.
    authority(&workshop, "sub", "ca", CA, DAYS);
    workshop.issue(Order {
        name: "deep",
        issuer: "sub",
        more: DAYS,
        ..LEAF
    });
    let found = look(&chain(&workshop, &["deep", "ca", "root"]));
    assert_eq!(codes(&found), [warned("certificates_unrelated")]);
    assert!(found[0].message.contains("`CN=ca`") && found[0].message.ends_with("`CN=sub`"));
    // A bundle of roots is nothing to tell of.
    assert_eq!(look(&chain(&workshop, &["leaf", "ca", "root", "root"])), []);
    authority(&workshop, "other-root", "", CA, DAYS);
    assert_eq!(look(&chain(&workshop, &["leaf", "ca", "other-root"])), []);

    // As long as it may be, and then one group of base64 more.
    let headers = |padding: usize| {
        let extensions = format!(
            "{END_ENTITY}1.2.3.4=DER:04{}{}\n",
            length(padding),
            "00".repeat(padding)
        );
        let chain = below_ca(
            &workshop,
            Order {
                name: "padded",
                extensions: &extensions,
                ..LEAF
            },
        );
        let length = chain.x509_header().len() + chain.x509_chain_header().unwrap().len();
        (length, codes(&look(&chain)))
    };
    let (short, found) = headers(6000);
    assert!(
        short <= MAX_HEADERS_LENGTH && found.is_empty(),
        "{short} {found:?}"
    );
    let (long, found) = headers(6000 + (MAX_HEADERS_LENGTH - short) * 3 / 4 + 12);
    assert!(
        long > MAX_HEADERS_LENGTH && long < MAX_HEADERS_LENGTH + 100,
        "{long}"
    );
    assert_eq!(found, [warned("headers_long")]);
}

/// A DER length of two bytes.
fn length(length: usize) -> String {
    format!("82{length:04x}")
}
