//! `Action` and `NotAction`.

use super::pattern::{self, Budget, Token};

/// An action with its wildcards: `sts:AssumeRole`, `sts:*`, `*`. Case does not matter.
#[derive(Clone, Debug)]
pub(super) struct ActionPattern {
    tokens: Vec<Token>,
    pub(super) has_wildcards: bool,
}

/// Why a text is no action of a trust policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadAction {
    /// The name has other characters than letters, digits and wildcards, or none.
    Name,
    /// Not an action of STS.
    NotSts,
    /// No `vendor:` before the name.
    NoVendor,
    /// More than one colon.
    TwoColons,
}

impl ActionPattern {
    pub(super) fn parse(text: &str) -> Result<Self, BadAction> {
        if text != "*" {
            let (vendor, name) = text.split_once(':').ok_or(BadAction::NoVendor)?;
            if name.contains(':') {
                return Err(BadAction::TwoColons);
            }
            if !vendor.eq_ignore_ascii_case("sts") {
                return Err(BadAction::NotSts);
            }
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?');
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(BadAction::Name);
            }
        }
        let tokens: Vec<Token> = text.chars().map(token).collect();
        let has_wildcards = tokens.iter().any(|t| matches!(t, Token::Any | Token::One));
        Ok(Self {
            tokens,
            has_wildcards,
        })
    }

    pub(super) fn matches(&self, action: &str, budget: &mut Budget) -> bool {
        pattern::matches(&self.tokens, &action.to_ascii_lowercase(), budget)
    }
}

fn token(c: char) -> Token {
    match c {
        '*' => Token::Any,
        '?' => Token::One,
        c => Token::Char(c.to_ascii_lowercase()),
    }
}
