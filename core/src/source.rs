//! Where a user says that a private key, a certificate or a password is, and how much of that value an error
//! may repeat.
//!
//! Every face takes the same words, in options, environment variables and profiles:
//!
//! | value | where the content is |
//! |---|---|
//! | `env:NAME` | in the environment variable `NAME` |
//! | `fd:3` | in the open file descriptor 3 |
//! | `-` | in standard input |
//! | PEM, or base64 of PEM or of DER | it is the value itself |
//! | anything else | in the file of this path |
//!
//! A path that would be taken for another row is written with `./` before it. A face that is a library takes no
//! descriptor and no standard input, which belong to the program; in code, where `env:` has no meaning, a text
//! is [content or a path](Source::in_code).
//!
//! Such a value may be a secret that stands in the wrong place: a key where a path should be, a password where
//! the name of a variable should be. Errors therefore show a value only when the thing that it names was found,
//! or when it is a short path that ends as files of keys and certificates do; else they name the parameter.
//! The functions of this module make these errors, so that no face decides what may be shown.

use alloc::{format, string::String, vec, vec::Vec};

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Result,
    elements::{Elements, SEQUENCE},
    pem::MAX_PEM_LENGTH,
};

/// The shortest text that is taken for base64 content, in characters: no certificate and no key that the
/// service takes is shorter, and a shorter text may be a path.
const SHORTEST_BASE64: usize = 64;

/// The longest base64 text that is read, in bytes: the longest PEM text grows by a third, and by a few line breaks.
const LONGEST_BASE64: usize = 2 * MAX_PEM_LENGTH;

/// The longest path that an error shows without the file being there, in bytes: the longest name of a file on
/// Linux, macOS and Windows. An RSA key in base64 is longer.
const LONGEST_SHOWN: usize = 255;

/// The longest run of letters and digits in such a path: keys in base64 and hexadecimal have longer ones, names
/// that people give have hyphens, dots or underscores between their words.
const LONGEST_RUN: usize = 32;

/// How the names of files with keys and certificates end. A password ends so by intention only.
const EXTENSIONS: [&str; 12] = [
    "cer", "cert", "crt", "der", "key", "p12", "p7b", "p7c", "p8", "pem", "pfx", "pk8",
];

/// Words that are shorter than this are shown: a part of a secret that is so short is of no use.
const SHORTEST_SECRET: usize = 8;

/// What a parameter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The end entity's certificate, whose file may hold the private key too.
    Certificate,
    /// The intermediate certificates.
    Intermediates,
    /// The password of a key, or a PIN.
    Password,
    /// The private key.
    PrivateKey,
}

impl Part {
    /// Every part.
    pub const ALL: &'static [Self] = &[
        Self::Certificate,
        Self::Intermediates,
        Self::Password,
        Self::PrivateKey,
    ];

    /// What errors call it: `certificate`, `certificate chain`, `password`, `private key`. Bindings pass the part
    /// by this name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Intermediates => "certificate chain",
            Self::Password => "password",
            Self::PrivateKey => "private key",
        }
    }

    /// The part of that [name](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|part| part.name() == name)
    }
}

/// A parameter that says where a part of the identity is.
#[derive(Clone, Copy, Debug)]
pub struct Parameter<'a> {
    /// How the user writes it: `--private-key`, `rolesanywhere_private_key`, `privateKey`.
    pub name: &'a str,
    /// What it is for.
    pub part: Part,
    /// It is an argument of a function, where a text is content or a path, and not one of the words.
    pub in_code: bool,
}

