//! One statement of a policy.

use std::fmt;

use super::{
    action::ActionPattern,
    condition::Condition,
    context::RequestContext,
    decision::{ConditionTrace, Finding},
    pattern::Budget,
    principal::Principal,
};

/// What a statement does where it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allows, unless something denies.
    Allow,
    /// Denies, whatever allows.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        })
    }
}

/// A list that names what it means, or (`NotPrincipal`, `NotAction`) what it does not.
#[derive(Clone, Debug)]
pub(super) struct Listed<T> {
    pub(super) inverted: bool,
    pub(super) items: Vec<T>,
}

impl<T> Listed<T> {
    fn covers(&self, is_named: impl FnMut(&T) -> bool) -> bool {
        self.items.iter().any(is_named) != self.inverted
    }
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) principals: Listed<Principal>,
    pub(super) actions: Listed<ActionPattern>,
    /// All must hold.
    pub(super) conditions: Vec<Condition>,
}

impl Statement {
    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether the statement matches the request, and why.
    pub(super) fn examine<'a>(
        &'a self,
        context: &'a RequestContext,
        action: &str,
        budget: &mut Budget,
    ) -> Finding<'a> {
        let principal = context.principal();
        if !self.principals.covers(|named| named.names(principal)) {
            return Finding::OtherPrincipal(principal);
        }
        if !self.actions.covers(|named| named.matches(action, budget)) {
            return Finding::OtherAction;
        }
        let mut held = Vec::with_capacity(self.conditions.len());
        for condition in &self.conditions {
            let verdict = condition.test(context, budget);
            let trace = ConditionTrace::new(condition, context, verdict);
            if !verdict.holds {
                return Finding::ConditionFailed(trace);
            }
            held.push(trace);
        }
        Finding::Matched(held)
    }
}
