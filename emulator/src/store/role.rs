//! Roles of IAM.

use std::sync::Arc;

use rolesanywhere_core::Arn;

use crate::{config, identifier::derived_unique_id, policy::TrustPolicy};

use super::{
    Invalid,
    account::{Account, check_duration, check_tags},
    table::{Kind, Resource, Times},
};

/// IAM's bounds on `MaxSessionDuration`, names, paths and descriptions.
const DURATION: std::ops::RangeInclusive<u32> = 3_600..=43_200;
const MAX_NAME_LENGTH: usize = 64;
const MAX_PATH_LENGTH: usize = 512;
const MAX_DESCRIPTION_LENGTH: usize = 1_000;

/// What a role of a configuration says when it says nothing.
const DEFAULT_TRUST_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// `AROA…`
    pub(crate) unique_id: String,
    pub(crate) max_session_duration: u32,
    /// Who may assume it, and when.
    pub(crate) trust_policy: TrustPolicy,
    pub(crate) times: Times,
    spec: config::Role,
}

impl Role {
    /// Parses plain data.
    pub(crate) fn new(
        spec: config::Role,
        account: &Account,
        times: Times,
    ) -> Result<Arc<Self>, Invalid> {
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
        };
        if spec.name.is_empty() || spec.name.len() > MAX_NAME_LENGTH || !plain(&spec.name) {
            return Err(Invalid::new(
                "its name must be 1 to 64 letters, digits and `_+=,.@-`; the path stands in `path`",
            ));
        }
        let path_is_good = spec.path == "/"
            || (spec.path.starts_with('/')
                && spec.path.ends_with('/')
                && spec.path.len() <= MAX_PATH_LENGTH
                && spec.path.split('/').all(plain));
        if !path_is_good {
            return Err(Invalid::new(format!(
                "its path `{}` must begin and end in `/`",
                spec.path
            )));
        }
        check_tags(spec.tags.iter())?;
        let description = spec.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_DESCRIPTION_LENGTH {
            return Err(Invalid::new(format!(
                "its description is longer than {MAX_DESCRIPTION_LENGTH} characters"
            )));
        }
        check_duration("max_session_duration", spec.max_session_duration, &DURATION)?;
        let arn = account.iam_arn(&format!("role{}{}", spec.path, spec.name));
        Arn::role(&arn)?;
        let trust_policy =
            TrustPolicy::parse(spec.trust_policy.as_deref().unwrap_or(DEFAULT_TRUST_POLICY))
                .map_err(|error| {
                    Invalid::saying(error.wire_message(), format!("its trust policy: {error}"))
                })?;
        Ok(Arc::new(Self {
            name: spec.name.clone(),
            unique_id: derived_unique_id("AROA", 17, &[b"role", arn.as_bytes()]),
            arn,
            max_session_duration: spec.max_session_duration,
            trust_policy,
            times,
            spec,
        }))
    }

    /// The trust policy as it was given.
    pub(crate) fn trust_policy_document(&self) -> &str {
        self.spec
            .trust_policy
            .as_deref()
            .unwrap_or(DEFAULT_TRUST_POLICY)
    }
}

impl Resource for Role {
    type Spec = config::Role;
    const KIND: Kind = Kind::Role;

    fn spec(&self) -> &config::Role {
        &self.spec
    }

    fn arn(&self) -> &str {
        &self.arn
    }

    fn alias_arn(&self) -> Option<&str> {
        None
    }

    fn times(&self) -> Times {
        self.times
    }
}
