//! Trust policies on CreateSession: which keys they see, what the client is told and what the log says.

use rolesanywhere_emulator::{
    Config, Service,
    audit::Outcome,
    config::{AttributeMapping, CertificateField, Role},
};
use serde_json::{Value, json};

use crate::{
    accepted::accept,
    client::Call,
    lab::lab,
    pki::{Certificate, Issued},
};

const ALL: [&str; 3] = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
const UNABLE: &str = "Unable to assume role for arn:aws:iam::123456789012:role/app.";

/// A policy that lets the service do `actions` under a condition.
fn policy(actions: &[&str], condition: Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "Main",
            "Effect": "Allow",
            "Principal": { "Service": "rolesanywhere.amazonaws.com" },
            "Action": actions,
            "Condition": condition,
        }
    })
}

fn config(policy: &Value) -> Config {
    let mut config = lab().config();
    config.roles[0] = Role {
        trust_policy: Some(policy.to_string()),
        ..Role::new("app")
    };
    config
}

fn service(policy: &Value) -> Service {
    Service::new(&config(policy)).unwrap()
}

/// A workload with attributes of every kind.
fn workload() -> Issued {
    Certificate::leaf("/C=DE/O=Example/OU=Security/OU=Engineering/CN=host one")
        .extensions(
            "keyUsage=critical,digitalSignature\n\
             subjectAltName=DNS:first.example,DNS:second.example,URI:spiffe://example/host,dirName:dn\n\
             [dn]\nO=Directory\nCN=in the directory\n",
        )
        .signed_by(&lab().root)
}

