//! Commands and answers as bytes: big endian, byte strings with their length in two bytes before
//! them.

use rolesanywhere_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

pub(super) const CREATE_PRIMARY: u32 = 0x131;
pub(super) const LOAD: u32 = 0x157;
pub(super) const SIGN: u32 = 0x15D;
pub(super) const FLUSH_CONTEXT: u32 = 0x165;
pub(super) const READ_PUBLIC: u32 = 0x173;

/// The identifiers of algorithms (`TPM_ALG_ID`).
pub(super) mod algorithm {
    pub(crate) const RSA: u16 = 0x0001;
    pub(crate) const AES: u16 = 0x0006;
    pub(crate) const SHA256: u16 = 0x000B;
    pub(crate) const SHA384: u16 = 0x000C;
    pub(crate) const SHA512: u16 = 0x000D;
    pub(crate) const NULL: u16 = 0x0010;
    pub(crate) const RSASSA: u16 = 0x0014;
    pub(crate) const RSAES: u16 = 0x0015;
    pub(crate) const RSAPSS: u16 = 0x0016;
    pub(crate) const ECDSA: u16 = 0x0018;
    pub(crate) const ECDAA: u16 = 0x001A;
    pub(crate) const ECC: u16 = 0x0023;
    pub(crate) const CFB: u16 = 0x0043;
}

const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;
/// The session that carries a password (`TPM_RS_PW`).
const PASSWORD_SESSION: u32 = 0x4000_0009;

/// The longest command and answer: the size that TPMs tell (`TPM_PT_MAX_COMMAND_SIZE`) is 4,096
/// bytes.
pub(super) const MAX_LENGTH: usize = 4096;

/// The length of the head of commands and answers: tag, length, code.
pub(super) const HEAD_LENGTH: usize = 10;

/// A command; wiped when dropped, since a password may stand in it.
pub(super) struct Command {
    has_session: bool,
    code: u32,
    body: Zeroizing<Vec<u8>>,
}

impl Command {
    /// A command on objects, with the password of the first one if it wants one.
    pub(super) fn new(code: u32, handles: &[u32], password: Option<&[u8]>) -> Self {
        let mut command = Self {
            has_session: password.is_some(),
            code,
            // Of its final size from the start: a buffer that grows leaves its content behind. What stands
            // beside a password is far shorter than `MAX_LENGTH`.
            body: Zeroizing::new(Vec::with_capacity(
                MAX_LENGTH + password.map_or(0, <[u8]>::len),
            )),
        };
        for handle in handles {
            command.u32(*handle);
        }
        if let Some(password) = password {
            command.u32(9 + password.len() as u32);
            command.u32(PASSWORD_SESSION);
            command.sized(&[]); // no nonce
            command.body.push(0); // the session does not go on
            command.sized(password);
        }
        command
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.body.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.body.extend_from_slice(&value.to_be_bytes());
    }

    /// A byte string that has its length before it already.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }

    /// A byte string, after its length. One that is too long for two bytes makes the command too
    /// long.
    pub(super) fn sized(&mut self, bytes: &[u8]) {
        self.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        self.raw(bytes);
    }

    /// What has been written, for a structure that is part of a command.
    pub(super) fn into_body(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.body)
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when they are too many, a password being too long, or a file.
    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let length = HEAD_LENGTH + self.body.len();
        if length > MAX_LENGTH {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the command for the TPM would be longer than {MAX_LENGTH} bytes: check the password and the key's file"
                ),
            ));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        let tag = if self.has_session {
            SESSIONS
        } else {
            NO_SESSIONS
        };
        bytes.extend_from_slice(&tag.to_be_bytes());
        bytes.extend_from_slice(&(length as u32).to_be_bytes());
        bytes.extend_from_slice(&self.code.to_be_bytes());
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }
}

/// Reads what a TPM or a file tells, which is not believed to be whole.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        let bytes = self.take(2)?;
        bytes
            .try_into()
            .map(u16::from_be_bytes)
            .map_err(|_| malformed())
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        bytes
            .try_into()
            .map(u32::from_be_bytes)
            .map_err(|_| malformed())
    }

    /// A byte string, after its length.
    pub(super) fn sized(&mut self) -> Result<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// A number in as many bytes as it is wanted in; TPMs may leave out zeros in front, or write more.
pub(super) fn padded(number: &[u8], length: usize) -> Result<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    let missing = length.checked_sub(digits.len()).ok_or_else(malformed)?;
    let mut padded = vec![0; missing];
    padded.extend_from_slice(digits);
    Ok(padded)
}

/// The refusal of bytes that are not what they should be.
pub(super) fn malformed() -> Error {
    Error::new(
        ErrorKind::InvalidKey,
        "what the TPM tells is cut off or not as TPM 2.0 has it: does TPM_DEVICE name a TPM?",
    )
}
