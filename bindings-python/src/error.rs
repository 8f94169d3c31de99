//! From the core's errors to Python's: one class per kind, all under one base.

use pyo3::{prelude::*, types::PyDict};
use rolesanywhere_core::{Error, ErrorKind, UnixTime};

/// The result of every fallible function of the module.
pub(crate) type Result<T> = core::result::Result<T, Failure>;

/// What the core says about an error. Python's exceptions carry it along as `_failure`, so that
/// the `Provider` is told all that the core knew.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Failure(pub(crate) Error);

#[pymethods]
impl Failure {
    /// A failure of the host's: a connection that broke, a signer that refused.
    #[new]
    fn new(code: &str, message: &str) -> Self {
        let kind = ErrorKind::from_code(code).unwrap_or(ErrorKind::InvalidResponse);
        Self(Error::new(kind, message))
    }

    /// Every code and whether its kind may succeed later: the contract across languages.
    #[staticmethod]
    fn kinds() -> Vec<(&'static str, bool)> {
        let kinds = ErrorKind::ALL.iter();
        kinds
            .map(|kind| (kind.code(), kind.is_retryable()))
            .collect()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| match exception_of(py, failure) {
            Ok(exception) => Self::from_value(exception),
            Err(error) => error,
        })
    }
}

/// The exception that stands for an error.
pub(crate) fn exception_of(py: Python<'_>, failure: Failure) -> PyResult<Bound<'_, PyAny>> {
    let error = &failure.0;
    let details = PyDict::new(py);
    if let Some(service) = error.service() {
        details.set_item("status", service.status)?;
        details.set_item("service_code", service.code.as_deref())?;
        details.set_item("service_message", service.message.as_deref())?;
        details.set_item("request_id", service.request_id.as_deref())?;
        details.set_item("server_time", service.server_time.map(UnixTime::seconds))?;
        let retry_after = service.retry_after.map(|pause| pause.as_secs_f64());
        details.set_item("retry_after", retry_after)?;
    }
    let class = py
        .import("rolesanywhere.errors")?
        .getattr(class(error.kind()))?;
    let value = class.call((error.message(),), Some(&details))?;
    value.setattr("_failure", failure)?;
    Ok(value)
}

/// The class of `rolesanywhere.errors` that stands for a kind.
fn class(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AccessDenied => "AccessDeniedError",
        ErrorKind::InvalidCertificate => "InvalidCertificateError",
        ErrorKind::InvalidInput => "InvalidInputError",
        ErrorKind::InvalidKey => "InvalidKeyError",
        ErrorKind::InvalidResponse => "InvalidResponseError",
        ErrorKind::KeyMismatch => "KeyMismatchError",
        ErrorKind::PasswordRequired => "PasswordRequiredError",
        ErrorKind::RequestRejected => "RequestRejectedError",
        ErrorKind::ServiceUnavailable => "ServiceUnavailableError",
        ErrorKind::SigningFailed => "SigningFailedError",
        ErrorKind::Throttled => "ThrottledError",
        ErrorKind::TransportFailed => "TransportFailedError",
        ErrorKind::Unsupported => "UnsupportedError",
        ErrorKind::WrongPassword => "WrongPasswordError",
        // `ErrorKind` may grow; a test holds that every kind of today has its class.
        _ => "RolesAnywhereError",
    }
}
