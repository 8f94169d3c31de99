//! The way to the TPM: a device of the kernel's, or the Unix socket of an emulator.

use rolesanywhere_core::{Error, ErrorKind, Result};

/// The devices that are looked for: with the kernel's resource manager, and without.
#[cfg(unix)]
const DEVICES: [&str; 2] = ["/dev/tpmrm0", "/dev/tpm0"];

#[cfg(unix)]
pub(super) use self::unix::Device;

#[cfg(unix)]
mod unix {
    use std::{
        fs::{self, File},
        io::{self, Read, Write},
        os::unix::{fs::FileTypeExt as _, net::UnixStream},
        path::Path,
        time::Duration,
    };

    use zeroize::Zeroizing;

    use super::{
        super::wire::{Command, HEAD_LENGTH, MAX_LENGTH, Reader},
        *,
    };
    use crate::environment::Environment;

    /// How long an emulator may take to answer. A device's time is the kernel's to bound.
    const SOCKET_TIMEOUT: Duration = Duration::from_secs(60);

    /// How often a command is sent again that the TPM has no time for now; then a second has
    /// passed.
    const MAX_TRIES: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(50);

    /// An open TPM.
    pub(crate) struct Device {
        stream: Box<dyn Stream>,
        path: String,
    }

    trait Stream: Read + Write + Send {}
    impl Stream for File {}
    impl Stream for UnixStream {}

    impl Device {
        /// Opens the TPM of `TPM_DEVICE` (a device or a Unix socket), else the kernel's.
        ///
        /// # Errors
        /// [`ErrorKind::InvalidInput`] when there is none, or it cannot be opened.
        pub(crate) fn open(environment: &Environment<'_>) -> Result<Self> {
            let named = environment.value("TPM_DEVICE");
            let path = match &named {
                Some(path) => path.as_str(),
                None => DEVICES
                    .into_iter()
                    .find(|path| Path::new(path).exists())
                    .ok_or_else(|| {
                        refuse("there is no TPM, neither /dev/tpmrm0 nor /dev/tpm0: is it switched on? \
                                TPM_DEVICE names another".to_owned())
                    })?,
            };
            let stream = connect(Path::new(path)).map_err(|error| {
                let advice = match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        "let this user at it (on most systems, the group `tss`)"
                    }
                    _ => "check TPM_DEVICE",
                };
                refuse(format!(
                    "the TPM `{path}` cannot be opened ({error}): {advice}"
                ))
            })?;
            Ok(Self {
                stream,
                path: path.to_owned(),
            })
        }

        /// Sends a command; what follows the head of its answer. `what` is what the command is
        /// about.
        ///
        /// # Errors
        /// [`ErrorKind::WrongPassword`] and others for what the TPM refuses;
        /// [`ErrorKind::SigningFailed`] when it does not answer.
        pub(crate) fn run(&mut self, command: &Command, what: &str) -> Result<Zeroizing<Vec<u8>>> {
            let bytes = command.to_bytes()?;
            for _ in 0..MAX_TRIES {
                let answer = self.exchange(&bytes).map_err(|error| {
                    Error::new(
                        ErrorKind::SigningFailed,
                        format!(
                            "the TPM `{}` does not answer ({error}): is it one?",
                            self.path
                        ),
                    )
                })?;
                let mut reader = Reader::new(&answer);
                reader.u16()?;
                reader.u32()?;
                match reader.u32()? {
                    0 => {
                        let rest = answer.get(HEAD_LENGTH..).unwrap_or_default();
                        return Ok(Zeroizing::new(rest.to_vec()));
                    }
                    // TPM_RC_YIELDED, TPM_RC_TESTING, TPM_RC_RETRY
                    0x908 | 0x90A | 0x922 => std::thread::sleep(PAUSE),
                    code => return Err(super::refusal(code, what)),
                }
            }
            Err(Error::new(
                ErrorKind::SigningFailed,
                format!("the TPM `{}` is busy: try again", self.path),
            ))
        }

        fn exchange(&mut self, command: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
            self.stream.write_all(command)?;
            let mut answer = Zeroizing::new(vec![0; MAX_LENGTH]);
            let mut length = 0;
            loop {
                // A device gives the whole answer to one read.
                let room = answer.get_mut(length..).unwrap_or_default();
                let read = match self.stream.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read?,
                };
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                length += read;
                let told = answer.get(2..6).and_then(|told| told.try_into().ok());
                let told = told.map_or(0, u32::from_be_bytes) as usize;
                if length < HEAD_LENGTH {
                    continue;
                }
                if !(HEAD_LENGTH..=MAX_LENGTH).contains(&told) || length > told {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                if length == told {
                    answer.truncate(length);
                    return Ok(answer);
                }
            }
        }
    }

    fn connect(path: &Path) -> io::Result<Box<dyn Stream>> {
        if fs::metadata(path)?.file_type().is_socket() {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(SOCKET_TIMEOUT))?;
            stream.set_write_timeout(Some(SOCKET_TIMEOUT))?;
            return Ok(Box::new(stream));
        }
        let file = File::options().read(true).write(true).open(path)?;
        // What is neither a device nor a socket cannot answer, and must not be written to.
        if file.metadata()?.is_file() {
            return Err(io::Error::other("it is a plain file"));
        }
        Ok(Box::new(file))
    }
}

