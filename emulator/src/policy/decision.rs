//! What was decided, and why, for machines and in a sentence.

use std::fmt;

use super::{
    condition::{Condition, Verdict},
    context::RequestContext,
    principal::RequestPrincipal,
    statement::Effect,
    value::PolicyValue,
};

/// The most statements that one sentence speaks of, and values that it lists.
const MOST_SHOWN: usize = 8;

/// The longest value that a sentence shows whole, in characters.
const LONGEST_SHOWN: usize = 128;

/// The result of evaluating a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A statement allows and none denies.
    Allowed,
    /// A statement denies.
    ExplicitDeny,
    /// No statement allows.
    ImplicitDeny,
}

/// A decision with its trace. `Display` gives the sentence for the audit log.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    outcome: Outcome,
    action: &'a str,
    statements: Vec<StatementTrace<'a>>,
    deciding: Option<usize>,
    exhausted: bool,
}

impl<'a> Decision<'a> {
    pub(super) fn new(
        outcome: Outcome,
        action: &'a str,
        statements: Vec<StatementTrace<'a>>,
        deciding: Option<usize>,
    ) -> Self {
        Self {
            outcome,
            action,
            statements,
            deciding,
            exhausted: false,
        }
    }

    pub(super) fn exhausted(action: &'a str, statements: Vec<StatementTrace<'a>>) -> Self {
        Self {
            exhausted: true,
            ..Self::new(Outcome::ImplicitDeny, action, statements, None)
        }
    }

    /// Allowed, explicitly denied or implicitly denied.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the action is allowed.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }

    /// The action that was decided.
    pub fn action(&self) -> &'a str {
        self.action
    }

    /// What was found in each statement, in order, up to a deny that decided.
    pub fn statements(&self) -> &[StatementTrace<'a>] {
        &self.statements
    }

    /// The statement that decided: the deny, or the first that allows. None on an implicit deny.
    pub fn deciding(&self) -> Option<&StatementTrace<'a>> {
        self.statements.get(self.deciding?)
    }

    /// The condition to look at first: on an implicit deny the one that kept the first `Allow`
    /// for this principal and action from matching, else the first of the deciding statement.
    pub fn deciding_condition(&self) -> Option<&ConditionTrace<'a>> {
        match self.deciding() {
            Some(statement) => match &statement.finding {
                Finding::Matched(conditions) => conditions.first(),
                _ => None,
            },
            None => self.nearest().and_then(|(_, condition)| condition),
        }
    }

    /// The `Allow` that came nearest to matching: one that only a condition kept away.
    fn nearest(&self) -> Option<(&StatementTrace<'a>, Option<&ConditionTrace<'a>>)> {
        let allows = || self.statements.iter().filter(|s| s.effect == Effect::Allow);
        allows()
            .find_map(|statement| match &statement.finding {
                Finding::ConditionFailed(condition) => Some((statement, Some(condition))),
                _ => None,
            })
            .or_else(|| allows().next().map(|statement| (statement, None)))
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = self.action;
        if self.exhausted {
            return write!(
                f,
                "`{action}` is refused: the policy takes too long to evaluate; use fewer wildcards"
            );
        }
        let (verb, deciding) = match (self.outcome, self.deciding()) {
            (Outcome::Allowed, Some(deciding)) => ("allows", deciding),
            (Outcome::ExplicitDeny, Some(deciding)) => ("explicitly denies", deciding),
            _ => {
                write!(f, "no statement allows `{action}`")?;
                return self.write_misses(f);
            }
        };
        write!(f, "{deciding} {verb} `{action}`")?;
        if let Finding::Matched(conditions) = &deciding.finding {
            for (n, condition) in conditions.iter().take(MOST_SHOWN).enumerate() {
                write!(f, "{}{condition}", if n == 0 { ": " } else { "; " })?;
            }
        }
        Ok(())
    }
}

