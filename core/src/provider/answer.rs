//! What is believed of an answer.

use alloc::string::String;

use super::{
    clock::ServiceTime,
    policy::{LIFETIME_SLACK, LONGEST_LIFETIME},
};
use crate::{Arn, CreateSession, Error, ErrorKind, Result, Session};

/// The end of a session's credentials as it is believed at `now`, and whether it had to be set to
/// what the service grants at most.
///
/// # Errors
/// [`ErrorKind::InvalidResponse`] when they have ended.
pub(super) fn end_of(session: &mut Session, now: i64) -> Result<bool> {
    let expiration = session.credentials().expiration();
    let left = ServiceTime::new(expiration)
        .milliseconds()
        .saturating_sub(now);
    if left <= 0 {
        let now = ServiceTime::from_milliseconds(now).unix_time().to_iso8601();
        return Err(invalid(&[
            "the credentials had ended (",
            &expiration.to_iso8601(),
            ") when they came, it was ",
            &now,
            ": check this machine's clock, and what stands between it and the endpoint",
        ]));
    }
    if left <= LONGEST_LIFETIME + LIFETIME_SLACK {
        return Ok(false);
    }
    let end = ServiceTime::from_milliseconds(now.saturating_add(LONGEST_LIFETIME));
    session.clamp_expiration(end.unix_time());
    Ok(true)
}

/// Whether the session is of the role that was asked for. The answer names the role with or without
/// its path; the assumed role never has one.
///
/// # Errors
/// [`ErrorKind::InvalidResponse`] when it is of another role or account.
pub(super) fn check_role(call: &CreateSession, session: &Session) -> Result<()> {
    let asked = call.role();
    let name = name_of(asked);
    let is_role = |role: &Arn| {
        role.as_str() == asked.as_str()
            || (of_same_account(role, asked) && role.resource().strip_prefix("role/") == Some(name))
    };
    if let Some(role) = session.role_arn().filter(|role| !is_role(role)) {
        return Err(another(asked, role));
    }
    let is_assumed = |assumed: &Arn| {
        let mut parts = assumed.resource().split('/');
        of_same_account(assumed, asked)
            && parts.next() == Some("assumed-role")
            && parts.next() == Some(name)
    };
    match session.assumed_role_arn().filter(|arn| !is_assumed(arn)) {
        Some(assumed) => Err(another(asked, assumed)),
        None => Ok(()),
    }
}

fn of_same_account(one: &Arn, other: &Arn) -> bool {
    one.partition() == other.partition() && one.account() == other.account()
}

/// The name of a role without `role/` and its path.
fn name_of(role: &Arn) -> &str {
    role.resource().rsplit('/').next().unwrap_or_default()
}

fn another(asked: &Arn, answered: &Arn) -> Error {
    invalid(&[
        "the answer is a session of `",
        answered.as_str(),
        "`, not of the role `",
        asked.as_str(),
        "` that was asked for: check the endpoint and what stands between",
    ])
}

fn invalid(parts: &[&str]) -> Error {
    let message: String = parts.concat();
    Error::new(ErrorKind::InvalidResponse, message)
}
