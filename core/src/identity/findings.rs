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
/// the time `now`. Refusals come first: only the end entity and the request give rise to them. The service
/// builds a path of its own, so that what is wrong with an intermediate certificate may be without
/// consequence. An empty answer is no promise: whether the chain leads to the trust anchor, and what profile
/// and trust policy say, only the service knows.
///
/// Name constraints and policies are not looked at.
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
        found.push(Finding::refusal(
            Decisive::Request,
            "session_name_invalid",
            format!("the role session name `{shown}` is not 2 to 64 letters, digits or `_+=,.@-`"),
            "choose another role session name",
            None,
        ));
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

/// One thing that the service will or may refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How certain it is; [`Severity::Refusal`] of the end entity and the request alone.
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

/// What can give rise to a refusal: of intermediate certificates the service takes those that it likes.
#[derive(Clone, Copy)]
enum Decisive {
    EndEntity,
    Request,
}

impl Finding {
    /// Whether the service refuses the request because of it, so that asking is of no use.
    pub fn refuses(&self) -> bool {
        self.severity == Severity::Refusal
    }

    fn refusal(
        about: Decisive,
        code: &'static str,
        message: impl Into<String>,
        remedy: &'static str,
        service_message: Option<&'static str>,
    ) -> Self {
        let about = match about {
            Decisive::EndEntity => About::EndEntity,
            Decisive::Request => About::Request,
        };
        Self {
            severity: Severity::Refusal,
            ..Self::warning(about, code, message, remedy, service_message)
        }
    }

    fn warning(
        about: About,
        code: &'static str,
        message: impl Into<String>,
        remedy: &'static str,
        service_message: Option<&'static str>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            code,
            about,
            message: message.into(),
            remedy,
            service_message,
        }
    }

    /// Every code, in alphabetical order.
    pub const CODES: &'static [&'static str] = &[
        "attributes_unmappable",
        "certificate_unreadable",
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
        "validity_unusual",
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
    /// [`CertificateChain::intermediates`]: no path through it will do. A trust anchor of the same name, or
    /// one below it, makes it needless, and so may another certificate of the same name.
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
fn look_at_any(certificate: &Certificate, about: About, found: &mut Vec<Finding>) {
    let who = Who(about, certificate);
    // What decides of the end entity is a warning of another.
    let mut decisive = |code, message| {
        found.push(match about {
            About::EndEntity => {
                Finding::refusal(Decisive::EndEntity, code, message, NEW_CERTIFICATE, None)
            }
            _ => Finding::warning(about, code, message, NEW_CERTIFICATE, None),
        });
    };
    if certificate.version() != 3 {
        let version = certificate.version();
        let message = format!("{who} is of version {version}, and the service takes version 3");
        decisive("version_not_3", message);
    }
    let algorithm = certificate.signature_algorithm();
    match algorithm.is_sha256_or_stronger() {
        Some(false) => {
            let message = format!(
                "{who} is signed with {algorithm}, and the service wants SHA-256 or stronger"
            );
            decisive("signature_algorithm_weak", message);
        }
        Some(true) if is_common(algorithm) => {}
        _ => {
            let message =
                format!("{who} is signed with {algorithm}, which the service is not known to take");
            let code = "signature_algorithm_uncertain";
            let remedy = NEW_CERTIFICATE;
            found.push(Finding::warning(about, code, message, remedy, None));
        }
    }
    if let [first, ..] = certificate.unknown_critical_extensions() {
        let message = format!(
            "{who} has the critical extension {first}, which a validator that does not know it \
             must refuse"
        );
        let code = "critical_extension_unknown";
        let remedy = NEW_CERTIFICATE;
        found.push(Finding::warning(about, code, message, remedy, UNTRUSTED));
    }
    if certificate.has_unusual_time() {
        let message = format!(
            "a time of the validity of {who} lies before 1970 or has an offset, a fraction or no seconds, \
             which some validators refuse (RFC 5280, 4.1.2.5)"
        );
        let (code, remedy) = ("validity_unusual", NEW_CERTIFICATE);
        found.push(Finding::warning(about, code, message, remedy, UNTRUSTED));
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
