//! Requests that must be accepted: every kind of key, every kind of client, and what the answer says.

use ml_dsa::{MlDsa44, MlDsa65, MlDsa87};
use rolesanywhere_emulator::{
    Config, Request, Response, Service,
    audit::Outcome,
    config::{Profile, Role, TrustAnchor},
};
use serde_json::Value;

use crate::{
    client::{ACCOUNT, Call, REGION, pair},
    handmade::{Handmade, Key, name, signed_by_openssl, tlv},
    lab::{ROOT_NAME, lab},
    pki::{Certificate, Identity, Issued, key_file},
};

pub(crate) fn accept(service: &Service, request: &Request) -> Value {
    let response = service.handle(request, lab().now);
    assert_accepted(service, &response)
}

pub(crate) fn assert_accepted(service: &Service, response: &Response) -> Value {
    let records = service.audit_records();
    let record = records.last().unwrap();
    assert_eq!(
        response.status,
        201,
        "{} {:?}",
        response.text(),
        record.outcome
    );
    assert!(matches!(record.outcome, Outcome::Succeeded { .. }));
    serde_json::from_slice(&response.body).unwrap()
}

/// A service that trusts `ca` alone, and the call of `leaf` to it.
pub(crate) fn trusting(ca_pem: &str, leaf: &dyn Identity, algorithm: &str) -> (Service, Call) {
    let config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("root", ca_pem))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    let mut call = lab().call_of(leaf, "root");
    call.algorithm = algorithm.to_owned();
    (Service::new(&config).unwrap(), call)
}

#[test]
fn the_answer_is_the_recorded_one() {
    let lab = lab();
    let service = lab.service();
    let call = Call::helper(&lab.arns("root", "app", "pathed"), &lab.leaf, lab.now);
    let response = service.handle(&call.sign(&lab.leaf), lab.now);
    let answer = assert_accepted(&service, &response);
    let set = &answer["credentialSet"][0];
    let keys = &set["credentials"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, secret, token) = (
        text(&keys["accessKeyId"]),
        text(&keys["secretAccessKey"]),
        text(&keys["sessionToken"]),
    );
    assert_eq!((id.len(), &id[..4]), (20, "ASIA"));
    assert_eq!(secret.len(), 40);
    assert!(token.len() >= 100);
    let role_id = text(&set["assumedRoleUser"]["assumedRoleId"]);
    let (role_id, session) = role_id.split_once(':').unwrap();
    assert_eq!((role_id.len(), &role_id[..4]), (21, "AROA"));
    assert_eq!(session, "61d5692c0a7b");
    let subject = text(&answer["subjectArn"]);
    let prefix = "arn:aws:rolesanywhere:us-east-1:123456789012:subject/";
    assert_eq!(subject.strip_prefix(prefix).unwrap().len(), 36);
    let packed = set["packedPolicySize"].as_u64().unwrap();
    assert!((1..100).contains(&packed));
    // The order of members and the absence of white space are those of the recorded answer.
    let expiration = lab.now.plus_seconds(3_600).to_iso8601();
    assert_eq!(
        response.text(),
        format!(
            "{{\"credentialSet\":[{{\"assumedRoleUser\":{{\"arn\":\"arn:aws:sts::123456789012:assumed-role/pathed/61d5692c0a7b\",\
             \"assumedRoleId\":\"{role_id}:61d5692c0a7b\"}},\"credentials\":{{\"accessKeyId\":\"{id}\",\"expiration\":\"{expiration}\",\
             \"secretAccessKey\":\"{secret}\",\"sessionToken\":\"{token}\"}},\"packedPolicySize\":{packed},\
             \"roleArn\":\"arn:aws:iam::123456789012:role/team/blue/pathed\",\"sourceIdentity\":\"CN=workload\"}}],\
             \"subjectArn\":\"{subject}\"}}"
        )
    );
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("x-amzn-requestid").unwrap().len(), 36);
    assert!(response.header("date").unwrap().ends_with(" GMT"));
    let again = accept(&service, &call.sign(&lab.leaf));
    assert_eq!(
        again["subjectArn"], answer["subjectArn"],
        "one subject, one id"
    );
    assert_ne!(again["credentialSet"][0]["credentials"]["accessKeyId"], id);
    let record = &service.audit_records()[0];
    assert_eq!(record.operation, "CreateSession");
    assert_eq!(
        record.certificate_serial.as_deref(),
        Some("107569220422267")
    );
    assert_eq!(record.certificate_subject.as_deref(), Some("CN=workload"));
    assert!(record.nonconformance.is_empty(), "{record:?}");
}

