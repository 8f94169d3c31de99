//! Trust policies: the hand-written cases of `tests/policy`, and properties that hold of all policies.

#![allow(clippy::expect_used, clippy::panic)] // the helpers of a test say by panicking what is wrong

use std::{collections::BTreeSet, fs, path::Path};

use proptest::prelude::*;
use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::policy::{
    ASSUME_ROLE, Outcome, RequestContext, RequestPrincipal, SERVICE_PRINCIPAL, Settings,
    TrustPolicy, authorize_session,
};
use serde_json::{Value, json};

/// 2026-11-21T12:00:00Z.
const NOW: i64 = 1_795_262_400;

/// The fewest cases that make the suite what it says it is.
const FEWEST_CASES: usize = 350;

#[test]
fn every_case_is_decided_as_expected() {
    let mut names = BTreeSet::new();
    let mut failures = Vec::new();
    for (file, case) in cases() {
        let name = text(&case, "name").expect("a case has a name");
        assert!(names.insert(name.clone()), "two cases are named `{name}`");
        for field in ["rule", "source"] {
            assert!(text(&case, field).is_some(), "`{name}` has no {field}");
        }
        check_fields(&name, &case);
        if let Err(difference) = run(&case) {
            failures.push(format!("{file}: {name}: {difference}"));
        }
    }
    assert!(names.len() >= FEWEST_CASES, "{} cases", names.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn cases() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let file = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("a readable file");
            let list: Vec<Value> = serde_json::from_str(&text).expect("a list of cases");
            cases.extend(list.into_iter().map(|case| (file.clone(), case)));
        }
    }
    cases
}

/// A misspelt field would weaken a case unseen.
fn check_fields(name: &str, case: &Value) {
    const FIELDS: [&str; 15] = [
        "name",
        "rule",
        "source",
        "condition",
        "policy",
        "policy_text",
        "settings",
        "context",
        "principal",
        "action",
        "now",
        "expect",
        "statement",
        "because",
        "wire",
    ];
    for field in case.as_object().expect("a case is an object").keys() {
        assert!(
            FIELDS.contains(&field.as_str()),
            "`{name}` has an unknown field `{field}`"
        );
    }
}

/// Runs a case; the difference when it is not as expected.
fn run(case: &Value) -> Result<(), String> {
    let expected = text(case, "expect").expect("a case has an expectation");
    let policy = match TrustPolicy::parse_with(&policy_text(case), &settings(case)) {
        Ok(policy) => policy,
        Err(malformed) => {
            expect(&expected, "malformed", malformed.reason())?;
            contains(case, "because", malformed.reason())?;
            return contains(case, "wire", malformed.wire_message());
        }
    };
    let context = context(case);
    if context.action() == "session" {
        return match authorize_session(&policy, &context, true) {
            Ok(()) => expect(&expected, "allowed", "all three actions are allowed"),
            Err(refusal) => {
                expect(&expected, outcome(refusal.outcome), &refusal.to_string())?;
                statement(case, refusal.statement)?;
                contains(case, "because", &refusal.to_string())
            }
        };
    }
    let decision = policy.evaluate(&context);
    let sentence = decision.to_string();
    expect(&expected, outcome(decision.outcome()), &sentence)?;
    statement(case, decision.deciding().map(|statement| statement.index))?;
    contains(case, "because", &sentence)
}

fn expect(expected: &str, actual: &str, why: &str) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    Err(format!("expected {expected}, not {actual} ({why})"))
}

fn statement(case: &Value, index: Option<usize>) -> Result<(), String> {
    let (expected, actual) = (
        case["statement"].as_u64(),
        index.map(|index| index as u64 + 1),
    );
    match expected {
        Some(_) if expected != actual => {
            Err(format!("expected statement {expected:?}, not {actual:?}"))
        }
        _ => Ok(()),
    }
}

fn contains(case: &Value, field: &str, actual: &str) -> Result<(), String> {
    match text(case, field) {
        Some(part) if !actual.contains(&part) => Err(format!("`{actual}` does not say `{part}`")),
        _ => Ok(()),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::ExplicitDeny => "explicit-deny",
        Outcome::ImplicitDeny => "implicit-deny",
    }
}

fn policy_text(case: &Value) -> String {
    if let Some(text) = text(case, "policy_text") {
        return text;
    }
    // As the API takes it: what is beyond ASCII as an escape.
    let ascii = |value: &Value| {
        let mut text = String::new();
        for unit in value.to_string().encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
                _ => text.push_str(&format!("\\u{unit:04x}")),
            }
        }
        text
    };
    match (&case["policy"], &case["condition"]) {
        (Value::Null, Value::Null) => panic!("{} has no policy", case["name"]),
        (Value::Null, condition) => ascii(&policy_with(condition)),
        (policy, _) => ascii(policy),
    }
}

fn policy_with(condition: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": SERVICE_PRINCIPAL},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": condition,
    }]})
}

