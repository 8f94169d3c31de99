//! JSON read more strictly than `serde_json::Value` does: no key twice, no deep nesting.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of a policy is six (document, statements, statement, condition, operator,
/// values); two more leave room to name what stands too deep.
const MAX_DEPTH: usize = 8;

/// A JSON value. Objects keep their order; numbers keep only their text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Bool(bool),
    List(Vec<Node>),
    Null,
    Number(String),
    Object(Vec<(String, Node)>),
    Text(String),
}

impl Node {
    /// What the value is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a Boolean",
            Self::List(_) => "an array",
            Self::Null => "null",
            Self::Number(_) => "a number",
            Self::Object(_) => "an object",
            Self::Text(_) => "a string",
        }
    }
}

/// The element of that very name.
pub(super) fn element<'a>(object: &'a [(String, Node)], name: &str) -> Option<&'a Node> {
    object
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, node)| node)
}

/// A value for messages: a string itself, of others what they are.
pub(super) fn described(node: &Node) -> String {
    match node {
        Node::Text(text) => format!("`{}`", text.chars().take(64).collect::<String>()),
        other => other.kind().to_owned(),
    }
}

/// Reads one JSON value and nothing after it.
pub(super) fn read(text: &str) -> Result<Node, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = AtDepth(0).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(node)
}

/// The number of characters without the white space between JSON tokens.
pub(super) fn size(text: &str) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for c in text.chars() {
        if in_string {
            (in_string, escaped) = match (c, escaped) {
                ('"', false) => (false, false),
                ('\\', false) => (true, true),
                _ => (true, false),
            };
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        count += 1;
    }
    count
}

/// Reads a value that stands this deep.
#[derive(Clone, Copy)]
struct AtDepth(usize);

impl AtDepth {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.0 >= MAX_DEPTH {
            return Err(E::custom(format_args!(
                "nested deeper than {MAX_DEPTH} levels"
            )));
        }
        Ok(Self(self.0 + 1))
    }
}

impl<'de> DeserializeSeed<'de> for AtDepth {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AtDepth {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let below = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let below = self.deeper()?;
        let mut object: Vec<(String, Node)> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            // Quadratic, but a policy has at most a few thousand characters.
            if object.iter().any(|(known, _)| *known == key) {
                return Err(de::Error::custom(format_args!("the key `{key}` twice")));
            }
            let value = entries.next_value_seed(below)?;
            object.push((key, value));
        }
        Ok(Node::Object(object))
    }
}