#[test]
fn every_kind_of_key_signs() {
    let lab = lab();
    for (kind, algorithm) in [
        ("rsa2048", "AWS4-X509-RSA-SHA256"),
        ("rsa3072", "AWS4-X509-RSA-SHA256"),
        ("rsa4096", "AWS4-X509-RSA-SHA256"),
        ("p256", "AWS4-X509-ECDSA-SHA256"),
        ("p384", "AWS4-X509-ECDSA-SHA256"),
        ("p521", "AWS4-X509-ECDSA-SHA256"),
    ] {
        let leaf = Certificate::leaf("/CN=workload")
            .key(kind)
            .signed_by(&lab.root);
        let mut call = lab.call_of(&leaf, "root");
        call.algorithm = algorithm.to_owned();
        accept(&lab.service(), &call.sign(&leaf));
    }
    for key in [
        Key::ml_dsa::<MlDsa44>(1),
        Key::ml_dsa::<MlDsa65>(2),
        Key::ml_dsa::<MlDsa87>(3),
    ] {
        let leaf = Handmade::leaf("workload", lab.now);
        let leaf = signed_by_openssl(&leaf, &key, &lab.root, ROOT_NAME);
        let mut call = lab.call_of(&leaf, "root");
        call.algorithm = "AWS4-X509-MLDSA".to_owned();
        accept(
            &lab.service(),
            &call.signed(&leaf.sign(call.string_to_sign().as_bytes())),
        );
    }
}

#[test]
fn every_hash_on_every_kind_of_ca_key_is_verified() {
    for kind in ["p256-root", "p384-root", "p521-root", "rsa2048-root"] {
        for hash in ["sha256", "sha384", "sha512"] {
            let ca = Certificate::ca("/CN=CA").key(kind).hash(hash).self_signed();
            let leaf = Certificate::leaf("/CN=workload").hash(hash).signed_by(&ca);
            let (service, call) = trusting(&ca.pem(), &leaf, "AWS4-X509-ECDSA-SHA256");
            accept(&service, &call.sign(&leaf));
        }
    }
    let now = lab().now;
    for (root_key, issuing_key) in [
        (Key::ml_dsa::<MlDsa44>(4), Key::ml_dsa::<MlDsa65>(5)),
        (Key::ml_dsa::<MlDsa65>(6), Key::ml_dsa::<MlDsa87>(7)),
        (
            Key::ml_dsa::<MlDsa87>(8),
            Key::ec(&key_file("p256-issuing")),
        ),
    ] {
        let root = Handmade::ca("root", now);
        let issuing = Handmade::ca("issuing", now);
        let leaf = Handmade::leaf("workload", now);
        let leaf_key = Key::ml_dsa::<MlDsa65>(9);
        let leaf = leaf.signed_by(&name(&["issuing"]), &issuing_key, &leaf_key);
        let issuing = issuing.signed_by(&name(&["root"]), &root_key, &issuing_key);
        let root = root.self_signed(&root_key);
        let (service, call) = trusting(&root.pem(), &leaf, "AWS4-X509-MLDSA");
        accept(&service, &call.with_chain(&[&issuing]).sign(&leaf));
    }
}

