//! From JSON to a policy, as strictly as IAM at `CreateRole`.

use super::{
    Settings, TrustPolicy, Version,
    action::{ActionPattern, BadAction},
    condition::Condition,
    json::{self, Node, described, element},
    malformed::{MalformedCode, MalformedPolicy},
    operator::{BadOperator, Comparison, Operator},
    principal::Principal,
    settings::HIGHEST_MAX_SIZE,
    statement::{Effect, Listed, Statement},
    value::{BadValue, PolicyValue},
};

/// The longest document that the API takes at all (IAM's API model, `policyDocumentType`).
const MAX_DOCUMENT_LENGTH: usize = 131_072;

type Result<T> = std::result::Result<T, MalformedPolicy>;
type Object<'a> = &'a [(String, Node)];

/// Reads a whole policy.
pub(super) fn policy(text: &str, settings: &Settings) -> Result<TrustPolicy> {
    check_size(text, settings)?;
    let node = json::read(text).map_err(|error| {
        MalformedPolicy::new(
            "This policy contains invalid Json",
            format!("the policy is not JSON: {error}"),
        )
    })?;
    let document = object(&node, "the policy")?;
    check_elements(document, &["Version", "Id", "Statement"], "the policy")?;
    let version = version(document)?;
    let id = element(document, "Id")
        .map(|id| text_of(id, "`Id`"))
        .transpose()?;
    let statements = match element(document, "Statement") {
        Some(Node::List(statements)) => statements.as_slice(),
        Some(one @ Node::Object(_)) => std::slice::from_ref(one),
        Some(other) => {
            let reason = format!(
                "`Statement` is {}; it must be an object or an array",
                other.kind()
            );
            return Err(MalformedPolicy::syntax(reason));
        }
        None => return Err(MalformedPolicy::syntax("the policy has no `Statement`")),
    };
    if statements.is_empty() {
        return Err(MalformedPolicy::new(
            "Could not parse the policy: Statement is empty!",
            "`Statement` holds no statement",
        ));
    }
    let statements = statements
        .iter()
        .enumerate()
        .map(|(index, node)| {
            statement(node, version, settings)
                .map_err(|e| e.at(&format!("statement {}", index + 1)))
        })
        .collect::<Result<Vec<_>>>()?;
    check_sids(&statements)?;
    Ok(TrustPolicy {
        id: id.map(str::to_owned),
        statements,
    })
}

fn check_size(text: &str, settings: &Settings) -> Result<()> {
    if text.is_empty() || text.len() > MAX_DOCUMENT_LENGTH {
        let reason = format!("the policy must have 1 to {MAX_DOCUMENT_LENGTH} characters");
        return Err(
            MalformedPolicy::new(reason.clone(), reason).with_code(MalformedCode::ValidationError)
        );
    }
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if let Some(c) = text.chars().find(|c| !allowed(c)) {
        let code = c.escape_unicode();
        let reason = format!(
            "the policy holds U+{:04X}, which IAM's API does not take; write `{code}` as a JSON escape",
            u32::from(c)
        );
        return Err(MalformedPolicy::new(
            "The specified value for assumeRolePolicyDocument is invalid.",
            reason,
        )
        .with_code(MalformedCode::ValidationError));
    }
    let (size, max) = (json::size(text), settings.max_size.min(HIGHEST_MAX_SIZE));
    if size > max {
        return Err(MalformedPolicy::new(
            format!("Cannot exceed quota for ACLSizePerRole: {max}"),
            format!("the policy has {size} characters without white space; the quota is {max}"),
        )
        .with_code(MalformedCode::LimitExceeded));
    }
    Ok(())
}

fn version(document: Object<'_>) -> Result<Version> {
    match element(document, "Version") {
        None => Ok(Version::V2008),
        Some(Node::Text(version)) if version == "2008-10-17" => Ok(Version::V2008),
        Some(Node::Text(version)) if version == "2012-10-17" => Ok(Version::V2012),
        Some(other) => Err(MalformedPolicy::new(
            "The policy must contain a valid version string",
            format!(
                "`Version` is {}; it must be `2012-10-17` or `2008-10-17`",
                described(other)
            ),
        )),
    }
}

