//! Chains: in any order and length, beside certificates that are bad, from wherever they stand.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
    server,
};

use crate::{
    doctor,
    harness::{Arns, World, program, run},
};

/// A leaf under two intermediates, all in `world`: `leaf.pem`, `leaf-key.pem`, `one.pem` (next to the
/// root), `two.pem` (issued the leaf).
fn chain_of_three(world: &World) -> (server::BlockingServer, Arns) {
    let ca_params = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let root_key = KeyPair::generate().unwrap();
    let root_params = ca_params("root");
    let root = root_params.self_signed(&root_key).unwrap();
    let root_issuer = Issuer::new(root_params, root_key);
    let one_key = KeyPair::generate().unwrap();
    let one = ca_params("one").signed_by(&one_key, &root_issuer).unwrap();
    let one_issuer = Issuer::new(ca_params("one"), one_key);
    let two_key = KeyPair::generate().unwrap();
    let two = ca_params("two").signed_by(&two_key, &one_issuer).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.distinguished_name.push(DnType::CommonName, "leaf");
    let key = KeyPair::generate().unwrap();
    let leaf = params
        .signed_by(&key, &Issuer::new(ca_params("two"), two_key))
        .unwrap();
    for (name, pem) in [
        ("root.pem", &root),
        ("one.pem", &one),
        ("two.pem", &two),
        ("leaf.pem", &leaf),
    ] {
        world.write(name, pem.pem().as_bytes());
    }
    world.write("leaf.der", leaf.der());
    world.write_private("leaf-key.pem", key.serialize_pem().as_bytes());
    world.write_private("leaf-key.der", key.serialized_der());
    trusting(world, &root.pem())
}

/// An emulator that trusts one root, and its TLS CA in `server-ca.pem`.
fn trusting(world: &World, root: &str) -> (server::BlockingServer, Arns) {
    let config = Config::new("123456789012", "us-east-1")
        .with_trust_anchor(TrustAnchor::new("root", root))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    let service = Service::new(&config).unwrap();
    let server = server::start_blocking(service.into(), server::ServerOptions::default()).unwrap();
    world.write("server-ca.pem", server.ca_pem().unwrap().as_bytes());
    let arns = Arns {
        trust_anchor: server.service().trust_anchor_arn("root").unwrap(),
        profile: server.service().profile_arn("app").unwrap(),
        role: server.service().role_arn("app").unwrap(),
    };
    (server, arns)
}

/// Five ML-DSA-87 certificates make a header of 50 kB.
#[test]
fn the_longest_headers_are_sent() {
    let world = World::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/long-chain");
    let vector = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (server, arns) = trusting(&world, &vector("root.pem"));
    world.write(
        "certificate.pem",
        (vector("certificate.pem") + &vector("chain.pem")).as_bytes(),
    );
    world.write_private("key.pem", vector("key.pem").as_bytes());
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let ended = run(&mut world.credential_process(&arns, &line));
    ended.succeeds();
    assert_eq!(server.service().issued_credentials(), 1);
}

/// What is wrong with a certificate that is not needed is told, and no reason not to ask.
#[test]
fn an_intermediate_that_is_not_needed_may_be_bad() {
    let world = World::new();
    let (server, arns) = chain_of_three(&world);
    // The CA of `two.pem` under its old certificate, which has expired.
    let [leaf, one, two] = ["leaf.pem", "one.pem", "two.pem"].map(|name| world.read(name));
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "two");
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut other = CertificateParams::new(Vec::new()).unwrap();
    other
        .distinguished_name
        .push(DnType::CommonName, "elsewhere");
    let other = Issuer::new(other, KeyPair::generate().unwrap());
    let cross = params.signed_by(&key, &other).unwrap();
    world.write(
        "certificate.pem",
        format!("{leaf}{}{two}{one}", cross.pem()).as_bytes(),
    );
    world.write_private("key.pem", world.read("leaf-key.pem").as_bytes());
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let ended = run(world.credential_process(&arns, &line).arg("--verbose"));
    ended.succeeds();
    assert!(ended.stderr.contains("expired on 2020-01-01"), "{ended:?}");

    let told = run(doctor::command(&world, &arns, &line).arg("--json"));
    assert_eq!(told.status, Some(0), "{told:?}");
    let found = doctor::json(&told);
    let path = serde_json::json!(["CN=leaf", "CN=two", "CN=one"]);
    assert_eq!(found["certificate"]["path"], path);
    assert_eq!(found["certificate"]["trust_anchor_subject"], "CN=root");
    assert_eq!(found["findings"][0]["severity"], "warning");
    let text = run(&mut doctor::command(&world, &arns, &line)).stdout;
    assert!(text.contains("likely path"), "{text}");
}

#[test]
fn the_chain_is_found_wherever_it_stands_and_in_any_order() {
    let world = World::new();
    let (server, arns) = chain_of_three(&world);
    let [leaf, key, one, two, root] =
        ["leaf.pem", "leaf-key.pem", "one.pem", "two.pem", "root.pem"].map(|name| world.read(name));
    world.write("bundle.pem", format!("{one}{two}").as_bytes());
    world.write("reversed.pem", format!("{root}{two}{one}{leaf}").as_bytes());
    world.write(
        "full-chain.pem",
        format!("{leaf}{two}{one}{root}").as_bytes(),
    );
    world.write_private("combo.pem", format!("{key}{leaf}{two}{one}").as_bytes());
    world.write_private(
        "combo-last.pem",
        format!("{leaf}{one}{two}{key}").as_bytes(),
    );
    for (certificate, private_key, intermediates) in [
        ("leaf.pem", Some("leaf-key.pem"), Some("bundle.pem")),
        ("leaf.pem", Some("leaf-key.pem"), Some("reversed.pem")),
        ("full-chain.pem", Some("leaf-key.pem"), None),
        ("combo.pem", None, None),
        ("combo-last.pem", None, None),
        ("leaf.der", Some("leaf-key.der"), Some("bundle.pem")),
    ] {
        let mut line: Vec<String> = vec!["credential-process".into()];
        let mut option = |name: &str, value: &str| {
            line.push(name.to_owned());
            line.push(value.to_owned());
        };
        option("--certificate", &world.text(certificate));
        if let Some(name) = private_key {
            option("--private-key", &world.text(name));
        }
        if let Some(name) = intermediates {
            option("--intermediates", &world.text(name));
        }
        option("--trust-anchor-arn", &arns.trust_anchor);
        option("--profile-arn", &arns.profile);
        option("--role-arn", &arns.role);
        option("--endpoint", server.endpoint());
        option("--ca-bundle", &world.text("server-ca.pem"));
        let ended = run(&mut program(&line));
        ended.succeeds();
        assert_eq!(ended.stderr, "", "{certificate}");
    }
    let line = [
        "credential-process",
        "--certificate",
        &world.text("leaf.pem"),
        "--private-key",
        &world.text("leaf-key.pem"),
        "--trust-anchor-arn",
        &arns.trust_anchor,
        "--profile-arn",
        &arns.profile,
        "--role-arn",
        &arns.role,
        "--endpoint",
        server.endpoint(),
        "--ca-bundle",
        &world.text("server-ca.pem"),
    ];
    run(&mut program(&line)).fails_with("Untrusted signing certificate");
}
