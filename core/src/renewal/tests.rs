//! Hours pass here in microseconds, since time is an argument.

use super::*;
use crate::{ErrorKind, HttpResponse, session::Session};
use alloc::{format, string::ToString, vec, vec::Vec};

const START: i64 = 1_700_000_000;

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(START + seconds)
}

/// A renewal that holds credentials for `lifetime` seconds from `START`.
fn holding(lifetime: i64, jitter: u64) -> Renewal {
    let mut renewal = Renewal::new(RenewalPolicy::default(), jitter);
    renewal.restored(at(0), at(lifetime));
    renewal
}

fn unavailable() -> Error {
    Error::new(ErrorKind::ServiceUnavailable, "busy")
}

fn session(expiration: UnixTime, date: Option<&str>) -> Session {
    let body = format!(
        r#"{{"credentialSet":[{{"credentials":{{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T","expiration":"{}"}}}}]}}"#,
        expiration.to_iso8601()
    );
    let headers = date
        .map(|date| ("date".to_string(), date.to_string()))
        .into_iter()
        .collect();
    Session::from_response(&HttpResponse::new(201, headers, body.into_bytes())).unwrap()
}

#[test]
fn without_credentials_the_first_step_is_to_renew() {
    assert_eq!(
        Renewal::new(RenewalPolicy::default(), 1).next(at(0)),
        Next::Renew
    );
}

#[test]
fn an_hour_goes_through_the_windows() {
    for jitter in 0..200 {
        let renewal = holding(3600, jitter);
        let Next::Use { until } = renewal.next(at(0)) else {
            panic!("not in use")
        };
        let begins = until.seconds_since(at(0));
        // The background window of 900 seconds, its first quarter for the fleet to spread over.
        assert!((2700..=2925).contains(&begins), "{begins}");
        assert_eq!(renewal.next(at(begins - 1)), Next::Use { until });
        assert_eq!(renewal.next(at(begins)), Next::UseAndRenew);
        assert_eq!(renewal.next(at(3299)), Next::UseAndRenew);
        assert_eq!(renewal.next(at(3300)), Next::Renew);
        assert!(renewal.is_valid(at(3599)));
        assert!(!renewal.is_valid(at(3600)));
        assert_eq!(renewal.next(at(3600)), Next::Renew);
    }
}

#[test]
fn the_fleet_spreads() {
    let mut starts: Vec<_> = (0..100)
        .map(|jitter| match holding(3600, jitter).next(at(0)) {
            Next::Use { until } => until,
            other => panic!("{other:?}"),
        })
        .collect();
    starts.sort();
    starts.dedup();
    assert!(starts.len() > 50, "{}", starts.len());
}

#[test]
fn the_shortest_session_is_used_for_most_of_its_life() {
    // 900 seconds lie inside botocore's window of 15 minutes: a peer renews at every use.
    let renewal = holding(900, 3);
    let Next::Use { until } = renewal.next(at(0)) else {
        panic!("renewed at once")
    };
    assert!(until >= at(600), "{until:?}");
    assert_eq!(renewal.next(at(749)), Next::UseAndRenew);
    assert_eq!(renewal.next(at(750)), Next::Renew);
}

#[test]
fn valid_credentials_outlive_failures() {
    let mut renewal = holding(3600, 7);
    let mut now = 3300;
    let mut tries = 0;
    while now < 3600 {
        match renewal.next(at(now)) {
            Next::Renew | Next::UseAndRenew => {
                tries += 1;
                renewal.failed(at(now), &unavailable());
            }
            Next::Use { until } => {
                assert!(until > at(now) && until <= at(3600));
                assert!(renewal.is_valid(at(now)));
                now = until.seconds_since(at(0));
            }
            Next::WaitUntil(_) => panic!("valid credentials were withheld"),
        }
    }
    assert!((2..=60).contains(&tries), "{tries}");
    assert!(matches!(
        renewal.next(at(3600)),
        Next::WaitUntil(_) | Next::Renew
    ));
}

