//! The thread that keeps the credentials fresh, and what it publishes.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use bytes::Bytes;
use rolesanywhere_core::{
    Result, Secret, UnixTime,
    provider::{Policy, Window},
};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{metrics::Metrics, unavailable};
use crate::{
    client::Client,
    clock,
    console::Console,
    driver::{Driver, Outcome},
};

/// The longest sleep between two looks at the clock: a machine that slept, or whose clock was set,
/// is noticed within that time even when nobody asks for credentials.
const MAX_SLEEP: Duration = Duration::from_secs(10);

/// What is served: the credentials in both forms.
pub(super) struct Served {
    /// As the instance metadata service writes them.
    pub(super) instance_metadata: Bytes,
    /// As the container credentials endpoint writes them.
    pub(super) container: Bytes,
    /// When the service stops accepting them, by the local clock.
    pub(super) expiration: UnixTime,
    /// The time in which they are handed out.
    window: Window,
    access_key_id: String,
}

/// What the renewing thread has come to.
#[derive(Clone, Default)]
pub(super) struct Published {
    /// The last credentials, which may have ended; `None` before the first.
    pub(super) served: Option<Arc<Served>>,
    /// Why the last try failed; `None` when it did not.
    pub(super) failure: Option<Arc<str>>,
}

impl Published {
    /// The credentials, while the service accepts them.
    pub(super) fn valid(&self) -> Option<&Served> {
        let served = self.served.as_deref()?;
        served.window.covers(clock::reading()).then_some(served)
    }
}

/// What the renewing thread is asked for.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    /// New credentials, whatever is valid still.
    New,
    /// Another look at the clock: there was nothing valid for a request.
    Look,
}

/// Wakes the renewing thread. The thread ends when this is dropped.
#[derive(Clone)]
pub(super) struct Renewer(SyncSender<Wanted>);

impl Renewer {
    /// Renews as soon as a renewal that is under way has ended, whatever is valid still.
    pub(super) fn renew_now(&self) {
        let _ = self.0.try_send(Wanted::New); // Full: it has been asked already.
    }

    /// Has the thread look at the clock now: a request found nothing valid, perhaps since the machine slept.
    pub(super) fn wake(&self) {
        let _ = self.0.try_send(Wanted::Look);
    }
}

/// Asks for the first session, then starts the thread that asks for the others. When the first try fails for
/// a reason that another can mend (no network yet), the thread goes on trying and nothing is served meanwhile.
///
/// # Errors
/// Why there is no first session, where no retry mends it.
pub(super) fn start(
    client: Client<'static>,
    metrics: Arc<Metrics>,
    console: &'static Console,
) -> Result<(watch::Receiver<Published>, Renewer)> {
    let (renewer, wanted) = sync_channel(1);
    let (sender, receiver) = watch::channel(Published::default());
    let (first, outcome) = sync_channel(1);
    let work = move || {
        let mut keeper = Keeper {
            driver: Driver::new(&client, Policy::default(), None),
            client: &client,
            sender,
            metrics: &metrics,
        };
        let pause = keeper.look();
        let failure = keeper.sender.borrow().served.is_none();
        let failure = failure.then(|| keeper.driver.error());
        let is_final = failure.is_some() && keeper.driver.is_failure_permanent();
        // Whoever started this waits for it.
        let _ = first.send(match failure {
            Some(error) if is_final => Err(error),
            Some(error) => {
                console.warn(format!("no session yet ({error}): trying again"));
                Ok(())
            }
            None => Ok(()),
        });
        if !is_final {
            keeper.keep_fresh(&wanted, pause);
        }
    };
    std::thread::Builder::new()
        .name("renewal".to_owned())
        .spawn(work)
        .map_err(|error| unavailable(&error))?;
    outcome.recv().map_err(|error| unavailable(&error))??;
    Ok((receiver, Renewer(renewer)))
}

struct Keeper<'a> {
    driver: Driver<'a>,
    client: &'a Client<'a>,
    sender: watch::Sender<Published>,
    metrics: &'a Metrics,
}

impl Keeper<'_> {
    /// Renews until the [`Renewer`] is dropped.
    fn keep_fresh(&mut self, wanted: &Receiver<Wanted>, mut pause: Duration) {
        loop {
            match wanted.recv_timeout(pause.min(MAX_SLEEP)) {
                Ok(Wanted::New) => self.driver.refresh(),
                Ok(Wanted::Look) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            pause = self.look();
        }
    }

    /// Renews where it is time to, publishes what is new, and returns how long nothing is to be done.
    fn look(&mut self) -> Duration {
        let before = self.driver.renewals();
        let outcome = self.driver.look();
        let after = self.driver.renewals();
        for _ in before.failed..after.failed {
            self.metrics.failed();
        }
        let failure = (after.failed > before.failed && after.made == before.made)
            .then(|| Arc::from(self.driver.error().message()));
        match outcome {
            Outcome::Valid(window) => {
                self.publish(failure);
                window.remaining(clock::reading())
            }
            Outcome::None(again_after) => {
                if failure.is_some() {
                    self.sender
                        .send_modify(|published| published.failure = failure);
                }
                again_after
            }
        }
    }

    /// Publishes the credentials at hand, if they are not the ones that are served already.
    fn publish(&mut self, failure: Option<Arc<str>>) {
        let now = clock::reading();
        let provider = self.driver.provider();
        let (Some(window), Some(ends)) = (provider.valid_window(now), provider.ends_at(now)) else {
            return;
        };
        let Some(credentials) = provider.session().map(|session| session.credentials()) else {
            return;
        };
        let access_key_id = credentials.access_key_id();
        let is_served = |served: &Arc<Served>| {
            served.access_key_id == access_key_id && served.window.covers(now)
        };
        if self.sender.borrow().served.as_ref().is_some_and(is_served) {
            if failure.is_some() {
                self.sender
                    .send_modify(|published| published.failure = failure);
            }
            return;
        }
        let role = self.client.request().role();
        let served = Arc::new(Served {
            instance_metadata: wiped(&credentials.to_instance_metadata_json(clock::now())),
            container: wiped(&credentials.to_container_credentials_json(role)),
            expiration: UnixTime::from_seconds(ends.milliseconds().div_euclid(1000)),
            window,
            access_key_id: access_key_id.to_owned(),
        });
        self.metrics.renewed(&served);
        self.sender.send_replace(Published {
            served: Some(served),
            failure,
        });
    }
}

/// Bytes that are wiped when the last answer that holds them is gone.
fn wiped(json: &Secret<String>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(json.expose().as_bytes().to_vec()))
}
