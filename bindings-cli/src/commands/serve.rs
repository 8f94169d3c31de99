//! `rolesanywhere serve`: credentials over HTTP on this machine, as the instance metadata service
//! (IMDSv2) and the container credentials endpoint hand them out.
//!
//! One thread renews, and is the only one that ever asks the service; another answers, from what was
//! published last. So there is one renewal in flight at most, and no request waits for one.

mod answer;
mod listener;
mod metrics;
mod renewer;
mod token;

use std::{sync::Arc, time::Duration};

use rolesanywhere_core::{Error, ErrorKind, Result};
use tokio::sync::watch;

pub(crate) use self::listener::ListenOn;
use self::{answer::Answerer, listener::Listener, metrics::Metrics, token::Tokens};
use crate::{
    arguments::Serve, client::Client, console::Console, environment::Environment, output_file,
    terminal,
};

/// How long answers that are under way may take after a signal to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, then lets what is being answered finish, and ends well.
///
/// # Errors
/// Options that contradict each other, an address that cannot be had, and the first session's: a
/// server that has nothing to serve does not start.
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
    let authorization = options
        .authorization_token_file
        .as_deref()
        .map(output_file::secret_token)
        .transpose()?;
    let metrics = Arc::new(Metrics::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unavailable(&error))?;
    runtime.block_on(async {
        let listener = Listener::bind(&listen)?;
        let published = renewer::start(client, metrics.clone(), console)?;
        // From here on nobody waits for the end to read the warnings.
        console.speak_at_once();
        let stop = super::stop_signal()?;
        terminal::release_signals(); // Ours stand: a password's prompt took the same ones.
        let answerer = Answerer {
            role,
            published,
            tokens: Tokens::new()?,
            authorization,
            allowed_hosts: options.allow_host.clone(),
            observable: options.metrics,
            metrics,
        };
        listener.describe(options, console);
        let (stopping, stopped) = watch::channel(false);
        let serving = listener.serve(Arc::new(answerer), stopped);
        let stop = async move {
            stop.await;
            // Nobody listens for it any more if serving has ended.
            let _ = stopping.send(true);
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = serving => {}
            () = stop => console.detail(format_args!("some answers were cut short")),
        }
        console.say("stopped");
        Ok(())
    })
}

fn unavailable(error: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::TransportFailed,
        format!("the system does not let the server start: {error}"),
    )
}
