//! What crosses the border between Python and the core.

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyByteArray, PyBytes},
};
use rolesanywhere_core::HttpRequest as CoreRequest;
use zeroize::Zeroizing;

use crate::types::HttpRequest;

/// Bytes from Python that may be a secret: `bytes` or `bytearray`, copied, wiped when dropped. The
/// caller can wipe a `bytearray` of his own, not `bytes`.
pub(crate) struct SecretBytes(pub(crate) Zeroizing<Vec<u8>>);

impl<'a, 'py> FromPyObject<'a, 'py> for SecretBytes {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Self(Zeroizing::new(bytes.as_bytes().to_vec())));
        }
        let bytes = value
            .cast::<PyByteArray>()
            .map_err(|_| PyTypeError::new_err("bytes or bytearray expected"))?;
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }
}

impl From<CoreRequest> for HttpRequest {
    fn from(request: CoreRequest) -> Self {
        let CoreRequest {
            method,
            url,
            headers,
            body,
        } = request;
        Self {
            method,
            url,
            headers,
            body,
        }
    }
}
