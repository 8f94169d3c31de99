//! A body of `application/x-www-form-urlencoded`.

use crate::authenticate::decode_query;

/// The parameters of a query-protocol call.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body; what is no form has no parameters.
    pub(super) fn parse(body: &[u8]) -> Self {
        // A policy of 131,072 characters, encoded, is what IAM itself takes at most.
        const MAX_LENGTH: usize = 512 * 1_024;
        let text = String::from_utf8_lossy(body.get(..MAX_LENGTH).unwrap_or(body));
        // In forms, unlike in URLs, a plus is a space.
        let pairs = decode_query(&text.replace('+', "%20")).unwrap_or_default();
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self(
            pairs
                .iter()
                .map(|pair| (lossy(&pair.name), lossy(&pair.value)))
                .collect(),
        )
    }

    /// The value of a parameter that stands once.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(have, _)| have == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}
