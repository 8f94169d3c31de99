//! Random numbers that blind RSA, out of the private key and the message.

use core::fmt;

use rfc6979::{KGenerator, bigint::U256};
use rsa::rand_core::{CryptoRng, Error, RngCore, impls};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What keys the generator: a secret that follows from the private key and tells nothing of it.
pub(super) struct BlindingKey(Zeroizing<[u8; BLOCK]>);

impl BlindingKey {
    /// `private_key` is any encoding of the whole private key.
    pub(super) fn new(private_key: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix(LABEL).chain_update(private_key);
        Self(Zeroizing::new(hash.finalize().into()))
    }
}

/// HMAC-DRBG (NIST SP 800-90A, 10.1.2) over SHA-256, by the crate that makes RFC 6979's nonces with
/// it. The entropy input is the blinding key, the nonce is the digest of the message.
pub(super) struct Blinding {
    generator: KGenerator<'static, Sha256, U256>,
    block: Zeroizing<[u8; BLOCK]>,
    used: usize,
}

/// The generator draws numbers below this one: all of 256 bits but one.
const BOUND: &U256 = &U256::MAX;

/// The length of what one draw gives, in bytes.
const BLOCK: usize = 32;

/// Sets this use of the private key apart from every other.
const LABEL: &[u8] = b"rolesanywhere RSA blinding";

impl Blinding {
    pub(super) fn new(key: &BlindingKey, digest: &[u8; 32]) -> Self {
        Self {
            generator: KGenerator::new(&*key.0, digest, LABEL, BOUND),
            block: Zeroizing::new([0; BLOCK]),
            used: BLOCK,
        }
    }
}

impl RngCore for Blinding {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, destination: &mut [u8]) {
        for byte in destination {
            if self.used == BLOCK {
                self.generator.fill_next_k(&mut *self.block);
                self.used = 0;
            }
            *byte = self.block.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(destination);
        Ok(())
    }
}

impl CryptoRng for Blinding {}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blinding").finish_non_exhaustive()
    }
}
