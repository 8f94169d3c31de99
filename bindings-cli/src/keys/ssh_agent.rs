//! Keys of an OpenSSH agent, asked over its socket.
//!
//! An agent signs as SSH does. That is what the service wants for RSA under `rsa-sha2-256`, which
//! is RSASSA-PKCS1-v1_5 over SHA-256, and for EC P-256, where SSH hashes with SHA-256. For P-384
//! and P-521 SSH hashes with SHA-384 and SHA-512, which the service does not take.
//!
//! Two messages are all that is spoken (draft-ietf-sshm-ssh-agent: 11/12 and 13/14); the crates
//! that know them bring a second generation of RSA or an asynchronous runtime along.

use std::fmt;

use rolesanywhere_core::{
    Error, ErrorKind, PublicKey, Result, Signature, signers::rustcrypto::HashAlgorithm,
};

use super::{Access, Key, Sign, mismatch, public_key};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The flags that choose the hash function of an RSA signature.
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;

/// The longest answer that is read, which is OpenSSH's own bound.
const MAX_ANSWER: usize = 256 * 1024;

/// The most keys that are looked at.
const MAX_KEYS: u32 = 256;

/// The most keys that are named in an error.
const MAX_NAMED: usize = 8;

/// Opens a key. `wanted` is what follows `ssh-agent:`: nothing, a comment, or `SHA256:` with the
/// fingerprint as `ssh-add -l` shows it; `public_key` is the certificate's key, by which it is
/// found without.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when there is no agent, or none or several keys fit;
/// [`ErrorKind::KeyMismatch`] when the one that is named is another; [`ErrorKind::Unsupported`] for
/// a key that SSH hashes otherwise.
pub(crate) fn key(
    wanted: &str,
    public_key: Option<&PublicKey>,
    access: &Access<'_>,
) -> Result<Key> {
    let agent = Agent::connect(access.environment)?;
    let held = agent.keys()?;
    let fits = |held: &Held| {
        (wanted.is_empty() || wanted == held.comment || wanted == held.fingerprint)
            && (!wanted.is_empty() || public_key.is_none_or(|key| held.key.as_ref() == Some(key)))
    };
    let mut fitting: Vec<&Held> = held.iter().filter(|held| fits(held)).collect();
    if public_key.is_some() && fitting.iter().any(|held| held.key.as_ref() == public_key) {
        fitting.retain(|held| held.key.as_ref() == public_key);
        fitting.truncate(1); // The agent may hold a key and its SSH certificate.
    }
    let names = || {
        let names = held.iter().take(MAX_NAMED).map(Held::name);
        names.collect::<Vec<_>>().join(", ")
    };
    let [found] = fitting.as_slice() else {
        let what = match (fitting.len(), wanted) {
            (0, _) if held.is_empty() => {
                "the SSH agent holds no key: add it (`ssh-add`), or unlock the agent (`ssh-add -X`)"
                    .to_owned()
            }
            (0, "") => format!(
                "no key of the SSH agent belongs to the certificate: `ssh-add` its key; it holds {}",
                names()
            ),
            (0, _) => format!(
                "no key of the SSH agent is called `{wanted}`: it holds {}",
                names()
            ),
            (count, _) => format!(
                "{count} keys of the SSH agent fit: write the fingerprint after `ssh-agent:`, of {}",
                names()
            ),
        };
        return Err(Error::new(ErrorKind::InvalidInput, what));
    };
    let place = format!("the SSH agent ({})", found.name());
    match (&found.key, public_key) {
        (Some(key), Some(public_key)) if key != public_key => {
            Err(mismatch(&place, public_key.algorithm()))
        }
        (Some(key), _) if found.kind == "ssh-rsa" || found.kind == "ecdsa-sha2-nistp256" => {
            let signer = AgentKey {
                agent,
                blob: found.blob.clone(),
                is_rsa: found.kind == "ssh-rsa",
            };
            Ok(Key::elsewhere(key.clone(), place, signer))
        }
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{place} is `{}`: an SSH agent signs for the service with RSA and with EC P-256 only, since SSH \
                 hashes for other curves with what the service does not take: use such a key, or a file",
                found.kind
            ),
        )),
    }
}

