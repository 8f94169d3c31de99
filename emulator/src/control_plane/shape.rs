//! The shapes of parameters: what the API model says of them, and the check that holds input to it.

use crate::{error::ValidationErrors, json::Value};

/// One member of an operation's input or of a structure.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) shape: &'static Shape,
}

/// Where a member of an input stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Body,
    Path,
    Query,
}

/// What a value must be.
#[derive(Debug)]
pub(super) enum Shape {
    /// Base64 of bytes, whose number is bounded.
    Blob {
        min: usize,
        max: usize,
    },
    Boolean,
    Enumeration(&'static [&'static str]),
    Integer {
        min: i64,
        max: i64,
    },
    List {
        max: usize,
        member: &'static Shape,
    },
    Structure(&'static [Member]),
    /// Bounded in characters.
    Text {
        min: usize,
        max: usize,
        pattern: Option<&'static Pattern>,
    },
    /// A structure of which one member is there.
    Union(&'static [Member]),
}

/// A pattern of the API model: as the model writes it, and a function that decides it. The bounds on
/// length are checked before, so that a match costs little.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: &'static str,
    pub(super) matches: fn(&str) -> bool,
}

pub(super) const fn required(name: &'static str, place: Place, shape: &'static Shape) -> Member {
    Member {
        name,
        place,
        required: true,
        shape,
    }
}

pub(super) const fn optional(name: &'static str, place: Place, shape: &'static Shape) -> Member {
    Member {
        name,
        place,
        required: false,
        shape,
    }
}

/// Holds the members of `value` to their shapes. The table has four levels at most, so the recursion
/// is bounded by it and not by the input.
pub(super) fn check_members(
    members: &[Member],
    value: &Value,
    prefix: &str,
    errors: &mut ValidationErrors,
) {
    for member in members {
        let path = if prefix.is_empty() {
            member.name.to_owned()
        } else {
            format!("{prefix}.{}", member.name)
        };
        match value.member(member.name) {
            Some(value) => member.shape.check(value, &path, errors),
            None if member.required => errors.push(None, &path, "not be null"),
            None => {}
        }
    }
}

impl Shape {
    fn check(&self, value: &Value, path: &str, errors: &mut ValidationErrors) {
        let broken = match (self, value) {
            (Self::Blob { min, max }, Value::String(text)) => check_blob(text, *min, *max),
            (Self::Boolean, Value::Bool(_)) => None,
            (Self::Enumeration(names), Value::String(text)) => {
                let known = names.contains(&text.as_str());
                (!known).then(|| format!("satisfy enum value set: [{}]", names.join(", ")))
            }
            (Self::Integer { min, max }, Value::Number(number)) => match number.as_i64() {
                None => Some("be an integer".to_owned()),
                Some(number) if number < *min => {
                    Some(format!("have value greater than or equal to {min}"))
                }
                Some(number) if number > *max => {
                    Some(format!("have value less than or equal to {max}"))
                }
                Some(_) => None,
            },
            (Self::List { max, member }, Value::Array(items)) => {
                if items.len() <= *max {
                    for (at, item) in items.iter().enumerate() {
                        member.check(item, &format!("{path}.{}.member", at + 1), errors);
                    }
                }
                (items.len() > *max).then(|| format!("have length less than or equal to {max}"))
            }
            (Self::Structure(members), Value::Object(_)) => {
                check_members(members, value, path, errors);
                None
            }
            (Self::Text { min, max, pattern }, Value::String(text)) => {
                check_text(text, *min, *max, *pattern)
            }
            (Self::Union(members), Value::Object(_)) => {
                check_members(members, value, path, errors);
                let there = members.iter().filter(|m| value.member(m.name).is_some());
                (there.count() != 1).then(|| {
                    let names: Vec<&str> = members.iter().map(|member| member.name).collect();
                    format!("hold exactly one of [{}]", names.join(", "))
                })
            }
            _ => Some(format!("be {}", self.kind())),
        };
        if let Some(constraint) = broken {
            errors.push(Some(&value.shown()), path, &constraint);
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Blob { .. } => "base64",
            Self::Boolean => "a boolean",
            Self::Enumeration(_) | Self::Text { .. } => "a string",
            Self::Integer { .. } => "an integer",
            Self::List { .. } => "a list",
            Self::Structure(_) | Self::Union(_) => "a structure",
        }
    }
}

fn check_blob(text: &str, min: usize, max: usize) -> Option<String> {
    match data_encoding::BASE64.decode(text.as_bytes()) {
        Err(_) => Some("be base64".to_owned()),
        Ok(bytes) => check_length(bytes.len(), min, max),
    }
}

fn check_text(text: &str, min: usize, max: usize, pattern: Option<&Pattern>) -> Option<String> {
    let broken = pattern.filter(|pattern| !(pattern.matches)(text));
    check_length(text.chars().count(), min, max).or_else(|| {
        broken.map(|pattern| format!("satisfy regular expression pattern: {}", pattern.text))
    })
}

fn check_length(length: usize, min: usize, max: usize) -> Option<String> {
    if length < min {
        return Some(format!("have length greater than or equal to {min}"));
    }
    (length > max).then(|| format!("have length less than or equal to {max}"))
}
