//! The lifecycle of credentials: `js/driver.js` drives it.
//!
//! `wall` is milliseconds since 1970 by the host's clock. `monotonic` is milliseconds by a clock that
//! is never set, not a number where the host has none. `id` is that of the action that is answered.

use alloc::{borrow::ToOwned, string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use rolesanywhere_core::{
    self as core_, HttpResponse, Secret,
    provider::{self, Event, HostTime, Loss, Policy, Reading, Sharing},
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::{CertificateChain, CreateSession, Session, Signature, UnsignedRequest};
use crate::{
    convert::{milliseconds, pairs, text},
    error::{Failure, Result},
};

/// Credentials that renew themselves.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Provider(provider::Provider);

#[wasm_bindgen]
impl Provider {
    /// A provider for one call. `seed` is random, not secret.
    ///
    /// The next six are of the core's policy, times in milliseconds; what is not given is the core's.
    /// With `has_lock` sessions are shared through a store of the host's; the next three are then the
    /// core's `Sharing`. The last two tell what is known of the monotonic clock: the start of the machine
    /// for which it is the same in all processes, and whether it runs while the machine sleeps.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::too_many_arguments)] // named in `js/provider.js`
    pub fn new(
        call: &CreateSession,
        seed: u32,
        attempts: Option<u32>,
        attempt_timeout: Option<f64>,
        background_window: Option<f64>,
        mandatory_window: Option<f64>,
        patience: Option<f64>,
        total_timeout: Option<f64>,
        has_lock: Option<bool>,
        propagation: Option<f64>,
        cold_spread: Option<f64>,
        identity: Option<String>,
        machine: Option<String>,
        counts_sleep: bool,
    ) -> Self {
        let mut policy = Policy::default();
        policy.attempts = attempts.unwrap_or(policy.attempts);
        for (limit, given) in [
            (&mut policy.attempt_timeout, attempt_timeout),
            (&mut policy.background_window, background_window),
            (&mut policy.mandatory_window, mandatory_window),
            (&mut policy.patience, patience),
            (&mut policy.total_timeout, total_timeout),
        ] {
            *limit = given.map_or(*limit, duration);
        }
        let mut provider = provider::Provider::new(call.0.clone(), &policy, u64::from(seed));
        if let Some(has_lock) = has_lock {
            let mut sharing = Sharing::with_lock();
            sharing.has_lock = has_lock;
            sharing.propagation = duration(propagation.unwrap_or_default());
            sharing.cold_spread = duration(cold_spread.unwrap_or_default());
            sharing.identity = identity;
            provider = provider.with_sharing(sharing);
        }
        if let Some(machine) = machine {
            provider = provider.with_machine(&machine);
        }
        if counts_sleep {
            provider = provider.with_monotonic_that_counts_sleep();
        }
        Self(provider)
    }

    /// What a caller who wants credentials is to do.
    pub fn ask(&mut self, wall: f64, monotonic: f64) -> Advice {
        Advice(self.0.ask(reading(wall, monotonic)))
    }

    /// What a driver is to do; nothing when it has nothing more to do.
    pub fn poll(&mut self, wall: f64, monotonic: f64) -> Option<Action> {
        Some(Action(self.0.poll(reading(wall, monotonic))?))
    }

    /// The session at hand.
    #[wasm_bindgen(getter)]
    pub fn session(&self) -> Option<Session> {
        Some(Session(self.0.session()?.clone()))
    }

    /// Why the last renewal failed.
    #[wasm_bindgen(getter)]
    pub fn error(&self) -> Option<Failure> {
        Some(Failure(self.0.error()?.clone()))
    }

    // ---- events

    /// A pause is over.
    pub fn tick(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Tick);
    }

    /// The driver stops.
    pub fn cancelled(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Cancelled);
    }

    /// The credentials at hand are not wanted.
    pub fn refresh(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Refresh);
    }

    /// The time of the action is over.
    #[wasm_bindgen(js_name = timedOut)]
    pub fn timed_out(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::TimedOut { id });
    }

    /// The identity was loaded.
    #[wasm_bindgen(js_name = identityLoaded)]
    pub fn identity_loaded(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        chain: &CertificateChain,
    ) {
        let chain = chain.0.clone();
        self.handle(wall, monotonic, Event::IdentityLoaded { id, chain });
    }

    /// The identity could not be loaded. `modified` is when the newest of its files was, in
    /// milliseconds since 1970.
    #[wasm_bindgen(js_name = identityFailed)]
    pub fn identity_failed(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        failure: &Failure,
        modified: Option<f64>,
    ) {
        let error = failure.0.clone();
        let modified = modified.map(host_time);
        let event = Event::IdentityFailed {
            id,
            error,
            modified,
        };
        self.handle(wall, monotonic, event);
    }

    /// The same, with the last identity that could be loaded, whose key the host still has.
    #[wasm_bindgen(js_name = identityStale)]
    pub fn identity_stale(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        failure: &Failure,
        modified: Option<f64>,
        chain: &CertificateChain,
    ) {
        let event = Event::IdentityStale {
            id,
            chain: chain.0.clone(),
            error: failure.0.clone(),
            modified: modified.map(host_time),
        };
        self.handle(wall, monotonic, event);
    }

    /// The request was signed.
    pub fn signed(&mut self, wall: f64, monotonic: f64, id: u32, signature: &Signature) {
        let signature = signature.0.clone();
        self.handle(wall, monotonic, Event::Signed { id, signature });
    }

    /// The signer failed.
    #[wasm_bindgen(js_name = signFailed)]
    pub fn sign_failed(&mut self, wall: f64, monotonic: f64, id: u32, failure: &Failure) {
        let error = failure.0.clone();
        self.handle(wall, monotonic, Event::SignFailed { id, error });
    }

    /// An answer came. `headers` are pairs.
    pub fn answered(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        status: u16,
        headers: Vec<String>,
        body: Vec<u8>,
    ) -> Result<()> {
        let body = Zeroizing::new(body);
        let headers = pairs(&headers)?
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let response = HttpResponse {
            status,
            headers,
            body,
        };
        self.handle(wall, monotonic, Event::Answered { id, response });
        Ok(())
    }

    /// No answer came. `loss` is `unreachable`, `timed_out`, `untrusted` or `unsendable`.
    #[wasm_bindgen(js_name = notAnswered)]
    pub fn not_answered(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        loss: &str,
        failure: &Failure,
    ) {
        let loss = Loss::from_word(loss).unwrap_or(Loss::Unreachable);
        let error = failure.0.clone();
        self.handle(wall, monotonic, Event::NotAnswered { id, loss, error });
    }

    /// The store was read: the entry, unsealed, or nothing.
    pub fn loaded(&mut self, wall: f64, monotonic: f64, id: u32, entry: Option<Vec<u8>>) {
        let entry = entry.map(Secret::new);
        self.handle(wall, monotonic, Event::Loaded { id, entry });
    }

    /// The store has an entry that cannot be unsealed.
    pub fn unreadable(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Unreadable { id });
    }

    /// The lock is ours.
    pub fn locked(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Locked { id });
    }

    /// Another has the lock.
    #[wasm_bindgen(js_name = lockHeld)]
    pub fn lock_held(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::LockHeld { id });
    }

    /// The entry was stored.
    pub fn stored(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Stored { id });
    }

    /// The lock was given back.
    pub fn unlocked(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Unlocked { id });
    }

    /// The store failed at whatever it was to do.
    #[wasm_bindgen(js_name = storeFailed)]
    pub fn store_failed(&mut self, wall: f64, monotonic: f64, id: u32, failure: &Failure) {
        let error = failure.0.clone();
        self.handle(wall, monotonic, Event::StoreFailed { id, error });
    }
}

