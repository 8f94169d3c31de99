//! Credentials of `serve` over time: kept, renewed, ended.

use std::time::{Duration, Instant};

use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
    faults::{Effect, InjectedFault},
    server::{ServerOptions, start_blocking},
};

use super::{ROLES, Server, ask, command, connect, serving, wait_until};
use crate::{
    harness::{Arns, World, now, run},
    scripted::{Scripted, ends_in, refusal},
};

#[test]
fn valid_credentials_are_kept_when_renewal_fails_and_ended_ones_are_not() {
    let world = World::new();
    let away = refusal("403 Forbidden", "AccessDeniedException", "not now", "");
    let replies = vec![
        ends_in(9, "ASIAFIRST"),
        away.clone(),
        away,
        ends_in(3600, "ASIALATER"),
    ];
    let service = Scripted::tls(replies);
    world.write("server-ca.pem", service.ca_pem.as_bytes());
    let (endpoint, ca) = (service.https(), world.text("server-ca.pem"));
    let line = [
        "--endpoint",
        &endpoint,
        "--ca-bundle",
        &ca,
        "--port=0",
        "--metrics",
    ];
    let server = Server::start(command(&world, &Arns::any(), &line));
    let token = server.token();
    let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
    let credentials = || server.ask(&format!("GET {ROLES}/r"), &with_token);
    assert_eq!(credentials().json()["AccessKeyId"], "ASIAFIRST");
    assert_eq!(server.ask("GET /health", &[]).status, 200);
    server.wait_for_line("the credentials at hand are used on");
    assert_eq!(credentials().json()["AccessKeyId"], "ASIAFIRST");
    // Then they end: an honest refusal with the reason, never empty credentials.
    let begun = Instant::now();
    let ended = loop {
        let answer = credentials();
        if answer.status != 200 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(
        (ended.status, ended.header("retry-after").as_deref()),
        (503, Some("1"))
    );
    assert!(
        ended.body.contains("not now") && !ended.body.contains("ASIA"),
        "{ended:?}"
    );
    assert_eq!(server.ask("GET /health", &[]).status, 503);
    let metrics = server.ask("GET /metrics", &[]).body;
    assert!(
        metrics.contains("rolesanywhere_credentials_valid 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains(r#"rolesanywhere_renewals_total{outcome="ok"} 1"#),
        "{metrics}"
    );
    assert!(
        metrics.contains(
            r#"rolesanywhere_requests_total{route="instance_credentials",outcome="failed"}"#
        ),
        "{metrics}"
    );
}

#[test]
fn ten_thousand_requests_pass_through_renewals_and_failures() {
    const REQUESTS: usize = 10_000;
    const CLIENTS: usize = 64;
    // The first session ends in 12 s: it is the shortest that there is, of an emulator whose clock is behind, that
    // says otherwise in `Date` and takes requests from the true time. Then its clock is right, and the renewal
    // fails, three attempts long, and works 5 to 10 s later.
    const BEHIND: i64 = 900 - 12;
    let world = World::at(now().plus_seconds(-3600));
    let mut config = Config::new("123456789012", "us-east-1")
        .with_trust_anchor(TrustAnchor::new("ca", world.ca.certificate_pem()))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    config.settings.clock_tolerance_seconds = 3600;
    let service = Service::new(&config).unwrap();
    service.advance_clock(-BEHIND);
    let fault = |count, effect| InjectedFault {
        operation: Some("CreateSession".to_owned()),
        count: Some(count),
        effect,
    };
    assert!(service.inject_fault(fault(1, Effect::SkewedDate { seconds: BEHIND })));
    let away = Effect::ServiceUnavailable {
        retry_after_seconds: 1,
    };
    assert!(service.inject_fault(fault(3, away)));
    let emulator = start_blocking(service.into(), ServerOptions::default()).unwrap();
    world.write("server-ca.pem", emulator.ca_pem().unwrap().as_bytes());
    let service = emulator.service();
    let arns = Arns {
        trust_anchor: service.trust_anchor_arn("ca").unwrap(),
        profile: service.profile_arn("app").unwrap(),
        role: service.role_arn("app").unwrap(),
    };
    let line = [
        "--endpoint",
        emulator.endpoint(),
        "--ca-bundle",
        &world.text("server-ca.pem"),
        "--session-duration=900",
        "--port=0",
    ];
    let server = Server::start(command(&world, &arns, &line));
    service.unset_clock();
    let token = server.token();
    let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
    let begun = server.ask(&format!("GET {ROLES}/app"), &with_token).json();
    let first_key = begun["AccessKeyId"].as_str().unwrap();
    let line = format!("GET {ROLES}/app");
    let (port, host) = (server.port, format!("127.0.0.1:{}", server.port));
    let (mut first, mut second, mut ended) = (0, 0, 0);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = connect(port);
                    let headers = [("x-aws-ec2-metadata-token", token.as_str())];
                    let mut counts = [0_usize; 3];
                    for number in 0..REQUESTS.div_ceil(CLIENTS) {
                        let answer = ask(&mut stream, &line, &host, &headers);
                        let place = match answer.status {
                            200 if answer.body.contains(first_key) => 0,
                            200 if answer.body.contains("ASIA") => 1,
                            503 => 2,
                            _ => panic!("{answer:?}"),
                        };
                        counts[place] += 1;
                        // Spread over the time that the first session and the failure take.
                        if number % 8 == 0 {
                            std::thread::sleep(Duration::from_millis(1250));
                        }
                    }
                    counts
                })
            })
            .collect();
        for client in clients {
            let counts = client.join().unwrap();
            first += counts[0];
            second += counts[1];
            ended += counts[2];
        }
    });
    assert!(first + second + ended >= REQUESTS);
    assert!(
        first > 0 && second > 0,
        "{first} first, {second} second, {ended} refused"
    );
    // One renewal in flight: the service was asked for the first, three times in vain, and for the second.
    assert_eq!(service.issued_credentials(), 2);
    assert_eq!(service.injected_faults(), []);
}

