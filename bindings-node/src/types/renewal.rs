//! When to renew.

use napi_derive::napi;
use rolesanywhere_core::{self as core, RenewalPolicy};

use super::Session;
use crate::{
    convert::{Maybe, maybe, seconds_of, time},
    error::Failure,
};

/// Decides when to renew. Times are Unix seconds by the caller's clock.
#[napi]
pub struct Renewal {
    renewal: core::Renewal,
}

#[napi]
impl Renewal {
    /// A plan without credentials. `jitter` is a random number.
    #[napi(constructor)]
    pub fn new(jitter: u32) -> Self {
        Self {
            renewal: core::Renewal::new(RenewalPolicy::default(), u64::from(jitter)),
        }
    }

    /// What to do: `renew`, `use`, `use_and_renew` or `wait`.
    #[napi]
    pub fn next(&self, now: f64) -> Next {
        let (action, until) = match self.renewal.next(time(now)) {
            core::Next::Renew => ("renew", None),
            core::Next::Use { until } => ("use", Some(until)),
            core::Next::UseAndRenew => ("use_and_renew", None),
            core::Next::WaitUntil(until) => ("wait", Some(until)),
        };
        Next {
            action,
            until: maybe(until.map(seconds_of)),
        }
    }

    /// Whether there are credentials that the service still accepts.
    #[napi]
    pub fn is_valid(&self, now: f64) -> bool {
        self.renewal.is_valid(time(now))
    }

    /// Tells that a session was received.
    #[napi]
    pub fn renewed(&mut self, now: f64, session: &Session) {
        self.renewal.renewed(time(now), &session.session);
    }

    /// Tells that credentials came from elsewhere.
    #[napi]
    pub fn restored(&mut self, now: f64, expiration: f64) {
        self.renewal.restored(time(now), time(expiration));
    }

    /// Tells that a renewal failed.
    #[napi]
    pub fn failed(&mut self, now: f64, failure: &Failure) {
        self.renewal.failed(time(now), failure.error());
    }

    /// The time to date requests with: `now`, corrected by what the server's clock has shown.
    #[napi]
    pub fn signing_time(&self, now: f64) -> f64 {
        seconds_of(self.renewal.signing_time(time(now)))
    }
}

/// What to do now, and until when.
#[napi(object, object_from_js = false)]
pub struct Next {
    /// `renew`, `use`, `use_and_renew` or `wait`.
    pub action: &'static str,
    /// When to ask again, with `use` and `wait`.
    pub until: Maybe<f64>,
}
