//! Where the parts of an identity are, and what an error may repeat of it.

use pyo3::{prelude::*, types::PyString};
use rolesanywhere_core::{
    Error, ErrorKind, Source,
    source::{self, Part},
};

use crate::error::Result;

/// A parameter that says where a part of the identity is: how the user writes it, which part it is for, and whether
/// it is an argument in code.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Parameter {
    name: String,
    part: Part,
    in_code: bool,
}

impl Parameter {
    fn borrowed(&self) -> source::Parameter<'_> {
        source::Parameter {
            name: &self.name,
            part: self.part,
            in_code: self.in_code,
        }
    }
}

#[pymethods]
impl Parameter {
    #[new]
    #[pyo3(signature = (name, part, *, in_code))]
    fn new(name: String, part: &str, in_code: bool) -> Result<Self> {
        let part = Part::named(part).ok_or_else(|| {
            let message = format!("`{part}` is no part of an identity: pass the name of one");
            Error::new(ErrorKind::InvalidInput, message)
        })?;
        Ok(Self {
            name,
            part,
            in_code,
        })
    }

    /// Where the content is: `("content", None)`, `("path", None)`, `("variable", NAME)`, or `("stream", None)` for
    /// standard input and descriptors.
    ///
    /// A value may be a text that is no Unicode, as paths are: Python's own exception about it would hold the value.
    fn source(&self, value: &Bound<'_, PyString>) -> Result<(&'static str, Option<String>)> {
        let value = value.to_string_lossy();
        let found = if self.in_code {
            Source::in_code(&value, self.part)
        } else {
            Source::read(&value, self.borrowed())?
        };
        Ok(match found {
            Source::Content => ("content", None),
            Source::Descriptor(_) | Source::StandardInput => ("stream", None),
            Source::Path(_) => ("path", None),
            Source::Variable(name) => ("variable", Some(name.to_owned())),
        })
    }

    /// Raises the error for a file that cannot be read.
    fn refuse_unreadable(
        &self,
        value: &Bound<'_, PyString>,
        found: bool,
        reason: &str,
    ) -> Result<()> {
        Err(source::unreadable(&value.to_string_lossy(), self.borrowed(), found, reason).into())
    }

    /// Raises the error for a variable that is unset.
    fn refuse_unset(&self) -> Result<()> {
        Err(source::unset(self.borrowed()).into())
    }

    /// Raises the error for standard input and descriptors.
    fn refuse_stream(&self) -> Result<()> {
        Err(source::not_ours(self.borrowed()).into())
    }
}
