//! The policies that hold a session down: the profile's session policy and managed policies.

use crate::{create_session::Case, error::Refusal};

/// STS takes a session policy of this many characters, and this many managed policies.
const MAX_SESSION_POLICY_LENGTH: usize = 2_048;
const MAX_MANAGED_POLICIES: usize = 10;
/// What the packed size is a percentage of. AWS publishes no formula; this is the bound of STS's
/// `Policy` parameter.
const FULL: usize = 2_048;

/// The profile's policies are such that STS takes them with the session's tags.
///
/// The API lets a profile hold a longer policy and more managed policies than STS takes.
pub(crate) fn session_policies(case: &Case<'_>) -> Result<(), Refusal> {
    let profile = case.profile()?;
    let length = profile
        .session_policy
        .as_ref()
        .map_or(0, |policy| policy.chars().count());
    if length > MAX_SESSION_POLICY_LENGTH {
        return Err(case.unable_to_assume_role(format!(
            "the profile `{}` has a session policy of {length} characters; STS takes \
             {MAX_SESSION_POLICY_LENGTH}",
            profile.name
        )));
    }
    let count = profile.managed_policy_arns.len();
    if count > MAX_MANAGED_POLICIES {
        return Err(case.unable_to_assume_role(format!(
            "the profile `{}` has {count} managed policies; STS takes {MAX_MANAGED_POLICIES}",
            profile.name
        )));
    }
    let packed = packed_policy_size(case)?;
    if case.settings.enforce_packed_policy_size && packed > 100 {
        return Err(case.unable_to_assume_role(format!(
            "policies and tags take {packed} % of what STS packs (PackedPolicyTooLarge); the \
             setting `enforce_packed_policy_size` refuses what is over 100"
        )));
    }
    Ok(())
}

/// How full the session's policies and tags are, in percent: the share that their bytes have of
/// 2,048. The real figure is of a packed form; a session with a handful of tags was seen at 46.
pub(crate) fn packed_policy_size(case: &Case<'_>) -> Result<u32, Refusal> {
    let profile = case.profile()?;
    let arns = profile.managed_policy_arns.iter().map(String::len);
    let policy = profile.session_policy.as_ref().map_or(0, |policy| {
        // Packed, white space between tokens is the first thing to go.
        policy
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count()
    });
    let size = case.session_tags()?.size() + policy + arns.sum::<usize>();
    Ok(u32::try_from((size * 100).div_ceil(FULL)).unwrap_or(u32::MAX))
}
