//! Why a policy is refused when a role is created.

use std::fmt;

/// The error code with which IAM refuses a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedCode {
    /// `LimitExceeded`, HTTP 409: the policy is over the quota.
    LimitExceeded,
    /// `MalformedPolicyDocument`, HTTP 400: the policy is not in IAM's policy language.
    MalformedPolicyDocument,
    /// `ValidationError`, HTTP 400: the parameter is not what the API takes, whatever it means.
    ValidationError,
}

impl MalformedCode {
    /// The code as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LimitExceeded => "LimitExceeded",
            Self::MalformedPolicyDocument => "MalformedPolicyDocument",
            Self::ValidationError => "ValidationError",
        }
    }

    /// The HTTP status that goes with the code.
    pub fn status(self) -> u16 {
        match self {
            Self::LimitExceeded => 409,
            Self::MalformedPolicyDocument | Self::ValidationError => 400,
        }
    }
}

/// A policy that is refused. `Display` gives the reason in plain words, with the place and what to
/// write instead; [`wire_message`](Self::wire_message) gives IAM's own text, which often tells less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedPolicy {
    code: MalformedCode,
    wire: String,
    reason: String,
}

impl MalformedPolicy {
    pub(super) fn new(wire: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            code: MalformedCode::MalformedPolicyDocument,
            wire: wire.into(),
            reason: reason.into(),
        }
    }

    /// IAM's catch-all, for what it does not explain.
    pub(super) fn syntax(reason: impl Into<String>) -> Self {
        Self::new("Syntax errors in policy.", reason)
    }

    pub(super) fn with_code(mut self, code: MalformedCode) -> Self {
        self.code = code;
        self
    }

    /// The same refusal with its place before the reason.
    pub(super) fn at(mut self, place: &str) -> Self {
        self.reason = format!("{place}: {}", self.reason);
        self
    }

    /// IAM's error code.
    pub fn code(&self) -> MalformedCode {
        self.code
    }

    /// The text that IAM answers with, as far as it is known; else "Syntax errors in policy."
    pub fn wire_message(&self) -> &str {
        &self.wire
    }

    /// The reason in plain words.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for MalformedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for MalformedPolicy {}
