//! Where the server listens, and its connections.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rolesanywhere_core::{Error, ErrorKind, Result};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};

use super::answer::{Answerer, CONTAINER};
use crate::{arguments::Serve, console::Console};

/// The most connections at a time; more wait. Each costs some 10 kB.
const MAX_CONNECTIONS: usize = 512;

/// The longest head of a request. The headers of SDKs have less than a kilobyte.
const MAX_HEAD_LENGTH: usize = 16 * 1024;

/// How long the head of a request may take to come, and a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause after a connection that could not be accepted: there were too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The hop limit for this machine's own processes, and the one when others are let in: a container is
/// one hop away, and what is further is no workload of this machine's.
const LOCAL_HOP_LIMIT: u8 = 64;
const REMOTE_HOP_LIMIT: u8 = 1;

/// The port of the reference helper.
const DEFAULT_PORT: u16 = 9911;

/// An address to listen on, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenOn {
    /// `127.0.0.1:9911`, `[::1]:9911`.
    Tcp(SocketAddr),
    /// `unix:/run/credentials.sock`.
    Unix(PathBuf),
}

impl FromStr for ListenOn {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("write `unix:` and a path".to_owned()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| "write `ADDRESS:PORT`, `[ADDRESS]:PORT` or `unix:PATH`".to_owned()),
        }
    }
}

/// Where to listen, within the bounds.
#[derive(Debug)]
pub(super) struct Listen {
    on: ListenOn,
    hop_limit: u8,
}

impl Listen {
    /// What the options mean.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when others could reach it without `--allow-remote`.
    pub(super) fn of(options: &Serve) -> Result<Self> {
        let port = options.port.unwrap_or(DEFAULT_PORT);
        let loopback = ListenOn::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let on = options.listen.clone().unwrap_or(loopback);
        let remote = match &on {
            ListenOn::Tcp(address) => !address.ip().is_loopback(),
            ListenOn::Unix(_) => false,
        };
        if let (true, false, ListenOn::Tcp(address)) = (remote, options.allow_remote, &on) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "`{address}` can be reached from elsewhere, and whoever reaches it gets \
                     credentials: listen on 127.0.0.1, or pass --allow-remote if that is meant"
                ),
            ));
        }
        let usual = if remote {
            REMOTE_HOP_LIMIT
        } else {
            LOCAL_HOP_LIMIT
        };
        Ok(Self {
            on,
            hop_limit: options.hop_limit.unwrap_or(usual),
        })
    }
}

/// A socket that is listened on.
pub(super) enum Listener {
    Tcp {
        socket: TcpListener,
        address: SocketAddr,
        hop_limit: u8,
    },
    #[cfg(unix)]
    Unix {
        socket: tokio::net::UnixListener,
        path: PathBuf,
        /// Of the path, when it was made: another server may have taken it over since.
        identity: Option<(u64, u64)>,
    },
}

impl Listener {
    /// Takes the address.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it cannot be had.
    pub(super) fn bind(listen: &Listen) -> Result<Self> {
        match &listen.on {
            ListenOn::Tcp(address) => bind_tcp(*address, listen.hop_limit),
            ListenOn::Unix(path) => bind_unix(path),
        }
    }

