//! Reads the file and replaces it in one step. It is written in place only if it cannot be replaced and the user
//! asks for it.

use std::{
    fs::{self, File, Metadata, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use zeroize::Zeroizing;

use super::attributes;
use crate::{
    console::Console,
    files,
    output_file::{folder_of, temporary_beside, temporary_for},
};

/// The largest file that is rewritten; the largest that people have hold some thousand profiles.
const MAX_LENGTH: u64 = 16 * 1024 * 1024;

/// How long to wait for another process that rewrites the file, which takes milliseconds. Every user who can
/// read the directory can hold its lock, so the wait is short.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(10);

/// How often the file is read anew when another program changed it meanwhile.
const MAX_TRIES: usize = 10;

/// A temporary file lives for milliseconds. If it is older than this, its process was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(10 * 60);

/// The most files of the directory that are looked at for such.
const MAX_SWEPT: usize = 1024;

/// Replaces the content of a file, whose path has no links, by what `rewritten` makes of the old. Its
/// directory is made if need be.
///
/// # Errors
/// The system's, with the cause in words where the file cannot be replaced; it is then as it was.
pub(super) fn replace(
    path: &Path,
    in_place: bool,
    console: &Console,
    rewritten: impl Fn(&[u8]) -> Zeroizing<Vec<u8>>,
) -> io::Result<()> {
    let folder = folder_of(path);
    make_directory(folder)?;
    let _lock = lock(folder, path, console);
    for _ in 0..MAX_TRIES {
        let old = Old::read(path)?;
        let new = rewritten(old.as_ref().map_or(&[], |old| &old.content));
        let outcome = match (put_in_place(path, &new, old.as_ref(), console), &old) {
            (Ok(outcome), _) => outcome,
            (Err(Refused(error)), Some(old)) if in_place && is_for_the_directory(&error) => {
                old.overwrite(path, &new)?
            }
            (Err(Refused(error)), old) => return Err(explained(error, path, old.as_ref())),
        };
        match outcome {
            Outcome::Written => {
                sweep(path);
                return sync_directory(folder);
            }
            Outcome::Changed => {}
        }
    }
    Err(io::Error::other(
        "other programs change it without a pause: stop them",
    ))
}

/// The file as it was when it was read.
struct Old {
    file: File,
    metadata: Metadata,
    content: Zeroizing<Vec<u8>>,
}

enum Outcome {
    Written,
    /// Another program changed the file after it was read: nothing was written.
    Changed,
}

/// The error of a step that may fail because of the file's directory or owner.
struct Refused(io::Error);

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl Old {
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let (file, metadata) = match files::open_regular(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if metadata.len() > MAX_LENGTH {
            let message = format!("it is longer than {MAX_LENGTH} bytes");
            return Err(io::Error::other(message));
        }
        // Of its final size from the start: a buffer that grows leaves its content behind.
        let capacity = usize::try_from(metadata.len()).unwrap_or_default() + 64;
        let mut content = Zeroizing::new(Vec::with_capacity(capacity));
        (&file).take(MAX_LENGTH + 1).read_to_end(&mut content)?;
        Ok(Some(Self {
            file,
            metadata,
            content,
        }))
    }

    /// Whether the name stands for the file still, and nobody wrote to it.
    fn is_current(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|now| same(&self.metadata, &now))
    }

    /// Writes into the file in place. A reader at that moment may see a part, and a crash may leave a part. After
    /// an error the old content is written back.
    fn overwrite(&self, path: &Path, new: &[u8]) -> io::Result<Outcome> {
        let mut file = File::options().write(true).open(path)?;
        if !same(&self.metadata, &file.metadata()?) {
            return Ok(Outcome::Changed);
        }
        let mut put = |content: &[u8]| {
            file.rewind()?;
            file.write_all(content)?;
            file.set_len(content.len() as u64)?;
            file.sync_all()
        };
        // One write, padded with blank lines to the old length: the end of a longer old content must not follow
        // the new content.
        let length = new.len().max(self.content.len());
        let mut padded = Zeroizing::new(Vec::with_capacity(length));
        padded.extend_from_slice(new);
        padded.resize(length, b'\n');
        match put(&padded).and_then(|()| put(new)) {
            Ok(()) => Ok(Outcome::Written),
            Err(error) => {
                let _ = put(&self.content); // What counts is why it could not be written.
                Err(error)
            }
        }
    }
}

/// Writes a new file beside the old one and renames it.
fn put_in_place(
    path: &Path,
    new: &[u8],
    old: Option<&Old>,
    console: &Console,
) -> Result<Outcome, Refused> {
    let mut file = temporary_beside(path)?;
    file.write_all(new)?;
    if let Some(old) = old {
        attributes::take_over(file.as_file(), &old.file, &old.metadata, console)?;
    }
    file.as_file().sync_all()?;
    match old {
        Some(old) if !old.is_current(path) => return Ok(Outcome::Changed),
        Some(_) => file.persist(path).map_err(|error| error.error)?,
        None => match file.persist_noclobber(path) {
            Ok(file) => file,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Outcome::Changed);
            }
            Err(error) => return Err(Refused(error.error)),
        },
    };
    Ok(Outcome::Written)
}

#[cfg(unix)]
fn same(before: &Metadata, now: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let told = |metadata: &Metadata| {
        [
            metadata.dev().cast_signed(),
            metadata.ino().cast_signed(),
            metadata.size().cast_signed(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        ]
    };
    told(before) == told(now)
}

#[cfg(not(unix))]
fn same(before: &Metadata, now: &Metadata) -> bool {
    before.len() == now.len() && before.modified().ok() == now.modified().ok()
}

/// Whether the file cannot be replaced because of its directory, mount or owner. It may still be writable.
fn is_for_the_directory(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::CrossesDevices
    )
}

