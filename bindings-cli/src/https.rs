//! The one border to HTTP: a request goes out, a response or a failure in words comes back.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    time::Duration,
};

use rolesanywhere_core::{
    Error, ErrorKind, HttpRequest, HttpResponse, provider::Loss, session::MAX_RESPONSE_LENGTH,
    text::duration,
};
use rustls::{AlertDescription, CertificateError};
use ureq::{
    Agent, Timeout,
    http::{Request, Uri},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{
            ConnectProxyConnector, Connector as _, NextTimeout, SocksConnector, TcpConnector,
        },
    },
};

use crate::{environment::Environment, proxy, roots::Roots, tls::TlsConnector};

/// ureq reads and writes through two buffers; larger ones cost the cold start page faults. A request is
/// written in parts, of which a header is one: five ML-DSA-87 certificates have 50 kB, and the buffer is
/// then as long as the longest header.
const BUFFER_LENGTH: usize = 16 * 1024;

/// What a line of a header has beside name and value.
const LINE_OVERHEAD: usize = ": \r\n".len();

/// The longest header section of an answer; the service's has some 500 bytes.
const MAX_RESPONSE_HEADERS: usize = 32 * 1024;

/// How a server is reached.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// How long opening a connection may take: name lookup, TCP, proxy and TLS.
    pub(crate) connect_timeout: Duration,
    /// Whether any server certificate is accepted, and plain HTTP beyond this machine.
    pub(crate) insecure: bool,
    /// The authorities to trust instead of those that the environment or the system names.
    pub(crate) ca_bundle: Option<PathBuf>,
}

/// An HTTP client for one endpoint.
#[derive(Debug)]
pub(crate) struct HttpsClient {
    agent: Agent,
    reach: Reach,
    endpoint: String,
    roots: String,
    proxy: Option<ProxyInUse>,
}

/// The proxy, as far as it may be told.
#[derive(Clone, Debug)]
struct ProxyInUse {
    /// The variable that names it.
    variable: String,
    /// Whether its URL has a user.
    has_user: bool,
}

/// Why no answer came, in words and by its kind.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) loss: Loss,
}

