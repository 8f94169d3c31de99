//! The password of an encrypted private key: from the one place that the user named, else from the
//! terminal.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use rolesanywhere_core::{
    Error, ErrorKind, Result, password,
    source::{Parameter, Part},
    text::printable,
};
use zeroize::Zeroizing;

use crate::{
    arguments::PasswordOptions,
    console::Console,
    environment::Environment,
    files,
    inputs::{self, Input, Inputs, parameter},
    terminal,
};

/// The longest password that is read. Longer input is some other file.
const MAX_PASSWORD_LENGTH: u64 = 4096;

/// How often a person may mistype; every try costs a derivation.
const MAX_TRIES: u32 = 3;

/// A password, wiped when dropped.
pub(crate) type Password = Zeroizing<Vec<u8>>;

/// Where a command takes passwords from, for as long as it runs. Files are read anew each time; what
/// comes once only, from a descriptor or a terminal, is kept, and wiped when this is dropped.
pub(crate) struct Passwords<'a> {
    options: &'a PasswordOptions,
    /// What descriptors gave, which may be other parts of the identity.
    pub(crate) inputs: Inputs,
    kept: Mutex<Option<Password>>,
}

impl<'a> Passwords<'a> {
    /// Reads nothing yet.
    pub(crate) fn new(options: &'a PasswordOptions) -> Self {
        Self {
            options,
            inputs: Inputs::default(),
            kept: Mutex::new(None),
        }
    }

    /// Opens what may be encrypted: `open` is called with the password that the options name, or
    /// without one; where one is needed and no place was named, a person is asked for `what`, three
    /// times at most. Without a terminal, `open`'s own error is returned.
    ///
    /// # Errors
    /// `open`'s last; [`ErrorKind::InvalidInput`] when the place cannot be read.
    pub(crate) fn open<T>(
        &self,
        what: &str,
        environment: &Environment<'_>,
        console: &Console,
        open: impl Fn(Option<&[u8]>) -> Result<T>,
    ) -> Result<T> {
        let kept = self.lock().clone();
        let given = match kept {
            Some(kept) => Some(kept),
            None => read(self.options, &self.inputs, environment, console)?,
        };
        if let Some(given) = given {
            return open(Some(&given));
        }
        let mut outcome = open(None);
        for attempt in 0..MAX_TRIES {
            let again = match &outcome {
                Err(error) if error.kind() == ErrorKind::PasswordRequired => "",
                Err(error) if error.kind() == ErrorKind::WrongPassword && attempt > 0 => {
                    "That is not it. "
                }
                _ => break,
            };
            let shown = printable(what);
            let Some(typed) = terminal::ask(&format!("{again}{shown}: "))? else {
                break;
            };
            outcome = open(Some(&typed));
            if outcome.is_ok() {
                *self.lock() = Some(typed);
            }
        }
        outcome
    }

    /// Whether a person may be asked for a password: no place is named, and there is a terminal.
    pub(crate) fn may_ask(&self) -> bool {
        let options = self.options;
        let is_named = options.password_file.is_some()
            || options.password_env.is_some()
            || options.password_fd.is_some();
        !is_named && terminal::is_there()
    }