fn statement(node: &Node, version: Version, settings: &Settings) -> Result<Statement> {
    let statement = object(node, "it")?;
    for (name, wire) in [
        ("Resource", "Has prohibited field Resource"),
        (
            "NotResource",
            "AssumeRole policy must not contain resources.",
        ),
    ] {
        if element(statement, name).is_some() {
            let reason = format!(
                "`{name}` has no place in a trust policy: the resource is the role; remove it"
            );
            return Err(MalformedPolicy::new(wire, reason));
        }
    }
    check_elements(
        statement,
        &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Condition",
        ],
        "it",
    )?;
    let effect = effect(statement)?;
    Ok(Statement {
        sid: sid(statement)?,
        effect,
        principals: principals(statement, effect, settings)?,
        actions: actions(statement, settings)?,
        conditions: element(statement, "Condition")
            .map(|node| conditions(node, version, settings))
            .transpose()?
            .unwrap_or_default(),
    })
}

fn sid(statement: Object<'_>) -> Result<Option<String>> {
    let Some(node) = element(statement, "Sid") else {
        return Ok(None);
    };
    let sid = text_of(node, "`Sid`")?;
    if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(MalformedPolicy::new(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            format!("the Sid `{sid}` has characters other than letters and digits"),
        ));
    }
    Ok((!sid.is_empty()).then(|| sid.to_owned()))
}

fn check_sids(statements: &[Statement]) -> Result<()> {
    for (index, statement) in statements.iter().enumerate() {
        let earlier = statements
            .iter()
            .take(index)
            .filter_map(|other| other.sid());
        if let Some(sid) = statement.sid()
            && earlier.into_iter().any(|known| known == sid)
        {
            return Err(MalformedPolicy::new(
                "Statement IDs (SID) in a single policy must be unique.",
                format!("two statements have the Sid `{sid}`"),
            ));
        }
    }
    Ok(())
}

fn effect(statement: Object<'_>) -> Result<Effect> {
    match element(statement, "Effect") {
        None => Err(missing("Effect", "`Allow` or `Deny`")),
        Some(Node::Text(effect)) if effect == "Allow" => Ok(Effect::Allow),
        Some(Node::Text(effect)) if effect == "Deny" => Ok(Effect::Deny),
        Some(other) => Err(MalformedPolicy::new(
            match other {
                Node::Text(effect) => format!("Invalid effect: {effect}"),
                _ => "Syntax errors in policy.".to_owned(),
            },
            format!(
                "`Effect` is {}; it must be `Allow` or `Deny`, in this case",
                described(other)
            ),
        )),
    }
}

fn principals(
    statement: Object<'_>,
    effect: Effect,
    settings: &Settings,
) -> Result<Listed<Principal>> {
    let (inverted, node) = either(
        statement,
        "Principal",
        "NotPrincipal",
        "who may assume the role",
    )?;
    if inverted && effect == Effect::Allow {
        return Err(MalformedPolicy::new(
            "Allow with NotPrincipal is not allowed.",
            "`NotPrincipal` with `Allow` would let in everybody else; name whom you mean in `Principal`",
        ));
    }
    if inverted && !settings.not_principal {
        return Err(MalformedPolicy::new(
            "AssumeRole policy must not contain NotPrincipal field.",
            "`NotPrincipal` is switched off; use `Principal` with a condition on `aws:PrincipalArn`",
        ));
    }
    let entries = match node {
        Node::Text(all) if all == "*" => {
            return Ok(Listed {
                inverted,
                items: vec![Principal::Everyone],
            });
        }
        Node::Object(entries) if !entries.is_empty() => entries,
        Node::Object(_) => {
            return Err(MalformedPolicy::new(
                "Missing required field Principal cannot be empty!",
                "the principal is empty; name at least one",
            ));
        }
        other => {
            return Err(MalformedPolicy::syntax(format!(
                "the principal is {}; it must be `*` or an object such as {{\"Service\": \"rolesanywhere.amazonaws.com\"}}",
                described(other)
            )));
        }
    };
    let mut items = Vec::new();
    for (kind, values) in entries {
        if !["AWS", "CanonicalUser", "Federated", "Service"].contains(&kind.as_str()) {
            return Err(MalformedPolicy::new(
                format!("Invalid principal in policy: \"{kind}\""),
                format!(
                    "`{kind}` is no type of principal; use `AWS`, `Service`, `Federated` or `CanonicalUser`"
                ),
            ));
        }
        for value in texts(values, &format!("the principal `{kind}`"))? {
            items.push(Principal::parse(kind, value).ok_or_else(|| {
                MalformedPolicy::new(
                    format!(
                        "Invalid principal in policy: \"{}\":\"{value}\"",
                        kind.to_uppercase()
                    ),
                    format!(
                        "`{value}` is no principal of the type `{kind}`{}",
                        principal_hint(kind)
                    ),
                )
            })?);
        }
    }
    Ok(Listed { inverted, items })
}

