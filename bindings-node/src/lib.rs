//! The addon of the npm package `rolesanywhere`: the core's protocol for Node, without HTTP, clock or
//! files.
//!
//! Nothing is decided here. `types` holds the classes, `convert` what crosses the border, `error` the
//! one class that is thrown. They are those of `rolesanywhere-wasm`'s module, so that the JavaScript
//! of that package runs on either; what differs is that keys are read and used on libuv's threads, and
//! that AWS-LC signs. The package's own JavaScript stands in `js/`; nobody else should use these
//! classes.
//!
//! Times are Unix seconds as JavaScript's numbers. Lists of pairs are flat arrays: name, value, name,
//! value.
#![allow(
    unsafe_code,
    reason = "napi's macros expand to it; no line written by hand is unsafe"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "what crosses the border is owned on this side"
)]

pub mod convert;
pub mod error;
pub mod types;