/// A key that the agent holds.
struct Held {
    /// The key as SSH writes it, by which the agent knows it.
    blob: Vec<u8>,
    comment: String,
    /// As `ssh-add -l` shows it.
    fingerprint: String,
    /// SSH's name for the kind of key.
    kind: String,
    /// The key, where it is of a kind that the service takes.
    key: Option<PublicKey>,
}

impl Held {
    fn read(blob: &[u8], comment: &[u8]) -> Result<Self> {
        use base64ct::{Base64Unpadded, Encoding as _};
        let mut reader = Reader(blob);
        let kind = reader.string()?;
        let key = match kind {
            b"ssh-rsa" => {
                let exponent = reader.string()?;
                public_key::rsa(reader.string()?, exponent).ok()
            }
            b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => {
                let curve = match reader.string()? {
                    b"nistp256" => public_key::P256,
                    b"nistp384" => public_key::P384,
                    _ => public_key::P521,
                };
                public_key::ec(curve, reader.string()?).ok()
            }
            _ => None,
        };
        let digest = ring::digest::digest(&ring::digest::SHA256, blob);
        Ok(Self {
            blob: blob.to_vec(),
            comment: String::from_utf8_lossy(comment).into_owned(),
            fingerprint: format!("SHA256:{}", Base64Unpadded::encode_string(digest.as_ref())),
            kind: String::from_utf8_lossy(kind).into_owned(),
            key,
        })
    }

    fn name(&self) -> String {
        format!("`{}` `{}`", self.fingerprint, self.comment)
    }
}

/// Signs by asking the agent.
struct AgentKey {
    agent: Agent,
    blob: Vec<u8>,
    is_rsa: bool,
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentKey").finish_non_exhaustive()
    }
}

impl Sign for AgentKey {
    fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        let (flags, kind): (u32, &[u8]) = match (self.is_rsa, hash) {
            (true, HashAlgorithm::Sha256) => (RSA_SHA2_256, b"rsa-sha2-256"),
            (true, HashAlgorithm::Sha512) => (RSA_SHA2_512, b"rsa-sha2-512"),
            (false, HashAlgorithm::Sha256) => (0, b"ecdsa-sha2-nistp256"),
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "an SSH agent does not sign under this hash function: RSA keys sign under SHA-256 and \
                     SHA-512, EC P-256 keys under SHA-256",
                ));
            }
        };
        let mut request = vec![SIGN_REQUEST];
        write_string(&mut request, &self.blob);
        write_string(&mut request, message);
        request.extend_from_slice(&flags.to_be_bytes());
        let answer = self.agent.ask(&request, SIGN_RESPONSE).map_err(|error| match error.kind() {
            ErrorKind::SigningFailed => error,
            _ => Error::new(
                ErrorKind::SigningFailed,
                "the SSH agent refuses to sign: it is locked (`ssh-add -X`), the key is gone, or its use was not \
                 confirmed",
            ),
        })?;
        let mut reader = Reader(&answer);
        let mut signature = Reader(reader.string()?);
        let told = signature.string()?;
        if told != kind {
            return Err(Error::new(
                ErrorKind::SigningFailed,
                format!(
                    "the SSH agent signs as `{}`, not as `{}`: use an agent that knows RFC 8332, OpenSSH's for \
                     instance",
                    String::from_utf8_lossy(told),
                    String::from_utf8_lossy(kind)
                ),
            ));
        }
        let bytes = signature.string()?;
        if self.is_rsa {
            return Signature::rsa_pkcs1(bytes);
        }
        let mut numbers = Reader(bytes);
        let mut r_s = Vec::with_capacity(64);
        for _ in 0..2 {
            let number = numbers.string()?;
            let digits = number.iter().skip_while(|byte| **byte == 0);
            let digits: Vec<u8> = digits.copied().collect();
            let missing = 32_usize.checked_sub(digits.len()).ok_or_else(malformed)?;
            r_s.resize(r_s.len() + missing, 0);
            r_s.extend_from_slice(&digits);
        }
        Signature::ecdsa_p1363(&r_s)
    }
}