fn principal_hint(kind: &str) -> &'static str {
    match kind {
        "AWS" => {
            "; write an account, the ARN of a user, role or session, or `*`; part of a name cannot be a wildcard"
        }
        "Service" => "; write a service such as `rolesanywhere.amazonaws.com`",
        _ => "",
    }
}

fn actions(statement: Object<'_>, settings: &Settings) -> Result<Listed<ActionPattern>> {
    let (inverted, node) = either(statement, "Action", "NotAction", "`sts:AssumeRole`")?;
    if matches!(node, Node::List(items) if items.is_empty()) {
        return Err(MalformedPolicy::new(
            "Policy statement must contain actions.",
            "the list of actions is empty",
        ));
    }
    let items = texts(node, "the action")?
        .into_iter()
        .map(|text| {
            let pattern = ActionPattern::parse(text).map_err(|bad| bad_action(text, bad))?;
            if pattern.has_wildcards && !settings.wildcard_actions {
                return Err(bad_action(text, BadAction::NotSts));
            }
            Ok(pattern)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Listed { inverted, items })
}

fn bad_action(text: &str, bad: BadAction) -> MalformedPolicy {
    let (wire, reason) = match bad {
        BadAction::Name => (
            "Syntax errors in policy.",
            "has no name of letters and digits after the colon",
        ),
        BadAction::NotSts => (
            "AssumeRole policy may only specify STS AssumeRole actions.",
            "cannot be in a trust policy, which takes actions of STS such as `sts:AssumeRole`",
        ),
        BadAction::NoVendor => (
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            "names no service; write `sts:` before it",
        ),
        BadAction::TwoColons => (
            "Actions/Condition can contain only one colon.",
            "has more than one colon",
        ),
    };
    MalformedPolicy::new(wire, format!("the action `{text}` {reason}"))
}

fn conditions(node: &Node, version: Version, settings: &Settings) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (name, keys) in object(node, "`Condition`")? {
        let operator = Operator::parse(name).map_err(|bad| bad_operator(name, bad))?;
        let keys = object(keys, &format!("the operator `{name}`"))?;
        for (index, (key, values)) in keys.iter().enumerate() {
            check_key(key)?;
            // Names are case-insensitive, so these are one key twice.
            let earlier = keys.iter().take(index);
            if earlier
                .into_iter()
                .any(|(known, _)| known.to_lowercase() == key.to_lowercase())
            {
                let reason = format!("`{name}` has the key `{key}` twice, in different case");
                return Err(MalformedPolicy::syntax(reason));
            }
            let place = format!("`{name}` on `{key}`");
            let values = scalars(values, &place)?
                .into_iter()
                .map(|text| value(&text, &operator, version, settings).map_err(|e| e.at(&place)))
                .collect::<Result<_>>()?;
            conditions.push(Condition {
                operator: operator.clone(),
                key: key.clone(),
                values,
            });
        }
    }
    Ok(conditions)
}

fn check_key(key: &str) -> Result<()> {
    match key.split_once(':') {
        Some((vendor, name)) if !vendor.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(MalformedPolicy::new(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            format!("`{key}` is no condition key; keys are of the form `aws:SourceArn`"),
        )),
    }
}

