//! The commands: each reads its options and does its work; what they say and how they end is here.

mod credential_process;
mod demo;
mod emulate;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use rolesanywhere_core::{Error, ErrorKind, Result};

use crate::{
    arguments::{self, Arguments, Command},
    console::Console,
    environment::Environment,
};

/// Runs the command line. Stdout gets the result and nothing else; a failure is one line on stderr
/// and status 1.
pub(crate) fn run(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let console = Console::default();
    let arguments = match Arguments::read(line) {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() || error.exit_code() == 0 => {
            return end(&console, print(error.to_string().as_bytes()));
        }
        Err(error)
            if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            return end(&console, print(error.to_string().as_bytes()));
        }
        Err(error) => {
            console.failed(&arguments::one_line(&error));
            return ExitCode::FAILURE;
        }
    };
    let environment = Environment::process();
    let outcome = match arguments.command {
        Command::CredentialProcess(options) => {
            credential_process::run(&options, &environment, &console)
        }
        Command::Demo(options) => demo::run(&options, &console),
        Command::Emulate(options) => emulate::run(&options, &console),
        Command::Version => print(concat!(env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
    };
    end(&console, outcome)
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
