//! What goes in and what comes out: flat values that every binding can pass.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use super::clock::HostTime;
use crate::{
    CertificateChain, Error, HttpRequest, HttpResponse, Secret, Signature, UnsignedRequest,
};

/// What happened at the host. Each answer names the `id` of the action that it answers; an answer to
/// an action that is no longer waited for is ignored.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // one event at a time, moved once: a box would only cost
pub enum Event {
    /// Time passed: the end of a [`Pause`](Action::Pause), or a look at an action that takes long. A
    /// pause ends with it whatever the clocks say: a host's timer can be early by a millisecond.
    Tick,
    /// The time of an action is over by the host's timer, which may run by another clock than the one
    /// that is read: the action counts as failed.
    TimedOut {
        /// Of the action that this answers.
        id: u32,
    },
    /// The driver stops: its task was cancelled. The host wakes those who wait, and the next who
    /// asks drives.
    Cancelled,
    /// The credentials at hand are not wanted, although they may be valid: the next caller renews.
    Refresh,
    /// This is another process now, after a `fork`. Credentials and what is known of the clock stay;
    /// the driver of the parent is not here. `seed` is a new one, as of
    /// [`Provider::new`](super::Provider::new).
    Forked {
        /// Random, not secret.
        seed: u64,
    },
    /// The machine slept, the page was frozen, or the network is back: what failed before may do now.
    Resumed,
    /// The identity was loaded. Where it has a private key or a signer, the host keeps that until
    /// the [`Sign`](Action::Sign) that follows.
    IdentityLoaded {
        /// Of the action that this answers.
        id: u32,
        /// The certificate and its intermediates.
        chain: CertificateChain,
    },
    /// The identity could not be loaded, or key and certificate do not match.
    IdentityFailed {
        /// Of the action that this answers.
        id: u32,
        /// Why.
        error: Error,
        /// When the newest of its files was modified, by the host's clock; `None` where there are no
        /// files. A pair of files that is being replaced just now is read again.
        modified: Option<HostTime>,
    },
    /// The identity could not be loaded, and this is the last one that could: the host still has
    /// its key. It is used while the service accepts its certificate.
    IdentityStale {
        /// Of the action that this answers.
        id: u32,
        /// The certificate and its intermediates.
        chain: CertificateChain,
        /// Why the present one could not be loaded.
        error: Error,
        /// As in [`IdentityFailed`](Self::IdentityFailed).
        modified: Option<HostTime>,
    },
    /// The request was signed.
    Signed {
        /// Of the action that this answers.
        id: u32,
        /// The signature of [`UnsignedRequest::string_to_sign`].
        signature: Signature,
    },
    /// The signer failed.
    SignFailed {
        /// Of the action that this answers.
        id: u32,
        /// Why.
        error: Error,
    },
    /// An answer came, whatever its status.
    Answered {
        /// Of the action that this answers.
        id: u32,
        /// The answer; its body is wiped when it has been read.
        response: HttpResponse,
    },
    /// No answer came.
    NotAnswered {
        /// Of the action that this answers.
        id: u32,
        /// How it was lost.
        loss: Loss,
        /// Why, in the words of the host's HTTP library.
        error: Error,
    },
    /// The store was read.
    Loaded {
        /// Of the action that this answers.
        id: u32,
        /// The entry's plain text, unsealed by the host; `None` when there is no entry.
        entry: Option<Secret<Vec<u8>>>,
    },
    /// The store has an entry that cannot be unsealed: another key sealed it, or it is damaged.
    Unreadable {
        /// Of the action that this answers.
        id: u32,
    },
    /// The lock is ours.
    Locked {
        /// Of the action that this answers.
        id: u32,
    },
    /// Another has the lock.
    LockHeld {
        /// Of the action that this answers.
        id: u32,
    },
    /// The lock that was ours is lost: its lease is over, or the store forgot it.
    LockLost,
    /// The entry was stored.
    Stored {
        /// Of the action that this answers.
        id: u32,
    },
    /// The lock was given back.
    Unlocked {
        /// Of the action that this answers.
        id: u32,
    },
    /// The store failed at whatever it was to do.
    StoreFailed {
        /// Of the action that this answers.
        id: u32,
        /// Why. The words must not repeat the entry.
        error: Error,
    },
}

/// How an answer was lost: the host says what it saw, the core decides whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// No connection, or one that broke: name resolution, refused, reset, closed early.
    Unreachable,
    /// Nothing, or not everything, came in the time that the action has.
    TimedOut,
    /// The TLS certificate of the other side is not trusted, or no TLS version fits. Trying again at
    /// once does not help.
    Untrusted,
    /// The request cannot be sent by this host at all: a forbidden URL, a mistaken configuration.
    Unsendable,
}

impl Loss {
    /// Every loss.
    pub const ALL: &'static [Self] = &[
        Self::Unreachable,
        Self::TimedOut,
        Self::Untrusted,
        Self::Unsendable,
    ];

    /// A stable word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Untrusted => "untrusted",
            Self::Unsendable => "unsendable",
        }
    }

    /// The loss of that word; `None` when there is none.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|loss| loss.word() == word)
    }
}

