//! The directory of kept sessions, and files in it that their owner alone can read.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{console::Console, environment::Environment, files};

/// Finds the directory, and makes it if need be: `named` by the user, else below his cache directory.
///
/// `None`, with a warning, where others could put files into it or it is not the user's own, and where
/// a named one cannot be made. `None` in silence where a user has no home, or not his own (`sudo`).
pub(super) fn find(
    named: Option<&Path>,
    environment: &Environment<'_>,
    console: &Console,
) -> Option<PathBuf> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => default(environment)?,
    };
    let outcome = match fs::symlink_metadata(&path) {
        Ok(_) => Ok(()),
        Err(_) => files::refuse_tilde(&path).and_then(|()| make(&path)),
    };
    match outcome.and_then(|()| check(&path)) {
        Ok(()) => Some(path),
        Err(error) if named.is_some() || error.kind() == io::ErrorKind::PermissionDenied => {
            let shown = path.display();
            console.warn(format!(
                "no session is kept: the cache directory `{shown}` cannot be used ({error}); name \
                 another with --cache-dir, or pass --no-cache"
            ));
            None
        }
        Err(error) => {
            console.detail(format_args!(
                "no session is kept: `{}`: {error}",
                path.display()
            ));
            None
        }
    }
}

fn default(environment: &Environment<'_>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = environment.value(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")?
    } else if let Some(path) = absolute("XDG_CACHE_HOME") {
        path
    } else {
        let home = absolute("HOME")?;
        // With `sudo` it may be another user's, in whose home nothing should appear.
        is_own(&fs::metadata(&home).ok()?).then_some(())?;
        home.join(if cfg!(target_os = "macos") {
            "Library/Caches"
        } else {
            ".cache"
        })
    };
    Some(base.join("rolesanywhere"))
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    // A home that cannot be written is no fault of the user's, and nothing to repeat at each call.
    made.map_err(|error| io::Error::other(error.to_string()))
}

fn check(path: &Path) -> io::Result<()> {
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return refuse("it is no directory");
    }
    if !is_own(&metadata) {
        return refuse("it belongs to another user");
    }
    if mode(&metadata) & 0o022 != 0 {
        return refuse("others can write to it: `chmod 700` it");
    }
    Ok(())
}

/// Reads a file that must be the user's own and nobody else's to read.
pub(super) fn read_private(path: &Path, max_length: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let (file, metadata) = files::open_own(path)?;
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if metadata.len() > max_length {
        return refuse("it is too long for a file of this program");
    }
    if !is_own(&metadata) {
        return refuse("it belongs to another user");
    }
    if mode(&metadata) & 0o077 != 0 {
        return refuse("others can get at it");
    }
    let capacity = usize::try_from(metadata.len()).unwrap_or_default() + 64;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(max_length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether this is the metadata of a regular file of this user.
pub(super) fn is_own_file(metadata: &fs::Metadata) -> bool {
    metadata.is_file() && is_own(metadata)
}

/// Whether the path still names the open file. If another process has replaced or removed it, a lock on the open
/// file guards nothing.
#[cfg(unix)]
pub(super) fn is_still(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let open = file.metadata()?;
    Ok(fs::symlink_metadata(path)
        .is_ok_and(|named| (named.dev(), named.ino()) == (open.dev(), open.ino())))
}

/// Elsewhere files that are open cannot be told apart; locks are not removed there.
#[cfg(not(unix))]
pub(super) fn is_still(_: &Path, _: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(unix)]
fn is_own(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

/// Elsewhere the user's own directory is private by the system's rules.
#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0o600
}
