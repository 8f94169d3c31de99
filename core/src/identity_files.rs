//! The key and the certificates of a caller, out of the files that people have.
//!
//! Certificate authorities, HSM exports, Windows and clouds hand out the same things in many forms.
//! This is the one place that tells them apart, so that every face takes all of them everywhere:
//!
//! | form | what is taken of it |
//! |---|---|
//! | PEM | certificates (`TRUSTED CERTIFICATE` and `X509 CERTIFICATE` too), private keys, `PKCS7`, `PKCS12`, in any order, with anything between them |
//! | DER | a certificate, a private key, an encrypted private key |
//! | PKCS#12 (`.p12`, `.pfx`) | keys and certificates |
//! | PKCS#7 (`.p7b`, `.p7c`) | certificates |

mod pkcs7;

use alloc::vec::Vec;
use core::fmt;

use crate::{
    Certificate, CertificateChain, Error, ErrorKind, PemSection, PrivateKey, Result, ber,
    elements::{BIT_STRING, EXPLICIT, Elements, INTEGER, OBJECT_IDENTIFIER, SEQUENCE},
    key::{self, Contents},
    pem,
};

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
        let mut identity = File::read(self.certificate, Place::Certificate, self.password)?;
        let mut more = Vec::new();
        match self.private_key {
            Some(private_key) => {
                let mut file = File::read(private_key, Place::PrivateKey, self.password)?;
                identity.keys = file.private_keys(self.password);
                more.extend(file.certificates.into_iter().flatten());
            }
            None => identity.keys = identity.private_keys(self.password),
        }
        more.extend(self.issuers()?);
        let (key, end_entity, others) = key::pair(identity.keys, identity.certificates)?;
        more.extend(others);
        Ok((key, CertificateChain::new(end_entity, more)?))
    }

    /// Reads the chain alone, for a key that is elsewhere (PKCS#11, a TPM, a key service):
    /// [`private_key`](Self::private_key) is not looked at.
    ///
    /// The end entity is found as [`CertificateChain::from_pem`] documents.
    ///
    /// # Errors
    /// As for [`read`](Self::read), as far as certificates go.
    pub fn read_chain(&self) -> Result<CertificateChain> {
        let file = File::read(self.certificate, Place::Certificate, self.password)?;
        let certificates = file.certificates.into_iter().collect::<Result<Vec<_>>>()?;
        let chain = CertificateChain::from_certificates(certificates)?;
        let mut candidates = self.issuers()?;
        candidates.extend_from_slice(chain.intermediates());
        candidates.extend_from_slice(chain.unrelated());
        CertificateChain::new(chain.end_entity().clone(), candidates)
    }

    fn issuers(&self) -> Result<Vec<Certificate>> {
        let Some(intermediates) = self.intermediates else {
            return Ok(Vec::new());
        };
        let file = File::read(intermediates, Place::Certificate, self.password)
            .map_err(|error| error.context("the intermediate certificates"))?;
        Ok(file.certificates.into_iter().flatten().collect())
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

/// The one private key of a file of any form.
pub(crate) fn private_key(bytes: &[u8], password: Option<&[u8]>) -> Result<PrivateKey> {
    let mut keys = File::read(bytes, Place::PrivateKey, password)?
        .private_keys(password)
        .into_iter();
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

/// What the user says a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Certificate,
    PrivateKey,
}

/// What was found in a file.
struct File<'a> {
    /// Those of PKCS#12, which opens all at once.
    keys: Vec<Result<PrivateKey>>,
    /// Those that are read only when they are wanted, since that may take a password.
    unread_keys: Vec<UnreadKey<'a>>,
    /// PKCS#12 may hold some that are refused and not wanted.
    certificates: Vec<Result<Certificate>>,
}

enum UnreadKey<'a> {
    Der(&'a [u8]),
    Pem(PemSection),
}

