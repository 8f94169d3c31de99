//! PKCS#12 (RFC 7292): a private key and its certificates in one file, under a password.
//!
//! What tools write differs more than the RFC says. OpenSSL 3 encrypts with PBES2, old Windows with
//! RC2 of 40 bits and 3DES; the MAC uses SHA-1, SHA-256 or PBMAC1 (RFC 9579), or is missing; old Java
//! and Netscape write BER; Java puts certificates that it trusts beside the key's own.

mod mac;
mod pfx;

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{
    MAX_PKCS12_LENGTH,
    encrypted::Encrypted,
    malformed,
    pbe::{Budget, Password},
};
use crate::{Error, ErrorKind, Result, ber};
use mac::Mac;
use pfx::{Bag, Pfx, Safe};

/// The greatest number of bags that is read, in all parts of a file; one is a certificate or a key.
const MAX_BAGS: usize = 1024;

/// How deep bags may stand in one another. No tool is known to nest them at all.
const MAX_NESTING: usize = 4;

/// The keys and certificates of a file, in the order of the file and not read yet: what cannot be
/// read, or is refused, may be beside the point.
pub(crate) struct Contents {
    /// In DER, not encrypted.
    pub(crate) keys: Vec<Zeroizing<Vec<u8>>>,
    pub(crate) certificates: Vec<Vec<u8>>,
}

impl Contents {
    /// Opens a file.
    ///
    /// Schemes are read before the password is asked for, and the MAC is checked before anything is
    /// decrypted.
    pub(crate) fn read(file: &[u8], password: Option<&[u8]>) -> Result<Self> {
        if file.len() > MAX_PKCS12_LENGTH {
            return Err(Error::written(
                ErrorKind::InvalidKey,
                format_args!(
                    "the PKCS#12 file has {} bytes, more than {MAX_PKCS12_LENGTH}: export the key \
                     and its chain alone",
                    file.len()
                ),
            ));
        }
        let der = ber::first(file).ok_or_else(|| malformed(UNREADABLE))?;
        let pfx = Pfx::parse(&der)?;
        let authenticated_safe = ber::to_der(pfx.content).ok_or_else(|| malformed(UNREADABLE))?;
        let safes = Safe::parse_all(&authenticated_safe)?;

        let mut reader = FileReader {
            passwords: Password::candidates(password.unwrap_or_default()),
            is_given: password.is_some(),
            is_authentic: false,
            budget: Budget::new(),
            bags: 0,
            contents: Self {
                keys: Vec::new(),
                certificates: Vec::new(),
            },
        };
        if let Some(mac) = pfx.mac {
            reader.authenticate(&mac, pfx.content)?;
        }
        for safe in &safes {
            reader.safe(safe)?;
        }
        Ok(reader.contents)
    }
}

const UNREADABLE: &str = "the PKCS#12 file cannot be read (RFC 7292)";

/// What is known while a file is read.
struct FileReader {
    /// What the password may mean, the likely first.
    passwords: Vec<Password>,
    /// Whether the user gave a password, if only an empty one.
    is_given: bool,
    /// Whether the MAC was right.
    is_authentic: bool,
    budget: Budget,
    bags: usize,
    contents: Contents,
}

impl FileReader {
    fn authenticate(&mut self, mac: &Mac<'_>, content: &[u8]) -> Result<()> {
        for at in 0..self.passwords.len() {
            if let Some(password) = self.passwords.get(at)
                && mac.verify(password, content, &mut self.budget)?
            {
                self.passwords.swap(0, at);
                self.is_authentic = true;
                return Ok(());
            }
        }
        Err(self.not_opened())
    }

    fn safe(&mut self, safe: &Safe<'_>) -> Result<()> {
        let contents = match safe {
            Safe::Plain(contents) => ber::to_der(contents).ok_or_else(|| malformed(UNREADABLE))?,
            Safe::Encrypted { scheme, ciphertext } => self.decrypt(|password, budget| {
                // What a wrong password makes of it is hardly ever BER.
                Ok(scheme
                    .decrypt(password, ciphertext, budget)?
                    .and_then(|plaintext| ber::to_der(&plaintext)))
            })?,
        };
        self.safe_contents(&contents, MAX_NESTING)
    }

    fn safe_contents(&mut self, der: &[u8], depth: usize) -> Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(malformed("the PKCS#12 file nests its bags too deep"));
        };
        for bag in Bag::parse_all(der)? {
            self.bags += 1;
            if self.bags > MAX_BAGS {
                return Err(malformed("the PKCS#12 file holds more than 1,024 entries"));
            }
            match bag {
                Bag::Certificate(der) => self.contents.certificates.push(der.to_vec()),
                Bag::Key(der) => self.contents.keys.push(Zeroizing::new(der.to_vec())),
                Bag::Nested(der) => self.safe_contents(der, depth)?,
                Bag::Other => {}
                Bag::ShroudedKey(der) => self.shrouded_key(der)?,
            }
        }
        Ok(())
    }

    fn shrouded_key(&mut self, der: &[u8]) -> Result<()> {
        let encrypted = Encrypted::parse(der)?;
        let key = self.decrypt(|password, budget| encrypted.decrypt(password, budget))?;
        self.contents.keys.push(key);
        Ok(())
    }

    /// Runs `attempt` with every meaning of the password until one fits, and puts that one first.
    fn decrypt(
        &mut self,
        attempt: impl Fn(&Password, &mut Budget) -> Result<Option<Zeroizing<Vec<u8>>>>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        for at in 0..self.passwords.len() {
            if let Some(password) = self.passwords.get(at)
                && let Some(plaintext) = attempt(password, &mut self.budget)?
            {
                self.passwords.swap(0, at);
                return Ok(plaintext);
            }
        }
        Err(self.not_opened())
    }

    /// Why the password does not fit.
    fn not_opened(&self) -> Error {
        if self.is_authentic {
            return malformed(
                "the password opens the PKCS#12 file and not what is in it, which has another",
            );
        }
        if self.is_given {
            Error::new(
                ErrorKind::WrongPassword,
                "the password does not open the PKCS#12 file: give the one that it was exported \
                 with",
            )
        } else {
            Error::new(
                ErrorKind::PasswordRequired,
                "the PKCS#12 file is encrypted and no password was given: give one",
            )
        }
    }
}
