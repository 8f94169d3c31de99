//! When to renew.

use std::sync::{Arc, Mutex, PoisonError};

use rolesanywhere_core::{self as core, RenewalPolicy, UnixTime};

use super::Session;
use crate::error::Failure;

/// Decides when to renew. Times are Unix seconds by the caller's clock.
#[derive(Debug, uniffi::Object)]
pub struct Renewal(Mutex<core::Renewal>);

/// What to do now.
#[derive(Debug, uniffi::Enum)]
pub enum Next {
    /// Call `CreateSession` and wait for it.
    Renew,
    /// Use the credentials.
    Use {
        /// When to ask again.
        until: i64,
    },
    /// Use the credentials and renew in the background.
    UseAndRenew,
    /// The last try failed a moment ago: report that failure.
    Wait {
        /// Until when.
        until: i64,
    },
}

#[uniffi::export]
impl Renewal {
    /// A plan without credentials. `jitter` is a random number.
    #[uniffi::constructor]
    pub fn new(jitter: u64) -> Self {
        let plan = core::Renewal::new(RenewalPolicy::default(), jitter);
        Self(Mutex::new(plan))
    }

    /// What to do.
    pub fn next(&self, now: i64) -> Next {
        match self.with(|renewal| renewal.next(UnixTime::from_seconds(now))) {
            core::Next::Renew => Next::Renew,
            core::Next::Use { until } => Next::Use {
                until: until.seconds(),
            },
            core::Next::UseAndRenew => Next::UseAndRenew,
            core::Next::WaitUntil(until) => Next::Wait {
                until: until.seconds(),
            },
        }
    }

    /// Whether there are credentials that the service still accepts.
    pub fn is_valid(&self, now: i64) -> bool {
        self.with(|renewal| renewal.is_valid(UnixTime::from_seconds(now)))
    }

    /// Tells that a session was received.
    pub fn renewed(&self, now: i64, session: &Session) {
        self.with(|renewal| renewal.renewed(UnixTime::from_seconds(now), &session.0));
    }

    /// Tells that a renewal failed.
    // UniFFI hands objects over behind an `Arc`.
    #[allow(clippy::needless_pass_by_value)]
    pub fn failed(&self, now: i64, failure: Arc<Failure>) {
        self.with(|renewal| renewal.failed(UnixTime::from_seconds(now), &failure.0));
    }

    /// The time to date requests with: `now`, corrected by what the server's clock has shown.
    pub fn signing_time(&self, now: i64) -> i64 {
        self.with(|renewal| renewal.signing_time(UnixTime::from_seconds(now)).seconds())
    }
}

impl Renewal {
    fn with<T>(&self, act: impl FnOnce(&mut core::Renewal) -> T) -> T {
        // A panic of the core leaves its plan as it was: there is nothing to distrust.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
