//! The one border to the emulator's policy engine.

use std::{collections::BTreeMap, path::Path};

use rolesanywhere_core::{CreateSession, Error, ErrorKind, Result, UnixTime};
use rolesanywhere_emulator::policy::{
    SessionInputs, TrustPolicy, authorize_session, session_context,
};

use super::report::{Granted, Verdict};
use crate::files;

/// The largest file that is read; IAM's quota for a trust policy is 2,048 to 8,192 characters.
const MAX_POLICY_LENGTH: u64 = 64 * 1024;

/// What a policy decides by.
pub(super) struct Inputs<'a> {
    pub(super) tags: &'a [(String, String)],
    pub(super) request: &'a CreateSession,
    pub(super) source_identity: &'a str,
    pub(super) session_name: &'a str,
    pub(super) now: UnixTime,
}

/// Reads a trust policy as IAM would.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when the file cannot be read or is no policy.
pub(super) fn read(path: &Path) -> Result<TrustPolicy> {
    let refuse = |why: &dyn std::fmt::Display| {
        let shown = path.display();
        Error::new(
            ErrorKind::InvalidInput,
            format!("the trust policy `{shown}`: {why}"),
        )
    };
    let unreadable = |why: &dyn std::fmt::Display| {
        refuse(&format!("it cannot be read ({why}): check --trust-policy"))
    };
    let content = files::read(path, MAX_POLICY_LENGTH).map_err(|error| unreadable(&error))?;
    if content.bytes.len() as u64 > MAX_POLICY_LENGTH {
        return Err(unreadable(&format!(
            "it is longer than {MAX_POLICY_LENGTH} bytes"
        )));
    }
    let text = std::str::from_utf8(&content.bytes).map_err(|error| unreadable(&error))?;
    TrustPolicy::parse(text).map_err(|malformed| refuse(&malformed.reason()))
}

/// Whether the policy lets the service open the session, and what decides when it does not.
pub(super) fn verdict(policy: &TrustPolicy, inputs: &Inputs<'_>) -> Granted {
    let tags: BTreeMap<String, String> = inputs.tags.iter().cloned().collect();
    let anchor = inputs.request.trust_anchor();
    let context = session_context(&SessionInputs {
        tags: &tags,
        trust_anchor_arn: anchor.as_str(),
        account: anchor.account(),
        source_identity: inputs.source_identity,
        session_name: inputs.session_name,
        request_tags: true,
        now: inputs.now,
    });
    match authorize_session(policy, &context, !tags.is_empty()) {
        Ok(()) => Granted {
            verdict: Verdict::Granted,
            what:
                "it allows what the service asks of it: sts:AssumeRole, sts:SetSourceIdentity and, \
                   for tags, sts:TagSession"
                    .to_owned(),
        },
        Err(refusal) => Granted {
            verdict: Verdict::Refused,
            what: refusal.to_string(),
        },
    }
}
