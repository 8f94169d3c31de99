//! What the cases in `tests/policy` cannot see: the readers of single values, the context of a
//! session, the owned refusal.

use std::collections::BTreeMap;

use rolesanywhere_core::UnixTime;

use super::{
    Outcome, RequestContext, RequestPrincipal, SessionInputs, TrustPolicy, authorize_session,
    date::Instant, json, number::Decimal, session_context,
};

const ANCHOR: &str = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/7f1c2bd4-0000-4000-8000-000000000001";

fn inputs(tags: &BTreeMap<String, String>) -> SessionInputs<'_> {
    SessionInputs {
        tags,
        trust_anchor_arn: ANCHOR,
        account: "111122223333",
        source_identity: "CN=host",
        session_name: "0a1b",
        request_tags: true,
        now: UnixTime::from_seconds(1_795_262_400),
    }
}

fn tags() -> BTreeMap<String, String> {
    [("x509Subject/CN", "host"), ("x509Issuer/O", "Example")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn a_session_has_the_keys_of_the_service() {
    let tags = tags();
    let context = session_context(&inputs(&tags));
    for (key, expected) in [
        ("aws:PrincipalTag/x509Subject/CN", &["host"][..]),
        ("aws:RequestTag/x509Issuer/O", &["Example"]),
        ("aws:TagKeys", &["x509Issuer/O", "x509Subject/CN"]),
        ("aws:SourceArn", &[ANCHOR]),
        ("aws:SourceAccount", &["111122223333"]),
        ("sts:SourceIdentity", &["CN=host"]),
        ("sts:RoleSessionName", &["0a1b"]),
        ("aws:PrincipalIsAWSService", &["true"]),
        ("aws:PrincipalServiceName", &["rolesanywhere.amazonaws.com"]),
        ("aws:SecureTransport", &["true"]),
        ("aws:CurrentTime", &["2026-11-21T12:00:00Z"]),
        ("aws:EpochTime", &["1795262400"]),
        ("aws:SourceIp", &[]),
        ("aws:SourceVpc", &[]),
    ] {
        assert_eq!(context.values(key), expected, "{key}");
        assert_eq!(context.values(&key.to_uppercase()), expected, "{key}");
    }
    assert_eq!(
        context.principal(),
        &RequestPrincipal::Service("rolesanywhere.amazonaws.com".to_owned())
    );
}

#[test]
fn request_tags_can_be_left_out() {
    let tags = tags();
    let context = session_context(&SessionInputs {
        request_tags: false,
        ..inputs(&tags)
    });
    assert_eq!(context.values("aws:PrincipalTag/x509Subject/CN"), ["host"]);
    assert!(context.values("aws:RequestTag/x509Subject/CN").is_empty());
    assert!(context.values("aws:TagKeys").is_empty());
}

#[test]
fn a_refusal_holds_what_decided() {
    let policy = TrustPolicy::parse(
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:*"},
            {"Sid": "Web", "Effect": "Allow", "Principal": "*", "Action": "sts:*",
             "Condition": {"StringLike": {"aws:PrincipalTag/x509Subject/CN": ["web-*", "${sts:RoleSessionName}"]}}}
        ]}"#,
    )
    .unwrap();
    let tags = BTreeMap::from([("x509Subject/CN".to_owned(), "db\n".to_owned())]);
    let refusal = authorize_session(&policy, &session_context(&inputs(&tags)), true).unwrap_err();
    assert_eq!(refusal.action, "sts:AssumeRole");
    assert_eq!(refusal.outcome, Outcome::ImplicitDeny);
    assert_eq!(
        (refusal.statement, refusal.sid.as_deref()),
        (Some(1), Some("Web"))
    );
    assert_eq!(refusal.operator.as_deref(), Some("StringLike"));
    assert_eq!(
        refusal.key.as_deref(),
        Some("aws:PrincipalTag/x509Subject/CN")
    );
    assert_eq!(refusal.policy_values, ["web-*", "${sts:RoleSessionName}"]);
    assert_eq!(refusal.context_values, ["db\n"]);
    // Variables are shown with their values, control characters escaped: a log line stays one line.
    assert_eq!(
        refusal.to_string(),
        "no statement allows `sts:AssumeRole`: statement 1 does not apply because it is for other \
         principals than `rolesanywhere.amazonaws.com`; statement 2 (`Web`) does not apply because \
         `StringLike` on `aws:PrincipalTag/x509Subject/CN` fails: the request has `db\\u{a}`, the \
         policy lists `web-*`, `0a1b`"
    );
}

