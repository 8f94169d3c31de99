//! One value of a condition, read for its operator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64ct::{Base64, Encoding};

use super::{
    Version,
    context::RequestContext,
    date::Instant,
    number::Decimal,
    operator::{Comparison, Order},
    pattern::{self, Budget, Token},
    template::{BadTemplate, Template, Unresolved},
};

/// The fields of an ARN: `arn:partition:service:region:account:resource`, whose last holds every
/// further colon.
const ARN_FIELDS: usize = 6;

/// A value of a condition: its text and the test that it stands for.
#[derive(Clone, Debug)]
pub(super) struct PolicyValue {
    text: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Arn(Vec<Template>),
    Binary(Vec<u8>),
    Bool(bool),
    Date(Order, Instant),
    Equals(Template),
    EqualsIgnoreCase(Template),
    Like(Template),
    Network(Network),
    Numeric(Order, Decimal),
    /// The operator cannot read the value.
    Unreadable,
}

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadValue {
    Template(BadTemplate),
    /// What the operator wants instead.
    Type(&'static str),
}

/// A policy value with its variables replaced for one request.
#[derive(Clone, Debug)]
pub(super) struct Prepared<'a> {
    test: &'a Test,
    /// One pattern per field of an ARN, one for a string, none for what takes no variables.
    patterns: Vec<Vec<Token>>,
}

impl PolicyValue {
    /// Reads a value for an operator.
    pub(super) fn parse(
        text: &str,
        comparison: Comparison,
        version: Version,
    ) -> Result<Self, BadValue> {
        let template =
            |wildcards| Template::parse(text, version, wildcards).map_err(BadValue::Template);
        let test = match comparison {
            Comparison::Arn => {
                let fields = template(true)?.split_colons(ARN_FIELDS);
                if fields.len() != ARN_FIELDS {
                    return Err(BadValue::Type(
                        "an ARN with six fields; wildcards stand within a field",
                    ));
                }
                Test::Arn(fields)
            }
            Comparison::Binary => Base64::decode_vec(text)
                .map(Test::Binary)
                .map_err(|_| BadValue::Type("base64"))?,
            Comparison::Bool | Comparison::Null => parse_bool(text)
                .map(Test::Bool)
                .ok_or(BadValue::Type("`true` or `false`"))?,
            Comparison::Date(order) => Instant::parse(text)
                .map(|instant| Test::Date(order, instant))
                .ok_or(BadValue::Type("an ISO 8601 date or seconds since 1970"))?,
            Comparison::IpAddress => Network::parse(text)
                .map(Test::Network)
                .ok_or(BadValue::Type("an IP address or a CIDR range"))?,
            Comparison::Numeric(order) => Decimal::parse(text)
                .map(|number| Test::Numeric(order, number))
                .ok_or(BadValue::Type("a decimal number"))?,
            Comparison::StringEquals => Test::Equals(template(false)?),
            Comparison::StringEqualsIgnoreCase => Test::EqualsIgnoreCase(template(false)?),
            Comparison::StringLike => Test::Like(template(true)?),
        };
        Ok(Self {
            text: text.to_owned(),
            test,
        })
    }

    /// A value that its operator cannot read, kept to match nothing.
    pub(super) fn unreadable(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            test: Test::Unreadable,
        }
    }

    /// The value as written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The Boolean that a value of `Null` is.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self.test {
            Test::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The value with its variables replaced, for messages; as written when one has no value.
    pub(super) fn resolved_text(&self, context: &RequestContext) -> String {
        let templates = self.templates();
        if !templates.iter().any(Template::has_variables) {
            return self.text.clone();
        }
        let resolved: Result<Vec<String>, _> = templates
            .iter()
            .map(|template| {
                let tokens = template.resolve(context)?;
                Ok::<_, Unresolved<'_>>(tokens.into_iter().map(shown).collect())
            })
            .collect();
        resolved.map_or_else(|_| self.text.clone(), |fields| fields.join(":"))
    }

    /// Whether the operator could not read the value.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self.test, Test::Unreadable)
    }

    /// Replaces the variables.
    ///
    /// # Errors
    /// The first variable without a value.
    pub(super) fn prepare(&self, context: &RequestContext) -> Result<Prepared<'_>, Unresolved<'_>> {
        let patterns = self
            .templates()
            .iter()
            .map(|template| template.resolve(context))
            .collect::<Result<_, _>>()?;
        Ok(Prepared {
            test: &self.test,
            patterns,
        })
    }

    fn templates(&self) -> &[Template] {
        match &self.test {
            Test::Equals(t) | Test::EqualsIgnoreCase(t) | Test::Like(t) => std::slice::from_ref(t),
            Test::Arn(fields) => fields,
            _ => &[],
        }
    }
}

