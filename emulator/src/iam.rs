//! The part of IAM that a scenario needs: roles, by the query protocol of version 2010-05-08.

mod form;
mod roles;
mod xml;

use rolesanywhere_core::UnixTime;

use crate::{
    audit::{AuditRecord, Outcome},
    control_plane::{Scope, authenticate},
    error::{Fault, Refusal},
    message::{Request, Response},
    service::Service,
};
use form::Form;
use xml::{Xml, escaped};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const VERSION: &str = "2010-05-08";

/// An action: what it is called, and what it does. It writes the members of its result; `None` for
/// an action without result.
type Action = (
    &'static str,
    fn(&Service, &Form, UnixTime) -> Result<Option<Xml>, IamError>,
);

const ACTIONS: [Action; 5] = [
    ("CreateRole", roles::create),
    ("DeleteRole", roles::delete),
    ("GetRole", roles::get),
    ("ListRoles", roles::list),
    ("UpdateAssumeRolePolicy", roles::update_assume_role_policy),
];

/// The action of a request that is for IAM and not for STS, which share path and protocol.
pub(crate) fn action(request: &Request) -> Option<String> {
    const SHOWN: usize = 64;
    let form = Form::parse(&request.body);
    let action = form.text("Action").unwrap_or_default();
    // STS's action stays STS's, which then refuses the version.
    let is_asked = form.text("Version") == Some(VERSION) && action != "GetCallerIdentity";
    is_asked.then(|| action.chars().take(SHOWN).collect())
}

/// Answers a call of IAM.
pub(crate) fn answer(
    service: &Service,
    request: &Request,
    now: UnixTime,
    record: &mut AuditRecord,
) -> Response {
    let form = Form::parse(&request.body);
    let name = form.text("Action").unwrap_or_default();
    let action = ACTIONS.iter().find(|(have, _)| *have == name);
    let (status, body) = match run(service, request, &form, action, now, record) {
        Ok(result) => (200, success(name, result, &record.request_id)),
        Err(error) => {
            record.outcome = Outcome::Refused {
                check: "iam",
                fault: error.fault,
                message: error.message.clone(),
                reason: error.reason.clone(),
            };
            (error.status, failure(&error, &record.request_id))
        }
    };
    Response::new(status, "text/xml", &record.request_id, now, body)
}

/// A refusal that came before any action, in the form of the query protocol.
pub(crate) fn refused(refusal: Refusal, request_id: &str, now: UnixTime) -> Response {
    let error = IamError::from(refusal);
    let body = failure(&error, request_id);
    Response::new(error.status, "text/xml", request_id, now, body)
}

fn run(
    service: &Service,
    request: &Request,
    form: &Form,
    action: Option<&Action>,
    now: UnixTime,
    record: &mut AuditRecord,
) -> Result<Option<Xml>, IamError> {
    let (caller, _) = authenticate(service, request, Scope::Iam, now)?;
    let Some((_, act)) = action else {
        let shown: String = form
            .text("Action")
            .unwrap_or_default()
            .chars()
            .take(64)
            .collect();
        let message = format!("Could not find operation {shown} for version {VERSION}");
        return Err(IamError::new(
            400,
            "InvalidAction",
            message,
            Fault::UnknownOperation,
        ));
    };
    let result = act(service, form, now)?;
    record.outcome = Outcome::Succeeded {
        access_key_id: caller.access_key_id,
        assumed_role_arn: caller.arn,
        source_identity: String::new(),
    };
    Ok(result)
}

fn success(name: &str, result: Option<Xml>, request_id: &str) -> String {
    let result = result.map_or_else(String::new, |members| {
        format!("<{name}Result>{}</{name}Result>", members.into_text())
    });
    format!(
        "<{name}Response xmlns=\"{NAMESPACE}\">{result}<ResponseMetadata><RequestId>{}</RequestId>\
         </ResponseMetadata></{name}Response>",
        escaped(request_id)
    )
}

fn failure(error: &IamError, request_id: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
        error.code,
        escaped(&error.message),
        escaped(request_id)
    )
}

/// An error of IAM: what it says, and why.
#[derive(Debug)]
struct IamError {
    status: u16,
    code: &'static str,
    message: String,
    fault: Fault,
    reason: String,
}

impl IamError {
    fn new(status: u16, code: &'static str, message: impl Into<String>, fault: Fault) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            reason: message.clone(),
            message,
            fault,
        }
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message, Fault::Validation)
    }
}

impl From<Refusal> for IamError {
    /// What reading a signature or changing a resource can refuse, under the query protocol's names.
    fn from(refusal: Refusal) -> Self {
        let entry = refusal.fault().entry();
        let code = match refusal.fault() {
            Fault::ExpiredToken => "ExpiredToken",
            Fault::IncompleteSignature => "IncompleteSignature",
            Fault::InvalidSignature | Fault::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Fault::MissingAuthentication => "MissingAuthenticationToken",
            Fault::ServiceUnavailable => "ServiceUnavailable",
            Fault::Throttled => "Throttling",
            Fault::UnrecognizedClient => "InvalidClientTokenId",
            Fault::Validation => "ValidationError",
            _ => "ServiceFailure",
        };
        Self {
            status: entry.status,
            code,
            message: refusal.message(),
            fault: refusal.fault(),
            reason: refusal.reason().to_owned(),
        }
    }
}
