//! The service's errors: one table of what goes over the wire, and the true reason that stays here.

use rolesanywhere_core::UnixTime;

use crate::message::Response;

/// A refusal: what the client is told, and why it really happened.
///
/// The service tells clients little on purpose; the emulator's audit log tells all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    fault: Fault,
    /// What stands at the `{}` of the fault's message.
    detail: String,
    reason: String,
    /// In seconds; of a `ServiceUnavailableException`.
    retry_after: Option<u32>,
}

impl Refusal {
    /// A refusal whose message has no `{}`.
    pub(crate) fn new(fault: Fault, reason: impl Into<String>) -> Self {
        Self::with_detail(fault, "", reason)
    }

    /// A refusal whose message carries `detail`.
    pub(crate) fn with_detail(
        fault: Fault,
        detail: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            fault,
            detail: detail.into(),
            reason: reason.into(),
            retry_after: None,
        }
    }

    /// The same with a recommendation when to try again, in seconds.
    pub(crate) fn with_retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    pub(crate) fn message(&self) -> String {
        self.fault.entry().message.replace("{}", &self.detail)
    }

    /// Why the request was refused, for the audit record.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// The answer as the service gives it: the type in `x-amzn-errortype`, the message in a JSON
    /// body (recorded from the live service).
    pub(crate) fn to_response(&self, request_id: &str, now: UnixTime) -> Response {
        let entry = self.fault.entry();
        let mut body = serde_json::json!({ "message": self.message() });
        if let (Some(seconds), Some(members)) = (self.retry_after, body.as_object_mut()) {
            members.insert("retryAfterSeconds".to_owned(), seconds.into());
        }
        let body = body.to_string();
        Response::new(entry.status, "application/json", request_id, now, body)
            .with_header("x-amzn-errortype", entry.code)
    }
}

/// How well a row of the table is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The live service was seen to answer so.
    Recorded,
    /// It follows from the API model, the user guide or AWS's common errors; not seen on this operation.
    Inferred,
    /// Nobody knows; the text is ours.
    Invented,
}

/// One row of the table of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The HTTP status.
    pub status: u16,
    /// The error type, as `x-amzn-errortype` carries it.
    pub code: &'static str,
    /// The message; `{}` stands for what depends on the request.
    pub message: &'static str,
    /// How well the row is known.
    pub evidence: Evidence,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $status:literal, $code:literal, $message:literal, $evidence:ident;)*) => {
        /// Everything that the emulator refuses a request for. Several faults share a text on
        /// purpose: the service tells them apart no better.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $variant,)*
        }

        impl Fault {
            /// Every fault, in alphabetical order.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)*];

            /// What goes over the wire for this fault.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Fault::$variant => Entry {
                        status: $status,
                        code: $code,
                        message: $message,
                        evidence: Evidence::$evidence,
                    },)*
                }
            }
        }
    };
}

