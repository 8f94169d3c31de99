//! The identity in its files: certificate, chain and private key, each file read once.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rolesanywhere_core::{CertificateChain, Error, ErrorKind, IdentityFiles, PrivateKey, Result};
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
    /// Reads the files that the options name, in any form that the core takes. A key file that others
    /// can read earns a warning.
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
        let password = password::read(&options.password, environment, console)?;
        let certificate = InputFile::read(&options.certificate, "--certificate")?;
        let private_key = options.private_key.as_deref();
        let private_key = private_key.map(|path| InputFile::read(path, "--private-key"));
        let private_key = private_key.transpose()?;
        let intermediates = options.intermediates.as_deref();
        let intermediates = intermediates.map(|path| InputFile::read(path, "--intermediates"));
        let intermediates = intermediates.transpose()?;

        let key_file = private_key.as_ref().unwrap_or(&certificate);
        if let Some(mode) = key_file.open_mode {
            console.warn(format!(
                "the private key `{}` has mode {mode:04o}, so others than its owner can get at it: \
                 `chmod 600` it",
                key_file.path.display()
            ));
        }
        let files = IdentityFiles {
            certificate: &certificate.bytes,
            private_key: private_key.as_ref().map(InputFile::content),
            intermediates: intermediates.as_ref().map(InputFile::content),
            password: password.as_ref().map(|password| password.as_slice()),
        };
        // Everything that was read is wiped when this returns.
        match files.read() {
            Ok((key, chain)) => Ok(Self { chain, key }),
            Err(error) => Err(name_file(error, options)),
        }
    }
}

/// The error with the file before it that it is about, and the option behind it that helps.
fn name_file(error: Error, options: &IdentityOptions) -> Error {
    let certificate = options.certificate.display();
    let key = options
        .private_key
        .as_ref()
        .unwrap_or(&options.certificate)
        .display();
    match error.kind() {
        ErrorKind::PasswordRequired => Error::new(
            ErrorKind::PasswordRequired,
            format!(
                "the private key `{key}` is encrypted: give its password with --password-file, \
                 --password-env or --password-fd"
            ),
        ),
        ErrorKind::KeyMismatch if options.private_key.is_some() => {
            error.context(format_args!("`{key}` and `{certificate}`"))
        }
        ErrorKind::InvalidCertificate => match &options.intermediates {
            Some(path) if error.message().starts_with("the intermediate certificates") => {
                error.context(format_args!("`{}`", path.display()))
            }
            _ => error.context(format_args!("`{certificate}`")),
        },
        ErrorKind::InvalidKey if options.private_key.is_none() => Error::new(
            ErrorKind::InvalidKey,
            format!(
                "`{certificate}`: {}; a key in a file of its own is named with --private-key",
                error.message()
            ),
        ),
        _ => error.context(format_args!("`{key}`")),
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

    fn content(&self) -> &[u8] {
        &self.bytes
    }
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
