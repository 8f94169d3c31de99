//! From the core's errors to what Swift throws. The hand-written target makes a `RolesAnywhereError`
//! of it, one case per kind.

use std::{fmt, sync::Arc};

use rolesanywhere_core::{Error, ErrorKind, UnixTime};

/// The result of every fallible function of the library.
pub type Result<T> = core::result::Result<T, Arc<Failure>>;

/// What the core says about an error. `Provider` takes it back from the driver.
#[derive(Debug, uniffi::Object)]
pub struct Failure(pub(crate) Error);

#[uniffi::export]
impl Failure {
    /// A failure of the host's: a connection that broke, a signer that refused.
    #[uniffi::constructor]
    pub fn new(kind: FailureKind, message: String) -> Self {
        Self(Error::new(kind.into(), message))
    }

    /// The kind, which Swift's cases follow.
    pub fn kind(&self) -> FailureKind {
        self.0.kind().into()
    }

    /// The message, which holds no secret.
    pub fn message(&self) -> String {
        self.0.message().to_owned()
    }

    /// What the service answered, where it was the service that refused.
    pub fn service(&self) -> Option<ServiceAnswer> {
        let service = self.0.service()?;
        Some(ServiceAnswer {
            status: service.status,
            code: service.code.clone(),
            message: service.message.clone(),
            request_id: service.request_id.clone(),
            server_time: service.server_time.map(UnixTime::seconds),
            retry_after: service.retry_after.map(|pause| pause.as_secs()),
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())
    }
}

impl core::error::Error for Failure {}

/// What `map_err` wants: UniFFI throws objects behind an `Arc`.
pub(crate) fn thrown(error: Error) -> Arc<Failure> {
    Arc::new(Failure(error))
}

/// The service's refusal.
#[derive(Debug, uniffi::Record)]
pub struct ServiceAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The error's code.
    pub code: Option<String>,
    /// The service's message.
    pub message: Option<String>,
    /// The request id, which AWS support asks for.
    pub request_id: Option<String>,
    /// The server's clock when it answered, Unix seconds.
    pub server_time: Option<i64>,
    /// How many seconds the service asks to wait.
    pub retry_after: Option<u64>,
}

/// An error's code, and whether the same request may succeed later: the contract across languages.
#[derive(Debug, uniffi::Record)]
pub struct KindOfFailure {
    /// The kind.
    pub kind: FailureKind,
    /// The stable code, in snake case.
    pub code: String,
    /// Whether the same request, signed anew, may succeed later.
    pub retryable: bool,
}

/// Every kind of error.
#[uniffi::export]
pub fn kinds_of_failure() -> Vec<KindOfFailure> {
    let kinds = ErrorKind::ALL.iter();
    kinds
        .map(|kind| KindOfFailure {
            kind: (*kind).into(),
            code: kind.code().to_owned(),
            retryable: kind.is_retryable(),
        })
        .collect()
}

macro_rules! failure_kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// The core's `ErrorKind`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum FailureKind {
            $($(#[$doc])* $kind,)*
        }

        impl From<FailureKind> for ErrorKind {
            fn from(kind: FailureKind) -> Self {
                match kind { $(FailureKind::$kind => Self::$kind,)* }
            }
        }

        impl From<ErrorKind> for FailureKind {
            fn from(kind: ErrorKind) -> Self {
                match kind {
                    $(ErrorKind::$kind => Self::$kind,)*
                    // `ErrorKind` may grow; a test holds that every kind of today has its case.
                    _ => Self::InvalidResponse,
                }
            }
        }
    };
}

failure_kinds! {
    /// The service refused.
    AccessDenied,
    /// The certificate or its chain cannot be read or used.
    InvalidCertificate,
    /// An argument is out of bounds or malformed.
    InvalidInput,
    /// The private key cannot be read.
    InvalidKey,
    /// The answer is not what the service sends.
    InvalidResponse,
    /// The private key does not belong to the certificate.
    KeyMismatch,
    /// The key is encrypted and no password was given.
    PasswordRequired,
    /// The service found the request invalid.
    RequestRejected,
    /// The service failed.
    ServiceUnavailable,
    /// The signer could not sign.
    SigningFailed,
    /// The service asked to slow down.
    Throttled,
    /// The request or the answer was lost on the way.
    TransportFailed,
    /// The format or algorithm is known, and refused by name.
    Unsupported,
    /// The password does not open the key.
    WrongPassword,
}
