//! The shared credentials file of the AWS SDKs: one profile's keys are changed, all else stays as it
//! is, and whoever reads the file sees the old one or the new one, never a part.

mod rewrite;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rolesanywhere_core::{Credentials, Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::{console::Console, environment::Environment};

/// The largest file that is rewritten; the largest ones that people have hold some thousand profiles.
const MAX_LENGTH: u64 = 16 * 1024 * 1024;

/// How long to wait for another process that rewrites the file, which takes milliseconds.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(30);

/// The shared credentials file.
#[derive(Debug)]
pub(crate) struct CredentialsFile {
    path: PathBuf,
}

impl CredentialsFile {
    /// Where it is: `AWS_SHARED_CREDENTIALS_FILE`, else `.aws/credentials` in the user's home.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when there is no home.
    pub(crate) fn locate(environment: &Environment<'_>) -> Result<Self> {
        if let Some(path) = environment.value("AWS_SHARED_CREDENTIALS_FILE") {
            return Ok(Self { path: path.into() });
        }
        let home = environment.value(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let home = home.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidInput,
                "there is no home directory: set AWS_SHARED_CREDENTIALS_FILE to the file to write",
            )
        })?;
        Ok(Self {
            path: Path::new(&home).join(".aws").join("credentials"),
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the credentials into the profile; makes the profile, the file (0600) and its directory
    /// (0700) where they are missing. A link is followed, mode and owner are kept.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the file, or the profile when it cannot be one's name. The
    /// file is then as it was.
    pub(crate) fn write(
        &self,
        profile: &str,
        credentials: &Credentials,
        console: &Console,
    ) -> Result<()> {
        let values = [
            ("aws_access_key_id", credentials.access_key_id()),
            (
                "aws_secret_access_key",
                credentials.secret_access_key().expose(),
            ),
            ("aws_session_token", credentials.session_token().expose()),
        ];
        check_profile(profile)?;
        let is_line = |value: &str| !value.chars().any(char::is_control);
        if !values.iter().all(|(_, value)| is_line(value)) {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "the credentials hold a control character, which no line of the file can: check \
                 the endpoint",
            ));
        }
        self.replace(profile, &values, console).map_err(|error| {
            let path = self.path.display();
            Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the credentials file `{path}` cannot be rewritten ({error}): check it and its \
                     directory, or set AWS_SHARED_CREDENTIALS_FILE"
                ),
            )
        })
    }

    fn replace(&self, profile: &str, values: &[(&str, &str)], console: &Console) -> io::Result<()> {
        // What is replaced is what a link points to, and the new file is made beside that.
        let path = match fs::canonicalize(&self.path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.path.clone(),
            Err(error) => return Err(error),
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        make_directory(folder)?;
        let _lock = lock(folder, &path)?;
        let old = read(&path)?;
        let empty = Zeroizing::new(Vec::new());
        let (content, metadata) = match &old {
            Some((content, metadata)) => (content, Some(metadata)),
            None => (&empty, None),
        };
        if let Some(mode) = metadata.and_then(open_mode) {
            console.warn(format!(
                "the credentials file `{}` has mode {mode:04o}, so others than its owner can get at \
                 it: `chmod 600` it",
                path.display()
            ));
        }
        let new = rewrite::with_credentials(content, profile, values);
        // Always the same name, under the lock: what a killed process left is replaced.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".rolesanywhere-new");
        let beside = path.with_file_name(name);
        let written =
            write_beside(&beside, &new, metadata).and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            let _ = fs::remove_file(&beside); // What counts is why it was not written.
        }
        written?;
        sync_directory(folder)
    }
}

/// A name that fits between `[` and `]`.
fn check_profile(profile: &str) -> Result<()> {
    let fits = |c: char| !c.is_control() && c != '[' && c != ']';
    if !profile.is_empty() && profile.trim() == profile && profile.chars().all(fits) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        "the value of --profile is no profile's name: pass one without brackets and without spaces \
         at its ends",
    ))
}

fn make_directory(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Locks the directory, so that no file of ours is left lying there. The system frees the lock with
/// the process.
#[cfg(unix)]
fn lock(folder: &Path, _: &Path) -> io::Result<File> {
    wait_for(File::open(folder)?)
}

/// Windows locks files only: one beside the credentials file, which stays.
#[cfg(not(unix))]
fn lock(_: &Path, path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    wait_for(options.open(path.with_extension("rolesanywhere-lock"))?)
}

fn wait_for(file: File) -> io::Result<File> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < MAX_LOCK_WAIT => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn read(path: &Path) -> io::Result<Option<(Zeroizing<Vec<u8>>, fs::Metadata)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > MAX_LENGTH {
        return Err(io::Error::other(format!(
            "it is no file of at most {MAX_LENGTH} bytes"
        )));
    }
    // Of its final size from the start: a buffer that grows leaves its content behind.
    let capacity = usize::try_from(metadata.len()).unwrap_or_default() + 64;
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(MAX_LENGTH + 1).read_to_end(&mut content)?;
    Ok(Some((content, metadata)))
}

/// Writes the new file, private from its first byte on, then with the mode and the owner of the old.
fn write_beside(path: &Path, content: &[u8], old: Option<&fs::Metadata>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    if let Some(old) = old {
        keep_owner(&file, old)?;
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

/// Root, who updates another user's file, leaves it to him.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Makes the renaming last through a loss of power.
#[cfg(unix)]
fn sync_directory(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn open_mode(metadata: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_mode(_: &fs::Metadata) -> Option<u32> {
    None
}