/// The error with its cause in words.
fn explained(error: io::Error, path: &Path, old: Option<&Old>) -> io::Error {
    if !is_for_the_directory(&error) {
        return error;
    }
    let folder = folder_of(path).display();
    let cause = match error.kind() {
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
            "it is mounted by itself, so that it cannot be replaced: mount its directory".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            format!(
                "a new file cannot be made in `{folder}`, which is read-only: mount it for writing"
            )
        }
        _ => match old.and_then(|old| foreign_owner(&old.metadata)) {
            Some(owner) => format!(
                "it belongs to user {owner}, and only its owner or root can replace it: run this as that user"
            ),
            None => format!(
                "a new file cannot be made in `{folder}`, which this user cannot write to: change its mode or owner"
            ),
        },
    };
    let instead = match old {
        Some(_) => {
            "; --in-place writes into the file where it stands, and a reader or a crash at that moment may \
             meet half of it"
        }
        None => "",
    };
    io::Error::new(error.kind(), format!("{error}; {cause}{instead}"))
}

#[cfg(unix)]
fn foreign_owner(metadata: &Metadata) -> Option<u32> {
    let owner = std::os::unix::fs::MetadataExt::uid(metadata);
    (owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

#[cfg(not(unix))]
fn foreign_owner(_: &Metadata) -> Option<u32> {
    None
}

fn make_directory(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Locks the file against other processes of this program; the system frees the lock with the process. `None` if
/// the lock cannot be had: the caller goes on, and looks for changes by other processes just before it replaces
/// the file.
fn lock(folder: &Path, path: &Path, console: &Console) -> Option<File> {
    let begun = Instant::now();
    let file = match open_lock(folder, path) {
        Ok(file) => file,
        Err(error) => {
            console.detail(format_args!("the credentials file is not locked: {error}"));
            return None;
        }
    };
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < MAX_LOCK_WAIT => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                let (folder, seconds) = (folder.display(), MAX_LOCK_WAIT.as_secs());
                console.warn(format!(
                    "another process holds the lock of `{folder}` for more than {seconds} s, and is not waited \
                     for: find it with `fuser`, and keep the directory to its owner (mode 700)"
                ));
                return None;
            }
            Err(TryLockError::Error(error)) => {
                console.detail(format_args!("the credentials file is not locked: {error}"));
                return None;
            }
        }
    }
}

/// Opens the directory to lock it, so that no lock file stays there.
#[cfg(unix)]
fn open_lock(folder: &Path, _: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Opens a lock file beside it: on other systems, directories cannot be locked.
#[cfg(not(unix))]
fn open_lock(_: &Path, path: &Path) -> io::Result<File> {
    files::open_lock(&path.with_extension("rolesanywhere-lock"))
}

/// Removes old temporary files for this file that killed processes of this user left.
fn sweep(path: &Path) {
    let Some(wanted) = path.file_name().and_then(|name| name.to_str()) else {
        return;
    };
    let entries = fs::read_dir(folder_of(path))
        .into_iter()
        .flatten()
        .flatten();
    for entry in entries.take(MAX_SWEPT) {
        let name = entry.file_name();
        if name.to_str().and_then(temporary_for) != Some(wanted) {
            continue;
        }
        let is_left = entry.metadata().is_ok_and(|metadata| {
            let age = metadata
                .modified()
                .map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
            metadata.is_file()
                && foreign_owner(&metadata).is_none()
                && age.is_ok_and(|age| age > LEFT_BEHIND)
        });
        if is_left {
            let _ = fs::remove_file(entry.path()); // Whoever came before saved us the trouble.
        }
    }
}

/// Makes the renaming survive a loss of power. Some file systems cannot do that, and a directory may be writable
/// but not readable; the file is in place all the same.
#[cfg(unix)]
fn sync_directory(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::Unsupported
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Replaces the content by itself and a line, while another program writes at the first try.
    fn replaced_beside(other: impl Fn(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        fs::write(&path, "first\n").unwrap();
        let tries = Cell::new(0);
        let rewritten = |content: &[u8]| {
            if tries.replace(tries.get() + 1) == 0 {
                other(&path);
            }
            Zeroizing::new([content, b"ours\n"].concat())
        };
        replace(&path, false, &Console::default(), rewritten).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn what_another_program_writes_meanwhile_is_not_lost() {
        let in_place = |path: &Path| fs::write(path, "first\ntheirs\n").unwrap();
        assert_eq!(replaced_beside(in_place), "first\ntheirs\nours\n");
        let by_renaming = |path: &Path| {
            fs::write(path.with_extension("new"), "other\n").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        };
        assert_eq!(replaced_beside(by_renaming), "other\nours\n");
        let by_removing = |path: &Path| fs::remove_file(path).unwrap();
        assert_eq!(replaced_beside(by_removing), "ours\n");
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let tries = Cell::new(0);
        let rewritten = |content: &[u8]| {
            if tries.replace(tries.get() + 1) == 0 {
                fs::write(&path, "theirs\n").unwrap();
            }
            Zeroizing::new([content, b"ours\n"].concat())
        };
        replace(&path, false, &Console::default(), rewritten).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\nours\n");
    }

    #[test]
    fn a_program_that_never_pauses_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let tries = Cell::new(0);
        let rewritten = |_: &[u8]| {
            tries.set(tries.get() + 1);
            fs::write(&path, "x".repeat(tries.get())).unwrap();
            Zeroizing::new(b"ours".to_vec())
        };
        let error = replace(&path, false, &Console::default(), rewritten).unwrap_err();
        assert!(error.to_string().contains("without a pause"), "{error}");
        assert_eq!(tries.get(), MAX_TRIES);
    }
}
