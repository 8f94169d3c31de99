//! The actions on roles.

use std::{collections::BTreeMap, sync::Arc};

use rolesanywhere_core::UnixTime;

use crate::{
    authenticate::encode,
    config,
    error::{Fault, Refusal},
    policy::TrustPolicy,
    service::Service,
    store::{Resource, Resources, Role, Times},
};

use super::{Form, IamError, xml::Xml};

/// IAM's quota of tags on one role.
const MAX_TAGS: usize = 50;
/// IAM's page, and the most that `MaxItems` may ask for.
const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

pub(super) fn create(
    service: &Service,
    form: &Form,
    now: UnixTime,
) -> Result<Option<Xml>, IamError> {
    let name = role_name(form)?;
    let policy = document(form, "AssumeRolePolicyDocument")?;
    let mut spec = config::Role {
        trust_policy: Some(policy),
        description: form.text("Description").map(str::to_owned),
        tags: tags(form)?,
        ..config::Role::new(name)
    };
    if let Some(path) = form.text("Path") {
        path.clone_into(&mut spec.path);
    }
    if let Some(seconds) = form.text("MaxSessionDuration") {
        spec.max_session_duration = seconds
            .parse()
            .map_err(|_| IamError::validation("MaxSessionDuration must be a number"))?;
    }
    let role = change(service, |resources| {
        if resources.role_named(name).is_some() {
            return Err(IamError::new(
                409,
                "EntityAlreadyExists",
                format!("Role with name {name} already exists."),
                Fault::Validation,
            ));
        }
        put(resources, spec, Times::at(now))
    })?;
    Ok(Some(Xml::default().element("Role", &shown(&role))))
}

pub(super) fn get(service: &Service, form: &Form, _: UnixTime) -> Result<Option<Xml>, IamError> {
    let role = find(&service.resources(), role_name(form)?)?;
    Ok(Some(Xml::default().element("Role", &shown(&role))))
}

pub(super) fn delete(service: &Service, form: &Form, _: UnixTime) -> Result<Option<Xml>, IamError> {
    let name = role_name(form)?;
    change(service, |resources| {
        let role = find(resources, name)?;
        resources.roles.remove(&role.arn);
        Ok(())
    })?;
    Ok(None)
}

pub(super) fn update_assume_role_policy(
    service: &Service,
    form: &Form,
    now: UnixTime,
) -> Result<Option<Xml>, IamError> {
    let name = role_name(form)?;
    let policy = document(form, "PolicyDocument")?;
    change(service, |resources| {
        let role = find(resources, name)?;
        let mut spec = role.spec().clone();
        spec.trust_policy = Some(policy);
        put(resources, spec, role.times().updated(now))
    })?;
    Ok(None)
}

pub(super) fn list(service: &Service, form: &Form, _: UnixTime) -> Result<Option<Xml>, IamError> {
    let prefix = form.text("PathPrefix").unwrap_or("/");
    let size = match form.text("MaxItems") {
        None => DEFAULT_PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=MAX_PAGE).contains(size))
            .ok_or_else(|| IamError::validation(format!("MaxItems must be 1 to {MAX_PAGE}")))?,
    };
    let resources = service.resources();
    // The marker is the ARN of the last role of the page before.
    let after = resources
        .roles
        .after(form.text("Marker").unwrap_or_default());
    let mut matching = after.filter(|role| role.spec().path.starts_with(prefix));
    let page: Vec<&Arc<Role>> = matching.by_ref().take(size).collect();
    let more = matching.next().is_some();
    let members = page.iter().fold(Xml::default(), |members, role| {
        members.element("member", &shown(role))
    });
    let result = Xml::default()
        .element("Roles", &members)
        .text("IsTruncated", if more { "true" } else { "false" });
    Ok(Some(match page.last().filter(|_| more) {
        Some(last) => result.text("Marker", &last.arn),
        None => result,
    }))
}

/// Changes roles under the service's one lock for writers.
fn change<T>(
    service: &Service,
    change: impl FnOnce(&mut Resources) -> Result<T, IamError>,
) -> Result<T, IamError> {
    let mut refused = None;
    let changed = service.change(|resources| {
        change(resources).map_err(|error| {
            let refusal = Refusal::new(error.fault, error.reason.clone());
            refused = Some(error);
            refusal
        })
    });
    changed.map_err(|refusal| refused.unwrap_or_else(|| refusal.into()))
}

fn put(resources: &mut Resources, spec: config::Role, times: Times) -> Result<Arc<Role>, IamError> {
    let invalid = |error: crate::store::Invalid| IamError::validation(error.message());
    let role = resources.role(spec, times).map_err(invalid)?;
    resources.roles.put(Arc::clone(&role)).map_err(invalid)?;
    Ok(role)
}

fn find(resources: &Resources, name: &str) -> Result<Arc<Role>, IamError> {
    resources.role_named(name).ok_or_else(|| {
        IamError::new(
            404,
            "NoSuchEntity",
            format!("The role with name {name} cannot be found."),
            Fault::ResourceNotFound,
        )
    })
}

fn role_name(form: &Form) -> Result<&str, IamError> {
    form.text("RoleName")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| null("roleName"))
}

/// A trust policy that IAM takes, as it was given.
fn document(form: &Form, parameter: &str) -> Result<String, IamError> {
    let text = form
        .text(parameter)
        .ok_or_else(|| null("assumeRolePolicyDocument"))?;
    match TrustPolicy::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            let code = error.code();
            let mut refused = IamError::new(
                code.status(),
                code.as_str(),
                error.wire_message(),
                Fault::Validation,
            );
            refused.reason = error.to_string();
            Err(refused)
        }
    }
}

fn tags(form: &Form) -> Result<BTreeMap<String, String>, IamError> {
    let mut tags = BTreeMap::new();
    for number in 1..=MAX_TAGS + 1 {
        let Some(key) = form.text(&format!("Tags.member.{number}.Key")) else {
            return Ok(tags);
        };
        let value = form
            .text(&format!("Tags.member.{number}.Value"))
            .unwrap_or_default();
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(IamError::new(
                400,
                "InvalidInput",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                Fault::Validation,
            ));
        }
    }
    Err(IamError::new(
        409,
        "LimitExceeded",
        format!("A role has at most {MAX_TAGS} tags."),
        Fault::TooManyTags,
    ))
}

/// The text is IAM's.
fn null(member: &str) -> IamError {
    IamError::validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn shown(role: &Role) -> Xml {
    let spec = role.spec();
    let mut members = Xml::default()
        .text("Path", &spec.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.unique_id)
        .text("Arn", &role.arn)
        .text("CreateDate", &role.times.created_at.to_iso8601())
        // IAM gives the document percent-encoded (API reference), and SDKs decode it.
        .text(
            "AssumeRolePolicyDocument",
            &encode(role.trust_policy_document().as_bytes()),
        )
        .text("MaxSessionDuration", &role.max_session_duration.to_string());
    if let Some(description) = &spec.description {
        members = members.text("Description", description);
    }
    if !spec.tags.is_empty() {
        let tags = spec.tags.iter().fold(Xml::default(), |tags, (key, value)| {
            tags.element(
                "member",
                &Xml::default().text("Key", key).text("Value", value),
            )
        });
        members = members.element("Tags", &tags);
    }
    members
}
