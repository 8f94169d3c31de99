//! Where the server listens.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use rolesanywhere_core::{Error, ErrorKind, Result};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::answer::CONTAINER;
use crate::{arguments::Serve, console::Console};

/// How many connections the system keeps until they are accepted, within its own limit. A client that
/// finds no place tries again after a second, so a flood must not fill them before the next accept.
const BACKLOG: u32 = 4096;

/// The hop limit for this machine's own processes, and the one when others are let in: a container is
/// one hop away, and what is further is no workload of this machine's.
const LOCAL_HOP_LIMIT: u8 = 64;
const REMOTE_HOP_LIMIT: u8 = 1;

/// The port of the reference helper.
const DEFAULT_PORT: u16 = 9911;

/// What the system keeps of a connection in each direction: the longest head, and several answers. Left
/// to itself it keeps megabytes for a client that does not read, and as much work has been done for it.
const BUFFER: u32 = 32 * 1024;

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
        if let (ListenOn::Unix(path), Some(_)) = (&on, &options.tls_cert) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "`unix:{}` needs no TLS: drop --tls-cert and --tls-key, or listen on an address",
                    path.display()
                ),
            ));
        }
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
    pub(super) fn describe(&self, options: &Serve, imds: bool, console: &Console) {
        match self {
            Self::Tcp { address, .. } => {
                // From this machine, an unspecified address is reached by way of loopback.
                let host = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
                    IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
                    IpAddr::V4(ip) => ip.to_string(),
                    IpAddr::V6(ip) => format!("[{ip}]"),
                };
                let (scheme, port) = match options.tls_cert {
                    Some(_) => ("https", address.port()),
                    None => ("http", address.port()),
                };
                let base = format!("{scheme}://{host}:{port}");
                console.say(&format!("Local server started on port: {port}"));
                if imds {
                    console.say("Make it available to the sdk by running:");
                    console.say(&format!("export AWS_EC2_METADATA_SERVICE_ENDPOINT={base}"));
                }
                if let Some(file) = &options.authorization_token_file {
                    let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                    console.say(match imds {
                        true => "Or, as a container has it:",
                        false => "Make it available to the sdk by running, as a container has it:",
                    });
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

    /// The next connection.
    ///
    /// # Errors
    /// The system's, when it has none to give; of a connection that is gone already,
    /// [`ConnectionAborted`](std::io::ErrorKind::ConnectionAborted).
    pub(super) async fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp {
                socket, hop_limit, ..
            } => {
                let (stream, _) = socket.accept().await?;
                // Answers are small and whole: waiting for more to send only costs time.
                let prepared = stream
                    .set_nodelay(true)
                    .and_then(|()| stream.local_addr())
                    .and_then(|local| limit_hops(&SockRef::from(&stream), local, *hop_limit));
                match prepared {
                    Ok(()) => Ok(Stream::Tcp(stream)),
                    // Some systems refuse options for a peer that has left.
                    Err(_) => Err(std::io::ErrorKind::ConnectionAborted.into()),
                }
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

/// A connection that was accepted.
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

fn bind_tcp(address: SocketAddr, hop_limit: u8) -> Result<Listener> {
    let bind = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // As std has it: elsewhere it means that two servers may share a port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        // Connections inherit these.
        socket.set_recv_buffer_size(BUFFER)?;
        socket.set_send_buffer_size(BUFFER)?;
        // What opens a connection has it, too.
        limit_hops(&SockRef::from(&socket), address, hop_limit)?;
        let socket = socket.listen(BACKLOG)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
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

/// How many routers an answer may pass. An IPv6 socket carries IPv4 too, for peers that use it, and
/// then IPv4's limit counts.
fn limit_hops(socket: &SockRef<'_>, local: SocketAddr, hops: u8) -> std::io::Result<()> {
    match local.ip() {
        IpAddr::V4(_) => socket.set_ttl_v4(hops.into()),
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => socket.set_ttl_v4(hops.into()),
        IpAddr::V6(_) => {
            // Not every system has both limits on one socket; each connection gets its own.
            let _ = socket.set_ttl_v4(hops.into());
            socket.set_unicast_hops_v6(hops.into())
        }
    }
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

    #[test]
    fn the_hop_limit_holds_for_either_family_on_either_listener() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for (listen, connect) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("[::1]:0", "::1"),
            ("[::]:0", "::1"),
            ("[::]:0", "127.0.0.1"),
        ] {
            let listen = Listen {
                on: listen.parse().unwrap(),
                hop_limit: 3,
            };
            let (hops, ttl) = runtime.block_on(async {
                let listener = Listener::bind(&listen).unwrap();
                let Listener::Tcp { address, .. } = &listener else {
                    panic!("no TCP");
                };
                let client = TcpStream::connect((connect, address.port())).await.unwrap();
                let Stream::Tcp(stream) = listener.accept().await.unwrap() else {
                    panic!("no TCP");
                };
                drop(client);
                let socket = SockRef::from(&stream);
                (socket.unicast_hops_v6().ok(), socket.ttl_v4().ok())
            });
            // What the packets of this connection have.
            let used = if connect.contains(':') { hops } else { ttl };
            assert_eq!(used, Some(3), "{listen:?} {connect}");
        }
    }
}
