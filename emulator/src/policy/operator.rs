//! Condition operators: `ForAnyValue:StringNotLikeIfExists` and its kin.

/// A condition operator as written, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    name: String,
    pub(super) comparison: Comparison,
    /// Whether the comparison must fail for every policy value rather than succeed for one.
    pub(super) negated: bool,
    /// Whether a missing key satisfies the condition.
    pub(super) if_exists: bool,
    pub(super) set: Option<SetOperator>,
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `ArnEquals` and `ArnLike`, which are one.
    Arn,
    Binary,
    Bool,
    Date(Order),
    IpAddress,
    Null,
    Numeric(Order),
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
}

/// Where the request's value must stand, seen from the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// How the request's values, if there are several, are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOperator {
    /// `ForAllValues:`, true of no values at all.
    ForAllValues,
    /// `ForAnyValue:`, false of no values at all.
    ForAnyValue,
}

/// Why a name is no operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadOperator {
    /// `Null` takes neither `IfExists` nor a set operator: it asks for existence itself.
    DecoratedNull,
    /// No operator of that name; names are case-sensitive.
    Unknown,
}

/// Every base operator (IAM User Guide, "Condition operators"), and whether it is negated.
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("BinaryEquals", Comparison::Binary, false),
    ("Bool", Comparison::Bool, false),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    (
        "DateGreaterThanEquals",
        Comparison::Date(Order::GreaterOrEqual),
        false,
    ),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    (
        "DateLessThanEquals",
        Comparison::Date(Order::LessOrEqual),
        false,
    ),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("IpAddress", Comparison::IpAddress, false),
    ("NotIpAddress", Comparison::IpAddress, true),
    ("Null", Comparison::Null, false),
    ("NumericEquals", Comparison::Numeric(Order::Equal), false),
    (
        "NumericGreaterThan",
        Comparison::Numeric(Order::Greater),
        false,
    ),
    (
        "NumericGreaterThanEquals",
        Comparison::Numeric(Order::GreaterOrEqual),
        false,
    ),
    ("NumericLessThan", Comparison::Numeric(Order::Less), false),
    (
        "NumericLessThanEquals",
        Comparison::Numeric(Order::LessOrEqual),
        false,
    ),
    ("NumericNotEquals", Comparison::Numeric(Order::Equal), true),
    ("StringEquals", Comparison::StringEquals, false),
    (
        "StringEqualsIgnoreCase",
        Comparison::StringEqualsIgnoreCase,
        false,
    ),
    ("StringLike", Comparison::StringLike, false),
    ("StringNotEquals", Comparison::StringEquals, true),
    (
        "StringNotEqualsIgnoreCase",
        Comparison::StringEqualsIgnoreCase,
        true,
    ),
    ("StringNotLike", Comparison::StringLike, true),
];

impl Operator {
    /// Reads an operator's name.
    pub(super) fn parse(name: &str) -> Result<Self, BadOperator> {
        let (set, base) = if let Some(base) = name.strip_prefix("ForAllValues:") {
            (Some(SetOperator::ForAllValues), base)
        } else if let Some(base) = name.strip_prefix("ForAnyValue:") {
            (Some(SetOperator::ForAnyValue), base)
        } else {
            (None, name)
        };
        let (base, if_exists) = match base.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (base, false),
        };
        let &(_, comparison, negated) = OPERATORS
            .iter()
            .find(|(known, ..)| *known == base)
            .ok_or(BadOperator::Unknown)?;
        if comparison == Comparison::Null && (if_exists || set.is_some()) {
            return Err(BadOperator::DecoratedNull);
        }
        Ok(Self {
            name: name.to_owned(),
            comparison,
            negated,
            if_exists,
            set,
        })
    }

    /// The operator as the policy writes it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The known operator that the writer of an unknown one seems to have meant.
    pub(super) fn meant(name: &str) -> Option<&'static str> {
        let base = name.rsplit(':').next().unwrap_or(name);
        let base = base.strip_suffix("IfExists").unwrap_or(base);
        OPERATORS
            .iter()
            .map(|(known, ..)| *known)
            .find(|known| known.eq_ignore_ascii_case(base))
    }
}

impl Order {
    /// Whether a request's value that stands so to the policy's fits.
    pub(super) fn accepts(self, request_to_policy: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => request_to_policy.is_eq(),
            Self::Greater => request_to_policy.is_gt(),
            Self::GreaterOrEqual => request_to_policy.is_ge(),
            Self::Less => request_to_policy.is_lt(),
            Self::LessOrEqual => request_to_policy.is_le(),
        }
    }
}
