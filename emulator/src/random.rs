//! Randomness as an effect that is passed in.

use std::fmt::Debug;

use ring::rand::SecureRandom;

/// Where the service's random bytes come from: access keys, secrets, session tokens, request ids.
pub trait Random: Debug + Send + Sync {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// [`RandomFailed`] when there is no randomness to be had; the request is then answered with 500.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomFailed>;
}

/// The source had no randomness to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailed;

/// The operating system's randomness.
#[derive(Debug)]
pub struct SystemRandom(ring::rand::SystemRandom);

impl SystemRandom {
    /// The operating system's randomness.
    pub fn new() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Default for SystemRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomFailed> {
        self.0.fill(buffer).map_err(|_| RandomFailed)
    }
}