impl Decision<'_> {
    fn write_misses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allows = || self.statements.iter().filter(|s| s.effect == Effect::Allow);
        for (n, statement) in allows().take(MOST_SHOWN).enumerate() {
            let before = if n == 0 { ": " } else { "; " };
            write!(f, "{before}{statement} does not apply because ")?;
            match &statement.finding {
                Finding::ConditionFailed(condition) => write!(f, "{condition}")?,
                Finding::OtherAction => f.write_str("it is for other actions")?,
                Finding::OtherPrincipal(principal) => {
                    write!(f, "it is for other principals than `{principal}`")?;
                }
                // An `Allow` that matches and no deny is not an implicit deny.
                Finding::Matched(_) => f.write_str("it matches")?,
            }
        }
        match allows().count() {
            0 => f.write_str(": it has no `Allow` statement"),
            count if count > MOST_SHOWN => write!(f, "; and {} more", count - MOST_SHOWN),
            _ => Ok(()),
        }
    }
}

/// What was found in one statement. `Display` names it: "statement 2 (`Sid`)".
#[derive(Clone, Debug)]
pub struct StatementTrace<'a> {
    /// Its place in the policy, from 0; sentences count from 1.
    pub index: usize,
    /// Its `Sid`.
    pub sid: Option<&'a str>,
    /// Its `Effect`.
    pub effect: Effect,
    /// Whether it matches, and why not.
    pub finding: Finding<'a>,
}

impl<'a> StatementTrace<'a> {
    pub(super) fn new(
        index: usize,
        sid: Option<&'a str>,
        effect: Effect,
        finding: Finding<'a>,
    ) -> Self {
        Self {
            index,
            sid,
            effect,
            finding,
        }
    }
}

impl fmt::Display for StatementTrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index + 1)?;
        self.sid.map_or(Ok(()), |sid| write!(f, " (`{sid}`)"))
    }
}

/// Whether a statement matches a request.
#[derive(Clone, Debug)]
pub enum Finding<'a> {
    /// This condition does not hold; those after it were not tested.
    ConditionFailed(ConditionTrace<'a>),
    /// It matches; each condition holds.
    Matched(Vec<ConditionTrace<'a>>),
    /// It is not for this action.
    OtherAction,
    /// It is not for this principal.
    OtherPrincipal(&'a RequestPrincipal),
}

/// Why a condition holds or fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// The values were compared.
    Compared,
    /// The request has no value for the key.
    KeyMissing,
    /// The request has the key, and `Null` was asked.
    KeyPresent,
    /// The request has several values and the operator neither `ForAllValues` nor `ForAnyValue`.
    SeveralValues,
    /// The operator cannot read one of the policy's values.
    UnreadableValue,
    /// This policy variable has no value in the request.
    VariableWithoutValue(&'a str),
}

/// What was found of one condition. `Display` says it in words.
#[derive(Clone, Debug)]
pub struct ConditionTrace<'a> {
    condition: &'a Condition,
    context: &'a RequestContext,
    verdict: Verdict<'a>,
}

impl<'a> ConditionTrace<'a> {
    pub(super) fn new(
        condition: &'a Condition,
        context: &'a RequestContext,
        verdict: Verdict<'a>,
    ) -> Self {
        Self {
            condition,
            context,
            verdict,
        }
    }

    /// The operator as the policy writes it: `ForAnyValue:StringLike`.
    pub fn operator(&self) -> &'a str {
        self.condition.operator.name()
    }

    /// The key as the policy writes it.
    pub fn key(&self) -> &'a str {
        &self.condition.key
    }

    /// Whether the condition holds.
    pub fn holds(&self) -> bool {
        self.verdict.holds
    }

    /// Why.
    pub fn reason(&self) -> Reason<'a> {
        self.verdict.reason
    }

    /// The values that the policy lists, as written.
    pub fn policy_values(&self) -> impl Iterator<Item = &'a str> {
        self.condition.values.iter().map(PolicyValue::text)
    }

    /// The request's values for the key.
    pub fn context_values(&self) -> &'a [String] {
        self.context.values(self.key())
    }

    /// The one of the request's values that decided: for `ForAllValues` the first that does not fit,
    /// for `ForAnyValue` the first that does.
    pub fn deciding_value(&self) -> Option<&'a str> {
        self.verdict.deciding_value
    }
}

