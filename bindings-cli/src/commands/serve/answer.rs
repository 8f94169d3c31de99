//! From a request to its answer.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER},
};
use ring::hmac;
use rolesanywhere_core::{Arn, UnixTime};
use tokio::sync::watch;

use super::{
    metrics::{Metrics, Route},
    renewer::{Published, Served},
    token::{MAX_TTL, Tokens},
};
use crate::{exchange, output_file::Token};

static TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
static TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
static FORWARDED: [HeaderName; 2] = [
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("forwarded"),
];
/// Where roles are listed and credentials are.
const ROLES: &str = "/latest/meta-data/iam/security-credentials";
/// Where `AWS_CONTAINER_CREDENTIALS_FULL_URI` points to.
pub(super) const CONTAINER: &str = "/credentials";

type Answer = Response<Full<Bytes>>;

/// All that answers need; shared by the connections.
pub(super) struct Answerer {
    pub(super) role: Arn,
    pub(super) published: watch::Receiver<Published>,
    pub(super) tokens: Tokens,
    /// What the container credentials endpoint asks for; without one there is no such endpoint.
    pub(super) authorization: Option<Token>,
    pub(super) allowed_hosts: Vec<String>,
    /// Whether `/health` and `/metrics` are there.
    pub(super) observable: bool,
    pub(super) metrics: Arc<Metrics>,
}

impl Answerer {
    /// Answers a request, whose body is not looked at.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Answer {
        let (route, answer) = match self.check(request.headers()) {
            Some(refusal) => (Route::Other, refusal),
            None => self.route(request, exchange::now()),
        };
        self.metrics.answered(route, answer.status().as_u16());
        answer
    }

    /// What no request gets past: it was forwarded, from where nobody knows, or it was addressed to
    /// a name that is not this machine's, as a web page can make a browser do (DNS rebinding).
    fn check(&self, headers: &HeaderMap) -> Option<Answer> {
        if FORWARDED.iter().any(|name| headers.contains_key(name)) {
            return Some(text(
                StatusCode::FORBIDDEN,
                "forwarded requests are refused",
            ));
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        match host.is_some_and(|host| self.is_own_host(host)) {
            true => None,
            false => Some(text(
                StatusCode::FORBIDDEN,
                "the Host header is neither an address nor localhost: allow it with --allow-host",
            )),
        }
    }

    fn is_own_host(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self
                .allowed_hosts
                .iter()
                .any(|allowed| name.eq_ignore_ascii_case(allowed))
    }

    fn route<B>(&self, request: &Request<B>, now: UnixTime) -> (Route, Answer) {
        let path = plain_path(request.uri().path());
        let path = path.as_str();
        let (method, headers) = (request.method(), request.headers());
        if path == "/latest/api/token" {
            return (
                Route::Token,
                only(&Method::PUT, method, || self.token(headers)),
            );
        }
        if path == ROLES {
            let answer = only(&Method::GET, method, || self.role_name(headers));
            return (Route::RoleName, answer);
        }
        if let Some(role) = path
            .strip_prefix(ROLES)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            let answer = only(&Method::GET, method, || self.instance(headers, role, now));
            return (Route::InstanceCredentials, answer);
        }
        let answer = match (path, &self.authorization) {
            (CONTAINER, Some(token)) => {
                let answer = only(&Method::GET, method, || self.container(headers, token, now));
                return (Route::ContainerCredentials, answer);
            }
            ("/health", _) if self.observable => only(&Method::GET, method, || self.health(now)),
            ("/metrics", _) if self.observable => only(&Method::GET, method, || {
                let page = self.metrics.to_text(now);
                with_type(StatusCode::OK, page.into(), "text/plain; version=0.0.4")
            }),
            _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
        };
        (Route::Other, answer)
    }

    fn token(&self, headers: &HeaderMap) -> Answer {
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
        match self.tokens.make(ttl) {
            Ok(token) => {
                let mut answer = text(StatusCode::OK, &token);
                answer.headers_mut().insert(&TTL, ttl.into());
                answer
            }
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.message()),
        }
    }

    /// The refusal of a request without a valid token.
    fn check_token(&self, headers: &HeaderMap) -> Option<Answer> {
        match headers.get(&TOKEN).map(HeaderValue::to_str) {
            None => Some(text(StatusCode::UNAUTHORIZED, "no token provided")),
            Some(Ok(token)) if self.tokens.accept(token) => None,
            Some(_) => Some(text(StatusCode::UNAUTHORIZED, "invalid token provided")),
        }
    }

    fn role_name(&self, headers: &HeaderMap) -> Answer {
        match self.check_token(headers) {
            Some(refusal) => refusal,
            None => text(StatusCode::OK, self.own_role_name()),
        }
    }

    fn own_role_name(&self) -> &str {
        let resource = self.role.resource();
        resource.rsplit_once('/').map_or(resource, |(_, name)| name)
    }

    fn instance(&self, headers: &HeaderMap, role: &str, now: UnixTime) -> Answer {
        if let Some(refusal) = self.check_token(headers) {
            return refusal;
        }
        if role != self.own_role_name() {
            return text(StatusCode::NOT_FOUND, "there is no such role here");
        }
        self.credentials(now, |served| &served.instance_metadata)
    }

    fn container(&self, headers: &HeaderMap, token: &Token, now: UnixTime) -> Answer {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        match given.is_some_and(|given| is_equal(given, token.expose())) {
            true => self.credentials(now, |served| &served.container),
            false => failure(
                StatusCode::UNAUTHORIZED,
                "the Authorization header is not the token: set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            ),
        }
    }

    fn credentials(&self, now: UnixTime, form: impl Fn(&Served) -> &Bytes) -> Answer {
        let published = self.published.borrow();
        match published.valid(now) {
            Some(served) => with_type(StatusCode::OK, form(served).clone(), "application/json"),
            None => {
                let why = published
                    .failure
                    .as_deref()
                    .unwrap_or("a renewal is under way");
                let mut answer = failure(
                    StatusCode::SERVICE_UNAVAILABLE,
                    &format!("the credentials have ended: {why}"),
                );
                let soon = HeaderValue::from_static("1");
                answer.headers_mut().insert(RETRY_AFTER, soon);
                answer
            }
        }
    }

    fn health(&self, now: UnixTime) -> Answer {
        let published = self.published.borrow();
        let valid = published.valid(now).is_some();
        let page = serde_json::json!({
            "credentials": if valid { "valid" } else { "ended" },
            "expiration": published.served.expiration.to_iso8601(),
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

/// Compares without telling by its duration how much is right: tags of both, under a key of the
/// moment, are compared in constant time.
fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, expected);
    hmac::verify(
        &key,
        b"",
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, given), b"").as_ref(),
    )
    .is_ok()
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
