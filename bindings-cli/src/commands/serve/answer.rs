//! From a request to its answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use rolesanywhere_core::Arn;
use rolesanywhere_emulator::addressing::{Addressing, Host, HostName, Page};
use tokio::sync::watch;

use super::{
    authorization::Authorization,
    metrics::{Metrics, Route},
    renewer::{Published, Renewer, Served},
    token::{MAX_TTL, Tokens},
};
use crate::clock;

static TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
static TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
/// Where roles are listed and credentials are.
const ROLES: &str = "/latest/meta-data/iam/security-credentials";
/// What agents ask for before they ask for credentials.
const REGION: &str = "/latest/meta-data/placement/region";
const AVAILABILITY_ZONE: &str = "/latest/meta-data/placement/availability-zone";
const IDENTITY_DOCUMENT: &str = "/latest/dynamic/instance-identity/document";
/// Where `AWS_CONTAINER_CREDENTIALS_FULL_URI` points to, and where the agent of EKS has the same.
pub(super) const CONTAINER: &str = "/credentials";
const CONTAINER_OF_EKS: &str = "/v1/credentials";

/// How long a request that finds no valid credentials waits for a renewal: SDKs give the metadata service
/// one second (botocore's `metadata_service_timeout`).
const RENEWAL_PATIENCE: Duration = Duration::from_millis(800);

type Answer = Response<Full<Bytes>>;

/// All that answers need; shared by the connections.
pub(super) struct Answerer {
    pub(super) role: Arn,
    /// The trust anchor's.
    pub(super) region: String,
    pub(super) published: watch::Receiver<Published>,
    /// What is woken when nothing is valid.
    pub(super) renewer: Renewer,
    /// Of IMDSv2; without them there is no IMDSv2.
    pub(super) tokens: Option<Tokens>,
    /// What the container credentials endpoint asks for; without it there is no such endpoint.
    pub(super) authorization: Option<Authorization>,
    pub(super) allowed_hosts: Vec<HostName>,
    /// Whether `/health` and `/metrics` are there.
    pub(super) observable: bool,
    pub(super) metrics: Arc<Metrics>,
}

impl Answerer {
    /// Answers a request, whose body is not looked at. Where there are no valid credentials (the machine
    /// slept, the network has just come back), the renewing thread is woken and given a moment.
    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Answer {
        let (mut route, mut answer) = self.answer_now(request);
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE && self.hands_out(route) {
            self.renewer.wake();
            let mut published = self.published.clone();
            let renewed = published.wait_for(|published| published.valid().is_some());
            let is_renewed = matches!(
                tokio::time::timeout(RENEWAL_PATIENCE, renewed).await,
                Ok(Ok(_))
            );
            if is_renewed {
                (route, answer) = self.answer_now(request);
            }
        }
        self.metrics.answered(route, answer.status().as_u16());
        answer
    }

    fn answer_now<B>(&self, request: &Request<B>) -> (Route, Answer) {
        match self.refusal(request) {
            Some(why) => (Route::Other, text(StatusCode::FORBIDDEN, why)),
            None => self.route(request),
        }
    }

    /// Whether a route hands out credentials.
    fn hands_out(&self, route: Route) -> bool {
        matches!(
            route,
            Route::InstanceCredentials | Route::ContainerCredentials
        )
    }

