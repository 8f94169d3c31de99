//! A refused command line in one line: what is wrong, and what to write instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What to remember about ~/.aws/config, where most of these mistakes are made.
const CONTINUATION_HINT: &str =
    "in ~/.aws/config the whole command stands on one line, without `\\` at its end";

/// A command line that is not carried out: it is wrong, or asks for help or the version.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: clap::Error,
    /// The options that came from environment variables.
    pub(super) from_variables: Vec<String>,
}

impl Refusal {
    /// What is wrong in one line, with the variable that it came from.
    pub(crate) fn one_line(&self) -> String {
        let line = one_line(&self.error);
        let invalid = text(&self.error, ContextKind::InvalidArg);
        let named = |long: &&String| {
            invalid
                .split(", ")
                .any(|name| name == format!("`--{long}`"))
        };
        match self.from_variables.iter().find(named) {
            Some(long) => {
                let variable = long.replace('-', "_").to_ascii_uppercase();
                format!("{line} (it came from the variable ROLESANYWHERE_{variable})")
            }
            None => line,
        }
    }
}

/// The error in one line, without the usage that clap would print below it.
fn one_line(error: &clap::Error) -> String {
    let invalid = text(error, ContextKind::InvalidArg);
    let value = text(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(error, &invalid),
        ErrorKind::InvalidSubcommand => {
            let given = text(error, ContextKind::InvalidSubcommand);
            let next = match suggestion(error, ContextKind::SuggestedSubcommand) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`rolesanywhere help` lists them".to_owned(),
            };
            format!("`{given}` is no command: {next}")
        }
        ErrorKind::MissingRequiredArgument => {
            format!("missing {invalid}: pass it, and remember that {CONTINUATION_HINT}")
        }
        ErrorKind::ArgumentConflict => {
            let prior = text(error, ContextKind::PriorArg);
            format!("{invalid} and {prior} exclude each other: pass one of them")
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            // The value itself may be a secret that stands in the wrong place: it is not repeated.
            format!("{invalid}: {}", reason.unwrap_or_default())
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{invalid} needs a value"),
        ErrorKind::InvalidValue => {
            let valid = text(error, ContextKind::ValidValue);
            format!("{invalid}: `{value}` is none of its values, pass one of {valid}")
        }
        ErrorKind::TooManyValues => {
            format!(
                "{invalid} takes a value after `=` only, `true` or `false`: `{value}` is too many"
            )
        }
        _ => {
            let rendered = error.to_string();
            let first = rendered.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

fn unknown(error: &clap::Error, given: &str) -> String {
    if !given.trim_matches('`').starts_with('-') {
        return format!(
            "{given} stands alone, but every option is written `--name value`: {CONTINUATION_HINT}"
        );
    }
    match suggestion(error, ContextKind::SuggestedArg) {
        Some(near) => format!("{given} is no option: did you mean `{near}`?"),
        None => format!("{given} is no option: `--help` after the command lists them"),
    }
}

fn suggestion(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(one) => Some(one.clone()),
        ContextValue::Strings(several) => several.first().cloned(),
        _ => None,
    }
}

/// A part of the error, options without their placeholders and in backticks.
fn text(error: &clap::Error, kind: ContextKind) -> String {
    let quoted = |option: &str| {
        let name = option.split([' ', '=', '[']).next().unwrap_or(option);
        format!("`{name}`")
    };
    match error.get(kind) {
        Some(ContextValue::String(one)) if kind == ContextKind::InvalidValue => one.clone(),
        Some(ContextValue::String(one)) if kind == ContextKind::InvalidSubcommand => one.clone(),
        Some(ContextValue::String(one)) => quoted(one),
        Some(ContextValue::Strings(several)) => {
            let all: Vec<_> = several.iter().map(|one| quoted(one)).collect();
            all.join(", ")
        }
        _ => String::new(),
    }
}
