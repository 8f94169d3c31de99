//! The lifecycle of credentials: the core's state machine, as flat values. One method for each event.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pyo3::{IntoPyObjectExt, prelude::*, types::PyBytes};
use rolesanywhere_core::{
    self as core, Error, ErrorKind, HttpResponse, Secret,
    provider::{Action as CoreAction, Event, HostTime, Loss, Policy, Reading, Sharing, Window},
};

use super::{CertificateChain, CreateSession, HttpRequest, Session, Signature, UnsignedRequest};
use crate::{
    convert::SecretBytes,
    error::{Failure, Result, exception_of},
};

/// What a caller who wants credentials is to do.
#[pyclass(frozen, get_all, module = "rolesanywhere._native")]
pub(crate) struct Advice {
    kind: &'static str,
    /// When to ask again, or how long to wait, in seconds.
    seconds: f64,
    window: Option<Times>,
    session: Option<Py<Session>>,
}

/// `since`, `until` and the monotonic clock's `until`, each in milliseconds.
type Times = (i64, i64, Option<u64>);

fn times(window: Window) -> Times {
    (
        window.since.milliseconds(),
        window.until.milliseconds(),
        window.monotonic_until,
    )
}

/// What the host is to do. A field that the kind does not have is `None`.
#[pyclass(frozen, get_all, module = "rolesanywhere._native")]
#[derive(Default)]
pub(crate) struct Action {
    kind: &'static str,
    id: u32,
    seconds: f64,
    request: Option<Py<PyAny>>,
    key: Option<String>,
    entry: Option<Py<PyBytes>>,
    ttl: Option<f64>,
    lease: Option<f64>,
    window: Option<Times>,
    session: Option<Py<Session>>,
    note: Option<&'static str>,
    message: Option<String>,
    is_warning: bool,
}

/// Credentials that renew themselves, without IO. Times are milliseconds: `wall` since the Unix epoch,
/// `monotonic` since any moment.
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct Provider(Mutex<core::provider::Provider>);

