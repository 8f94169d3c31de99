//! The patterns of the API model, decided by hand: there are nine, and none needs a regular
//! expression's machinery.

use super::shape::Pattern;

pub(super) const ALIAS_NAME: Pattern = Pattern {
    text: "(?!.*//)([A-Za-z]([A-Za-z0-9_/-]*[A-Za-z0-9_-])?)?",
    matches: |text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_/-".contains(&byte);
        text.is_empty()
            || (text.starts_with(|first: char| first.is_ascii_alphabetic())
                && text.bytes().all(plain)
                && !text.ends_with('/')
                && !text.contains("//"))
    },
};

pub(super) const CRL_IDENTIFIER: Pattern = Pattern {
    text: "([a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}|arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(crl|alias/crl)/.*)",
    matches: |text| is_id(text) || is_arn(text, &["crl/", "alias/crl/"]),
};

pub(super) const PROFILE_IDENTIFIER: Pattern = Pattern {
    text: "([a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}|arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(profile|alias/profile)/.*)",
    matches: |text| is_id(text) || is_arn(text, &["profile/", "alias/profile/"]),
};

pub(super) const RESOURCE_NAME: Pattern = Pattern {
    text: "[ a-zA-Z0-9-_]*",
    matches: |text| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte))
    },
};

pub(super) const ROLE_ARN: Pattern = Pattern {
    text: "arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)",
    matches: |text| after_service(text, "iam").is_some_and(|resource| resource.starts_with("role")),
};

pub(super) const TAG_TEXT: Pattern = Pattern {
    text: "[ a-zA-Z0-9_.:/=+@-]*",
    matches: |text| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" _.:/=+@-".contains(&byte))
    },
};

pub(super) const TRUST_ANCHOR_IDENTIFIER: Pattern = Pattern {
    text: "([a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}|arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(trust-anchor|alias/trust-anchor)/.*)",
    matches: |text| is_id(text) || is_arn(text, &["trust-anchor/", "alias/trust-anchor/"]),
};

pub(super) const TRUST_ANCHOR_IDENTIFIER_ARN: Pattern = Pattern {
    text: "arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*|:alias/trust-anchor/.*)",
    matches: |text| is_arn(text, &["trust-anchor", "alias/trust-anchor/"]),
};

pub(super) const UUID: Pattern = Pattern {
    text: ".*[a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}.*",
    // The shape says 36 characters, which leaves nothing for the dots.
    matches: is_id,
};

/// `[a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}`
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            0..8 => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            _ => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
        })
}

/// `arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:`, then one of `resources`.
fn is_arn(text: &str, resources: &[&str]) -> bool {
    after_service(text, "rolesanywhere")
        .is_some_and(|resource| resources.iter().any(|start| resource.starts_with(start)))
}

/// What follows region and account in an ARN of `service`.
fn after_service<'a>(text: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = text.splitn(6, ':');
    let is_arn = parts.next() == Some("arn");
    let partition = parts.next()?;
    let is_aws = partition == "aws"
        || partition
            .strip_prefix("aws-")
            .is_some_and(|rest| !rest.is_empty());
    let is_service = parts.next() == Some(service);
    let (_region, _account) = (parts.next()?, parts.next()?);
    let resource = parts.next()?;
    (is_arn && is_aws && is_service).then_some(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_what_the_model_takes() {
        let id = "5c5e1cb6-0000-4000-8000-00000000000z";
        let arn = |rest: &str| format!("arn:aws-cn:rolesanywhere:cn-north-1:123456789012:{rest}");
        for (pattern, taken, refused) in [
            (
                &ALIAS_NAME,
                vec![
                    String::new(),
                    "a".into(),
                    "a/b".into(),
                    "a-".into(),
                    "A1_".into(),
                ],
                vec![
                    "1".into(),
                    "a/".into(),
                    "a//b".into(),
                    "-a".into(),
                    "a b".into(),
                ],
            ),
            (
                &PROFILE_IDENTIFIER,
                vec![id.to_owned(), arn("profile/x"), arn("alias/profile/x")],
                vec![
                    id.replace('5', "z"),
                    arn("crl/x"),
                    arn("profile"),
                    "x".into(),
                ],
            ),
            (
                &TRUST_ANCHOR_IDENTIFIER_ARN,
                vec![
                    arn("trust-anchor/x"),
                    arn("trust-anchor"),
                    arn("alias/trust-anchor/x"),
                ],
                vec![id.to_owned(), arn("alias/trust-anchor"), arn("profile/x")],
            ),
            (
                &ROLE_ARN,
                vec![
                    "arn:aws:iam::123456789012:role/x".into(),
                    "arn:aws:iam:::role".into(),
                ],
                vec![
                    "arn:aws:sts::123456789012:role/x".into(),
                    "arn:awsx:iam:::role".into(),
                ],
            ),
        ] {
            for text in taken {
                assert!((pattern.matches)(&text), "{text}");
            }
            for text in refused {
                assert!(!(pattern.matches)(&text), "{text}");
            }
        }
    }
}