impl Prepared<'_> {
    /// Whether the request's value fits. What the operator cannot read fits nothing.
    pub(super) fn matches(&self, actual: &str, budget: &mut Budget) -> bool {
        if !budget.spend(actual.len() + 1) {
            return false;
        }
        let pattern = self.patterns.first().map_or(&[][..], Vec::as_slice);
        match self.test {
            Test::Arn(_) => arn_matches(&self.patterns, actual, budget),
            Test::Binary(expected) => expected == actual.as_bytes(),
            Test::Bool(expected) => parse_bool(actual) == Some(*expected),
            Test::Date(order, expected) => {
                Instant::parse(actual).is_some_and(|instant| order.accepts(instant.cmp(expected)))
            }
            Test::Equals(_) => plain(pattern).eq(actual.chars()),
            Test::EqualsIgnoreCase(_) => {
                pattern::equals_ignoring_case(plain(pattern), actual.chars())
            }
            Test::Like(_) => pattern::matches(pattern, actual, budget),
            Test::Network(network) => actual
                .parse()
                .is_ok_and(|address| network.contains(address)),
            Test::Numeric(order, expected) => {
                Decimal::parse(actual).is_some_and(|number| order.accepts(number.cmp(expected)))
            }
            Test::Unreadable => false,
        }
    }
}

/// Field by field, so that a `*` never crosses one of the first five colons.
fn arn_matches(fields: &[Vec<Token>], actual: &str, budget: &mut Budget) -> bool {
    let actual: Vec<&str> = actual.splitn(ARN_FIELDS, ':').collect();
    actual.len() == ARN_FIELDS
        && actual.first() == Some(&"arn")
        && fields.len() == ARN_FIELDS
        && std::iter::zip(fields, actual)
            .all(|(field, actual)| pattern::matches(field, actual, budget))
}

/// The text of a pattern without wildcards.
fn plain(tokens: &[Token]) -> impl Iterator<Item = char> {
    tokens.iter().copied().map(shown)
}

fn shown(token: Token) -> char {
    match token {
        Token::Any => '*',
        Token::Char(c) => c,
        Token::One => '?',
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// An IP address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    /// The network and its mask.
    V4(u32, u32),
    V6(u128, u128),
}

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address; bits of the host are ignored.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let prefix = |bits: u32| match prefix {
            None => Some(bits),
            // No sign, and no digits but what a length of 0 to 128 needs.
            Some(p) if p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()) => {
                p.parse().ok().filter(|length| *length <= bits)
            }
            Some(_) => None,
        };
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            let mask = u32::MAX.checked_shl(32 - prefix(32)?).unwrap_or(0);
            return Some(Self::V4(address.to_bits() & mask, mask));
        }
        let address = address.parse::<Ipv6Addr>().ok()?;
        let mask = u128::MAX.checked_shl(128 - prefix(128)?).unwrap_or(0);
        Some(Self::V6(address.to_bits() & mask, mask))
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(network, mask), IpAddr::V4(address)) => address.to_bits() & mask == network,
            (Self::V6(network, mask), IpAddr::V6(address)) => address.to_bits() & mask == network,
            (Self::V4(..), IpAddr::V6(_)) | (Self::V6(..), IpAddr::V4(_)) => false,
        }
    }
}
