//! May this certificate have a session of this role? Profile, role, session name, trust policy,
//! source identity and duration.

mod identity;

pub(crate) use identity::{session_name, source_identity};

use crate::{
    create_session::Case,
    error::{Fault, Refusal},
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

/// The role exists and its trust policy lets the service assume it.
///
/// Trust policies are not read yet: every role of the emulator trusts the service. The check stands
/// in the table, so that evaluating policies changes this function alone.
pub(crate) fn trust_policy(case: &Case<'_>) -> Result<(), Refusal> {
    case.role().map(|_| ())
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
