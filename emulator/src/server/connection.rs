//! One connection: TLS, HTTP, and the way from hyper's types to the service's and back.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    header::{HOST, HeaderName, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::body::{Body, Dropped};
use super::{Clock, until_stopped};
use crate::{End, MAX_BODY_LENGTH, Request, Response, Service};

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Acceptor {
    service: Arc<Service>,
    tls: Option<TlsAcceptor>,
    clock: Clock,
}

/// The longest head of a request. Six ML-DSA-87 certificates of 10 KB in base64 and a signature of
/// 9 KB make 70 KB; with room for larger subjects.
const MAX_HEAD_LENGTH: usize = 256 * 1_024;
/// How long a handshake, the head of a request, and its body may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// HTTP/2: how many requests one connection may have open, and how often a silent peer is pinged.
const MAX_STREAMS: u32 = 100;
const PING_INTERVAL: Duration = Duration::from_secs(30);

impl Acceptor {
    pub(super) fn new(service: Arc<Service>, tls: Option<Arc<ServerConfig>>, clock: Clock) -> Self {
        Self {
            service,
            tls: tls.map(TlsAcceptor::from),
            clock,
        }
    }

    /// Serves one connection to its end. Errors of the connection end it and concern nobody else.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        stopped: watch::Receiver<bool>,
    ) {
        // Answers are small and whole: waiting for more to send only costs time.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(tls) = self.tls.clone() else {
            return self.http1(stream, peer, stopped).await;
        };
        let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await else {
            return;
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, peer, stopped).await;
        } else {
            self.http1(stream, peer, stopped).await;
        }
    }

    async fn http1<S>(self, stream: S, peer: SocketAddr, mut stopped: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_LENGTH)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| self.clone().answer(request, peer)),
            );
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ended = connection.as_mut() => {}
            () = until_stopped(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
        }
    }

    async fn http2<S>(self, stream: S, peer: SocketAddr, mut stopped: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let header_list = u32::try_from(MAX_HEAD_LENGTH).unwrap_or(u32::MAX);
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(header_list)
            .keep_alive_interval(PING_INTERVAL)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| self.clone().answer(request, peer)),
            );
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ended = connection.as_mut() => {}
            () = until_stopped(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
        }
    }

    async fn answer(
        self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<hyper::Response<Body>, Dropped> {
        let (parts, body) = request.into_parts();
        let Some(body) = read_body(body).await else {
            return Ok(plain(408, "the body did not arrive"));
        };
        let Some(headers) = headers(&parts) else {
            return Ok(plain(400, ":authority and host differ"));
        };
        let request = Request {
            method: parts.method.as_str().to_owned(),
            target: parts
                .uri
                .path_and_query()
                .map_or("/", |target| target.as_str())
                .to_owned(),
            headers,
            body,
            peer: Some(peer.ip()),
        };
        let response = self.service.handle(&request, self.clock.now());
        if response.delivery.delay_milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(response.delivery.delay_milliseconds)).await;
        }
        if response.delivery.end == End::Dropped {
            return Err(Dropped);
        }
        Ok(from_response(response))
    }
}

/// The body, read to its end or one byte past what the service reads, so that it can refuse it;
/// `None` when the client stalls or goes away.
async fn read_body(mut body: Incoming) -> Option<Vec<u8>> {
    let read = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.ok()?.into_data() {
                let room = (MAX_BODY_LENGTH + 1).saturating_sub(bytes.len());
                bytes.extend(data.iter().take(room));
            }
            if bytes.len() > MAX_BODY_LENGTH {
                break;
            }
        }
        Some(bytes)
    };
    timeout(BODY_TIMEOUT, read).await.ok().flatten()
}

/// The headers in order of arrival within each name, with HTTP/2's `:authority` as `host`; `None`
/// when a request names two hosts.
fn headers(parts: &hyper::http::request::Parts) -> Option<Vec<(String, String)>> {
    let mut headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    if let Some(authority) = parts.uri.authority() {
        match parts.headers.get(HOST) {
            Some(host) if host.as_bytes() != authority.as_str().as_bytes() => return None,
            Some(_) => {}
            None => headers.push(("host".to_owned(), authority.as_str().to_owned())),
        }
    }
    Some(headers)
}

/// A header's text: UTF-8, or Latin-1 where it is not that.
fn text(value: &HeaderValue) -> String {
    std::str::from_utf8(value.as_bytes()).map_or_else(
        |_| {
            value
                .as_bytes()
                .iter()
                .map(|byte| char::from(*byte))
                .collect()
        },
        str::to_owned,
    )
}

fn from_response(response: Response) -> hyper::Response<Body> {
    let body = Bytes::from(response.body);
    let mut answer = hyper::Response::new(match response.delivery.end {
        End::Truncated(kept) => Body::truncated(body, kept),
        End::Dropped | End::Whole => Body::whole(body),
    });
    if let Ok(status) = hyper::StatusCode::from_u16(response.status) {
        *answer.status_mut() = status;
    }
    for (name, value) in &response.headers {
        // The service writes no header that HTTP could not carry.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

/// An answer to what never became a request.
fn plain(status: u16, message: &str) -> hyper::Response<Body> {
    from_response(Response {
        status,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: message.as_bytes().to_vec(),
        delivery: crate::Delivery::default(),
    })
}
