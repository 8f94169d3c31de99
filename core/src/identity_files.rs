//! The key and the certificates of a caller, out of the files that people have.
//!
//! Certificate authorities, HSM exports, Windows and clouds hand out the same things in many forms.
//! This is the one place that tells them apart, so that every face takes all of them everywhere:
//!
//! | form | what is taken of it |
//! |---|---|
//! | PEM | certificates (`TRUSTED CERTIFICATE` and `X509 CERTIFICATE` too), private keys, `PKCS7`, `PKCS12`, in any order, with anything between them; PKCS#7 and PKCS#12 under the label `CERTIFICATE` too |
//! | JSON | the PEM in its strings (ACM, Vault) |
//! | DER | certificates one after the other, a private key, an encrypted private key |
//! | PKCS#12 (`.p12`, `.pfx`) | keys and certificates |
//! | PKCS#7 (`.p7b`, `.p7c`) | certificates |
//! | base64 | what it is the base64 of: PEM, DER, PKCS#12 or PKCS#7; see [`source::decoded`](crate::source::decoded) |
//!
//! PKCS#12, PKCS#7 and whatever is encrypted need the feature `containers`. What stands behind the data of a
//! binary form is passed over. A certificate that cannot be read is told of when it may be the one that is
//! meant ([`CertificateChain::unreadable`] otherwise).

mod form;
mod item;
#[cfg(feature = "export-private-key")]
mod opened;
#[cfg(feature = "containers")]
mod pkcs7;
mod text;

pub use form::is_container;

use alloc::vec::Vec;
use core::fmt;

use crate::{
    Certificate, CertificateChain, Error, ErrorKind, PrivateKey, PublicKey, Result, error::divided,
    key,
};
use item::{Item, Part, items};

/// The content of the files that make up an identity, as the user names them: any form in any
/// place. The caller read the files, owns the bytes and wipes those that are secret.
#[derive(Clone, Copy)]
pub struct IdentityFiles<'a> {
    /// The certificate, alone or with its chain, its key, or both.
    pub certificate: &'a [u8],
    /// The private key, where it has a file of its own. The certificate's file is then not searched
    /// for one.
    pub private_key: Option<&'a [u8]>,
    /// Certificates that may be issuers: those on the way to the root are used, all others are
    /// passed over.
    pub intermediates: Option<&'a [u8]>,
    /// The password of the key or of the PKCS#12 file, in UTF-8; not used where nothing is
    /// encrypted.
    pub password: Option<&'a [u8]>,
}

impl IdentityFiles<'_> {
    /// Reads the private key, and the chain that begins with the certificate that belongs to it.
    ///
    /// The certificate's file may hold several keys and certificates: the pair is found by the
    /// public key, as [`PrivateKey::from_pkcs12`] documents. An encrypted key is derived once.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`] when no certificate of the certificate's file belongs to the key;
    /// [`ErrorKind::InvalidKey`], [`ErrorKind::InvalidCertificate`] when either is missing, or
    /// cannot be read; [`ErrorKind::PasswordRequired`], [`ErrorKind::WrongPassword`] and
    /// [`ErrorKind::Unsupported`] as for [`PrivateKey::from_pem`] and
    /// [`PrivateKey::from_pkcs12`].
    pub fn read(&self) -> Result<(PrivateKey, CertificateChain)> {
        let purpose = match self.private_key {
            Some(_) => Purpose::Certificates,
            None => Purpose::Identity,
        };
        let mut identity = File::read(self.certificate, purpose, self.password)?;
        let mut more = Vec::new();
        if let Some(private_key) = self.private_key {
            let file = File::read(private_key, Purpose::PrivateKey, self.password)?;
            identity.keys = file.keys;
            more = file.certificates;
        }
        more.extend(self.issuers()?);
        let pair = key::pair(identity.keys(), identity.certificates)?;
        let (mut candidates, refused) = divided(more);
        candidates.extend(pair.others);
        let chain = CertificateChain::new(pair.end_entity, candidates)?;
        Ok((pair.key, chain.beside(refused).beside(pair.unreadable)))
    }

    /// Reads the chain alone, for a key that is elsewhere (PKCS#11, a TPM, a key service):
    /// [`private_key`](Self::private_key) is not looked at.
    ///
    /// The end entity is found as [`CertificateChain::from_pem`] documents.
    ///
    /// # Errors
    /// As for [`read`](Self::read), as far as certificates go.
    pub fn read_chain(&self) -> Result<CertificateChain> {
        let file = File::read(self.certificate, Purpose::Certificates, self.password)?;
        let chain = CertificateChain::from_certificates(file.certificates)?;
        let (mut candidates, refused) = divided(self.issuers()?);
        candidates.extend_from_slice(chain.intermediates());
        candidates.extend_from_slice(chain.unrelated());
        let whole = CertificateChain::new(chain.end_entity().clone(), candidates)?;
        Ok(whole.beside(refused).beside_those_of(&chain))
    }

    /// Reads the certificates of [`intermediates`](Self::intermediates) alone, for a certificate that is
    /// elsewhere. Those that cannot be read are passed over.
    ///
    /// # Errors
    /// As for [`read`](Self::read) when none can be read.
    pub fn read_intermediates(&self) -> Result<Vec<Certificate>> {
        Ok(self.issuers()?.into_iter().flatten().collect())
    }

    /// The certificates of the intermediates' file, or why they cannot be read; at least one can.
    fn issuers(&self) -> Result<Vec<Result<Certificate>>> {
        let Some(intermediates) = self.intermediates else {
            return Ok(Vec::new());
        };
        let context = |error: Error| error.context("the intermediate certificates");
        let file = File::read(intermediates, Purpose::Certificates, self.password);
        let certificates = file.map_err(context)?.certificates;
        match certificates.first() {
            Some(Err(error)) if certificates.iter().all(Result::is_err) => {
                Err(context(error.clone()))
            }
            _ => Ok(certificates),
        }
    }
}