impl fmt::Display for ConditionTrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.holds() { "holds" } else { "fails" };
        write!(f, "`{}` on `{}` {verb}: ", self.operator(), self.key())?;
        let request = || match (self.deciding_value(), self.context_values()) {
            (Some(value), _) => list([value]),
            (None, []) => "no such key".to_owned(),
            (None, values) => list(values.iter().map(String::as_str)),
        };
        match self.reason() {
            Reason::Compared | Reason::KeyMissing => {
                let of_policy: Vec<String> = self
                    .condition
                    .values
                    .iter()
                    .map(|value| value.resolved_text(self.context))
                    .collect();
                let of_policy = list(of_policy.iter().map(String::as_str));
                write!(
                    f,
                    "the request has {}, the policy lists {of_policy}",
                    request()
                )
            }
            Reason::KeyPresent => write!(f, "the request has {}", request()),
            Reason::SeveralValues => write!(
                f,
                "the request has the values {}, which take `ForAllValues:` or `ForAnyValue:`",
                request()
            ),
            Reason::UnreadableValue => write!(
                f,
                "the operator cannot read the policy's {}",
                list(self.policy_values())
            ),
            Reason::VariableWithoutValue(variable) => write!(
                f,
                "the policy variable `${{{variable}}}` has no value in the request"
            ),
        }
    }
}

/// `a` or `b` or `c`, each in backticks.
fn list<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let values: Vec<&str> = values.into_iter().collect();
    let mut text = values
        .iter()
        .take(MOST_SHOWN)
        .map(|value| format!("`{}`", shown(value)))
        .collect::<Vec<_>>()
        .join(", ");
    match values.len() {
        0 => "nothing".clone_into(&mut text),
        count if count > MOST_SHOWN => text.push_str(&format!(" and {} more", count - MOST_SHOWN)),
        _ => {}
    }
    text
}

/// A value fit for a line of a log: cut when long, control characters escaped.
fn shown(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars().take(LONGEST_SHOWN) {
        if c.is_control() {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    if value.chars().nth(LONGEST_SHOWN).is_some() {
        text.push('…');
    }
    text
}

/// Why a session is refused: the decision in owned form, for the audit record. `Display` gives the
/// sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The action that is not allowed: `sts:TagSession`.
    pub action: String,
    /// [`Outcome::ExplicitDeny`] or [`Outcome::ImplicitDeny`].
    pub outcome: Outcome,
    /// The statement that denies, or else the `Allow` that came nearest, from 0.
    pub statement: Option<usize>,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// The operator of the condition that decided.
    pub operator: Option<String>,
    /// The key of the condition that decided.
    pub key: Option<String>,
    /// The values that the policy lists in it.
    pub policy_values: Vec<String>,
    /// The request's values for the key.
    pub context_values: Vec<String>,
    /// All of it in one sentence.
    pub sentence: String,
}

impl Refusal {
    pub(super) fn new(decision: &Decision<'_>) -> Self {
        let statement = decision
            .deciding()
            .or_else(|| decision.nearest().map(|(statement, _)| statement));
        let condition = decision.deciding_condition();
        Self {
            action: decision.action.to_owned(),
            outcome: decision.outcome,
            statement: statement.map(|statement| statement.index),
            sid: statement
                .and_then(|statement| statement.sid)
                .map(str::to_owned),
            operator: condition.map(|condition| condition.operator().to_owned()),
            key: condition.map(|condition| condition.key().to_owned()),
            policy_values: condition
                .map(|condition| condition.policy_values().map(str::to_owned).collect())
                .unwrap_or_default(),
            context_values: condition
                .map(|condition| condition.context_values().to_vec())
                .unwrap_or_default(),
            sentence: decision.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refusal {}