/// For tests: what no host of JavaScript's sees or needs.
#[cfg(feature = "full")]
#[wasm_bindgen]
impl Provider {
    /// For how many milliseconds the service accepts the credentials at hand.
    #[wasm_bindgen(js_name = validFor)]
    pub fn valid_for(&mut self, wall: f64, monotonic: f64) -> f64 {
        milliseconds(self.0.valid_for(reading(wall, monotonic)))
    }

    /// The machine slept, or the network is back.
    pub fn resumed(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Resumed);
    }

    /// This is another process now.
    pub fn forked(&mut self, wall: f64, monotonic: f64, seed: u32) {
        let seed = u64::from(seed);
        self.handle(wall, monotonic, Event::Forked { seed });
    }

    /// The lock that was ours is lost.
    #[wasm_bindgen(js_name = lockLost)]
    pub fn lock_lost(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::LockLost);
    }
}

impl Provider {
    fn handle(&mut self, wall: f64, monotonic: f64, event: Event) {
        self.0.handle(reading(wall, monotonic), event);
    }
}

/// What a caller is to do.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Advice(provider::Advice);

#[wasm_bindgen]
impl Advice {
    /// `use`, `use_and_drive`, `drive`, `wait` or `fail`.
    #[wasm_bindgen(getter)]
    pub fn kind(&self) -> String {
        self.0.kind().to_owned()
    }

    /// With `use` and `use_and_drive`: the credentials are used without asking while the wall clock is
    /// from `since` up to but not including `until`, and the monotonic clock before `monotonicUntil`.
    #[wasm_bindgen(getter)]
    pub fn window(&self) -> Option<Vec<f64>> {
        let window = self.0.window()?;
        Some(numbers(&window))
    }

    /// With `wait`: how long at most; with `fail`: how long until the next try. Milliseconds.
    #[wasm_bindgen(getter)]
    pub fn duration(&self) -> Option<f64> {
        match self.0 {
            provider::Advice::Wait { at_most: duration }
            | provider::Advice::Fail {
                again_after: duration,
            } => Some(milliseconds(duration)),
            _ => None,
        }
    }
}

/// What a driver is to do.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Action(provider::Action);

