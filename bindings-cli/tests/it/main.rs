//! The binary, as its users run it: against the emulator over TLS, and against servers that misbehave.

// `cfg(test)` lets the helpers panic as tests do (clippy.toml).
#[cfg(test)]
mod bad_files;
#[cfg(test)]
mod bad_servers;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod emulate;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod files;
#[cfg(test)]
mod hardware;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod selectors;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod update;
#[cfg(test)]
mod update_places;
#[cfg(test)]
mod usage;
