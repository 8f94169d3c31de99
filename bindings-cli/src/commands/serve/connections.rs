//! The connections that are open: so many at a time, and the one of least use makes room.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use hyper::{
    body::Incoming,
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    answer::Answerer,
    listener::{Listener, Stream},
    paced::{LastUse, Paced, TURN},
    tls::Tls,
};

/// The most connections at a time. Each costs some 10 kB, and some 50 kB inside TLS.
const MAX_CONNECTIONS: usize = 512;

/// How many open files are left to the rest of the process at least: the renewal opens the key and the
/// certificate, and a connection to the service.
const OTHER_FILES: usize = 64;

/// The longest head of a request. The headers of SDKs have less than a kilobyte.
const MAX_HEAD_LENGTH: usize = 16 * 1024;

/// How long a request waits that did not wait for the answer before it; then its connection ends.
/// Hundreds of them come in one packet, and all other clients would wait for their answers.
const PIPELINE_PAUSE: Duration = Duration::from_secs(1);

/// The pause after a connection that could not be accepted, where there is nothing else to do about it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) answerer: Arc<Answerer>,
    /// Without it, plain HTTP.
    pub(super) tls: Option<Arc<Tls>>,
}

impl Server {
    /// Serves until `stopped` is true, then until the answers under way are out.
    pub(super) async fn serve(self, listener: Listener, mut stopped: watch::Receiver<bool>) {
        let mut connections = Connections::new();
        loop {
            let stream = tokio::select! {
                stream = listener.accept() => stream,
                () = until(&mut stopped) => break,
            };
            match stream {
                Ok(Stream::Tcp(stream)) => connections.serve(stream, &self, &stopped).await,
                #[cfg(unix)]
                Ok(Stream::Unix(stream)) => connections.serve(stream, &self, &stopped).await,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // There are too many open files, most likely.
                Err(_) => {
                    connections.close_least_used();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // The socket's file goes now, before the last answers are out.
        drop(listener);
        while connections.tasks.join_next().await.is_some() {}
    }

    async fn connection<S>(self, stream: S, last_use: LastUse, stopped: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(tls) = &self.tls else {
            return self.http(Paced::new(stream, last_use), stopped).await;
        };
        // Above TLS, the clock sees requests; the handshake has a clock of its own.
        let handshake = tls.acceptor().accept(stream);
        if let Ok(Ok(stream)) = tokio::time::timeout(TURN, handshake).await {
            self.http(Paced::new(stream, last_use), stopped).await;
        }
    }

    async fn http<S>(self, stream: Paced<S>, mut stopped: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (answerer, fresh) = (&self.answerer, &stream.fresh());
        let service = service_fn(|request: hyper::Request<Incoming>| async move {
            if fresh.is_fresh() {
                return Ok::<_, Infallible>(answerer.answer(&request).await);
            }
            tokio::time::sleep(PIPELINE_PAUSE).await;
            let mut answer = answerer.answer(&request).await;
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
            Ok(answer)
        });
        let connection = http1::Builder::new()
            .header_read_timeout(None) // The stream has the clock.
            .max_buf_size(MAX_HEAD_LENGTH)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        // Errors of a connection end it and concern nobody else.
        tokio::select! {
            _ended = connection.as_mut() => {}
            () = until(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
        }
    }
}

/// Those that are open.
struct Connections {
    tasks: JoinSet<()>,
    open: Vec<Open>,
    most: usize,
    begun: Instant,
}

struct Open {
    task: AbortHandle,
    last_use: LastUse,
}

impl Connections {
    fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            open: Vec::new(),
            most: most_connections(),
            begun: Instant::now(),
        }
    }

    /// Serves one more connection. Where there is no room, the connection ends that was last used
    /// longest ago: nobody waits for clients that hold connections and do nothing with them.
    async fn serve<S>(&mut self, stream: S, server: &Server, stopped: &watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        while self.tasks.try_join_next().is_some() {} // Their outcome concerns nobody.
        if self.open.len() >= self.most {
            self.open.retain(|open| !open.task.is_finished());
        }
        if self.open.len() >= self.most {
            self.close_least_used();
            // It is closed when its task comes to its turn, which is before this one's.
            tokio::task::yield_now().await;
        }
        let last_use = LastUse::now(self.begun);
        let serving = server
            .clone()
            .connection(stream, last_use.clone(), stopped.clone());
        let task = self.tasks.spawn(serving);
        self.open.push(Open { task, last_use });
    }

    fn close_least_used(&mut self) {
        self.open.retain(|open| !open.task.is_finished());
        let open = self.open.iter().enumerate();
        let least_used = open.min_by_key(|(_, open)| open.last_use.milliseconds());
        if let Some((place, _)) = least_used {
            self.open.swap_remove(place).task.abort();
        }
    }
}

#[cfg(unix)]
fn most_connections() -> usize {
    use rustix::process::{Resource, getrlimit};
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    });
    let others = OTHER_FILES.min(files / 2);
    (files - others).clamp(1, MAX_CONNECTIONS)
}

#[cfg(not(unix))]
fn most_connections() -> usize {
    MAX_CONNECTIONS
}

async fn until(stopped: &mut watch::Receiver<bool>) {
    // An error says that the server is gone, which is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