    /// Says where it listens, and what a client sets.
    pub(super) fn describe(&self, options: &Serve, console: &Console) {
        match self {
            Self::Tcp { address, .. } => {
                // From this machine, an unspecified address is reached by way of loopback.
                let host = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
                    IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
                    IpAddr::V4(ip) => ip.to_string(),
                    IpAddr::V6(ip) => format!("[{ip}]"),
                };
                let (port, base) = (address.port(), format!("http://{host}:{}", address.port()));
                console.say(&format!("Local server started on port: {port}"));
                console.say("Make it available to the sdk by running:");
                console.say(&format!("export AWS_EC2_METADATA_SERVICE_ENDPOINT={base}"));
                if let Some(file) = &options.authorization_token_file {
                    let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                    console.say("Or, as a container has it:");
                    console.say(&format!(
                        "export AWS_CONTAINER_CREDENTIALS_FULL_URI={base}{CONTAINER}"
                    ));
                    console.say(&format!(
                        "export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE={}",
                        file.display()
                    ));
                }
            }
            #[cfg(unix)]
            Self::Unix { path, .. } => {
                console.say(&format!("Local server started on: {}", path.display()));
            }
        }
    }

    /// Serves until `stopped` is true, then until the answers under way are out.
    pub(super) async fn serve(self, answerer: Arc<Answerer>, mut stopped: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = tokio::task::JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {} // Their outcome concerns nobody.
            let slot = tokio::select! {
                slot = slots.clone().acquire_owned() => slot,
                () = until(&mut stopped) => break,
            };
            let stream = tokio::select! {
                stream = self.accept() => stream,
                () = until(&mut stopped) => break,
            };
            let (answerer, mut stopped) = (answerer.clone(), stopped.clone());
            match stream {
                Ok(Stream::Tcp(stream)) => {
                    connections.spawn(async move {
                        connection(stream, answerer, &mut stopped).await;
                        drop(slot);
                    });
                }
                #[cfg(unix)]
                Ok(Stream::Unix(stream)) => {
                    connections.spawn(async move {
                        connection(stream, answerer, &mut stopped).await;
                        drop(slot);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
        while connections.join_next().await.is_some() {}
    }

    async fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp {
                socket, hop_limit, ..
            } => {
                let (stream, _) = socket.accept().await?;
                // Answers are small and whole: waiting for more to send only costs time.
                stream.set_nodelay(true)?;
                limit_hops(&stream, *hop_limit)?;
                Ok(Stream::Tcp(stream))
            }
            #[cfg(unix)]
            Self::Unix { socket, .. } => Ok(Stream::Unix(socket.accept().await?.0)),
        }
    }
}

#[cfg(unix)]
impl Drop for Listener {
    fn drop(&mut self) {
        // The socket is still open, so that no other file can have its number.
        if let Self::Unix { path, identity, .. } = self
            && crate::files::identity(path) == *identity
        {
            let _ = std::fs::remove_file(path); // Whoever came before saved us the trouble.
        }
    }
}

enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

async fn connection<S>(stream: S, answerer: Arc<Answerer>, stopped: &mut watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(answerer.answer(&request)))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_LENGTH)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // Errors of a connection end it and concern nobody else.
    tokio::select! {
        _ended = connection.as_mut() => {}
        () = until(stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

async fn until(stopped: &mut watch::Receiver<bool>) {
    // An error says that the server is gone, which is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn bind_tcp(address: SocketAddr, hop_limit: u8) -> Result<Listener> {
    let bind = || {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok((TcpListener::from_std(socket)?, address))
    };
    let (socket, address) = bind().map_err(|error: std::io::Error| {
        Error::new(
            ErrorKind::InvalidInput,
            format!(
                "`{address}` cannot be listened on ({error}): choose another --port or --listen"
            ),
        )
    })?;
    Ok(Listener::Tcp {
        socket,
        address,
        hop_limit,
    })
}

/// A socket that its owner alone can connect to. One that a process left behind is replaced, any other
/// file is not.
#[cfg(unix)]
fn bind_unix(path: &std::path::Path) -> Result<Listener> {
    use std::os::unix::{fs::FileTypeExt as _, net::UnixStream};
    let refuse = |why: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::InvalidInput,
            format!(
                "`{}` cannot be listened on ({why}): choose another path",
                path.display()
            ),
        )
    };
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(refuse(&"it is no socket"));
        }
        let left = crate::files::identity(path);
        if UnixStream::connect(path).is_ok() || crate::files::identity(path) != left {
            return Err(refuse(&"another process listens there"));
        }
        std::fs::remove_file(path).map_err(|error| refuse(&error))?;
    }
    // The mode that the socket has from its first moment on. No other thread makes files now.
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = tokio::net::UnixListener::bind(path);
    rustix::process::umask(before);
    Ok(Listener::Unix {
        socket: bound.map_err(|error| refuse(&error))?,
        path: path.to_owned(),
        identity: crate::files::identity(path),
    })
}

#[cfg(not(unix))]
fn bind_unix(_: &std::path::Path) -> Result<Listener> {
    Err(super::unavailable(
        &"Unix sockets are not supported on this platform",
    ))
}

/// How many routers an answer may pass.
#[cfg(unix)]
fn limit_hops(stream: &TcpStream, hops: u8) -> std::io::Result<()> {
    use rustix::net::sockopt::{set_ip_ttl, set_ipv6_unicast_hops};
    match stream.local_addr()? {
        SocketAddr::V4(_) => set_ip_ttl(stream, hops.into())?,
        SocketAddr::V6(_) => set_ipv6_unicast_hops(stream, Some(hops))?,
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit_hops(stream: &TcpStream, hops: u8) -> std::io::Result<()> {
    stream.set_ttl(hops.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_three_forms() {
        for (text, expected) in [
            (
                "127.0.0.1:0",
                Some(ListenOn::Tcp(([127, 0, 0, 1], 0).into())),
            ),
            ("[::1]:80", Some(ListenOn::Tcp("[::1]:80".parse().unwrap()))),
            ("unix:/run/x y", Some(ListenOn::Unix("/run/x y".into()))),
            ("unix:", None),
            ("localhost:80", None),
            ("9911", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }
}