    /// As [`open`](Self::open), for keys that are decrypted in this process, where a wrong try costs time only. A
    /// password file with a byte order mark or a final newline is tried in its other reading too, once.
    ///
    /// # Errors
    /// As [`open`](Self::open). The error about a wrong password names the peculiarity of the file.
    pub(crate) fn open_file<T>(
        &self,
        what: &str,
        environment: &Environment<'_>,
        console: &Console,
        open: impl Fn(Option<&[u8]>) -> Result<T>,
    ) -> Result<T> {
        let error = match self.open(what, environment, console, &open) {
            Err(error) if error.kind() == ErrorKind::WrongPassword => error,
            outcome => return outcome,
        };
        let Some(path) = &self.options.password_file else {
            return Err(error);
        };
        let content = match files::is_read_once(path) {
            true => None, // Its content is gone.
            false => files::read(path, MAX_PASSWORD_LENGTH).ok(),
        };
        let other = content.and_then(|content| password::other_reading(&content.bytes));
        match other {
            None => Err(error),
            Some(other) => open(Some(&other.password)).map_err(|_| {
                let message = format!(
                    "{}; the password file `{}` {}, and neither with that nor without it is it the password",
                    error.message(),
                    path.display(),
                    other.peculiarity
                );
                error.with_message(message)
            }),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Password>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the password; `None` when no place was named.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when the place cannot be read.
fn read(
    options: &PasswordOptions,
    inputs: &Inputs,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<Option<Password>> {
    if let Some(path) = &options.password_file {
        let option = parameter("--password-file", Part::Password);
        return match Input::read(path, option)? {
            Input::Descriptor(number) => from_descriptor(number, option, inputs),
            Input::File(path) => read_file(path, option.name),
            Input::Variable(name) => inputs::variable(name, option, environment),
        }
        .map(Some);
    }
    if let Some(number) = options.password_fd {
        let option = parameter("--password-fd", Part::Password);
        return from_descriptor(number.into(), option, inputs).map(Some);
    }
    if let Some(name) = &options.password_env {
        let option = parameter("--password-env", Part::Password);
        return inputs::variable(name, option, environment).map(Some);
    }
    for (option, password) in [
        ("--pkcs8-password", &options.pkcs8_password),
        ("--tpm-key-password", &options.tpm_key_password),
    ] {
        // aws_signing_helper takes an empty one for none.
        let Some(password) = password.as_ref().filter(|password| !password.0.is_empty()) else {
            continue;
        };
        console.warn(format!(
            "{option} shows the password to every user of this machine: \
             use --password-file, --password-env or --password-fd"
        ));
        return Ok(Some(Zeroizing::new(password.0.as_bytes().to_vec())));
    }
    Ok(None)
}

/// A password from a descriptor, up to its final newline.
fn from_descriptor(number: u32, option: Parameter<'_>, inputs: &Inputs) -> Result<Password> {
    let mut password = inputs.descriptor(number, option)?;
    if password.len() as u64 > MAX_PASSWORD_LENGTH {
        let shown = Input::Descriptor(number).shown();
        return Err(too_long(&shown, option.name));
    }
    cut_newline(&mut password);
    Ok(password)
}

/// Reads a password from a file, up to its final newline; `option` is what named the file.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when it cannot be read or is too long.
pub(crate) fn read_file(path: &Path, option: &'static str) -> Result<Password> {
    let option = parameter(option, Part::Password);
    let content = files::read(path, MAX_PASSWORD_LENGTH);
    let mut password = content
        .map_err(|error| inputs::unreadable(path, option, &error))?
        .bytes;
    if password.len() as u64 > MAX_PASSWORD_LENGTH {
        return Err(too_long(&Input::File(path).shown(), option.name));
    }
    cut_newline(&mut password);
    Ok(password)
}

fn cut_newline(password: &mut Password) {
    if password.last() == Some(&b'\n') {
        password.pop();
        if password.last() == Some(&b'\r') {
            password.pop();
        }
    }
}

fn too_long(place: &str, option: &str) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "the password in {place} of {option} is longer than {MAX_PASSWORD_LENGTH} bytes: name the file that \
             holds the password alone"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> PasswordOptions {
        PasswordOptions {
            password_file: None,
            password_env: None,
            password_fd: None,
            pkcs8_password: None,
            tpm_key_password: None,
        }
    }

    fn read_with(options: &PasswordOptions) -> Result<Option<Vec<u8>>> {
        let lookup = |name: &str| (name == "P").then(|| "from env\n".to_owned());
        let environment = Environment::new(&lookup);
        let found = read(
            options,
            &Inputs::default(),
            &environment,
            &Console::default(),
        )?;
        Ok(found.map(|password| password.to_vec()))
    }

    #[test]
    fn one_final_newline_is_no_part_of_a_file_s_password() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        for (content, expected) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("secret\n\n", "secret\n"),
            (" secret ", " secret "),
        ] {
            std::fs::write(&path, content).unwrap();
            let options = PasswordOptions {
                password_file: Some(path.clone()),
                ..options()
            };
            assert_eq!(read_with(&options).unwrap().unwrap(), expected.as_bytes());
        }
        std::fs::write(&path, "x".repeat(4097)).unwrap();
        let options = PasswordOptions {
            password_file: Some(path),
            ..options()
        };
        let error = read_with(&options).unwrap_err();
        assert!(
            error.message().contains("longer than 4096 bytes"),
            "{error}"
        );
    }

    #[test]
    fn a_variable_is_taken_as_it_is() {
        let options = |name: &str| PasswordOptions {
            password_env: Some(name.into()),
            ..options()
        };
        assert_eq!(read_with(&options("P")).unwrap().unwrap(), b"from env\n");
        let error = read_with(&options("Q")).unwrap_err();
        assert!(
            error.message().contains("--password-env names is unset"),
            "{error}"
        );
    }

    #[test]
    fn no_place_is_no_password() {
        assert_eq!(read_with(&options()).unwrap(), None);
        let empty = PasswordOptions {
            pkcs8_password: Some(String::new().into()),
            ..options()
        };
        assert_eq!(read_with(&empty).unwrap(), None);
    }
}