fn bad_operator(name: &str, bad: BadOperator) -> MalformedPolicy {
    MalformedPolicy::syntax(match (bad, Operator::meant(name)) {
        (BadOperator::DecoratedNull, _) => {
            format!("`{name}` is no operator: `Null` takes neither `IfExists` nor a set operator")
        }
        (BadOperator::Unknown, Some(meant)) => {
            format!("`{name}` is no operator; operators are case-sensitive, see `{meant}`")
        }
        (BadOperator::Unknown, None) => format!("`{name}` is no condition operator"),
    })
}

fn value(
    text: &str,
    operator: &Operator,
    version: Version,
    settings: &Settings,
) -> Result<PolicyValue> {
    PolicyValue::parse(text, operator.comparison, version).or_else(|bad| match bad {
        BadValue::Template(bad) => Err(MalformedPolicy::syntax(format!(
            "`{text}` {}",
            bad.reason()
        ))),
        BadValue::Type(wanted) => {
            let is_date = matches!(operator.comparison, Comparison::Date(_));
            if settings.untyped_values && !is_date {
                return Ok(PolicyValue::unreadable(text));
            }
            let variable = if version == Version::V2012 && text.contains("${") {
                "; policy variables work with string and ARN operators only"
            } else {
                ""
            };
            let wire = if is_date {
                "The policy failed legacy parsing"
            } else {
                "Syntax errors in policy."
            };
            Err(MalformedPolicy::new(
                wire,
                format!("`{text}` is not {wanted}{variable}"),
            ))
        }
    })
}

/// The one of two elements that stands there, and whether it is the inverted one.
fn either<'a>(
    statement: Object<'a>,
    plain: &str,
    inverted: &str,
    what: &str,
) -> Result<(bool, &'a Node)> {
    match (element(statement, plain), element(statement, inverted)) {
        (Some(node), None) => Ok((false, node)),
        (None, Some(node)) => Ok((true, node)),
        (Some(_), Some(_)) => Err(MalformedPolicy::syntax(format!(
            "it has both `{plain}` and `{inverted}`; keep one"
        ))),
        (None, None) => Err(missing(plain, what)),
    }
}

fn missing(name: &str, what: &str) -> MalformedPolicy {
    MalformedPolicy::new(
        format!("Missing required field {name}"),
        format!("it has no `{name}`; say {what}"),
    )
}

fn check_elements(object: Object<'_>, known: &[&str], what: &str) -> Result<()> {
    match object
        .iter()
        .find(|(key, _)| !known.contains(&key.as_str()))
    {
        Some((key, _)) => Err(MalformedPolicy::syntax(format!(
            "{what} has an unknown element `{key}`; known are `{}`, in this case",
            known.join("`, `")
        ))),
        None => Ok(()),
    }
}

fn object<'a>(node: &'a Node, what: &str) -> Result<Object<'a>> {
    match node {
        Node::Object(entries) => Ok(entries),
        other => Err(MalformedPolicy::syntax(format!(
            "{what} is {}, not an object",
            described(other)
        ))),
    }
}

fn text_of<'a>(node: &'a Node, what: &str) -> Result<&'a str> {
    match node {
        Node::Text(text) => Ok(text),
        other => Err(MalformedPolicy::syntax(format!(
            "{what} is {}, not a string",
            described(other)
        ))),
    }
}

/// A string, or an array of at least one.
fn texts<'a>(node: &'a Node, what: &str) -> Result<Vec<&'a str>> {
    match node {
        Node::List(items) if items.is_empty() => {
            Err(MalformedPolicy::syntax(format!("{what} is an empty array")))
        }
        Node::List(items) => items.iter().map(|item| text_of(item, what)).collect(),
        other => text_of(other, what).map(|text| vec![text]),
    }
}

/// The values of a condition as text: strings, numbers, Booleans; one, or an array of any number.
fn scalars(node: &Node, what: &str) -> Result<Vec<String>> {
    let scalar = |node: &Node| match node {
        Node::Text(text) | Node::Number(text) => Ok(text.clone()),
        Node::Bool(value) => Ok(value.to_string()),
        other => Err(MalformedPolicy::syntax(format!(
            "{what} has {} for a value; write a string, a number or a Boolean",
            other.kind()
        ))),
    };
    match node {
        Node::List(items) => items.iter().map(scalar).collect(),
        other => scalar(other).map(|text| vec![text]),
    }
}
