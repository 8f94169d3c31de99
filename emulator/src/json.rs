//! JSON read strictly: a repeated key is an error, at any depth.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

/// A JSON value. Objects keep their members in order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Array(Vec<Value>),
    Bool(bool),
    Null,
    Number(serde_json::Number),
    Object(Vec<(String, Value)>),
    String(String),
}

impl Value {
    /// Reads one JSON text. serde_json stops at a depth of 128, so hostile nesting costs no stack.
    pub(crate) fn from_slice(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The member `name` of an object; `null` counts as absent, as in the AWS rest-json protocol.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        let Value::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value)
            .filter(|value| **value != Value::Null)
    }

    /// The value as a person would write it, for an error message.
    pub(crate) fn shown(&self) -> String {
        match self {
            Value::Array(_) => "[...]".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Null => "null".to_owned(),
            Value::Number(value) => value.to_string(),
            Value::Object(_) => "{...}".to_owned(),
            Value::String(value) => value.clone(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Array(items) => serializer.collect_seq(items),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Null => serializer.serialize_unit(),
            Self::Number(value) => value.serialize(serializer),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
            Self::String(value) => serializer.serialize_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("the key `{name}` stands twice")));
            }
            members.push((name, value));
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_is_refused_at_any_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"[{"a":1,"\u0061":2}]"#,
        ] {
            let error = Value::from_slice(text.as_bytes()).unwrap_err();
            assert!(
                error.to_string().contains("stands twice"),
                "{text}: {error}"
            );
        }
        assert!(Value::from_slice(br#"{"a":{"b":1},"c":{"b":1}}"#).is_ok());
    }

    #[test]
    fn what_is_not_one_json_text_is_refused() {
        for text in [
            "",
            "{",
            "{}{}",
            "{\"a\":01}",
            "{'a':1}",
            "\u{feff}{}",
            "NaN",
        ] {
            assert!(Value::from_slice(text.as_bytes()).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(Value::from_slice(deep.as_bytes()).is_err());
    }

    #[test]
    fn null_counts_as_absent() {
        let value = Value::from_slice(br#"{"a":null,"b":0}"#).unwrap();
        assert_eq!(value.member("a"), None);
        assert_eq!(value.member("b"), Some(&Value::Number(0.into())));
    }
}
