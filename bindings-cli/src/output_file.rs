//! Files that this program writes: private where they must be, whole or not there at all.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rolesanywhere_core::{Error, ErrorKind, Result};
use tempfile::NamedTempFile;

use crate::files;

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

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "`{}` cannot be written ({error}): name another place",
            path.display()
        ),
    )
}
