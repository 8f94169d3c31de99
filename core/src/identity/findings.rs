//! What the service will refuse, and why, before it is asked.

mod chain;
mod end_entity;

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use super::is_session_name;
use crate::{Certificate, CertificateChain, UnixTime, certificate::SignatureAlgorithm};

/// The length of the two certificate headers, in bytes of their values, from which on something
/// between client and service may refuse them. The service documents no bound; front ends of web
/// services bound all headers at 8 to 16 KiB, and the service takes ML-DSA-87, whose certificate
/// alone has 10,000 bytes as a header.
pub const MAX_HEADERS_LENGTH: usize = 10 << 10;

/// The greatest number of days before the end of the validity from which on a certificate expires
/// soon: the service's own default for its notifications. A short validity is warned of later, in its
/// last tenth.
const EXPIRY_WARNING_DAYS: i64 = 45;

/// Looks for what the service will refuse in a chain and, where one is given, a role session name, at
/// the time `now`. Refusals come first. An empty answer is no promise: whether the chain leads to the
/// trust anchor, and what profile and trust policy say, only the service knows.
///
/// The signatures of the certificates are not verified, name constraints and policies not looked at.
pub fn findings(
    chain: &CertificateChain,
    now: UnixTime,
    session_name: Option<&str>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    end_entity::look(chain, now, &mut found);
    chain::look(chain, now, &mut found);
    if let Some(name) = session_name.filter(|name| !is_session_name(name)) {
        let shown: String = name.chars().take(80).collect();
        found.push(Finding {
            severity: Severity::Refusal,
            code: "session_name_invalid",
            about: About::Request,
            message: format!(
                "the role session name `{shown}` is not 2 to 64 letters, digits or `_+=,.@-`"
            ),
            remedy: "choose another role session name",
            service_message: None,
        });
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

/// One thing that the service will or may refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How certain it is.
    pub severity: Severity,
    /// A stable snake_case code, one of [`Finding::CODES`].
    pub code: &'static str,
    /// What it is about.
    pub about: About,
    /// What was found, with names and times.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// What the service says about it with status 403, word by word, where that is known. It says the
    /// same about other things.
    pub service_message: Option<&'static str>,
}

impl Finding {
    /// Every code, in alphabetical order.
    pub const CODES: &'static [&'static str] = &[
        "attributes_unmappable",
        "certificates_unrelated",
        "common_name_unmappable",
        "critical_extension_unknown",
        "digital_signature_missing",
        "end_entity_expired",
        "end_entity_expires_soon",
        "end_entity_is_ca",
        "end_entity_not_yet_valid",
        "end_entity_self_signed",
        "extended_key_usage_without_client_auth",
        "headers_long",
        "issuer_expired",
        "issuer_expires_soon",
        "issuer_key_cert_sign_missing",
        "issuer_not_ca",
        "issuer_not_yet_valid",
        "issuer_path_length_exceeded",
        "key_unsupported",
        "key_usage_missing",
        "serial_number_unusual",
        "session_name_invalid",
        "signature_algorithm_uncertain",
        "signature_algorithm_weak",
        "source_identity_uncertain",
        "subject_empty",
        "version_not_3",
    ];
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

/// How certain a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The service refuses it, by its user guide or as live requests showed.
    Refusal,
    /// It may be refused, or will be soon, or takes away what a trust policy asks for.
    Warning,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum About {
    /// The end entity's certificate.
    EndEntity,
    /// The intermediate certificate at that position of
    /// [`CertificateChain::intermediates`]. A refusal holds for every path through it; a trust anchor
    /// of the same name, or one below it, makes it needless.
    Intermediate(usize),
    /// The request as a whole.
    Request,
}

/// The service's words, `service_message`: no path to the trust anchor.
const UNTRUSTED: Option<&str> = Some("Untrusted signing certificate");
/// The service's words: the end entity's constraints.
const INSUFFICIENT: Option<&str> = Some("Untrusted certificate. Insufficient certificate");

const NEW_CERTIFICATE: &str = "ask the issuer for a new certificate";

/// What is wanted of every certificate that is sent.
fn look_at_any(
    certificate: &Certificate,
    about: About,
    severity: Severity,
    found: &mut Vec<Finding>,
) {
    let who = Who(about, certificate);
    let mut add = |severity, code, message, service_message| {
        found.push(Finding {
            severity,
            code,
            about,
            message,
            remedy: NEW_CERTIFICATE,
            service_message,
        });
    };
    if certificate.version() != 3 {
        let version = certificate.version();
        let message = format!("{who} is of version {version}, and the service takes version 3");
        add(severity, "version_not_3", message, None);
    }
    let algorithm = certificate.signature_algorithm();
    match algorithm.is_sha256_or_stronger() {
        Some(false) => {
            let message = format!(
                "{who} is signed with {algorithm}, and the service wants SHA-256 or stronger"
            );
            add(severity, "signature_algorithm_weak", message, None);
        }
        Some(true) if is_common(algorithm) => {}
        _ => {
            let message =
                format!("{who} is signed with {algorithm}, which the service is not known to take");
            let code = "signature_algorithm_uncertain";
            add(Severity::Warning, code, message, None);
        }
    }
    if let [first, ..] = certificate.unknown_critical_extensions() {
        let message = format!(
            "{who} has the critical extension {first}, which a validator that does not know it \
             must refuse"
        );
        let code = "critical_extension_unknown";
        add(Severity::Warning, code, message, UNTRUSTED);
    }
}

/// Whether the service documents the algorithm: RSA, ECDSA and ML-DSA.
fn is_common(algorithm: &SignatureAlgorithm) -> bool {
    !matches!(
        algorithm,
        SignatureAlgorithm::Ed25519 | SignatureAlgorithm::Ed448 | SignatureAlgorithm::RsaPss(_)
    )
}

/// How the validity of a certificate stands at a time.
enum Standing {
    Expired,
    ExpiresSoon,
    NotYetValid,
    Valid,
}

fn standing(certificate: &Certificate, now: UnixTime) -> Standing {
    const DAY: i64 = 24 * 60 * 60;
    let (from, to) = (certificate.not_before(), certificate.not_after());
    let soon = (to.seconds_since(from) / 10).min(EXPIRY_WARNING_DAYS * DAY);
    if now > to {
        Standing::Expired
    } else if now < from {
        Standing::NotYetValid
    } else if to.seconds_since(now) < soon {
        Standing::ExpiresSoon
    } else {
        Standing::Valid
    }
}

/// Names a certificate in a message.
struct Who<'a>(About, &'a Certificate);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            About::Intermediate(_) => {
                write!(f, "the intermediate certificate `{}`", self.1.subject())
            }
            About::EndEntity | About::Request => f.write_str("the certificate"),
        }
    }
}
