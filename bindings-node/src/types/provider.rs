//! The lifecycle of credentials, as the wasm module has it: `js/driver.js` of that package drives both.
//!
//! `wall` is milliseconds since 1970 by the host's clock. `monotonic` is milliseconds by a clock that is
//! never set, not a number where the host has none. `id` is that of the action that is answered.

use std::{sync::Arc, time::Duration};

use napi::{Env, bindgen_prelude::Uint8Array};
use napi_derive::napi;
use rolesanywhere_core::{
    self as core, HttpResponse, Secret,
    provider::{self, Event, HostTime, Loss, Policy, Reading, Sharing},
};
use zeroize::Zeroizing;

use super::{
    CertificateChain, Session, UnsignedRequest,
    session::{CreateSession, Signature},
};
use crate::{
    convert::{Maybe, maybe, pairs},
    error::{Failure, OrThrow},
};

/// Credentials that renew themselves.
#[napi]
pub struct Provider {
    provider: provider::Provider,
}

#[napi]
impl Provider {
    /// A provider for one call. `seed` is random, not secret.
    ///
    /// The next six are of the core's policy, times in milliseconds; what is not given is the core's.
    /// With `has_lock` sessions are shared through a store of the host's; the next three are then the
    /// core's `Sharing`. The last two tell what is known of the monotonic clock: the start of the machine
    /// for which it is the same in all processes, and whether it runs while the machine sleeps.
    #[napi(constructor)]
    #[allow(
        clippy::too_many_arguments,
        reason = "named in the wasm package's `provider.js`"
    )]
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
        let mut provider = provider::Provider::new(call.call.clone(), &policy, u64::from(seed));
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
        Self { provider }
    }

    /// What a caller who wants credentials is to do.
    #[napi(catch_unwind)]
    pub fn ask(&mut self, wall: f64, monotonic: f64) -> Advice {
        let advice = self.provider.ask(reading(wall, monotonic));
        let duration = match advice {
            provider::Advice::Wait { at_most: duration }
            | provider::Advice::Fail {
                again_after: duration,
            } => Some(milliseconds(duration)),
            _ => None,
        };
        Advice {
            kind: advice.kind(),
            window: maybe(advice.window().map(|window| numbers(&window))),
            duration: maybe(duration),
        }
    }

    /// What a driver is to do; nothing when it has nothing more to do.
    #[napi(catch_unwind)]
    pub fn poll(&mut self, wall: f64, monotonic: f64) -> Maybe<Action> {
        let action = self.provider.poll(reading(wall, monotonic));
        maybe(action.map(|action| Action { action }))
    }

    /// The session at hand.
    #[napi(getter)]
    pub fn session(&self) -> Maybe<Session> {
        let session = self.provider.session().cloned();
        maybe(session.map(|session| Session { session }))
    }

    /// Why the last renewal failed.
    #[napi(getter)]
    pub fn error(&self) -> Maybe<Failure> {
        maybe(self.provider.error().cloned().map(Failure::from))
    }

    /// For how many milliseconds the service accepts the credentials at hand.
    #[napi]
    pub fn valid_for(&mut self, wall: f64, monotonic: f64) -> f64 {
        milliseconds(self.provider.valid_for(reading(wall, monotonic)))
    }

    // ---- events

    /// A pause is over.
    #[napi(catch_unwind)]
    pub fn tick(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Tick);
    }

    /// The driver stops.
    #[napi(catch_unwind)]
    pub fn cancelled(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Cancelled);
    }

    /// The credentials at hand are not wanted.
    #[napi(catch_unwind)]
    pub fn refresh(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Refresh);
    }

    /// The machine slept, or the network is back.
    #[napi(catch_unwind)]
    pub fn resumed(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::Resumed);
    }

    /// This is another process now.
    #[napi(catch_unwind)]
    pub fn forked(&mut self, wall: f64, monotonic: f64, seed: u32) {
        let seed = u64::from(seed);
        self.handle(wall, monotonic, Event::Forked { seed });
    }

    /// The lock that was ours is lost.
    #[napi(catch_unwind)]
    pub fn lock_lost(&mut self, wall: f64, monotonic: f64) {
        self.handle(wall, monotonic, Event::LockLost);
    }

    /// The time of the action is over.
    #[napi(catch_unwind)]
    pub fn timed_out(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::TimedOut { id });
    }

    /// The identity was loaded.
    #[napi(catch_unwind)]
    pub fn identity_loaded(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        chain: &CertificateChain,
    ) {
        let chain = chain.chain.clone();
        self.handle(wall, monotonic, Event::IdentityLoaded { id, chain });
    }

    /// The identity could not be loaded. `modified` is when the newest of its files was, in
    /// milliseconds since 1970.
    #[napi(catch_unwind)]
    pub fn identity_failed(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        failure: &Failure,
        modified: Option<f64>,
    ) {
        let event = Event::IdentityFailed {
            id,
            error: failure.error().clone(),
            modified: modified.map(host_time),
        };
        self.handle(wall, monotonic, event);
    }

    /// The same, with the last identity that could be loaded, whose key the host still has.
    #[napi(catch_unwind)]
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
            chain: chain.chain.clone(),
            error: failure.error().clone(),
            modified: modified.map(host_time),
        };
        self.handle(wall, monotonic, event);
    }

    /// The request was signed.
    #[napi(catch_unwind)]
    pub fn signed(&mut self, wall: f64, monotonic: f64, id: u32, signature: &Signature) {
        let signature = signature.signature.clone();
        self.handle(wall, monotonic, Event::Signed { id, signature });
    }

    /// The signer failed.
    #[napi(catch_unwind)]
    pub fn sign_failed(&mut self, wall: f64, monotonic: f64, id: u32, failure: &Failure) {
        let error = failure.error().clone();
        self.handle(wall, monotonic, Event::SignFailed { id, error });
    }

    /// An answer came. `headers` are pairs.
    #[napi(catch_unwind)]
    #[allow(
        clippy::too_many_arguments,
        reason = "the clocks and the parts of an answer"
    )]
    pub fn answered(
        &mut self,
        env: Env,
        wall: f64,
        monotonic: f64,
        id: u32,
        status: u32,
        headers: Vec<String>,
        body: &[u8],
    ) -> napi::Result<()> {
        let headers = pairs(&headers).or_throw(env)?;
        let response = HttpResponse {
            status: u16::try_from(status).unwrap_or(u16::MAX),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: Zeroizing::new(body.to_vec()),
        };
        self.handle(wall, monotonic, Event::Answered { id, response });
        Ok(())
    }

    /// No answer came. `loss` is `unreachable`, `timed_out`, `untrusted` or `unsendable`.
    #[napi(catch_unwind)]
    pub fn not_answered(
        &mut self,
        wall: f64,
        monotonic: f64,
        id: u32,
        loss: String,
        failure: &Failure,
    ) {
        let loss = Loss::from_word(&loss).unwrap_or(Loss::Unreachable);
        let error = failure.error().clone();
        self.handle(wall, monotonic, Event::NotAnswered { id, loss, error });
    }

    /// The store was read: the entry, unsealed, or nothing.
    #[napi(catch_unwind)]
    pub fn loaded(&mut self, wall: f64, monotonic: f64, id: u32, entry: Option<Uint8Array>) {
        let entry = entry.map(|bytes| Secret::new(bytes.to_vec()));
        self.handle(wall, monotonic, Event::Loaded { id, entry });
    }

    /// The store has an entry that cannot be unsealed.
    #[napi(catch_unwind)]
    pub fn unreadable(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Unreadable { id });
    }

    /// The lock is ours.
    #[napi(catch_unwind)]
    pub fn locked(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Locked { id });
    }

    /// Another has the lock.
    #[napi(catch_unwind)]
    pub fn lock_held(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::LockHeld { id });
    }

    /// The entry was stored.
    #[napi(catch_unwind)]
    pub fn stored(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Stored { id });
    }

    /// The lock was given back.
    #[napi(catch_unwind)]
    pub fn unlocked(&mut self, wall: f64, monotonic: f64, id: u32) {
        self.handle(wall, monotonic, Event::Unlocked { id });
    }

    /// The store failed at whatever it was to do.
    #[napi(catch_unwind)]
    pub fn store_failed(&mut self, wall: f64, monotonic: f64, id: u32, failure: &Failure) {
        let error = failure.error().clone();
        self.handle(wall, monotonic, Event::StoreFailed { id, error });
    }
}

