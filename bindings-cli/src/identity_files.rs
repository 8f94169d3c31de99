//! The identity in its files: certificate, chain and private key, each file read once.

use std::path::Path;

use rolesanywhere_core::{
    CertificateChain, Error, ErrorKind, IdentityFiles, PrivateKey, Result,
    source::{self, Parameter},
};
use zeroize::Zeroizing;

use crate::{
    console::Console,
    files::{self, Content},
    inputs::{self, INTERMEDIATES, Input},
    keys::Access,
};

/// The largest file that is read: an ML-DSA-87 certificate has 10 kB of PEM, a file of five and a
/// key some 60 kB.
const MAX_FILE_LENGTH: u64 = 1024 * 1024;

/// The identity's files, of which the key's is the one of the certificate where there is no other.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) certificate: &'a InputFile,
    pub(crate) private_key: Option<&'a InputFile>,
    pub(crate) intermediates: Option<&'a Path>,
}

/// Reads the identity out of its files, in any form that the core takes: one generation of all parts. A
/// key file that others can read earns a warning.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for a file that cannot be read; what the core says about its content, with
/// the file's name before it; [`ErrorKind::KeyMismatch`] when key and certificate are no pair.
pub(crate) fn identity(
    places: Places<'_>,
    access: &Access<'_>,
) -> Result<(CertificateChain, PrivateKey)> {
    let intermediates = intermediates(places.intermediates, access)?;
    let key_file = places.private_key.unwrap_or(places.certificate);
    key_file.warn_if_open(access.console);
    let read = |password: Option<&[u8]>| {
        let files = IdentityFiles {
            certificate: &places.certificate.bytes,
            private_key: places.private_key.map(InputFile::content),
            intermediates: intermediates.as_ref().map(InputFile::content),
            password,
        };
        files.read()
    };
    // Everything that was read is wiped when its owner is dropped.
    let what = format!("Password of {}", key_file.shown);
    match access
        .passwords
        .open_file(&what, access.environment, access.console, read)
    {
        Ok((key, chain)) => Ok((chain, key)),
        Err(error) => Err(name_file(error, places, intermediates.as_ref())),
    }
}

/// The error with the file before it that it is about, and the option behind it that helps.
fn name_file(error: Error, places: Places<'_>, intermediates: Option<&InputFile>) -> Error {
    let key = places.private_key.unwrap_or(places.certificate);
    let (certificate, key) = (&places.certificate.shown, &key.shown);
    match error.kind() {
        ErrorKind::PasswordRequired => password_required(key),
        ErrorKind::KeyMismatch if places.private_key.is_some() => {
            error.context(format_args!("{key} and {certificate}"))
        }
        ErrorKind::InvalidCertificate => match intermediates {
            Some(file) if error.message().starts_with("the intermediate certificates") => {
                error.context(&file.shown)
            }
            _ => error.context(certificate),
        },
        ErrorKind::InvalidKey if places.private_key.is_none() => Error::new(
            ErrorKind::InvalidKey,
            format!(
                "{certificate}: {}; a key in a file of its own is named with --private-key",
                error.message()
            ),
        ),
        _ => error.context(key),
    }
}

/// Reads the intermediate certificates, where there are any.
///
/// # Errors
/// As [`InputFile::of`].
pub(crate) fn intermediates(
    place: Option<&Path>,
    access: &Access<'_>,
) -> Result<Option<InputFile>> {
    place
        .map(|value| InputFile::of(Input::read(value, INTERMEDIATES)?, INTERMEDIATES, access))
        .transpose()
}

fn password_required(key: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::PasswordRequired,
        format!(
            "the private key {key} is encrypted: give its password with --password-file, \
             --password-env or --password-fd, or run this in a terminal"
        ),
    )
}

/// Reads a private key alone, without a certificate.
///
/// # Errors
/// As [`identity`], as far as keys go.
pub(crate) fn private_key(file: &InputFile, access: &Access<'_>) -> Result<PrivateKey> {
    file.warn_if_open(access.console);
    let read = |password: Option<&[u8]>| PrivateKey::from_bytes(&file.bytes, password);
    let shown = &file.shown;
    let what = format!("Password of {shown}");
    access
        .passwords
        .open_file(&what, access.environment, access.console, read)
        .map_err(|error| match error.kind() {
            ErrorKind::PasswordRequired => password_required(shown),
            _ => error.context(shown),
        })
}

/// A file's content, wiped when dropped: any of them may hold a private key.
pub(crate) struct InputFile {
    /// What messages call it.
    pub(crate) shown: String,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// The permissions, when they let in others than the owner.
    open_mode: Option<u32>,
}

impl InputFile {
    /// Reads what an option names.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it cannot be read, is too large or empty.
    pub(crate) fn of(input: Input<'_>, option: Parameter<'_>, access: &Access<'_>) -> Result<Self> {
        let bytes = match input {
            Input::File(path) => return Self::read(path, option),
            Input::Descriptor(number) => access.passwords.inputs.descriptor(number, option)?,
            Input::Variable(name) => inputs::variable(name, option, access.environment)?,
        };
        Ok(Self {
            shown: input.shown(),
            bytes: plain(bytes),
            open_mode: None,
        })
    }

    /// Reads a file, or a pipe, of at most a mebibyte; `option` is what named it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it cannot be read, is too large or empty.
    pub(crate) fn read(path: &Path, option: Parameter<'_>) -> Result<Self> {
        let shown = Input::File(path).shown();
        let refuse = |why: String| {
            let message = format!("{shown} {why}: check {}", option.name);
            Error::new(ErrorKind::InvalidInput, message)
        };
        let unreadable = |error: std::io::Error| inputs::unreadable(path, option, &error);
        let Content { bytes, metadata } = files::read(path, MAX_FILE_LENGTH).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE_LENGTH {
            return Err(refuse(format!("is larger than {MAX_FILE_LENGTH} bytes")));
        }
        if bytes.is_empty() {
            return Err(refuse("is empty".to_owned()));
        }
        Ok(Self {
            shown,
            bytes: plain(bytes),
            open_mode: open_mode(&metadata),
        })
    }

    /// Warns where others than its owner can get at the file.
    pub(crate) fn warn_if_open(&self, console: &Console) {
        if let Some(mode) = self.open_mode {
            console.warn(format!(
                "the private key {} has mode {mode:04o}, so others than its owner can get at it: \
                 `chmod 600` it",
                self.shown
            ));
        }
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.bytes
    }
}

/// Content without the base64 around it, where there is any: the keys of TPMs are looked for in PEM.
fn plain(bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    source::decoded(&bytes).unwrap_or(bytes)
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