/// What the TPM's refusal means (part 2, 6.6).
#[cfg(unix)]
fn refusal(code: u32, what: &str) -> Error {
    /// A code of format one: it has a number, and tells which handle, parameter or session it is
    /// about.
    const FORMAT_ONE: u32 = 1 << 7;
    let number = code & 0x3F;
    let (kind, said) = match code {
        0x100 => (
            ErrorKind::SigningFailed,
            "has not been started: start it (`tpm2_startup --clear`)",
        ),
        0x902 => (
            ErrorKind::SigningFailed,
            "has no room for another key: use /dev/tpmrm0, or flush what others left (`tpm2_flushcontext`)",
        ),
        0x921 => (
            ErrorKind::SigningFailed,
            "is locked after too many wrong passwords: wait until it takes one again, or reset it \
             (`tpm2_dictionarylockout`)",
        ),
        _ if code & FORMAT_ONE == 0 => return unknown(code, what),
        _ => match number {
            0x0E | 0x22 => (
                ErrorKind::WrongPassword,
                "refuses the password: give the key's or, if it has none, leave it out; the TPM locks after some wrong ones",
            ),
            0x0B => (
                ErrorKind::InvalidInput,
                "has nothing under that handle: `tpm2_getcap handles-persistent` lists what there is",
            ),
            0x12 | 0x03 => (
                ErrorKind::Unsupported,
                "does not sign with this key as the service wants it, under SHA-256: make one without a scheme",
            ),
            0x1F => (
                ErrorKind::InvalidKey,
                "cannot unwrap the key: it was made by another TPM or under another parent",
            ),
            _ => return unknown(code, what),
        },
    };
    Error::new(kind, format!("{what}: the TPM {said}"))
}

#[cfg(unix)]
fn unknown(code: u32, what: &str) -> Error {
    Error::new(
        ErrorKind::SigningFailed,
        format!("{what}: the TPM said {code:#x}: `tpm2_rc_decode {code:#x}` tells what that means"),
    )
}

#[cfg(unix)]
fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

/// TPMs are reached on Unix alone.
#[cfg(not(unix))]
pub(super) struct Device;

#[cfg(not(unix))]
impl Device {
    pub(super) fn open(_: &crate::environment::Environment<'_>) -> Result<Self> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "keys of a TPM are not supported on this system: keep the key in the system's store, or pass a file",
        ))
    }

    pub(super) fn run(
        &mut self,
        _: &super::wire::Command,
        _: &str,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>> {
        Err(super::wire::malformed())
    }
}
