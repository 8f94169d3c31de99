//! `sts:GetCallerIdentity` for issued credentials: proof that they sign.
//!
//! The HMAC signature is verified here, over the canonical request that `authenticate` rebuilds. That
//! shares no code with the core, which signs it. (`scratchstack-aws-signature` would do the same for
//! 1.9 MB more of binary; the tests hold this verifier against it.)

use ring::hmac;
use rolesanywhere_core::UnixTime;

use crate::{
    audit::{AuditRecord, Outcome},
    authenticate::{SignedRequest, is_presigned},
    error::{Fault, Refusal},
    message::{Request, Response},
    service::Service,
    store::SessionCredentials,
};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// STS's own tolerance, as its error text says.
const CLOCK_TOLERANCE_SECONDS: u32 = 15 * 60;
/// An action and a version are two parameters.
const MAX_FORM_PAIRS: usize = 20;

/// Answers `Action=GetCallerIdentity`, by POST of a form, by GET, or by a presigned URL.
pub(crate) fn get_caller_identity(
    service: &Service,
    request: &Request,
    now: UnixTime,
    record: &mut AuditRecord,
) -> Response {
    let answer = authenticate(service, request, now).and_then(|credentials| {
        check_action(request)?;
        Ok(credentials)
    });
    match answer {
        Ok(credentials) => {
            record.outcome = Outcome::Succeeded {
                access_key_id: credentials.access_key_id.clone(),
                assumed_role_arn: credentials.assumed_role_arn.clone(),
                source_identity: String::new(),
            };
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    \
                 <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{}</Account>\n  \
                 </GetCallerIdentityResult>\n  <ResponseMetadata>\n    <RequestId>{}</RequestId>\n  \
                 </ResponseMetadata>\n</GetCallerIdentityResponse>\n",
                escaped(&credentials.assumed_role_arn),
                escaped(&credentials.assumed_role_id),
                escaped(&credentials.account),
                escaped(&record.request_id),
            );
            Response::new(200, "text/xml", &record.request_id, now, body)
        }
        Err(error) => {
            record.outcome = Outcome::Refused {
                check: "sts",
                fault: error.fault,
                message: error.message.clone(),
                reason: error.reason,
            };
            let body = format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    \
                 <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
                 <RequestId>{}</RequestId>\n</ErrorResponse>\n",
                error.code,
                escaped(&error.message),
                escaped(&record.request_id),
            );
            Response::new(error.status, "text/xml", &record.request_id, now, body)
        }
    }
}

/// An error of STS: what it says, and why.
struct StsError {
    status: u16,
    code: &'static str,
    message: String,
    fault: Fault,
    reason: String,
}

impl StsError {
    fn new(status: u16, code: &'static str, message: &str, reason: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            fault: Fault::InvalidSignature,
            reason: reason.into(),
        }
    }

    /// The text is STS's.
    fn signature_does_not_match(reason: impl Into<String>) -> Self {
        Self::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
            reason,
        )
    }

    /// The text is STS's.
    fn invalid_client_token_id(reason: impl Into<String>) -> Self {
        Self::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            reason,
        )
    }
}

impl From<Refusal> for StsError {
    /// The faults that reading a signature can have, in STS's words.
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.reason();
        let error = match refusal.fault() {
            Fault::MissingAuthentication => Self::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
                reason,
            ),
            Fault::InvalidSignature => Self::signature_does_not_match(reason),
            _ => Self::new(400, "IncompleteSignature", reason, reason),
        };
        Self {
            fault: refusal.fault(),
            ..error
        }
    }
}

fn authenticate(
    service: &Service,
    request: &Request,
    now: UnixTime,
) -> Result<std::sync::Arc<SessionCredentials>, StsError> {
    let signed = if is_presigned(request) {
        SignedRequest::presigned(request)?
    } else {
        SignedRequest::new(request, &["host"])?
    };
    let authorization = &signed.authorization;
    if authorization.algorithm != "AWS4-HMAC-SHA256" {
        return Err(StsError::new(
            400,
            "IncompleteSignature",
            &format!(
                "Unsupported AWS 'algorithm': '{}'.",
                authorization.algorithm
            ),
            "the algorithm is not AWS4-HMAC-SHA256",
        ));
    }
    let credentials = service
        .issued()
        .find(&authorization.key_id)
        .ok_or_else(|| {
            StsError::invalid_client_token_id(format!(
                "the access key `{}` was not issued here",
                authorization.key_id
            ))
        })?;
    let token = signed
        .session_token
        .as_ref()
        .map(|token| token.expose().as_str());
    if token != Some(credentials.session_token.as_str()) {
        return Err(StsError::invalid_client_token_id(
            "`X-Amz-Security-Token` is not the session token that was issued with this access key",
        ));
    }
    signed
        .check_clock(now, CLOCK_TOLERANCE_SECONDS)
        .map_err(StsError::signature_does_not_match)?;
    signed
        .check_scope(service.region(), "sts")
        .map_err(StsError::signature_does_not_match)?;
    let key = signing_key(&credentials.secret_access_key, &signed);
    hmac::verify(
        &key,
        signed.string_to_sign.as_bytes(),
        &authorization.signature,
    )
    .map_err(|_| StsError::signature_does_not_match("the HMAC does not verify"))?;
    // Last, so that only the holder of the secret learns that it has expired.
    if now >= credentials.expiration {
        return Err(StsError::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
            format!("they expired at {}", credentials.expiration.to_iso8601()),
        ));
    }
    Ok(credentials)
}

/// SigV4's chain of HMACs over the parts of the credential scope.
pub(crate) fn signing_key(secret_access_key: &str, signed: &SignedRequest) -> hmac::Key {
    let secret = zeroize::Zeroizing::new(format!("AWS4{secret_access_key}"));
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let scope = &signed.authorization.scope;
    for part in [
        &scope.date,
        &scope.region,
        &scope.service,
        &scope.terminator,
    ] {
        key = hmac::Key::new(
            hmac::HMAC_SHA256,
            hmac::sign(&key, part.as_bytes()).as_ref(),
        );
    }
    key
}

/// The action asked for is the one that there is.
fn check_action(request: &Request) -> Result<(), StsError> {
    let form = String::from_utf8_lossy(&request.body);
    let text = if request.method == "POST" {
        form.as_ref()
    } else {
        request.query()
    };
    let values = |name: &str| -> Vec<&str> {
        text.split('&')
            .take(MAX_FORM_PAIRS)
            .filter_map(|pair| pair.split_once('='))
            .filter(|(have, _)| *have == name)
            .map(|(_, value)| value)
            .collect()
    };
    let (actions, versions) = (values("Action"), values("Version"));
    if actions.as_slice() == ["GetCallerIdentity"] && versions.as_slice() == ["2011-06-15"] {
        return Ok(());
    }
    let shown = |values: &[&str]| values.join(",").chars().take(64).collect::<String>();
    let message = format!(
        "Could not find operation {} for version {}",
        shown(&actions),
        shown(&versions)
    );
    let mut error = StsError::new(400, "InvalidAction", &message, &message);
    error.fault = Fault::UnknownOperation;
    Err(error)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
