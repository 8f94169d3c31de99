//! Chains: split, ordered, and what is dropped.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{
    Certificate, CertificateChain, ErrorKind, certificate::MAX_INTERMEDIATES,
};
use support::{CA, LEAF, Order, Workshop};

/// A root, `count` intermediates below it, and an end entity below them.
fn hierarchy(workshop: &Workshop, count: usize) {
    let mut issuer = String::new();
    for depth in 0..=count {
        let name = if depth == 0 {
            "root".into()
        } else {
            format!("ca{depth}")
        };
        workshop.issue(Order {
            name: &name,
            subject: &format!("/O=Example/CN={name}"),
            issuer: &issuer,
            extensions: &format!("{CA}authorityKeyIdentifier=keyid\n"),
            ..LEAF
        });
        issuer = name;
    }
    workshop.issue(Order {
        issuer: &issuer,
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

#[test]
fn a_full_chain_is_split_and_ordered_whatever_its_order() {
    let workshop = Workshop::new();
    hierarchy(&workshop, 3);
    for files in [
        &["leaf", "ca3", "ca2", "ca1", "root"][..],
        &["root", "ca1", "ca2", "ca3", "leaf"],
        &["ca2", "leaf", "root", "ca3", "ca1"],
        &["leaf", "ca1", "ca3", "ca2"],
        // PKCS#12 users send the end entity twice; others repeat what they like.
        &[
            "leaf", "leaf", "ca3", "ca3", "ca2", "ca1", "ca1", "root", "root",
        ],
    ] {
        let chain = read(&workshop, files);
        assert_eq!(chain.end_entity().subject().common_name(), Some("leaf"));
        assert_eq!(names(chain.intermediates()), ["ca3", "ca2", "ca1"]);
        assert_eq!(chain.unrelated(), []);
        assert_eq!(chain.last_issuer().common_name(), Some("root"));
    }
}

/// OpenSSL accepts the order that was made: each certificate verifies with those behind it.
#[test]
fn openssl_verifies_the_chain() {
    let workshop = Workshop::new();
    hierarchy(&workshop, 2);
    let chain = read(&workshop, &["ca1", "root", "ca2", "leaf"]);
    let [above, last] = chain.intermediates() else {
        panic!("{chain:?}");
    };
    workshop.write("above.der", above.as_der());
    workshop.write("last.der", last.as_der());
    workshop.openssl(&["verify", "-CAfile", "root.pem", "last.der"]);
    workshop.openssl(&[
        "verify",
        "-partial_chain",
        "-trusted",
        "last.der",
        "above.der",
    ]);
    workshop.openssl(&[
        "verify",
        "-partial_chain",
        "-trusted",
        "above.der",
        "leaf.pem",
    ]);
}

#[test]
fn the_headers_are_base64_without_line_breaks() {
    let workshop = Workshop::new();
    hierarchy(&workshop, 2);
    let encoded = |file: &str| -> String {
        let pem = workshop.pem(file);
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    };
    let chain = read(&workshop, &["leaf", "ca1", "ca2"]);
    assert_eq!(chain.x509_header(), encoded("leaf"));
    assert_eq!(
        chain.x509_chain_header().unwrap(),
        format!("{},{}", encoded("ca2"), encoded("ca1"))
    );
    let alone = read(&workshop, &["leaf"]);
    assert_eq!(alone.x509_header(), encoded("leaf"));
    assert_eq!(alone.x509_chain_header(), None);
    assert_eq!(read(&workshop, &["leaf", "root"]).x509_chain_header(), None);
}

#[test]
fn five_intermediates_are_taken_and_six_refused() {
    for count in [MAX_INTERMEDIATES, MAX_INTERMEDIATES + 1] {
        let workshop = Workshop::new();
        hierarchy(&workshop, count);
        let mut text = workshop.pem("leaf");
        for depth in 1..=count {
            text.push_str(&workshop.pem(&format!("ca{depth}")));
        }
        text.push_str(&workshop.pem("root"));
        let chain = CertificateChain::from_pem(text.as_bytes());
        if count <= MAX_INTERMEDIATES {
            let expected = ["ca5", "ca4", "ca3", "ca2", "ca1"];
            assert_eq!(names(chain.unwrap().intermediates()), expected);
        } else {
            let error = chain.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCertificate);
            assert_eq!(
                error.message(),
                "more than 5 intermediate certificates lead on from `CN=leaf`, and the service \
                 takes 5: pass only those between the end entity and the trust anchor"
            );
        }
    }
}

#[test]
fn what_is_not_on_the_path_is_dropped_and_told() {
    let workshop = Workshop::new();
    hierarchy(&workshop, 1);
    for name in ["other-root", "other-leaf"] {
        workshop.issue(Order {
            name,
            subject: &format!("/CN={name}"),
            extensions: CA,
            ..LEAF
        });
    }
    workshop.issue(Order {
        name: "stranger",
        subject: "/CN=stranger",
        issuer: "other-root",
        ..LEAF
    });
    let chain = read(
        &workshop,
        &["other-root", "leaf", "stranger", "ca1", "root"],
    );
    // A CA that comes first and issued nothing of the path is not taken for the end entity.
    assert_eq!(chain.end_entity().subject().common_name(), Some("leaf"));
    assert_eq!(names(chain.intermediates()), ["ca1"]);
    assert_eq!(names(chain.unrelated()), ["other-root", "stranger"]);
}

#[test]
fn intermediates_may_stand_in_another_file() {
    let workshop = Workshop::new();
    hierarchy(&workshop, 3);
    let bundle = ["root", "ca1", "ca2", "leaf"].map(|file| workshop.pem(file));
    // `ca1` and `ca2` lead nowhere without `ca3`, and are not forgotten.
    let half = read(&workshop, &["leaf"])
        .with_intermediates_pem(bundle.concat().as_bytes())
        .unwrap();
    assert_eq!(names(half.intermediates()), [""; 0]);
    assert_eq!(names(half.unrelated()), ["root", "ca1", "ca2"]);
    let whole = half
        .with_intermediates_pem(workshop.pem("ca3").as_bytes())
        .unwrap();
    assert_eq!(names(whole.intermediates()), ["ca3", "ca2", "ca1"]);
    assert_eq!(whole.unrelated(), []);

    let key = workshop.read("leaf.key");
    let error = read(&workshop, &["leaf"])
        .with_intermediates_pem(&key)
        .unwrap_err();
    assert!(error.message().contains("holds no certificate"), "{error}");
}

/// Of two CAs of one name, the one whose key the end entity asks for is kept; of two certificates of
/// one CA (cross-signed), both.
#[test]
fn key_identifiers_choose_and_cross_signed_certificates_are_kept() {
    let workshop = Workshop::new();
    hierarchy(&workshop, 1);
    let ca = |name, issuer, key| {
        if let Some(key) = key {
            workshop.write(&format!("{name}.key"), workshop.read(key));
        }
        let extensions = format!("{CA}authorityKeyIdentifier=keyid\n");
        workshop.issue(Order {
            name,
            subject: "/O=Example/CN=ca1",
            issuer,
            extensions: &extensions,
            ..LEAF
        })
    };
    workshop.issue(Order {
        name: "root2",
        subject: "/O=Example/CN=root2",
        extensions: CA,
        ..LEAF
    });
    ca("namesake", "root", None);
    ca("cross", "root2", Some("ca1.key"));

    let chain = read(&workshop, &["leaf", "namesake", "ca1", "root"]);
    let kept = |chain: &CertificateChain| -> Vec<String> {
        let all = chain.intermediates().iter();
        all.map(Certificate::fingerprint_sha256).collect()
    };
    let fingerprint = |name: &str| {
        let pem = workshop.pem(name);
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        certificate.fingerprint_sha256()
    };
    assert_eq!(kept(&chain), [fingerprint("ca1")]);
    assert_eq!(chain.unrelated().len(), 1);

    let chain = read(&workshop, &["leaf", "cross", "ca1", "root", "root2"]);
    assert_eq!(kept(&chain), [fingerprint("cross"), fingerprint("ca1")]);
    assert_eq!(chain.unrelated(), []);
}

/// A CA that changed its key and signed the new one with the old: self-issued, but no root.
#[test]
fn a_self_issued_certificate_that_is_no_root_is_kept() {
    let workshop = Workshop::new();
    let root = Order {
        name: "root",
        subject: "/CN=root",
        extensions: CA,
        ..LEAF
    };
    workshop.issue(root);
    let extensions = format!("{CA}authorityKeyIdentifier=keyid\n");
    workshop.issue(Order {
        name: "rollover",
        issuer: "root",
        extensions: &extensions,
        ..root
    });
    workshop.issue(Order {
        issuer: "rollover",
        ..LEAF
    });
    let chain = read(&workshop, &["leaf", "rollover", "root"]);
    assert_eq!(names(chain.intermediates()), ["root"]);
    assert!(chain.intermediates()[0].is_self_issued());
}

#[test]
fn a_self_signed_end_entity_and_certificates_that_issued_each_other_end() {
    let workshop = Workshop::new();
    workshop.issue(LEAF);
    let chain = read(&workshop, &["leaf", "leaf"]);
    assert_eq!(chain.end_entity().subject().common_name(), Some("leaf"));
    assert_eq!(chain.intermediates(), []);

    // `a` issued by `b` and `b` by `a`: made with stand-ins that lend name and key.
    let order = |name: &'static str, subject: &'static str, issuer: &'static str| Order {
        name,
        subject,
        issuer,
        extensions: "basicConstraints=CA:TRUE\n",
        ..LEAF
    };
    workshop.issue(order("a0", "/CN=a", ""));
    workshop.issue(order("b", "/CN=b", "a0"));
    workshop.issue(order("a", "/CN=a", "b"));
    let chain = read(&workshop, &["a", "b"]);
    assert_eq!(chain.end_entity().subject().common_name(), Some("a"));
    assert_eq!(names(chain.intermediates()), ["b"]);
}

mod hostile {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static POOL: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
        let workshop = Workshop::new();
        hierarchy(&workshop, 7);
        let names = [
            "leaf", "ca7", "ca6", "ca5", "ca4", "ca3", "ca2", "ca1", "root",
        ];
        names
            .iter()
            .map(|name| Certificate::from_pem(workshop.pem(name).as_bytes()).unwrap())
            .collect()
    });

    proptest! {
        /// Any certificates in any order: what comes out is a path, and nothing is lost or made up.
        #[test]
        fn any_certificates_make_a_path_or_an_error(
            end_entity in 0usize..9,
            others in proptest::collection::vec(0usize..9, 0..20),
        ) {
            let candidates: Vec<_> = others.iter().map(|at| POOL[*at].clone()).collect();
            let Ok(chain) = CertificateChain::new(POOL[end_entity].clone(), candidates.clone()) else {
                // All that lead on from here: one after the other in the pool, the root not counted.
                let on_path = (end_entity + 1..8).take_while(|at| others.contains(at)).count();
                prop_assert!(on_path > MAX_INTERMEDIATES, "{end_entity} {others:?}");
                return Ok(());
            };
            let mut below = chain.end_entity();
            for certificate in chain.intermediates() {
                prop_assert_eq!(below.issuer(), certificate.subject());
                prop_assert!(candidates.contains(certificate));
                below = certificate;
            }
            for candidate in &candidates {
                let kept = chain.intermediates().contains(candidate);
                let unrelated = chain.unrelated().contains(candidate);
                let repeated = candidate == chain.end_entity();
                prop_assert!(!(kept && unrelated));
                prop_assert!(kept || unrelated || repeated || candidate.is_self_issued());
            }
        }

        #[test]
        fn a_changed_text_does_not_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut text: Vec<u8> = [
                include_str!("certificates/golden-rsa-2048.pem"),
                include_str!("certificates/ml-dsa-44.pem"),
            ].concat().into_bytes();
            for (at, byte) in changes {
                let at = at.index(text.len());
                text[at] = byte;
            }
            match CertificateChain::from_pem(&text) {
                Ok(chain) => prop_assert!(chain.x509_header().len() > 1000),
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidCertificate),
            }
        }
    }
}
