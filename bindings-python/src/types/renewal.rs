//! When to renew.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use pyo3::prelude::*;
use rolesanywhere_core::{self as core, Next, RenewalPolicy, UnixTime};

use super::Session;
use crate::error::Failure;

/// Decides when to renew. Times are Unix seconds by the caller's clock.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Renewal(Mutex<core::Renewal>);

#[pymethods]
impl Renewal {
    #[new]
    #[pyo3(signature = (jitter, background_window = None, mandatory_window = None))]
    fn new(jitter: u64, background_window: Option<u64>, mandatory_window: Option<u64>) -> Self {
        let mut policy = RenewalPolicy::default();
        if let Some(seconds) = background_window {
            policy.background_window = Duration::from_secs(seconds);
        }
        if let Some(seconds) = mandatory_window {
            policy.mandatory_window = Duration::from_secs(seconds);
        }
        Self(Mutex::new(core::Renewal::new(policy, jitter)))
    }

    /// What to do: `("renew", None)`, `("use", until)`, `("use_and_renew", None)` or
    /// `("wait", until)`.
    fn next(&self, now: i64) -> (&'static str, Option<i64>) {
        match self.with(|renewal| renewal.next(UnixTime::from_seconds(now))) {
            Next::Renew => ("renew", None),
            Next::Use { until } => ("use", Some(until.seconds())),
            Next::UseAndRenew => ("use_and_renew", None),
            Next::WaitUntil(until) => ("wait", Some(until.seconds())),
        }
    }

    fn is_valid(&self, now: i64) -> bool {
        self.with(|renewal| renewal.is_valid(UnixTime::from_seconds(now)))
    }

    fn renewed(&self, now: i64, session: &Session) {
        self.with(|renewal| renewal.renewed(UnixTime::from_seconds(now), &session.0));
    }

    fn restored(&self, now: i64, expiration: i64) {
        let expiration = UnixTime::from_seconds(expiration);
        self.with(|renewal| renewal.restored(UnixTime::from_seconds(now), expiration));
    }

    fn failed(&self, now: i64, failure: &Failure) {
        self.with(|renewal| renewal.failed(UnixTime::from_seconds(now), &failure.0));
    }

    /// The time to date requests with: `now`, corrected by what the server's clock has shown.
    fn signing_time(&self, now: i64) -> i64 {
        self.with(|renewal| renewal.signing_time(UnixTime::from_seconds(now)).seconds())
    }
}

impl Renewal {
    fn with<T>(&self, act: impl FnOnce(&mut core::Renewal) -> T) -> T {
        // A panic of the core leaves its plan as it was: there is nothing to distrust.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
