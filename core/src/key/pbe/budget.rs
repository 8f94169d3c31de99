//! How much work a file may ask for.

use super::REMEDY;
use crate::{Error, ErrorKind, Result, key::MAX_KDF_ITERATIONS};

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
