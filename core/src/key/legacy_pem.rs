//! PEM encryption as OpenSSL made it before PKCS#8: `Proc-Type: 4,ENCRYPTED` and `DEK-Info`.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::{Error, ErrorKind, PemSection, Result};

/// Decrypts a section that has the header `Proc-Type`.
pub(super) fn decrypt(_: &PemSection, password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    if password.is_none() {
        return Err(Error::new(
            ErrorKind::PasswordRequired,
            "the private key is encrypted (`Proc-Type`) and no password was given: give one",
        ));
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        "PEM encryption with `Proc-Type` is not read yet: decrypt the key with `openssl pkey -in \
         KEY -out NEW`",
    ))
}
