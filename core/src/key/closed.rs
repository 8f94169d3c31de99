//! What takes the place of `encrypted`, `legacy_pem` and `pkcs12` where the feature `containers` is
//! off: each form is refused by its name.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::{Error, ErrorKind, PemSection, Result};

/// Refuses an encrypted PKCS#8 key.
pub(super) fn decrypt_pkcs8(_: &[u8], _: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    Err(closed(
        "an encrypted private key",
        "openssl pkey -in KEY -out NEW",
    ))
}

/// Refuses a key in PEM that has the header `Proc-Type`.
pub(super) fn decrypt_pem(section: &PemSection, _: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    decrypt_pkcs8(section.der(), None)
}

/// The keys and certificates of a PKCS#12 file: never made.
pub(crate) struct Contents {
    pub(crate) keys: Vec<Zeroizing<Vec<u8>>>,
    pub(crate) certificates: Vec<Vec<u8>>,
}

impl Contents {
    /// Refuses the file.
    pub(crate) fn read(_: &[u8], _: Option<&[u8]>) -> Result<Self> {
        Err(closed("PKCS#12", "openssl pkcs12 -in FILE -nodes -out NEW"))
    }
}

/// The refusal of a `form`, and the `command` that makes of it what is read.
pub(crate) fn closed(form: &str, command: &str) -> Error {
    Error::written(
        ErrorKind::Unsupported,
        format_args!(
            "this is {form}, which this build does not open: convert it with `{command}`, or build \
             with the feature `containers`"
        ),
    )
}
