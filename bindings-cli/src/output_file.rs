//! Files that this program writes: private where they must be, whole or not there at all.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::rand::{SecureRandom as _, SystemRandom};
use rolesanywhere_core::{Error, ErrorKind, Result};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::files;

/// Bounds of a token: what cannot be guessed, and what fits into a header.
const MIN_TOKEN_LENGTH: usize = 16;
const MAX_TOKEN_LENGTH: usize = 1024;

/// Puts a file in place in one step: whoever sees it, sees all of it.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] naming the file.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let write = || {
        files::refuse_tilde(path)?;
        let mut file = temporary_beside(path)?;
        file.write_all(content)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| unwritable(path, &error))
}

/// What stands in a temporary file's name before its random end.
const TEMPORARY: &str = ".rolesanywhere-";

/// How many letters and digits a temporary file's name ends with.
const RANDOM_LENGTH: usize = 6;

/// Makes a temporary file of mode 0600 beside the file that it will become. Its name is `.NAME.rolesanywhere-`
/// and six random letters or digits, so that no other user can take the name first.
///
/// # Errors
/// The system's.
pub(crate) fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(TEMPORARY);
    tempfile::Builder::new()
        .prefix(&prefix)
        .rand_bytes(RANDOM_LENGTH)
        .tempfile_in(folder_of(path))
}

/// The name of the file that a temporary file was to become; `None` if this program does not give such names to
/// temporary files. Killed processes leave temporary files.
pub(crate) fn temporary_for(name: &str) -> Option<&str> {
    let (name, random) = name.strip_prefix('.')?.rsplit_once(TEMPORARY)?;
    let is_random =
        random.len() == RANDOM_LENGTH && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_random && !name.is_empty()).then_some(name)
}

/// The directory that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Writes a new file that its owner alone can read.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] naming the file, also when it exists.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        files::refuse_tilde(path)?;
        options.open(path)?.write_all(content)
    };
    write().map_err(|error| unwritable(path, &error))
}

/// Makes a directory that its owner alone can enter, and returns its absolute path. One that exists
/// is taken if it is empty.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] naming the directory.
pub(crate) fn private_directory(path: &Path) -> Result<PathBuf> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let prepare = || {
        files::refuse_tilde(path)?;
        builder.create(path)?;
        let taken = std::fs::read_dir(path)?.next().is_some();
        #[cfg(unix)]
        if !taken {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok((taken, path.canonicalize()?))
    };
    match prepare() {
        Ok((false, path)) => Ok(path),
        Ok((true, _)) => Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "the directory `{}` is not empty: name a new one",
                path.display()
            ),
        )),
        Err(error) => Err(unwritable(path, &error)),
    }
}

/// A secret that two processes know: one line of a file, wiped when dropped.
pub(crate) struct Token(Zeroizing<Vec<u8>>);

impl Token {
    /// The bytes.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Reads a token from a file, up to its final newline; makes the file, with a random token, where it
/// is missing.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] naming the file: it cannot be read or made, others can get at it, or its
/// token is too short to be a secret, too long for a header, or not of visible characters.
pub(crate) fn secret_token(path: &Path) -> Result<Token> {
    if !path.exists() {
        let mut random = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *random).map_err(|_| {
            let none = std::io::Error::other("the system has no random numbers");
            unwritable(path, &none)
        })?;
        let text = Zeroizing::new(Base64UrlUnpadded::encode_string(&*random));
        write_private(path, text.as_bytes())?;
    }
    let refuse = |why: String| {
        let message = format!("the token file `{}` {why}", path.display());
        Error::new(ErrorKind::InvalidInput, message)
    };
    let unreadable = |error: std::io::Error| refuse(format!("cannot be read ({error}): check it"));
    let file = File::open(path).map_err(unreadable)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(refuse(format!(
                "has mode {mode:04o}, so others than its owner can get at it: `chmod 600` it"
            )));
        }
    }
    let mut token = Zeroizing::new(Vec::with_capacity(MAX_TOKEN_LENGTH + 2));
    file.take(MAX_TOKEN_LENGTH as u64 + 2)
        .read_to_end(&mut token)
        .map_err(unreadable)?;
    while token
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        token.pop();
    }
    let visible = token.iter().all(u8::is_ascii_graphic);
    if !visible || !(MIN_TOKEN_LENGTH..=MAX_TOKEN_LENGTH).contains(&token.len()) {
        return Err(refuse(format!(
            "holds no token of {MIN_TOKEN_LENGTH} to {MAX_TOKEN_LENGTH} visible characters: remove \
             it, and one is made"
        )));
    }
    Ok(Token(token))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "`{}` cannot be written ({error}): name another place",
            path.display()
        ),
    )
}
