//! IAM role trust policies, read and evaluated as IAM and STS do.
//!
//! A [`TrustPolicy`] is parsed once, as strictly as `CreateRole` does, and then answers requests: may
//! this principal, with these condition keys, perform `sts:AssumeRole`, `sts:TagSession` and
//! `sts:SetSourceIdentity`? A [`Decision`] says yes or no and can tell why in a sentence: which
//! statement, which condition, which key, which values.
//!
//! ```
//! use std::collections::BTreeMap;
//! use rolesanywhere_core::UnixTime;
//! use rolesanywhere_emulator::policy::{SessionInputs, TrustPolicy, authorize_session, session_context};
//!
//! let policy = TrustPolicy::parse(r#"{
//!   "Version": "2012-10-17",
//!   "Statement": {
//!     "Sid": "WebServers",
//!     "Effect": "Allow",
//!     "Principal": {"Service": "rolesanywhere.amazonaws.com"},
//!     "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
//!     "Condition": {"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "web"}}
//!   }
//! }"#).unwrap();
//! let tags = BTreeMap::from([("x509Subject/OU".to_owned(), "db".to_owned())]);
//! let context = session_context(&SessionInputs {
//!     tags: &tags,
//!     trust_anchor_arn: "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/7f1c2bd4-0000-4000-8000-000000000001",
//!     account: "111122223333",
//!     source_identity: "CN=host",
//!     session_name: "2a",
//!     request_tags: true,
//!     now: UnixTime::from_seconds(1_795_305_600),
//! });
//! let refusal = authorize_session(&policy, &context, true).unwrap_err();
//! assert_eq!(
//!     refusal.to_string(),
//!     "no statement allows `sts:AssumeRole`: statement 1 (`WebServers`) does not apply because \
//!      `StringEquals` on `aws:PrincipalTag/x509Subject/OU` fails: the request has `db`, the policy lists `web`",
//! );
//! ```
//!
//! The rules are those of the IAM User Guide; every one that people get wrong stands as a case, with
//! the page it comes from, in `emulator/tests/policy`. Where AWS documents nothing, or two pages
//! disagree, [`Settings`] says what this module does.
//!
//! Cost is bounded: the size of a policy by IAM's quota, the nesting of its JSON, and the comparing of
//! characters by a budget per decision. A decision that runs out of it refuses.

mod action;
mod condition;
mod context;
mod date;
mod decision;
mod json;
mod malformed;
mod number;
mod operator;
mod parse;
mod pattern;
mod principal;
mod settings;
mod statement;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub use context::{
    ASSUME_ROLE, RequestContext, SERVICE_PRINCIPAL, SET_SOURCE_IDENTITY, SessionInputs,
    TAG_SESSION, session_context,
};
pub use decision::{ConditionTrace, Decision, Finding, Outcome, Reason, Refusal, StatementTrace};
pub use malformed::{MalformedCode, MalformedPolicy};
pub use principal::RequestPrincipal;
pub use settings::{DEFAULT_MAX_SIZE, HIGHEST_MAX_SIZE, Settings};
pub use statement::Effect;

use pattern::Budget;
use statement::Statement;

/// The edition of the policy language that a policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// `2008-10-17`, and what a policy without `Version` is read as: `${...}` is plain text.
    V2008,
    /// `2012-10-17`: policy variables.
    V2012,
}

/// A role's trust policy: who may assume the role, and when.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    id: Option<String>,
    statements: Vec<Statement>,
}

impl TrustPolicy {
    /// Reads a policy as `CreateRole` and `UpdateAssumeRolePolicy` do, under the default
    /// [`Settings`].
    ///
    /// # Errors
    /// [`MalformedPolicy`], which holds IAM's error code and text and the reason in plain words, when
    /// the text is not JSON, names an element twice or one that does not exist, lacks a required one,
    /// grants by `Resource`, uses an unknown operator or principal, or is over the quota.
    pub fn parse(json: &str) -> Result<Self, MalformedPolicy> {
        Self::parse_with(json, &Settings::default())
    }

    /// Reads a policy under the given settings.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(json: &str, settings: &Settings) -> Result<Self, MalformedPolicy> {
        parse::policy(json, settings)
    }

    /// The policy's `Id`, which nothing is decided by.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Decides the context's own action.
    ///
    /// A matching `Deny` decides, whatever allows; else a matching `Allow`; else nothing is allowed.
    pub fn evaluate<'a>(&'a self, context: &'a RequestContext) -> Decision<'a> {
        self.evaluate_action(context, context.action())
    }

    /// Decides `action` for the principal and condition keys of `context`.
    pub fn evaluate_action<'a>(
        &'a self,
        context: &'a RequestContext,
        action: &'a str,
    ) -> Decision<'a> {
        let mut budget = Budget::default();
        let mut traces = Vec::with_capacity(self.statements.len());
        let mut allowing = None;
        for (index, statement) in self.statements.iter().enumerate() {
            let finding = statement.examine(context, action, &mut budget);
            // Out of budget, no comparison can be believed: a `Deny` may have been missed.
            if budget.is_spent() {
                return Decision::exhausted(action, traces);
            }
            let matched = matches!(finding, Finding::Matched(_));
            let effect = statement.effect();
            traces.push(StatementTrace::new(index, statement.sid(), effect, finding));
            match effect {
                Effect::Deny if matched => {
                    return Decision::new(Outcome::ExplicitDeny, action, traces, Some(index));
                }
                Effect::Allow if matched && allowing.is_none() => allowing = Some(index),
                Effect::Allow | Effect::Deny => {}
            }
        }
        let outcome = match allowing {
            Some(_) => Outcome::Allowed,
            None => Outcome::ImplicitDeny,
        };
        Decision::new(outcome, action, traces, allowing)
    }
}

/// Whether `policy` lets the service open a session: `sts:AssumeRole`, `sts:SetSourceIdentity` and, if
/// `tag_session`, `sts:TagSession` must each be allowed (IAM Roles Anywhere User Guide, "Trust
/// policy", which names all three; STS asks for `sts:TagSession` when there are tags).
///
/// The context's own action plays no part.
///
/// # Errors
/// [`Refusal`] for the first of them that is not allowed.
pub fn authorize_session(
    policy: &TrustPolicy,
    context: &RequestContext,
    tag_session: bool,
) -> Result<(), Box<Refusal>> {
    for action in [ASSUME_ROLE, TAG_SESSION, SET_SOURCE_IDENTITY] {
        if action == TAG_SESSION && !tag_session {
            continue;
        }
        let decision = policy.evaluate_action(context, action);
        if !decision.is_allowed() {
            return Err(Box::new(Refusal::new(&decision)));
        }
    }
    Ok(())
}