/// What the host is to do. An action with an `id` wants one answer that names it, or
/// [`Event::TimedOut`] when its `timeout` is over: then it counts as failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Load the identity: files, a store, a callback. Answer with [`Event::IdentityLoaded`] or
    /// [`Event::IdentityFailed`].
    LoadIdentity {
        /// For the answer.
        id: u32,
        /// How long it may take.
        timeout: Duration,
    },
    /// Sign [`UnsignedRequest::string_to_sign`] with [`UnsignedRequest::algorithm`] and the private
    /// key of the certificate that was loaded. Answer with [`Event::Signed`] or
    /// [`Event::SignFailed`].
    Sign {
        /// For the answer.
        id: u32,
        /// What to sign. A host may read URL, headers and body while its signer works.
        request: Arc<UnsignedRequest>,
        /// How long it may take.
        timeout: Duration,
    },
    /// Send the request and read the whole answer. Follow no redirect. Answer with
    /// [`Event::Answered`] or [`Event::NotAnswered`].
    Send {
        /// For the answer.
        id: u32,
        /// The signed request.
        request: HttpRequest,
        /// How long it may take, from connecting to the last byte.
        timeout: Duration,
    },
    /// Read the entry of this key from the shared store and unseal it. Answer with
    /// [`Event::Loaded`], [`Event::Unreadable`] or [`Event::StoreFailed`].
    Load {
        /// For the answer.
        id: u32,
        /// 64 hexadecimal digits.
        key: String,
        /// How long it may take.
        timeout: Duration,
    },
    /// Try to lock this key. Answer with [`Event::Locked`], [`Event::LockHeld`] or
    /// [`Event::StoreFailed`]. A lock that can only wait may wait until the timeout.
    Lock {
        /// For the answer.
        id: u32,
        /// 64 hexadecimal digits.
        key: String,
        /// For how long the lock is taken, where locks have a lease.
        lease: Duration,
        /// How long it may take.
        timeout: Duration,
    },
    /// Seal the entry and store it under this key. Answer with [`Event::Stored`] or
    /// [`Event::StoreFailed`].
    Store {
        /// For the answer.
        id: u32,
        /// 64 hexadecimal digits.
        key: String,
        /// The entry's plain text, which holds secrets; wiped when dropped.
        entry: Secret<Vec<u8>>,
        /// After this time the entry is of no use.
        ttl: Duration,
        /// How long it may take.
        timeout: Duration,
    },
    /// Give the lock of this key back. Answer with [`Event::Unlocked`] or [`Event::StoreFailed`].
    Unlock {
        /// For the answer.
        id: u32,
        /// 64 hexadecimal digits.
        key: String,
        /// How long it may take.
        timeout: Duration,
    },
    /// Wait for so long, then tell [`Event::Tick`].
    Pause {
        /// How long.
        duration: Duration,
    },
    /// Wake all who wait: [`Provider::session`](super::Provider::session) has credentials to use.
    /// More actions may follow (the store).
    Use(Window),
    /// Wake all who wait: there are no credentials, and
    /// [`Provider::error`](super::Provider::error) says why. More actions may follow (the store).
    Fail {
        /// How long callers are told the same before the next try.
        again_after: Duration,
    },
    /// Something that a log or a metric may want to know.
    Note(Note),
}

impl Action {
    /// A stable word for it: `load_identity`, `sign`, `send`, `load`, `lock`, `store`, `unlock`,
    /// `pause`, `use`, `fail`, `note`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LoadIdentity { .. } => "load_identity",
            Self::Sign { .. } => "sign",
            Self::Send { .. } => "send",
            Self::Load { .. } => "load",
            Self::Lock { .. } => "lock",
            Self::Store { .. } => "store",
            Self::Unlock { .. } => "unlock",
            Self::Pause { .. } => "pause",
            Self::Use(_) => "use",
            Self::Fail { .. } => "fail",
            Self::Note(_) => "note",
        }
    }

    /// The id that the answer names; `None` where no answer is wanted.
    pub const fn id(&self) -> Option<u32> {
        match self {
            Self::LoadIdentity { id, .. }
            | Self::Sign { id, .. }
            | Self::Send { id, .. }
            | Self::Load { id, .. }
            | Self::Lock { id, .. }
            | Self::Store { id, .. }
            | Self::Unlock { id, .. } => Some(*id),
            Self::Pause { .. } | Self::Use(_) | Self::Fail { .. } | Self::Note(_) => None,
        }
    }

    /// How long it may take, or is to last; `None` where it takes no time.
    pub const fn timeout(&self) -> Option<Duration> {
        match self {
            Self::LoadIdentity { timeout, .. }
            | Self::Sign { timeout, .. }
            | Self::Send { timeout, .. }
            | Self::Load { timeout, .. }
            | Self::Lock { timeout, .. }
            | Self::Store { timeout, .. }
            | Self::Unlock { timeout, .. }
            | Self::Pause { duration: timeout } => Some(*timeout),
            Self::Use(_) | Self::Fail { .. } | Self::Note(_) => None,
        }
    }
}

