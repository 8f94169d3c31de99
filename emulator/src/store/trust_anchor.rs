//! Trust anchors.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{
    certificate::Certificate,
    config::{self, NotificationEvent, Settings},
    verification::certificate_algorithms,
};

use super::{
    Invalid,
    account::{Account, check_name, check_tags},
    table::{Kind, Resource, Times},
};

/// The service's quota of certificates in one trust anchor, so that a CA can be rotated.
const MAX_ANCHOR_CERTIFICATES: usize = 2;
/// The service's own notification settings.
const DEFAULT_THRESHOLD_DAYS: u32 = 45;
const SERVICE: &str = "rolesanywhere.amazonaws.com";

/// A trust anchor whose certificates meet the rules for CA certificates.
#[derive(Debug)]
pub(crate) struct TrustAnchor {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) alias_arn: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) certificates: Vec<Certificate>,
    /// Both events, in the order of [`NotificationEvent::ALL`].
    pub(crate) notification_settings: Vec<EffectiveNotification>,
    pub(crate) times: Times,
    spec: config::TrustAnchor,
}

/// The setting that holds for an event: the customer's, or the service's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EffectiveNotification {
    pub(crate) event: NotificationEvent,
    pub(crate) enabled: bool,
    /// Days; there where it is enabled.
    pub(crate) threshold: Option<u32>,
    /// The account's id, or the service's name.
    pub(crate) configured_by: String,
}

impl TrustAnchor {
    /// Parses plain data.
    pub(crate) fn new(
        mut spec: config::TrustAnchor,
        account: &Account,
        times: Times,
    ) -> Result<Arc<Self>, Invalid> {
        check_name(&spec.name)?;
        check_tags(spec.tags.iter())?;
        let pem = match &spec.acm_pca_arn {
            Some(_) if spec.pem.is_some() => {
                return Err(Invalid::new(
                    "it has both `pem` and `acm_pca_arn`: keep one",
                ));
            }
            Some(arn) => account
                .private_cas
                .get(arn)
                .map(String::as_str)
                .ok_or_else(|| {
                    Invalid::new(format!(
                        "there is no private CA `{arn}`: add a `[[private_ca]]`"
                    ))
                })?,
            None => spec.pem.as_deref().unwrap_or_default(),
        };
        let certificates = anchor_certificates(pem, &account.settings)?;
        let id = account.resource_id(Kind::TrustAnchor, &spec.name, spec.id.as_deref())?;
        let arn = account.arn(&format!("{}/{id}", Kind::TrustAnchor.as_str()));
        let alias_arn = account.alias_arn(Kind::TrustAnchor, spec.alias.as_deref())?;
        let notification_settings = effective_notifications(&spec, &account.id)?;
        spec.id = Some(id);
        Ok(Arc::new(Self {
            name: spec.name.clone(),
            arn,
            alias_arn,
            enabled: spec.enabled,
            certificates,
            notification_settings,
            times,
            spec,
        }))
    }
}

impl Resource for TrustAnchor {
    type Spec = config::TrustAnchor;
    const KIND: Kind = Kind::TrustAnchor;

    fn spec(&self) -> &config::TrustAnchor {
        &self.spec
    }

    fn arn(&self) -> &str {
        &self.arn
    }

    fn alias_arn(&self) -> Option<&str> {
        self.alias_arn.as_deref()
    }

    fn times(&self) -> Times {
        self.times
    }
}

fn anchor_certificates(pem: &str, settings: &Settings) -> Result<Vec<Certificate>, Invalid> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad_certificate(format!("its PEM cannot be read: {error}")))?;
    if certificates.is_empty() || certificates.len() > MAX_ANCHOR_CERTIFICATES {
        return Err(bad_certificate(format!(
            "it holds {} certificates: give one or {MAX_ANCHOR_CERTIFICATES} PEM blocks `CERTIFICATE`",
            certificates.len()
        )));
    }
    certificates
        .iter()
        .map(|der| anchor_certificate(der, settings))
        .collect()
}

/// A CA certificate, if it meets the service's rules for trust anchors.
fn anchor_certificate(
    der: &CertificateDer<'_>,
    settings: &Settings,
) -> Result<Certificate, Invalid> {
    let certificate = Certificate::from_der(der).map_err(bad_certificate)?;
    let subject = certificate.subject_text.clone();
    let refuse = |why: &str| {
        Err(bad_certificate(format!(
            "its certificate `{subject}` {why}"
        )))
    };
    let bad_constraints = |why: &str| {
        Err(Invalid::saying(
            "Incorrect basic constraints for CA certificate",
            format!("its certificate `{subject}` {why}"),
        ))
    };
    if certificate.subject_is_empty {
        return refuse("has an empty subject: no certificate can name it as its issuer");
    }
    if !certificate.is_v3 {
        return refuse("is not of version 3");
    }
    if !certificate.basic_constraints.is_some_and(|(ca, _)| ca) {
        return bad_constraints(
            "is not a CA certificate (the service says: Incorrect basic constraints for CA \
             certificate): its basic constraints must say CA:TRUE",
        );
    }
    if !certificate.key_usage.is_some_and(|ku| ku.key_cert_sign) {
        return bad_constraints(
            "may not sign certificates (the service says: Incorrect basic constraints for CA \
             certificate): its key usage must hold keyCertSign",
        );
    }
    if !is_signed_as_allowed(&certificate, settings) {
        return refuse(
            "is signed with an algorithm that the service refuses: use SHA-256 or stronger",
        );
    }
    Ok(certificate)
}

/// Whether a certificate carries a signature of a kind that the service takes.
pub(crate) fn is_signed_as_allowed(certificate: &Certificate, settings: &Settings) -> bool {
    certificate_algorithms(settings)
        .any(|algorithm| algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm)
}

/// The text is the service's.
fn bad_certificate(reason: String) -> Invalid {
    Invalid::saying("Error creating TrustAnchor. Bad certificate data", reason)
}

fn effective_notifications(
    spec: &config::TrustAnchor,
    account: &str,
) -> Result<Vec<EffectiveNotification>, Invalid> {
    let mut effective = Vec::new();
    for event in NotificationEvent::ALL {
        let mut settings = spec.notification_settings.iter();
        let own = settings.find(|setting| setting.event == event);
        if settings.any(|setting| setting.event == event) {
            return Err(Invalid::new(format!(
                "its notification setting for {} stands twice",
                event.as_str()
            )));
        }
        effective.push(match own {
            None => EffectiveNotification {
                event,
                enabled: true,
                threshold: Some(DEFAULT_THRESHOLD_DAYS),
                configured_by: SERVICE.to_owned(),
            },
            Some(own) => {
                let in_bounds = own.threshold.is_none_or(|days| (1..=360).contains(&days));
                if !in_bounds || (own.enabled && own.threshold.is_none()) {
                    return Err(Invalid::new(format!(
                        "its notification setting for {} must have a threshold of 1 to 360 days",
                        event.as_str()
                    )));
                }
                EffectiveNotification {
                    event,
                    enabled: own.enabled,
                    threshold: own.threshold,
                    configured_by: account.to_owned(),
                }
            }
        });
    }
    Ok(effective)
}
