//! Requests that must be refused, each with its status, type and text, for its own reason, and with
//! nothing issued. Every row starts from a call that is accepted and breaks one thing.

mod authorization;
mod bytes;
mod certificates;
mod constraints;
mod parameters;
mod resources;
mod trust;

use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{Request, Service, audit::Outcome};

use crate::{
    client::{Call, pair},
    lab::lab,
    pki::Identity,
};

/// What the service must answer.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    code: &'static str,
    message: String,
}

/// A request, what must become of it, and a part of the reason that the audit log must give.
struct Row {
    name: &'static str,
    request: Request,
    now: UnixTime,
    answer: Answer,
    reason: &'static str,
}

impl Row {
    fn new(name: &'static str, request: Request, answer: Answer, reason: &'static str) -> Self {
        Self {
            name,
            request,
            now: lab().now,
            answer,
            reason,
        }
    }

    /// A row of the lab's leaf, signed after `change`.
    fn signed(
        name: &'static str,
        change: impl FnOnce(&mut Call),
        answer: Answer,
        reason: &'static str,
    ) -> Self {
        let mut call = lab().call();
        change(&mut call);
        Self::new(name, call.sign(&lab().leaf), answer, reason)
    }

    /// A row of the lab's leaf, changed after it was signed.
    fn tampered(
        name: &'static str,
        change: impl FnOnce(&mut Request),
        answer: Answer,
        reason: &'static str,
    ) -> Self {
        let mut request = lab().call().sign(&lab().leaf);
        change(&mut request);
        Self::new(name, request, answer, reason)
    }

    /// A row of another leaf and a chain, all of it well signed.
    fn of(
        name: &'static str,
        leaf: &dyn Identity,
        chain: &[&dyn Identity],
        answer: Answer,
        reason: &'static str,
    ) -> Self {
        let mut call = lab().call_of(leaf, "root");
        if !chain.is_empty() {
            call = call.with_chain(chain);
        }
        let signature = leaf.sign(call.string_to_sign().as_bytes());
        Self::new(name, call.signed(&signature), answer, reason)
    }
}

/// Runs a table against the lab's account.
fn refuse(rows: Vec<Row>) {
    refuse_by(|| lab().service(), rows);
}

fn refuse_by(service: impl Fn() -> Service, rows: Vec<Row>) {
    assert!(!rows.is_empty());
    let mut wrong = Vec::new();
    for row in rows {
        let service = service();
        let response = service.handle(&row.request, row.now);
        let records = service.audit_records();
        let Outcome::Refused { reason, .. } = &records[0].outcome else {
            wrong.push(format!("{}: accepted", row.name));
            continue;
        };
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        let is_right = response.status == row.answer.status
            && response.header("x-amzn-errortype") == Some(row.answer.code)
            && body == serde_json::json!({ "message": row.answer.message })
            && reason.contains(row.reason)
            && service.issued_credentials() == 0
            && records.len() == 1;
        if !is_right {
            wrong.push(format!(
                "{}: want {:?} because {:?}\n    got {} {:?} {body} because {reason:?}",
                row.name,
                row.answer,
                row.reason,
                response.status,
                response.header("x-amzn-errortype"),
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn answer(status: u16, code: &'static str, message: &str) -> Answer {
    Answer {
        status,
        code,
        message: message.to_owned(),
    }
}

fn denied(message: &str) -> Answer {
    answer(403, "AccessDeniedException", message)
}

fn invalid_signature() -> Answer {
    denied("Invalid signature")
}

fn untrusted() -> Answer {
    denied("Untrusted signing certificate")
}

fn insufficient() -> Answer {
    denied("Untrusted certificate. Insufficient certificate")
}

fn incomplete(message: &str) -> Answer {
    answer(403, "IncompleteSignatureException", message)
}

fn invalid(message: &str) -> Answer {
    let message = format!("1 validation error detected: {message}");
    answer(400, "ValidationException", &message)
}

/// Puts another value in place of a header's, in a request that is signed already.
fn set_header(request: &mut Request, name: &str, value: &str) {
    let header = request
        .headers
        .iter_mut()
        .find(|(have, _)| have.eq_ignore_ascii_case(name));
    header.unwrap().1 = value.to_owned();
}

/// Changes the `Authorization` header.
fn edit_authorization(request: &mut Request, edit: impl FnOnce(&str) -> String) {
    let value = edit(request.header("authorization").unwrap());
    set_header(request, "authorization", &value);
}

fn add_header(request: &mut Request, name: &str, value: &str) {
    request.headers.push(pair(name, value));
}
