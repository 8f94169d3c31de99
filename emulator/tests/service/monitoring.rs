//! What the service tells of itself: CloudTrail's records, CloudWatch's metrics, EventBridge's events.

use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{
    Config, Service,
    config::{NotificationEvent, NotificationSetting, Profile, Role, TrustAnchor},
};
use serde_json::{Value, json};

use crate::{
    accepted::{accept, assert_accepted},
    client::{ACCOUNT, Call, REGION},
    lab::lab,
    pki::{Certificate, Identity, Issued},
};

const DAY: i64 = 86_400;

#[test]
fn an_accepted_call_is_recorded_as_cloudtrail_does() {
    let lab = lab();
    let service = lab.service();
    let mut request = lab.call().sign(&lab.leaf);
    request.peer = Some("192.0.2.7".parse().unwrap());
    let answer = accept(&service, &request);
    let set = &answer["credentialSet"][0];
    let records = service.cloudtrail_records();
    let event = &records[0];
    let arns = lab.arns("root", "app", "app");
    for (member, expected) in [
        ("eventVersion", json!("1.08")),
        ("eventTime", json!(lab.now.to_iso8601())),
        ("eventSource", json!("rolesanywhere.amazonaws.com")),
        ("eventName", json!("CreateSession")),
        ("awsRegion", json!(REGION)),
        ("sourceIPAddress", json!("192.0.2.7")),
        ("userAgent", json!("test")),
        ("readOnly", json!(false)),
        ("eventType", json!("AwsApiCall")),
        ("managementEvent", json!(true)),
        ("recipientAccountId", json!(ACCOUNT)),
        ("eventCategory", json!("Management")),
        (
            "requestParameters",
            json!({
                "cert": BASE64.encode(&lab.leaf.der()),
                "durationSeconds": 3_600,
                "profileArn": arns.profile,
                "roleArn": arns.role,
                "trustAnchorArn": arns.trust_anchor,
            }),
        ),
        (
            "responseElements",
            json!({
                "credentialSet": [{
                    "assumedRoleUser": set["assumedRoleUser"],
                    "credentials": {
                        "accessKeyId": set["credentials"]["accessKeyId"],
                        "expiration": set["credentials"]["expiration"],
                        "secretAccessKey": "HIDDEN_DUE_TO_SECURITY_REASONS",
                        "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
                    },
                    "packedPolicySize": set["packedPolicySize"],
                    "roleArn": arns.role,
                    "sourceIdentity": "CN=workload",
                }],
                "subjectArn": answer["subjectArn"],
            }),
        ),
    ] {
        assert_eq!(event[member], expected, "{member}");
    }
    assert_eq!(event["userIdentity"]["accountId"], ACCOUNT);
    assert_eq!(event["eventID"].as_str().unwrap().len(), 36);
    for absent in [
        "errorCode",
        "errorMessage",
        "additionalEventData",
        "emulator",
    ] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    // The secrets are nowhere in it.
    let text = event.to_string();
    for secret in ["secretAccessKey", "sessionToken"] {
        assert!(
            !text.contains(set["credentials"][secret].as_str().unwrap()),
            "{secret}"
        );
    }
}

#[test]
fn a_refused_call_has_the_wires_error_and_the_true_reason_beside_it() {
    let lab = lab();
    let service = lab.service();
    let of_other = Certificate::leaf("/CN=workload").signed_by(&lab.other_root);
    let response = service.handle(&lab.call_of(&of_other, "root").sign(&of_other), lab.now);
    let event = &service.cloudtrail_records()[0];
    assert_eq!(
        event["requestID"],
        response.header("x-amzn-requestid").unwrap()
    );
    assert_eq!(event["errorCode"], "AccessDeniedException");
    assert_eq!(event["errorMessage"], "Untrusted signing certificate");
    assert_eq!(event["responseElements"], Value::Null);
    assert_eq!(event["emulator"]["check"], "chain to the trust anchor");
    let reason = event["emulator"]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("no path to the trust anchor `root`"),
        "{reason}"
    );
}

#[test]
fn a_client_that_signs_too_little_is_noted() {
    let lab = lab();
    let service = lab.service();
    // s3cab signs no content-type, and the live service answers 201.
    let mut call = lab.call();
    let (signed, unsigned): (Vec<_>, Vec<_>) = call
        .headers
        .into_iter()
        .partition(|(name, _)| name != "content-type");
    call.headers = signed;
    call.unsigned_headers.extend(unsigned);
    accept(&service, &call.sign(&lab.leaf));
    assert_eq!(
        service.cloudtrail_records()[0]["additionalEventData"],
        json!({ "signingNonconformance": ["the header `content-type` is not signed"] })
    );
}

