//! The console: a page that shows what there is and what happened.
//!
//! It is one HTML document, whole without script; a small script fetches it again every two seconds
//! and puts in the sections that have changed. Nothing can be changed from it. It is shown to callers
//! on this machine, asked by a name of this machine: a web page elsewhere that has its own name
//! resolve to a loopback address gets nothing.

mod access;
mod html;
mod sections;
mod timeline;

use std::sync::LazyLock;

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use rolesanywhere_core::UnixTime;

use crate::{
    audit::AuditRecord,
    message::{Request, Response},
    store::{Crl, Profile, Role, Subject, TrustAnchor},
};

pub(crate) use access::{is_asked_for, is_local, may_see};

/// What the page shows.
pub(crate) struct View<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now: UnixTime,
    pub(crate) trust_anchors: Vec<&'a TrustAnchor>,
    pub(crate) crls: Vec<&'a Crl>,
    pub(crate) profiles: Vec<&'a Profile>,
    pub(crate) roles: Vec<&'a Role>,
    /// The first of them.
    pub(crate) subjects: &'a [Subject],
    /// How many there are.
    pub(crate) subject_count: usize,
    /// The newest, oldest first.
    pub(crate) calls: &'a [AuditRecord],
}

/// How many subjects and calls the page shows.
pub(crate) const SUBJECTS_SHOWN: usize = 50;
pub(crate) const CALLS_SHOWN: usize = 50;

const STYLE: &str = include_str!("console/style.css");
const SCRIPT: &str = include_str!("console/script.js");

/// Nothing but the page's own style and script; they are named by their hashes.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64.encode(digest(&SHA256, text.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// The page.
pub(crate) fn page(view: &View<'_>, request_id: &str, now: UnixTime) -> Response {
    let mut body = String::with_capacity(32 << 10);
    body.push_str(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Roles Anywhere emulator</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>",
    );
    body.push_str(STYLE);
    body.push_str("</style>\n</head>\n<body>\n");
    sections::write(&mut body, view);
    body.push_str("<script>");
    body.push_str(SCRIPT);
    body.push_str("</script>\n</body>\n</html>\n");
    Response::new(200, "text/html; charset=utf-8", request_id, now, body)
        .with_header("cache-control", "no-store")
        .with_header("content-security-policy", &POLICY)
        .with_header("cross-origin-opener-policy", "same-origin")
        .with_header("cross-origin-resource-policy", "same-origin")
        .with_header("referrer-policy", "no-referrer")
        .with_header("vary", "accept")
        .with_header("x-content-type-options", "nosniff")
}

/// What callers from elsewhere get.
pub(crate) fn refused(why: &str, request_id: &str, now: UnixTime) -> Response {
    Response::new(
        403,
        "text/plain; charset=utf-8",
        request_id,
        now,
        format!("{why}\n"),
    )
}

/// Whether this is a browser that asks for the page.
pub(crate) fn wants(request: &Request, path: &str) -> bool {
    matches!(request.method.as_str(), "GET" | "HEAD")
        && matches!(path, "/" | "")
        && is_asked_for(request)
}