impl<'a> File<'a> {
    fn read(bytes: &'a [u8], place: Place, password: Option<&[u8]>) -> Result<Self> {
        let empty = Self {
            keys: Vec::new(),
            unread_keys: Vec::new(),
            certificates: Vec::new(),
        };
        match Form::of(bytes) {
            Form::Certificate if place == Place::Certificate => Ok(Self {
                certificates: [Certificate::from_der(bytes)].into(),
                ..empty
            }),
            Form::Pem => empty.with_sections(bytes, place, password),
            Form::Pkcs12 => {
                let Contents { keys, certificates } = Contents::read(bytes, password)?;
                Ok(Self {
                    keys,
                    certificates,
                    ..empty
                })
            }
            Form::Pkcs7 if place == Place::Certificate => Ok(Self {
                certificates: pkcs7::certificates(bytes)?.into_iter().map(Ok).collect(),
                ..empty
            }),
            Form::Certificate | Form::Pkcs7 | Form::Other if place == Place::PrivateKey => {
                Ok(Self {
                    unread_keys: [UnreadKey::Der(bytes)].into(),
                    ..empty
                })
            }
            Form::Certificate | Form::Pkcs7 | Form::Other => Err(no_certificate(bytes)),
        }
    }

    fn with_sections(mut self, text: &[u8], place: Place, password: Option<&[u8]>) -> Result<Self> {
        let kind = match place {
            Place::Certificate => ErrorKind::InvalidCertificate,
            Place::PrivateKey => ErrorKind::InvalidKey,
        };
        let sections = pem::sections(text, kind)?;
        for section in &sections {
            match section.label() {
                "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => {
                    let certificates = pkcs7::certificates(section.der())?;
                    self.certificates.extend(certificates.into_iter().map(Ok));
                }
                "PKCS12" => {
                    let contents = Contents::read(section.der(), password)?;
                    self.keys.extend(contents.keys);
                    self.certificates.extend(contents.certificates);
                }
                label if key::is_key(label) => {
                    self.unread_keys.push(UnreadKey::Pem(section.clone()));
                }
                _ => {
                    if let Some(certificate) = Certificate::from_section(section) {
                        self.certificates.push(Ok(certificate?));
                    }
                }
            }
        }
        match place {
            Place::Certificate if self.certificates.is_empty() => {
                // Which says what is there instead.
                Certificate::from_pem(text).map(|_| self)
            }
            Place::PrivateKey if self.keys.is_empty() && self.unread_keys.is_empty() => {
                Err(key::no_key(&sections))
            }
            _ => Ok(self),
        }
    }

    /// Every key, decrypted where it must be.
    fn private_keys(&mut self, password: Option<&[u8]>) -> Vec<Result<PrivateKey>> {
        let mut keys = core::mem::take(&mut self.keys);
        for key in &self.unread_keys {
            keys.push(match key {
                UnreadKey::Der(der) => key::from_der_or_encrypted(der, password),
                UnreadKey::Pem(section) => key::from_section(section, password),
            });
        }
        keys
    }
}

/// What a file is, as far as its beginning and its outermost fields tell.
enum Form {
    Certificate,
    /// DER of another kind, a key in most cases.
    Other,
    /// PEM, or no form that is known.
    Pem,
    Pkcs12,
    Pkcs7,
}

impl Form {
    fn of(bytes: &[u8]) -> Self {
        if bytes.first() != Some(&SEQUENCE) {
            return Self::Pem;
        }
        let Some(der) = ber::to_der(bytes) else {
            return Self::Other;
        };
        let fields: Vec<u8> = fields(&der).unwrap_or_default();
        match fields.as_slice() {
            [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] => Self::Pkcs12,
            [OBJECT_IDENTIFIER, EXPLICIT] => Self::Pkcs7,
            [SEQUENCE, SEQUENCE, BIT_STRING] => Self::Certificate,
            _ => Self::Other,
        }
    }
}

/// The tags of the first fields of the sequence that `der` is.
fn fields(der: &[u8]) -> Option<Vec<u8>> {
    const ENOUGH: usize = 4;
    let mut sequence = Elements::within(der, SEQUENCE)?;
    let mut fields = Vec::with_capacity(ENOUGH);
    while !sequence.is_finished() && fields.len() < ENOUGH {
        fields.push(sequence.element()?.tag);
    }
    Some(fields)
}

/// What to say of DER that is no certificate.
fn no_certificate(bytes: &[u8]) -> Error {
    match Certificate::from_der(bytes) {
        Err(_) if PrivateKey::from_der(bytes).is_ok() => Error::new(
            ErrorKind::InvalidCertificate,
            "this is a private key, not a certificate: pass the certificate that was issued for it",
        ),
        Err(error) => error,
        // `Form` and the reader of certificates disagree, which the tests would show.
        Ok(_) => Error::new(
            ErrorKind::InvalidCertificate,
            "the certificate cannot be read",
        ),
    }
}
