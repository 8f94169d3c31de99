//! PKCS#8 `EncryptedPrivateKeyInfo` (RFC 5958, 3; RFC 8018).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::refusal::ENCRYPTED;
use crate::{Error, ErrorKind, Result};

/// Decrypts an encrypted PKCS#8 key.
pub(super) fn decrypt(_der: &[u8], password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    if password.is_none() {
        return Err(Error::new(ErrorKind::PasswordRequired, ENCRYPTED));
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        "encrypted PKCS#8 is not read yet: decrypt the key with `openssl pkey -in KEY -out NEW`",
    ))
}
