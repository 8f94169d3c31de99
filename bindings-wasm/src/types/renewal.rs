//! When to renew.

use alloc::{borrow::ToOwned, string::String};

use rolesanywhere_core::{self as core_, RenewalPolicy};
use wasm_bindgen::prelude::*;

use super::Session;
use crate::{
    convert::{seconds_of, time},
    error::Failure,
};

/// Decides when to renew. Times are Unix seconds by the caller's clock.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Renewal(core_::Renewal);

#[wasm_bindgen]
impl Renewal {
    /// A plan without credentials. `jitter` is a random number.
    #[wasm_bindgen(constructor)]
    pub fn new(jitter: u32) -> Self {
        Self(core_::Renewal::new(
            RenewalPolicy::default(),
            u64::from(jitter),
        ))
    }

    /// What to do: `renew`, `use`, `use_and_renew` or `wait`.
    pub fn next(&self, now: f64) -> Next {
        let (action, until) = match self.0.next(time(now)) {
            core_::Next::Renew => ("renew", None),
            core_::Next::Use { until } => ("use", Some(until)),
            core_::Next::UseAndRenew => ("use_and_renew", None),
            core_::Next::WaitUntil(until) => ("wait", Some(until)),
        };
        Next {
            action,
            until: until.map(|until| seconds_of(until.seconds())),
        }
    }

    /// Whether there are credentials that the service still accepts.
    #[wasm_bindgen(js_name = isValid)]
    pub fn is_valid(&self, now: f64) -> bool {
        self.0.is_valid(time(now))
    }

    /// Tells that a session was received.
    pub fn renewed(&mut self, now: f64, session: &Session) {
        self.0.renewed(time(now), &session.0);
    }

    /// Tells that credentials came from elsewhere.
    pub fn restored(&mut self, now: f64, expiration: f64) {
        self.0.restored(time(now), time(expiration));
    }

    /// Tells that a renewal failed.
    pub fn failed(&mut self, now: f64, failure: &Failure) {
        self.0.failed(time(now), &failure.0);
    }

    /// The time to date requests with: `now`, corrected by what the server's clock has shown.
    #[wasm_bindgen(js_name = signingTime)]
    pub fn signing_time(&self, now: f64) -> f64 {
        seconds_of(self.0.signing_time(time(now)).seconds())
    }
}

/// What to do now, and until when.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Next {
    action: &'static str,
    until: Option<f64>,
}

#[wasm_bindgen]
impl Next {
    /// `renew`, `use`, `use_and_renew` or `wait`.
    #[wasm_bindgen(getter)]
    pub fn action(&self) -> String {
        self.action.to_owned()
    }

    /// When to ask again, with `use` and `wait`.
    #[wasm_bindgen(getter)]
    pub fn until(&self) -> Option<f64> {
        self.until
    }
}
