//! What the settings open.

use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
};

use crate::{
    accepted::{accept, assert_accepted, trusting},
    client::{ACCOUNT, Call, REGION},
    lab::lab,
    pki::Certificate,
};

#[test]
fn settings_open_what_is_closed_by_default() {
    let lab = lab();
    let service = |change: fn(&mut rolesanywhere_emulator::config::Settings)| {
        let mut config = lab.config();
        change(&mut config.settings);
        Service::new(&config).unwrap()
    };
    // awslabs' Python with a certificate whose CA signed with SHA-384.
    let mut call = lab.call();
    call.algorithm = "AWS4-X509-ECDSA-SHA384".to_owned();
    let open = service(|settings| settings.accept_mismatched_algorithm = true);
    accept(&open, &call.sign(&lab.leaf));
    let notes = &open.audit_records()[0].nonconformance;
    assert!(notes[0].contains("AWS4-X509-ECDSA-SHA384"), "{notes:?}");
    // RSASSA-PSS in the certificate.
    let ca = Certificate::ca("/CN=CA").key("rsa2048-root").self_signed();
    let leaf = Certificate::leaf("/CN=workload")
        .arguments(&[
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:digest",
        ])
        .signed_by(&ca);
    let (_, call) = trusting(&ca.pem(), &leaf, "AWS4-X509-ECDSA-SHA256");
    let mut config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("root", &ca.pem()))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    config.settings.accept_rsa_pss_certificates = true;
    accept(&Service::new(&config).unwrap(), &call.sign(&leaf));
    // A short RSA key.
    let leaf = Certificate::leaf("/CN=workload")
        .key("rsa1024")
        .signed_by(&lab.root);
    let mut call = lab.call_of(&leaf, "root");
    call.algorithm = "AWS4-X509-RSA-SHA256".to_owned();
    let open = service(|settings| settings.minimum_rsa_bits = 1_024);
    accept(&open, &call.sign(&leaf));
    // Two common names.
    let leaf = Certificate::leaf("/CN=one/CN=two")
        .serial("0x123")
        .signed_by(&lab.root);
    let open = service(|settings| settings.irregular_common_name_falls_back_on_serial = true);
    let answer = accept(&open, &lab.call_of(&leaf, "root").sign(&leaf));
    assert_eq!(answer["credentialSet"][0]["sourceIdentity"], "ID=0123");
    // A serial number of an odd number of digits, as it is.
    let leaf = Certificate::leaf("/CN=one")
        .serial("0x123")
        .signed_by(&lab.root);
    let open = service(|settings| settings.pad_default_session_name = false);
    let answer = accept(&open, &lab.call_of(&leaf, "root").sign(&leaf));
    let arn = answer["credentialSet"][0]["assumedRoleUser"]["arn"]
        .as_str()
        .unwrap();
    assert!(arn.ends_with("/123"), "{arn}");
    // An anchor that has expired, with a leaf that has not.
    let ca = Certificate::ca("/CN=CA")
        .key("p256-root")
        .days(1)
        .self_signed();
    let leaf = Certificate::leaf("/CN=workload").days(10).signed_by(&ca);
    let later = lab.now.plus_seconds(5 * 86_400);
    let mut config = config.clone();
    config.trust_anchors = vec![TrustAnchor::new("root", &ca.pem())];
    config.settings.enforce_anchor_validity = false;
    let call = Call::helper(&lab.arns("root", "app", "app"), &leaf, later);
    let open = Service::new(&config).unwrap();
    let response = open.handle(&call.sign(&leaf), later);
    assert_accepted(&open, &response);
}