/// What the client is told, and what the log says.
fn refused(service: &Service, call: &Call, leaf: &Issued) -> (String, String) {
    let response = service.handle(&call.sign(leaf), lab().now);
    assert_eq!(response.status, 403, "{}", response.text());
    assert_eq!(
        response.header("x-amzn-errortype"),
        Some("AccessDeniedException")
    );
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let record = service.audit_records().pop().unwrap();
    match record.outcome {
        Outcome::Refused {
            check: "trust policy",
            reason,
            ..
        } => (body["message"].as_str().unwrap().to_owned(), reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_of_the_request_can_be_asked_for() {
    let leaf = workload();
    let lab = lab();
    let call = lab.call_of(&leaf, "root");
    let arns = lab.arns("root", "app", "app");
    let epoch = lab.now.seconds().to_string();
    for (key, value) in [
        ("aws:PrincipalTag/x509Subject/C", "DE"),
        ("aws:PrincipalTag/x509Subject/O", "Example"),
        ("aws:PrincipalTag/x509Subject/OU", "Security/Engineering"),
        ("aws:PrincipalTag/x509Subject/CN", "host one"),
        ("aws:PrincipalTag/x509Issuer/CN", "Lab Root"),
        ("aws:PrincipalTag/x509SAN/DNS", "first.example"),
        ("aws:PrincipalTag/x509SAN/URI", "spiffe://example/host"),
        ("aws:PrincipalTag/x509SAN/Name/O", "Directory"),
        ("aws:PrincipalTag/x509SAN/Name/CN", "in the directory"),
        ("aws:RequestTag/x509Subject/CN", "host one"),
        ("aws:SourceArn", arns.trust_anchor.as_str()),
        ("aws:SourceAccount", "123456789012"),
        ("sts:SourceIdentity", "CN=host one"),
        ("sts:RoleSessionName", "61d5692c0a7b"),
        ("aws:PrincipalIsAWSService", "true"),
        ("aws:PrincipalServiceName", "rolesanywhere.amazonaws.com"),
        ("aws:EpochTime", epoch.as_str()),
        ("aws:SecureTransport", "true"),
    ] {
        let right = service(&policy(&ALL, json!({ "StringEquals": { key: value } })));
        accept(&right, &call.sign(&leaf));
        // Neither by chance nor by absence.
        let wrong = service(&policy(
            &ALL,
            json!({ "StringNotEqualsIfExists": { key: value } }),
        ));
        let (message, reason) = refused(&wrong, &call, &leaf);
        assert_eq!(message, UNABLE);
        assert!(reason.contains(key) && reason.contains(value), "{reason}");
    }
    for key in [
        "aws:SourceIp",
        "aws:SourceVpc",
        "aws:PrincipalArn",
        "aws:PrincipalTag/x509Subject/L",
    ] {
        let absent = service(&policy(&ALL, json!({ "Null": { key: "true" } })));
        accept(&absent, &call.sign(&leaf));
    }
    let keys = [
        "x509Issuer/CN",
        "x509SAN/DNS",
        "x509SAN/Name/CN",
        "x509SAN/Name/O",
        "x509SAN/URI",
        "x509Subject/C",
        "x509Subject/CN",
        "x509Subject/O",
        "x509Subject/OU",
    ];
    let all_keys = json!({ "ForAllValues:StringEquals": { "aws:TagKeys": keys } });
    accept(&service(&policy(&ALL, all_keys)), &call.sign(&leaf));
    let too_few = json!({ "ForAllValues:StringEquals": { "aws:TagKeys": &keys[1..] } });
    refused(&service(&policy(&ALL, too_few)), &call, &leaf);
}

#[test]
fn a_refusal_tells_the_client_little_and_the_log_all() {
    let leaf = Certificate::leaf("/OU=db/CN=host").signed_by(&lab().root);
    let call = lab().call_of(&leaf, "root");
    let service = service(&policy(
        &ALL,
        json!({ "StringEquals": { "aws:PrincipalTag/x509Subject/OU": ["web", "mail"] } }),
    ));
    let (message, reason) = refused(&service, &call, &leaf);
    assert_eq!(message, UNABLE);
    assert_eq!(
        reason,
        "no statement allows `sts:AssumeRole`: statement 1 (`Main`) does not apply because \
         `StringEquals` on `aws:PrincipalTag/x509Subject/OU` fails: the request has `db`, the policy \
         lists `web`, `mail`"
    );
    assert_eq!(service.issued_credentials(), 0);
}

#[test]
fn each_of_the_three_actions_must_be_allowed() {
    let lab = lab();
    for missing in ALL {
        let actions: Vec<&str> = ALL
            .into_iter()
            .filter(|action| *action != missing)
            .collect();
        let (message, reason) = refused(
            &service(&policy(&actions, json!({}))),
            &lab.call(),
            &lab.leaf,
        );
        assert_eq!(message, UNABLE);
        assert!(
            reason.starts_with(&format!("no statement allows `{missing}`")),
            "{reason}"
        );
    }
    // Statements may share the work, each with its own condition.
    let mut split = policy(&["sts:AssumeRole"], json!({}));
    let mut other = policy(
        &ALL[1..],
        json!({ "StringLike": { "sts:SourceIdentity": "CN=*" } }),
    );
    other["Statement"]["Sid"] = json!("Rest");
    split["Statement"] = json!([split["Statement"], other["Statement"]]);
    accept(&service(&split), &lab.call().sign(&lab.leaf));
}

#[test]
fn without_tags_tag_session_is_wanted_unless_the_setting_says_otherwise() {
    let lab = lab();
    let no_tags = || {
        let mut config = config(&policy(&[ALL[0], ALL[2]], json!({})));
        let fields = CertificateField::ALL.into_iter();
        config.profiles[0].attribute_mappings = Some(
            fields
                .map(|certificate_field| AttributeMapping {
                    certificate_field,
                    specifiers: Vec::new(),
                })
                .collect(),
        );
        config
    };
    refused(&Service::new(&no_tags()).unwrap(), &lab.call(), &lab.leaf);
    let mut open = no_tags();
    open.settings.always_require_tag_session = false;
    accept(&Service::new(&open).unwrap(), &lab.call().sign(&lab.leaf));
    // With tags it is wanted anyway.
    open.profiles[0].attribute_mappings = None;
    refused(&Service::new(&open).unwrap(), &lab.call(), &lab.leaf);
}

#[test]
fn a_deny_wins_and_other_principals_do_not_count() {
    let lab = lab();
    let allow = policy(&ALL, json!({}))["Statement"].clone();
    let mut deny = allow.clone();
    deny["Effect"] = json!("Deny");
    deny["Sid"] = json!("NotThem");
    deny["Condition"] =
        json!({ "StringEquals": { "aws:PrincipalTag/x509Subject/CN": "workload" } });
    let both = json!({ "Version": "2012-10-17", "Statement": [allow, deny] });
    let (_, reason) = refused(&service(&both), &lab.call(), &lab.leaf);
    assert!(
        reason.starts_with("statement 2 (`NotThem`) explicitly denies `sts:AssumeRole`"),
        "{reason}"
    );
    let mut other = policy(&ALL, json!({}));
    other["Statement"]["Principal"] = json!({ "Service": "ec2.amazonaws.com" });
    let (_, reason) = refused(&service(&other), &lab.call(), &lab.leaf);
    assert!(
        reason.contains("other principals than `rolesanywhere.amazonaws.com`"),
        "{reason}"
    );
}

#[test]
fn the_source_is_the_anchor_by_its_uuid() {
    let lab = lab();
    let source = |arn: &str| {
        service(&policy(
            &ALL,
            json!({ "ArnEquals": { "aws:SourceArn": arn } }),
        ))
    };
    let anchor = |name: &str| lab.arns(name, "app", "app").trust_anchor;
    accept(&source(&anchor("root")), &lab.call().sign(&lab.leaf));
    refused(&source(&anchor("rotated")), &lab.call(), &lab.leaf);
    // The alias of the same anchor is never the source, not even of a call that names it.
    let alias = "arn:aws:rolesanywhere:us-east-1:123456789012:alias/trust-anchor/team/root";
    refused(&source(alias), &lab.call(), &lab.leaf);
    let mut arns = lab.arns("root", "app", "app");
    arns.trust_anchor = alias.to_owned();
    let by_alias = Call::helper(&arns, &lab.leaf, lab.now);
    refused(&source(alias), &by_alias, &lab.leaf);
    accept(&source(&anchor("root")), &by_alias.sign(&lab.leaf));
}

#[test]
fn what_cannot_be_a_tag_is_missing_and_told() {
    // AD CS writes names like this; STS's tags take no parentheses.
    let leaf = Certificate::leaf("/O=Example/OU=Ops (night)/CN=host")
        .extensions("keyUsage=critical,digitalSignature\nsubjectAltName=DNS:*.example\n")
        .signed_by(&lab().root);
    let call = lab().call_of(&leaf, "root");
    let ou = "aws:PrincipalTag/x509Subject/OU";
    let (message, reason) = refused(
        &service(&policy(
            &ALL,
            json!({ "StringEquals": { ou: "Ops (night)" } }),
        )),
        &call,
        &leaf,
    );
    // The form of a recorded answer.
    assert_eq!(
        message,
        format!(
            "{UNABLE} Some attributes failed to be mapped into session tags. Issuer: [  ]; Subject: \
             [ OU ]; SAN: [ DNS/2 ]"
        )
    );
    assert!(reason.contains("the request has no such key"), "{reason}");
    // The classic bypass, as it is in AWS: a negated condition holds for what is not there.
    accept(
        &service(&policy(
            &ALL,
            json!({ "StringNotEquals": { ou: "Ops (day)" } }),
        )),
        &call.sign(&leaf),
    );
}

#[test]
fn mappings_decide_which_attributes_become_tags() {
    let leaf = workload();
    let call = lab().call_of(&leaf, "root");
    let mapped =
        |field: CertificateField, specifiers: &[&str], present: &[&str], absent: &[&str]| {
            let condition = |keys: &[&str], value: &str| -> Value {
                keys.iter()
                    .map(|key| (format!("aws:PrincipalTag/{key}"), json!(value)))
                    .collect()
            };
            let mut nulls = condition(present, "false");
            nulls
                .as_object_mut()
                .unwrap()
                .extend(condition(absent, "true").as_object().unwrap().clone());
            let mut config = config(&policy(&ALL, json!({ "Null": nulls })));
            config.profiles[0].attribute_mappings = Some(vec![AttributeMapping {
                certificate_field: field,
                specifiers: specifiers.iter().map(|text| (*text).to_owned()).collect(),
            }]);
            accept(&Service::new(&config).unwrap(), &call.sign(&leaf));
        };
    use CertificateField::{Issuer, Subject, SubjectAlternativeName};
    mapped(
        Subject,
        &["CN", "OU"],
        &["x509Subject/CN", "x509Subject/OU"],
        &["x509Subject/O", "x509Issuer/CN"],
    );
    mapped(
        Subject,
        &["*"],
        &["x509Subject/CN", "x509Subject/O"],
        &["x509Issuer/CN", "x509SAN/DNS"],
    );
    mapped(Issuer, &["CN"], &["x509Issuer/CN"], &["x509Subject/CN"]);
    mapped(
        SubjectAlternativeName,
        &["URI", "Name/CN"],
        &["x509SAN/URI", "x509SAN/Name/CN"],
        &["x509SAN/DNS", "x509SAN/Name/O", "x509Subject/CN"],
    );
    for all in ["Name", "Name/", "Name/*"] {
        mapped(
            SubjectAlternativeName,
            &[all],
            &["x509SAN/Name/CN", "x509SAN/Name/O"],
            &["x509SAN/DNS"],
        );
    }
    // Source identity and session name come from the certificate whatever is mapped.
    let condition = json!({ "StringEquals": { "sts:SourceIdentity": "CN=host one" } });
    let mut config = config(&policy(&ALL, condition));
    config.profiles[0].attribute_mappings = Some(Vec::new());
    accept(&Service::new(&config).unwrap(), &call.sign(&leaf));
}

#[test]
fn a_session_name_of_the_clients_is_what_the_policy_sees() {
    let lab = lab();
    let call = Call::helper(&lab.arns("root", "named", "app"), &lab.leaf, lab.now)
        .with_body(r#"{"roleSessionName":"deploy-42"}"#);
    let named = |pattern: &str| {
        service(&policy(
            &ALL,
            json!({ "StringLike": { "sts:RoleSessionName": pattern } }),
        ))
    };
    accept(&named("deploy-*"), &call.sign(&lab.leaf));
    refused(&named("build-*"), &call, &lab.leaf);
}

#[test]
fn session_policies_are_packed_and_bounded() {
    let lab = lab();
    let packed = |config: &Config| {
        let answer = accept(&Service::new(config).unwrap(), &lab.call().sign(&lab.leaf));
        answer["credentialSet"][0]["packedPolicySize"]
            .as_u64()
            .unwrap()
    };
    let plain = packed(&lab.config());
    // `x509Subject/CN`, `workload`, `x509Issuer/CN`, `Lab Root`: 43 of 2,048 bytes.
    assert_eq!(plain, 3);
    let mut config = lab.config();
    config.profiles[0].session_policy = Some(format!(
        "{{ \"Version\": \"2012-10-17\", \"Id\": \"{}\" }}",
        "x".repeat(960)
    ));
    config.profiles[0].managed_policy_arns =
        vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()];
    let filled = packed(&config);
    assert!((48..=53).contains(&filled), "{filled}");

    let refuse = |config: &Config, part: &str| {
        let service = Service::new(config).unwrap();
        let response = service.handle(&lab.call().sign(&lab.leaf), lab.now);
        assert_eq!(response.text(), format!("{{\"message\":\"{UNABLE}\"}}"));
        let record = service.audit_records().pop().unwrap();
        assert!(record.to_string().contains(part), "{record}");
    };
    // The API takes longer ones than STS does.
    config.profiles[0].session_policy = Some(format!("{{\"Id\":\"{}\"}}", "x".repeat(2_048)));
    refuse(&config, "session policy of 2057 characters; STS takes 2048");
    config.profiles[0].session_policy = None;
    let arn = |number: usize| format!("arn:aws:iam::aws:policy/{number}");
    config.profiles[0].managed_policy_arns = (0..11).map(arn).collect();
    refuse(&config, "11 managed policies; STS takes 10");
    config.profiles[0].managed_policy_arns.pop();
    config.profiles[0].session_policy = Some(format!("{{\"Id\":\"{}\"}}", "x".repeat(2_000)));
    assert!(packed(&config) > 100);
    config.settings.enforce_packed_policy_size = true;
    refuse(&config, "PackedPolicyTooLarge");
}

#[test]
fn a_policy_that_iam_would_refuse_is_refused_at_once() {
    for (text, part) in [
        ("{", "JSON"),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#,
            "Action",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}"#,
            "Resource",
        ),
    ] {
        let mut config = lab().config();
        config.roles[0].trust_policy = Some(text.to_owned());
        let error = Service::new(&config).unwrap_err();
        assert!(error.message().contains("role `app`"), "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}
