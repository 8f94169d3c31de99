//! What is tried again, how often, and with which date.

use rolesanywhere_core::UnixTime;

use crate::{
    harness::{Arns, Run, World, now, run},
    scripted::{Reply, Scripted, header, refusal, session},
};

fn ask(replies: Vec<Reply>, extra: &[&str]) -> (Run, Vec<String>) {
    let server = Scripted::tls(replies);
    let world = World::new();
    let ca = world.write("server-ca.pem", server.ca_pem.as_bytes());
    let (endpoint, ca) = (server.https(), ca.to_str().unwrap().to_owned());
    let mut line = vec!["--endpoint", &endpoint, "--ca-bundle", &ca];
    line.extend(extra);
    let ended = run(&mut world.credential_process(&Arns::any(), &line));
    (ended, server.requests())
}

#[test]
fn failures_that_pass_are_tried_again() {
    let failure = || refusal("500 Internal Server Error", "InternalFailure", "oops", "");
    let (ended, requests) = ask(vec![failure(), failure(), session()], &[]);
    ended.succeeds();
    assert_eq!(ended.stderr, "");
    assert_eq!(requests.len(), 3);
    // Each was signed anew: the same parameters, ECDSA signatures of their own or a new date.
    let signatures: Vec<_> = requests
        .iter()
        .map(|r| header(r, "authorization").unwrap())
        .collect();
    let dates: Vec<_> = requests
        .iter()
        .map(|r| header(r, "x-amz-date").unwrap())
        .collect();
    assert!(dates[0] != dates[2] || signatures[0] != signatures[2]);
}

#[test]
fn a_failure_that_stays_ends_after_three_attempts() {
    for (status, code) in [
        ("500 Internal Server Error", "InternalFailure"),
        ("503 Service Unavailable", "ServiceUnavailableException"),
        ("429 Too Many Requests", "TooManyRequestsException"),
        ("400 Bad Request", "ThrottlingException"),
    ] {
        let (ended, requests) = ask(vec![refusal(status, code, "no", "")], &[]);
        ended.fails_with(&format!("the service answered {code}: no"));
        ended.fails_with("(3 attempts)");
        assert_eq!(requests.len(), 3, "{code}");
    }
}

#[test]
fn a_refusal_is_not_tried_again_and_says_what_to_do() {
    for (status, code, message, part) in [
        (
            "403 Forbidden",
            "AccessDeniedException",
            "Untrusted signing certificate",
            "pass the intermediate certificates",
        ),
        (
            "403 Forbidden",
            "AccessDeniedException",
            "Unable to assume role for arn:aws:iam::1:role/r.",
            "trust policy",
        ),
        (
            "403 Forbidden",
            "AccessDeniedException",
            "Unable to assume role for r. The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "a shorter session",
        ),
        (
            "403 Forbidden",
            "AccessDeniedException",
            "Specified Trust Anchor wasn't found.",
            "check the trust anchor's ARN",
        ),
        (
            "400 Bad Request",
            "ValidationException",
            "1 validation error",
            "ValidationException",
        ),
        (
            "404 Not Found",
            "ResourceNotFoundException",
            "gone",
            "ResourceNotFoundException",
        ),
        ("501 Not Implemented", "X", "y", "request id id-1"),
    ] {
        let (ended, requests) = ask(vec![refusal(status, code, message, "")], &[]);
        ended.fails_with(part);
        let expected = if status.starts_with('5') { 3 } else { 1 };
        assert_eq!(requests.len(), expected, "{message}");
    }
}

#[test]
fn the_service_s_wish_to_wait_is_granted_within_bounds() {
    let busy = |after: &str| {
        refusal(
            "503 Service Unavailable",
            "X",
            "busy",
            &format!("retry-after: {after}\r\n"),
        )
    };
    let started = std::time::Instant::now();
    let (ended, requests) = ask(vec![busy("2"), session()], &[]);
    ended.succeeds();
    assert_eq!(requests.len(), 2);
    assert!(started.elapsed().as_secs_f64() >= 2.0);
    let (ended, requests) = ask(vec![busy("3600"), session()], &[]);
    ended.fails_with("it asks to wait 1 h");
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let cut = Reply::Bytes(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{".to_vec());
    let (ended, requests) = ask(vec![Reply::Bytes(Vec::new()), cut, session()], &[]);
    ended.succeeds();
    assert_eq!(requests.len(), 3);
}

#[test]
fn a_clock_that_is_off_is_corrected_once_by_the_server_s() {
    let server_time = now().plus_seconds(-3600);
    let date = format!("date: {}\r\n", http_date(server_time));
    let denied = || {
        refusal(
            "403 Forbidden",
            "AccessDeniedException",
            "Invalid signature",
            &date,
        )
    };
    let (ended, requests) = ask(vec![denied(), session()], &["--verbose"]);
    ended.succeeds();
    assert!(
        ended
            .stderr
            .contains("the local clock is 60 minutes ahead of the server's"),
        "{ended:?}"
    );
    let dated = UnixTime::from_sigv4(&header(&requests[1], "x-amz-date").unwrap()).unwrap();
    assert!(dated.seconds_since(server_time).abs() < 60, "{dated:?}");

    let (ended, requests) = ask(vec![denied()], &[]);
    ended.fails_with("signing with the server's time did not help");
    assert_eq!(requests.len(), 2);

    let date = format!("date: {}\r\n", http_date(now()));
    let (ended, requests) = ask(
        vec![refusal(
            "403 Forbidden",
            "AccessDeniedException",
            "Invalid signature",
            &date,
        )],
        &[],
    );
    ended.fails_with("check this machine's clock");
    assert_eq!(requests.len(), 1);
}

/// RFC 9110's form, through the `date` command: the program under test reads it with the core.
fn http_date(time: UnixTime) -> String {
    let output = std::process::Command::new("date")
        .args([
            "-u",
            "-d",
            &format!("@{}", time.seconds()),
            "+%a, %d %b %Y %H:%M:%S GMT",
        ])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
