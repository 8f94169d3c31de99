//! Sessions that are kept for the next call, so that a hundred calls of an SDK make one session.
//!
//! A directory that its owner alone can enter is the store of the core's provider: one file for all that
//! determines a session, which holds the core's entry, and one to lock. Python's `DiskCache` keeps the same
//! entries under the same names.

mod directory;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use ring::digest::{self, SHA256};
use rolesanywhere_core::{
    CertificateChain, Error, ErrorKind, IdentityFiles, Secret, identity_files,
    provider::{Action, Event, MAX_ENTRY_LENGTH, Sharing},
};

use crate::{
    arguments::CacheOptions,
    client::Client,
    console::Console,
    environment::Environment,
    files,
    identity_files::InputFile,
    inputs::{CERTIFICATE, INTERMEDIATES, Input},
    keys::place::Place,
    output_file,
};

/// Files that nobody has written for this long belong to sessions that are over: a session lasts
/// twelve hours at most.
const STALE: Duration = Duration::from_secs(13 * 60 * 60);

/// How often a lock file that others remove is made anew before this counts as held by another.
const MAX_LOCK_TRIES: usize = 3;

/// The most files that are looked at for stale ones.
const MAX_SWEPT: usize = 1024;

/// The directory of kept sessions, for one client.
pub(crate) struct Cache<'a> {
    directory: PathBuf,
    sharing: Sharing,
    /// Of the file with the certificate, where it tells the certificates without a password.
    chain: Option<CertificateChain>,
    console: &'a Console,
    /// The lock that is held. The system frees it with the process.
    lock: Option<File>,
}

impl<'a> Cache<'a> {
    /// Finds the directory. `None` where nothing is to be kept, or cannot be: that is said, if the user
    /// named the directory or it is not safe.
    pub(crate) fn open(
        options: &CacheOptions,
        client: &Client<'_>,
        environment: &Environment<'_>,
        console: &'a Console,
    ) -> Option<Self> {
        if options.no_cache {
            return None;
        }
        let mut sharing = Sharing::with_lock();
        let chain = match told_by(client)? {
            ToldBy::Chain(chain) => Some(*chain),
            ToldBy::Digest(digest) => {
                sharing.identity = Some(digest);
                None
            }
        };
        if client.options().network.no_verify_ssl {
            // What an unverified server gave is not for calls that verify.
            sharing.context = "server not verified".to_owned();
        }
        let directory = directory::find(options.cache_dir.as_deref(), environment, console)?;
        Some(Self {
            directory,
            sharing,
            chain,
            console,
            lock: None,
        })
    }

    /// How sessions are told apart.
    pub(crate) fn sharing(&self) -> Sharing {
        self.sharing.clone()
    }

    /// The certificates as they are now, where they are known without the identity.
    pub(crate) fn chain(&self) -> Option<&CertificateChain> {
        self.chain.as_ref()
    }

    /// Carries out an action on the store; `None` for any other action.
    pub(crate) fn execute(&mut self, action: Action) -> Option<Event> {
        Some(match action {
            Action::Load { id, key, .. } => self.load(id, &key),
            Action::Lock { id, key, .. } => match self.try_lock(&key) {
                Ok(Some(lock)) => {
                    self.lock = Some(lock);
                    Event::Locked { id }
                }
                Ok(None) => Event::LockHeld { id },
                Err(error) => store_failed(id, &error),
            },
            Action::Store { id, key, entry, .. } => {
                // A temporary file, which its owner alone can read, then moved into place.
                let written = output_file::write_whole(&self.path(&key, SESSION), entry.expose());
                sweep(&self.directory);
                match written {
                    Ok(()) => Event::Stored { id },
                    Err(error) => Event::StoreFailed { id, error },
                }
            }
            Action::Unlock { id, .. } => {
                self.lock = None;
                Event::Unlocked { id }
            }
            _ => return None,
        })
    }

