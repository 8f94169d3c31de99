//! The private key of a PEM text, which may hold certificates and other things beside it.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{
    PrivateKey, decrypt_pem, decrypt_pkcs8,
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
                key.shown_label(),
                key.line(),
                second.shown_label(),
                second.line()
            ),
        ));
    }
    opened(key, password)
        .and_then(|der| PrivateKey::from_der(&der))
        .map_err(|error| error.context(key.name()))
}

/// The private key of one section as DER, without its encryption. Errors do not name the section.
pub(crate) fn opened(section: &PemSection, password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    let unsupported = |why: &str| Err(Error::new(ErrorKind::Unsupported, why));
    match section.label() {
        "DSA PRIVATE KEY" => unsupported(DSA),
        "OPENSSH PRIVATE KEY" => unsupported(OPENSSH),
        "TSS2 PRIVATE KEY" => unsupported(TSS2),
        ENCRYPTED => decrypt_pkcs8(section.der(), password),
        _ if section.header(PROC_TYPE).is_some() => decrypt_pem(section, password),
        // The content tells PKCS#8, PKCS#1 and SEC1 apart; labels are confused in the field.
        _ => Ok(Zeroizing::new(section.der().to_vec())),
    }
}

/// Whether a password is needed to open the key of a section.
pub(crate) fn is_encrypted(section: &PemSection) -> bool {
    section.label() == ENCRYPTED || section.header(PROC_TYPE).is_some()
}

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// `Proc-Type: 4,ENCRYPTED` (RFC 1421), the encryption of OpenSSL before PKCS#8.
const PROC_TYPE: &str = "Proc-Type";

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
    let label = sections.first().map_or("", PemSection::shown_label);
    Error::written(
        ErrorKind::InvalidKey,
        format_args!(
            "the PEM text holds no private key, only `{label}`: pass the private key that belongs \
             to the certificate"
        ),
    )
}
