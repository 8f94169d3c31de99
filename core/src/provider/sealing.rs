//! Entries of the shared store under a key of the user's.

use alloc::vec::Vec;

use aes_gcm::{
    Aes256Gcm, Nonce, Tag,
    aead::{AeadInOut, KeyInit},
};
use zeroize::Zeroizing;

use super::entry::MAX_ENTRY_LENGTH;
use crate::{Error, ErrorKind, Result};

/// The length of a nonce, in bytes.
pub const NONCE_LENGTH: usize = 12;
/// The first byte of a sealed entry.
const VERSION: u8 = 2;
const TAG_LENGTH: usize = 16;

/// A key that seals entries with AES-256-GCM. It is wiped when dropped; `Debug` is redacted.
///
/// The [module](crate::provider) shows the format.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// A key of 32 random bytes. The caller keeps and wipes his own copy.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it has another length.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(Error::written(
                ErrorKind::InvalidInput,
                format_args!(
                    "the key that seals shared sessions has {} bytes: pass 32 random ones",
                    bytes.len()
                ),
            ));
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    /// Seals an entry under the key that it is stored by, 64 hexadecimal digits. The nonce is random
    /// and new for each entry: this crate draws no random numbers.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the entry is longer than [`MAX_ENTRY_LENGTH`].
    pub fn seal(&self, key: &str, nonce: [u8; NONCE_LENGTH], entry: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + entry.len() + TAG_LENGTH);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        let mut text = Zeroizing::new(entry.to_vec());
        let nonce = Nonce::from(nonce);
        let tag = Some(entry.len())
            .filter(|length| *length <= MAX_ENTRY_LENGTH)
            .and_then(|_| {
                let cipher = self.cipher();
                let aad = key.as_bytes();
                cipher
                    .encrypt_inout_detached(&nonce, aad, text.as_mut_slice().into())
                    .ok()
            })
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidInput,
                    "the entry is longer than a session's can be",
                )
            })?;
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) made; the plain text is wiped when dropped.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it was sealed by another key, for another place or by another
    /// version, or is damaged: tell [`Event::Unreadable`](super::Event::Unreadable).
    pub fn open(&self, key: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.opened(key, sealed).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidInput,
                "the shared entry cannot be opened: another key sealed it, or it is damaged",
            )
        })
    }

    fn opened(&self, key: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let rest = sealed.strip_prefix(&[VERSION])?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        let (text, tag) = rest.split_last_chunk::<TAG_LENGTH>()?;
        if text.len() > MAX_ENTRY_LENGTH {
            return None;
        }
        let mut text = Zeroizing::new(text.to_vec());
        let (nonce, tag) = (Nonce::from(*nonce), Tag::from(*tag));
        self.cipher()
            .decrypt_inout_detached(&nonce, key.as_bytes(), text.as_mut_slice().into(), &tag)
            .ok()?;
        Some(text)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&(*self.0).into())
    }
}

impl core::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SealingKey([redacted])")
    }
}