impl fmt::Debug for IdentityFiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityFiles")
            .field("has_private_key", &self.private_key.is_some())
            .field("has_intermediates", &self.intermediates.is_some())
            .field("has_password", &self.password.is_some())
            .finish_non_exhaustive()
    }
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Certificates: of a key that is elsewhere, or the intermediates.
    Certificates,
    /// The certificate and the key beside it: [`IdentityFiles::certificate`] without
    /// [`IdentityFiles::private_key`].
    Identity,
    /// The key.
    PrivateKey,
}

/// Opens a file of any form: takes encryption and wrapping off, for a host that keeps the feature
/// `containers` in a module of its own, which is loaded only when [`is_container`] asks for it.
///
/// What is returned takes the file's place in [`IdentityFiles`], for a build of the same version of
/// this crate with or without `containers`; it is no form of file to keep. It holds keys that are not
/// encrypted, and wipes itself; the host wipes the copies that it makes. A key or file that cannot be
/// opened stands in it as its error, which [`IdentityFiles`] passes on just as if it had read the file
/// itself.
///
/// The password is used only if something is encrypted; the caller owns and wipes it.
///
/// Behind the feature `export-private-key` too, as is the reading of what is returned: faces which sign
/// here neither make nor take it.
#[cfg(all(feature = "containers", feature = "export-private-key"))]
pub fn open(file: &[u8], purpose: Purpose, password: Option<&[u8]>) -> zeroize::Zeroizing<Vec<u8>> {
    opened::encoded(&items(file, purpose, password))
}

/// The one private key of a file of any form.
pub(crate) fn private_key(bytes: &[u8], password: Option<&[u8]>) -> Result<PrivateKey> {
    let mut file = File::read(bytes, Purpose::PrivateKey, password)?;
    let mut keys = file.keys().into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => key,
        (None, _) => Err(Error::new(
            ErrorKind::InvalidKey,
            "the file holds no private key: pass the private key that belongs to the certificate",
        )),
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidKey,
            "the file holds several private keys: leave the one that belongs to the certificate",
        )),
    }
}

/// What was found in a file. Keys and certificates that are refused may be beside the point.
struct File {
    keys: Vec<Result<Part>>,
    certificates: Vec<Result<Certificate>>,
}

impl File {
    fn read(bytes: &[u8], purpose: Purpose, password: Option<&[u8]>) -> Result<Self> {
        let mut file = Self {
            keys: Vec::new(),
            certificates: Vec::new(),
        };
        for item in items(bytes, purpose, password)? {
            match item {
                Item::Certificate(part) => file.certificates.push(certificate(&part)),
                Item::Key(part) => file.keys.push(Ok(part)),
                Item::RefusedCertificate(error) => file.certificates.push(Err(error)),
                Item::RefusedKey(error) => file.keys.push(Err(error)),
            }
        }
        Ok(file)
    }

    /// Reads the keys, beside the certificates, one of which may name what a key does not.
    fn keys(&mut self) -> Vec<Result<PrivateKey>> {
        let certified: Vec<&PublicKey> = self
            .certificates
            .iter()
            .flatten()
            .filter_map(|certificate| certificate.public_key().ok())
            .collect();
        self.keys
            .drain(..)
            .map(|part| {
                let part = part?;
                key::beside(&part.der, &certified).map_err(|error| named(error, &part.name))
            })
            .collect()
    }
}

fn certificate(part: &Part) -> Result<Certificate> {
    Certificate::from_der(&part.der).map_err(|error| {
        if PrivateKey::from_der(&part.der).is_ok() {
            return Error::new(
                ErrorKind::InvalidCertificate,
                "this is a private key, not a certificate: pass the certificate that was issued \
                 for it",
            );
        }
        named(error, &part.name)
    })
}

fn named(error: Error, name: &str) -> Error {
    if name.is_empty() {
        error
    } else {
        error.context(name)
    }
}