#[pymethods]
impl Provider {
    #[new]
    #[pyo3(signature = (
        call, seed, *, policy = None, locks = None, propagation = 0.0, cold_spread = 0.0, identity = None,
        context = "", machine = None, counts_sleep = false,
    ))]
    #[allow(clippy::too_many_arguments)] // Python passes them by name
    fn new(
        call: &CreateSession,
        seed: u64,
        policy: Option<BTreeMap<String, f64>>,
        locks: Option<bool>,
        propagation: f64,
        cold_spread: f64,
        identity: Option<String>,
        context: &str,
        machine: Option<&str>,
        counts_sleep: bool,
    ) -> Result<Self> {
        let policy = policy_of(policy.unwrap_or_default())?;
        let mut provider = core::provider::Provider::new(call.0.clone(), &policy, seed);
        if let Some(has_lock) = locks {
            let mut sharing = if has_lock {
                Sharing::with_lock()
            } else {
                let propagation = duration("propagation", propagation)?;
                Sharing::without_lock(propagation, duration("cold_spread", cold_spread)?)
            };
            sharing.identity = identity;
            context.clone_into(&mut sharing.context);
            provider = provider.with_sharing(sharing);
        }
        if let Some(machine) = machine {
            provider = provider.with_machine(machine);
        }
        if counts_sleep {
            provider = provider.with_monotonic_that_counts_sleep();
        }
        Ok(Self(Mutex::new(provider)))
    }

    /// A provider for one call, past what is at hand and past the store.
    fn one_shot(&self, seed: u64) -> Self {
        Self(Mutex::new(self.provider().one_shot(seed)))
    }

    // ---- what callers want to know

    fn ask(&self, py: Python<'_>, wall: i64, monotonic: Option<u64>) -> PyResult<Advice> {
        let mut provider = self.provider();
        let advice = provider.ask(Reading::new(wall, monotonic));
        let held = advice.window().and_then(|_| provider.session().cloned());
        drop(provider);
        let pause = match advice {
            core::provider::Advice::Wait { at_most } => at_most,
            core::provider::Advice::Fail { again_after } => again_after,
            _ => Duration::ZERO,
        };
        Ok(Advice {
            kind: advice.kind(),
            seconds: pause.as_secs_f64(),
            window: advice.window().map(times),
            session: held.map(|held| Py::new(py, Session(held))).transpose()?,
        })
    }

    /// Whether the next who asks is told to renew.
    fn is_due(&self, wall: i64, monotonic: Option<u64>) -> bool {
        self.provider().is_due(Reading::new(wall, monotonic))
    }

    fn is_valid(&self, wall: i64, monotonic: Option<u64>) -> bool {
        self.provider().is_valid(Reading::new(wall, monotonic))
    }

    /// For how many seconds the service accepts the credentials at hand.
    fn valid_for(&self, wall: i64, monotonic: Option<u64>) -> f64 {
        let now = Reading::new(wall, monotonic);
        self.provider().valid_for(now).as_secs_f64()
    }

    /// When the credentials at hand end by the host's clock.
    fn ends_at(&self, wall: i64, monotonic: Option<u64>) -> Option<i64> {
        let end = self.provider().ends_at(Reading::new(wall, monotonic));
        end.map(HostTime::milliseconds)
    }

    fn session(&self) -> Option<Session> {
        self.provider().session().cloned().map(Session)
    }

    /// Why the last renewal failed, a new exception each time.
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let error = self.provider().error().cloned();
        let exception = error.map(|error| exception_of(py, Failure(error)));
        exception.transpose()
    }

    // ---- what a driver does

    fn poll(&self, py: Python<'_>, wall: i64, monotonic: Option<u64>) -> PyResult<Option<Action>> {
        let mut provider = self.provider();
        let action = provider.poll(Reading::new(wall, monotonic));
        let held = match action {
            Some(CoreAction::Use(_)) => provider.session().cloned(),
            _ => None,
        };
        drop(provider);
        let Some(action) = action else {
            return Ok(None);
        };
        let mut flat = Action {
            kind: action.kind(),
            id: action.id().unwrap_or_default(),
            seconds: action.timeout().unwrap_or_default().as_secs_f64(),
            ..Action::default()
        };
        match action {
            CoreAction::Sign { request, .. } => {
                flat.request = Some(UnsignedRequest(request).into_py_any(py)?);
            }
            CoreAction::Send { request, .. } => {
                flat.request = Some(HttpRequest::from(request).into_py_any(py)?);
            }
            CoreAction::Load { key, .. } | CoreAction::Unlock { key, .. } => flat.key = Some(key),
            CoreAction::Lock { key, lease, .. } => {
                flat.key = Some(key);
                flat.lease = Some(lease.as_secs_f64());
            }
            CoreAction::Store {
                key, entry, ttl, ..
            } => {
                flat.key = Some(key);
                flat.entry = Some(PyBytes::new(py, entry.expose()).unbind());
                flat.ttl = Some(ttl.as_secs_f64());
            }
            CoreAction::Use(window) => {
                flat.window = Some(times(window));
                flat.session = held.map(|held| Py::new(py, Session(held))).transpose()?;
            }
            CoreAction::Fail { again_after } => flat.seconds = again_after.as_secs_f64(),
            CoreAction::Note(note) => {
                flat.note = Some(note.kind.word());
                flat.is_warning = note.kind.is_warning();
                flat.message = Some(note.message);
            }
            _ => {}
        }
        Ok(Some(flat))
    }

    fn tick(&self, wall: i64, monotonic: Option<u64>) {
        self.handle(wall, monotonic, Event::Tick);
    }

    fn timed_out(&self, wall: i64, monotonic: Option<u64>, id: u32) {
        self.handle(wall, monotonic, Event::TimedOut { id });
    }

    fn cancelled(&self, wall: i64, monotonic: Option<u64>) {
        self.handle(wall, monotonic, Event::Cancelled);
    }

    fn refresh(&self, wall: i64, monotonic: Option<u64>) {
        self.handle(wall, monotonic, Event::Refresh);
    }

    fn resumed(&self, wall: i64, monotonic: Option<u64>) {
        self.handle(wall, monotonic, Event::Resumed);
    }

    /// In the child of a fork. `False` when a thread of the parent's, which is not here, held the lock
    /// of this object: it is of no use any more.
    fn forked(&self, wall: i64, monotonic: Option<u64>, seed: u64) -> bool {
        let Ok(mut provider) = self.0.try_lock() else {
            return false;
        };
        provider.handle(Reading::new(wall, monotonic), Event::Forked { seed });
        true
    }

    fn identity_loaded(
        &self,
        wall: i64,
        monotonic: Option<u64>,
        id: u32,
        chain: &CertificateChain,
    ) {
        let chain = chain.0.clone();
        self.handle(wall, monotonic, Event::IdentityLoaded { id, chain });
    }

    /// `modified` is in milliseconds since the Unix epoch; `last` the chain of the last identity that
    /// could be loaded.
    fn identity_failed(
        &self,
        wall: i64,
        monotonic: Option<u64>,
        id: u32,
        failure: &Failure,
        modified: Option<i64>,
        last: Option<&CertificateChain>,
    ) {
        let error = failure.0.clone();
        let modified = modified.map(HostTime::from_milliseconds);
        let event = match last {
            Some(last) => Event::IdentityStale {
                id,
                chain: last.0.clone(),
                error,
                modified,
            },
            None => Event::IdentityFailed {
                id,
                error,
                modified,
            },
        };
        self.handle(wall, monotonic, event);
    }

    fn signed(&self, wall: i64, monotonic: Option<u64>, id: u32, signature: &Signature) {
        let signature = signature.0.clone();
        self.handle(wall, monotonic, Event::Signed { id, signature });
    }

    fn sign_failed(&self, wall: i64, monotonic: Option<u64>, id: u32, failure: &Failure) {
        let error = failure.0.clone();
        self.handle(wall, monotonic, Event::SignFailed { id, error });
    }

    #[allow(clippy::too_many_arguments)] // an answer has three parts
    fn answered(
        &self,
        wall: i64,
        monotonic: Option<u64>,
        id: u32,
        status: u16,
        headers: Vec<(String, String)>,
        body: SecretBytes,
    ) {
        let response = HttpResponse {
            status,
            headers,
            body: body.0,
        };
        self.handle(wall, monotonic, Event::Answered { id, response });
    }

    /// `loss` is `unreachable`, `timed_out`, `untrusted` or `unsendable`.
    fn not_answered(
        &self,
        wall: i64,
        monotonic: Option<u64>,
        id: u32,
        loss: &str,
        failure: &Failure,
    ) -> Result<()> {
        let loss = Loss::from_word(loss).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("an answer cannot be lost by `{loss}`: pass a word of `Loss`"),
            )
        })?;
        let error = failure.0.clone();
        self.handle(wall, monotonic, Event::NotAnswered { id, loss, error });
        Ok(())
    }

    fn loaded(&self, wall: i64, monotonic: Option<u64>, id: u32, entry: Option<SecretBytes>) {
        let entry = entry.map(|mut entry| Secret::new(mem::take(&mut *entry.0)));
        self.handle(wall, monotonic, Event::Loaded { id, entry });
    }

    fn unreadable(&self, wall: i64, monotonic: Option<u64>, id: u32) {
        self.handle(wall, monotonic, Event::Unreadable { id });
    }

    fn locked(&self, wall: i64, monotonic: Option<u64>, id: u32) {
        self.handle(wall, monotonic, Event::Locked { id });
    }

    fn lock_held(&self, wall: i64, monotonic: Option<u64>, id: u32) {
        self.handle(wall, monotonic, Event::LockHeld { id });
    }

    fn lock_lost(&self, wall: i64, monotonic: Option<u64>) {
        self.handle(wall, monotonic, Event::LockLost);
    }

    fn stored(&self, wall: i64, monotonic: Option<u64>, id: u32) {
        self.handle(wall, monotonic, Event::Stored { id });
    }

    fn unlocked(&self, wall: i64, monotonic: Option<u64>, id: u32) {
        self.handle(wall, monotonic, Event::Unlocked { id });
    }

    fn store_failed(&self, wall: i64, monotonic: Option<u64>, id: u32, failure: &Failure) {
        let error = failure.0.clone();
        self.handle(wall, monotonic, Event::StoreFailed { id, error });
    }
}