#[wasm_bindgen]
impl Action {
    /// `load_identity`, `sign`, `send`, `load`, `lock`, `store`, `unlock`, `pause`, `use`, `fail` or
    /// `note`.
    #[wasm_bindgen(getter)]
    pub fn kind(&self) -> String {
        self.0.kind().to_owned()
    }

    /// For the answer.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// How long it may take, or is to last, in milliseconds.
    #[wasm_bindgen(getter)]
    pub fn timeout(&self) -> Option<f64> {
        self.0.timeout().map(milliseconds)
    }

    /// With `sign`: the request.
    #[wasm_bindgen(getter)]
    pub fn request(&self) -> Option<UnsignedRequest> {
        match &self.0 {
            provider::Action::Sign { request, .. } => Some(UnsignedRequest(Arc::clone(request))),
            _ => None,
        }
    }

    /// With `send`: the header `authorization`. All else is as in the request that was signed.
    #[wasm_bindgen(getter)]
    pub fn authorization(&self) -> Option<String> {
        match &self.0 {
            provider::Action::Send { request, .. } => {
                let mut headers = request.headers.iter();
                let (_, value) = headers.find(|(name, _)| name == "authorization")?;
                Some(value.clone())
            }
            _ => None,
        }
    }

    /// With what is about the store: the key of the entry.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> Option<String> {
        match &self.0 {
            provider::Action::Load { key, .. }
            | provider::Action::Lock { key, .. }
            | provider::Action::Store { key, .. }
            | provider::Action::Unlock { key, .. } => Some(key.clone()),
            _ => None,
        }
    }

    /// With `lock`: for how long; with `store`: after which time the entry is of no use; with `fail`:
    /// how long until the next try. Milliseconds.
    #[wasm_bindgen(getter)]
    pub fn duration(&self) -> Option<f64> {
        match self.0 {
            provider::Action::Lock {
                lease: duration, ..
            }
            | provider::Action::Store { ttl: duration, .. }
            | provider::Action::Fail {
                again_after: duration,
            } => Some(milliseconds(duration)),
            _ => None,
        }
    }

    /// With `store`: the entry, which is secret, to be sealed.
    #[wasm_bindgen(getter)]
    pub fn entry(&self) -> Option<JsValue> {
        match &self.0 {
            provider::Action::Store { entry, .. } => {
                core::str::from_utf8(entry.expose()).ok().map(text)
            }
            _ => None,
        }
    }

    /// With `use`: as [`Advice::window`].
    #[wasm_bindgen(getter)]
    pub fn window(&self) -> Option<Vec<f64>> {
        match &self.0 {
            provider::Action::Use(window) => Some(numbers(window)),
            _ => None,
        }
    }

    /// With `note`: one line.
    #[wasm_bindgen(getter)]
    pub fn message(&self) -> Option<String> {
        Some(self.note()?.message.clone())
    }

    /// With `note`: whether a person should see it.
    #[wasm_bindgen(getter, js_name = isWarning)]
    pub fn is_warning(&self) -> bool {
        self.note().is_some_and(|note| note.kind.is_warning())
    }

    fn note(&self) -> Option<&provider::Note> {
        match &self.0 {
            provider::Action::Note(note) => Some(note),
            _ => None,
        }
    }
}

/// For tests.
#[cfg(feature = "full")]
#[wasm_bindgen]
impl Action {
    /// With `note`: what it is about, a word.
    #[wasm_bindgen(getter)]
    pub fn about(&self) -> Option<String> {
        Some(self.note()?.kind.word().to_owned())
    }
}

/// Whether the core's errors say what to do about a refusal (its feature `explain`). For tests.
#[cfg(feature = "full")]
#[wasm_bindgen]
pub fn explains() -> bool {
    cfg!(feature = "explain")
}

/// The longest answer that is read, in bytes: a longer one is handed over as far as it was read.
#[wasm_bindgen(js_name = maxResponseLength)]
pub fn max_response_length() -> u32 {
    u32::try_from(core_::session::MAX_RESPONSE_LENGTH).unwrap_or(u32::MAX)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn reading(wall: f64, monotonic: f64) -> Reading {
    let monotonic = (!monotonic.is_nan()).then_some(monotonic as u64);
    Reading::new(wall as i64, monotonic)
}

#[allow(clippy::cast_possible_truncation)] // `as` saturates
fn host_time(milliseconds: f64) -> HostTime {
    HostTime::from_milliseconds(milliseconds as i64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn duration(milliseconds: f64) -> Duration {
    Duration::from_millis(milliseconds as u64)
}

// Exact up to 2⁵³.
#[allow(clippy::cast_precision_loss)]
fn numbers(window: &provider::Window) -> Vec<f64> {
    let monotonic_until = window.monotonic_until;
    [
        window.since.milliseconds() as f64,
        window.until.milliseconds() as f64,
        monotonic_until.map_or(f64::NAN, |until| until as f64),
    ]
    .into()
}
