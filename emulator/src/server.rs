//! The shell: HTTP/1.1 and HTTP/2 over TLS around a [`Service`].
//!
//! [`start`] serves on the caller's tokio runtime, [`start_blocking`] on a thread of its own.

mod body;
mod connection;
mod tls;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rolesanywhere_core::{Error, ErrorKind, Result, UnixTime};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};

use crate::Service;
use connection::Acceptor;

/// How the emulator listens.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address; port 0 takes any that is free. The emulator hands out credentials to whoever
    /// satisfies its configuration: keep it on loopback.
    pub listen: SocketAddr,
    /// Whose certificate it shows.
    pub tls: Tls,
    /// What time the service thinks it is.
    pub clock: Clock,
}

/// Whose certificate the emulator shows.
#[derive(Clone, Debug)]
pub enum Tls {
    /// PEM files: a certificate with its chain, and its private key.
    Files {
        /// The certificate, then its intermediates.
        certificate: PathBuf,
        /// The private key: PKCS#8, PKCS#1 or SEC1, not encrypted.
        key: PathBuf,
    },
    /// None: plain HTTP/1.1.
    PlainHttp,
    /// One for `localhost` and the loopback addresses, of a CA made on start;
    /// [`RunningServer::ca_pem`] is what clients must trust.
    SelfMade,
}

/// What time it is, asked anew for every request.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> UnixTime + Send + Sync>);

impl Clock {
    /// A clock of the caller's.
    pub fn new(now: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The system's clock.
    pub fn system() -> Self {
        Self::new(|| {
            let elapsed = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            UnixTime::from_seconds(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
        })
    }

    /// The time.
    pub fn now(&self) -> UnixTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Default for ServerOptions {
    /// Any free port of 127.0.0.1, a self-made certificate, the system's clock.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: Tls::SelfMade,
            clock: Clock::system(),
        }
    }
}

/// A server that listens. Dropping it aborts what it does; [`stop`](Self::stop) lets it finish.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    endpoint: String,
    ca_pem: Option<String>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// More connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;
/// How long a stop waits for requests that are being answered.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait after an accept that failed, out of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Starts to serve on the current tokio runtime, which must have IO and time enabled. It listens
/// when this returns.
///
/// # Errors
/// [`ErrorKind::TransportFailed`] when the address cannot be had,
/// [`ErrorKind::InvalidInput`] or [`ErrorKind::InvalidKey`] when the TLS files cannot be used.
pub async fn start(service: Arc<Service>, options: ServerOptions) -> Result<RunningServer> {
    // Clients hold the server's certificate against their own clocks, whatever time it is here.
    let tls = tls::prepare(&options.tls, Clock::system().now())?;
    let listener = TcpListener::bind(options.listen).await.map_err(|error| {
        Error::new(
            ErrorKind::TransportFailed,
            format!(
                "cannot listen on `{}`: {error}; choose another port, or 0 for any",
                options.listen
            ),
        )
    })?;
    let address = listener.local_addr().map_err(|error| {
        Error::new(
            ErrorKind::TransportFailed,
            format!("cannot tell the port: {error}"),
        )
    })?;
    let scheme = if tls.config.is_some() {
        "https"
    } else {
        "http"
    };
    let flushing = Arc::clone(&service);
    let acceptor = Acceptor::new(service, tls.config, options.clock);
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(async move {
        let serving = accept(listener, acceptor, stopped);
        tokio::select! {
            () = serving => {}
            () = flush_regularly(&flushing) => {}
        }
        // What it could not write it told nobody of.
        let _written = flushing.flush();
    });
    Ok(RunningServer {
        endpoint: format!("{scheme}://{address}"),
        address,
        ca_pem: tls.ca_pem,
        stop,
        task,
    })
}

impl RunningServer {
    /// The address that it listens on, with the true port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the endpoint, `https://127.0.0.1:PORT` for instance, without a path.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The CA that clients must trust, PEM; `None` unless the certificate is [self-made](Tls::SelfMade).
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Stops listening, lets requests that are being answered finish (five seconds at most), then
    /// returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error is a panic of the task, which the runtime has reported already.
        let _finished = (&mut self.task).await;
    }

    /// Waits until the server ends, which it does not by itself.
    pub async fn wait(mut self) {
        let _finished = (&mut self.task).await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How often the state file is told when subjects were seen last.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// Never ends.
async fn flush_regularly(service: &Service) {
    loop {
        tokio::time::sleep(FLUSH_INTERVAL).await;
        // A disk that is full now may not be so the next time; changes are refused meanwhile.
        let _written = service.flush();
    }
}

async fn accept(listener: TcpListener, acceptor: Acceptor, mut stopped: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // The permit is taken before the connection is, so that the queue is the kernel's.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until_stopped(&mut stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = acceptor.clone().serve(stream, peer, stopped.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    // What has not finished by then is aborted when the set is dropped.
    let _in_time = tokio::time::timeout(STOP_TIMEOUT, finish).await;
}

/// Ends when the server is told to stop, or when nobody is left to tell it.
async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _told_or_left = stopped.wait_for(|stop| *stop).await;
}

/// A server on a thread of its own, for callers without a runtime. Dropping it stops it.
#[derive(Debug)]
pub struct BlockingServer {
    service: Arc<Service>,
    address: SocketAddr,
    endpoint: String,
    ca_pem: Option<String>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Starts to serve on a thread of its own. It listens when this returns.
///
/// # Errors
/// As [`start`], and [`ErrorKind::TransportFailed`] when no thread can be had.
pub fn start_blocking(service: Arc<Service>, options: ServerOptions) -> Result<BlockingServer> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::TransportFailed,
            format!("no thread to serve on: {error}"),
        )
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(1, usize::from))
        .thread_name("emulator")
        .enable_io()
        .enable_time()
        .build()
        .map_err(failed)?;
    let server = runtime.block_on(start(Arc::clone(&service), options))?;
    let (address, endpoint, ca_pem) = (
        server.address,
        server.endpoint.clone(),
        server.ca_pem.clone(),
    );
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("emulator".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                // Told to stop, or nobody is left to tell: both end it.
                let _either = stopped.await;
                server.stop().await;
            });
        })
        .map_err(failed)?;
    Ok(BlockingServer {
        service,
        address,
        endpoint,
        ca_pem,
        stop: Some(stop),
        thread: Some(thread),
    })
}

impl BlockingServer {
    /// The service behind it: its audit records, its ARNs.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The address that it listens on, with the true port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the endpoint, without a path.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The CA that clients must trust, PEM; `None` unless the certificate is self-made.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Stops and waits for it, as [`RunningServer::stop`].
    pub fn stop(self) {
        drop(self);
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread ends when `stop` is used or dropped, and it is neither while this waits.
            let _finished = thread.join();
        }
    }
}

impl Drop for BlockingServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _already_ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _finished = thread.join();
        }
    }
}
