//! `rolesanywhere._native`: the core's protocol for Python, without HTTP, clock or files.
//!
//! Nothing is decided here. `types` holds the classes, `convert` what crosses the border, `error`
//! the one match from the core's kinds to Python's classes. All classes are immutable, save
//! `Provider`, which locks itself: the module runs without the interpreter's lock too.
// pyo3's macros expand to calls of the interpreter's C API, which is unsafe by nature. No line
// written by hand in this crate is.
#![allow(unsafe_code)]

mod convert;
mod error;
mod types;

use pyo3::prelude::*;

/// The native module of the package `rolesanywhere`; use the package.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::error::Failure;
    #[pymodule_export]
    use super::types::{
        Action, Advice, Certificate, CertificateChain, CreateSession, HttpRequest, Parameter,
        PrivateKey, Provider, Session, Signature, SigningKey, UnsignedRequest, host_scope, is_s3,
    };
}
