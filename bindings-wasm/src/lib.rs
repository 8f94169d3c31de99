//! The module of the npm package `rolesanywhere-wasm`: the core's protocol for JavaScript, without
//! HTTP, clock or randomness.
//!
//! Nothing is decided here. `types` holds the classes, `convert` what crosses the border, `error`
//! the one class that is thrown. The package's JavaScript stands in `js/`; nobody else should use
//! these classes.
//!
//! Without std: its panic messages and their formatting are a tenth of the module, and nobody would
//! see them. A panic, which is a bug of ours, is a trap (`RuntimeError: unreachable`).
#![cfg_attr(target_arch = "wasm32", no_std)]
// wasm-bindgen's macros expand to the unsafe functions that the glue calls. No line written by hand
// in this crate is unsafe.
#![allow(unsafe_code)]

extern crate alloc;

pub mod convert;
pub mod error;
#[cfg(feature = "full")]
pub mod local;
pub mod types;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn trap(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