    fn load(&self, id: u32, key: &str) -> Event {
        let path = self.path(key, SESSION);
        match directory::read_private(&path, MAX_ENTRY_LENGTH as u64) {
            Ok(mut bytes) => Event::Loaded {
                id,
                entry: Some(Secret::new(std::mem::take(&mut *bytes))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Event::Loaded { id, entry: None }
            }
            Err(error) => {
                self.console.warn(format!(
                    "the kept session `{}` is not used: {error}",
                    path.display()
                ));
                Event::Unreadable { id }
            }
        }
    }

    fn path(&self, key: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{key}.{extension}"))
    }

    /// The lock, or `None` while another process holds it.
    fn try_lock(&self, key: &str) -> io::Result<Option<File>> {
        let path = self.path(key, LOCK);
        for _ in 0..MAX_LOCK_TRIES {
            let file = files::open_lock(&path)?;
            match file.try_lock() {
                // Another process may have removed the file before it was locked: then the lock guards nothing.
                Ok(()) if !directory::is_still(&path, &file)? => {}
                Ok(()) => {
                    // A lock file in use shall not look old. If this fails, the lock itself still protects it.
                    let _ = file.set_modified(SystemTime::now());
                    return Ok(Some(file));
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// The extension of a kept session's file.
const SESSION: &str = "json";
/// The extension of the file that is locked while a session is renewed.
const LOCK: &str = "lock";

fn store_failed(id: u32, error: &io::Error) -> Event {
    Event::StoreFailed {
        id,
        error: Error::new(ErrorKind::TransportFailed, error.to_string()),
    }
}

/// What tells a session's certificate without the private key.
enum ToldBy {
    /// The certificates themselves.
    Chain(Box<CertificateChain>),
    /// What stands for them: see [`Sharing::identity`].
    Digest(String),
}

/// What tells the client's certificate; `None` without any.
///
/// Where the certificate's file is encrypted or a container, its content stands for the certificate: to open
/// it would cost a password and the derivation of a key. A certificate in a token is told by its URI and the
/// module's name: to look it up would cost the way to the token, and with it the PIN.
fn told_by(client: &Client<'_>) -> Option<ToldBy> {
    let options = client.options();
    let path = options.identity.certificate.as_deref()?;
    let told = match Place::read(path, CERTIFICATE).ok()? {
        Place::Pkcs11(uri) => {
            let module = options.identity.key.pkcs11_lib.as_deref();
            let module = module.unwrap_or(Path::new("")).as_os_str();
            let mut told = uri.shown().as_bytes().to_vec();
            told.push(0);
            told.extend_from_slice(module.as_encoded_bytes());
            told
        }
        Place::Content(Input::File(path)) => {
            // What is no file can be read once only.
            fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
            let file = InputFile::read(path, CERTIFICATE).ok()?;
            if let Some(chain) = plain_chain(client, &file) {
                return Some(ToldBy::Chain(Box::new(chain)));
            }
            file.bytes.to_vec()
        }
        Place::Content(input) => {
            let content = client.content(input, CERTIFICATE).ok()?;
            if let Some(chain) = plain_chain(client, &content) {
                return Some(ToldBy::Chain(Box::new(chain)));
            }
            content.bytes.to_vec()
        }
        Place::SshAgent(_) | Place::TpmHandle(_) => return None, // no certificate
    };
    let digest = digest::digest(&SHA256, &told);
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    Some(ToldBy::Digest(digits.collect()))
}

/// The certificates of content that needs no password.
fn plain_chain(client: &Client<'_>, certificate: &InputFile) -> Option<CertificateChain> {
    if identity_files::is_container(&certificate.bytes, identity_files::Purpose::Certificates) {
        return None;
    }
    let intermediates = match client.options().identity.intermediates.as_deref() {
        Some(path) if files::is_read_once(path) => return None,
        Some(place) => {
            let input = Input::read(place, INTERMEDIATES).ok()?;
            Some(client.content(input, INTERMEDIATES).ok()?)
        }
        None => None,
    };
    let files = IdentityFiles {
        certificate: &certificate.bytes,
        private_key: None,
        intermediates: intermediates.as_ref().map(InputFile::content),
        password: None,
    };
    files.read_chain().ok()
}

/// Removes the files of sessions that are long over: each renewed certificate begins a new session. The
/// directory may hold files of others: only names that this program makes are considered, and only regular files
/// of this user. A lock that is held stays, however old it is.
fn sweep(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.take(MAX_SWEPT) {
        let name = entry.file_name();
        let Some(kind) = name.to_str().and_then(Made::named) else {
            continue;
        };
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue; // Another process was faster.
        };
        let age = metadata
            .modified()
            .map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
        if !directory::is_own_file(&metadata) || !age.is_ok_and(|age| age > STALE) {
            continue;
        }
        if kind == Made::Lock && (cfg!(not(unix)) || !is_free(&path)) {
            continue;
        }
        let _ = fs::remove_file(&path); // Whoever came before saved us the trouble.
    }
}

/// Whether no process holds the lock. A process that takes it at this moment sees that its file is gone, and
/// makes a new file.
fn is_free(path: &Path) -> bool {
    files::open_own(path).is_ok_and(|(file, _)| file.try_lock().is_ok())
}

/// The files that this program makes in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Session,
    Lock,
    /// A session that is being written, or was when its process was killed.
    Unfinished,
}

impl Made {
    /// Tells a file by its name: `KEY.json`, `KEY.lock`, or a temporary file for `KEY.json`, where `KEY`
    /// has 64 digits of lower-case hexadecimal.
    fn named(name: &str) -> Option<Self> {
        let finished = output_file::temporary_for(name);
        let (key, end) = finished.unwrap_or(name).split_once('.')?;
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if key.len() != 64 || !key.bytes().all(digit) {
            return None;
        }
        match (end, finished) {
            (SESSION, None) => Some(Self::Session),
            (SESSION, Some(_)) => Some(Self::Unfinished),
            (LOCK, None) => Some(Self::Lock),
            _ => None,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
