//! The shared credentials file of the AWS SDKs: one profile's keys are changed, all else stays as it
//! is, and whoever reads the file sees the old one or the new one, never a part.

mod attributes;
mod replace;
mod rewrite;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::rewrite::Values;
use crate::{console::Console, environment::Environment, output_file};
use rolesanywhere_core::{Credentials, Error, ErrorKind, Result};

/// How many links are followed to where a file is to be made; Linux follows as many.
const MAX_LINKS: usize = 40;

/// The shared credentials file.
#[derive(Debug)]
pub(crate) struct CredentialsFile {
    path: PathBuf,
    in_place: bool,
}

impl CredentialsFile {
    /// Where it is: `AWS_SHARED_CREDENTIALS_FILE`, in which `~` is the user's home as for the AWS CLI and
    /// some SDKs, else `.aws/credentials` in that home. With `in_place` the file is written where it stands if
    /// it cannot be replaced.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when there is no home.
    pub(crate) fn locate(environment: &Environment<'_>, in_place: bool) -> Result<Self> {
        let home = || {
            let home = environment.value(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
            home.ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidInput,
                    "there is no home directory: set AWS_SHARED_CREDENTIALS_FILE to the file to write, with \
                     its whole path",
                )
            })
        };
        let path = match environment.value("AWS_SHARED_CREDENTIALS_FILE") {
            Some(path) => match path.strip_prefix("~/") {
                Some(rest) => Path::new(&home()?).join(rest),
                None => path.into(),
            },
            None => Path::new(&home()?).join(".aws").join("credentials"),
        };
        Ok(Self { path, in_place })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the credentials into the profile; makes the profile, the file (0600) and its directory
    /// (0700) where they are missing. A link is followed; mode, owner and extended attributes are kept. A
    /// token under its old name and an account that stand there are changed too: some SDKs prefer them.
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
        let token = credentials.session_token().expose();
        // botocore takes the one before the new name's; older tools read no other.
        let old_name = ("aws_security_token", token.as_str());
        let account = credentials.account_id();
        let account = account.map(|account| ("aws_account_id", account));
        let changed: Vec<(&str, &str)> = std::iter::once(old_name).chain(account).collect();
        let values = Values {
            written: &[
                ("aws_access_key_id", credentials.access_key_id()),
                (
                    "aws_secret_access_key",
                    credentials.secret_access_key().expose(),
                ),
                ("aws_session_token", token),
            ],
            changed: &changed,
        };
        check_profile(profile)?;
        let is_line = |value: &str| !value.chars().any(char::is_control);
        if !values.all().all(|(_, value)| is_line(value)) {
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

    fn replace(&self, profile: &str, values: &Values<'_>, console: &Console) -> io::Result<()> {
        // What is replaced is what a link points to, and the new file is made beside that.
        let path = without_links(&self.path)?;
        if let Some(mode) = fs::metadata(&path).ok().as_ref().and_then(open_mode) {
            console.warn(format!(
                "the credentials file `{}` has mode {mode:04o}, so others than its owner can get at \
                 it: `chmod 600` it",
                path.display()
            ));
        }
        replace::replace(&path, self.in_place, console, |content| {
            rewrite::with_credentials(content, profile, values)
        })
    }
}

/// The path that a link leads to, also where nothing is there yet.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        match fs::read_link(&path) {
            Ok(target) => path = output_file::folder_of(&path).join(target),
            Err(_) => return Ok(path), // It is to be made.
        }
    }
    Err(io::Error::other("it is a link that leads in a circle"))
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

#[cfg(unix)]
fn open_mode(metadata: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (metadata.is_file() && mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_mode(_: &fs::Metadata) -> Option<u32> {
    None
}
