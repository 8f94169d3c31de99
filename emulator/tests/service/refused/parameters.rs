//! Parameters: missing, repeated, contradicting, out of bounds.

use super::{Answer, Row, invalid, refuse};
use crate::lab::lab;

/// A row with another body, well signed.
fn body(name: &'static str, body: &str, answer: Answer) -> Row {
    Row::signed(
        name,
        |call| call.body = body.to_owned(),
        answer,
        "validation error",
    )
}

/// `{"member": value}`
fn member(name: &'static str, json: &str, message: &str) -> Row {
    body(name, json, invalid(message))
}

#[test]
fn the_three_arns() {
    let lab = lab();
    let arns = lab.arns("root", "app", "app");
    let query = lab.call().query;
    let parts: Vec<String> = query.split('&').map(str::to_owned).collect();
    let mut rows = Vec::new();
    for (at, (name, arn, other)) in [
        ("profileArn", &arns.profile, &arns.trust_anchor),
        ("roleArn", &arns.role, &arns.profile),
        ("trustAnchorArn", &arns.trust_anchor, &arns.role),
    ]
    .into_iter()
    .enumerate()
    {
        let without: Vec<String> = parts
            .iter()
            .filter(|p| !p.starts_with(name))
            .cloned()
            .collect();
        rows.push(Row::signed(
            "missing",
            |call| call.query = without.join("&"),
            invalid(&format!(
                "Value null at '{name}' failed to satisfy constraint: Member must not be null"
            )),
            name,
        ));
        let mut twice = parts.clone();
        twice.insert(at, parts[at].clone());
        rows.push(Row::signed(
            "twice in the query, both alike",
            |call| call.query = twice.join("&"),
            invalid(&format!(
                "Value '{arn}' at '{name}' failed to satisfy constraint: Member must stand in the query once"
            )),
            name,
        ));
        rows.push(Row::signed(
            "one in the query, another in the body",
            |call| call.body = format!("{{\"{name}\":\"{other}\"}}"),
            invalid(&format!(
                "Value '{arn}' at '{name}' failed to satisfy constraint: Member must be the same in query and body"
            )),
            name,
        ));
        // As long as the right one.
        let sibling = format!("{}x", &arn[..arn.len() - 1]);
        rows.push(Row::signed(
            "two that differ in a character",
            |call| call.body = format!("{{\"{name}\":\"{sibling}\"}}"),
            invalid(&format!(
                "Value '{arn}' at '{name}' failed to satisfy constraint: Member must be the same in query and body"
            )),
            name,
        ));
        rows.push(Row::signed(
            "a number",
            |call| {
                call.query = without.join("&");
                call.body = format!("{{\"{name}\":7}}");
            },
            invalid(&format!(
                "Value '7' at '{name}' failed to satisfy constraint: Member must be a string"
            )),
            name,
        ));
    }
    let pattern = "arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)";
    for (name, arn) in [
        ("no ARN", "app"),
        ("a user's", "arn:aws:iam::123456789012:user/app"),
        (
            "an account of eleven digits",
            "arn:aws:iam::12345678901:role/app",
        ),
    ] {
        rows.push(Row::signed(
            name,
            |call| {
                let encoded = crate::client::encoded(arn);
                call.query = format!("{}&roleArn={encoded}&{}", parts[0], parts[2]);
            },
            invalid(&format!(
                "Value '{arn}' at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
            )),
            "roleArn",
        ));
    }
    refuse(rows);
}

#[test]
fn the_body() {
    let duplicate = "Value null at 'body' failed to satisfy constraint: Member must be a JSON object: the key `durationSeconds` stands twice at line 1 column 44";
    refuse(vec![
        member(
            "a key twice",
            r#"{"durationSeconds":3600,"durationSeconds":1}"#,
            duplicate,
        ),
        member(
            "an array",
            "[]",
            "Value '[...]' at 'body' failed to satisfy constraint: Member must be a JSON object",
        ),
        member(
            "a string",
            r#""x""#,
            "Value 'x' at 'body' failed to satisfy constraint: Member must be a JSON object",
        ),
        member(
            "cut short",
            r#"{"durationSeconds":36"#,
            "Value null at 'body' failed to satisfy constraint: Member must be a JSON object: EOF while parsing an object at line 1 column 21",
        ),
        member(
            "a form",
            "durationSeconds=3600",
            "Value null at 'body' failed to satisfy constraint: Member must be a JSON object: expected value at line 1 column 1",
        ),
        member(
            "two objects",
            "{}{}",
            "Value null at 'body' failed to satisfy constraint: Member must be a JSON object: trailing characters at line 1 column 3",
        ),
    ]);
}

