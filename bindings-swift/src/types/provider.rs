//! The lifecycle of credentials: the core's state machine, which Swift drives.
//!
//! An action and an advice cross as their kind with their fields, an event by a method of its own. Wall
//! clocks count milliseconds since the Unix epoch, monotonic clocks milliseconds from any beginning;
//! lengths of time are in milliseconds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rolesanywhere_core::{
    Error, ErrorKind, HttpResponse, Secret,
    provider::{self as lifecycle, Event, HostTime},
};
use zeroize::Zeroizing;

use super::{
    CertificateChain, CreateSession, Header, HttpRequest, Session, Signature, UnsignedRequest,
};
use crate::error::Failure;

/// What the clocks of the machine show at one moment.
#[derive(Clone, Copy, Debug, uniffi::Record)]
pub struct Reading {
    /// The wall clock.
    pub wall: i64,
    /// A clock that is never set; `None` where there is none.
    pub monotonic: Option<u64>,
}

/// For how long credentials are used without asking.
#[derive(Clone, Copy, Debug, uniffi::Record)]
pub struct Window {
    /// A wall clock that shows an earlier time was set back.
    pub since: i64,
    /// The first moment outside, by the wall clock.
    pub until: i64,
    /// The same by the monotonic clock.
    pub monotonic_until: Option<u64>,
}

/// What a caller who wants credentials is to do.
#[derive(Debug, uniffi::Enum)]
pub enum Advice {
    /// Use the session.
    Use {
        /// The session.
        session: Arc<Session>,
        /// Until when to use it without asking.
        window: Window,
    },
    /// Use the session, and somebody is to drive.
    UseAndDrive {
        /// The session.
        session: Arc<Session>,
        /// Until when to use it without asking.
        window: Window,
    },
    /// Drive, then ask again.
    Drive,
    /// Another drives: wait for it, then ask again.
    Wait {
        /// How long to wait at most.
        at_most: u64,
    },
    /// There are no credentials.
    Fail {
        /// Why.
        failure: Arc<Failure>,
        /// How long until the next try.
        again_after: u64,
    },
}

/// What a driver is to do. An action with an `id` wants one answer that names it.
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs)] // the fields are the core's
pub enum Action {
    /// Load the identity.
    LoadIdentity { id: u32, timeout: u64 },
    /// Sign the request.
    Sign {
        id: u32,
        request: Arc<UnsignedRequest>,
        timeout: u64,
    },
    /// Send the request and read the whole answer.
    Send {
        id: u32,
        request: HttpRequest,
        timeout: u64,
    },
    /// Read an entry of the shared store.
    Load { id: u32, key: String, timeout: u64 },
    /// Try to lock a key of the store.
    Lock {
        id: u32,
        key: String,
        lease: u64,
        timeout: u64,
    },
    /// Store an entry, which holds secrets.
    Store {
        id: u32,
        key: String,
        entry: Vec<u8>,
        ttl: u64,
        timeout: u64,
    },
    /// Give a lock back.
    Unlock { id: u32, key: String, timeout: u64 },
    /// Wait for so long, then tell `tick`.
    Pause { duration: u64 },
    /// Wake all who wait: there are credentials.
    Use { window: Window },
    /// Wake all who wait: there are no credentials.
    Fail { again_after: u64 },
    /// Something that a log may want to know.
    Note {
        kind: String,
        is_warning: bool,
        message: String,
    },
    /// An action of a newer core, which this library does not know.
    Unknown,
}

/// How an answer was lost.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum Loss {
    /// No connection, or one that broke.
    Unreachable,
    /// Nothing, or not everything, came in time.
    TimedOut,
    /// The other side's TLS certificate is not trusted.
    Untrusted,
    /// The request cannot be sent at all.
    Unsendable,
}

/// Fields of the core's `Policy` that the user sets; the core's default where nothing is set.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs)] // the fields are the core's
pub struct Policy {
    #[uniffi(default = None)]
    pub attempts: Option<u32>,
    #[uniffi(default = None)]
    pub attempt_timeout: Option<u64>,
    #[uniffi(default = None)]
    pub identity_timeout: Option<u64>,
    #[uniffi(default = None)]
    pub signing_timeout: Option<u64>,
}

/// How sessions are shared through a store.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs)] // the fields are the core's
pub struct Sharing {
    pub has_lock: bool,
    pub propagation: u64,
    pub cold_spread: u64,
    pub identity: Option<String>,
}

/// Credentials that renew themselves, as a state machine without IO. It locks itself.
#[derive(Debug, uniffi::Object)]
pub struct Provider(Mutex<lifecycle::Provider>);

#[uniffi::export]
impl Provider {
    /// A provider without credentials. `seed` is a random number; `counts_sleep` tells that the monotonic
    /// clock runs while the machine sleeps, `machine` names this start of the machine.
    #[uniffi::constructor]
    pub fn new(
        call: &CreateSession,
        policy: Policy,
        sharing: Option<Sharing>,
        machine: Option<String>,
        counts_sleep: bool,
        seed: u64,
    ) -> Self {
        let mut provider = lifecycle::Provider::new(call.0.clone(), &policy.into(), seed);
        if let Some(sharing) = sharing {
            provider = provider.with_sharing(sharing.into());
        }
        if let Some(machine) = machine {
            provider = provider.with_machine(&machine);
        }
        if counts_sleep {
            provider = provider.with_monotonic_that_counts_sleep();
        }
        Self(Mutex::new(provider))
    }

