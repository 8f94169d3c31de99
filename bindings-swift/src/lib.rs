//! The static library of the Swift package: the core's protocol, without HTTP, clock or files.
//!
//! Nothing is decided here. `types` holds the classes, `convert` what crosses the border, `error` the
//! one match from the core's kinds to Swift's. `UniFFI` generates the Swift of it
//! (`Sources/RolesAnywhereNative`), which only the hand-written target `RolesAnywhere` imports.
//!
//! Every class is immutable, save `Provider`, which locks itself. Nothing here is async: the pauses of
//! the protocol (the signature, the HTTP exchange) are Swift's.
// UniFFI's macros expand to the unsafe functions that the glue calls. No line written by hand in this
// crate is unsafe.
#![allow(unsafe_code)]

pub mod convert;
pub mod error;
pub mod types;

uniffi::setup_scaffolding!("rolesanywhere_swift");