#[test]
fn the_duration() {
    let at = |value: &str, constraint: &str| {
        format!(
            "Value '{value}' at 'durationSeconds' failed to satisfy constraint: Member must {constraint}"
        )
    };
    let low = "have value greater than or equal to 900";
    let high = "have value less than or equal to 43200";
    let row = |name, value: &str, shown: &str, constraint: &str| {
        member(
            name,
            &format!("{{\"durationSeconds\":{value}}}"),
            &at(shown, constraint),
        )
    };
    refuse(vec![
        row("a second too short", "899", "899", low),
        row("a second too long", "43201", "43201", high),
        row("nothing", "0", "0", low),
        row("negative", "-3600", "-3600", low),
        row(
            "beyond 64 bits",
            "99999999999999999999",
            "1e+20",
            "be an integer",
        ),
        row("a fraction", "3600.5", "3600.5", "be an integer"),
        row("a string", "\"3600\"", "3600", "be an integer"),
        row("a list", "[3600]", "[...]", "be an integer"),
    ]);
}

#[test]
fn the_session_name() {
    let row = |name, value: &str, constraint: &str| {
        member(
            name,
            &format!("{{\"roleSessionName\":\"{value}\"}}"),
            &format!(
                "Value '{value}' at 'roleSessionName' failed to satisfy constraint: Member must {constraint}"
            ),
        )
    };
    let pattern = r"satisfy regular expression pattern: [\w+=,.@-]*";
    refuse(vec![
        row(
            "one character",
            "a",
            "have length greater than or equal to 2",
        ),
        row("empty", "", "have length greater than or equal to 2"),
        row(
            "65 characters",
            &"a".repeat(65),
            "have length less than or equal to 64",
        ),
        row("a space", "a b", pattern),
        row("a slash", "a/b", pattern),
        row("a letter that is not ASCII", "aé", pattern),
        member(
            "a number",
            r#"{"roleSessionName":12}"#,
            "Value '12' at 'roleSessionName' failed to satisfy constraint: Member must be a string",
        ),
    ]);
}

#[test]
fn instance_properties() {
    let length = "failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 200, Member must have length greater than or equal to 1]";
    let property = |name, key: &str, value: &str, shown: &str| {
        member(
            name,
            &format!("{{\"instanceProperties\":{{{key}:{value}}}}}"),
            &format!("Value '{shown}' at 'instanceProperties' {length}"),
        )
    };
    let many: Vec<String> = (0..51).map(|n| format!("\"k{n}\":\"v\"")).collect();
    refuse(vec![
        member(
            "fifty-one",
            &format!("{{\"instanceProperties\":{{{}}}}}", many.join(",")),
            "Value '{...}' at 'instanceProperties' failed to satisfy constraint: Member must have length less than or equal to 50",
        ),
        member(
            "a list",
            r#"{"instanceProperties":[]}"#,
            "Value '[...]' at 'instanceProperties' failed to satisfy constraint: Member must be a map of strings",
        ),
        property("an empty key", "\"\"", "\"v\"", "v"),
        property("an empty value", "\"k\"", "\"\"", ""),
        property(
            "a long key",
            &format!("\"{}\"", "k".repeat(201)),
            "\"v\"",
            "v",
        ),
        property(
            "a long value",
            "\"k\"",
            &format!("\"{}\"", "v".repeat(201)),
            &"v".repeat(128),
        ),
        property("a number", "\"k\"", "1", "1"),
        member(
            "a key twice",
            r#"{"instanceProperties":{"k":"v","k":"v"}}"#,
            "Value null at 'body' failed to satisfy constraint: Member must be a JSON object: the key `k` stands twice at line 1 column 39",
        ),
    ]);
}

#[test]
fn several_at_once() {
    let row = Row::signed(
        "two",
        |call| call.body = r#"{"durationSeconds":1,"roleSessionName":"a"}"#.to_owned(),
        super::answer(
            400,
            "ValidationException",
            "2 validation errors detected: Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900; Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        ),
        "2 validation errors",
    );
    refuse(vec![row]);
}
