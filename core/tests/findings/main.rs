//! Findings: every code, on certificates that `openssl` makes, and none where nothing is wrong.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod end_entity;

use rolesanywhere_core::{
    CertificateChain,
    identity::{Finding, Severity, findings},
};
use support::{CA, LEAF, Order, Workshop};

const DAY: i64 = 24 * 60 * 60;

fn chain(workshop: &Workshop, names: &[&str]) -> CertificateChain {
    let text: String = names.iter().map(|name| workshop.pem(name)).collect();
    CertificateChain::from_pem(text.as_bytes()).unwrap()
}

/// The findings a day after the end entity's validity began.
fn look(chain: &CertificateChain) -> Vec<Finding> {
    findings(
        chain,
        chain.end_entity().not_before().plus_seconds(DAY),
        None,
    )
}

/// Code and severity of each finding; every one must be well made.
fn codes(found: &[Finding]) -> Vec<(&'static str, Severity)> {
    for finding in found {
        assert!(Finding::CODES.contains(&finding.code), "{finding:?}");
        let text = finding.to_string();
        assert!(!text.ends_with('.') && !finding.remedy.is_empty(), "{text}");
        assert!(text.starts_with(char::is_lowercase), "{text}");
    }
    found.iter().map(|f| (f.code, f.severity)).collect()
}

const fn refused(code: &'static str) -> (&'static str, Severity) {
    (code, Severity::Refusal)
}

const fn warned(code: &'static str) -> (&'static str, Severity) {
    (code, Severity::Warning)
}

const DAYS: &[&str] = &["-days", "365"];

fn authority(workshop: &Workshop, name: &str, issuer: &str, extensions: &str, more: &[&str]) {
    workshop.issue(Order {
        name,
        subject: &format!("/CN={name}"),
        issuer,
        extensions,
        more,
        ..LEAF
    });
}

/// A root, an intermediate, and an end entity as `order` has it.
fn below_ca(workshop: &Workshop, order: Order<'_>) -> CertificateChain {
    if !workshop.path("ca.pem").exists() {
        authority(workshop, "root", "", CA, DAYS);
        authority(workshop, "ca", "root", CA, DAYS);
    }
    workshop.issue(Order {
        issuer: "ca",
        more: &[DAYS, order.more].concat(),
        ..order
    });
    chain(workshop, &[order.name, "ca", "root"])
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let workshop = Workshop::new();
    let usual = below_ca(&workshop, LEAF);
    assert_eq!(look(&usual), []);
    // The service asks for neither basic constraints nor extended key usage nor key identifiers.
    let bare = below_ca(
        &workshop,
        Order {
            name: "bare",
            extensions: "keyUsage=digitalSignature\n",
            ..LEAF
        },
    );
    assert_eq!(look(&bare), []);
    let now = usual.end_entity().not_before().plus_seconds(DAY);
    assert_eq!(findings(&usual, now, Some("session-1@x")), []);
    // With the issuer as trust anchor there are no intermediates, and that is nothing to tell of.
    assert_eq!(look(&chain(&workshop, &["leaf"])), []);
}

const UNTRUSTED: Option<&str> = Some("Untrusted signing certificate");
const INSUFFICIENT: Option<&str> = Some("Untrusted certificate. Insufficient certificate");

#[test]
fn codes_are_sorted_and_each_has_a_case_here() {
    assert!(Finding::CODES.windows(2).all(|pair| pair[0] < pair[1]));
    let cases = concat!(include_str!("end_entity.rs"), include_str!("chain.rs"));
    for code in Finding::CODES {
        assert!(cases.contains(&format!("\"{code}\"")), "{code}");
    }
}