#[test]
fn a_key_can_be_replaced_and_removed() {
    let now = UnixTime::from_seconds(0);
    let principal = RequestPrincipal::Service("ec2.amazonaws.com".to_owned());
    let context = RequestContext::new(principal, "sts:AssumeRole", now)
        .with("aws:SourceAccount", "1")
        .with("AWS:sourceaccount", "2");
    assert_eq!(context.values("aws:SourceAccount"), ["2"]);
    let context = context.without("aws:SOURCEACCOUNT");
    assert!(context.values("aws:SourceAccount").is_empty());
}

#[test]
fn the_size_leaves_out_white_space_between_tokens_only() {
    assert_eq!(json::size("{ \"a b\" :\n\t\"c \\\" d\"\r }"), 16);
    assert_eq!(json::size("   "), 0);
    assert_eq!(json::size(r#""\\" "x""#), 7);
}

#[test]
fn dates_in_their_forms() {
    // Seconds from `date -u -d … +%s`.
    for (text, same) in [
        ("2026-11", "1793491200"),
        ("2026-11-21", "1795219200"),
        ("2026-11-21T12:00Z", "1795262400"),
        ("2026-11-21t12:00:00z", "1795262400"),
        ("2026-11-21T12:00:00", "1795262400"),
        ("2026-11-21T12:00:00.000Z", "1795262400"),
        ("2026-11-21T17:30:00+05:30", "1795262400"),
        ("2026-11-21T04:00:00-08:00", "1795262400"),
    ] {
        assert!(Instant::parse(text).is_some(), "{text}");
        assert_eq!(Instant::parse(text), Instant::parse(same), "{text}");
    }
    assert!(Instant::parse("2026-11-21T12:00:00.000000001Z") > Instant::parse("1795262400"));
    for text in [
        "",
        "-",
        "T",
        "2026-",
        "2026-1-1",
        "2026-13-01",
        "2026-02-30",
        "2026-11-21T",
        "2026-11T12:00Z",
        "2026-11-21T24:00Z",
        "2026-11-21T12Z",
        "2026-11-21T12:00.5Z",
        "2026-11-21T12:00:00.Z",
        "2026-11-21T12:00:00Zx",
        "2026-11-21T12:00:00+0200",
        "2026-11-21T12:00:00+24:00",
        "2026-11-21 12:00:00Z",
        "1.5",
        "+5",
        "99999999999999999999",
        "2026-11-21-01",
        "-5",
    ] {
        assert_eq!(Instant::parse(text), None, "{text}");
    }
}

#[test]
fn numbers_in_their_order() {
    let ordered = [
        "-10",
        "-9.5",
        "-0.01",
        "0",
        "0.009",
        "0.01",
        "1",
        "9",
        "10",
        "10.5",
        "99999999999999999999",
    ];
    for (i, a) in ordered.iter().enumerate() {
        for (j, b) in ordered.iter().enumerate() {
            assert_eq!(
                Decimal::parse(a).cmp(&Decimal::parse(b)),
                i.cmp(&j),
                "{a} {b}"
            );
        }
    }
    for (a, b) in [("0", "-0.0"), ("1", "+1"), ("1.50", "001.5")] {
        assert_eq!(Decimal::parse(a), Decimal::parse(b), "{a} {b}");
    }
    for text in [
        "", "-", "+", ".", ".5", "1.", "1e3", "0x10", "1_000", " 1", "--1", "NaN", "١",
    ] {
        assert_eq!(Decimal::parse(text), None, "{text}");
    }
}
