//! PEM encryption as OpenSSL made it before PKCS#8: `Proc-Type: 4,ENCRYPTED` and `DEK-Info` (the
//! headers of RFC 1421, the derivation of OpenSSL). step-ca and old tools write it.

use alloc::{string::String, vec, vec::Vec};

use zeroize::Zeroizing;

use super::{
    encrypted::{looks_like_a_key, wrong_password},
    malformed,
    pbe::{Cipher, Password, evp_bytes_to_key},
};
use crate::{Error, ErrorKind, PemSection, Result, encoding, pem};

/// Decrypts a section that has the header `Proc-Type`.
pub(super) fn decrypt(section: &PemSection, password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    let (cipher, iv) = dek_info(section)?;
    let Some(password) = password else {
        return Err(Error::new(
            ErrorKind::PasswordRequired,
            "the private key is encrypted (`Proc-Type`) and no password was given: give one",
        ));
    };
    let mut key = Zeroizing::new(vec![0; cipher.key_length()]);
    let salt = iv.get(..SALT_LENGTH).unwrap_or_default();
    for password in Password::encodings(password) {
        evp_bytes_to_key(password.as_bytes(), salt, &mut key);
        let plaintext = cipher.decrypt(&key, &iv, section.der())?;
        if let Some(found) = plaintext.filter(|plaintext| looks_like_a_key(plaintext)) {
            return Ok(found);
        }
    }
    Err(wrong_password())
}

/// How much of the IV is the salt of the derivation, in bytes.
const SALT_LENGTH: usize = 8;

/// The cipher and its IV, out of the headers.
fn dek_info(section: &PemSection) -> Result<(Cipher, Vec<u8>)> {
    let procedure: String = section
        .header("Proc-Type")
        .unwrap_or_default()
        .replace(' ', "");
    if !procedure.eq_ignore_ascii_case("4,ENCRYPTED") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the private key has a header `Proc-Type` that is not `4,ENCRYPTED`: convert the key \
             with `openssl pkey -in KEY -out NEW`",
        ));
    }
    let header = section.header("DEK-Info").ok_or_else(|| {
        malformed("the private key is encrypted (`Proc-Type`) and has no header `DEK-Info`")
    })?;
    let (name, iv) = header.split_once(',').unwrap_or((header, ""));
    let name = name.trim().to_ascii_uppercase();
    let cipher = Cipher::from_dek_info(&name).ok_or_else(|| {
        let name = pem::shown_label(&name);
        Error::written(
            ErrorKind::Unsupported,
            format_args!(
                "the private key is encrypted with `{name}` (`DEK-Info`), which is not read: \
                 encrypt it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW`"
            ),
        )
    })?;
    let iv = encoding::from_hex(&iv.trim().to_ascii_lowercase())
        .filter(|iv| iv.len() == cipher.block_length())
        .ok_or_else(|| malformed("the header `DEK-Info` of the private key has no readable IV"))?;
    Ok((cipher, iv))
}