impl Provider {
    fn handle(&mut self, wall: f64, monotonic: f64, event: Event) {
        self.provider.handle(reading(wall, monotonic), event);
    }
}

/// What a caller is to do.
#[napi(object, object_from_js = false)]
pub struct Advice {
    /// `use`, `use_and_drive`, `drive`, `wait` or `fail`.
    pub kind: &'static str,
    /// With `use` and `use_and_drive`: the credentials are used without asking while the wall clock is
    /// from the first up to but not including the second, and the monotonic clock before the third.
    pub window: Maybe<Vec<f64>>,
    /// With `wait`: how long at most; with `fail`: how long until the next try. Milliseconds.
    pub duration: Maybe<f64>,
}

/// What a driver is to do.
#[napi]
pub struct Action {
    action: provider::Action,
}

#[napi]
impl Action {
    /// `load_identity`, `sign`, `send`, `load`, `lock`, `store`, `unlock`, `pause`, `use`, `fail` or
    /// `note`.
    #[napi(getter)]
    pub fn kind(&self) -> &'static str {
        self.action.kind()
    }

    /// For the answer.
    #[napi(getter)]
    pub fn id(&self) -> Maybe<u32> {
        maybe(self.action.id())
    }

    /// How long it may take, or is to last, in milliseconds.
    #[napi(getter)]
    pub fn timeout(&self) -> Maybe<f64> {
        maybe(self.action.timeout().map(milliseconds))
    }

    /// With `sign`: the request.
    #[napi(getter)]
    pub fn request(&self) -> Maybe<UnsignedRequest> {
        maybe(match &self.action {
            provider::Action::Sign { request, .. } => Some(UnsignedRequest {
                request: Arc::clone(request),
            }),
            _ => None,
        })
    }

    /// With `send`: the header `authorization`. All else is as in the request that was signed.
    #[napi(getter)]
    pub fn authorization(&self) -> Maybe<String> {
        maybe(match &self.action {
            provider::Action::Send { request, .. } => {
                let mut headers = request.headers.iter();
                let found = headers.find(|(name, _)| name == "authorization");
                found.map(|(_, value)| value.clone())
            }
            _ => None,
        })
    }

    /// With what is about the store: the key of the entry.
    #[napi(getter)]
    pub fn key(&self) -> Maybe<String> {
        maybe(match &self.action {
            provider::Action::Load { key, .. }
            | provider::Action::Lock { key, .. }
            | provider::Action::Store { key, .. }
            | provider::Action::Unlock { key, .. } => Some(key.clone()),
            _ => None,
        })
    }

    /// With `lock`: for how long; with `store`: after which time the entry is of no use; with `fail`: how
    /// long until the next try. Milliseconds.
    #[napi(getter)]
    pub fn duration(&self) -> Maybe<f64> {
        maybe(match self.action {
            provider::Action::Lock {
                lease: duration, ..
            }
            | provider::Action::Store { ttl: duration, .. }
            | provider::Action::Fail {
                again_after: duration,
            } => Some(milliseconds(duration)),
            _ => None,
        })
    }

    /// With `store`: the entry, which is secret, to be sealed.
    #[napi(getter)]
    pub fn entry(&self) -> Maybe<&str> {
        maybe(match &self.action {
            provider::Action::Store { entry, .. } => std::str::from_utf8(entry.expose()).ok(),
            _ => None,
        })
    }

    /// With `use`: as [`Advice::window`].
    #[napi(getter)]
    pub fn window(&self) -> Maybe<Vec<f64>> {
        maybe(match &self.action {
            provider::Action::Use(window) => Some(numbers(window)),
            _ => None,
        })
    }

    /// With `note`: what it is about, a word.
    #[napi(getter)]
    pub fn about(&self) -> Maybe<&'static str> {
        maybe(self.note().map(|note| note.kind.word()))
    }

    /// With `note`: one line.
    #[napi(getter)]
    pub fn message(&self) -> Maybe<String> {
        maybe(self.note().map(|note| note.message.clone()))
    }

    /// With `note`: whether a person should see it.
    #[napi(getter)]
    pub fn is_warning(&self) -> bool {
        self.note().is_some_and(|note| note.kind.is_warning())
    }

    fn note(&self) -> Option<&provider::Note> {
        match &self.action {
            provider::Action::Note(note) => Some(note),
            _ => None,
        }
    }
}

/// Whether the core's errors say what to do about a refusal (its feature `explain`). For tests: the wasm
/// module has it too.
#[napi]
pub fn explains() -> bool {
    true
}

/// The longest answer that is read, in bytes: a longer one is handed over as far as it was read.
#[napi]
pub fn max_response_length() -> u32 {
    u32::try_from(core::session::MAX_RESPONSE_LENGTH).unwrap_or(u32::MAX)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates"
)]
fn reading(wall: f64, monotonic: f64) -> Reading {
    let monotonic = (!monotonic.is_nan()).then_some(monotonic as u64);
    Reading::new(wall as i64, monotonic)
}

#[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn host_time(milliseconds: f64) -> HostTime {
    HostTime::from_milliseconds(milliseconds as i64)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates"
)]
fn duration(milliseconds: f64) -> Duration {
    Duration::from_millis(milliseconds as u64)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "no limit of the core's is longer than a year"
)]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_millis() as f64
}

#[allow(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
fn numbers(window: &provider::Window) -> Vec<f64> {
    let monotonic_until = window.monotonic_until;
    vec![
        window.since.milliseconds() as f64,
        window.until.milliseconds() as f64,
        monotonic_until.map_or(f64::NAN, |until| until as f64),
    ]
}