fn settings(case: &Value) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in case["settings"].as_object().into_iter().flatten() {
        let flag = || value.as_bool().expect("a Boolean setting");
        match name.as_str() {
            "max_size" => settings.max_size = value.as_u64().expect("a size") as usize,
            "not_principal" => settings.not_principal = flag(),
            "untyped_values" => settings.untyped_values = flag(),
            "wildcard_actions" => settings.wildcard_actions = flag(),
            other => panic!("unknown setting `{other}`"),
        }
    }
    settings
}

fn context(case: &Value) -> RequestContext {
    let principal = match case["principal"].as_object() {
        None => service(),
        Some(principal) => {
            let (kind, name) = principal.iter().next().expect("a principal");
            let name = name.as_str().expect("a name").to_owned();
            match kind.as_str() {
                "AWS" => RequestPrincipal::Aws(name),
                "Federated" => RequestPrincipal::Federated(name),
                "Service" => RequestPrincipal::Service(name),
                other => panic!("unknown principal `{other}`"),
            }
        }
    };
    let action = text(case, "action").unwrap_or_else(|| ASSUME_ROLE.to_owned());
    let now = UnixTime::from_seconds(case["now"].as_i64().unwrap_or(NOW));
    let keys = case["context"].as_object().into_iter().flatten();
    keys.fold(
        RequestContext::new(principal, action, now),
        |context, (key, value)| match value {
            Value::String(value) => context.with(key, value),
            Value::Array(values) => {
                context.with_values(key, values.iter().map(|v| v.as_str().expect("a text")))
            }
            other => panic!("`{key}` is {other}"),
        },
    )
}

fn service() -> RequestPrincipal {
    RequestPrincipal::Service(SERVICE_PRINCIPAL.to_owned())
}

fn text(case: &Value, field: &str) -> Option<String> {
    case[field].as_str().map(str::to_owned)
}

// Properties.

fn plain_context() -> RequestContext {
    RequestContext::new(service(), ASSUME_ROLE, UnixTime::from_seconds(NOW))
}

/// Values close enough to each other to be equal often.
fn value() -> impl Strategy<Value = String> {
    "[abA*?]{0,3}"
}

