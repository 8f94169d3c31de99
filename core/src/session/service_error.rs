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

    /// One line: code, message, status and request id.
    pub(crate) fn summary(&self) -> String {
        let code = self.code.as_deref().unwrap_or("an error without a code");
        let message = self.message.as_deref().unwrap_or("no message");
        let id = self.request_id.as_deref().unwrap_or("none");
        let status = self.status;
        format!("the service answered {code}: {message} (status {status}, request id {id})")
    }
}
