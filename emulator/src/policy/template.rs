//! Policy values with wildcards and policy variables.

use super::{Version, context::RequestContext, pattern::Token};

/// A policy value as written, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
    has_variables: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A token that stands for itself, or a wildcard.
    Token(Token),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadTemplate {
    /// After the key stands something other than `, 'text'`.
    Default,
    /// `${}`.
    Empty,
    /// `${` without `}`.
    Unclosed,
}

impl BadTemplate {
    /// What is wrong and what to write.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Default => {
                "has a policy variable whose default is not of the form `${key, 'text'}`"
            }
            Self::Empty => {
                "has a policy variable without a name; write `${$}{}` for the plain text"
            }
            Self::Unclosed => "has a `${` without `}`; write `${$}{` for the plain text",
        }
    }
}

/// A variable that has no value in the request, which makes the statement not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved<'a>(pub(super) &'a str);

impl Template {
    /// Reads a policy value. Wildcards are recognised where `wildcards` says so; variables and the
    /// escapes `${*}`, `${?}` and `${$}` in version 2012-10-17 only.
    pub(super) fn parse(
        text: &str,
        version: Version,
        wildcards: bool,
    ) -> Result<Self, BadTemplate> {
        let mut template = Self {
            parts: Vec::with_capacity(text.len()),
            has_variables: false,
        };
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            if let (Version::V2012, '$', Some(inside)) = (version, c, after.strip_prefix('{')) {
                let (part, beyond) = variable(inside)?;
                template.has_variables |= matches!(part, Part::Variable { .. });
                template.parts.push(part);
                rest = beyond;
                continue;
            }
            template.parts.push(Part::Token(match c {
                '*' if wildcards => Token::Any,
                '?' if wildcards => Token::One,
                c => Token::Char(c),
            }));
            rest = after;
        }
        Ok(template)
    }

    /// The template cut at its first `limit - 1` colons. A colon within a variable does not cut.
    pub(super) fn split_colons(self, limit: usize) -> Vec<Self> {
        let mut segments = vec![Self {
            parts: Vec::new(),
            has_variables: false,
        }];
        for part in self.parts {
            if part == Part::Token(Token::Char(':')) && segments.len() < limit {
                segments.push(Self {
                    parts: Vec::new(),
                    has_variables: false,
                });
            } else if let Some(segment) = segments.last_mut() {
                segment.has_variables |= matches!(part, Part::Variable { .. });
                segment.parts.push(part);
            }
        }
        segments
    }

    /// Whether resolving needs a request.
    pub(super) fn has_variables(&self) -> bool {
        self.has_variables
    }

    /// The pattern with every variable replaced. What a variable brings in is text: its `*` and `?`
    /// match themselves.
    ///
    /// # Errors
    /// The first variable that has no value and no default, or more values than one.
    pub(super) fn resolve(&self, context: &RequestContext) -> Result<Vec<Token>, Unresolved<'_>> {
        let mut tokens = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Token(token) => tokens.push(*token),
                Part::Variable { key, default } => {
                    let value = match (context.variable_values(key), default) {
                        ([value], _) => value,
                        ([], Some(default)) => default,
                        _ => return Err(Unresolved(key)),
                    };
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Ok(tokens)
    }
}

/// Reads a variable after its `${`: the part and the text after its `}`.
fn variable(inside: &str) -> Result<(Part, &str), BadTemplate> {
    // The escapes first: none of them could be the name of a key.
    for (escape, c) in [("*}", '*'), ("?}", '?'), ("$}", '$')] {
        if let Some(rest) = inside.strip_prefix(escape) {
            return Ok((Part::Token(Token::Char(c)), rest));
        }
    }
    let end = inside.find([',', '}']).ok_or(BadTemplate::Unclosed)?;
    let (key, rest) = inside.split_at(end);
    let key = key.trim().to_owned();
    if key.is_empty() {
        return Err(BadTemplate::Empty);
    }
    if let Some(rest) = rest.strip_prefix('}') {
        return Ok((Part::Variable { key, default: None }, rest));
    }
    let quoted = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    let quoted = quoted.strip_prefix('\'').ok_or(BadTemplate::Default)?;
    let (default, rest) = quoted.split_once('\'').ok_or(BadTemplate::Default)?;
    let rest = rest
        .trim_start()
        .strip_prefix('}')
        .ok_or(BadTemplate::Default)?;
    let default = Some(default.to_owned());
    Ok((Part::Variable { key, default }, rest))
}
