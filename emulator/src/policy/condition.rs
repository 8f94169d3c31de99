//! One condition: an operator, a key, and the values that the policy lists for it.

use super::{
    context::RequestContext,
    decision::Reason,
    operator::{Comparison, Operator, SetOperator},
    pattern::Budget,
    template::Unresolved,
    value::{PolicyValue, Prepared},
};

/// `"StringEquals": {"aws:SourceAccount": ["111122223333"]}`.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    pub(super) key: String,
    pub(super) values: Vec<PolicyValue>,
}

/// Whether a condition holds, why, and the request's value that decided, if one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict<'a> {
    pub(super) holds: bool,
    pub(super) reason: Reason<'a>,
    pub(super) deciding_value: Option<&'a str>,
}

impl<'a> Verdict<'a> {
    fn new(holds: bool, reason: Reason<'a>) -> Self {
        Self {
            holds,
            reason,
            deciding_value: None,
        }
    }

    fn by_value(holds: bool, value: Option<&'a str>) -> Self {
        Self {
            holds,
            reason: Reason::Compared,
            deciding_value: value,
        }
    }
}

impl Condition {
    /// Tests the condition. IAM User Guide, "Condition operators" and "Conditions with multiple
    /// context keys or values".
    pub(super) fn test<'a>(
        &'a self,
        context: &'a RequestContext,
        budget: &mut Budget,
    ) -> Verdict<'a> {
        let actual = context.values(&self.key);
        if self.operator.comparison == Comparison::Null {
            return self.test_null(actual.is_empty());
        }
        if actual.is_empty() && self.operator.if_exists {
            return Verdict::new(true, Reason::KeyMissing);
        }
        if self.values.iter().any(PolicyValue::is_unreadable) {
            return Verdict::new(false, Reason::UnreadableValue);
        }
        // Before the missing key: a variable without a value spoils the statement even where a
        // negated operator or `ForAllValues` would be content with no key.
        let prepared: Result<Vec<_>, _> = self.values.iter().map(|v| v.prepare(context)).collect();
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(Unresolved(variable)) => {
                return Verdict::new(false, Reason::VariableWithoutValue(variable));
            }
        };
        match self.operator.set {
            None => self.test_single(actual, &prepared, budget),
            Some(set) => self.test_set(set, actual, &prepared, budget),
        }
    }

    /// `"true"` wants the key missing, `"false"` wants it there; several values are OR.
    fn test_null(&self, is_missing: bool) -> Verdict<'_> {
        if self.values.iter().any(PolicyValue::is_unreadable) {
            return Verdict::new(false, Reason::UnreadableValue);
        }
        let holds = self.values.iter().any(|v| v.as_bool() == Some(is_missing));
        let reason = if is_missing {
            Reason::KeyMissing
        } else {
            Reason::KeyPresent
        };
        Verdict::new(holds, reason)
    }

    fn test_single<'a>(
        &self,
        actual: &'a [String],
        prepared: &[Prepared<'_>],
        budget: &mut Budget,
    ) -> Verdict<'a> {
        match actual {
            [] => Verdict::new(self.operator.negated, Reason::KeyMissing),
            [value] => Verdict::by_value(self.fits(value, prepared, budget), Some(value)),
            // AWS says that such a key "requires" a set operator and not what happens without one:
            // match nothing, so that the mistake shows.
            _ => Verdict::new(false, Reason::SeveralValues),
        }
    }

    fn test_set<'a>(
        &self,
        set: SetOperator,
        actual: &'a [String],
        prepared: &[Prepared<'_>],
        budget: &mut Budget,
    ) -> Verdict<'a> {
        // "A null data set, such as an empty string" counts as no values at all.
        if actual.iter().all(String::is_empty) {
            return Verdict::new(set == SetOperator::ForAllValues, Reason::KeyMissing);
        }
        let wanted = set == SetOperator::ForAnyValue;
        let deciding = actual
            .iter()
            .find(|value| self.fits(value, prepared, budget) == wanted);
        let holds = deciding.is_some() == wanted;
        Verdict::by_value(holds, deciding.map(String::as_str))
    }

    /// One value of the request against all of the policy's: OR, or NOR for a negated operator.
    fn fits(&self, actual: &str, prepared: &[Prepared<'_>], budget: &mut Budget) -> bool {
        let any = prepared.iter().any(|value| value.matches(actual, budget));
        any != self.operator.negated
    }
}
