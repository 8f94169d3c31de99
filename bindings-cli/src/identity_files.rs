//! The identity in its files: certificate, chain and private key, each file read once.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rolesanywhere_core::{Certificate, CertificateChain, Error, ErrorKind, PrivateKey, Result};
use zeroize::Zeroizing;

use crate::{arguments::IdentityOptions, console::Console, environment::Environment, password};

/// The largest file that is read: an ML-DSA-87 certificate has 10 kB of PEM, a file of five and a
/// key some 60 kB.
const MAX_FILE_LENGTH: u64 = 1024 * 1024;

/// A certificate chain and the private key of its end entity: one generation, since both were read
/// together and compared.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) chain: CertificateChain,
    pub(crate) key: PrivateKey,
}

impl Identity {
    /// Reads the files that the options name. A key file that others can read earns a warning.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a file that cannot be read; what the core says about its
    /// content, with the file's name before it; [`ErrorKind::KeyMismatch`] when key and certificate
    /// are no pair.
    pub(crate) fn load(
        options: &IdentityOptions,
        environment: &Environment<'_>,
        console: &Console,
    ) -> Result<Self> {
        let mut password = password::read(&options.password, environment, console)?;
        let certificate = InputFile::read(&options.certificate, "--certificate")?;
        let mut chain = certificate.chain()?;
        if let Some(path) = &options.intermediates {
            let intermediates = InputFile::read(path, "--intermediates")?;
            chain = chain
                .with_intermediates_pem(&intermediates.bytes)
                .map_err(|error| intermediates.name(error))?;
        }
        let key_file = match &options.private_key {
            Some(path) => InputFile::read(path, "--private-key")?,
            None if certificate.holds_key() => certificate,
            None => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "`{}` holds no private key: name the key's file with --private-key",
                        options.certificate.display()
                    ),
                ));
            }
        };
        if let Some(mode) = key_file.open_mode {
            console.warn(format!(
                "the private key `{}` has mode {mode:04o}, so others than its owner can get at it: \
                 `chmod 600` it",
                key_file.path.display()
            ));
        }
        let key = key_file.key(password.as_ref().map(|password| password.as_slice()));
        password.take(); // Wiped here, before anything else happens.
        let key = key.map_err(|error| match error.kind() {
            ErrorKind::PasswordRequired => Error::new(
                ErrorKind::PasswordRequired,
                format!(
                    "the private key `{}` is encrypted: give its password with --password-file, \
                     --password-env or --password-fd",
                    key_file.path.display()
                ),
            ),
            _ => key_file.name(error),
        })?;
        let public_key = chain.end_entity().public_key()?;
        key.check_matches(public_key).map_err(|error| {
            error.context(format_args!(
                "`{}` and `{}`",
                key_file.path.display(),
                options.certificate.display()
            ))
        })?;
        Ok(Self { chain, key })
    }
}

/// A file's content, wiped when dropped: any of them may hold a private key.
struct InputFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    /// The permissions, when they let in others than the owner.
    open_mode: Option<u32>,
}

impl InputFile {
    fn read(path: &Path, option: &str) -> Result<Self> {
        let refuse = |why: String| {
            let message = format!("`{}` {why}: check {option}", path.display());
            Error::new(ErrorKind::InvalidInput, message)
        };
        let text = path.to_string_lossy();
        if text.starts_with("pkcs11:") || text.starts_with("handle:") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "`{text}`: keys in PKCS#11 tokens and TPMs are not supported yet: pass a file to {option}"
                ),
            ));
        }
        let unreadable = |error: std::io::Error| refuse(format!("cannot be read ({error})"));
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.len() > MAX_FILE_LENGTH {
            return Err(refuse(format!("is larger than {MAX_FILE_LENGTH} bytes")));
        }
        // A buffer that grows leaves its content behind, so it has its final size from the start; a
        // pipe does not tell its length and gets the largest.
        let capacity = if metadata.is_file() {
            metadata.len()
        } else {
            MAX_FILE_LENGTH
        };
        let capacity = usize::try_from(capacity).unwrap_or_default() + 64;
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        file.take(MAX_FILE_LENGTH + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE_LENGTH {
            return Err(refuse(format!("is larger than {MAX_FILE_LENGTH} bytes")));
        }
        if bytes.is_empty() {
            return Err(refuse("is empty".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            bytes,
            open_mode: open_mode(&metadata),
        })
    }

    fn is_pem(&self) -> bool {
        memchr::memmem::find(&self.bytes, b"-----BEGIN").is_some()
    }

    fn holds_key(&self) -> bool {
        memchr::memmem::find(&self.bytes, b"PRIVATE KEY-----").is_some()
    }

    fn chain(&self) -> Result<CertificateChain> {
        let chain = if looks_like_der(&self.bytes) && !self.is_pem() {
            Certificate::from_der(&self.bytes)
                .and_then(|end_entity| CertificateChain::new(end_entity, Vec::new()))
        } else {
            CertificateChain::from_pem(&self.bytes)
        };
        chain.map_err(|error| self.name(error))
    }

    fn key(&self, password: Option<&[u8]>) -> Result<PrivateKey> {
        if looks_like_der(&self.bytes) && !self.is_pem() {
            PrivateKey::from_der(&self.bytes)
        } else {
            PrivateKey::from_pem(&self.bytes, password)
        }
    }

    fn name(&self, error: Error) -> Error {
        error.context(format_args!("`{}`", self.path.display()))
    }
}

/// Every key and certificate in DER is a `SEQUENCE`.
fn looks_like_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

#[cfg(unix)]
fn open_mode(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    (metadata.is_file() && mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_mode(_: &std::fs::Metadata) -> Option<u32> {
    None
}
