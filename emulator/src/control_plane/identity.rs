//! Who calls the control plane: SigV4 with an access key.

use ring::hmac;
use rolesanywhere_core::UnixTime;

use crate::{
    authenticate::SignedRequest,
    error::{Fault, Refusal},
    message::Request,
    service::Service,
    sts::signing_key,
};

/// Who signed a call, as far as that can be known.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) arn: String,
    pub(crate) access_key_id: String,
}

/// AWS's tolerance on signatures of the control plane.
const CLOCK_TOLERANCE_SECONDS: u32 = 15 * 60;

/// Reads the signature and, where the secret is known, verifies it: of access keys of the
/// configuration, and of credentials issued here. Other keys are taken at their word where the
/// setting `accept_any_access_key` says so, as test suites sign with made-up ones.
pub(crate) fn authenticate(
    service: &Service,
    request: &Request,
    scope: Scope,
    now: UnixTime,
) -> Result<(Caller, SignedRequest), Refusal> {
    let signed = SignedRequest::new(request, &["host"])?;
    let authorization = &signed.authorization;
    if authorization.algorithm != "AWS4-HMAC-SHA256" {
        let message = format!(
            "Unsupported AWS 'algorithm': '{}'.",
            authorization.algorithm
        );
        return Err(Refusal::with_detail(
            Fault::IncompleteSignature,
            message.clone(),
            message,
        ));
    }
    // IAM's scope names a region of the partition, whichever the service is in.
    let region = match scope {
        Scope::Iam => authorization.scope.region.as_str(),
        Scope::RolesAnywhere => service.region(),
    };
    signed
        .check_scope(region, scope.as_str())
        .map_err(|why| Refusal::new(Fault::SignatureDoesNotMatch, why))?;
    let id = authorization.key_id.as_str();
    let caller = |arn: String| Caller {
        arn,
        access_key_id: id.to_owned(),
    };
    let root = service.account().iam_arn("root");
    if let Some(secret) = service.access_key(id) {
        verify(&signed, secret, now)?;
        return Ok((caller(root), signed));
    }
    if let Some(credentials) = service.issued().find(id) {
        let token = request.header("x-amz-security-token");
        if token != Some(credentials.session_token.as_str()) {
            return Err(Refusal::new(
                Fault::UnrecognizedClient,
                "`X-Amz-Security-Token` is not the session token that was issued with this access key",
            ));
        }
        verify(&signed, &credentials.secret_access_key, now)?;
        if now >= credentials.expiration {
            return Err(Refusal::new(
                Fault::ExpiredToken,
                format!(
                    "the credentials expired at {}",
                    credentials.expiration.to_iso8601()
                ),
            ));
        }
        return Ok((caller(credentials.assumed_role_arn.clone()), signed));
    }
    if service.settings().accept_any_access_key {
        return Ok((caller(root), signed));
    }
    Err(Refusal::new(
        Fault::UnrecognizedClient,
        format!(
            "the access key `{id}` is not of the configuration and was not issued here; the setting \
             `accept_any_access_key` is off"
        ),
    ))
}

/// The service that a call's signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Iam,
    RolesAnywhere,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::RolesAnywhere => "rolesanywhere",
        }
    }
}

fn verify(signed: &SignedRequest, secret: &str, now: UnixTime) -> Result<(), Refusal> {
    signed
        .check_clock(now, CLOCK_TOLERANCE_SECONDS)
        .map_err(|why| Refusal::new(Fault::SignatureDoesNotMatch, why))?;
    let key = signing_key(secret, signed);
    let signature = &signed.authorization.signature;
    hmac::verify(&key, signed.string_to_sign.as_bytes(), signature)
        .map_err(|_| Refusal::new(Fault::SignatureDoesNotMatch, "the HMAC does not verify"))
}
