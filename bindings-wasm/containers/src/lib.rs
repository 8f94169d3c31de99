//! The module that opens encrypted keys, PKCS#12, PKCS#7 and BER: a module of its own, since one file
//! in many needs it and a third of the code is for it. `js/keys.js` loads it when
//! `isContainer` of the main module says so, and passes on to that module what this one returns.
//!
//! Nothing here fails: what is wrong with a file stands in what is returned, for the main module to
//! throw.
//!
//! Without std, for the reasons of the main module.
#![cfg_attr(target_arch = "wasm32", no_std)]
// wasm-bindgen's macros expand to the unsafe functions that the glue calls. No line written by hand
// in this crate is unsafe.
#![allow(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;

use js_sys::Uint8Array;
use rolesanywhere_core::identity_files::{Purpose, open};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// Opens a file for its certificates. The caller wipes what is returned.
#[wasm_bindgen(js_name = openCertificates)]
pub fn open_certificates(file: Vec<u8>, password: Option<Vec<u8>>) -> Uint8Array {
    opened(file, Purpose::Certificates, password)
}

/// Opens a file for its certificates and the key beside them. The caller wipes what is returned.
#[wasm_bindgen(js_name = openIdentity)]
pub fn open_identity(file: Vec<u8>, password: Option<Vec<u8>>) -> Uint8Array {
    opened(file, Purpose::Identity, password)
}

/// Opens a file for its key. The caller wipes what is returned.
#[wasm_bindgen(js_name = openPrivateKey)]
pub fn open_private_key(file: Vec<u8>, password: Option<Vec<u8>>) -> Uint8Array {
    opened(file, Purpose::PrivateKey, password)
}

fn opened(file: Vec<u8>, purpose: Purpose, password: Option<Vec<u8>>) -> Uint8Array {
    let file = Zeroizing::new(file);
    let password = password.map(Zeroizing::new);
    let password = password.as_ref().map(|password| password.as_slice());
    Uint8Array::from(open(&file, purpose, password).as_slice())
}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn trap(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
