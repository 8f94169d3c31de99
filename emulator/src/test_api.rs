//! What tests need and the service does not have: `/_emulator/…`, for peers of this machine.
//!
//! Every call is also a method of [`Service`].

use rolesanywhere_core::UnixTime;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    addressing::Page,
    audit::{AuditRecord, Outcome},
    console,
    faults::InjectedFault,
    message::{Request, Response},
    notifications::ExpiryEvent,
    service::Service,
};

/// No path of the real service begins so.
pub(crate) const PREFIX: &str = "/_emulator/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    /// Seconds since 1970.
    time: i64,
    #[serde(default)]
    frozen: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceClock {
    seconds: i64,
}

/// A refusal of the test API: status and text.
type Refused = (u16, String);

/// Answers a call; `path` is what follows the prefix, `now` the true time.
pub(crate) fn answer(
    service: &Service,
    path: &str,
    request: &Request,
    request_id: &str,
    now: UnixTime,
) -> Response {
    let (status, body) = match run(service, path, request, now) {
        Ok(body) => (200, body),
        Err((status, message)) => (status, json!({ "message": message })),
    };
    Response::new(
        status,
        "application/json",
        request_id,
        now,
        body.to_string(),
    )
}

fn run(service: &Service, path: &str, request: &Request, now: UnixTime) -> Result<Value, Refused> {
    admit(service, request)?;
    match (request.method.as_str(), path) {
        ("GET", "audit") => {
            let records = service.audit_records();
            return Ok(json!({ "records": records.iter().map(shown).collect::<Vec<_>>() }));
        }
        ("GET", "cloudtrail") => return Ok(json!({ "Records": service.cloudtrail_records() })),
        ("GET", "clock") => {}
        ("PUT", "clock") => {
            let set: SetClock = parse(&request.body)?;
            service.set_clock(UnixTime::from_seconds(set.time), set.frozen, now);
        }
        ("POST", "clock/advance") => {
            let advance: AdvanceClock = parse(&request.body)?;
            service.advance_clock(advance.seconds);
        }
        ("DELETE", "clock") => service.unset_clock(),
        ("GET", "events") => {
            let events = service.events(service.time_at(now));
            let events: Vec<Value> = events.iter().map(ExpiryEvent::to_json).collect();
            return Ok(json!({ "Events": events }));
        }
        ("GET", "metrics") => return Ok(service.metrics(service.time_at(now)).to_json()),
        ("GET", "faults") => return Ok(json!({ "faults": service.injected_faults() })),
        ("POST", "faults") => {
            let fault: InjectedFault = parse(&request.body)?;
            if !service.inject_fault(fault) {
                return Err((
                    400,
                    "too many faults, or one that befalls no call".to_owned(),
                ));
            }
            return Ok(json!({ "faults": service.injected_faults() }));
        }
        ("DELETE", "faults") => {
            service.clear_faults();
            return Ok(json!({ "faults": [] }));
        }
        ("POST", "reset") => {
            service
                .reset(now)
                .map_err(|error| (500, error.message().to_owned()))?;
            return Ok(json!({}));
        }
        (method, path) => {
            let shown: String = path.chars().take(64).collect();
            return Err((404, format!("there is no {method} {PREFIX}{shown}")));
        }
    }
    let time = service.time_at(now);
    Ok(json!({ "time": time.seconds(), "iso8601": time.to_iso8601() }))
}

/// Tests run on this machine and call it by a loopback name; and a page of another origin in a browser
/// on it is no test.
fn admit(service: &Service, request: &Request) -> Result<(), Refused> {
    let addressing = request
        .addressing()
        .map_err(|error| (403, error.to_string()))?;
    if !service.settings().remote_test_api && console::is_local(request, &addressing).is_err() {
        return Err((
            403,
            "the test API is for callers on this machine, by a loopback name; the setting `remote_test_api` opens it".to_owned(),
        ));
    }
    if addressing.page != Page::NoneOrOwn {
        return Err((
            403,
            "the test API is not for pages of another origin".to_owned(),
        ));
    }
    Ok(())
}

fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

fn shown(record: &AuditRecord) -> Value {
    let outcome = match &record.outcome {
        Outcome::Refused {
            check,
            fault,
            message,
            reason,
        } => json!({
            "kind": "refused",
            "check": check,
            "fault": format!("{fault:?}"),
            "message": message,
            "reason": reason,
        }),
        Outcome::Succeeded {
            access_key_id,
            assumed_role_arn,
            source_identity,
        } => json!({
            "kind": "succeeded",
            "access_key_id": access_key_id,
            "caller_arn": assumed_role_arn,
            "source_identity": source_identity,
        }),
    };
    json!({
        "time": record.time.to_iso8601(),
        "request_id": record.request_id,
        "operation": record.operation,
        "source": record.source.map(|address| address.to_string()),
        "outcome": outcome,
        "certificate_serial": record.certificate_serial,
        "certificate_subject": record.certificate_subject,
        "trust_anchor_arn": record.trust_anchor_arn,
        "profile_arn": record.profile_arn,
        "role_arn": record.role_arn,
        "nonconformance": record.nonconformance,
    })
}
