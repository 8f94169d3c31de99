//! May this certificate have a session of this role? Profile, role, session name, trust policy,
//! source identity and duration.

mod identity;
mod session_policies;
mod tags;

pub(crate) use identity::{session_name, source_identity};
pub(crate) use session_policies::{packed_policy_size, session_policies};
pub(crate) use tags::SessionTags;

use crate::{
    certificate::Certificate,
    config::AttributeMapping,
    create_session::Case,
    error::{Fault, Refusal},
    policy::{self, SessionInputs, session_context},
};

/// The profile exists and is enabled.
pub(crate) fn profile(case: &Case<'_>) -> Result<(), Refusal> {
    let profile = case.profile()?;
    if profile.enabled {
        return Ok(());
    }
    Err(Refusal::new(
        Fault::ProfileDisabled,
        format!("the profile `{}` is disabled", profile.name),
    ))
}

/// The role is one of the profile's.
pub(crate) fn role_in_profile(case: &Case<'_>) -> Result<(), Refusal> {
    let profile = case.profile()?;
    let role_arn = &case.parameters.role_arn;
    if profile.role_arns.contains(role_arn) {
        return Ok(());
    }
    Err(Refusal::new(
        Fault::RoleNotInProfile,
        format!("the profile `{}` does not list `{role_arn}`", profile.name),
    ))
}

/// A session name that the client chose needs a profile that accepts it.
pub(crate) fn session_name_authorized(case: &Case<'_>) -> Result<(), Refusal> {
    let profile = case.profile()?;
    if case.parameters.role_session_name.is_none() || profile.accept_role_session_name {
        return Ok(());
    }
    Err(Refusal::new(
        Fault::SessionNameNotAuthorized,
        format!(
            "the request names its session and the profile `{}` does not accept that",
            profile.name
        ),
    ))
}

/// The role exists and its trust policy lets the service assume it for this certificate, tag the
/// session and set its source identity.
pub(crate) fn trust_policy(case: &Case<'_>) -> Result<(), Refusal> {
    let role = case.role()?;
    let tags = case.session_tags()?;
    if tags.tags.len() > tags::MAX_TAGS {
        return Err(case.unable_to_assume_role(format!(
            "the certificate makes {} session tags, and STS takes {}",
            tags.tags.len(),
            tags::MAX_TAGS
        )));
    }
    let anchor = case.trust_anchor()?;
    let context = session_context(&SessionInputs {
        tags: &tags.tags,
        trust_anchor_arn: &anchor.arn,
        account: case.account,
        source_identity: &source_identity(case)?,
        session_name: &session_name(case)?,
        request_tags: case.settings.pass_request_tags,
        now: case.now,
    });
    let needs_tag_session = case.settings.always_require_tag_session || !tags.tags.is_empty();
    policy::authorize_session(&role.trust_policy, &context, needs_tag_session)
        .map_err(|refusal| unable_to_assume_role(case, tags, &refusal.sentence))
}

/// What the service says when STS refuses, with what it says of attributes that are no tags.
fn unable_to_assume_role(case: &Case<'_>, tags: &SessionTags, reason: &str) -> Refusal {
    match tags.unmapped() {
        None => case.unable_to_assume_role(reason),
        Some(unmapped) => Refusal::with_detail(
            Fault::UnableToAssumeRoleUnmapped,
            format!("{}. {unmapped}", case.parameters.role_arn),
            format!("{reason}; {unmapped}"),
        ),
    }
}

/// The tags that the profile's attribute mappings make of the certificate.
pub(crate) fn session_tags(
    certificate: &Certificate,
    mappings: &[AttributeMapping],
) -> SessionTags {
    tags::session_tags(certificate, |field, attribute| {
        mappings
            .iter()
            .filter(|mapping| mapping.certificate_field == field)
            .flat_map(|mapping| &mapping.specifiers)
            .any(|specifier| tags::covers(field, specifier, attribute))
    })
}

/// Session name and source identity are such that STS takes them.
pub(crate) fn identity(case: &Case<'_>) -> Result<(), Refusal> {
    session_name(case)?;
    source_identity(case).map(|_| ())
}

/// The duration is within what the role allows; it is never cut to fit.
pub(crate) fn duration(case: &Case<'_>) -> Result<(), Refusal> {
    let role = case.role()?;
    let seconds = duration_seconds(case)?;
    if seconds <= role.max_session_duration {
        return Ok(());
    }
    Err(Refusal::with_detail(
        Fault::DurationExceedsRole,
        &role.arn,
        format!(
            "the session would last {seconds} s; the role `{}` allows {} s",
            role.name, role.max_session_duration
        ),
    ))
}

/// How long the session lasts: what the profile says, or the request where it asks for less.
pub(crate) fn duration_seconds(case: &Case<'_>) -> Result<u32, Refusal> {
    let profile = case.profile()?.duration_seconds;
    Ok(case
        .parameters
        .duration_seconds
        .map_or(profile, |asked| asked.min(profile)))
}
