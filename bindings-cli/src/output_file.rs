//! Files that this program writes: private where they must be, whole or not there at all.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use rolesanywhere_core::{Error, ErrorKind, Result};

/// Puts a file in place in one step: whoever sees it, sees all of it.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] naming the file.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| unwritable(path, &error))
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
    let write = || options.open(path)?.write_all(content);
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
