//! A refused command line in one line: what is wrong, and what to write instead.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rolesanywhere_core::source::{Part, Source, shown_word};

/// What to remember about ~/.aws/config, where most of these mistakes are made.
const CONTINUATION_HINT: &str =
    "in ~/.aws/config the whole command stands on one line, without `\\` at its end";

/// A command line that is not carried out: it is wrong, or asks for help or the version.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: clap::Error,
    /// The options that came from environment variables.
    pub(super) from_variables: Vec<String>,
    /// The command line, which may hold secrets in wrong places.
    pub(super) line: Vec<OsString>,
}

impl Refusal {
    /// What is wrong in one line, with the variable that it came from.
    pub(crate) fn one_line(&self) -> String {
        let line = one_line(&self.error, &self.line);
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
///
/// Words that have no meaning are repeated only when they can hold no secret: a key or a password that was not quoted
/// comes as such words.
fn one_line(error: &clap::Error, line: &[OsString]) -> String {
    let invalid = text(error, ContextKind::InvalidArg);
    let value = text(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(error, line),
        ErrorKind::InvalidSubcommand => {
            let given = text(error, ContextKind::InvalidSubcommand);
            match suggestion(error, ContextKind::SuggestedSubcommand) {
                Some(near) => format!("`{given}` is no command: did you mean `{near}`?"),
                None => format!(
                    "{} is no command: `rolesanywhere help` lists them",
                    shown_word(&given).unwrap_or_else(|| "the first word".to_owned())
                ),
            }
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
            let value = shown_word(&value).unwrap_or_else(|| "what was passed".to_owned());
            format!("{invalid}: {value} is none of its values, pass one of {valid}")
        }
        ErrorKind::TooManyValues => {
            let value = shown_word(&value).unwrap_or_else(|| "the next word".to_owned());
            format!(
                "{invalid} takes a value after `=` only, `true` or `false`: {value} is too many"
            )
        }
        _ => {
            let rendered = error.to_string();
            let first = rendered.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

fn unknown(error: &clap::Error, line: &[OsString]) -> String {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else {
        return format!("a word has no meaning: {CONTINUATION_HINT}");
    };
    let hidden = || {
        let place = option_before(word, line).map(|option| format!(" after {option}"));
        let place = place.unwrap_or_default();
        format!("a word{place}, which is not repeated since it may be a secret,")
    };
    if !word.starts_with('-') {
        let given = shown_word(word).unwrap_or_else(hidden);
        return format!(
            "{given} stands alone, but every option is written `--name value`: {CONTINUATION_HINT}"
        );
    }
    if Source::in_code(word, Part::PrivateKey) == Source::Content {
        return format!(
            "{} is the content of a file, and every user of the machine can read a command line: put the content into \
             a variable and write `env:NAME`, or write the path of a file",
            hidden()
        );
    }
    match (
        shown_word(word),
        suggestion(error, ContextKind::SuggestedArg),
    ) {
        (Some(given), Some(near)) => format!("{given} is no option: did you mean `{near}`?"),
        (Some(given), None) => {
            format!("{given} is no option: `--help` after the command lists them")
        }
        (None, _) => format!(
            "{} is no option: write `--name=value` where a value begins with `-`, and quote what holds spaces",
            hidden()
        ),
    }
}

/// The option that stands before a word.
fn option_before(word: &str, line: &[OsString]) -> Option<String> {
    let is_word = |other: &OsString| other.to_string_lossy().starts_with(word);
    let at = line.iter().position(is_word)?;
    line.get(..at)?
        .iter()
        .rev()
        .map(|word| word.to_string_lossy())
        .find(|word| word.starts_with("--"))
        .and_then(|option| shown_word(&option))
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
