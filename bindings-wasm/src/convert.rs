//! What crosses the border between JavaScript and the core.
//!
//! Times are Unix seconds as JavaScript's numbers. Lists of pairs are flat arrays: name, value, name,
//! value. What is secret comes in by value, so that it is wiped when dropped, and goes out as a string
//! that JavaScript makes of the core's own, so that no copy stays in the module's memory.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use rolesanywhere_core::{Error, ErrorKind, UnixTime};
use wasm_bindgen::JsValue;

use crate::error::Result;

/// A time as JavaScript has it: whole seconds, exact up to 2⁵³.
// The seconds of every time that an X.509 certificate can hold fit.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn seconds_of(seconds: i64) -> f64 {
    seconds as f64
}

/// A duration as JavaScript has it: whole milliseconds.
// No limit of the core's is longer than a year.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_millis() as f64
}

/// A time of JavaScript's, rounded down; one that is no number is 1970.
#[allow(clippy::cast_possible_truncation)] // `as` saturates
pub(crate) fn time(seconds: f64) -> UnixTime {
    UnixTime::from_seconds(seconds as i64)
}

/// The pairs of a flat array.
pub(crate) fn pairs(flat: &[String]) -> Result<Vec<(&str, &str)>> {
    flat.chunks(2)
        .map(|pair| match pair {
            [name, value] => Ok((name.as_str(), value.as_str())),
            _ => Err(Error::new(
                ErrorKind::InvalidInput,
                "a name without a value: pass pairs",
            )
            .into()),
        })
        .collect()
}

/// A secret on its way out.
pub(crate) fn text(secret: &str) -> JsValue {
    JsValue::from_str(secret)
}

/// A SHA-256 digest.
pub(crate) fn digest(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| {
        Error::new(
            ErrorKind::InvalidInput,
            "the payload's SHA-256 does not have 32 bytes",
        )
        .into()
    })
}
