//! What the service says when it refuses.

use alloc::{format, string::String};
use core::time::Duration;

use crate::{ErrorKind, UnixTime};

/// An error answer of the service, read from status, headers and body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error's code, `AccessDeniedException` for instance; `None` when the answer carried none.
    pub code: Option<String>,
    /// The service's message; `None` when the answer carried none.
    pub message: Option<String>,
    /// The request id, which AWS support asks for.
    pub request_id: Option<String>,
    /// The server's time, from the `Date` header.
    pub server_time: Option<UnixTime>,
    /// How long the service asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

impl ServiceError {
    /// The kind of error that follows from status and code.
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            _ if self.is_throttle() => ErrorKind::Throttled,
            401 | 403 => ErrorKind::AccessDenied,
            408 | 500..=599 => ErrorKind::ServiceUnavailable,
            400..=499 => ErrorKind::RequestRejected,
            _ => ErrorKind::InvalidResponse,
        }
    }

    fn is_throttle(&self) -> bool {
        const CODES: [&str; 6] = [
            "RequestLimitExceeded",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
            "ThrottledException",
        ];
        self.status == 429
            || self
                .code
                .as_deref()
                .is_some_and(|code| CODES.contains(&code))
    }

    /// What to do about the refusal, by what its users found out: the service says the same few words
    /// for many causes. `None` when the message is not one of the known ones.
    ///
    /// Source of the messages: live answers, as the emulator gives them.
    #[cfg(feature = "explain")]
    pub fn remedy(&self) -> Option<&'static str> {
        let message = self.message.as_deref().unwrap_or_default();
        let known = REMEDIES.iter().find(|(part, _)| message.contains(part));
        known.map(|(_, remedy)| *remedy).or(match self.status {
            429 => Some(
                "share sessions between processes, CreateSession is limited to some ten calls a second",
            ),
            500..=599 => Some("try again later"),
            _ => None,
        })
    }

    /// One line: code, message, status and request id.
    pub(crate) fn summary(&self) -> String {
        let code = self.code.as_deref().unwrap_or("an error without a code");
        let message = self.message.as_deref().unwrap_or("no message");
        let id = self.request_id.as_deref().unwrap_or("none");
        let status = self.status;
        format!("the service answered {code}: {message} (status {status}, request id {id})")
    }
}

/// What a message of the service's contains, and what to do. The longer text first where one holds
/// another.
#[cfg(feature = "explain")]
const REMEDIES: [(&str, &str); 11] = [
    (
        "exceeds the MaxSessionDuration",
        "ask for a shorter session, or raise the role's maximum",
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
         intermediate certificates between them",
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
        "check the trust anchor's ARN, its region and its account",
    ),
    ("Trust Anchor is disabled", "enable the trust anchor"),
    (
        "Invalid or empty profile",
        "check the profile's ARN, its region and its account",
    ),
    (
        "isn't one of those listed in the Profile",
        "add the role to the profile, or correct the ARN of the role or of the profile",
    ),
    (
        "Not authorized to set roleSessionName",
        "let the profile accept session names (acceptRoleSessionName), or ask without a session name",
    ),
];