#[test]
fn a_line_for_a_log_says_who_what_and_why() {
    let lab = lab();
    let service = lab.service();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    assert!(service.on_audit_record(move |record| seen.lock().unwrap().push(record.to_string())));
    assert!(!service.on_audit_record(|_| {}));
    accept(&service, &lab.call().sign(&lab.leaf));
    let mut call = lab.call();
    call.serial = "61D5692C0A7B".to_owned();
    service.handle(&call.sign(&lab.leaf), lab.now);
    // A name that would break the line.
    let hostile = Certificate::leaf("/CN=a\nb").signed_by(&lab.root);
    service.handle(&lab.call_of(&hostile, "root").sign(&hostile), lab.now);
    let lines = lines.lock().unwrap();
    assert!(
        lines[0].contains("CreateSession") && lines[0].contains(" succeeded: arn:aws:sts::"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].contains("\"Invalid signature\"; algorithm and serial number: "),
        "{}",
        lines[1]
    );
    assert!(
        lines[1].contains("the same number in hexadecimal"),
        "{}",
        lines[1]
    );
    assert!(lines.iter().all(|line| !line.contains('\n')), "{lines:?}");
}

#[test]
fn calls_are_counted_as_cloudwatch_does() {
    let lab = lab();
    let service = lab.service();
    for _ in 0..3 {
        accept(&service, &lab.call().sign(&lab.leaf));
    }
    accept(&service, &lab.call_of(&lab.leaf, "rotated").sign(&lab.leaf));
    service.handle(&lab.call_of(&lab.leaf, "other").sign(&lab.leaf), lab.now);
    service.handle(
        &lab.call()
            .with_body(r#"{"durationSeconds":1}"#)
            .sign(&lab.leaf),
        lab.now,
    );
    // Other operations are not counted.
    service.handle(&rolesanywhere_emulator::Request::default(), lab.now);
    let (root, rotated) = (
        lab.arns("root", "app", "app").trust_anchor,
        lab.arns("rotated", "app", "app").trust_anchor,
    );
    let metrics = service.metrics(lab.now);
    assert_eq!(
        metrics.success,
        [(root.clone(), 3), (rotated.clone(), 1)].into()
    );
    let failures = [("AccessDeniedException", 1), ("ValidationException", 1)];
    assert_eq!(
        metrics.failure,
        failures
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
    let json = metrics.to_json();
    assert_eq!(json["Namespace"], "AWS/RolesAnywhere");
    let operation = json!({ "Name": "Operation", "Value": "CreateSession" });
    assert!(json["Metrics"].as_array().unwrap().contains(&json!({
        "MetricName": "Success",
        "Dimensions": [operation, { "Name": "TrustAnchorArn", "Value": root }],
        "Unit": "Count",
        "Value": 3,
    })));
    assert!(json["Metrics"].as_array().unwrap().contains(&json!({
        "MetricName": "Failure",
        "Dimensions": [operation, { "Name": "ErrorType", "Value": "ValidationException" }],
        "Unit": "Count",
        "Value": 1,
    })));
    let text = metrics.to_prometheus();
    for line in [
        "# TYPE rolesanywhere_success_total counter".to_owned(),
        format!("rolesanywhere_success_total{{operation=\"CreateSession\",trust_anchor_arn=\"{rotated}\"}} 1"),
        "rolesanywhere_failure_total{operation=\"CreateSession\",error_type=\"AccessDeniedException\"} 1".to_owned(),
    ] {
        assert!(text.lines().any(|have| have == line), "{line}\n{text}");
    }
}

/// A CA of 100 days and a leaf of 50, and an account that trusts them.
fn expiring() -> (Issued, Config) {
    let ca = Certificate::ca("/C=US/ST=Washington/CN=CA Root v1/L=Seattle")
        .key("p256-root")
        .serial("0x936EACBE07F201DF")
        .days(100)
        .self_signed();
    let leaf = Certificate::leaf("/CN=workload")
        .serial("0xff01")
        .days(50)
        .signed_by(&ca);
    let config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("root", &ca.pem()))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    (leaf, config)
}

/// Days to expiry of each event, of trust anchors' certificates and of end entities'.
fn told(service: &Service, now: UnixTime) -> (Vec<i64>, Vec<i64>) {
    let (mut anchors, mut others) = (Vec::new(), Vec::new());
    for event in service.events(now) {
        match event.trust_anchor_arn {
            Some(_) => anchors.push(event.days_to_expiry),
            None => others.push(event.days_to_expiry),
        }
    }
    (anchors, others)
}

/// So many days after the lab's time. OpenSSL's certificates begin an hour before that.
fn day(number: i64) -> UnixTime {
    lab().now.plus_seconds(number * DAY)
}

#[test]
fn a_trust_anchor_is_told_of_from_45_days_before_to_14_days_after() {
    let (_, config) = expiring();
    let service = Service::new(&config).unwrap();
    let told = |number: i64| told(&service, day(number)).0;
    let metric = |number: i64| {
        let metrics = service.metrics(day(number));
        metrics.days_to_expiry.values().copied().collect::<Vec<_>>()
    };
    // 99 days and 23 hours are left on day 0.
    assert_eq!((told(53), metric(53)), (vec![], vec![]));
    assert_eq!((told(54), metric(54)), (vec![45], vec![45]));
    // Once a day.
    assert_eq!(told(54), [45]);
    assert_eq!((told(99), metric(99)), (vec![45, 0], vec![0]));
    // CloudWatch ends on the day of expiry, EventBridge later.
    assert_eq!((told(113), metric(113)), (vec![45, 0, -14], vec![]));
    assert_eq!(told(114), [45, 0, -14]);
    let event = service.events(day(114)).pop().unwrap();
    assert_eq!(
        event.to_json(),
        json!({
            "version": "0",
            "id": event.id,
            "detail-type": "Roles Anywhere Certificate Expiration State Change",
            "source": "aws.rolesanywhere",
            "account": ACCOUNT,
            "time": day(113).to_iso8601(),
            "region": REGION,
            "resources": [service.trust_anchor_arn("root").unwrap()],
            "detail": {
                // Both from the guide's example.
                "certificate-serial-number": "00936EACBE07F201DF",
                "days-to-expiry": -14,
                "issuer": "L=Seattle,CN=CA Root v1,ST=Washington,C=US",
            }
        })
    );
}

#[test]
fn notification_settings_decide_which_trust_anchors_are_told_of() {
    let (_, mut config) = expiring();
    let mut set = |enabled, threshold| {
        config.trust_anchors[0].notification_settings = vec![NotificationSetting {
            event: NotificationEvent::CaCertificateExpiry,
            enabled,
            threshold,
        }];
        let service = Service::new(&config).unwrap();
        (
            told(&service, day(0)).0,
            service.metrics(day(0)).days_to_expiry.len(),
        )
    };
    assert_eq!(set(true, Some(99)), (vec![99], 1));
    assert_eq!(set(true, Some(98)), (vec![], 0));
    assert_eq!(set(false, Some(360)), (vec![], 0));
    assert_eq!(set(false, None), (vec![], 0));
}

#[test]
fn end_entities_are_told_of_on_days_on_which_they_are_used() {
    let (leaf, mut config) = expiring();
    let service = Service::new(&config).unwrap();
    let call = |service: &Service, number: i64| {
        let call = Call::helper(&lab().arns("root", "app", "app"), &leaf, day(number));
        assert_accepted(service, &service.handle(&call.sign(&leaf), day(number)));
    };
    let told = |number: i64| told(&service, day(number)).1;
    // 49 days and 23 hours are left on day 0.
    call(&service, 0);
    assert_eq!(told(0), Vec::<i64>::new());
    call(&service, 4);
    assert_eq!(told(4), [45]);
    assert_eq!(told(4), [45]);
    // It was used within the day before, and then no more.
    assert_eq!(told(5), [45, 44]);
    assert_eq!(told(7), [45, 44]);
    // On its last day, and not once it has expired.
    call(&service, 49);
    assert_eq!(told(49), [45, 44, 0]);
    assert_eq!(told(50), [45, 44, 0]);
    let events = service.events(day(50));
    let event = events
        .iter()
        .find(|event| event.trust_anchor_arn.is_none())
        .unwrap();
    assert_eq!(event.certificate_serial_number, "00FF01");
    assert_eq!(event.issuer, "L=Seattle,CN=CA Root v1,ST=Washington,C=US");
    assert_eq!(event.to_json()["resources"], json!([]));
    // The trust anchor's setting decides.
    for (enabled, threshold, expected) in [
        (true, Some(49), 1),
        (true, Some(48), 0),
        (false, Some(360), 0),
    ] {
        config.trust_anchors[0].notification_settings = vec![NotificationSetting {
            event: NotificationEvent::EndEntityCertificateExpiry,
            enabled,
            threshold,
        }];
        let service = Service::new(&config).unwrap();
        call(&service, 0);
        assert_eq!(
            service.events(day(0)).len(),
            expected,
            "{enabled} {threshold:?}"
        );
    }
}

#[test]
fn the_test_api_hands_out_records_metrics_and_events() {
    let service = lab().service();
    accept(&service, &lab().call().sign(&lab().leaf));
    let get = |path: &str| -> Value {
        let request = rolesanywhere_emulator::Request {
            method: "GET".to_owned(),
            target: format!("/_emulator/{path}"),
            headers: vec![crate::client::pair("host", "localhost")],
            ..rolesanywhere_emulator::Request::default()
        };
        let response = service.handle(&request, lab().now);
        assert_eq!(response.status, 200, "{}", response.text());
        serde_json::from_slice(&response.body).unwrap()
    };
    assert_eq!(
        get("cloudtrail")["Records"][0]["eventName"],
        "CreateSession"
    );
    assert_eq!(get("metrics"), service.metrics(lab().now).to_json());
    // The lab's certificates last for ten years.
    assert_eq!(get("events"), json!({ "Events": [] }));
}
