//! The rules for issuers, and for the chain as a whole.

use rolesanywhere_core::{
    Certificate, CertificateChain,
    identity::{About, MAX_HEADERS_LENGTH, findings, likely_path},
};

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
            &[warned("issuer_not_ca")][..],
        ),
        (
            "b",
            &no_sign,
            &[],
            &[warned("issuer_key_cert_sign_missing")],
        ),
        (
            "c",
            &no_usage,
            &[],
            &[warned("issuer_key_cert_sign_missing")],
        ),
        ("d", CA, &["-sha1"], &[warned("signature_algorithm_weak")]),
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
        assert_eq!(of_issuer, [warned(expected)]);
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
    assert!(!found[0].refuses());
}

/// The paths are those that `openssl verify` finds to the root that is named.
#[test]
fn the_path_goes_around_what_is_wrong() {
    let workshop = Workshop::new();
    authority(&workshop, "root", "", CA, DAYS);
    authority(&workshop, "root2", "", CA, DAYS);
    let ca = |name, issuer, extensions: &str, days| {
        if name != "ca" {
            workshop.write(&format!("{name}.key"), workshop.read("ca.key"));
        }
        workshop.issue(Order {
            name,
            subject: "/CN=ca",
            issuer,
            extensions,
            more: days,
            ..LEAF
        });
    };
    ca("ca", "root", CA, &["-days", "10"]);
    ca("cross", "root2", CA, DAYS);
    ca("not-ca", "root", &CA.replace("CA:TRUE", "CA:FALSE"), DAYS);
    workshop.issue(Order {
        issuer: "ca",
        more: DAYS,
        ..LEAF
    });
    for (files, day, root) in [
        (&["ca"][..], 1, Some("root")),
        (&["ca"], 20, None),
        (&["ca", "cross"], 20, Some("root2")),
        (&["not-ca", "cross"], 1, Some("root2")),
        (&["not-ca"], 1, None),
    ] {
        let names: Vec<&str> = ["leaf"].iter().chain(files).copied().collect();
        let chain = chain(&workshop, &names);
        let now = chain.end_entity().not_before().plus_seconds(day * DAY);
        let path = likely_path(&chain, now);
        let last = path.last().copied().unwrap_or(chain.end_entity());
        let expected = root.map_or("CN=ca".into(), |root| format!("CN={root}"));
        assert_eq!(last.issuer().to_string(), expected, "{files:?}");
        assert_eq!(path.len(), usize::from(root.is_some()));
        // None of it refuses.
        assert!(findings(&chain, now, None).iter().all(|f| !f.refuses()));

        // OpenSSL takes the first that has the name, and does not turn back.
        let others: String = files.iter().rev().map(|file| workshop.pem(file)).collect();
        workshop.write("others.pem", others);
        let at = now.seconds().to_string();
        for candidate in ["root", "root2"] {
            let anchor = format!("{candidate}.pem");
            let verify = [
                "verify",
                "-attime",
                &at,
                "-CAfile",
                &anchor,
                "-untrusted",
                "others.pem",
                "leaf.pem",
            ];
            assert_eq!(
                workshop.succeeds(&verify),
                root == Some(candidate),
                "{files:?}"
            );
        }
    }
}

/// Two that are told and do not stand in the way: OpenSSL reads the first and refuses the second.
#[test]
fn what_cannot_be_read_and_odd_times_are_told() {
    let workshop = Workshop::new();
    below_ca(&workshop, LEAF);
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let text = workshop.pem("leaf") + junk + &workshop.pem("ca");
    let chain = CertificateChain::from_pem(text.as_bytes()).unwrap();
    let found = look(&chain);
    assert_eq!(codes(&found), [warned("certificate_unreadable")]);
    assert!(found[0].message.contains("begins on line"), "{}", found[0]);

    for (times, is_told) in [
        (
            "from=UTCTIME:240706113859Z\nto=UTCTIME:340706113859Z",
            false,
        ),
        (
            "from=IMPLICIT:23U,FORMAT:ASCII,OCTETSTRING:240706113859+0100\nto=UTCTIME:340706113859Z",
            true,
        ),
        (
            "from=IMPLICIT:23U,FORMAT:ASCII,OCTETSTRING:2407061138Z\nto=UTCTIME:340706113859Z",
            true,
        ),
    ] {
        let usual = "from=UTCTIME:240706113859Z\nto=UTCTIME:340706113859Z";
        let der = workshop.odd(&[(usual, times)]);
        let odd = Certificate::from_der(&der).unwrap();
        let chain = CertificateChain::new(odd, Vec::new()).unwrap();
        let found = look(&chain);
        let told = codes(&found).contains(&warned("validity_unusual"));
        assert_eq!(told, is_told, "{times}");
    }
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
            &[warned("issuer_path_length_exceeded")]
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