#[test]
fn what_real_clients_send_is_accepted() {
    let lab = lab();
    let arns = lab.arns("root", "app", "app");
    let body_arns = format!(
        r#""profileArn": "{}", "roleArn": "{}", "trustAnchorArn": "{}""#,
        arns.profile, arns.role, arns.trust_anchor
    );
    let mut calls = Vec::new();
    // The helper with an SDK that adds its own headers, and signs them.
    let mut call = lab.call();
    call.headers.extend([
        pair(
            "amz-sdk-invocation-id",
            "6f4943fb-13d4-4242-89c4-be367595c380",
        ),
        pair("amz-sdk-request", "attempt=1; max=3"),
        pair("content-length", "24"),
    ]);
    call.unsigned_headers
        .push(pair("transfer-encoding", "chunked"));
    calls.push(("helper", call, 0));
    // awslabs' Python: everything in the body, with spaces, and instance properties.
    let mut call = lab
        .call()
        .with_header("content-type", "application/x-amz-json-1.0");
    call.query.clear();
    call.body = format!(
        r#"{{"durationSeconds": 3600, "instanceProperties": {{"host": "a"}}, {body_arns}}}"#
    );
    calls.push(("awslabs", call, 0));
    // s3cab: signs host, date and certificate, and leaves content-type out.
    let mut call = lab.call();
    call.headers.retain(|(name, _)| name != "content-type");
    call.unsigned_headers
        .push(pair("content-type", "application/json"));
    call.query.clear();
    call.body = format!("{{{body_arns}}}");
    calls.push(("s3cab", call, 1));
    // The deprecated session name, an unknown member and null count for nothing.
    let mut call = lab.call();
    call.query.clear();
    call.body = format!(
        r#"{{{body_arns},"sessionName":7,"cert":"x","roleSessionName":null,"durationSeconds":null}}"#
    );
    calls.push(("ignored members", call, 0));
    // The same ARN in both places.
    let body = format!("{{{body_arns}}}");
    calls.push(("query and body agree", lab.call().with_body(&body), 0));
    calls.push(("no body", lab.call().with_body(""), 0));
    for (client, call, notes) in calls {
        let service = lab.service();
        let response = service.handle(&call.sign(&lab.leaf), lab.now);
        let records = service.audit_records();
        assert_eq!(
            response.status,
            201,
            "{client}: {} {records:?}",
            response.text()
        );
        assert_eq!(
            records[0].nonconformance.len(),
            notes,
            "{client}: {records:?}"
        );
    }
}

#[test]
fn what_means_the_same_on_the_wire_is_accepted() {
    let lab = lab();
    // The query in another order, and percent-encoded otherwise than canonically.
    let mut request = lab.call().sign(&lab.leaf);
    let query = request.query().to_owned();
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.reverse();
    request.target = format!(
        "/sessions?{}",
        parts.join("&").replace("%3A", ":").replace("%2F", "%2f")
    );
    accept(&lab.service(), &request);
    // White space around and within a header value.
    let mut request = lab
        .call()
        .with_header("content-type", "application/json; charset=utf-8")
        .sign(&lab.leaf);
    let content_type = request
        .headers
        .iter_mut()
        .find(|(name, _)| name == "content-type");
    content_type.unwrap().1 = " application/json;   charset=utf-8 ".to_owned();
    accept(&lab.service(), &request);
    // A header of which two arrive, neither of which decides anything: joined in order of arrival.
    let mut request = lab.call().with_header("via", "a,b").sign(&lab.leaf);
    request.headers.retain(|(name, _)| name != "via");
    request.headers.extend([pair("Via", "a"), pair("via", "b")]);
    accept(&lab.service(), &request);
    // The parameters of Authorization in another order and without spaces.
    let mut request = lab.call().sign(&lab.leaf);
    let authorization = request.headers.last_mut().unwrap();
    let (algorithm, rest) = authorization.1.split_once(' ').unwrap();
    let mut parameters: Vec<&str> = rest.split(", ").collect();
    parameters.reverse();
    authorization.1 = format!("{algorithm} {}", parameters.join(","));
    accept(&lab.service(), &request);
}

