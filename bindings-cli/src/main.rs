//! `rolesanywhere`: temporary AWS credentials from an X.509 certificate, for the shell.
//!
//! The shell's face of `rolesanywhere-core`: it owns the files, the environment, the clock and the
//! HTTPS. Start reading at `commands/credential_process.rs`.

mod arguments;
mod cache;
mod client;
mod clock;
mod commands;
mod console;
mod credentials_file;
mod driver;
mod environment;
mod files;
mod go_name;
mod https;
mod identity;
mod identity_files;
mod inputs;
mod keys;
mod memory;
mod output_file;
mod password;
mod proxy;
mod roots;
mod selector;
mod terminal;
mod tls;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(std::env::args_os())
}
