//! What can go wrong, told so that the reader knows what to do next.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use crate::{session::ServiceError, text::made_printable};

/// The result of every fallible function of this crate.
pub type Result<T> = core::result::Result<T, Error>;

/// What was read, and why the rest was not.
pub(crate) fn divided<T>(results: impl IntoIterator<Item = Result<T>>) -> (Vec<T>, Vec<Error>) {
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => read.push(value),
            Err(error) => refused.push(error),
        }
    }
    (read, refused)
}

/// An error: its [kind](ErrorKind), a message that names the cause and the next action, and what
/// the service said where it was the service that refused.
///
/// Messages are lower case, quote the caller's words in backticks and never hold a secret. A message is one
/// line with invisible characters escaped ([`text::printable`](crate::text::printable)), because names in
/// certificates and answers of servers are quoted in messages.
// One word: every function hands errors on, and in a wasm module each byte of them is code.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    service: Option<Box<ServiceError>>,
}

impl Error {
    /// Makes an error. Bindings use it for what the core cannot see: a file that is missing, a
    /// signer of the host's that failed, a connection that broke.
    ///
    /// The message is shown to people and written to logs: it must not hold a secret.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::made(kind, message.into(), None)
    }

    /// [`new`](Self::new) with a message that is put together here, once for all who make errors.
    #[cold]
    #[inline(never)]
    pub(crate) fn written(kind: ErrorKind, message: fmt::Arguments<'_>) -> Self {
        Self::made(kind, alloc::fmt::format(message), None)
    }

    fn made(kind: ErrorKind, message: String, service: Option<Box<ServiceError>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: made_printable(message),
            service,
        }))
    }

    /// Makes an error out of what the service said; its kind follows from the status and code.
    pub fn from_service(service: ServiceError) -> Self {
        let (kind, message) = (service.kind(), service.summary());
        Self::made(kind, message, Some(Box::new(service)))
    }

    /// What kind of error this is: the part of it that programs decide by.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without the kind.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the service answered, when the error is the service's.
    pub fn service(&self) -> Option<&ServiceError> {
        self.0.service.as_deref()
    }

    /// Whether the same request, signed anew, may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// The same error with `context` and a colon before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = made_printable(alloc::format!("{context}: {}", self.0.message));
        self
    }

    /// The same error in other words: the kind and what the service said stay.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = made_printable(message.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("service", &self.0.service)
            .finish()
    }
}

impl core::error::Error for Error {}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, retry $retry:literal;)*) => {
        /// The kinds of error, told apart by what the user should do. Each has a stable code that is
        /// the same in every language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorKind {
            /// Every kind, in alphabetical order.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$variant,)*];

            /// The stable snake_case code, the contract across languages.
            pub const fn code(self) -> &'static str {
                match self { $(ErrorKind::$variant => $code,)* }
            }

            /// The kind of that code; `None` when there is none.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.code() == code)
            }

            /// Whether the same request, signed anew, may succeed later.
            pub const fn is_retryable(self) -> bool {
                match self { $(ErrorKind::$variant => $retry,)* }
            }
        }
    };
}

error_kinds! {
    /// The service refused (403): check the certificate, the trust anchor, the profile, the role
    /// and its trust policy.
    AccessDenied = "access_denied", retry false;
    /// The certificate or its chain cannot be read or used: ask its issuer for another, or convert it.
    InvalidCertificate = "invalid_certificate", retry false;
    /// An argument is out of bounds or malformed: correct it.
    InvalidInput = "invalid_input", retry false;
    /// The private key cannot be read: convert it as the message says.
    InvalidKey = "invalid_key", retry false;
    /// The answer is not what the service sends: check the endpoint and what stands between.
    InvalidResponse = "invalid_response", retry false;
    /// The private key does not belong to the certificate: pass the pair that does.
    KeyMismatch = "key_mismatch", retry false;
    /// The key is encrypted and no password was given: give one.
    PasswordRequired = "password_required", retry false;
    /// The service found the request invalid (400, 404 and other 4xx): correct the request.
    RequestRejected = "request_rejected", retry false;
    /// The service failed (5xx): try again later.
    ServiceUnavailable = "service_unavailable", retry true;
    /// The signer could not sign: look at the key store that it uses.
    SigningFailed = "signing_failed", retry false;
    /// The service asked to slow down (429): try again later, and share sessions.
    Throttled = "throttled", retry true;
    /// The request or the answer was lost on the way: check the network, the proxy and the CA bundle.
    TransportFailed = "transport_failed", retry true;
    /// The format or algorithm is known, and refused by name: convert as the message says.
    Unsupported = "unsupported", retry false;
    /// The password does not open the key: give the right one.
    WrongPassword = "wrong_password", retry false;
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn codes_are_sorted_and_unique() {
        let codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    }

    #[test]
    fn context_stands_before_the_message() {
        let error = Error::new(ErrorKind::InvalidKey, "no PEM block").context("`key.pem`");
        assert_eq!(error.to_string(), "`key.pem`: no PEM block");
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
    }

    #[test]
    fn what_strangers_wrote_is_shown_escaped() {
        let error = Error::new(ErrorKind::InvalidKey, "a\u{202e}b\n").context("c\u{200b}");
        assert_eq!(error.message(), "c\\u{200b}: a\\u{202e}b ");
        let error = error.with_message("d\u{1b}[2J");
        assert_eq!(error.message(), "d\\u{1b}[2J");
    }

    #[test]
    fn other_words_leave_what_the_service_said() {
        let service = ServiceError {
            status: 429,
            code: None,
            message: None,
            request_id: None,
            server_time: None,
            retry_after: Some(core::time::Duration::from_secs(7)),
        };
        let error = Error::from_service(service).with_message("slow down");
        assert_eq!(error.to_string(), "slow down");
        assert_eq!(error.kind(), ErrorKind::Throttled);
        let asked = error.service().and_then(|service| service.retry_after);
        assert_eq!(asked, Some(core::time::Duration::from_secs(7)));
    }

    use alloc::string::ToString;
}
