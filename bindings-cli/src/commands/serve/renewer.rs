//! The thread that keeps the credentials fresh, and what it publishes.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use bytes::Bytes;
use rolesanywhere_core::{Next, Renewal, RenewalPolicy, Result, Secret, Session, UnixTime};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{metrics::Metrics, unavailable};
use crate::{client::Client, console::Console, exchange};

/// The longest sleep between two looks at the clock: a machine that slept, or whose clock was set,
/// is noticed within that time.
const MAX_SLEEP: Duration = Duration::from_secs(10);

/// What is served: the credentials in both forms.
pub(super) struct Served {
    /// As the instance metadata service writes them.
    pub(super) instance_metadata: Bytes,
    /// As the container credentials endpoint writes them.
    pub(super) container: Bytes,
    /// When the service stops accepting them, by the local clock.
    pub(super) expiration: UnixTime,
}

/// What the renewing thread has come to.
#[derive(Clone)]
pub(super) struct Published {
    /// The last credentials, which may have ended.
    pub(super) served: Arc<Served>,
    /// Why the last try failed; `None` when it did not.
    pub(super) failure: Option<Arc<str>>,
}

impl Published {
    /// The credentials, while the service accepts them.
    pub(super) fn valid(&self, now: UnixTime) -> Option<&Served> {
        (now < self.served.expiration).then_some(&*self.served)
    }
}

/// Asks the renewing thread for new credentials. The thread ends when this is dropped.
pub(super) struct Renewer(SyncSender<()>);

impl Renewer {
    /// Renews as soon as a renewal that is under way has ended, whatever is valid still.
    pub(super) fn renew_now(&self) {
        let _ = self.0.try_send(()); // Full: it has been asked already.
    }
}

/// Asks for the first session, then starts the thread that asks for the others.
///
/// # Errors
/// The first session's.
pub(super) fn start(
    client: Client<'static>,
    metrics: Arc<Metrics>,
    console: &'static Console,
) -> Result<(watch::Receiver<Published>, Renewer)> {
    let mut renewal = Renewal::new(RenewalPolicy::default(), exchange::random_jitter());
    let first = client.session()?;
    let published = Published {
        served: Arc::new(received(&client, &mut renewal, &first)),
        failure: None,
    };
    metrics.renewed(&published.served);
    let (sender, receiver) = watch::channel(published);
    let (renewer, asked) = sync_channel(1);
    let work = move || keep_fresh(&client, renewal, &sender, &asked, &metrics, console);
    std::thread::Builder::new()
        .name("renewal".to_owned())
        .spawn(work)
        .map_err(|error| unavailable(&error))?;
    Ok((receiver, Renewer(renewer)))
}

/// Renews until the [`Renewer`] is dropped.
fn keep_fresh(
    client: &Client<'_>,
    mut renewal: Renewal,
    sender: &watch::Sender<Published>,
    asked: &Receiver<()>,
    metrics: &Metrics,
    console: &Console,
) {
    let mut at_once = false;
    loop {
        let now = exchange::now();
        let next = match std::mem::take(&mut at_once) {
            true => Next::Renew,
            false => renewal.next(now),
        };
        let until = match next {
            Next::Use { until } | Next::WaitUntil(until) => until,
            Next::Renew | Next::UseAndRenew => {
                match client.session() {
                    Ok(session) => {
                        let served = Arc::new(received(client, &mut renewal, &session));
                        metrics.renewed(&served);
                        let ends = session.credentials().expiration_text();
                        console.detail(format_args!("renewed: the credentials end at {ends}"));
                        sender.send_replace(Published {
                            served,
                            failure: None,
                        });
                    }
                    Err(error) => {
                        let now = exchange::now();
                        renewal.failed(now, &error);
                        metrics.failed();
                        let left = match renewal.is_valid(now) {
                            true => "the credentials are still valid",
                            false => "the credentials have ended, requests are refused",
                        };
                        console.warn(format!("no renewal ({error}): {left}, trying again"));
                        let failure = Some(Arc::from(error.message()));
                        sender.send_modify(|published| published.failure = failure);
                    }
                }
                continue;
            }
        };
        let seconds = u64::try_from(until.seconds_since(now)).unwrap_or_default();
        let pause = Duration::from_secs(seconds).clamp(Duration::from_millis(200), MAX_SLEEP);
        match asked.recv_timeout(pause) {
            Ok(()) => at_once = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn received(client: &Client<'_>, renewal: &mut Renewal, session: &Session) -> Served {
    let now = exchange::now();
    renewal.renewed(now, session);
    let credentials = session.credentials();
    let role = client.request().role();
    Served {
        instance_metadata: wiped(&credentials.to_instance_metadata_json(now)),
        container: wiped(&credentials.to_container_credentials_json(role)),
        expiration: credentials
            .expiration()
            .plus_seconds(-renewal.clock_offset_seconds()),
    }
}

/// Bytes that are wiped when the last answer that holds them is gone.
fn wiped(json: &Secret<String>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(json.expose().as_bytes().to_vec()))
}
