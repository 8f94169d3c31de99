//! Opens and reads files that other users may have put there: no call waits for ever, and a pipe is read only
//! where a pipe may be.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Component, Path},
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

/// How long the writer of a pipe may take for the whole content. A command in `<(…)` may ask a vault, and the
/// vault a person; a pipe without a writer is a mistake.
const PIPE_PATIENCE: Duration = Duration::from_secs(30);

/// What was read, wiped when dropped.
pub(crate) struct Content {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) metadata: Metadata,
}

/// Reads a file, a pipe or a device that the user names: its first `max_length` bytes, and one byte more if it
/// is longer. The writer of a pipe has half a minute.
///
/// # Errors
/// The system's; [`io::ErrorKind::TimedOut`] for a pipe whose writer does not finish in time.
pub(crate) fn read(path: &Path, max_length: u64) -> io::Result<Content> {
    let file = open(path, Links::Followed)?;
    let metadata = file.metadata()?;
    read_within(file, metadata, max_length, PIPE_PATIENCE)
}

/// Opens a regular file. A pipe, a device and a directory are refused.
///
/// # Errors
/// The system's; [`io::ErrorKind::InvalidInput`] naming what it is instead.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    regular(open(path, Links::Followed)?)
}

/// As [`open_regular`], for a file of this program: a link under its name is refused too.
///
/// # Errors
/// As [`open_regular`].
pub(crate) fn open_own(path: &Path) -> io::Result<(File, Metadata)> {
    regular(open(path, Links::Refused)?)
}

/// Opens a file of this program to lock it, and makes it, for its owner alone, if need be.
///
/// # Errors
/// As [`open_own`].
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    Ok(regular(open_to_lock(path)?)?.0)
}

/// Whether the path names something that can be read once only: a pipe, a socket, a terminal. `false` if
/// nothing is there or it cannot be examined.
pub(crate) fn is_read_once(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// The device and inode number of the file at this path, to see later whether the path still names the same
/// file. `None` if nothing is there, and on systems without inode numbers. The system reuses the number of a
/// removed file: keep the file or socket open until the comparison is done.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Refuses a path that begins with `~`, before a directory of that name is made.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] naming the cause.
pub(crate) fn refuse_tilde(path: &Path) -> io::Result<()> {
    match begins_with_tilde(path) && std::fs::symlink_metadata(path).is_err() {
        true => Err(tilde()),
        false => Ok(()),
    }
}

fn begins_with_tilde(path: &Path) -> bool {
    match path.components().next() {
        Some(Component::Normal(first)) => first.as_encoded_bytes().starts_with(b"~"),
        _ => false,
    }
}

fn tilde() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        "there is no such file; `~` stands for a home directory in a shell only: write the whole path",
    )
}

fn regular(file: File) -> io::Result<(File, Metadata)> {
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return Ok((file, metadata));
    }
    let message = format!("it is {}, not a file", kind(&metadata));
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

enum Links {
    Followed,
    Refused,
}

#[cfg(unix)]
fn kind(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "a directory"
    } else {
        "a device"
    }
}

/// Opens without waiting: opening a pipe without a writer would block.
#[cfg(unix)]
fn open(path: &Path, links: Links) -> io::Result<File> {
    use rustix::fs::OFlags;
    let more = match links {
        Links::Followed => OFlags::empty(),
        Links::Refused => OFlags::NOFOLLOW,
    };
    open_as(path, OFlags::RDONLY | more).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if begins_with_tilde(path) => tilde(),
        _ => error,
    })
}

#[cfg(unix)]
fn open_to_lock(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    // For reading and writing: opening a pipe for writing alone fails if it has no reader.
    open_as(path, OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW)
}

#[cfg(unix)]
fn open_as(path: &Path, flags: rustix::fs::OFlags) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(
        path,
        flags,
        Mode::RUSR | Mode::WUSR,
    )?))
}

#[cfg(not(unix))]
fn open(path: &Path, _: Links) -> io::Result<File> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if begins_with_tilde(path) => tilde(),
        _ => error,
    })
}

#[cfg(not(unix))]
fn open_to_lock(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

/// Reads a file that was opened in non-blocking mode. `patience` limits pipes and sockets; a person at a
/// terminal sees that the program waits, and has no limit.
fn read_within(
    mut file: File,
    metadata: Metadata,
    max_length: u64,
    patience: Duration,
) -> io::Result<Content> {
    // Of its final size from the start where the length is known; what is no file gets the largest.
    let most = usize::try_from(max_length).unwrap_or(usize::MAX - 1) + 1;
    let length = match metadata.is_file() {
        true => usize::try_from(metadata.len())
            .unwrap_or(usize::MAX)
            .saturating_add(64)
            .min(most),
        false => most,
    };
    let mut bytes = Zeroizing::new(vec![0; length]);
    let mut filled = 0;
    let deadline = is_pipe(&metadata).then(|| Instant::now() + patience);
    loop {
        if filled == most {
            break;
        }
        if filled == bytes.len() {
            // A file that grew, or of a system that tells no lengths. The old buffer is wiped when dropped.
            let mut longer = Zeroizing::new(vec![0; (2 * filled + 4096).min(most)]);
            if let Some(begin) = longer.get_mut(..filled) {
                begin.copy_from_slice(&bytes);
            }
            bytes = longer;
        }
        match file.read(bytes.get_mut(filled..).unwrap_or_default()) {
            // A named pipe without a writer reads as if it had ended, but its writer may still come.
            Ok(0) if filled == 0 && has_name(&file, &metadata) && wait(&file, deadline)? => {}
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(&file, deadline)?;
            }
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled); // The rest is wiped with the buffer.
    Ok(Content { bytes, metadata })
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_socket()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

/// Whether it is a pipe with a name in a directory. A pipe that was inherited as a descriptor had its writer
/// from the start. Where there is no `/proc`, `poll` reports the end of the pipe.
#[cfg(unix)]
fn has_name(file: &File, metadata: &Metadata) -> bool {
    use std::os::fd::AsRawFd as _;
    let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
    is_pipe(metadata) && link.is_ok_and(|link| link.is_absolute())
}

#[cfg(not(unix))]
fn has_name(_: &File, _: &Metadata) -> bool {
    false
}

/// Waits until there is something to read. `false` if the last writer has closed the pipe.
#[cfg(unix)]
fn wait(file: &File, deadline: Option<Instant>) -> io::Result<bool> {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::Errno,
    };
    let late = || {
        io::Error::new(
            io::ErrorKind::TimedOut,
            "it is a pipe whose writer did not finish in time: check the command that writes it",
        )
    };
    loop {
        let left = match deadline {
            None => None,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(late());
                }
                Timespec::try_from(left).ok()
            }
        };
        let mut ready = [PollFd::new(file, PollFlags::IN)];
        match poll(&mut ready, left.as_ref()) {
            Ok(0) => return Err(late()),
            Ok(_) => return Ok(ready[0].revents().contains(PollFlags::IN)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(not(unix))]
fn wait(_: &File, _: Option<Instant>) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
