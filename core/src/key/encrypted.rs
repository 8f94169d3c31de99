//! PKCS#8 `EncryptedPrivateKeyInfo` (RFC 5958, 3; RFC 8018).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{
    malformed,
    pbe::{Budget, Password, Scheme},
    refusal::ENCRYPTED,
};
use crate::{
    Error, ErrorKind, Result,
    elements::{Elements, INTEGER, OCTET_STRING, SEQUENCE},
};

/// Decrypts an encrypted PKCS#8 key. The key derivation runs once for each encoding of the password that
/// is tried, and not at all when the scheme is refused.
pub(super) fn decrypt(der: &[u8], password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    let encrypted = Encrypted::parse(der)?;
    let Some(password) = password else {
        return Err(Error::new(ErrorKind::PasswordRequired, ENCRYPTED));
    };
    let mut budget = Budget::new();
    for password in Password::encodings(password) {
        if let Some(key) = encrypted.decrypt(&password, &mut budget)? {
            return Ok(key);
        }
    }
    Err(wrong_password())
}

/// An encrypted key whose scheme is one that is read.
pub(super) struct Encrypted<'a> {
    scheme: Scheme<'a>,
    ciphertext: &'a [u8],
}

impl<'a> Encrypted<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self> {
        let fields = || {
            let mut fields = Elements::within(der, SEQUENCE)?;
            Some((fields.algorithm()?, fields.only(OCTET_STRING)?))
        };
        let (algorithm, ciphertext) = fields().ok_or_else(|| {
            malformed("the private key is not readable encrypted PKCS#8 (RFC 5958)")
        })?;
        Ok(Self {
            scheme: Scheme::parse(&algorithm)?,
            ciphertext,
        })
    }

    /// `None` when the password is wrong: what comes out has no padding or is no key.
    pub(super) fn decrypt(
        &self,
        password: &Password,
        budget: &mut Budget,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let plaintext = self.scheme.decrypt(password, self.ciphertext, budget)?;
        Ok(plaintext.filter(|plaintext| looks_like_a_key(plaintext)))
    }
}

/// Whether some bytes begin as every private key does, a sequence of their length that an integer
/// leads. One wrong password in 256 leaves a padding that looks right; this leaves one in 2^40.
pub(super) fn looks_like_a_key(der: &[u8]) -> bool {
    Elements::within(der, SEQUENCE)
        .and_then(|mut fields| fields.expect(INTEGER))
        .is_some()
}

pub(super) fn wrong_password() -> Error {
    Error::new(
        ErrorKind::WrongPassword,
        "the password does not open the private key: give the one that it was encrypted with",
    )
}