    /// A provider for one call, past the credentials at hand.
    pub fn one_shot(&self, seed: u64) -> Self {
        Self(Mutex::new(self.with(|provider| provider.one_shot(seed))))
    }

    /// What a caller is to do.
    pub fn ask(&self, now: Reading) -> Advice {
        self.with(|provider| match provider.ask(now.into()) {
            lifecycle::Advice::Use(window) => match session(provider) {
                Some(session) => Advice::Use {
                    session,
                    window: window.into(),
                },
                None => failed(provider, Duration::ZERO),
            },
            lifecycle::Advice::UseAndDrive(window) => match session(provider) {
                Some(session) => Advice::UseAndDrive {
                    session,
                    window: window.into(),
                },
                None => Advice::Drive,
            },
            lifecycle::Advice::Drive => Advice::Drive,
            lifecycle::Advice::Wait { at_most } => Advice::Wait {
                at_most: milliseconds(at_most),
            },
            lifecycle::Advice::Fail { again_after } => failed(provider, again_after),
            // `Advice` may grow.
            _ => failed(provider, Duration::ZERO),
        })
    }

    /// The next thing to do; `None` when this driver is done.
    pub fn poll(&self, now: Reading) -> Option<Action> {
        let action = self.with(|provider| provider.poll(now.into()))?;
        Some(action.into())
    }

    /// The session at hand.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.with(|provider| session(provider))
    }

    /// Why the last renewal failed.
    pub fn error(&self) -> Option<Arc<Failure>> {
        self.with(|provider| Some(Arc::new(Failure(provider.error()?.clone()))))
    }

    /// How long the service accepts the credentials at hand.
    pub fn valid_for(&self, now: Reading) -> u64 {
        milliseconds(self.with(|provider| provider.valid_for(now.into())))
    }

    /// A pause is over, or an action takes long.
    pub fn tick(&self, now: Reading) {
        self.handle(now, Event::Tick);
    }

    /// The time of an action is over by the host's timer.
    pub fn timed_out(&self, now: Reading, id: u32) {
        self.handle(now, Event::TimedOut { id });
    }

    /// The driver stops.
    pub fn cancelled(&self, now: Reading) {
        self.handle(now, Event::Cancelled);
    }

    /// The credentials at hand are not wanted.
    pub fn refresh(&self, now: Reading) {
        self.handle(now, Event::Refresh);
    }

    /// This is another process now.
    pub fn forked(&self, now: Reading, seed: u64) {
        self.handle(now, Event::Forked { seed });
    }

    /// The machine slept, or the network is back.
    pub fn resumed(&self, now: Reading) {
        self.handle(now, Event::Resumed);
    }

    /// The identity was loaded.
    pub fn identity_loaded(&self, now: Reading, id: u32, chain: &CertificateChain) {
        let chain = chain.0.clone();
        self.handle(now, Event::IdentityLoaded { id, chain });
    }

    /// The identity could not be loaded. `modified` is when the newest of its files was modified.
    pub fn identity_failed(&self, now: Reading, id: u32, failure: &Failure, modified: Option<i64>) {
        let event = Event::IdentityFailed {
            id,
            error: failure.0.clone(),
            modified: modified.map(HostTime::from_milliseconds),
        };
        self.handle(now, event);
    }

    /// The request was signed.
    pub fn signed(&self, now: Reading, id: u32, signature: &Signature) {
        let signature = signature.0.clone();
        self.handle(now, Event::Signed { id, signature });
    }

    /// The signer failed.
    pub fn sign_failed(&self, now: Reading, id: u32, failure: &Failure) {
        let error = failure.0.clone();
        self.handle(now, Event::SignFailed { id, error });
    }

    /// An answer came, whatever its status.
    pub fn answered(&self, now: Reading, id: u32, status: u16, headers: Vec<Header>, body: &[u8]) {
        let headers = headers.into_iter();
        let response = HttpResponse {
            status,
            headers: headers.map(|header| (header.name, header.value)).collect(),
            body: Zeroizing::new(body.to_vec()),
        };
        self.handle(now, Event::Answered { id, response });
    }

    /// No answer came.
    pub fn not_answered(&self, now: Reading, id: u32, loss: Loss, failure: &Failure) {
        let event = Event::NotAnswered {
            id,
            loss: loss.into(),
            error: failure.0.clone(),
        };
        self.handle(now, event);
    }

    /// The store was read: `found` tells whether there is an entry.
    pub fn loaded(&self, now: Reading, id: u32, found: bool, entry: &[u8]) {
        let entry = found.then(|| Secret::new(entry.to_vec()));
        self.handle(now, Event::Loaded { id, entry });
    }

    /// The store has an entry that cannot be unsealed.
    pub fn unreadable(&self, now: Reading, id: u32) {
        self.handle(now, Event::Unreadable { id });
    }

    /// The lock is ours.
    pub fn locked(&self, now: Reading, id: u32) {
        self.handle(now, Event::Locked { id });
    }

    /// Another has the lock.
    pub fn lock_held(&self, now: Reading, id: u32) {
        self.handle(now, Event::LockHeld { id });
    }

    /// The lock that was ours is lost.
    pub fn lock_lost(&self, now: Reading) {
        self.handle(now, Event::LockLost);
    }

    /// The entry was stored.
    pub fn stored(&self, now: Reading, id: u32) {
        self.handle(now, Event::Stored { id });
    }

    /// The lock was given back.
    pub fn unlocked(&self, now: Reading, id: u32) {
        self.handle(now, Event::Unlocked { id });
    }

    /// The store failed.
    pub fn store_failed(&self, now: Reading, id: u32, failure: &Failure) {
        let error = failure.0.clone();
        self.handle(now, Event::StoreFailed { id, error });
    }
}