/// Where the content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The value is the content.
    Content,
    /// In the open descriptor of this number.
    Descriptor(u32),
    /// In the file of this path.
    Path(&'a str),
    /// In standard input.
    StandardInput,
    /// In the environment variable of this name.
    Variable(&'a str),
}

impl<'a> Source<'a> {
    /// Reads the value of an option, of an environment variable or of a profile's key; see the
    /// [module](self) for the words. A password is never the value itself: it is a path unless it is a word.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when no name stands after `env:` or no number after `fd:`. The error names the
    /// parameter and not the value.
    pub fn read(value: &'a str, parameter: Parameter<'_>) -> Result<Self> {
        let malformed = |word: &str, example: &str, wanted: &str| {
            let name = parameter.name;
            Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "{name}: after `{word}` stands {wanted}, not the content: write `{example}`"
                ),
            )
        };
        if value == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(name) = value.strip_prefix("env:") {
            return if is_variable(name) {
                Ok(Self::Variable(name))
            } else {
                Err(malformed(
                    "env:",
                    "env:NAME",
                    "the name of an environment variable",
                ))
            };
        }
        if let Some(number) = value.strip_prefix("fd:") {
            let number = number.parse().ok().filter(|_| number.len() <= 5);
            return number
                .map(Self::Descriptor)
                .ok_or_else(|| malformed("fd:", "fd:3", "the number of an open file descriptor"));
        }
        Ok(Self::content_or_path(value, parameter.part))
    }

    /// Reads a text that was passed in code: content, or a path.
    pub fn in_code(value: &'a str, part: Part) -> Self {
        Self::content_or_path(value, part)
    }

    fn content_or_path(value: &'a str, part: Part) -> Self {
        // A line break or another control character is in no path that is meant, and in every PEM text.
        let is_text = holds(value, "-----BEGIN") || has_control(value);
        let is_content = part != Part::Password
            && (is_text || value.len() >= SHORTEST_BASE64 && decoded(value.as_bytes()).is_some());
        if is_content {
            Self::Content
        } else {
            Self::Path(value)
        }
    }
}

/// The PEM or DER that base64 text stands for; `None` when the bytes are not such text. White space and line
/// breaks may stand anywhere in it, the padding may be absent. The result wipes itself; the caller owns and wipes
/// the bytes.
///
/// [`IdentityFiles`](crate::IdentityFiles) and [`PrivateKey::from_bytes`](crate::PrivateKey::from_bytes) read such
/// text themselves.
pub fn decoded(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // PEM and DER fail at once: the one begins with a hyphen, the other has a length as its second byte.
    if text.len() > LONGEST_BASE64
        || !text
            .iter()
            .all(|byte| is_base64(*byte) || byte.is_ascii_whitespace())
    {
        return None;
    }
    // Of its final size from the start: a buffer that grows leaves its content behind.
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len() + 3));
    packed.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let unpadded = packed.iter().rposition(|byte| *byte != b'=')? + 1;
    if packed.len() - unpadded > 2 {
        return None;
    }
    packed.truncate(unpadded);
    packed.resize(unpadded.next_multiple_of(4), b'=');
    let mut content = Zeroizing::new(vec![0; packed.len() / 4 * 3]);
    let length = Base64::decode(&*packed, &mut content).ok()?.len();
    content.truncate(length);
    (has(&content, b"-----BEGIN ") || is_sequence(&content)).then_some(content)
}

/// Whether some bytes hold others. By hand, as all searches here: those of the standard library are made for long
/// texts, and the code of a wasm module is paid for by the byte.
fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn holds(text: &str, part: &str) -> bool {
    has(text.as_bytes(), part.as_bytes())
}

/// Whether a text has control characters of ASCII: line breaks, NUL.
fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_control())
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// Whether some bytes begin with a whole SEQUENCE, or with one of indefinite length, which only BER has.
fn is_sequence(bytes: &[u8]) -> bool {
    const INDEFINITE: [u8; 2] = [SEQUENCE, 0x80];
    let whole = Elements::of(bytes).element();
    whole.is_some_and(|element| element.tag == SEQUENCE) || bytes.starts_with(&INDEFINITE)
}

/// The names of POSIX's environment variables, in any case.
fn is_variable(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_word) && name.starts_with(|first: char| !first.is_ascii_digit())
}

/// The value of a parameter as an error shows it, in backticks; `None` when it may be a secret, and the error names
/// the parameter alone. `found` says that the thing which the value names is there: the file was opened, or the
/// system knows its name.
pub fn shown(value: &str, part: Part, found: bool) -> Option<String> {
    let may_be_shown = found || part != Part::Password && is_plainly_a_path(value);
    may_be_shown.then(|| format!("`{value}`"))
}