#[test]
fn a_hangup_renews_at_once() {
    let (_world, emulator, server) = serving(&[]);
    let token = server.token();
    let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
    let id = || {
        let answer = server.ask(&format!("GET {ROLES}/app"), &with_token);
        assert_eq!(answer.status, 200);
        answer.json()["AccessKeyId"].clone()
    };
    let first = id();
    server.process.signal("HUP");
    wait_until("other credentials", || id() != first);
    assert_eq!(emulator.service().issued_credentials(), 2);
}

#[test]
fn a_service_that_is_not_there_yet_is_waited_for_and_a_refusal_is_not() {
    let world = World::new();
    // All attempts of the first renewal fail.
    let away = refusal(
        "503 Service Unavailable",
        "ServiceUnavailable",
        "not yet",
        "",
    );
    let service = Scripted::tls(vec![
        away.clone(),
        away.clone(),
        away,
        ends_in(3600, "ASIAFIRST"),
    ]);
    world.write("server-ca.pem", service.ca_pem.as_bytes());
    let (endpoint, ca) = (service.https(), world.text("server-ca.pem"));
    let line = [
        "--endpoint",
        &endpoint,
        "--ca-bundle",
        &ca,
        "--port=0",
        "--metrics",
    ];
    let server = Server::start(command(&world, &Arns::any(), &line));
    let health = server.ask("GET /health", &[]);
    assert_eq!(
        (health.status, health.json()["credentials"].as_str()),
        (503, Some("none"))
    );
    let token = server.token();
    let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
    let early = server.ask(&format!("GET {ROLES}/r"), &with_token);
    assert_eq!(early.status, 503);
    assert!(early.body.contains("not yet"), "{early:?}");
    wait_until("credentials", || {
        let answer = server.ask(&format!("GET {ROLES}/r"), &with_token);
        answer.status == 200 && answer.json()["AccessKeyId"] == "ASIAFIRST"
    });

    // What no retry mends ends it at once: a refusal, and a server that is not trusted.
    let refusing = Scripted::tls(vec![refusal(
        "403 Forbidden",
        "AccessDeniedException",
        "no",
        "",
    )]);
    let other = World::new();
    other.write("server-ca.pem", refusing.ca_pem.as_bytes());
    let (endpoint, own_ca) = (refusing.https(), other.text("server-ca.pem"));
    for (ca, part) in [(&own_ca, "no"), (&ca, "authority that is not among")] {
        let line = ["--endpoint", &endpoint, "--ca-bundle", ca, "--port=0"];
        run(&mut command(&other, &Arns::any(), &line)).fails_with(part);
    }
}
