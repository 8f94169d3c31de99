//! `rolesanywhere`: temporary AWS credentials from an X.509 certificate, for the shell.
//!
//! The shell's face of `rolesanywhere-core`: it owns the files, the environment, the clock and the
//! HTTPS. Start reading at `commands/credential_process.rs`.
#![forbid(unsafe_code)]

mod arguments;
#[cfg(any())]
mod commands;
mod console;
mod environment;
#[cfg(any())]
mod exchange;
mod https;
#[cfg(any())]
mod identity_files;
mod password;
mod proxy;
mod remedy;
mod retry;
mod roots;
mod tls;

use std::process::ExitCode;

fn main() -> ExitCode {
    //commands::run(std::env::args_os())
    ExitCode::SUCCESS
}
