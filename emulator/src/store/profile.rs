//! Profiles.

use std::sync::Arc;

use rolesanywhere_core::Arn;

use crate::config::{self, AttributeMapping, CertificateField};

use super::{
    Invalid,
    account::{Account, check_duration, check_name, check_tags},
    table::{Kind, Resource, Times},
};

/// The bounds of the API model.
const DURATION: std::ops::RangeInclusive<u32> = 900..=43_200;
const MAX_ROLES: usize = 250;
const MAX_MANAGED_POLICIES: usize = 50;
const MAX_MANAGED_POLICY_LENGTH: usize = 200;
const MAX_SPECIFIER_LENGTH: usize = 60;
const MAX_SESSION_POLICY_LENGTH: usize = 100_000;

/// A profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) alias_arn: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) role_arns: Vec<String>,
    pub(crate) duration_seconds: u32,
    pub(crate) accept_role_session_name: bool,
    pub(crate) session_policy: Option<String>,
    pub(crate) managed_policy_arns: Vec<String>,
    /// Each field at most once; a field that is not there is not mapped.
    pub(crate) attribute_mappings: Vec<AttributeMapping>,
    /// The ARN of who made it.
    pub(crate) created_by: String,
    pub(crate) times: Times,
    spec: config::Profile,
}

impl Profile {
    /// Parses plain data. `role_named` finds the ARN of a role of the account.
    pub(crate) fn new(
        mut spec: config::Profile,
        account: &Account,
        times: Times,
        role_named: impl Fn(&str) -> Option<String>,
    ) -> Result<Arc<Self>, Invalid> {
        check_name(&spec.name)?;
        check_tags(spec.tags.iter())?;
        check_duration("duration_seconds", spec.duration_seconds, &DURATION)?;
        check_lists(&spec)?;
        let role_arn = |role: &String| {
            if role.starts_with("arn:") {
                return Ok(Arn::role(role).map(|arn| arn.as_str().to_owned())?);
            }
            role_named(role)
                .ok_or_else(|| Invalid::new(format!("there is no role `{role}`: add a `[[role]]`")))
        };
        let role_arns = spec
            .roles
            .iter()
            .map(role_arn)
            .collect::<Result<Vec<_>, Invalid>>()?;
        let id = account.resource_id(Kind::Profile, &spec.name, spec.id.as_deref())?;
        let arn = account.arn(&format!("{}/{id}", Kind::Profile.as_str()));
        let alias_arn = account.alias_arn(Kind::Profile, spec.alias.as_deref())?;
        spec.id = Some(id);
        // From here on the ARNs stand, whatever becomes of the roles.
        spec.roles.clone_from(&role_arns);
        let mut attribute_mappings = spec
            .attribute_mappings
            .clone()
            .unwrap_or_else(default_mappings);
        attribute_mappings.sort_by_key(|mapping| mapping.certificate_field);
        Ok(Arc::new(Self {
            name: spec.name.clone(),
            arn,
            alias_arn,
            enabled: spec.enabled,
            role_arns,
            duration_seconds: spec.duration_seconds,
            accept_role_session_name: spec.accept_role_session_name,
            session_policy: spec.session_policy.clone(),
            managed_policy_arns: spec.managed_policy_arns.clone(),
            attribute_mappings,
            created_by: spec
                .created_by
                .clone()
                .unwrap_or_else(|| account.iam_arn("root")),
            times,
            spec,
        }))
    }
}

impl Resource for Profile {
    type Spec = config::Profile;
    const KIND: Kind = Kind::Profile;

    fn spec(&self) -> &config::Profile {
        &self.spec
    }

    fn arn(&self) -> &str {
        &self.arn
    }

    fn alias_arn(&self) -> Option<&str> {
        self.alias_arn.as_deref()
    }

    fn times(&self) -> Times {
        self.times
    }
}

/// What the user guide documents for a profile without mappings of its own.
fn default_mappings() -> Vec<AttributeMapping> {
    let mapping = |certificate_field, specifiers: &[&str]| AttributeMapping {
        certificate_field,
        specifiers: specifiers.iter().map(|text| (*text).to_owned()).collect(),
    };
    vec![
        mapping(CertificateField::Issuer, &["*"]),
        mapping(
            CertificateField::SubjectAlternativeName,
            &["DNS", "URI", "Name/*"],
        ),
        mapping(CertificateField::Subject, &["*"]),
    ]
}

fn check_lists(spec: &config::Profile) -> Result<(), Invalid> {
    if spec.roles.len() > MAX_ROLES {
        return Err(Invalid::new(format!("it has more than {MAX_ROLES} roles")));
    }
    let policies = &spec.managed_policy_arns;
    let fits = |arn: &String| (1..=MAX_MANAGED_POLICY_LENGTH).contains(&arn.chars().count());
    if policies.len() > MAX_MANAGED_POLICIES || !policies.iter().all(fits) {
        return Err(Invalid::new(format!(
            "its managed policies must be at most {MAX_MANAGED_POLICIES} ARNs of at most \
             {MAX_MANAGED_POLICY_LENGTH} characters"
        )));
    }
    if let Some(policy) = &spec.session_policy {
        let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(policy);
        if policy.chars().count() > MAX_SESSION_POLICY_LENGTH || is_object.is_err() {
            return Err(Invalid::new(format!(
                "its session policy must be a JSON object of at most {MAX_SESSION_POLICY_LENGTH} characters"
            )));
        }
    }
    let mappings = spec.attribute_mappings.as_deref().unwrap_or_default();
    for field in CertificateField::ALL {
        let mut of_field = mappings.iter().filter(|m| m.certificate_field == field);
        if of_field.nth(1).is_some() {
            return Err(Invalid::new(format!(
                "its attribute mapping of `{}` stands twice",
                field.as_str()
            )));
        }
    }
    let fits = |specifier: &String| specifier.chars().count() <= MAX_SPECIFIER_LENGTH;
    if !mappings.iter().all(|m| m.specifiers.iter().all(fits)) {
        return Err(Invalid::new(format!(
            "a specifier has at most {MAX_SPECIFIER_LENGTH} characters"
        )));
    }
    Ok(())
}
