//! The parameters of CreateSession, out of query and body.

use std::collections::BTreeMap;

use rolesanywhere_core::Arn;

use crate::{
    authenticate::QueryPair,
    error::{Refusal, ValidationErrors},
    json::Value,
};

/// What a CreateSession asks for. Every member meets its constraint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameters {
    /// The ARN or alias ARN of a trust anchor.
    pub(crate) trust_anchor_arn: String,
    /// The ARN or alias ARN of a profile.
    pub(crate) profile_arn: String,
    /// The ARN of a role.
    pub(crate) role_arn: String,
    /// 900 to 43200.
    pub(crate) duration_seconds: Option<u32>,
    pub(crate) role_session_name: Option<String>,
    /// What the client says of its instance.
    pub(crate) instance_properties: BTreeMap<String, String>,
}

/// The service's bounds on a session's duration, in seconds.
const DURATION: std::ops::RangeInclusive<i64> = 900..=43_200;
/// The bounds of `instanceProperties` (API model: `InstancePropertyMap` and its keys and values).
const MAX_INSTANCE_PROPERTIES: usize = 50;
const MAX_INSTANCE_PROPERTY_LENGTH: usize = 200;

/// The patterns of the API model, for the error text only.
const TRUST_ANCHOR_PATTERN: &str =
    "arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*|:alias/trust-anchor/.*)";
const PROFILE_PATTERN: &str = "arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(profile|alias/profile)/.*";
const ROLE_PATTERN: &str = "arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)";

impl Parameters {
    /// Reads the parameters. ARNs may stand in the query or in the body; where one stands in both,
    /// both must agree. `sessionName` is deprecated and ignored, as is what has no meaning.
    pub(crate) fn parse(query: &[QueryPair], body: &[u8]) -> Result<Self, Refusal> {
        let mut errors = ValidationErrors::default();
        let body = parse_body(body, &mut errors);
        let mut arn = |member: &str, pattern: &str, parse: fn(&str) -> bool| {
            let text = parameter(query, &body, member, &mut errors)?;
            if !parse(&text) {
                let constraint = format!("satisfy regular expression pattern: {pattern}");
                errors.push(Some(&text), member, &constraint);
            }
            Some(text)
        };
        let profile_arn = arn("profileArn", PROFILE_PATTERN, |text| {
            Arn::rolesanywhere(text, "profile").is_ok()
        });
        let role_arn = arn("roleArn", ROLE_PATTERN, |text| Arn::role(text).is_ok());
        let trust_anchor_arn = arn("trustAnchorArn", TRUST_ANCHOR_PATTERN, |text| {
            Arn::rolesanywhere(text, "trust-anchor").is_ok()
        });
        let duration_seconds = duration(&body, &mut errors);
        let role_session_name = role_session_name(&body, &mut errors);
        let instance_properties = instance_properties(&body, &mut errors);
        errors.finish()?;
        Ok(Self {
            // Absence has been refused: the empty text stands for nothing that exists.
            trust_anchor_arn: trust_anchor_arn.unwrap_or_default(),
            profile_arn: profile_arn.unwrap_or_default(),
            role_arn: role_arn.unwrap_or_default(),
            duration_seconds,
            role_session_name,
            instance_properties,
        })
    }
}

fn parse_body(body: &[u8], errors: &mut ValidationErrors) -> Value {
    let empty = Value::Object(Vec::new());
    if body.is_empty() {
        return empty;
    }
    match Value::from_slice(body) {
        Ok(object @ Value::Object(_)) => return object,
        Ok(other) => errors.push(Some(&other.shown()), "body", "be a JSON object"),
        Err(error) => errors.push(None, "body", &format!("be a JSON object: {error}")),
    }
    empty
}

/// One of the three ARNs, from query or body.
fn parameter(
    query: &[QueryPair],
    body: &Value,
    member: &str,
    errors: &mut ValidationErrors,
) -> Option<String> {
    let mut in_query = query
        .iter()
        .filter(|pair| pair.name == member.as_bytes())
        .map(|pair| String::from_utf8_lossy(&pair.value).into_owned());
    let first = in_query.next();
    if in_query.next().is_some() {
        errors.push(first.as_deref(), member, "stand in the query once");
        return None;
    }
    let in_body = match body.member(member) {
        None => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => {
            errors.push(Some(&other.shown()), member, "be a string");
            return None;
        }
    };
    match (first, in_body) {
        (Some(first), Some(second)) if first != second => {
            errors.push(Some(&first), member, "be the same in query and body");
            None
        }
        (Some(text), _) | (None, Some(text)) => Some(text),
        (None, None) => {
            errors.push(None, member, "not be null");
            None
        }
    }
}

fn duration(body: &Value, errors: &mut ValidationErrors) -> Option<u32> {
    const MEMBER: &str = "durationSeconds";
    let value = body.member(MEMBER)?;
    let seconds = match value {
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    let constraint = match seconds {
        None => "be an integer".to_owned(),
        Some(seconds) if seconds < *DURATION.start() => {
            format!("have value greater than or equal to {}", DURATION.start())
        }
        Some(seconds) if seconds > *DURATION.end() => {
            format!("have value less than or equal to {}", DURATION.end())
        }
        Some(seconds) => return u32::try_from(seconds).ok(),
    };
    errors.push(Some(&value.shown()), MEMBER, &constraint);
    None
}

fn role_session_name(body: &Value, errors: &mut ValidationErrors) -> Option<String> {
    const MEMBER: &str = "roleSessionName";
    let value = body.member(MEMBER)?;
    let Value::String(name) = value else {
        errors.push(Some(&value.shown()), MEMBER, "be a string");
        return None;
    };
    let constraint = if name.chars().count() < 2 {
        "have length greater than or equal to 2"
    } else if name.chars().count() > 64 {
        "have length less than or equal to 64"
    } else if !name.bytes().all(is_session_name_character) {
        r"satisfy regular expression pattern: [\w+=,.@-]*"
    } else {
        return Some(name.clone());
    };
    errors.push(Some(name), MEMBER, constraint);
    None
}

/// `[\w+=,.@-]`, STS's set for session names and source identities.
fn is_session_name_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

fn instance_properties(body: &Value, errors: &mut ValidationErrors) -> BTreeMap<String, String> {
    const MEMBER: &str = "instanceProperties";
    let none = BTreeMap::new();
    let Some(value) = body.member(MEMBER) else {
        return none;
    };
    let Value::Object(properties) = value else {
        errors.push(Some(&value.shown()), MEMBER, "be a map of strings");
        return none;
    };
    if properties.len() > MAX_INSTANCE_PROPERTIES {
        let constraint = format!("have length less than or equal to {MAX_INSTANCE_PROPERTIES}");
        errors.push(Some(&value.shown()), MEMBER, &constraint);
        return none;
    }
    let fits = |text: &str| (1..=MAX_INSTANCE_PROPERTY_LENGTH).contains(&text.chars().count());
    let property = |(key, value): &(String, Value)| match value {
        Value::String(text) if fits(key) && fits(text) => Some((key.clone(), text.clone())),
        _ => None,
    };
    properties
        .iter()
        .map(property)
        .collect::<Option<_>>()
        .unwrap_or_else(|| {
            let constraint = format!(
                "satisfy constraint: [Member must have length less than or equal to \
                 {MAX_INSTANCE_PROPERTY_LENGTH}, Member must have length greater than or equal to 1]"
            );
            let broken = properties.iter().find(|pair| property(pair).is_none());
            let shown = broken.map(|(_, value)| value.shown());
            errors.push(shown.as_deref(), MEMBER, &constraint);
            none
        })
}
