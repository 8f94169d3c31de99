//! The public key of a certificate.

use super::parse::malformed;
use crate::{ErrorKind, PublicKey, Result};

/// Reads a `SubjectPublicKeyInfo` as [`PublicKey::from_spki_der`] does. What that finds damaged is
/// the certificate's fault here.
pub(super) fn read(subject_public_key_info: &[u8]) -> Result<PublicKey> {
    PublicKey::from_spki_der(subject_public_key_info).map_err(|error| match error.kind() {
        ErrorKind::InvalidKey => malformed("public key"),
        _ => error.context("the certificate"),
    })
}