/// A word of a command line as an error shows it, in backticks, where the word has no meaning and so may be a secret
/// that lost its option; `None` when it is not shown. Shown are words of less than eight bytes, options as they are
/// written (`--lower-case-words`, without what stands after `=`), and what is plainly a path, as for [`shown`].
pub fn shown_word(word: &str) -> Option<String> {
    const LONGEST_OPTION: usize = 40;
    const LONGEST_IN_OPTION: usize = 16;
    let name = match word.split_once('=') {
        Some((name, _)) if name.starts_with("--") => name,
        _ => word,
    };
    let is_option = name.len() <= LONGEST_OPTION
        && name.strip_prefix("--").is_some_and(|words| {
            words.split('-').all(|part| {
                (1..=LONGEST_IN_OPTION).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_lowercase())
            })
        });
    let may_be_shown = name.len() < SHORTEST_SECRET || is_option || is_plainly_a_path(name);
    may_be_shown.then(|| format!("`{name}`"))
}

/// Whether a value is a path beyond doubt: short, printable, without a run of characters as keys have them, and with
/// an extension of keys and certificates.
fn is_plainly_a_path(value: &str) -> bool {
    let mut ends = value.as_bytes().rsplitn(2, |byte| *byte == b'.');
    let (extension, before) = (ends.next(), ends.next());
    let is_known = extension.is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
    });
    let has_stem = before
        .and_then(<[u8]>::last)
        .is_some_and(|last| !b"/\\".contains(last));
    // The bytes of other alphabets belong to a run too.
    let is_run =
        |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"+=".contains(byte);
    let mut runs = value.as_bytes().split(|byte| !is_run(byte));
    is_known
        && has_stem
        && value.len() <= LONGEST_SHOWN
        && !has_control(value)
        && !holds(value, "-----BEGIN")
        && runs.all(|run| run.len() <= LONGEST_RUN)
}

/// The error for a file that cannot be read, as [`Source::Path`] names it. `reason` is the system's and holds no
/// part of the value; `found` is as for [`shown`].
///
/// Its kind is [`ErrorKind::InvalidInput`].
pub fn unreadable(value: &str, parameter: Parameter<'_>, found: bool, reason: &str) -> Error {
    let Parameter {
        name,
        part,
        in_code,
    } = parameter;
    let what = match part {
        Part::Password => "password file",
        _ => part.name(),
    };
    let message = match shown(value, part, found) {
        Some(path) => format!("the {what} {path} cannot be read ({reason}): check {name}"),
        None => format!(
            "the {what} cannot be read ({reason}): the value of {name} is no path of a file{}; it is not repeated, \
             since it may be a secret: {}",
            resemblance(value),
            match (part, in_code) {
                (Part::Password, true) => "pass the path of the file that holds the password",
                (Part::Password, false) =>
                    "write the path of the file that holds the password, or `env:NAME`",
                (_, true) => "pass a path, or the content in PEM or base64",
                (_, false) => "write a path, or `env:NAME` of the variable that holds the content",
            }
        ),
    };
    Error::new(ErrorKind::InvalidInput, message)
}

/// What a value that is no path looks like.
fn resemblance(value: &str) -> &'static str {
    if value.len() < SHORTEST_BASE64 {
        ""
    } else if value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        ", and looks like content in hexadecimal, which is not read"
    } else if holds(value, "PRIVATE KEY") || holds(value, "CERTIFICATE") {
        ", and looks like PEM whose lines were damaged"
    } else if value.bytes().all(is_base64) && !value.starts_with('/') {
        ", and looks like base64 that is cut short or of another kind of file"
    } else {
        ""
    }
}

/// The error for an environment variable that [`Source::Variable`] names and that is unset or empty. It does not
/// name the variable: what stands there may be the secret instead of a name.
///
/// Its kind is [`ErrorKind::InvalidInput`].
pub fn unset(parameter: Parameter<'_>) -> Error {
    let Parameter { name, part, .. } = parameter;
    let what = part.name();
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "the environment variable that {name} names is unset or empty: set it to the {what}, or name the one \
             that holds it"
        ),
    )
}

/// The error for a source that a library does not read: standard input or a descriptor.
///
/// Its kind is [`ErrorKind::Unsupported`].
pub fn not_ours(parameter: Parameter<'_>) -> Error {
    let name = parameter.name;
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "{name} names standard input or a descriptor, which belong to the program: write a path, or `env:NAME` of \
             the variable that holds the content"
        ),
    )
}

#[cfg(test)]
mod tests;
