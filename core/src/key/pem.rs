//! The private key of a PEM text, which may hold certificates and other things beside it.

use super::{
    PrivateKey, container, encrypted, legacy_pem,
    refusal::{CERTIFICATE, DSA, OPENSSH, PKCS12, PUBLIC_KEY, TSS2},
};
use crate::{Error, ErrorKind, PemSection, Result, pem};

/// Reads the one private key of a PEM text.
pub(super) fn private_key(text: &[u8], password: Option<&[u8]>) -> Result<PrivateKey> {
    let sections = pem::sections(text, ErrorKind::InvalidKey)?;
    let mut keys = sections.iter().filter(|section| is_key(section.label()));
    let Some(key) = keys.next() else {
        return Err(no_key(&sections));
    };
    if let Some(second) = keys.next() {
        return Err(Error::written(
            ErrorKind::InvalidKey,
            format_args!(
                "the PEM text holds two private keys, `{}` on line {} and `{}` on line {}: leave \
                 the one that belongs to the certificate",
                key.label(),
                key.line(),
                second.label(),
                second.line()
            ),
        ));
    }
    from_section(key, password)
}

/// Reads the private key of one section.
pub(crate) fn from_section(section: &PemSection, password: Option<&[u8]>) -> Result<PrivateKey> {
    read(section, password).map_err(|error| {
        error.context(format_args!(
            "`{}` on line {}",
            section.label(),
            section.line()
        ))
    })
}

fn read(section: &PemSection, password: Option<&[u8]>) -> Result<PrivateKey> {
    let unsupported = |why: &str| Err(Error::new(ErrorKind::Unsupported, why));
    match section.label() {
        "DSA PRIVATE KEY" => unsupported(DSA),
        "OPENSSH PRIVATE KEY" => unsupported(OPENSSH),
        "TSS2 PRIVATE KEY" => unsupported(TSS2),
        "ENCRYPTED PRIVATE KEY" => {
            container::private_key(&encrypted::decrypt(section.der(), password)?)
        }
        // `Proc-Type: 4,ENCRYPTED` (RFC 1421), the encryption of OpenSSL before PKCS#8.
        _ if section.header("Proc-Type").is_some() => {
            container::private_key(&legacy_pem::decrypt(section, password)?)
        }
        // The content tells PKCS#8, PKCS#1 and SEC1 apart; labels are confused in the field.
        _ => container::private_key(section.der()),
    }
}

/// Every label that a private key has in PEM: `PRIVATE KEY`, `EC PRIVATE KEY`, `ENCRYPTED PRIVATE
/// KEY`, …
pub(crate) fn is_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

/// What to say of a text without a private key.
pub(crate) fn no_key(sections: &[PemSection]) -> Error {
    let has = |end: &str| {
        sections
            .iter()
            .any(|section| section.label().ends_with(end))
    };
    if has("PUBLIC KEY") {
        return Error::new(ErrorKind::InvalidKey, PUBLIC_KEY);
    }
    if has("CERTIFICATE") || has("CERTIFICATE REQUEST") || has("CRL") {
        return Error::new(ErrorKind::InvalidKey, CERTIFICATE);
    }
    if has("PKCS12") {
        return Error::new(ErrorKind::Unsupported, PKCS12);
    }
    let label = sections.first().map_or("", PemSection::label);
    Error::written(
        ErrorKind::InvalidKey,
        format_args!(
            "the PEM text holds no private key, only `{label}`: pass the private key that belongs \
             to the certificate"
        ),
    )
}
