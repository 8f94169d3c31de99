//! Where the parts of an identity are, and what an error may repeat of it: for hosts that have files.
//!
//! `name` is the parameter as the user writes it, `part` what it is for (`certificate`, `certificate chain`, `password`,
//! `private key`), `in_code` that it is an argument, where a text is content or a path.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use rolesanywhere_core::{
    Error, ErrorKind, Source,
    source::{self, Parameter, Part},
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::error::Result;

/// Where the content is: `content`, `path`, `stream` (standard input or a descriptor), or `variable` with its name.
#[wasm_bindgen(js_name = sourceOf)]
pub fn source_of(value: String, name: &str, part: &str, in_code: bool) -> Result<Vec<String>> {
    let value = Zeroizing::new(value);
    let parameter = parameter(name, part, in_code)?;
    let source = if in_code {
        Source::in_code(&value, parameter.part)
    } else {
        Source::read(&value, parameter)?
    };
    Ok(match source {
        Source::Content => vec!["content".to_owned()],
        Source::Descriptor(_) | Source::StandardInput => vec!["stream".to_owned()],
        Source::Path(_) => vec!["path".to_owned()],
        Source::Variable(name) => vec!["variable".to_owned(), name.to_owned()],
    })
}

/// Throws the error for a file that cannot be read.
#[wasm_bindgen(js_name = refuseUnreadable)]
pub fn refuse_unreadable(
    value: String,
    name: &str,
    part: &str,
    in_code: bool,
    found: bool,
    reason: &str,
) -> Result<()> {
    let value = Zeroizing::new(value);
    let parameter = parameter(name, part, in_code)?;
    Err(source::unreadable(&value, parameter, found, reason).into())
}

/// Throws the error for a variable that is unset.
#[wasm_bindgen(js_name = refuseUnset)]
pub fn refuse_unset(name: &str, part: &str) -> Result<()> {
    Err(source::unset(parameter(name, part, false)?).into())
}

/// Throws the error for standard input and descriptors, which a library does not read.
#[wasm_bindgen(js_name = refuseStream)]
pub fn refuse_stream(name: &str, part: &str) -> Result<()> {
    Err(source::not_ours(parameter(name, part, false)?).into())
}

fn parameter<'a>(name: &'a str, part: &str, in_code: bool) -> Result<Parameter<'a>> {
    let part = Part::named(part).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidInput,
            "the part of an identity has no such name",
        )
    })?;
    Ok(Parameter {
        name,
        part,
        in_code,
    })
}
