//! An option with an empty value counts as absent, as for `aws_signing_helper`: scripts write
//! `--intermediates "$FILE"` where `FILE` may be empty.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command};

/// The command line without the options whose value is empty, as if they had not been written. Since the last
/// of a repeated option counts, an empty one takes those before it with it.
pub(super) fn removed(command: &Command, line: Vec<OsString>) -> Vec<OsString> {
    let chosen = line.get(1).and_then(|name| command.find_subcommand(name));
    let Some(chosen) = chosen else {
        return line;
    };
    // Each option's name with the words that it consists of.
    let mut written: Vec<(Option<&str>, Vec<OsString>)> = Vec::new();
    let mut words = line.into_iter().peekable();
    while let Some(word) = words.next() {
        let Some((argument, value)) = option(chosen, &word) else {
            written.push((None, vec![word]));
            continue;
        };
        let name = argument.get_long();
        let (empty, group) = match value {
            Some(length) => (length == 0, vec![word]),
            None => {
                let is_value = |next: &OsString| {
                    argument.is_allow_hyphen_values_set()
                        || !next.as_encoded_bytes().starts_with(b"--")
                };
                let value = words.next_if(is_value);
                let empty = value.as_ref().is_some_and(|value| value.is_empty());
                (empty, std::iter::once(word).chain(value).collect())
            }
        };
        if !empty {
            written.push((name, group));
        } else if !matches!(argument.get_action(), ArgAction::Append) {
            written.retain(|(earlier, _)| *earlier != name);
        }
    }
    written.into_iter().flat_map(|(_, group)| group).collect()
}

/// The option that the word begins, where it takes a value, and the length of the value behind its `=`.
fn option<'a>(command: &'a Command, word: &OsStr) -> Option<(&'a Arg, Option<usize>)> {
    let word = word.as_encoded_bytes().strip_prefix(b"--")?;
    let end = word.iter().position(|byte| *byte == b'=');
    let name = word.get(..end.unwrap_or(word.len()))?;
    let argument = command.get_arguments().find(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        let mut names = argument.get_long().into_iter().chain(aliases);
        names.any(|known| known.as_bytes() == name)
    })?;
    // An option that is on or off takes its value behind `=` only; an empty value is an error there, as in Go.
    let takes = argument.get_action().takes_values() && !argument.is_require_equals_set();
    takes.then_some((argument, end.map(|end| word.len() - end - 1)))
}
