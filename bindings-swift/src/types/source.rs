//! What an error may repeat of where the parts of an identity are.

use rolesanywhere_core::source::{self, Parameter, Part};

use crate::error::{Result, thrown};

/// A part of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum IdentityPart {
    /// The end entity's certificate.
    Certificate,
    /// The intermediate certificates.
    Intermediates,
    /// The private key.
    PrivateKey,
}

/// Throws the error for a file that cannot be read. `name` is the parameter as the user writes it; `found` says that
/// the file is there, and `reason` is the system's, without the path.
#[uniffi::export]
pub fn refuse_unreadable(
    path: &str,
    name: &str,
    part: IdentityPart,
    found: bool,
    reason: &str,
) -> Result<()> {
    let part = match part {
        IdentityPart::Certificate => Part::Certificate,
        IdentityPart::Intermediates => Part::Intermediates,
        IdentityPart::PrivateKey => Part::PrivateKey,
    };
    let parameter = Parameter {
        name,
        part,
        in_code: true,
    };
    Err(thrown(source::unreadable(path, parameter, found, reason)))
}