/// Reads SSH's byte strings (RFC 4251, 5): four bytes of length, big endian, before each.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn string(&mut self) -> Result<&'a [u8]> {
        let length = self.number()? as usize;
        let (string, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(string)
    }

    fn number(&mut self) -> Result<u32> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }
}

fn write_string(bytes: &mut Vec<u8>, string: &[u8]) {
    // Keys and messages of this program are some kilobytes long.
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(string);
}

fn malformed() -> Error {
    Error::new(
        ErrorKind::SigningFailed,
        "the SSH agent's answer is not as SSH has it: does SSH_AUTH_SOCK name an agent?",
    )
}

#[cfg(unix)]
use self::unix::Agent;

#[cfg(unix)]
mod unix {
    use std::{
        io::{self, Read as _, Write as _},
        os::unix::net::UnixStream,
        time::Duration,
    };

    use super::*;
    use crate::environment::Environment;

    /// How long an agent may take: it may ask a person, for a touch or a word.
    const TIMEOUT: Duration = Duration::from_secs(120);

    /// An agent at its socket; each question has a connection of its own.
    pub(super) struct Agent {
        path: String,
    }

    impl Agent {
        pub(super) fn connect(environment: &Environment<'_>) -> Result<Self> {
            let path = environment.value("SSH_AUTH_SOCK").ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidInput,
                    "there is no SSH agent, SSH_AUTH_SOCK is not set: start one (`eval $(ssh-agent)`)",
                )
            })?;
            Ok(Self { path })
        }

        /// The keys that it holds.
        pub(super) fn keys(&self) -> Result<Vec<Held>> {
            let answer = self.ask(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER)?;
            let mut reader = Reader(&answer);
            let count = reader.number()?.min(MAX_KEYS);
            let mut keys = Vec::new();
            for _ in 0..count {
                let blob = reader.string()?;
                keys.push(Held::read(blob, reader.string()?)?);
            }
            Ok(keys)
        }

        /// Asks, and returns what follows the kind of the answer.
        ///
        /// # Errors
        /// [`ErrorKind::SigningFailed`] when it cannot be reached; [`ErrorKind::InvalidInput`] when
        /// it refuses.
        pub(super) fn ask(&self, request: &[u8], expected: u8) -> Result<Vec<u8>> {
            let answer = self.exchange(request).map_err(|error| {
                Error::new(
                    ErrorKind::SigningFailed,
                    format!("the SSH agent at `{}` of SSH_AUTH_SOCK does not answer ({error}): is it running?", self.path),
                )
            })?;
            match answer.split_first() {
                Some((kind, rest)) if *kind == expected => Ok(rest.to_vec()),
                _ => Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the SSH agent refuses to list its keys: does SSH_AUTH_SOCK name an agent?",
                )),
            }
        }

        fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
            let mut stream = UnixStream::connect(&self.path)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            let mut framed = Vec::with_capacity(request.len() + 4);
            write_string(&mut framed, request);
            stream.write_all(&framed)?;
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length) as usize;
            if length > MAX_ANSWER {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut answer = vec![0; length];
            stream.read_exact(&mut answer)?;
            Ok(answer)
        }
    }
}

/// Agents are asked on Unix alone.
#[cfg(not(unix))]
struct Agent;

#[cfg(not(unix))]
impl Agent {
    fn connect(_: &crate::environment::Environment<'_>) -> Result<Self> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "SSH agents are not asked on this system: keep the key in the system's store, or pass a file",
        ))
    }

    fn keys(&self) -> Result<Vec<Held>> {
        Err(malformed())
    }

    fn ask(&self, _: &[u8], _: u8) -> Result<Vec<u8>> {
        Err(malformed())
    }
}
