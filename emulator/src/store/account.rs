//! The account and region in which every resource is read, and the rules that all of them share.

use std::{collections::HashMap, ops::RangeInclusive};

use crate::{
    config::{Config, Settings},
    identifier::derived_uuid,
};

use super::{Invalid, table::Kind};

/// One account in one region of one partition.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) partition: String,
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) settings: Settings,
    /// The certificates of AWS Private CA's authorities, PEM, by ARN.
    pub(crate) private_cas: HashMap<String, String>,
}

/// The longest name of a resource and of an alias (API model: `ResourceName`, `AliasName`).
const MAX_NAME_LENGTH: usize = 255;
const MAX_ALIAS_LENGTH: usize = 256;
/// The API model's bounds on tags, which are STS's and IAM's too.
const MAX_TAGS: usize = 200;
const MAX_TAG_KEY_LENGTH: usize = 128;
const MAX_TAG_VALUE_LENGTH: usize = 256;

impl Account {
    /// Reads where a configuration says that it is.
    pub(crate) fn new(config: &Config) -> Result<Self, Invalid> {
        let id = &config.account;
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid::new(format!(
                "the account `{id}` must have twelve digits"
            )));
        }
        for (name, value) in [("region", &config.region), ("partition", &config.partition)] {
            let plain = value
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if value.is_empty() || value.len() > 64 || !plain {
                return Err(Invalid::new(format!(
                    "the {name} `{value}` must be lower-case letters, digits and `-`"
                )));
            }
        }
        check_base_path(&config.base_path)?;
        let bits = config.settings.minimum_rsa_bits;
        if !(1_024..=8_192).contains(&bits) {
            return Err(Invalid::new(format!(
                "`minimum_rsa_bits` is {bits}: it must be 1024 to 8192"
            )));
        }
        let private_ca = |ca: &crate::config::PrivateCa| {
            let pem = ca.pem.clone().ok_or_else(|| {
                Invalid::new(format!(
                    "the private CA `{}` has no certificate: give `pem` or `pem_file`",
                    ca.arn
                ))
            })?;
            Ok((ca.arn.clone(), pem))
        };
        Ok(Self {
            partition: config.partition.clone(),
            region: config.region.clone(),
            id: config.account.clone(),
            settings: config.settings.clone(),
            private_cas: config
                .private_cas
                .iter()
                .map(private_ca)
                .collect::<Result<_, Invalid>>()?,
        })
    }

    /// `arn:PARTITION:rolesanywhere:REGION:ACCOUNT:RESOURCE`
    pub(crate) fn arn(&self, resource: &str) -> String {
        let (partition, region, id) = (&self.partition, &self.region, &self.id);
        format!("arn:{partition}:rolesanywhere:{region}:{id}:{resource}")
    }

    /// `arn:PARTITION:iam::ACCOUNT:RESOURCE`
    pub(crate) fn iam_arn(&self, resource: &str) -> String {
        let (partition, id) = (&self.partition, &self.id);
        format!("arn:{partition}:iam::{id}:{resource}")
    }

    /// The id of a resource: the one given, or what follows from its name.
    pub(super) fn resource_id(
        &self,
        kind: Kind,
        name: &str,
        id: Option<&str>,
    ) -> Result<String, Invalid> {
        match id {
            Some(id) if is_uuid(id) => Ok(id.to_owned()),
            Some(id) => Err(Invalid::new(format!(
                "its id `{id}` is not a UUID in lower case: leave it out, and it follows from the name"
            ))),
            None => {
                let place = self.arn(kind.as_str());
                Ok(derived_uuid(&[place.as_bytes(), name.as_bytes()]))
            }
        }
    }

    /// The ARN of an alias; the rules are those of the API model. The empty name is no alias.
    pub(super) fn alias_arn(
        &self,
        kind: Kind,
        alias: Option<&str>,
    ) -> Result<Option<String>, Invalid> {
        let Some(alias) = alias.filter(|alias| !alias.is_empty()) else {
            return Ok(None);
        };
        let first_is_letter = alias
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic());
        let plain = alias
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte));
        let reserved = alias
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws/"));
        if !first_is_letter
            || !plain
            || reserved
            || alias.len() > MAX_ALIAS_LENGTH
            || alias.contains("//")
            || alias.ends_with('/')
        {
            return Err(Invalid::new(format!(
                "its alias `{alias}` must begin with a letter, hold letters, digits and `/_-` only, \
                 without `//`, without `/` at the end and without `aws/` at the start"
            )));
        }
        Ok(Some(self.arn(&format!("alias/{}/{alias}", kind.as_str()))))
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Invalid> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte));
    if name.is_empty() || name.len() > MAX_NAME_LENGTH || !plain {
        return Err(Invalid::new(format!(
            "its name must be 1 to {MAX_NAME_LENGTH} letters, digits, spaces, `-` and `_`"
        )));
    }
    Ok(())
}

pub(super) fn check_duration(
    name: &str,
    value: u32,
    bounds: &RangeInclusive<u32>,
) -> Result<(), Invalid> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "its `{name}` is {value}: it must be {} to {} seconds",
        bounds.start(),
        bounds.end()
    )))
}

pub(super) fn check_tags<'a>(
    tags: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
) -> Result<(), Invalid> {
    if tags.len() > MAX_TAGS {
        return Err(Invalid::new(format!("it has more than {MAX_TAGS} tags")));
    }
    for (key, value) in tags {
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b" _.:/=+@-".contains(&byte))
        };
        let reserved = key
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if key.is_empty()
            || key_length > MAX_TAG_KEY_LENGTH
            || value_length > MAX_TAG_VALUE_LENGTH
            || !plain(key)
            || !plain(value)
            || reserved
        {
            // Tags are sensitive in the API model: the value is not shown.
            return Err(Invalid::new(format!(
                "its tag `{}` must have a key of 1 to {MAX_TAG_KEY_LENGTH} and a value of at most \
                 {MAX_TAG_VALUE_LENGTH} letters, digits, spaces and `_.:/=+@-`, and not begin with `aws:`",
                key.chars().take(MAX_TAG_KEY_LENGTH).collect::<String>()
            )));
        }
    }
    Ok(())
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// Unreserved characters only: such a path stands in the canonical request as it is.
fn check_base_path(base: &str) -> Result<(), Invalid> {
    let plain = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let is_good = base.is_empty()
        || base
            .strip_prefix('/')
            .is_some_and(|segments| segments.split('/').all(plain));
    if is_good {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "the base path `{base}` must begin with `/`, not end in it, and hold letters, digits and `-._~`"
    )))
}
