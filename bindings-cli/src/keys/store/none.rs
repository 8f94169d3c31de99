//! Systems without a store.

use rolesanywhere_core::{Error, ErrorKind, Result};

use super::Contents;

pub(super) const NAME: &str = "the system's store";

/// Refuses: there is none.
pub(super) fn contents(_: Option<&str>) -> Result<Contents> {
    Err(Error::new(
        ErrorKind::Unsupported,
        "this system has no certificate store, as macOS and Windows have: pass a file, or a pkcs11: URI, to \
         --certificate",
    ))
}
