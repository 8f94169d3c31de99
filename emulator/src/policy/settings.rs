//! What parsing allows where IAM's own behaviour is adjustable or not established.

/// IAM's default quota for a role's trust policy, in characters other than white space between JSON
/// tokens (IAM User Guide, "IAM and AWS STS quotas").
pub const DEFAULT_MAX_SIZE: usize = 2048;

/// The highest value that the quota can be raised to (same page).
pub const HIGHEST_MAX_SIZE: usize = 4096;

/// How [`TrustPolicy::parse_with`](super::TrustPolicy::parse_with) reads a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The largest policy, in characters; white space between JSON tokens is not counted. Held to
    /// [`HIGHEST_MAX_SIZE`]. [`DEFAULT_MAX_SIZE`] by default.
    pub max_size: usize,
    /// Whether `NotPrincipal` may stand in a `Deny` statement. `true` by default. The User Guide of
    /// 2025 says that it cannot be used in trust policies; earlier editions said that it can, and
    /// policies that use it exist. With `Allow` it is refused always.
    pub not_principal: bool,
    /// Whether `Action` and `NotAction` may hold wildcards, as in `sts:*` and `*`. `true` by default.
    /// Users have reported that IAM refuses them in new trust policies; AWS documents neither.
    pub wildcard_actions: bool,
    /// Whether a condition value that its operator cannot read (`"Bool": {"aws:SecureTransport":
    /// "yes"}`) is let through, to match nothing, rather than refused. `false` by default: IAM is
    /// known to refuse only unreadable dates, and a policy that can never match is better seen at
    /// once. Dates are refused always.
    pub untyped_values: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_size: DEFAULT_MAX_SIZE,
            not_principal: true,
            wildcard_actions: true,
            untyped_values: false,
        }
    }
}