#[test]
fn chains_are_accepted_in_any_order() {
    let lab = lab();
    let (root, issuing, leaf) = (&lab.root, &lab.issuing, &lab.deep_leaf);
    let chains: [&[&dyn Identity]; 6] = [
        &[issuing],
        &[issuing, root],
        &[root, issuing],
        // PKCS#12 users send the leaf first.
        &[leaf, issuing, root],
        &[issuing, leaf],
        &[&lab.other_root, issuing, issuing],
    ];
    for chain in chains {
        let call = lab.call_of(leaf, "root").with_chain(chain);
        accept(&lab.service(), &call.sign(leaf));
    }
    // The longest chain: five CAs below the root.
    let mut cas: Vec<Issued> = Vec::new();
    for number in 0..5 {
        let ca = Certificate::ca(&format!("/CN=CA {number}")).key("p256-issuing");
        cas.push(ca.signed_by(cas.last().unwrap_or(root)));
    }
    let leaf = Certificate::leaf("/CN=workload").signed_by(&cas[4]);
    let mut chain: Vec<&dyn Identity> = cas.iter().map(|ca| ca as &dyn Identity).collect();
    accept(
        &lab.service(),
        &lab.call_of(&leaf, "root").with_chain(&chain).sign(&leaf),
    );
    chain.insert(2, &leaf);
    accept(
        &lab.service(),
        &lab.call_of(&leaf, "root").with_chain(&chain).sign(&leaf),
    );
}

#[test]
fn anchors_may_be_intermediates_or_rotated_and_named_by_alias() {
    let lab = lab();
    let call = lab.call_of(&lab.deep_leaf, "issuing");
    accept(&lab.service(), &call.sign(&lab.deep_leaf));
    let call = lab.call_of(&lab.leaf, "rotated");
    accept(&lab.service(), &call.sign(&lab.leaf));
    let of_other = Certificate::leaf("/CN=workload").signed_by(&lab.other_root);
    let call = lab.call_of(&of_other, "rotated");
    accept(&lab.service(), &call.sign(&of_other));
    let mut arns = lab.arns("root", "app", "app");
    let place = "arn:aws:rolesanywhere:us-east-1:123456789012";
    arns.trust_anchor = format!("{place}:alias/trust-anchor/team/root");
    arns.profile = format!("{place}:alias/profile/team/app");
    let call = Call::helper(&arns, &lab.leaf, lab.now);
    accept(&lab.service(), &call.sign(&lab.leaf));
}

#[test]
fn leaves_of_the_field_are_accepted() {
    let lab = lab();
    let usage = "keyUsage=critical,digitalSignature\n";
    for extensions in [
        // No basic constraints, no extended key usage: serverless-ca and openrolesanywhere.
        usage.to_owned(),
        // Vault and step-ca.
        "keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement\nextendedKeyUsage=serverAuth,clientAuth\n".to_owned(),
        // An extended key usage without clientAuth.
        format!("{usage}extendedKeyUsage=serverAuth\n"),
        // SPIFFE.
        format!("{usage}subjectAltName=URI:spiffe://example.org/workload\n"),
        // A user principal name in the SAN, an unknown extension that is not critical: AD CS.
        format!("{usage}subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@example.org\n1.3.6.1.4.1.311.21.7=DER:0400\n"),
        // A DNS name that a name constraint would look at.
        format!("{usage}subjectAltName=DNS:a.example.org\n"),
    ] {
        let leaf = Certificate::leaf("/CN=workload").extensions(&extensions);
        let leaf = leaf.signed_by(&lab.root);
        accept(&lab.service(), &lab.call_of(&leaf, "root").sign(&leaf));
    }
}

#[test]
fn the_clock_may_be_ten_minutes_off() {
    let lab = lab();
    for seconds in [-600, -300, 0, 300, 600] {
        let service = lab.service();
        let request = lab.call().sign(&lab.leaf);
        let response = service.handle(&request, lab.now.plus_seconds(seconds));
        assert_eq!(response.status, 201, "{seconds}: {}", response.text());
    }
}

