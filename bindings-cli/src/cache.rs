//! Sessions that are kept for the next call, so that a hundred calls of an SDK make one session.
//!
//! One file for all that determines a session, in a directory that its owner alone can enter. A
//! kept session is used until its renewal window without a look at the private key, the roots or the
//! network. Processes that need a new one at the same time wait for the one of them that asks.

mod directory;
mod kept;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use ring::digest::{self, SHA256};
use rolesanywhere_core::{Next, Result, Secret, Session, UnixTime};
use zeroize::Zeroizing;

use self::kept::Kept;
use crate::{
    arguments::CacheOptions,
    client::Client,
    console::Console,
    environment::Environment,
    exchange,
    identity_files::InputFile,
    inputs::{CERTIFICATE, Input},
    keys::place::Place,
    output_file,
};

/// How long a process waits for another that asks for the same session. A call takes a second; three
/// attempts at a service in trouble take longer.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(60);

/// The pause between two looks at a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How long a session that is still valid is used after a renewal failed, before the next try.
const RETRY_SECONDS: i64 = 30;

/// Files that nobody has written for this long belong to sessions that are over: a session lasts
/// twelve hours at most.
const STALE: Duration = Duration::from_secs(13 * 60 * 60);

/// The most files that are looked at for stale ones.
const MAX_SWEPT: usize = 1024;

/// The place of one session.
pub(crate) struct Cache<'a> {
    directory: PathBuf,
    /// SHA-256 of what determines the session, in hexadecimal.
    key: String,
    console: &'a Console,
}

