//! The service's JSON, read without a description of what is expected.
//!
//! Readers that serde derives carry serde's words for everything that they did not expect, floating
//! point included: a fifth of a wasm module that does not sign.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value, its texts borrowed where they hold no escape.
pub(crate) enum Json<'a> {
    List(Vec<Json<'a>>),
    Members(Vec<(Json<'a>, Json<'a>)>),
    /// A natural number.
    Number(u64),
    /// A number below zero.
    Negative(i64),
    /// What nobody asks for: null, true, false, a number that is not whole.
    Other,
    Text(Cow<'a, str>),
}

impl Json<'_> {
    /// The member of that name. One that occurs twice is as good as none: who knows which is meant?
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Members(members) = self else {
            return None;
        };
        let mut found = members.iter().filter(|(key, _)| key.is(name));
        match (found.next(), found.next()) {
            (Some((_, Self::Other)), _) | (None, _) | (_, Some(_)) => None,
            (Some((_, value)), None) => Some(value),
        }
    }

    /// The text of the member of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.member(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The natural number of the member of that name.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        match self.member(name)? {
            Self::Number(number) => u32::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The whole number of the member of that name, which may be below zero.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.member(name)? {
            Self::Number(number) => i64::try_from(*number).ok(),
            Self::Negative(number) => Some(*number),
            _ => None,
        }
    }

    /// The first of a list.
    pub(crate) fn first(&self) -> Option<&Self> {
        match self {
            Self::List(list) => list.first(),
            _ => None,
        }
    }

    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Text(text) if text == name)
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    // `serde_json` bounds the depth.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(u64::try_from(number).map_or(Json::Negative(number), Json::Number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.into())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Json::Members(members))
    }
}
