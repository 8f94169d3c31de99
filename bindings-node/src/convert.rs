//! What crosses the border between Node and the core.
//!
//! Secrets come in as bytes, which are copied into memory that is wiped, and go out as strings that V8
//! makes of the core's own.

use napi::bindgen_prelude::{Either, Uint8Array};
use rolesanywhere_core::{Error, ErrorKind, Result, UnixTime};
use zeroize::Zeroizing;

/// A value, or `undefined`: napi makes `null` of `None`, which the package's JavaScript does not know.
pub(crate) type Maybe<T> = Either<T, ()>;

pub(crate) fn maybe<T>(value: Option<T>) -> Maybe<T> {
    value.map_or(Either::B(()), Either::A)
}

/// A time as JavaScript has it: whole seconds, exact up to 2⁵³.
#[allow(
    clippy::cast_precision_loss,
    reason = "the seconds of every time that an X.509 certificate can hold fit"
)]
pub(crate) fn seconds_of(time: UnixTime) -> f64 {
    time.seconds() as f64
}

/// A time of JavaScript's, rounded down; one that is no number is 1970.
#[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(crate) fn time(seconds: f64) -> UnixTime {
    UnixTime::from_seconds(seconds as i64)
}

/// A copy of bytes that may be secret.
pub(crate) fn secret(bytes: Uint8Array) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

/// The pairs of a flat array.
pub(crate) fn pairs(flat: &[String]) -> Result<Vec<(&str, &str)>> {
    flat.chunks(2)
        .map(|pair| match pair {
            [name, value] => Ok((name.as_str(), value.as_str())),
            _ => Err(invalid("a name without a value: pass pairs")),
        })
        .collect()
}

/// A SHA-256 digest.
pub(crate) fn digest(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| invalid("the payload's SHA-256 does not have 32 bytes"))
}

/// An argument that is out of bounds.
pub(crate) fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