impl<'a> Cache<'a> {
    /// Finds the place. `None` where nothing is to be kept, or cannot be: that is said, if the user
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
        let key = key(client)?;
        let directory = directory::find(options.cache_dir.as_deref(), environment, console)?;
        Some(Self {
            directory,
            key,
            console,
        })
    }

    /// The JSON of the kept session, or of a new one that `make` asks for, which is kept.
    ///
    /// # Errors
    /// `make`'s, when there is no session left that is valid.
    pub(crate) fn credentials(
        &self,
        make: impl FnOnce() -> Result<Session>,
    ) -> Result<Secret<String>> {
        let kept = self.read();
        let next = kept.as_ref().map(|kept| (kept, kept.next(exchange::now())));
        let lock = match next {
            Some((kept, Next::Use { .. })) => return Ok(self.used(kept)),
            // Somebody renews already, or will: what there is does for this call.
            Some((kept, Next::UseAndRenew)) => match self.try_lock() {
                Ok(None) => return Ok(self.used(kept)),
                Ok(lock) => lock,
                Err(error) => self.unlocked(&error),
            },
            _ => self.lock(),
        };
        // While this process waited, another may have done it.
        let kept = self.read().or(kept);
        let now = exchange::now();
        if let Some(kept) = &kept
            && matches!(kept.next(now), Next::Use { .. })
        {
            return Ok(self.used(kept));
        }
        match make() {
            Ok(session) => {
                let kept = Kept::new(exchange::now(), &session);
                self.write(&kept);
                drop(lock);
                Ok(kept.json())
            }
            Err(error) => match kept.filter(|kept| kept.is_valid(now)) {
                Some(mut kept) => {
                    self.console.warn(format!(
                        "no new session ({error}): the kept one is used, it ends at {}",
                        kept.expiration().to_iso8601()
                    ));
                    kept.hold_until(now.plus_seconds(RETRY_SECONDS));
                    self.write(&kept);
                    Ok(kept.json())
                }
                None => Err(error),
            },
        }
    }

    fn used(&self, kept: &Kept) -> Secret<String> {
        self.console.detail(format_args!(
            "a kept session is used, it ends at {}: `{}`",
            kept.expiration().to_iso8601(),
            self.path("session").display()
        ));
        kept.json()
    }

    /// The kept session. One that cannot be read for what it is counts as none, and is replaced.
    fn read(&self) -> Option<Kept> {
        let path = self.path("session");
        let why = match directory::read_private(&path, kept::MAX_LENGTH) {
            Ok(bytes) => match Kept::from_bytes(&bytes, &self.key) {
                Some(kept) => return Some(kept),
                None => "it is damaged".to_owned(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        self.console.warn(format!(
            "the kept session `{}` is not used ({why}): a new one replaces it",
            path.display()
        ));
        None
    }

    fn write(&self, kept: &Kept) {
        let bytes = kept.to_bytes(&self.key);
        // A temporary file, which its owner alone can read, then moved into place.
        if let Err(error) = output_file::write_whole(&self.path("session"), &bytes) {
            self.console
                .warn(format!("the session is not kept: {error}"));
        }
        sweep(&self.directory);
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.key))
    }

    /// The lock, or `None` while another process holds it. The system frees it with the process.
    fn try_lock(&self) -> io::Result<Option<File>> {
        let file = directory::open_private(&self.path("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The lock, as soon as it is free. `None` when it does not become free in time or the file system
    /// has none: then this process asks for a session of its own.
    fn lock(&self) -> Option<File> {
        let begun = Instant::now();
        loop {
            match self.try_lock() {
                Ok(Some(lock)) => return Some(lock),
                Ok(None) if begun.elapsed() < MAX_LOCK_WAIT => std::thread::sleep(LOCK_PAUSE),
                Ok(None) => return self.unlocked(&"another process holds it too long"),
                Err(error) => return self.unlocked(&error),
            }
        }
    }

    fn unlocked(&self, why: &dyn std::fmt::Display) -> Option<File> {
        self.console
            .detail(format_args!("the cache is not locked: {why}"));
        None
    }
}

/// The digest of all that determines a session; `None` without a certificate to tell it by.
///
/// The file's content stands for the certificate: its fingerprint would cost the parsing, and with an
/// encrypted PKCS#12 file the derivation of a key. A certificate in a token is told by its URI and the
/// module's name: to look it up would cost the way to the token, and with it the PIN.
fn key(client: &Client<'_>) -> Option<String> {
    let options = client.options();
    let path = options.identity.certificate.as_deref()?;
    let certificate = match Place::read(path, CERTIFICATE).ok()? {
        Place::Pkcs11(uri) => {
            let module = options.identity.key.pkcs11_lib.as_deref();
            let module = module.unwrap_or(Path::new("")).as_os_str();
            let mut told = uri.shown().as_bytes().to_vec();
            told.push(0);
            told.extend_from_slice(module.as_encoded_bytes());
            Zeroizing::new(told)
        }
        Place::Content(Input::File(path)) => {
            // What is no file can be read once only.
            fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
            InputFile::read(path, CERTIFICATE).ok()?.bytes
        }
        Place::Content(input) => client.content(input, CERTIFICATE).ok()?.bytes,
        Place::SshAgent(_) | Place::TpmHandle(_) => return None, // no certificate
    };
    let request = client.request();
    let mut context = digest::Context::new(&SHA256);
    let duration = options.session.session_duration.as_secs().to_string();
    for part in [
        b"rolesanywhere session 1".as_slice(),
        &certificate,
        request.trust_anchor().as_str().as_bytes(),
        request.profile().as_str().as_bytes(),
        request.role().as_str().as_bytes(),
        client.session_name().unwrap_or_default().as_bytes(),
        duration.as_bytes(),
        request.endpoint().url().as_bytes(),
        request.endpoint().signing_region().as_bytes(),
        // What an unverified server gave is not for calls that verify.
        &[u8::from(options.network.no_verify_ssl)],
    ] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    Some(kept::hex(context.finish().as_ref()))
}

/// Removes the files of sessions that are long over: each renewed certificate begins a new one.
fn sweep(directory: &Path) {
    let is_ours = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        [".session", ".lock"].iter().any(|end| name.ends_with(end)) || name.starts_with(".tmp")
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for path in entries.take(MAX_SWEPT).map(|entry| entry.path()) {
        let modified = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
        let age = modified.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
        if is_ours(&path) && age.is_ok_and(|age| age > STALE) {
            let _ = fs::remove_file(&path); // Whoever came before saved us the trouble.
        }
    }
}

/// Whether the local clock has run backwards by more than clocks are corrected by.
fn is_set_back(now: UnixTime, since: UnixTime) -> bool {
    now.seconds_since(since) < -300
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
