use std::{
    fs,
    io::Write as _,
    os::unix::fs::{FileTypeExt as _, symlink},
    process::{Command, Stdio},
    thread,
};

use super::*;

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    assert!(fs::metadata(path).unwrap().file_type().is_fifo());
}

fn read_soon(path: &Path, max_length: u64) -> io::Result<Vec<u8>> {
    let file = open(path, Links::Followed)?;
    let metadata = file.metadata()?;
    let patience = Duration::from_millis(300);
    read_within(file, metadata, max_length, patience).map(|content| content.bytes.to_vec())
}

#[test]
fn files_are_read_whole_or_to_their_limit() {
    let world = tempfile::tempdir().unwrap();
    let path = world.path().join("file");
    for (content, max_length, expected) in [
        (&b""[..], 10, &b""[..]),
        (b"0123456789", 10, b"0123456789"),
        (b"0123456789ab", 10, b"0123456789a"), // One more, which tells that it is too long.
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(&**read(&path, max_length).unwrap().bytes, expected);
    }
}

#[test]
fn a_pipe_is_read_as_long_as_somebody_writes_to_it() {
    let world = tempfile::tempdir().unwrap();
    let path = world.path().join("pipe");
    mkfifo(&path);
    // The writer comes late, and writes in two pieces.
    let name = path.clone();
    let writer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let mut pipe = File::options().write(true).open(name).unwrap();
        pipe.write_all(b"first ").unwrap();
        thread::sleep(Duration::from_millis(50));
        pipe.write_all(b"second").unwrap();
    });
    assert_eq!(read_soon(&path, 100).unwrap(), b"first second");
    writer.join().unwrap();
}

#[test]
fn a_pipe_that_nobody_writes_to_is_given_up() {
    let world = tempfile::tempdir().unwrap();
    let path = world.path().join("pipe");
    mkfifo(&path);
    let error = read_soon(&path, 100).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    // Nor is one waited for that is open and silent, before its first byte or after.
    let mut writer = File::options().read(true).write(true).open(&path).unwrap();
    for content in ["", "some"] {
        writer.write_all(content.as_bytes()).unwrap();
        let error = read_soon(&path, 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

#[test]
fn pipes_of_a_shell_end_with_their_writer_even_when_it_wrote_nothing() {
    for content in [&b""[..], b"content"] {
        let mut command = Command::new("cat");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        let pipe = child.stdout.take().unwrap();
        child.wait().unwrap();
        let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&pipe));
        assert_eq!(read_soon(Path::new(&path), 100).unwrap(), content);
    }
}

#[test]
fn what_must_be_a_file_is_one() {
    let world = tempfile::tempdir().unwrap();
    let (file, pipe, link) = ["file", "pipe", "link"]
        .map(|name| world.path().join(name))
        .into();
    fs::write(&file, "content").unwrap();
    mkfifo(&pipe);
    symlink(&file, &link).unwrap();
    assert!(open_regular(&file).is_ok() && open_regular(&link).is_ok());
    assert!(open_own(&file).is_ok() && open_own(&link).is_err());
    assert!(open_lock(&file).is_ok() && open_lock(&link).is_err());
    for (path, told) in [
        (pipe.as_path(), "it is a pipe, not a file"),
        (world.path(), "it is a directory, not a file"),
        (Path::new("/dev/null"), "it is a device, not a file"),
    ] {
        assert_eq!(open_regular(path).unwrap_err().to_string(), told);
        assert_eq!(open_own(path).unwrap_err().to_string(), told);
    }
    assert_eq!(
        open_lock(&pipe).unwrap_err().to_string(),
        "it is a pipe, not a file"
    );
}

#[test]
fn a_tilde_is_named_as_the_cause() {
    for path in ["~/no-such-file", "~root/no-such-file", "~"] {
        let error = read(Path::new(path), 10).map(|_| ()).unwrap_err();
        assert!(
            error.to_string().contains("`~` stands for a home"),
            "{error}"
        );
        assert!(refuse_tilde(Path::new(path)).is_err());
    }
    for path in ["/~/no-such-file", "no~such-file"] {
        let error = read(Path::new(path), 10).map(|_| ()).unwrap_err();
        assert!(!error.to_string().contains('~'), "{error}");
        assert!(refuse_tilde(Path::new(path)).is_ok());
    }
}
