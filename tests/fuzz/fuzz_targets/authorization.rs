//! Any text as an `Authorization` header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::sigv4::Authorization;

fuzz_target!(|text: &str| {
    let _ = Authorization::parse(text).map(|authorization| format!("{authorization:?}"));
});