    /// What no request gets past: it was forwarded, from where nobody knows; a web page sent it; or it
    /// was addressed to a name that is not this machine's, as a web page can make a browser do (DNS
    /// rebinding).
    fn refusal<B>(&self, request: &Request<B>) -> Option<&'static str> {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let Ok(addressing) = Addressing::read(headers) else {
            return Some("the request must name one host, by a name or an address");
        };
        // A target that is a whole URL names a host, too.
        let target = request.uri().authority().map(|host| host.as_str().parse());
        if target.is_some_and(|host: Result<Host, _>| host.as_ref() != Ok(&addressing.host)) {
            return Some("the target names another host than the Host header");
        }
        if addressing.is_forwarded {
            return Some("forwarded requests are refused");
        }
        if addressing.page != Page::NoneOrOwn {
            return Some("requests of web pages are refused");
        }
        match self.is_own_host(&addressing.host.name) {
            true => None,
            false => Some(
                "the Host header is neither an address nor localhost: allow it with --allow-host",
            ),
        }
    }

    fn is_own_host(&self, host: &HostName) -> bool {
        // No name server can lead a browser to an address by another address.
        matches!(host, HostName::Address(_))
            || host.is_loopback()
            || self.allowed_hosts.contains(host)
    }

    fn route<B>(&self, request: &Request<B>) -> (Route, Answer) {
        let path = plain_path(request.uri().path());
        let path = path.as_str();
        let (method, headers) = (request.method(), request.headers());
        let get = |answer: &dyn Fn() -> Answer| only(&Method::GET, method, answer);
        if path.starts_with("/latest/") {
            return match &self.tokens {
                Some(tokens) => self.instance_metadata(tokens, request, path),
                None => (
                    Route::Other,
                    text(
                        StatusCode::NOT_FOUND,
                        "beside --authorization-token-file, IMDSv2 is served with --imds only",
                    ),
                ),
            };
        }
        let answer = match (path, &self.authorization) {
            (CONTAINER | CONTAINER_OF_EKS, Some(authorization)) => {
                let answer = get(&|| self.container(headers, authorization));
                return (Route::ContainerCredentials, answer);
            }
            ("/health", _) if self.observable => get(&|| self.health()),
            ("/metrics", _) if self.observable => get(&|| {
                let page = self.metrics.to_text(clock::now());
                with_type(StatusCode::OK, page.into(), "text/plain; version=0.0.4")
            }),
            _ => nothing(),
        };
        (Route::Other, answer)
    }

    /// IMDSv2.
    fn instance_metadata<B>(
        &self,
        tokens: &Tokens,
        request: &Request<B>,
        path: &str,
    ) -> (Route, Answer) {
        let (method, headers) = (request.method(), request.headers());
        let get = |answer: &dyn Fn() -> Answer| {
            only(&Method::GET, method, || {
                check_token(tokens, headers).unwrap_or_else(answer)
            })
        };
        match path {
            "/latest/api/token" => (
                Route::Token,
                only(&Method::PUT, method, || token(tokens, headers)),
            ),
            REGION => (
                Route::Placement,
                get(&|| text(StatusCode::OK, &self.region)),
            ),
            AVAILABILITY_ZONE => (
                Route::Placement,
                get(&|| text(StatusCode::OK, &self.availability_zone())),
            ),
            IDENTITY_DOCUMENT => (Route::Placement, get(&|| self.identity_document())),
            ROLES => (
                Route::RoleName,
                get(&|| text(StatusCode::OK, self.own_role_name())),
            ),
            _ => match path
                .strip_prefix(ROLES)
                .and_then(|rest| rest.strip_prefix('/'))
            {
                Some(role) => (Route::InstanceCredentials, get(&|| self.instance(role))),
                None => (Route::Other, nothing()),
            },
        }
    }

    /// There is no zone. botocore drops the last letter and takes the rest for the region.
    fn availability_zone(&self) -> String {
        format!("{}a", self.region)
    }

    /// Of the members of the document, those that are known.
    fn identity_document(&self) -> Answer {
        let page = serde_json::json!({
            "accountId": self.role.account(),
            "availabilityZone": self.availability_zone(),
            "region": self.region,
            "version": "2017-09-30",
        });
        // Without a newline, and as text, as the instance metadata service has it.
        text(StatusCode::OK, &page.to_string())
    }

    fn own_role_name(&self) -> &str {
        let resource = self.role.resource();
        resource.rsplit_once('/').map_or(resource, |(_, name)| name)
    }

    fn instance(&self, role: &str) -> Answer {
        if role != self.own_role_name() {
            return text(StatusCode::NOT_FOUND, "there is no such role here");
        }
        self.credentials(|served| &served.instance_metadata)
    }

    fn container(&self, headers: &HeaderMap, authorization: &Authorization) -> Answer {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        match given.is_some_and(|given| authorization.is(given)) {
            true => self.credentials(|served| &served.container),
            false => failure(
                StatusCode::UNAUTHORIZED,
                "the Authorization header is not the token: set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            ),
        }
    }

    fn credentials(&self, form: impl Fn(&Served) -> &Bytes) -> Answer {
        let published = self.published.borrow();
        match published.valid() {
            Some(served) => with_type(StatusCode::OK, form(served).clone(), "application/json"),
            None => {
                let why = published
                    .failure
                    .as_deref()
                    .unwrap_or("a renewal is under way");
                let mut answer = failure(
                    StatusCode::SERVICE_UNAVAILABLE,
                    &format!("there are no valid credentials: {why}"),
                );
                let soon = HeaderValue::from_static("1");
                answer.headers_mut().insert(RETRY_AFTER, soon);
                answer
            }
        }
    }

    fn health(&self) -> Answer {
        let published = self.published.borrow();
        let valid = published.valid().is_some();
        let served = published.served.as_ref();
        let page = serde_json::json!({
            "credentials": match (valid, served) {
                (true, _) => "valid",
                (false, Some(_)) => "ended",
                (false, None) => "none",
            },
            "expiration": served.map(|served| served.expiration.to_iso8601()),
            "last_failure": published.failure.as_deref(),
        });
        let status = match valid {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        with_type(status, page.to_string().into(), "application/json")
    }
}

/// The path without the repeated and final slashes that base URLs bring about.
fn plain_path(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        plain.push('/');
        plain.push_str(part);
    }
    plain
}

