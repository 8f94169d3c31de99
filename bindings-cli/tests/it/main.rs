//! The binary, as its users run it: against the emulator over TLS, and against servers that misbehave.

mod bad_files;
mod bad_servers;
mod demo;
mod emulate;
mod emulator;
mod harness;
mod proxies;
mod retries;
mod scripted;
mod usage;