#[test]
fn the_duration_is_the_lesser_of_profile_and_request() {
    let lab = lab();
    for (profile, role, body, seconds) in [
        ("app", "app", "{}", 3_600),
        ("app", "app", r#"{"durationSeconds":900}"#, 900),
        ("app", "app", r#"{"durationSeconds":43200}"#, 3_600),
        ("short", "app", r#"{"durationSeconds":3600}"#, 900),
        ("long", "long", "{}", 43_200),
        ("long", "long", r#"{"durationSeconds":7200}"#, 7_200),
        // The role allows an hour and an hour is asked for.
        ("long", "app", r#"{"durationSeconds":3600}"#, 3_600),
    ] {
        let call = Call::helper(&lab.arns("root", profile, role), &lab.leaf, lab.now);
        let answer = accept(&lab.service(), &call.with_body(body).sign(&lab.leaf));
        assert_eq!(
            answer["credentialSet"][0]["credentials"]["expiration"],
            lab.now.plus_seconds(seconds).to_iso8601(),
            "{profile} {role} {body}"
        );
    }
}

#[test]
fn sessions_and_sources_are_named_after_the_certificate() {
    let lab = lab();
    let longest = |length: usize| format!("/CN={}", "n".repeat(length));
    for (subject, serial, session, source) in [
        (
            "/CN=workload".to_owned(),
            "0x1000",
            "1000",
            "CN=workload".to_owned(),
        ),
        (
            "/CN=workload".to_owned(),
            "5",
            "05",
            "CN=workload".to_owned(),
        ),
        // The user guide's examples of serial numbers.
        ("/O=Example".to_owned(), "291", "0123", "ID=0123".to_owned()),
        (
            "/O=Example".to_owned(),
            "17767",
            "4567",
            "ID=4567".to_owned(),
        ),
        (longest(61), "0xab", "ab", format!("CN={}", "n".repeat(61))),
        (longest(62), "0xab", "ab", "n".repeat(62)),
        (longest(64), "0xab", "ab", "n".repeat(64)),
        (
            "/CN=my laptop".to_owned(),
            "0xab",
            "ab",
            "CN=my laptop".to_owned(),
        ),
    ] {
        let leaf = Certificate::leaf(&subject)
            .serial(serial)
            .signed_by(&lab.root);
        let answer = accept(&lab.service(), &lab.call_of(&leaf, "root").sign(&leaf));
        let set = &answer["credentialSet"][0];
        let arn = format!("arn:aws:sts::123456789012:assumed-role/app/{session}");
        assert_eq!(set["assumedRoleUser"]["arn"], arn, "{subject}");
        assert_eq!(set["sourceIdentity"], source, "{subject}");
    }
    let call = Call::helper(&lab.arns("root", "named", "app"), &lab.leaf, lab.now)
        .with_body(r#"{"roleSessionName":"build+42=a,b.c@d-e_F"}"#);
    let answer = accept(&lab.service(), &call.sign(&lab.leaf));
    assert_eq!(
        answer["credentialSet"][0]["assumedRoleUser"]["arn"],
        "arn:aws:sts::123456789012:assumed-role/app/build+42=a,b.c@d-e_F"
    );
}

/// Java and Go make such certificates, and read them; what is odd about them is noted.
#[test]
fn odd_times_and_serial_numbers_of_issuers_are_taken_and_noted() {
    let lab = lab();
    let (ca_key, leaf_key) = (Key::ec(&key_file("p256-sub")), Key::ec(&key_file("p256")));
    let times = |from: (u8, &str), to: (u8, &str)| {
        let [from, to] = [from, to].map(|(tag, text)| tlv(tag, text.as_bytes()));
        Some([from, to].concat())
    };
    let ca = Handmade {
        serial: vec![0xff, 0x01],
        times: times((0x17, "650706113859Z"), (0x18, "20990706113859Z")),
        ..Handmade::ca("odd", lab.now)
    };
    let leaf = Handmade {
        times: times((0x17, "2401010000Z"), (0x17, "490706113859+0200")),
        ..Handmade::leaf("workload", lab.now)
    };
    let ca = signed_by_openssl(&ca, &ca_key, &lab.root, ROOT_NAME);
    let leaf = leaf.signed_by(&name(&["odd"]), &ca_key, &leaf_key);
    let call = lab.call_of(&leaf, "root").with_chain(&[&ca]);
    let service = lab.service();
    accept(&service, &call.sign(&leaf));
    let notes = service.audit_records().pop().unwrap().nonconformance;
    for subject in ["CN=odd", "CN=workload"] {
        let start = format!("a time of the validity of `{subject}` ");
        assert!(
            notes.iter().any(|note| note.starts_with(&start)),
            "{notes:?}"
        );
    }
}
