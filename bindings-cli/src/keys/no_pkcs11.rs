//! What a static program has instead of [PKCS#11](super::pkcs11).

use rolesanywhere_core::{Certificate, CertificateChain, Error, ErrorKind, Result};

use super::{Access, Key, uri::Uri};

/// Refuses: a static program cannot load a module.
pub(crate) fn identity(
    _: Option<&Uri>,
    _: Option<&Uri>,
    _: Option<CertificateChain>,
    _: Vec<Certificate>,
    access: &Access<'_>,
) -> Result<(CertificateChain, Key)> {
    Err(refuse(access))
}

/// Refuses, as [`identity`].
pub(crate) fn key(_: &Uri, access: &Access<'_>) -> Result<Key> {
    Err(refuse(access))
}

/// Refuses, as [`identity`].
pub(crate) fn certificates(_: &Uri, access: &Access<'_>) -> Result<Vec<(Certificate, String)>> {
    Err(refuse(access))
}

fn refuse(_: &Access<'_>) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "this is the static program, which cannot load PKCS#11 modules: use the one that is linked \
         with the system's C library (`cargo install`), or a key in a TPM, an SSH agent or a file",
    )
}
