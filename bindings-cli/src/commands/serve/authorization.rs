//! The token of the container credentials endpoint, and the file that it is in.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use rolesanywhere_core::{
    Error, ErrorKind, Result,
    source::{self, Part},
};
use zeroize::Zeroizing;

use crate::output_file;

/// Bounds of a token: what cannot be guessed, and what fits into a header.
const MIN_LENGTH: usize = 16;
const MAX_LENGTH: usize = 1024;

/// A secret that the server and its clients know. Wiped when dropped.
pub(super) struct Authorization(Zeroizing<Vec<u8>>);

impl Authorization {
    /// Reads the token from a file, up to its final newline; makes the file, with a random token, where
    /// it is missing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the file: it cannot be read or made, it is a link or no
    /// file, others own it or can get at it, or its token is too short to be a secret, too long for a
    /// header, or not of visible characters.
    pub(super) fn in_file(path: &Path) -> Result<Self> {
        let refuse = |why: String| {
            let message = format!(
                "the token file{} {why}: check --authorization-token-file",
                named(path)
            );
            Error::new(ErrorKind::InvalidInput, message)
        };
        let unreadable = |error: io::Error| refuse(explain(&error));
        let file = match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                output_file::write_private(path, random_token(path)?.as_bytes())?;
                open(path)
            }
            opened => opened,
        };
        let file = file.map_err(unreadable)?;
        check(&file.metadata().map_err(unreadable)?).map_err(refuse)?;
        let mut token = Zeroizing::new(Vec::with_capacity(MAX_LENGTH + 2));
        file.take(MAX_LENGTH as u64 + 2)
            .read_to_end(&mut token)
            .map_err(unreadable)?;
        while token
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            token.pop();
        }
        let visible = token.iter().all(u8::is_ascii_graphic);
        if !visible || !(MIN_LENGTH..=MAX_LENGTH).contains(&token.len()) {
            return Err(refuse(format!(
                "holds no token of {MIN_LENGTH} to {MAX_LENGTH} visible characters: remove it, and one \
                 is made"
            )));
        }
        Ok(Self(token))
    }

    /// Whether this is the token.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        is_equal(given, &self.0)
    }
}

/// Compares without telling by its duration how much is right: what is compared, in constant time, are
/// tags of both under the expected value. (As keys of HMAC, values that differ in final zeros are equal.)
pub(super) fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, expected);
    hmac::verify(&key, given, hmac::sign(&key, expected).as_ref()).is_ok()
}

/// The path as an error shows it: a token in its place is not repeated.
fn named(path: &Path) -> String {
    let found = std::fs::symlink_metadata(path).is_ok();
    let shown = source::shown(&path.to_string_lossy(), Part::Password, found);
    shown.map_or_else(String::new, |shown| format!(" {shown}"))
}

fn random_token(path: &Path) -> Result<Zeroizing<String>> {
    let mut random = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(&mut *random).map_err(|_| {
        Error::new(
            ErrorKind::InvalidInput,
            format!(
                "no token can be made for the token file{}: the system has no random numbers",
                named(path)
            ),
        )
    })?;
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(&*random)))
}

/// Opens the file itself, not what a link points to, and does not wait for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    options.open(path)
}

fn explain(error: &io::Error) -> String {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP) {
        return "is a symbolic link, which others may point elsewhere: name the file itself"
            .to_owned();
    }
    format!("cannot be read ({error}): check it")
}

#[cfg(unix)]
fn check(metadata: &std::fs::Metadata) -> std::result::Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    if !metadata.is_file() {
        return Err("is no regular file: name another".to_owned());
    }
    check_owner(metadata.uid(), rustix::process::geteuid().as_raw())?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "has mode {mode:04o}, so others than its owner can get at it: `chmod 600` it"
        ));
    }
    Ok(())
}

/// The owner can read and replace the file. Root could anyway.
#[cfg(unix)]
fn check_owner(owner: u32, user: u32) -> std::result::Result<(), String> {
    if owner == user || owner == 0 {
        return Ok(());
    }
    Err(format!(
        "belongs to user {owner}, who can read and replace it, and this process runs as user {user}: \
         `chown` it, or remove it, and one is made"
    ))
}

#[cfg(not(unix))]
fn check(metadata: &std::fs::Metadata) -> std::result::Result<(), String> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err("is no regular file: name another".to_owned()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_belongs_to_the_user_or_to_root() {
        assert_eq!(check_owner(1000, 1000), Ok(()));
        assert_eq!(check_owner(0, 1000), Ok(()));
        for (owner, user) in [(1001, 1000), (1000, 0)] {
            let refusal = check_owner(owner, user).unwrap_err();
            assert!(
                refusal.contains(&format!("belongs to user {owner}")),
                "{refusal}"
            );
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        for (given, expected, equal) in [
            ("secret", "secret", true),
            ("secres", "secret", false),
            ("secre", "secret", false),
            ("secret\0", "secret", false),
            ("", "secret", false),
        ] {
            assert_eq!(
                is_equal(given.as_bytes(), expected.as_bytes()),
                equal,
                "{given}"
            );
        }
    }
}
