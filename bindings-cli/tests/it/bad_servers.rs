//! Servers that are not the service: one line each, and never for ever.

use std::{net::TcpListener, time::Instant};

use rcgen::date_time_ymd;

use crate::{
    harness::{Arns, Run, World, run},
    scripted::{Reply, Scripted, ServerIdentity, response, session, session_body},
};

/// Asks `endpoint`, trusting `ca_pem`.
fn ask(endpoint: &str, ca_pem: &str, extra: &[&str]) -> Run {
    let world = World::new();
    let ca = world.write("server-ca.pem", ca_pem.as_bytes());
    let mut line = vec!["--endpoint", endpoint];
    line.extend(extra);
    let mut command = world.credential_process(&Arns::any(), &line);
    if !ca_pem.is_empty() {
        command.env("AWS_CA_BUNDLE", ca);
    }
    run(&mut command)
}

/// Asks a server with that one answer, and says how often it was asked.
fn asked(reply: Reply, extra: &[&str]) -> (Run, usize) {
    let server = Scripted::tls(vec![reply]);
    let ended = ask(&server.https(), &server.ca_pem, extra);
    (ended, server.requests().len())
}

#[test]
fn the_double_itself_is_believed() {
    let (ended, requests) = asked(session(), &[]);
    assert_eq!(ended.succeeds()["AccessKeyId"], "ASIAEXAMPLE");
    assert_eq!(ended.stderr, "");
    assert_eq!(requests, 1);
}

#[test]
fn answers_that_are_no_session_are_refused_and_not_asked_for_again() {
    let json = "content-type: application/json\r\n";
    let whole = session_body();
    let half = &whole[..whole.len() / 2];
    let without_credentials = r#"{"credentialSet":[{}]}"#;
    let ten_megabytes = "x".repeat(10 << 20);
    let many_headers = "x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".repeat(2000);
    for (reply, part) in [
        (response("201 Created", json, half), "cut short"),
        (response("201 Created", json, ""), "it is empty"),
        (
            response("201 Created", json, "[]"),
            "not the JSON of a session",
        ),
        (
            response("201 Created", json, without_credentials),
            "holds no credentials",
        ),
        (
            response("201 Created", json, "{}"),
            "holds no credential set",
        ),
        (
            response("200 OK", "content-type: text/html\r\n", "<html>"),
            "is `text/html`, not JSON",
        ),
        (
            response(
                "201 Created",
                "content-type: text/plain\r\n",
                &session_body(),
            ),
            "is `text/plain`, not JSON",
        ),
        (response("200 OK", "", "<html>"), "it is a web page"),
        (
            response("201 Created", json, &ten_megabytes),
            "more than the 262144",
        ),
        (
            response("302 Found", "location: https://elsewhere.example/\r\n", ""),
            "redirect",
        ),
        (
            response("307 Temporary Redirect", "location: /other\r\n", ""),
            "redirect",
        ),
        (response("204 No Content", "", ""), "it is empty"),
        (
            response("201 Created", &many_headers, &session_body()),
            "not HTTP/1.1",
        ),
        (
            Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
            "not HTTP/1.1",
        ),
    ] {
        let (ended, requests) = asked(reply, &[]);
        ended.fails_with(part);
        assert_eq!(requests, 1, "{part}");
    }
}

#[test]
fn an_endless_body_ends_at_the_limit() {
    let endless = format!(
        "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n{}",
        format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(100)
    );
    let (ended, _) = asked(Reply::Bytes(endless.into_bytes()), &[]);
    ended.fails_with("262144");
}

#[test]
fn a_server_that_is_silent_or_slow_is_left() {
    for reply in [
        Reply::Silence,
        Reply::Drip(b"HTTP/1.1 201 Created\r\nx-slow: aaaaaaaaaaaaaaa\r\n".to_vec()),
    ] {
        let started = Instant::now();
        let (ended, requests) = asked(reply, &["--request-timeout=0.4"]);
        ended.fails_with("did not answer within 0.4 s");
        assert_eq!(requests, 3);
        // Three attempts and at most 1 + 2 seconds between them.
        assert!(started.elapsed().as_secs_f64() < 8.0);
    }
}

#[test]
fn a_server_that_does_not_finish_its_handshake_is_left() {
    // The kernel accepts, and nobody ever reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let ended = ask(&endpoint, "", &["--connect-timeout=0.3", "--no-verify-ssl"]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("within 0.3 s"), "{ended:?}");
}

