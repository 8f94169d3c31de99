//! Content from where an option says that it is: a file, an environment variable, a descriptor or standard
//! input; see [`rolesanywhere_core::source`] for the words.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rolesanywhere_core::{
    Error, ErrorKind, Result,
    source::{self, Parameter, Part, Source},
};
use zeroize::Zeroizing;

use crate::environment::Environment;

/// The most that is read from a descriptor or standard input. The largest identity, a certificate, a chain
/// and a key of ML-DSA-87, has some 60 kB of PEM.
const MAX_LENGTH: u64 = 1024 * 1024;

/// Standard input, as a descriptor.
const STANDARD_INPUT: u32 = 0;

/// `--certificate`.
pub(crate) const CERTIFICATE: Parameter<'_> = parameter("--certificate", Part::Certificate);
/// `--intermediates`.
pub(crate) const INTERMEDIATES: Parameter<'_> = parameter("--intermediates", Part::Intermediates);
/// `--private-key`.
pub(crate) const PRIVATE_KEY: Parameter<'_> = parameter("--private-key", Part::PrivateKey);

/// An option that says where a part of the identity is.
pub(crate) const fn parameter(name: &'static str, part: Part) -> Parameter<'static> {
    Parameter {
        name,
        part,
        in_code: false,
    }
}

/// Where content is.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// In an open descriptor; 0 is standard input.
    Descriptor(u32),
    File(&'a Path),
    /// In an environment variable.
    Variable(&'a str),
}

impl<'a> Input<'a> {
    /// Reads the value of an option.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the value is no source, or is the content itself: a command line can
    /// be read by every user of the machine.
    pub(crate) fn read(value: &'a Path, option: Parameter<'_>) -> Result<Self> {
        // A path that is not UTF-8 is none of the words.
        let Some(text) = value.to_str() else {
            return Ok(Self::File(value));
        };
        match Source::read(text, option)? {
            Source::Content => Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "{} holds the content itself, and every user of the machine can read a command line: put the \
                     content into a variable and write `env:NAME`, or write the path of a file",
                    option.name
                ),
            )),
            Source::Descriptor(number) => Ok(Self::Descriptor(number)),
            Source::Path(_) => Ok(Self::File(value)),
            Source::StandardInput => Ok(Self::Descriptor(STANDARD_INPUT)),
            Source::Variable(name) => Ok(Self::Variable(name)),
        }
    }

    /// What messages call it, once it has been read: before, its name may be a secret in the wrong place.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Descriptor(STANDARD_INPUT) => "standard input".to_owned(),
            Self::Descriptor(number) => format!("the descriptor {number}"),
            Self::File(path) => format!("`{}`", path.display()),
            Self::Variable(name) => format!("the variable `{name}`"),
        }
    }
}

/// What was read from descriptors and standard input, which give their content once: kept for renewals, and
/// wiped when this is dropped.
#[derive(Default)]
pub(crate) struct Inputs {
    kept: Mutex<BTreeMap<u32, Kept>>,
}

struct Kept {
    part: Part,
    content: Zeroizing<Vec<u8>>,
}

impl Inputs {
    /// The content of a descriptor: read at the first call, kept for the next ones. The certificate and the key may
    /// come from the same one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it cannot be read or gives too much, and when it gives both a password and
    /// something else.
    pub(crate) fn descriptor(
        &self,
        number: u32,
        option: Parameter<'_>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let name = Input::Descriptor(number).shown();
        let refuse = |why: String| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("{name} {why}: check {}", option.name),
            )
        };
        if let Some(kept) = kept.get(&number) {
            if (kept.part == Part::Password) != (option.part == Part::Password) {
                return Err(refuse(
                    "gives the password and another part of the identity".to_owned(),
                ));
            }
            return Ok(kept.content.clone());
        }
        // Of its final size from the start: a buffer that grows leaves its content behind.
        let capacity = usize::try_from(MAX_LENGTH).unwrap_or_default() + 64;
        let mut content = Zeroizing::new(Vec::with_capacity(capacity));
        opened(number)
            .and_then(|file| file.take(MAX_LENGTH + 1).read_to_end(&mut content))
            .map_err(|error| refuse(format!("cannot be read ({error})")))?;
        if content.len() as u64 > MAX_LENGTH {
            return Err(refuse(format!("gives more than {MAX_LENGTH} bytes")));
        }
        if content.is_empty() && option.part != Part::Password {
            return Err(refuse("is empty".to_owned()));
        }
        let content = Zeroizing::new(content.as_slice().to_vec());
        let part = option.part;
        kept.insert(
            number,
            Kept {
                part,
                content: content.clone(),
            },
        );
        Ok(content)
    }
}

/// The value of an environment variable.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when it is unset or empty.
pub(crate) fn variable(
    name: &str,
    option: Parameter<'_>,
    environment: &Environment<'_>,
) -> Result<Zeroizing<Vec<u8>>> {
    let value = environment.value(name);
    value
        .map(|value| Zeroizing::new(value.into_bytes()))
        .ok_or_else(|| source::unset(option))
}

/// The error for a file that cannot be opened or read.
pub(crate) fn unreadable(path: &Path, option: Parameter<'_>, error: &io::Error) -> Error {
    let found = fs::symlink_metadata(path).is_ok();
    source::unreadable(&path.to_string_lossy(), option, found, &error.to_string())
}

/// Standard input itself, without the buffer that the standard library keeps, and does not wipe.
#[cfg(unix)]
fn opened(number: u32) -> io::Result<File> {
    use std::os::fd::AsFd as _;
    if number == STANDARD_INPUT {
        return Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    }
    // The system's own name for an open descriptor: no descriptor is taken over by its number.
    File::open(PathBuf::from(format!("/dev/fd/{number}")))
}

#[cfg(windows)]
fn opened(number: u32) -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    if number == STANDARD_INPUT {
        return Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?));
    }
    File::open(PathBuf::from(format!("/dev/fd/{number}"))) // which Windows does not have, and says so
}
