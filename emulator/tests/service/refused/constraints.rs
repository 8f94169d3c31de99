//! Paths against the constraints of their CAs: path lengths, names, policies.

use super::{
    Row, refuse, refuse_by,
    trust::{anchored, below},
    untrusted,
};
use crate::{
    lab::lab,
    pki::{Certificate, Issued},
};

#[test]
fn path_lengths() {
    let lab = lab();
    let extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n";
    let narrow = Certificate::ca("/CN=narrow")
        .key("p256-sub")
        .extensions(extensions);
    let (narrow, leaf) = below(narrow);
    let deeper = Certificate::ca("/CN=deeper")
        .key("p256-deeper")
        .signed_by(&narrow);
    let deep_leaf = Certificate::leaf("/CN=workload").signed_by(&deeper);
    let response = {
        let call = lab.call_of(&leaf, "root").with_chain(&[&narrow]);
        lab.service().handle(&call.sign(&leaf), lab.now)
    };
    assert_eq!(response.status, 201, "a leaf below pathlen:0 is allowed");
    refuse(vec![Row::of(
        "a CA below pathlen:0",
        &deep_leaf,
        &[&narrow, &deeper],
        untrusted(),
        "is one CA too many below",
    )]);
    // The anchor's own constraint counts as well.
    let root = Certificate::ca("/CN=Short")
        .key("p256-root")
        .extensions(extensions)
        .self_signed();
    let ca = Certificate::ca("/CN=Sub").key("p256-sub").signed_by(&root);
    let leaf = Certificate::leaf("/CN=workload").signed_by(&ca);
    let row = Row::of(
        "a CA below an anchor of pathlen:0",
        &leaf,
        &[&ca],
        untrusted(),
        "is one CA too many below",
    );
    refuse_by(|| anchored(&root.pem()), vec![row]);
}

#[test]
fn name_constraints() {
    let constrained = |constraints: &str| {
        Certificate::ca("/CN=Sub").key("p256-sub").extensions(&format!(
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nnameConstraints=critical,{constraints}\n"
        ))
    };
    let row = |name, constraints: &str, san: &str| {
        let ca = constrained(constraints).signed_by(&lab().root);
        let leaf = Certificate::leaf("/CN=workload")
            .extensions(&format!(
                "keyUsage=critical,digitalSignature\nsubjectAltName={san}\n"
            ))
            .signed_by(&ca);
        Row::of(name, &leaf, &[&ca], untrusted(), "(name constraints)")
    };
    refuse(vec![
        row(
            "a DNS name outside",
            "permitted;DNS:example.org",
            "DNS:a.example.com",
        ),
        row(
            "an excluded DNS name",
            "excluded;DNS:example.org",
            "DNS:a.example.org",
        ),
        row(
            "a URI outside",
            "permitted;URI:example.org",
            "URI:spiffe://example.com/x",
        ),
        row(
            "a URI of an address, which no constraint can name",
            "permitted;URI:example.org",
            "URI:https://192.0.2.1/x",
        ),
        row(
            "an address outside",
            "permitted;IP:192.0.2.0/255.255.255.0",
            "IP:192.0.3.1",
        ),
        row(
            "a subject outside",
            "permitted;dirName:acme\n[acme]\nO=Acme",
            "DNS:a.example.org",
        ),
    ]);
    let lab = lab();
    for (constraints, subject, san) in [
        (
            "permitted;DNS:example.org",
            "/CN=workload",
            "DNS:a.example.org",
        ),
        (
            "permitted;URI:example.org",
            "/CN=workload",
            "URI:spiffe://example.org/x",
        ),
        (
            "permitted;IP:192.0.2.0/255.255.255.0",
            "/CN=workload",
            "IP:192.0.2.7,DNS:anything",
        ),
        (
            "permitted;dirName:acme\n[acme]\nO=Acme",
            "/O=ACME/CN=workload",
            "DNS:anything",
        ),
    ] {
        let ca = constrained(constraints).signed_by(&lab.root);
        let leaf = Certificate::leaf(subject)
            .extensions(&format!(
                "keyUsage=critical,digitalSignature\nsubjectAltName={san}\n"
            ))
            .signed_by(&ca);
        let call = lab.call_of(&leaf, "root").with_chain(&[&ca]);
        let response = lab.service().handle(&call.sign(&leaf), lab.now);
        assert_eq!(response.status, 201, "{constraints}");
        assert!(verified_by_openssl(&lab.root, &ca, &leaf), "{constraints}");
    }
}

