//! The commands: each reads its options and does its work; what they say and how they end is here.

mod credential_process;
mod demo;
mod emulate;
mod read_certificate_data;
mod sign_string;
mod update;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use rolesanywhere_core::{Error, ErrorKind, Result};

use crate::{
    arguments::{Arguments, Command},
    console::Console,
    environment::Environment,
};

/// Runs the command line. Stdout gets the result and nothing else; a failure is one line on stderr
/// and status 1.
pub(crate) fn run(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let console = Console::default();
    let environment = Environment::process();
    let arguments = match Arguments::read(line, &environment) {
        Ok(arguments) => arguments,
        Err(refusal) if asks_for_help(&refusal.error) => {
            return end(&console, print(refusal.error.to_string().as_bytes()));
        }
        Err(refusal) => {
            console.failed(&refusal.one_line());
            return ExitCode::FAILURE;
        }
    };
    let outcome = match arguments.command {
        Command::CredentialProcess(options) => {
            credential_process::run(&options, &environment, &console)
        }
        Command::Demo(options) => demo::run(&options, &console),
        Command::Emulate(options) => emulate::run(&options, &console),
        Command::ReadCertificateData(options) => {
            read_certificate_data::run(&options, &environment, &console)
        }
        Command::SignString(options) => sign_string::run(&options, &environment, &console),
        Command::Update(options) => update::run(&options, &environment, &console),
        Command::Version => print(concat!(env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
    };
    end(&console, outcome)
}

/// Whether the "error" is an answer: help, or the version.
fn asks_for_help(error: &clap::Error) -> bool {
    !error.use_stderr()
        || error.exit_code() == 0
        || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

fn end(console: &Console, outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => {
            console.succeeded();
            ExitCode::SUCCESS
        }
        Err(error) => {
            console.failed(&error);
            ExitCode::FAILURE
        }
    }
}

/// Writes to stdout, in one piece.
fn print(bytes: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("stdout cannot be written ({error}): open it"),
            )
        })
}
