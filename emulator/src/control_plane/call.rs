//! One call of the control plane, its input checked.

use std::collections::BTreeMap;

use rolesanywhere_core::UnixTime;

use crate::{
    authenticate::QueryPair,
    error::{Fault, Refusal, ValidationErrors},
    json::Value,
    service::Service,
    store::Invalid,
};

use super::{
    operations::Operation,
    shape::{Place, Shape, check_members},
};

/// An operation with its input, which has the shape that the operation asks for.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) service: &'a Service,
    pub(super) now: UnixTime,
    /// The ARN of who signed it.
    pub(super) caller_arn: &'a str,
    input: Value,
}

impl<'a> Call<'a> {
    /// Gathers the input of path, query and body, and holds it to the operation's shapes. What the
    /// operation does not know is ignored, as the protocol asks.
    pub(super) fn new(
        service: &'a Service,
        operation: &Operation,
        sources: &Sources<'_>,
        caller_arn: &'a str,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let mut errors = ValidationErrors::default();
        let body = sources.body(&mut errors);
        let mut input = Vec::new();
        for member in operation.input {
            let value = match member.place {
                Place::Body => body.member(member.name).cloned(),
                Place::Path => sources
                    .identifier
                    .map(|text| Value::String(text.to_owned())),
                Place::Query => sources.query(member.name, member.shape),
            };
            if let Some(value) = value {
                input.push((member.name.to_owned(), value));
            }
        }
        let input = Value::Object(input);
        check_members(operation.input, &input, "", &mut errors);
        errors.finish()?;
        Ok(Self {
            service,
            now,
            caller_arn,
            input,
        })
    }

    /// The input as JSON, for the audit record; the control plane takes no secrets.
    pub(super) fn input_json(&self) -> Option<serde_json::Value> {
        serde_json::to_value(&self.input).ok()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text(&self.input, name)
    }

    /// A member that the operation requires.
    pub(super) fn required_text(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        boolean(&self.input, name)
    }

    pub(super) fn integer(&self, name: &str) -> Option<u32> {
        integer(&self.input, name)
    }

    pub(super) fn structure(&self, name: &str) -> Option<&Value> {
        self.input.member(name)
    }

    pub(super) fn list(&self, name: &str) -> Option<&[Value]> {
        match self.input.member(name)? {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.list(name)?.iter();
        Some(
            items
                .filter_map(|item| match item {
                    Value::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
        )
    }

    /// The member `tags`; a key that stands twice is refused.
    pub(super) fn tags(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut tags = BTreeMap::new();
        for tag in self.list("tags").unwrap_or_default() {
            let key = text(tag, "key").unwrap_or_default();
            let value = text(tag, "value").unwrap_or_default();
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(invalid(format!("the tag `{key}` stands twice")));
            }
        }
        Ok(tags)
    }
}

/// Where the members of an input come from.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    /// Of the path, decoded.
    pub(super) identifier: Option<&'a str>,
    pub(super) query: &'a [QueryPair],
    pub(super) body: &'a [u8],
}

impl Sources<'_> {
    fn body(&self, errors: &mut ValidationErrors) -> Value {
        let empty = Value::Object(Vec::new());
        if self.body.is_empty() {
            return empty;
        }
        match Value::from_slice(self.body) {
            Ok(object @ Value::Object(_)) => object,
            Ok(other) => {
                errors.push(Some(&other.shown()), "body", "be a JSON object");
                empty
            }
            Err(error) => {
                errors.push(None, "body", &format!("be a JSON object: {error}"));
                empty
            }
        }
    }

    /// A member of the query as the JSON value of its shape; what cannot be that stays a text, which
    /// the check then refuses.
    fn query(&self, name: &str, shape: &Shape) -> Option<Value> {
        let values: Vec<String> = self
            .query
            .iter()
            .filter(|pair| pair.name == name.as_bytes())
            .map(|pair| String::from_utf8_lossy(&pair.value).into_owned())
            .collect();
        let first = values.first()?;
        Some(match shape {
            Shape::List { .. } => Value::Array(values.into_iter().map(Value::String).collect()),
            Shape::Integer { .. } => first.parse::<i64>().map_or_else(
                |_| Value::String(first.clone()),
                |n| Value::Number(n.into()),
            ),
            _ => Value::String(first.clone()),
        })
    }
}

pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    match value.member(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub(super) fn boolean(value: &Value, name: &str) -> Option<bool> {
    match value.member(name)? {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

pub(super) fn integer(value: &Value, name: &str) -> Option<u32> {
    match value.member(name)? {
        Value::Number(number) => number
            .as_i64()
            .and_then(|number| u32::try_from(number).ok()),
        _ => None,
    }
}

/// The name of the one member of a union.
pub(super) fn only_member(value: &Value) -> Option<&str> {
    let Value::Object(members) = value else {
        return None;
    };
    let mut members = members.iter().filter(|(_, value)| *value != Value::Null);
    members.next().map(|(name, _)| name.as_str())
}

/// A ValidationException whose text is ours.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    let message = message.into();
    Refusal::with_detail(Fault::Validation, message.clone(), message)
}

/// A ResourceNotFoundException; the text is ours.
pub(super) fn not_found(what: &str, identifier: &str) -> Refusal {
    let message = format!("There is no {what} {identifier}");
    Refusal::with_detail(Fault::ResourceNotFound, message.clone(), message)
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::with_detail(Fault::Validation, invalid.message(), invalid.reason())
    }
}
