//! Quotas, injected faults and the test API, without a socket.

use std::net::IpAddr;

use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{
    End, Request, Response, Service,
    config::Limits,
    faults::{Effect, InjectedFault},
};

use crate::{client::pair, lab::lab};

/// A loopback address and one of another machine.
const NEAR: [u8; 4] = [127, 0, 0, 1];
const FAR: [u8; 4] = [192, 0, 2, 1];

fn from(mut request: Request, peer: [u8; 4]) -> Request {
    request.peer = Some(IpAddr::from(peer));
    request
}

fn test_api(method: &str, path: &str, host: &str, body: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: format!("/_emulator/{path}"),
        headers: vec![pair("host", host)],
        body: body.as_bytes().to_vec(),
        peer: Some(IpAddr::from(NEAR)),
    }
}

fn error(response: &Response) -> (u16, &str) {
    let code = response.header("x-amzn-errortype");
    (response.status, code.unwrap_or_default())
}

#[test]
fn sessions_are_limited_by_certificate_and_by_address() {
    let lab = lab();
    let mut config = lab.config();
    config.settings.limits = Limits::of_the_service();
    let service = Service::new(&config).unwrap();
    let (leaf, other) = (&lab.leaf, &lab.deep_leaf);
    let call = from(lab.call().sign(leaf), NEAR);
    for _ in 0..10 {
        assert_eq!(service.handle(&call, lab.now).status, 201);
    }
    let throttled = service.handle(&call, lab.now);
    assert_eq!(error(&throttled), (429, "ThrottlingException"));
    assert!(throttled.text().contains("Rate exceeded"));
    // The certificate from elsewhere, and another certificate from the address.
    let elsewhere = from(lab.call().sign(leaf), FAR);
    assert_eq!(service.handle(&elsewhere, lab.now).status, 429);
    let chained = lab.call_of(other, "issuing").sign(other);
    assert_eq!(
        service.handle(&from(chained.clone(), NEAR), lab.now).status,
        429
    );
    assert_eq!(
        service
            .handle(&from(chained, [192, 0, 2, 2]), lab.now)
            .status,
        201
    );
    let later = lab.now.plus_seconds(1);
    assert_eq!(service.handle(&call, later).status, 201);
    // Off by default.
    let unlimited = lab.service();
    for _ in 0..50 {
        assert_eq!(unlimited.handle(&call, lab.now).status, 201);
    }
}

#[test]
fn injected_faults_are_instructions_to_the_shell() {
    let lab = lab();
    let service = lab.service();
    let call = lab.call().sign(&lab.leaf);
    let befall = |effect: Effect| {
        let injected = service.inject_fault(InjectedFault {
            operation: Some("CreateSession".to_owned()),
            count: Some(1),
            effect,
        });
        assert!(injected);
        service.handle(&call, lab.now)
    };
    let dropped = befall(Effect::DroppedConnection);
    assert_eq!((dropped.status, dropped.delivery.end), (201, End::Dropped));
    let late = befall(Effect::Latency { milliseconds: 9 });
    assert_eq!((late.status, late.delivery.delay_milliseconds), (201, 9));
    let half = befall(Effect::TruncatedBody { bytes: None });
    assert_eq!(half.delivery.end, End::Truncated(half.body.len() / 2));
    let skewed = befall(Effect::SkewedDate { seconds: -3_600 });
    let plain = service.handle(&call, lab.now);
    assert_ne!(skewed.header("date"), plain.header("date"));
    assert_eq!(plain.delivery, rolesanywhere_emulator::Delivery::default());
    assert_eq!(error(&befall(Effect::ServerError)).0, 500);
    assert_eq!(
        error(&befall(Effect::Throttled)),
        (429, "ThrottlingException")
    );
    let unavailable = befall(Effect::ServiceUnavailable {
        retry_after_seconds: 3,
    });
    assert_eq!(error(&unavailable), (503, "ServiceUnavailableException"));
    let body: serde_json::Value = serde_json::from_slice(&unavailable.body).unwrap();
    assert_eq!(body["retryAfterSeconds"], 3);
    // What was refused issued nothing; what was lost or broken on the way did.
    assert_eq!(service.issued_credentials(), 5);
    assert!(service.injected_faults().is_empty());
}

#[test]
fn the_clock_decides_what_is_valid() {
    let lab = lab();
    let service = lab.service();
    let call = lab.call().sign(&lab.leaf);
    service.advance_clock(3_600);
    assert_eq!(service.handle(&call, lab.now).status, 403);
    service.set_clock(lab.now, true, UnixTime::from_seconds(0));
    let whenever = UnixTime::from_seconds(5);
    assert_eq!(service.handle(&call, whenever).status, 201);
    service.unset_clock();
    assert_eq!(service.handle(&call, whenever).status, 403);
    service.reset(lab.now).unwrap();
    assert!(service.audit_records().is_empty());
    assert_eq!(service.issued_credentials(), 0);
}

#[test]
fn the_test_api_is_for_this_machine() {
    let lab = lab();
    let service = lab.service();
    let now = lab.now;
    let reset = || test_api("POST", "reset", "localhost:8443", "");
    assert_eq!(service.handle(&reset(), now).status, 200);
    assert_eq!(service.handle(&from(reset(), FAR), now).status, 403);
    // A name that somebody else's DNS gives to this machine.
    let rebound = test_api("POST", "reset", "evil.example:8443", "");
    assert_eq!(service.handle(&rebound, now).status, 403);
    let unknown = test_api("POST", "nothing", "localhost", "");
    assert_eq!(service.handle(&unknown, now).status, 404);
    let zero = r#"{"count":0,"effect":{"kind":"throttled"}}"#;
    let never = test_api("POST", "faults", "localhost", zero);
    assert_eq!(service.handle(&never, now).status, 400);
    let mut config = lab.config();
    config.settings.remote_test_api = true;
    let open = Service::new(&config).unwrap();
    assert_eq!(open.handle(&from(reset(), FAR), now).status, 200);
}
