//! How much work a file may ask for.

use super::REMEDY;
use crate::{Error, ErrorKind, Result};

/// The most iterations of key derivation that one file may ask for, all its parts together: ten
/// million, which RFC 8018 (4.2) calls appropriate for especially critical keys. They take
/// seconds natively, ten times as long in wasm. A 128-byte block of scrypt's work counts as one iteration.
pub const MAX_KDF_ITERATIONS: u64 = 10_000_000;

/// The most memory that scrypt may ask for, in bytes: 256 MiB. OpenSSL's own keys take 16 MiB, the
/// strongest of OWASP's recommendations 128 MiB.
pub const MAX_SCRYPT_MEMORY: u64 = 256 << 20;

/// What is left of [`MAX_KDF_ITERATIONS`] for the file that is being read.
#[derive(Debug)]
pub(in crate::key) struct Budget {
    left: u64,
}

impl Budget {
    pub(in crate::key) fn new() -> Self {
        Self {
            left: MAX_KDF_ITERATIONS,
        }
    }

    /// Takes `iterations` off before they are run.
    pub(super) fn spend(&mut self, iterations: u64) -> Result<()> {
        self.left = self.left.checked_sub(iterations).ok_or_else(|| {
            Error::written(
                ErrorKind::Unsupported,
                format_args!(
                    "the file asks for more than {MAX_KDF_ITERATIONS} iterations of key derivation \
                     ({iterations} in its last part): {REMEDY}, with fewer iterations"
                ),
            )
        })?;
        Ok(())
    }
}