fn only(wanted: &Method, method: &Method, answer: impl FnOnce() -> Answer) -> Answer {
    if method == wanted {
        return answer();
    }
    let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "");
    if let Ok(allowed) = HeaderValue::from_str(wanted.as_str()) {
        refusal.headers_mut().insert(ALLOW, allowed);
    }
    refusal
}

/// A new token of IMDSv2.
fn token(tokens: &Tokens, headers: &HeaderMap) -> Answer {
    let ttl = match headers.get(&TTL) {
        None => Some(MAX_TTL),
        // As the reference helper, which takes a sign too.
        Some(value) => value.to_str().ok().and_then(|value| value.parse().ok()),
    };
    let Some(ttl) = ttl.filter(|ttl| (1..=MAX_TTL).contains(ttl)) else {
        return text(
            StatusCode::BAD_REQUEST,
            "invalid token TTL: pass 1 to 21600 seconds",
        );
    };
    match tokens.make(ttl) {
        Ok(token) => {
            let mut answer = text(StatusCode::OK, &token);
            answer.headers_mut().insert(&TTL, ttl.into());
            answer
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.message()),
    }
}

/// The refusal of a request without a valid token.
fn check_token(tokens: &Tokens, headers: &HeaderMap) -> Option<Answer> {
    match headers.get(&TOKEN).map(HeaderValue::to_str) {
        None => Some(text(StatusCode::UNAUTHORIZED, "no token provided")),
        Some(Ok(token)) if tokens.accept(token) => None,
        Some(_) => Some(text(StatusCode::UNAUTHORIZED, "invalid token provided")),
    }
}

fn nothing() -> Answer {
    text(StatusCode::NOT_FOUND, "there is nothing here")
}

/// An error in the form that SDKs show.
fn failure(status: StatusCode, message: &str) -> Answer {
    let page = serde_json::json!({ "Code": "Failed", "code": status.as_str(), "message": message });
    with_type(status, page.to_string().into(), "application/json")
}

fn text(status: StatusCode, body: &str) -> Answer {
    with_type(
        status,
        Bytes::copy_from_slice(body.as_bytes()),
        "text/plain; charset=utf-8",
    )
}

fn with_type(status: StatusCode, body: Bytes, content_type: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    answer
}
