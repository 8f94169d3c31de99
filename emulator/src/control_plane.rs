//! The control plane: the 30 operations by which trust anchors, profiles, CRLs, subjects and tags are
//! managed. `operations` is the table of them; everything else serves it.

mod call;
mod crls;
mod generic;
mod identity;
mod operations;
mod patterns;
mod profiles;
mod shape;
mod subjects;
mod tags;
mod trust_anchors;

pub(crate) use identity::{Scope, authenticate};
pub(crate) use operations::{Group, Operation};

use rolesanywhere_core::UnixTime;

use crate::{
    audit::{AuditRecord, Outcome},
    authenticate::decode_text,
    error::{Fault, Refusal},
    message::{Request, Response},
    service::Service,
};
use call::{Call, Sources};

/// The operation that answers to a method and a path.
pub(crate) fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    operations::route(method, path).map(|(operation, _)| operation)
}

/// Answers a call of `operation`, the path being the one that it was found by.
pub(crate) fn answer(
    service: &Service,
    operation: &Operation,
    path: &str,
    request: &Request,
    now: UnixTime,
    record: &mut AuditRecord,
) -> Response {
    match run(service, operation, path, request, now, record) {
        Ok(body) => Response::new(
            operation.status,
            "application/json",
            &record.request_id,
            now,
            body.to_string(),
        ),
        Err(refusal) => {
            record.refuse("control plane", &refusal);
            refusal.to_response(&record.request_id, now)
        }
    }
}

/// CloudTrail omits parameters and answers over 100 KB ("CloudTrail record contents").
const MAX_AUDITED_LENGTH: usize = 100_000;

fn audited(value: serde_json::Value) -> serde_json::Value {
    let length = value.to_string().len();
    if length <= MAX_AUDITED_LENGTH {
        return value;
    }
    serde_json::json!({ "reason": "too large", "omitted": true, "originalSize": length })
}

fn run(
    service: &Service,
    operation: &Operation,
    path: &str,
    request: &Request,
    now: UnixTime,
    record: &mut AuditRecord,
) -> Result<serde_json::Value, Refusal> {
    let (caller, signed) = authenticate(service, request, Scope::RolesAnywhere, now)?;
    let identifier = operations::route(operation.method, path)
        .and_then(|(_, identifier)| identifier)
        .map(decode_text)
        .transpose()
        .map_err(|why| Refusal::with_detail(Fault::Validation, why.clone(), why))?;
    let sources = Sources {
        identifier: identifier.as_deref(),
        query: &signed.query,
        body: &request.body,
    };
    let call = Call::new(service, operation, &sources, &caller.arn, now)?;
    record.request_parameters = call.input_json().map(audited);
    let body = (operation.run)(&call)?;
    if !record.is_read_only() {
        record.response_elements = Some(audited(body.clone()));
    }
    record.outcome = Outcome::Succeeded {
        access_key_id: caller.access_key_id,
        assumed_role_arn: caller.arn,
        source_identity: String::new(),
    };
    Ok(body)
}
