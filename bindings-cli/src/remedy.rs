//! What to do about a refusal. The service says little: the same few words for many causes, which
//! its users found out one by one.

use rolesanywhere_core::ServiceError;

/// What to do about the service's message; `None` when it is not one of the known ones.
pub(crate) fn of(error: &ServiceError) -> Option<&'static str> {
    let message = error.message.as_deref().unwrap_or_default();
    REMEDIES
        .iter()
        .find(|(part, _)| message.contains(part))
        .map(|(_, remedy)| *remedy)
        .or(match error.status {
            429 => Some("share sessions between processes, CreateSession is limited to some ten calls a second"),
            500..=599 => Some("try again later"),
            _ => None,
        })
}

/// The longer text first where one holds another.
const REMEDIES: [(&str, &str); 11] = [
    (
        "exceeds the MaxSessionDuration",
        "pass a shorter --session-duration, or raise the role's maximum",
    ),
    (
        "Unable to assume role",
        "let the role's trust policy allow sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity to \
         rolesanywhere.amazonaws.com, and check its conditions against the certificate's names",
    ),
    (
        "Insufficient certificate",
        "ask the issuer for a certificate of version 3 with the key usage digitalSignature and without CA:TRUE",
    ),
    (
        "Untrusted signing certificate",
        "check that the certificate is valid now and was issued under this trust anchor, and pass the \
         certificates between with --intermediates",
    ),
    (
        "Certificate revoked",
        "use another certificate, this one is on a list of revoked ones",
    ),
    (
        "Invalid signature",
        "check this machine's clock, and whether a proxy changes the request",
    ),
    (
        "Trust Anchor wasn't found",
        "check --trust-anchor-arn, its region and its account",
    ),
    ("Trust Anchor is disabled", "enable the trust anchor"),
    (
        "Invalid or empty profile",
        "check --profile-arn, its region and its account",
    ),
    (
        "isn't one of those listed in the Profile",
        "add the role to the profile, or correct --role-arn or --profile-arn",
    ),
    (
        "Not authorized to set roleSessionName",
        "let the profile accept session names (acceptRoleSessionName), or drop --role-session-name",
    ),
];
