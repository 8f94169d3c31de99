//! Why something cannot be a resource.

use rolesanywhere_core::{Error, ErrorKind};

/// Why plain data cannot be a resource: what the service would say, and the reason in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    message: String,
    reason: String,
}

impl Invalid {
    /// Where the service's words are not known, ours stand for them.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            message: reason.clone(),
            reason,
        }
    }

    /// With the service's words.
    pub(crate) fn saying(message: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            reason: reason.into(),
        }
    }

    /// What the service says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What is wrong.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// For a reader of configuration files: `what` is the resource.
    pub(crate) fn in_configuration(&self, what: &str) -> Error {
        Error::new(ErrorKind::InvalidInput, self.reason.clone()).context(what)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::new(ErrorKind::InvalidInput, invalid.reason)
    }
}

impl From<Error> for Invalid {
    fn from(error: Error) -> Self {
        Self::new(error.message())
    }
}