/// What OpenSSL's validator says, with policies.
fn verified_by_openssl(root: &Issued, ca: &Issued, leaf: &Issued) -> bool {
    std::process::Command::new("openssl")
        .args(["verify", "-policy_check", "-policy", "anyPolicy", "-CAfile"])
        .arg(&root.certificate)
        .arg("-untrusted")
        .arg(&ca.certificate)
        .arg(&leaf.certificate)
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn certificate_policies() {
    let lab = lab();
    let ca = |extensions: &str| {
        Certificate::ca("/CN=Sub")
            .key("p256-sub")
            .extensions(&format!(
                "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n{extensions}"
            ))
    };
    let asks = "policyConstraints=critical,requireExplicitPolicy:0\n";
    for (name, of_ca, of_leaf, is_taken) in [
        (
            "critical and the same",
            "certificatePolicies=critical,1.2.3\n",
            "1.2.3",
            true,
        ),
        (
            "critical, and none below",
            "certificatePolicies=critical,1.2.3\n",
            "",
            true,
        ),
        (
            "asked for and there",
            "certificatePolicies=critical,1.2.3\npolicyConstraints=critical,requireExplicitPolicy:0\n",
            "1.2.3",
            true,
        ),
        (
            "asked for and another",
            "certificatePolicies=critical,1.2.3\npolicyConstraints=critical,requireExplicitPolicy:0\n",
            "1.2.4",
            false,
        ),
        ("asked for and none", asks, "", false),
        (
            "mapped",
            "certificatePolicies=1.2.3\npolicyMappings=critical,1.2.3:1.2.4\npolicyConstraints=critical,requireExplicitPolicy:0\n",
            "1.2.4",
            true,
        ),
        (
            "any",
            "certificatePolicies=2.5.29.32.0\npolicyConstraints=critical,requireExplicitPolicy:0\n",
            "1.2.4",
            true,
        ),
        (
            "any, inhibited",
            "certificatePolicies=1.2.3\ninhibitAnyPolicy=critical,0\npolicyConstraints=critical,requireExplicitPolicy:0\n",
            "2.5.29.32.0",
            false,
        ),
    ] {
        let ca = ca(of_ca).signed_by(&lab.root);
        let policies = match of_leaf {
            "" => String::new(),
            policy => format!("certificatePolicies=critical,{policy}\n"),
        };
        let leaf = Certificate::leaf("/CN=workload")
            .extensions(&format!("keyUsage=critical,digitalSignature\n{policies}"))
            .signed_by(&ca);
        assert_eq!(
            verified_by_openssl(&lab.root, &ca, &leaf),
            is_taken,
            "{name}"
        );
        if is_taken {
            let call = lab.call_of(&leaf, "root").with_chain(&[&ca]);
            let response = lab.service().handle(&call.sign(&leaf), lab.now);
            assert_eq!(response.status, 201, "{name}");
        } else {
            refuse(vec![Row::of(
                name,
                &leaf,
                &[&ca],
                untrusted(),
                "certificate policy",
            )]);
        }
    }
}

/// A CA that has changed its key signs the new one with the old: neither counts it nor holds it to the
/// names of its own constraint.
#[test]
fn self_issued_cas_do_not_count() {
    let lab = lab();
    let limit = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n";
    let old = Certificate::ca("/CN=Narrow")
        .key("p256-sub")
        .extensions(limit)
        .signed_by(&lab.root);
    let new = Certificate::ca("/CN=Narrow")
        .key("p256-deeper")
        .signed_by(&old);
    let leaf = Certificate::leaf("/CN=workload").signed_by(&new);
    let call = lab.call_of(&leaf, "root").with_chain(&[&old, &new]);
    let response = lab.service().handle(&call.sign(&leaf), lab.now);
    assert_eq!(response.status, 201);
}