faults! {
    /// The serial number in `Credential` is not the certificate's, or not decimal.
    CertificateMismatch = 403, "AccessDeniedException", "Invalid signature", Inferred;
    /// A certificate of the path has expired or is not valid yet.
    CertificateNotValidNow = 403, "AccessDeniedException", "Untrusted signing certificate", Inferred;
    /// A certificate of the path is revoked.
    CertificateRevoked = 403, "AccessDeniedException", "Certificate revoked", Recorded;
    /// The clocks are too far apart.
    ClockSkew = 403, "AccessDeniedException", "Invalid signature", Recorded;
    /// The duration is longer than the role's `MaxSessionDuration`.
    DurationExceedsRole = 403, "AccessDeniedException", "Unable to assume role for {}. The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", Recorded;
    /// The certificate has no subject.
    EmptySubject = 403, "AccessDeniedException", "Untrusted certificate. Insufficient certificate", Inferred;
    /// The credentials that signed the call have expired.
    ExpiredToken = 403, "ExpiredTokenException", "The security token included in the request is expired", Inferred;
    /// The `Authorization` header, the date or the headers beside them cannot be read.
    IncompleteSignature = 403, "IncompleteSignatureException", "{}", Inferred;
    /// The certificate breaks a rule for end-entity certificates.
    InsufficientCertificate = 403, "AccessDeniedException", "Untrusted certificate. Insufficient certificate", Recorded;
    /// The emulator itself failed.
    InternalFailure = 500, "InternalServerException", "Internal server error", Invented;
    /// The signature does not verify, or does not cover what it must.
    InvalidSignature = 403, "AccessDeniedException", "Invalid signature", Recorded;
    /// A certificate header is not base64 of DER of a certificate.
    MalformedCertificate = 403, "AccessDeniedException", "Untrusted signing certificate", Inferred;
    /// There is no `Authorization` header.
    MissingAuthentication = 403, "MissingAuthenticationTokenException", "Missing Authentication Token", Inferred;
    /// The profile is disabled; the guide says only that requests fail.
    ProfileDisabled = 403, "AccessDeniedException", "Specified Profile is disabled.", Invented;
    /// There is no such profile in this account and region.
    ProfileNotFound = 403, "AccessDeniedException", "Invalid or empty profile provided.", Recorded;
    /// The request is longer than the emulator reads.
    RequestTooLarge = 413, "RequestEntityTooLargeException", "{}", Invented;
    /// There is no such resource in this account and region.
    ResourceNotFound = 404, "ResourceNotFoundException", "{}", Invented;
    /// The role is not one of the profile's.
    RoleNotInProfile = 403, "AccessDeniedException", "Requested Role isn't one of those listed in the Profile.", Recorded;
    /// The service is not available; only a fault on demand says so.
    ServiceUnavailable = 503, "ServiceUnavailableException", "Service unavailable", Inferred;
    /// A session name was given and the profile does not accept one.
    SessionNameNotAuthorized = 403, "AccessDeniedException", "Not authorized to set roleSessionName.", Recorded;
    /// The signature of a call of the control plane does not verify.
    SignatureDoesNotMatch = 403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.", Inferred;
    /// There were more calls in a second than the quota allows.
    Throttled = 429, "ThrottlingException", "Rate exceeded", Inferred;
    /// A resource would have more tags than the model allows.
    TooManyTags = 400, "TooManyTagsException", "The resource would have too many tags.", Inferred;
    /// The trust anchor is disabled.
    TrustAnchorDisabled = 403, "AccessDeniedException", "Specified Trust Anchor is disabled.", Recorded;
    /// There is no such trust anchor in this account and region.
    TrustAnchorNotFound = 403, "AccessDeniedException", "Specified Trust Anchor wasn't found.", Recorded;
    /// STS would refuse to assume the role.
    UnableToAssumeRole = 403, "AccessDeniedException", "Unable to assume role for {}.", Recorded;
    /// STS would refuse to assume the role, and attributes of the certificate gave no tags.
    UnableToAssumeRoleUnmapped = 403, "AccessDeniedException", "Unable to assume role for {}", Recorded;
    /// No operation answers to this method and path.
    UnknownOperation = 404, "UnknownOperationException", "{}", Inferred;
    /// The access key is not known.
    UnrecognizedClient = 403, "UnrecognizedClientException", "The security token included in the request is invalid.", Inferred;
    /// The certificate does not chain to the trust anchor.
    UntrustedCertificate = 403, "AccessDeniedException", "Untrusted signing certificate", Recorded;
    /// A parameter is missing, out of bounds or contradicts another.
    Validation = 400, "ValidationException", "{}", Inferred;
}

/// Collects what is wrong with parameters, then tells it in the service's generic form.
#[derive(Debug, Default)]
pub(crate) struct ValidationErrors(Vec<String>);

impl ValidationErrors {
    /// `Value 'value' at 'member' failed to satisfy constraint: Member must constraint`.
    pub(crate) fn push(&mut self, value: Option<&str>, member: &str, constraint: &str) {
        // What came in is shown back cut short: an error message is no echo service.
        const SHOWN: usize = 128;
        let value = value.map_or("null".to_owned(), |text| {
            let shown: String = text.chars().take(SHOWN).collect();
            format!("'{shown}'")
        });
        self.0.push(format!(
            "Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
        ));
    }

    pub(crate) fn finish(self) -> Result<(), Refusal> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let message = format!(
            "{count} validation error{plural} detected: {}",
            self.0.join("; ")
        );
        Err(Refusal::with_detail(
            Fault::Validation,
            message.clone(),
            message,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_sorted_and_every_detail_has_its_place() {
        let names: Vec<String> = Fault::ALL.iter().map(|f| format!("{f:?}")).collect();
        assert!(names.is_sorted(), "{names:?}");
        let with_detail: Vec<_> = Fault::ALL
            .iter()
            .filter(|fault| fault.entry().message.contains("{}"))
            .collect();
        assert_eq!(
            with_detail,
            [
                &Fault::DurationExceedsRole,
                &Fault::IncompleteSignature,
                &Fault::RequestTooLarge,
                &Fault::ResourceNotFound,
                &Fault::UnableToAssumeRole,
                &Fault::UnableToAssumeRoleUnmapped,
                &Fault::UnknownOperation,
                &Fault::Validation,
            ]
        );
    }

    #[test]
    fn the_generic_validation_text_is_the_recorded_one() {
        let mut errors = ValidationErrors::default();
        errors.push(
            Some("43200"),
            "durationSeconds",
            "have value less than or equal to 3600",
        );
        // Recorded in 2023, when the bound was an hour.
        assert_eq!(
            errors.finish().unwrap_err().message(),
            "1 validation error detected: Value '43200' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 3600"
        );
    }
}