impl Provider {
    fn with<T>(&self, act: impl FnOnce(&mut lifecycle::Provider) -> T) -> T {
        // A panic of the core leaves the machine between two states of its own, not of Rust's.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn handle(&self, now: Reading, event: Event) {
        self.with(|provider| provider.handle(now.into(), event));
    }
}

fn session(provider: &lifecycle::Provider) -> Option<Arc<Session>> {
    Some(Arc::new(Session(provider.session()?.clone())))
}

fn failed(provider: &lifecycle::Provider, again_after: Duration) -> Advice {
    let unknown = || Error::new(ErrorKind::ServiceUnavailable, "there are no credentials");
    let error = provider.error().cloned().unwrap_or_else(unknown);
    Advice::Fail {
        failure: Arc::new(Failure(error)),
        again_after: milliseconds(again_after),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl From<Reading> for lifecycle::Reading {
    fn from(reading: Reading) -> Self {
        Self::new(reading.wall, reading.monotonic)
    }
}

impl From<lifecycle::Window> for Window {
    fn from(window: lifecycle::Window) -> Self {
        Self {
            since: window.since.milliseconds(),
            until: window.until.milliseconds(),
            monotonic_until: window.monotonic_until,
        }
    }
}

impl From<Loss> for lifecycle::Loss {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Unreachable => Self::Unreachable,
            Loss::TimedOut => Self::TimedOut,
            Loss::Untrusted => Self::Untrusted,
            Loss::Unsendable => Self::Unsendable,
        }
    }
}

impl From<Policy> for lifecycle::Policy {
    fn from(set: Policy) -> Self {
        let mut policy = Self::default();
        let times = [
            (&mut policy.attempt_timeout, set.attempt_timeout),
            (&mut policy.identity_timeout, set.identity_timeout),
            (&mut policy.signing_timeout, set.signing_timeout),
        ];
        for (time, set) in times {
            *time = set.map_or(*time, Duration::from_millis);
        }
        policy.attempts = set.attempts.unwrap_or(policy.attempts);
        policy
    }
}

impl From<Sharing> for lifecycle::Sharing {
    fn from(sharing: Sharing) -> Self {
        let [propagation, cold_spread] =
            [sharing.propagation, sharing.cold_spread].map(Duration::from_millis);
        let mut shared = match sharing.has_lock {
            true => Self::with_lock(),
            false => Self::without_lock(propagation, cold_spread),
        };
        shared.identity = sharing.identity;
        shared
    }
}

impl From<lifecycle::Action> for Action {
    fn from(action: lifecycle::Action) -> Self {
        let timeout = action.timeout().map_or(0, milliseconds);
        match action {
            lifecycle::Action::LoadIdentity { id, .. } => Self::LoadIdentity { id, timeout },
            lifecycle::Action::Sign { id, request, .. } => Self::Sign {
                id,
                request: Arc::new(UnsignedRequest(request)),
                timeout,
            },
            lifecycle::Action::Send { id, request, .. } => Self::Send {
                id,
                request: request.into(),
                timeout,
            },
            lifecycle::Action::Load { id, key, .. } => Self::Load { id, key, timeout },
            lifecycle::Action::Lock { id, key, lease, .. } => Self::Lock {
                id,
                key,
                lease: milliseconds(lease),
                timeout,
            },
            lifecycle::Action::Store {
                id,
                key,
                entry,
                ttl,
                ..
            } => Self::Store {
                id,
                key,
                entry: entry.expose().clone(),
                ttl: milliseconds(ttl),
                timeout,
            },
            lifecycle::Action::Unlock { id, key, .. } => Self::Unlock { id, key, timeout },
            lifecycle::Action::Pause { .. } => Self::Pause { duration: timeout },
            lifecycle::Action::Use(window) => Self::Use {
                window: window.into(),
            },
            lifecycle::Action::Fail { again_after } => Self::Fail {
                again_after: milliseconds(again_after),
            },
            lifecycle::Action::Note(note) => Self::Note {
                kind: note.kind.word().to_owned(),
                is_warning: note.kind.is_warning(),
                message: note.message,
            },
            // `Action` may grow.
            _ => Self::Unknown,
        }
    }
}
