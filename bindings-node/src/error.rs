//! From the core's errors to what Node catches: one class, told apart by `code`. The package's
//! JavaScript makes a `RolesAnywhereError` of it.

use napi::{
    Env, Status,
    bindgen_prelude::{JavaScriptClassExt, JsValue},
};
use napi_derive::napi;
use rolesanywhere_core::{Error, ErrorKind, ServiceError};

use crate::convert::{Maybe, maybe, seconds_of};

/// What the core says about an error. `Provider` takes it back, to know all that the core knew.
#[napi]
pub struct Failure {
    error: Error,
}

#[napi]
impl Failure {
    /// A failure of the host's: a connection that broke, a signer that refused.
    #[napi(constructor)]
    pub fn new(code: String, message: String) -> Self {
        let kind = ErrorKind::from_code(&code).unwrap_or(ErrorKind::InvalidResponse);
        Self {
            error: Error::new(kind, message),
        }
    }

    /// The stable code of the kind, the contract across languages.
    #[napi(getter)]
    pub fn code(&self) -> &str {
        self.error.kind().code()
    }

    /// The message, which holds no secret.
    #[napi(getter)]
    pub fn message(&self) -> &str {
        self.error.message()
    }

    /// Whether the same request, signed anew, may succeed later.
    #[napi(getter)]
    pub fn retryable(&self) -> bool {
        self.error.is_retryable()
    }

    /// The HTTP status, where the service answered.
    #[napi(getter)]
    pub fn status(&self) -> Maybe<u32> {
        maybe(self.service().map(|service| u32::from(service.status)))
    }

    /// The service's code.
    #[napi(getter)]
    pub fn service_code(&self) -> Maybe<String> {
        maybe(self.service().and_then(|service| service.code.clone()))
    }

    /// The service's message.
    #[napi(getter)]
    pub fn service_message(&self) -> Maybe<String> {
        maybe(self.service().and_then(|service| service.message.clone()))
    }

    /// The request id.
    #[napi(getter)]
    pub fn request_id(&self) -> Maybe<String> {
        maybe(
            self.service()
                .and_then(|service| service.request_id.clone()),
        )
    }

    /// The server's clock when it answered, Unix seconds.
    #[napi(getter)]
    pub fn server_time(&self) -> Maybe<f64> {
        let time = self.service().and_then(|service| service.server_time);
        maybe(time.map(seconds_of))
    }

    /// How many seconds the service asks to wait.
    #[napi(getter)]
    pub fn retry_after(&self) -> Maybe<u32> {
        let pause = self.service().and_then(|service| service.retry_after);
        maybe(pause.map(|pause| u32::try_from(pause.as_secs()).unwrap_or(u32::MAX)))
    }

    fn service(&self) -> Option<&ServiceError> {
        self.error.service()
    }

    pub(crate) fn error(&self) -> &Error {
        &self.error
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error }
    }
}

/// Every code: the contract across languages.
#[napi]
pub fn error_codes() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.code()).collect()
}

/// The core's errors on their way out.
pub(crate) trait OrThrow<T> {
    /// The value, or a [`Failure`] that is thrown at once: from a function that Node called.
    fn or_throw(self, env: Env) -> napi::Result<T>;

    /// The value, or a [`Failure`] that a promise is rejected with: from a task's `resolve`.
    fn or_reject(self, env: Env) -> napi::Result<T>;
}

impl<T> OrThrow<T> for rolesanywhere_core::Result<T> {
    fn or_throw(self, env: Env) -> napi::Result<T> {
        self.map_err(|error| match env.throw(Failure { error }) {
            // What is thrown already stays as it is; an error of napi's own would be rebuilt as text.
            Ok(()) => napi::Error::new(Status::PendingException, String::new()),
            Err(error) => error,
        })
    }

    fn or_reject(self, env: Env) -> napi::Result<T> {
        self.map_err(|error| match (Failure { error }).into_instance(&env) {
            Ok(failure) => failure.to_unknown().into(),
            Err(error) => error,
        })
    }
}