#[test]
fn an_unreachable_host_is_tried_three_times_and_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ended = ask(&format!("http://{address}"), "", &[]);
    ended.fails_with(&format!("`{address}` refuses connections"));
    ended.fails_with("(3 attempts)");
}

#[test]
fn a_host_that_no_name_server_knows_is_named() {
    // `.invalid` is never resolved (RFC 6761).
    let ended = ask("https://service.invalid", "", &["--connect-timeout=5"]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("`service.invalid`"), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn tls_that_cannot_be_trusted_is_refused_at_once() {
    let other = ServerIdentity::for_names(&["localhost"]);
    let of_the_same_name = ServerIdentity::for_names(&["127.0.0.1"]);
    let elsewhere = ServerIdentity::for_names(&["service.example"]);
    let expired = ServerIdentity::new(&["127.0.0.1"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let right = ServerIdentity::for_names(&["127.0.0.1"]);
    for (identity, ca_pem, part) in [
        (&right, &other.ca_pem, "authority that is not among"),
        (
            &right,
            &of_the_same_name.ca_pem,
            "authority that is not among",
        ),
        (&elsewhere, &elsewhere.ca_pem, "is for another name"),
        (&expired, &expired.ca_pem, "is not valid now"),
    ] {
        let server = Scripted::start(vec![session()], Some(identity));
        let ended = ask(&server.https(), ca_pem, &[]);
        ended.fails_with(part);
        assert!(!ended.stderr.contains("attempts"), "{ended:?}");
        assert!(server.requests().is_empty());
        let trusting = ask(&server.https(), ca_pem, &["--no-verify-ssl", "--verbose"]);
        trusting.succeeds();
        assert!(
            trusting.stderr.contains("whoever answers is believed"),
            "{trusting:?}"
        );
    }
}

#[test]
fn the_ca_bundle_of_the_option_comes_before_that_of_the_environment() {
    let identity = ServerIdentity::for_names(&["127.0.0.1"]);
    let server = Scripted::start(vec![session()], Some(&identity));
    let world = World::new();
    let ours = world.write("ours.pem", identity.ca_pem.as_bytes());
    let option = [
        "--endpoint",
        &server.https(),
        "--ca-bundle",
        &world.text("ours.pem"),
    ];
    let mut command = world.credential_process(&Arns::any(), &option);
    run(command.env("AWS_CA_BUNDLE", "/nonexistent")).succeeds();
    for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let mut command = world.credential_process(&Arns::any(), &["--endpoint", &server.https()]);
        run(command.env(variable, &ours)).succeeds();
        let mut command = world.credential_process(&Arns::any(), &["--endpoint", &server.https()]);
        run(command.env(variable, "/nonexistent")).fails_with(variable);
    }
}

#[test]
fn old_tls_and_no_tls_are_told_apart() {
    // TLS 1.1: a ServerHello of version 3.2 with TLS_RSA_WITH_AES_128_CBC_SHA, written by hand from
    // RFC 4346, since no library here speaks it any more.
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    // Record length 42: handshake header 4, version 2, random 32, session id length 1, suite 2,
    // compression 1.
    for (bytes, part) in [
        (hello, "no TLS version or cipher in common"),
        (
            vec![0x15, 3, 1, 0, 2, 2, 70],
            "no TLS version or cipher in common",
        ), // alert protocol_version
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "does not speak TLS",
        ),
    ] {
        let server = Scripted::start(vec![Reply::RawAtOnce(bytes)], None);
        let endpoint = server.http().replace("http://", "https://");
        ask(&endpoint, "", &["--no-verify-ssl"]).ends_with(part);
    }
}

impl Run {
    /// As `fails_with`, beside the warning that `--no-verify-ssl` withholds.
    #[track_caller]
    fn ends_with(&self, part: &str) {
        self.fails_with(part);
        assert!(self.stderr.contains("1 warning withheld"), "{self:?}");
    }
}

#[test]
fn a_tls_endpoint_spoken_to_without_tls_is_no_http() {
    let server = Scripted::tls(vec![session()]);
    let ended = ask(&server.http(), "", &["--request-timeout=2"]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 1);
}

#[test]
fn what_a_server_says_cannot_break_the_line() {
    let reply = response(
        "403 Forbidden",
        "content-type: application/json\r\n",
        r#"{"message":"first\nsecond\u001b[31m"}"#,
    );
    let (ended, _) = asked(reply, &[]);
    ended.fails_with("first second");
    assert!(!ended.stderr.contains('\u{1b}'));
}
