//! Where the parts of an identity are, and what an error may repeat of it.
//!
//! `name` is the parameter as the user writes it, `part` what it is for (`certificate`, `certificate chain`, `password`,
//! `private key`), `in_code` that it is an argument, where a text is content or a path.

use napi::Env;
use napi_derive::napi;
use rolesanywhere_core::{
    Error, Result, Source,
    source::{self, Parameter, Part},
};
use zeroize::Zeroizing;

use crate::{convert::invalid, error::OrThrow};

/// Where the content is: `content`, `path`, `stream` (standard input or a descriptor), or `variable` with its name.
#[napi]
pub fn source_of(
    env: Env,
    value: String,
    name: String,
    part: String,
    in_code: bool,
) -> napi::Result<Vec<String>> {
    let value = Zeroizing::new(value);
    found(&value, &name, &part, in_code).or_throw(env)
}

fn found(value: &str, name: &str, part: &str, in_code: bool) -> Result<Vec<String>> {
    let parameter = parameter(name, part, in_code)?;
    let source = if in_code {
        Source::in_code(value, parameter.part)
    } else {
        Source::read(value, parameter)?
    };
    Ok(match source {
        Source::Content => vec!["content".to_owned()],
        Source::Descriptor(_) | Source::StandardInput => vec!["stream".to_owned()],
        Source::Path(_) => vec!["path".to_owned()],
        Source::Variable(name) => vec!["variable".to_owned(), name.to_owned()],
    })
}

/// Throws the error for a file that cannot be read.
#[napi]
pub fn refuse_unreadable(
    env: Env,
    value: String,
    name: String,
    part: String,
    in_code: bool,
    found: bool,
    reason: String,
) -> napi::Result<()> {
    let value = Zeroizing::new(value);
    parameter(&name, &part, in_code)
        .and_then(|parameter| Err(source::unreadable(&value, parameter, found, &reason)))
        .or_throw(env)
}

/// Throws the error for a variable that is unset.
#[napi]
pub fn refuse_unset(env: Env, name: String, part: String) -> napi::Result<()> {
    refuse(env, &name, &part, source::unset)
}

/// Throws the error for standard input and descriptors, which a library does not read.
#[napi]
pub fn refuse_stream(env: Env, name: String, part: String) -> napi::Result<()> {
    refuse(env, &name, &part, source::not_ours)
}

fn refuse(env: Env, name: &str, part: &str, error: fn(Parameter<'_>) -> Error) -> napi::Result<()> {
    parameter(name, part, false)
        .and_then(|parameter| Err(error(parameter)))
        .or_throw(env)
}

fn parameter<'a>(name: &'a str, part: &str, in_code: bool) -> Result<Parameter<'a>> {
    let part =
        Part::named(part).ok_or_else(|| invalid("the part of an identity has no such name"))?;
    Ok(Parameter {
        name,
        part,
        in_code,
    })
}
