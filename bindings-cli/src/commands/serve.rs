//! `rolesanywhere serve`: credentials over HTTP on this machine, as the instance metadata service
//! (IMDSv2) and the container credentials endpoint hand them out.
//!
//! One thread renews, and is the only one that ever asks the service; another answers, from what was
//! published last. So there is one renewal in flight at most, and a request waits for one only where nothing is
//! valid, and not long.

mod answer;
mod authorization;
mod connections;
mod listener;
mod metrics;
mod paced;
mod renewer;
mod tls;
mod token;

use std::{sync::Arc, time::Duration};

use rolesanywhere_core::{Error, ErrorKind, Result};
use tokio::sync::watch;

pub(crate) use self::listener::ListenOn;
use self::{
    answer::Answerer, authorization::Authorization, connections::Server, listener::Listener,
    metrics::Metrics, renewer::Renewer, tls::Tls, token::Tokens,
};
use crate::{
    arguments::Serve, client::Client, console::Console, environment::Environment, terminal,
};

/// How long answers that are under way may take after a signal to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, renewing at each SIGHUP, then lets what is being answered finish, and ends well.
///
/// # Errors
/// Options that contradict each other, a token file and TLS files that cannot be used, an address that cannot
/// be had, and why there is no first session, where no retry mends that. A network that is not up yet is waited
/// for.
pub(crate) fn run(
    options: &'static Serve,
    environment: Environment<'static>,
    console: &'static Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    let listen = listener::Listen::of(options)?;
    let client = Client::new(&options.client, environment, console)?;
    client.check_is_read_again()?;
    let role = client.request().role().clone();
    let region = client.request().trust_anchor().region().to_owned();
    let tls = Tls::of(options, console)?.map(Arc::new);
    let authorization = options
        .authorization_token_file
        .as_deref()
        .map(Authorization::in_file)
        .transpose()?;
    // Tokens of IMDSv2 are for whoever asks: where a secret is wanted, they would make it useless.
    let imds = options.imds || authorization.is_none();
    let metrics = Arc::new(Metrics::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unavailable(&error))?;
    runtime.block_on(async {
        let listener = Listener::bind(&listen)?;
        let (published, renewer) = renewer::start(client, metrics.clone(), console)?;
        // From here on nobody waits for the end to read the warnings.
        console.speak_at_once();
        let stop = super::stop_signal()?;
        let renewing = renew_at_signal(&renewer)?;
        terminal::release_signals(); // Ours stand: a password's prompt took the same ones.
        let answerer = Answerer {
            role,
            region,
            published,
            renewer: renewer.clone(),
            tokens: imds.then(Tokens::new).transpose()?,
            authorization,
            allowed_hosts: options.allow_host.clone(),
            observable: options.metrics,
            metrics,
        };
        listener.describe(options, imds, console);
        let (stopping, stopped) = watch::channel(false);
        let answerer = Arc::new(answerer);
        let serving = Server { answerer, tls }.serve(listener, stopped);
        let stop = async move {
            stop.await;
            // Nobody listens for it any more if serving has ended.
            let _ = stopping.send(true);
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = serving => {}
            () = stop => console.detail(format_args!("some answers were cut short")),
            () = renewing => {}
        }
        console.say("stopped");
        Ok(())
    })
}

/// Renews at each SIGHUP; never ends.
#[cfg(unix)]
fn renew_at_signal(renewer: &Renewer) -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| super::no_signals(&error))?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            renewer.renew_now();
        }
        std::future::pending().await
    })
}

#[cfg(not(unix))]
fn renew_at_signal(_: &Renewer) -> Result<impl Future<Output = ()>> {
    Ok(std::future::pending())
}

fn unavailable(error: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::TransportFailed,
        format!("the system does not let the server start: {error}"),
    )
}