#[test]
fn pauses_grow_and_stay_bounded() {
    let policy = RenewalPolicy::default();
    for jitter in 0..50 {
        let mut renewal = Renewal::new(policy, jitter);
        let mut now = 0;
        for failures in 1..40u32 {
            renewal.failed(at(now), &unavailable());
            let Next::WaitUntil(until) = renewal.next(at(now)) else {
                panic!("no pause")
            };
            let pause = until.seconds_since(at(now));
            let ceiling = (5i64 << failures.min(20)).min(300);
            assert!((5..=ceiling).contains(&pause), "{failures}: {pause}");
            assert_eq!(renewal.next(until), Next::Renew);
            now += pause;
        }
    }
}

#[test]
fn the_service_may_ask_for_a_longer_pause() {
    let mut renewal = Renewal::new(RenewalPolicy::default(), 0);
    let headers = vec![("Retry-After".to_string(), "120".to_string())];
    let error = Session::from_response(&HttpResponse::new(503, headers, Vec::new())).unwrap_err();
    renewal.failed(at(0), &error);
    let Next::WaitUntil(until) = renewal.next(at(0)) else {
        panic!("no pause")
    };
    assert!(until >= at(120));
    // A day is more than the service may ask for.
    let headers = vec![("Retry-After".to_string(), "86400".to_string())];
    let error = Session::from_response(&HttpResponse::new(503, headers, Vec::new())).unwrap_err();
    renewal.failed(at(200), &error);
    assert_eq!(renewal.next(at(200)), Next::WaitUntil(at(500)));
}

#[test]
fn a_renewal_ends_the_failures() {
    let mut renewal = holding(900, 0);
    renewal.failed(at(800), &unavailable());
    renewal.renewed(at(810), &session(at(4410), None));
    assert!(matches!(renewal.next(at(811)), Next::Use { until } if until > at(3000)));
}

#[test]
fn a_wrong_clock_is_learned_from_success_and_from_refusal() {
    // START is Tue, 14 Nov 2023 22:13:20 GMT. The caller's clock is an hour slow.
    let mut renewal = Renewal::new(RenewalPolicy::default(), 0);
    assert_eq!(renewal.signing_time(at(0)), at(0));
    renewal.renewed(
        at(0),
        &session(at(7200), Some("Tue, 14 Nov 2023 23:13:20 GMT")),
    );
    assert_eq!(renewal.clock_offset_seconds(), 3600);
    assert_eq!(renewal.signing_time(at(10)), at(3610));
    assert!(renewal.is_valid(at(3599)) && !renewal.is_valid(at(3600)));
    let Next::Use { until } = renewal.next(at(0)) else {
        panic!("not in use")
    };
    assert!(
        until < at(3600) && until > at(2600),
        "told by the caller's clock: {until:?}"
    );

    let mut refused = Renewal::new(RenewalPolicy::default(), 0);
    let headers = vec![(
        "Date".to_string(),
        "Tue, 14 Nov 2023 21:13:20 GMT".to_string(),
    )];
    let error = Session::from_response(&HttpResponse::new(403, headers, Vec::new())).unwrap_err();
    refused.failed(at(0), &error);
    assert_eq!(refused.signing_time(at(0)), at(-3600));

    // A few seconds are the way's, not the clock's.
    renewal.renewed(
        at(0),
        &session(at(3600), Some("Tue, 14 Nov 2023 22:13:50 GMT")),
    );
    assert_eq!(renewal.clock_offset_seconds(), 0);
}

#[test]
fn a_clock_set_back_does_not_stop_the_retries() {
    let mut renewal = Renewal::new(RenewalPolicy::default(), 0);
    renewal.failed(at(1_000_000), &unavailable());
    assert_eq!(renewal.next(at(0)), Next::Renew);
}

#[test]
fn odd_policies_do_no_harm() {
    let zero = RenewalPolicy {
        background_window: Duration::ZERO,
        mandatory_window: Duration::MAX,
        minimum_interval: Duration::MAX,
        maximum_interval: Duration::ZERO,
    };
    let mut renewal = Renewal::new(zero, u64::MAX);
    renewal.restored(at(0), at(-10));
    assert_eq!(renewal.next(at(0)), Next::Renew);
    renewal.failed(at(0), &unavailable());
    renewal.restored(UnixTime::MAX, UnixTime::MAX);
    renewal.failed(UnixTime::MAX, &unavailable());
    let _ = renewal.next(UnixTime::MIN);
}
