//! From the core's errors to what JavaScript catches: one class, told apart by `code`. `js/errors.js`
//! makes a `RolesAnywhereError` of it.

use alloc::{borrow::ToOwned, string::String};

use rolesanywhere_core::{Error, ErrorKind, ServiceError, UnixTime};
use wasm_bindgen::prelude::*;

use crate::convert::seconds_of;

/// The result of every fallible function of the module.
pub type Result<T> = core::result::Result<T, Failure>;

/// What the core says about an error. `Provider` takes it back, to know all that the core knew.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Failure(pub(crate) Error);

#[wasm_bindgen]
impl Failure {
    /// A failure of the host's: a connection that broke, a signer that refused.
    #[wasm_bindgen(constructor)]
    pub fn new(code: &str, message: &str) -> Self {
        let kind = ErrorKind::from_code(code).unwrap_or(ErrorKind::InvalidResponse);
        Self(Error::new(kind, message))
    }

    /// The stable code of the kind, the contract across languages.
    #[wasm_bindgen(getter)]
    pub fn code(&self) -> String {
        self.0.kind().code().to_owned()
    }

    /// The message, which holds no secret.
    #[wasm_bindgen(getter)]
    pub fn message(&self) -> String {
        self.0.message().to_owned()
    }

    /// The HTTP status, where the service answered.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> Option<u16> {
        Some(self.service()?.status)
    }

    /// The service's code.
    #[wasm_bindgen(getter, js_name = serviceCode)]
    pub fn service_code(&self) -> Option<String> {
        self.service()?.code.clone()
    }

    /// The service's message.
    #[wasm_bindgen(getter, js_name = serviceMessage)]
    pub fn service_message(&self) -> Option<String> {
        self.service()?.message.clone()
    }

    /// The request id.
    #[wasm_bindgen(getter, js_name = requestId)]
    pub fn request_id(&self) -> Option<String> {
        self.service()?.request_id.clone()
    }

    /// The server's clock when it answered, Unix seconds.
    #[wasm_bindgen(getter, js_name = serverTime)]
    pub fn server_time(&self) -> Option<f64> {
        self.service()?
            .server_time
            .map(UnixTime::seconds)
            .map(seconds_of)
    }

    /// How many seconds the service asks to wait.
    #[wasm_bindgen(getter, js_name = retryAfter)]
    pub fn retry_after(&self) -> Option<u32> {
        let pause = self.service()?.retry_after?;
        Some(u32::try_from(pause.as_secs()).unwrap_or(u32::MAX))
    }

    fn service(&self) -> Option<&ServiceError> {
        self.0.service()
    }
}

/// For tests.
#[cfg(feature = "full")]
#[wasm_bindgen]
impl Failure {
    /// Whether the same request, signed anew, may succeed later.
    #[wasm_bindgen(getter)]
    pub fn retryable(&self) -> bool {
        self.0.is_retryable()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// Every code: the contract across languages. For tests.
#[cfg(feature = "full")]
#[wasm_bindgen(js_name = errorCodes)]
pub fn error_codes() -> alloc::vec::Vec<String> {
    let kinds = ErrorKind::ALL.iter();
    kinds.map(|kind| kind.code().to_owned()).collect()
}