/// For how long credentials are used without asking: while the wall clock is from `since` up to but
/// not including `until`, and the monotonic clock is before `monotonic_until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// A wall clock that shows an earlier time was set back: ask.
    pub since: HostTime,
    /// Ask again from this time on.
    pub until: HostTime,
    /// The same by the monotonic clock; `None` where the host has none.
    pub monotonic_until: Option<u64>,
}

impl Window {
    /// Whether the credentials are used at this moment without asking.
    pub fn covers(&self, now: super::Reading) -> bool {
        let by_wall = self.since <= now.wall && now.wall < self.until;
        let by_monotonic = match (now.monotonic, self.monotonic_until) {
            (Some(now), Some(until)) => now < until,
            _ => true,
        };
        by_wall && by_monotonic
    }

    /// How long the window still covers clocks that go on from this moment without being set; zero when
    /// it does not cover this moment.
    pub fn remaining(&self, now: super::Reading) -> Duration {
        if !self.covers(now) {
            return Duration::ZERO;
        }
        let by_wall = self
            .until
            .milliseconds()
            .saturating_sub(now.wall.milliseconds());
        let by_wall = u64::try_from(by_wall).unwrap_or(0);
        let milliseconds = match (now.monotonic, self.monotonic_until) {
            (Some(now), Some(until)) => by_wall.min(until.saturating_sub(now)),
            _ => by_wall,
        };
        Duration::from_millis(milliseconds)
    }
}

/// What a caller who wants credentials is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Use the credentials at hand; no need to ask again within the window.
    Use(Window),
    /// Use the credentials at hand, and somebody is to drive: this caller, before or after it uses
    /// them, or a task of the host's.
    UseAndDrive(Window),
    /// This caller drives, and asks again afterwards.
    Drive,
    /// Another drives: wait for its [`Action::Use`] or [`Action::Fail`], then ask again; or ask again
    /// when that has not come in time, because that driver may be lost.
    Wait {
        /// How long to wait at most.
        at_most: Duration,
    },
    /// There are no credentials, and the last try failed a moment ago:
    /// [`Provider::error`](super::Provider::error) says why.
    Fail {
        /// How long until the next try.
        again_after: Duration,
    },
}

impl Advice {
    /// A stable word for it: `use`, `use_and_drive`, `drive`, `wait`, `fail`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Use(_) => "use",
            Self::UseAndDrive(_) => "use_and_drive",
            Self::Drive => "drive",
            Self::Wait { .. } => "wait",
            Self::Fail { .. } => "fail",
        }
    }

    /// The window of credentials that are used.
    pub const fn window(&self) -> Option<Window> {
        match self {
            Self::Use(window) | Self::UseAndDrive(window) => Some(*window),
            Self::Drive | Self::Wait { .. } | Self::Fail { .. } => None,
        }
    }
}

/// Something worth a line in a log, or a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// One line, lower case, without secrets.
    pub message: String,
}

macro_rules! note_kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, warning $warning:literal;)*) => {
        /// What a [`Note`] is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum NoteKind {
            $($(#[$doc])* $variant,)*
        }

        impl NoteKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Whether a person should see it; the others are details.
            pub const fn is_warning(self) -> bool {
                match self { $(Self::$variant => $warning,)* }
            }
        }
    };
}

note_kinds! {
    /// An attempt failed and is repeated.
    AttemptFailed = "attempt_failed", warning false;
    /// The service's time showed that the host's clock is wrong.
    ClockCorrected = "clock_corrected", warning true;
    /// The host's clock jumped ahead, or the machine slept.
    ClockJumped = "clock_jumped", warning false;
    /// The host's clock was set back.
    ClockSetBack = "clock_set_back", warning false;
    /// An answer's `Date` cannot be the service's and is not believed.
    DateIgnored = "date_ignored", warning true;
    /// A shared entry cannot be read, and is replaced.
    EntryUnreadable = "entry_unreadable", warning true;
    /// The credentials are said to be valid for longer than the service grants; the end is set to
    /// what it grants.
    ExpirationClamped = "expiration_clamped", warning true;
    /// What the service may refuse about the certificate.
    Finding = "finding", warning true;
    /// The lock of the shared store was held by another for too long.
    LockTimedOut = "lock_timed_out", warning true;
    /// The identity cannot be loaded; the last one that could is used.
    IdentityStale = "identity_stale", warning true;
    /// A renewal failed.
    RenewalFailed = "renewal_failed", warning true;
    /// New credentials came from the service.
    Renewed = "renewed", warning false;
    /// New credentials came from the shared store.
    Restored = "restored", warning false;
    /// The shared store failed or was slow, and is left alone for a while.
    StoreFailed = "store_failed", warning true;
}
