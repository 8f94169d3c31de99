//! CreateSession: the parts of a request, and the one table of checks that they go through.

use std::{cell::OnceCell, sync::Arc};

use rolesanywhere_core::UnixTime;

use crate::{
    audit::AuditRecord,
    authenticate::{self, SignedRequest},
    authorize::{self, SessionTags},
    certificate::Certificate,
    config::Settings,
    error::{Fault, Refusal},
    issue,
    message::Request,
    parameters::Parameters,
    path, revocation,
    service::Service,
    store::{Profile, Resources, Role, TrustAnchor},
    verification::GoodSignatures,
};

/// A check: looks at a case, refuses it or lets it pass.
type Check = fn(&Case<'_>) -> Result<(), Refusal>;

/// What is checked, in this order. The service documents no order; this is the one that its
/// recorded answers suggest. Where a request has two faults, the first one here is told.
pub(crate) const CHECKS: [(&str, Check); 19] = [
    ("trust anchor found", path::trust_anchor_found),
    ("trust anchor enabled", path::trust_anchor_enabled),
    ("certificate readable", path::certificate_readable),
    ("certificate valid now", path::certificate_valid_now),
    ("chain readable", path::chain_readable),
    ("chain to the trust anchor", path::chains_to_trust_anchor),
    ("end-entity rules", path::end_entity_rules),
    ("revocation", revocation::not_revoked),
    (
        "algorithm and serial number",
        authenticate::matches_certificate,
    ),
    ("credential scope", authenticate::scope),
    ("clock", authenticate::clock),
    ("signature", authenticate::signature),
    ("profile", authorize::profile),
    ("role in profile", authorize::role_in_profile),
    ("session name", authorize::session_name_authorized),
    ("session name and source identity", authorize::identity),
    ("trust policy", authorize::trust_policy),
    ("session policies", authorize::session_policies),
    ("duration", authorize::duration),
];

/// The headers that decide who asks; they must be there and be signed.
const MUST_SIGN: [&str; 3] = ["host", "x-amz-date", "x-amz-x509"];

/// One CreateSession, parsed, with the resources that it names looked up.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now: UnixTime,
    pub(crate) good_signatures: &'a GoodSignatures,
    pub(crate) signed: SignedRequest,
    pub(crate) parameters: Parameters,
    /// As they are while this call is answered.
    pub(crate) resources: Arc<Resources>,
    certificate: Result<Certificate, String>,
    chain: Result<Vec<Certificate>, String>,
    trust_anchor: Option<Arc<TrustAnchor>>,
    profile: Option<Arc<Profile>>,
    role: Option<Arc<Role>>,
    path: OnceCell<Vec<Certificate>>,
    tags: OnceCell<SessionTags>,
}

/// Runs a request through the table and issues credentials.
///
/// The record is filled as far as the request could be read, whatever the outcome.
pub(crate) fn create_session(
    service: &Service,
    request: &Request,
    now: UnixTime,
    record: &mut AuditRecord,
) -> Result<issue::Issued, (&'static str, Refusal)> {
    let case = Case::parse(service, request, now).map_err(|refusal| ("request", refusal))?;
    case.describe(record);
    // A subject is who has proved to hold the key; what anyone can claim makes none.
    let mut proven = false;
    for (name, check) in CHECKS {
        if let Err(refusal) = check(&case) {
            if proven {
                issue::record_subject(service, &case, true)
                    .map_err(|refusal| ("issue", refusal))?;
            }
            return Err((name, refusal));
        }
        proven |= name == "signature";
    }
    record.nonconformance = authenticate::nonconformance(&case, request);
    issue::issue(service, &case).map_err(|refusal| ("issue", refusal))
}