/// A policy made of likely and unlikely parts.
fn statement_json() -> impl Strategy<Value = Value> {
    let operator = prop_oneof![
        Just("StringEquals"),
        Just("StringNotEquals"),
        Just("StringLike"),
        Just("StringNotLike"),
        Just("StringEqualsIfExists"),
        Just("ForAllValues:StringEquals"),
        Just("ForAnyValue:StringNotEquals"),
        Just("StringEqualsIgnoreCase"),
    ];
    let key = prop_oneof![
        Just("example:A"),
        Just("example:B"),
        Just("example:Missing")
    ];
    let condition = (operator, key, prop::collection::vec(value(), 0..3))
        .prop_map(|(operator, key, values)| json!({operator: {key: values}}));
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let principal = prop_oneof![
        Just(json!("*")),
        Just(json!({"Service": SERVICE_PRINCIPAL})),
        Just(json!({"AWS": "111122223333"})),
    ];
    let action = prop_oneof![
        Just("sts:AssumeRole"),
        Just("sts:*"),
        Just("sts:TagSession")
    ];
    (effect, principal, action, prop::option::of(condition)).prop_map(
        |(effect, principal, action, condition)| {
            json!({
                "Effect": effect, "Principal": principal, "Action": action,
                "Condition": condition.unwrap_or_else(|| json!({})),
            })
        },
    )
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn parse(text: &str) -> TrustPolicy {
    let settings = Settings {
        max_size: usize::MAX,
        ..Settings::default()
    };
    TrustPolicy::parse_with(text, &settings).expect("a policy")
}

/// JSON that looks like a policy and mostly is none.
fn odd_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("Statement"),
        Just("Effect"),
        Just("Allow"),
        Just("Deny"),
        Just("Principal"),
        Just("*"),
        Just("Service"),
        Just(SERVICE_PRINCIPAL),
        Just("Action"),
        Just("sts:*"),
        Just("Condition"),
        Just("Null"),
        Just("ForAnyValue:ArnLike"),
        Just("DateLessThan"),
        Just("IpAddress"),
        Just("aws:SourceArn"),
        Just("${a:b"),
        Just("${a:b, 'c'}"),
        Just("true"),
        Just("2026-11-21T12:00:00.5+00:00"),
        Just("::/0"),
        Just("a:b:c:d:e:f:g"),
    ]
    .prop_map(str::to_owned);
    let word = prop_oneof![4 => word, 1 => ".{0,8}"];
    let leaf = prop_oneof![
        word.clone().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(7, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_matching_deny_wins_wherever_it_stands(
        statements in prop::collection::vec(statement_json(), 0..5),
        a in value(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut statements = statements;
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"});
        statements.insert(at.index(statements.len() + 1), deny);
        let policy = parse(&document(&statements));
        let context = plain_context().with("example:A", a);
        let decision = policy.evaluate(&context);
        prop_assert_eq!(decision.outcome(), Outcome::ExplicitDeny);
        prop_assert!(!decision.to_string().is_empty());
    }

    #[test]
    fn an_allow_more_never_takes_away(
        statements in prop::collection::vec(statement_json(), 1..5),
        more in statement_json(),
        a in value(),
    ) {
        let mut more = more;
        more["Effect"] = json!("Allow");
        let context = plain_context().with("example:A", a);
        let before = parse(&document(&statements)).evaluate(&context).outcome();
        let mut statements = statements;
        statements.push(more);
        let after = parse(&document(&statements)).evaluate(&context).outcome();
        if before != Outcome::ImplicitDeny {
            prop_assert_eq!(before, after);
        } else {
            prop_assert_ne!(after, Outcome::ExplicitDeny);
        }
    }

    /// An oracle of a few lines for the two operators that nearly every policy uses.
    #[test]
    fn string_equals_is_set_membership(
        listed in prop::collection::vec(value(), 0..4),
        actual in prop::option::of(value()),
    ) {
        let mut context = plain_context();
        if let Some(actual) = &actual {
            context = context.with("example:A", actual);
        }
        let is_listed = actual.is_some_and(|actual| listed.contains(&actual));
        for (operator, expected) in [("StringEquals", is_listed), ("StringNotEquals", !is_listed)] {
            let policy = parse(&policy_with(&json!({operator: {"example:A": listed}})).to_string());
            prop_assert_eq!(policy.evaluate(&context).is_allowed(), expected, "{}", operator);
        }
    }

    #[test]
    fn set_operators_are_all_and_any(
        listed in prop::collection::vec("[ab]{1,2}", 0..4),
        actual in prop::collection::vec("[ab]{1,2}", 0..4),
    ) {
        let context = plain_context().with_values("example:A", &actual);
        for (operator, expected) in [
            ("ForAllValues:StringEquals", actual.iter().all(|a| listed.contains(a))),
            ("ForAnyValue:StringEquals", actual.iter().any(|a| listed.contains(a))),
            ("ForAllValues:StringNotEquals", actual.iter().all(|a| !listed.contains(a))),
            ("ForAnyValue:StringNotEquals", actual.iter().any(|a| !listed.contains(a))),
        ] {
            let policy = parse(&policy_with(&json!({operator: {"example:A": listed}})).to_string());
            prop_assert_eq!(policy.evaluate(&context).is_allowed(), expected, "{}", operator);
        }
    }

    #[test]
    fn patterns_match_as_a_naive_matcher_does(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        fn naive(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], []) => true,
                ([b'*', rest @ ..], _) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
                ([b'?', rest @ ..], [_, after @ ..]) => naive(rest, after),
                ([p, rest @ ..], [t, after @ ..]) if p == t => naive(rest, after),
                _ => false,
            }
        }
        let policy = parse(&policy_with(&json!({"StringLike": {"example:A": pattern}})).to_string());
        let context = plain_context().with("example:A", &text);
        let expected = naive(pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(policy.evaluate(&context).is_allowed(), expected);
    }

    #[test]
    fn odd_documents_never_panic(document in odd_json(), a in ".{0,20}") {
        check_total(&document.to_string(), &a);
        let wrapped = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Condition": document}});
        check_total(&wrapped.to_string(), &a);
    }

    #[test]
    fn odd_text_never_panics(text in ".{0,200}", a in ".{0,20}") {
        check_total(&text, &a);
    }
}

/// Whatever the document: it is refused with a reason, or it decides.
fn check_total(document: &str, value: &str) {
    let settings = Settings {
        untyped_values: true,
        ..Settings::default()
    };
    for settings in [Settings::default(), settings] {
        match TrustPolicy::parse_with(document, &settings) {
            Err(malformed) => assert!(!malformed.reason().is_empty()),
            Ok(policy) => {
                let context = plain_context()
                    .with("aws:SourceArn", value)
                    .with("a:b", value);
                assert!(!policy.evaluate(&context).to_string().is_empty());
            }
        }
    }
}

#[test]
fn a_policy_that_takes_too_long_refuses() {
    // Each pattern backtracks over the whole value, and there are hundreds of values.
    let pattern = format!("{}b", "*a".repeat(900));
    let policy = TrustPolicy::parse(&document(&[
        json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
               "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": pattern}}}),
    ]))
    .expect("a policy");
    let context = plain_context().with_values("aws:TagKeys", vec!["a".repeat(20_000); 500]);
    let decision = policy.evaluate(&context);
    assert_eq!(decision.outcome(), Outcome::ImplicitDeny);
    assert!(
        decision.to_string().contains("takes too long"),
        "{decision}"
    );
}

#[test]
fn the_quota_is_held_to_its_highest_value() {
    let sid = "a".repeat(5000);
    let text =
        document(&[json!({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": "sts:*"})]);
    let settings = Settings {
        max_size: usize::MAX,
        ..Settings::default()
    };
    let malformed = TrustPolicy::parse_with(&text, &settings).expect_err("too large");
    assert_eq!(malformed.code().as_str(), "LimitExceeded");
    assert_eq!(malformed.code().status(), 409);
    assert_eq!(
        malformed.wire_message(),
        "Cannot exceed quota for ACLSizePerRole: 4096"
    );
}
