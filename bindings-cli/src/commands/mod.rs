//! The commands: each reads its options and does its work; what they say and how they end is here.

mod credential_process;
mod demo;
mod doctor;
mod documents;
mod emulate;
mod read_certificate_data;
mod serve;
mod sign_string;
mod update;

use std::{ffi::OsString, io::Write as _, path::Path, process::ExitCode};

use rolesanywhere_core::{Error, ErrorKind, Result};

pub(crate) use serve::ListenOn;

use crate::{
    arguments::{Arguments, Command},
    console::Console,
    environment::Environment,
    memory,
};

/// Runs the command line. Stdout gets the result and nothing else; a failure is one line on stderr
/// and status 1.
pub(crate) fn run(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    memory::keep_private();
    // For the whole process: some commands have threads that outlive this function.
    let console: &'static Console = Box::leak(Box::default());
    let environment = Environment::process();
    let line: Vec<OsString> = line.into_iter().collect();
    let name = called_by(line.first());
    let arguments = match Arguments::read(line, &environment) {
        Ok(arguments) => arguments,
        Err(refusal) if asks_for_help(&refusal.error) => {
            return end(console, print(refusal.error.to_string().as_bytes()));
        }
        Err(refusal) => {
            console.failed(&refusal.one_line());
            return ExitCode::FAILURE;
        }
    };
    let outcome = match arguments.command {
        Command::Completion(options) => documents::completion(&options, &name),
        Command::CredentialProcess(options) => {
            credential_process::run(&options, &environment, console)
        }
        Command::Demo(options) => demo::run(&options, console),
        Command::Doctor(options) => doctor::run(&options, &environment, console),
        Command::Emulate(options) => emulate::run(&options, console),
        Command::Man(options) => documents::man(&options),
        Command::ReadCertificateData(options) => {
            read_certificate_data::run(&options, &environment, console)
        }
        Command::Serve(options) => serve::run(Box::leak(options), environment, console),
        Command::SignString(options) => sign_string::run(&options, &environment, console),
        Command::Update(options) => update::run(&options, &environment, console),
        Command::Version => print(concat!(env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
    };
    end(console, outcome)
}

/// The name that the program was called by: `aws_signing_helper`, for instance.
fn called_by(program: Option<&OsString>) -> String {
    let name = program.and_then(|path| Path::new(path).file_name());
    name.map_or("rolesanywhere".into(), |name| {
        name.to_string_lossy().into_owned()
    })
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

/// Completes at the first SIGINT or SIGTERM.
#[cfg(unix)]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| no_signals(&error))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| no_signals(&error))?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a signal to wait for, the server ends at once rather than never.
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(unix)]
fn no_signals(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::TransportFailed,
        format!("the system does not let this program handle signals: {error}"),
    )
}