impl Provider {
    fn provider(&self) -> MutexGuard<'_, core::provider::Provider> {
        // A panic of the core leaves its state as it was: there is nothing to distrust.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, wall: i64, monotonic: Option<u64>, event: Event) {
        let now = Reading::new(wall, monotonic);
        self.provider().handle(now, event);
    }
}

/// The policy with the fields that are named; times are in seconds.
fn policy_of(named: BTreeMap<String, f64>) -> Result<Policy> {
    let mut policy = Policy::default();
    for (name, value) in named {
        let time = duration(&name, value)?;
        match name.as_str() {
            "attempts" => policy.attempts = u32::try_from(time.as_secs()).unwrap_or(u32::MAX),
            "attempt_timeout" => policy.attempt_timeout = time,
            "background_window" => policy.background_window = time,
            "identity_timeout" => policy.identity_timeout = time,
            "mandatory_window" => policy.mandatory_window = time,
            "patience" => policy.patience = time,
            "signing_timeout" => policy.signing_timeout = time,
            "store_timeout" => policy.store_timeout = time,
            "total_timeout" => policy.total_timeout = time,
            _ => {
                let message = format!("the policy has no `{name}`: correct the name");
                return Err(Error::new(ErrorKind::InvalidInput, message).into());
            }
        }
    }
    Ok(policy)
}

fn duration(name: &str, seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| {
        let message = format!("`{name}` is {seconds}: {error}");
        Error::new(ErrorKind::InvalidInput, message).into()
    })
}
