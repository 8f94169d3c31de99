//! Options from environment variables: `--trust-anchor-arn` from `ROLESANYWHERE_TRUST_ANCHOR_ARN`.
//!
//! What stands on the command line goes first. A variable of an option is as good as the option at
//! the end of the line, so whatever the option takes, the variable takes. A variable of a part of the identity
//! may also hold the content itself, which a command line must not: it then stands for `env:` and its own name.

use std::ffi::{OsStr, OsString};

use clap::Command;
use rolesanywhere_core::Source;

use super::boolean;
use crate::{
    environment::Environment,
    inputs::{CERTIFICATE, INTERMEDIATES, PRIVATE_KEY},
};

const PREFIX: &str = "ROLESANYWHERE_";

/// Options that exclude each other: one on the command line keeps the others' variables out.
const EXCLUSIVE: [&[&str]; 3] = [
    &["certificate", "cert-selector", "system-store-name"],
    &["listen", "port"],
    &[
        "password-env",
        "password-fd",
        "password-file",
        "pkcs8-password",
        "tpm-key-password",
    ],
];

/// Options without a variable: those that hold a password are deprecated, and `--password-env` is the way.
const NEVER: [&str; 4] = ["help", "pkcs8-password", "tpm-key-password", "version"];

/// The command line with the options that variables add, and the names of these options.
pub(super) fn add(
    command: &Command,
    line: Vec<OsString>,
    environment: &Environment<'_>,
) -> (Vec<OsString>, Vec<String>) {
    let chosen = line.get(1).and_then(|name| command.find_subcommand(name));
    let Some(chosen) = chosen else {
        return (line, Vec::new());
    };
    let written = |name: &str| {
        line.iter().any(|word| {
            let word = word.as_encoded_bytes().strip_prefix(b"--");
            let word = word.and_then(|word| word.strip_prefix(name.as_bytes()));
            word.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
        })
    };
    let rivalled = |name: &str| {
        let mut sets = EXCLUSIVE.iter().filter(|set| set.contains(&name));
        sets.any(|set| set.iter().any(|rival| written(rival)))
    };
    let mut added = Vec::new();
    let mut more = Vec::new();
    for argument in chosen.get_arguments() {
        let Some(long) = argument.get_long().filter(|long| !NEVER.contains(long)) else {
            continue;
        };
        let variable = format!("{PREFIX}{}", long.replace('-', "_").to_ascii_uppercase());
        let Some(value) = environment.value(&variable) else {
            continue;
        };
        let aliases = argument.get_all_aliases().unwrap_or_default();
        if written(long) || aliases.into_iter().any(&written) || rivalled(long) {
            continue;
        }
        if argument.get_action().takes_values() {
            let mut word = OsString::from(format!("--{long}="));
            if is_content(long, &value) {
                word.push(format!("env:{variable}"));
            } else {
                word.push(OsStr::new(&value));
            }
            more.push(word);
        } else if boolean(&value) == Ok(true) {
            more.push(OsString::from(format!("--{long}"))); // It is there, or it is not.
        }
        added.push(long.to_owned());
    }
    let line = line.into_iter().chain(more).collect();
    (line, added)
}

/// Whether the value of an option of the identity is content, and not where it is.
fn is_content(long: &str, value: &str) -> bool {
    [CERTIFICATE, INTERMEDIATES, PRIVATE_KEY]
        .iter()
        .filter(|option| option.name.strip_prefix("--") == Some(long))
        .any(|option| matches!(Source::read(value, *option), Ok(Source::Content)))
}