impl HttpsClient {
    /// Prepares a client: finds the roots and the proxy, sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the URL is none, would send secrets in the clear, or a
    /// variable of the environment names roots or a proxy that are none.
    pub(crate) fn new(
        url: &str,
        reach: Reach,
        environment: &Environment<'_>,
    ) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the endpoint `{url}` {why}"),
            )
        };
        let uri: Uri = url.parse().map_err(|_| refuse("is not a URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(refuse("is not a URL: begin with `https://`"));
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let https = match scheme {
            "https" => true,
            "http" if proxy::is_loopback(bare) || reach.insecure => false,
            "http" => {
                return Err(refuse(
                    "would carry the secret key in the clear: use `https://`, or `--no-verify-ssl` if this is a test",
                ));
            }
            _ => return Err(refuse("is no web address: begin with `https://`")),
        };
        let roots = (https && !reach.insecure)
            .then(|| Roots::load(reach.ca_bundle.as_deref(), environment))
            .transpose()?;
        let roots_origin = roots.as_ref().map(|roots| roots.origin().to_owned());
        let tls = TlsConnector::new(roots)
            .map_err(|error| Error::new(ErrorKind::TransportFailed, format!("TLS: {error}")))?;
        let (proxy, proxy_in_use) = proxy::for_url(&uri, environment)?
            .map(|(proxy, variable)| {
                let has_user = proxy.username().is_some();
                (proxy, ProxyInUse { variable, has_user })
            })
            .unzip();
        let config = Agent::config_builder()
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0) // A redirect would send the signed request elsewhere.
            .max_redirects_will_error(false)
            .timeout_connect(Some(reach.connect_timeout))
            .no_delay(true)
            .input_buffer_size(BUFFER_LENGTH)
            .output_buffer_size(BUFFER_LENGTH)
            .max_response_header_size(MAX_RESPONSE_HEADERS)
            .user_agent(user_agent())
            .build();
        let connectors =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(tls);
        Ok(Self {
            agent: Agent::with_parts(config, connectors, AddressFirst),
            reach,
            endpoint: uri.authority().map(ToString::to_string).unwrap_or_default(),
            roots: roots_origin.unwrap_or_default(),
            proxy: proxy_in_use,
        })
    }

    /// Where the roots come from and which variable names the proxy, for `--verbose`.
    pub(crate) fn describe(&self) -> String {
        let proxy = self.proxy.as_ref();
        let proxy = proxy.map_or("none", |proxy| &proxy.variable);
        let roots = match self.roots.as_str() {
            "" => "none asked",
            origin => origin,
        };
        format!("roots: {roots}; proxy: {proxy}")
    }

    /// Sends a request and reads the whole answer, at most [`MAX_RESPONSE_LENGTH`] bytes and one, within
    /// `timeout`.
    pub(crate) fn send(
        &self,
        sent: &HttpRequest,
        timeout: Duration,
    ) -> Result<HttpResponse, Failure> {
        let mut request = Request::builder().method(sent.method).uri(&sent.url);
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let request = request.body(&*sent.body).map_err(|error| Failure {
            error: Error::new(
                ErrorKind::InvalidInput,
                format!("the request cannot be written: {error}"),
            ),
            loss: Loss::Unsendable,
        })?;
        let line = |(name, value): &(String, String)| name.len() + value.len() + LINE_OVERHEAD;
        let longest = sent.headers.iter().map(line).max().unwrap_or_default();
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(timeout))
            .output_buffer_size(BUFFER_LENGTH.max(longest))
            .build();
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| self.failure(&error, timeout))?;
        let limit = MAX_RESPONSE_LENGTH as u64 + 1;
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| self.failure(&error, timeout))?;
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        let headers = headers.collect();
        Ok(HttpResponse::new(response.status().as_u16(), headers, body))
    }

    /// ureq's error in words that say what to do.
    fn failure(&self, error: &ureq::Error, timeout: Duration) -> Failure {
        let endpoint = &self.endpoint;
        let transport = |message: String, loss| Failure {
            error: Error::new(ErrorKind::TransportFailed, message),
            loss,
        };
        // Another attempt would get the same.
        let invalid = |message: String| Failure {
            error: Error::new(ErrorKind::InvalidResponse, message),
            loss: Loss::Unsendable,
        };
        let via = match &self.proxy {
            Some(proxy) => format!(" through the proxy of {}", proxy.variable),
            None => String::new(),
        };
        match error {
            ureq::Error::Io(error) => match tls_error(error) {
                Some(error) => transport(self.tls_failure(error), Loss::Untrusted),
                None if error.kind() == io::ErrorKind::ConnectionRefused => transport(
                    format!(
                        "`{endpoint}`{via} refuses connections: check the endpoint, the proxy and the firewall"
                    ),
                    Loss::Unreachable,
                ),
                None => transport(
                    format!(
                        "the connection to `{endpoint}`{via} broke ({error}): check the network and the proxy"
                    ),
                    Loss::Unreachable,
                ),
            },
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => transport(
                format!(
                    "no connection to `{endpoint}`{via} within {}: check the network and the proxy; \
                     `--connect-timeout` allows more",
                    duration(self.reach.connect_timeout),
                ),
                Loss::TimedOut,
            ),
            ureq::Error::Timeout(_) => transport(
                format!(
                    "`{endpoint}`{via} did not answer within {}: check what listens there; \
                     `--request-timeout` allows more",
                    duration(timeout),
                ),
                Loss::TimedOut,
            ),
            ureq::Error::HostNotFound => transport(
                format!(
                    "`{endpoint}`{via} is not found by name: check the region, the endpoint and the name server"
                ),
                Loss::Unreachable,
            ),
            ureq::Error::ConnectProxyFailed(reason) => {
                transport(self.proxy_failure(reason), Loss::Unsendable)
            }
            ureq::Error::BodyExceedsLimit(_) => invalid(format!(
                "the answer of `{endpoint}` has more than the {MAX_RESPONSE_LENGTH} bytes that a session may have: \
                 check the endpoint and what stands between",
            )),
            ureq::Error::Protocol(_)
            | ureq::Error::LargeResponseHeader(..)
            | ureq::Error::Http(_) => invalid(format!(
                "the answer of `{endpoint}` is not HTTP/1.1 ({error}): check the endpoint and what stands between"
            )),
            other => transport(
                format!("the exchange with `{endpoint}`{via} failed: {other}"),
                Loss::Unsendable,
            ),
        }
    }

    /// What a proxy's refusal means, and what to do. `reason` is ureq's, with the status of the answer.
    fn proxy_failure(&self, reason: &str) -> String {
        let endpoint = &self.endpoint;
        let (variable, has_user) = match &self.proxy {
            Some(proxy) => (&*proxy.variable, proxy.has_user),
            None => ("the proxy", false),
        };
        // RFC 9110, 15.5.8.
        let todo = match (reason.contains("407"), has_user) {
            (true, false) => format!(
                "it wants a user and a password: name them in {variable}, `http://USER:PASSWORD@HOST:PORT`, \
                 with special characters percent-encoded (`@` is `%40`)"
            ),
            (true, true) => format!(
                "it does not accept the user and the password in {variable}: correct them, with special \
                 characters percent-encoded (`@` is `%40`); Basic is the only method that is known here"
            ),
            (false, _) => format!("check {variable} and the proxy's rules"),
        };
        format!("the proxy does not connect to `{endpoint}` ({reason}): {todo}")
    }

    fn tls_failure(&self, error: &rustls::Error) -> String {
        let endpoint = &self.endpoint;
        let roots = &self.roots;
        match error {
            // A bad signature is what an issuer of the same name with another key makes.
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => format!(
                "the certificate of `{endpoint}` comes from an authority that is not among {roots}: \
                 if it is your own, name its PEM file with --ca-bundle or in AWS_CA_BUNDLE"
            ),
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => format!(
                "the certificate of `{endpoint}` is for another name: check the endpoint and what stands between"
            ),
            rustls::Error::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => format!(
                "the certificate of `{endpoint}` is not valid now: check this machine's clock, then the server"
            ),
            rustls::Error::InvalidCertificate(error) => format!(
                "the certificate of `{endpoint}` cannot be accepted ({error}): check the server and AWS_CA_BUNDLE"
            ),
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(_) => format!(
                "`{endpoint}` and this program have no TLS version or cipher in common (TLS 1.2 or newer is needed): \
                 check what stands between"
            ),
            rustls::Error::InvalidMessage(_) => {
                format!("`{endpoint}` does not speak TLS: check the endpoint's scheme and port")
            }
            error => format!("TLS with `{endpoint}` failed ({error}): check what stands between"),
        }
    }
}

/// The TLS error inside an I/O error, if that is what it is.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn user_agent() -> String {
    format!(
        "rolesanywhere/{} ({}; {})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// Looks names up as ureq does, on a thread that can be left behind when time is up, but needs no
/// thread for an address. `localhost` and names under it are this machine (RFC 6761, 6.3) whatever a name
/// server says of them: over `http://` the secret key goes there.
#[derive(Debug)]
struct AddressFirst;

impl Resolver for AddressFirst {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let default = match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let known = match bare.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) if proxy::is_loopback(bare) => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Err(_) => Vec::new(),
        };
        if !known.is_empty() {
            let mut found = self.empty();
            for address in known {
                found.push((address, uri.port_u16().unwrap_or(default)).into());
            }
            return Ok(found);
        }
        match DefaultResolver::default().resolve(uri, config, timeout) {
            Err(ureq::Error::Io(_)) => Err(ureq::Error::HostNotFound),
            other => other,
        }
    }
}