impl<'a> Case<'a> {
    fn parse(service: &'a Service, request: &Request, now: UnixTime) -> Result<Self, Refusal> {
        let settings = service.settings();
        let mut must_sign = MUST_SIGN.to_vec();
        if settings.require_signed_content_type && request.header("content-type").is_some() {
            must_sign.push("content-type");
        }
        let signed = SignedRequest::new(request, &must_sign)?;
        let parameters = Parameters::parse(&signed.query, &request.body)?;
        let certificate = path::read_certificate(request);
        let chain = path::read_chain(request, certificate.as_ref().ok());
        let resources = service.resources();
        Ok(Self {
            settings,
            account: &service.account().id,
            region: service.region(),
            now,
            good_signatures: service.good_signatures(),
            certificate,
            chain,
            trust_anchor: resources.find_trust_anchor(&parameters.trust_anchor_arn),
            profile: resources.find_profile(&parameters.profile_arn),
            role: resources.find_role(&parameters.role_arn),
            signed,
            parameters,
            resources,
            path: OnceCell::new(),
            tags: OnceCell::new(),
        })
    }

    /// The end-entity certificate.
    pub(crate) fn certificate(&self) -> Result<&Certificate, Refusal> {
        self.certificate
            .as_ref()
            .map_err(|why| Refusal::new(Fault::MalformedCertificate, why))
    }

    /// What the chain header holds, the end entity left out.
    pub(crate) fn chain(&self) -> Result<&[Certificate], Refusal> {
        self.chain
            .as_deref()
            .map_err(|why| Refusal::new(Fault::MalformedCertificate, why))
    }

    /// The trust anchor that the request names.
    pub(crate) fn trust_anchor(&self) -> Result<&TrustAnchor, Refusal> {
        self.trust_anchor.as_deref().ok_or_else(|| {
            let arn = &self.parameters.trust_anchor_arn;
            Refusal::new(
                Fault::TrustAnchorNotFound,
                format!("there is no trust anchor `{arn}`"),
            )
        })
    }

    /// The profile that the request names.
    pub(crate) fn profile(&self) -> Result<&Profile, Refusal> {
        self.profile.as_deref().ok_or_else(|| {
            let arn = &self.parameters.profile_arn;
            Refusal::new(
                Fault::ProfileNotFound,
                format!("there is no profile `{arn}`"),
            )
        })
    }

    /// The role that the request names.
    pub(crate) fn role(&self) -> Result<&Role, Refusal> {
        self.role.as_deref().ok_or_else(|| {
            self.unable_to_assume_role(format!("there is no role `{}`", self.parameters.role_arn))
        })
    }

    /// The intermediate certificates of the path that was found.
    pub(crate) fn path(&self) -> Result<&[Certificate], Refusal> {
        self.path
            .get()
            .map(Vec::as_slice)
            .ok_or_else(|| Refusal::new(Fault::UntrustedCertificate, "no path has been looked for"))
    }

    pub(crate) fn set_path(&self, path: Vec<Certificate>) {
        // A second path to the same anchor would be as good as the first.
        let _already_set = self.path.set(path);
    }

    /// The session's tags, made at first use.
    pub(crate) fn session_tags(&self) -> Result<&SessionTags, Refusal> {
        let (certificate, profile) = (self.certificate()?, self.profile()?);
        let mappings = &profile.attribute_mappings;
        Ok(self
            .tags
            .get_or_init(|| authorize::session_tags(certificate, mappings)))
    }

    pub(crate) fn unable_to_assume_role(&self, reason: impl Into<String>) -> Refusal {
        Refusal::with_detail(Fault::UnableToAssumeRole, &self.parameters.role_arn, reason)
    }

    fn describe(&self, record: &mut AuditRecord) {
        if let Ok(certificate) = &self.certificate {
            record.certificate_serial = Some(certificate.serial_decimal.clone());
            record.certificate_subject = Some(certificate.subject_text.clone());
            record.certificate_der = Some(certificate.der.to_vec());
        }
        record.trust_anchor_arn = Some(self.parameters.trust_anchor_arn.clone());
        record.profile_arn = Some(self.parameters.profile_arn.clone());
        record.role_arn = Some(self.parameters.role_arn.clone());
        record.duration_seconds = self.parameters.duration_seconds;
        record
            .role_session_name
            .clone_from(&self.parameters.role_session_name);
    }
}
