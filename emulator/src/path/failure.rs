//! Why there is no path.

use crate::error::Fault;

/// Why a path was not taken; of several, the one is told that came farthest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// For the audit record.
    pub(super) reason: String,
}

/// What is wrong, the farther the search came the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// No CA has the name of the issuer.
    NoIssuer,
    /// A signature does not verify.
    Signature,
    /// A signature is of a kind that is not taken.
    Algorithm,
    /// The search was given up.
    TooMuch,
    /// A certificate that is no CA's issued another.
    NotCa,
    PathLength,
    Extension,
    Names,
    Policies,
    /// A certificate is not valid at the time.
    Time,
    /// The end entity cannot be one: it is a CA, or not of version 3.
    EndEntity,
}

impl Failure {
    pub(super) fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
        }
    }

    /// As the service would put it.
    pub(super) fn fault(&self, is_signed_as_allowed: bool) -> Fault {
        match self.kind {
            Kind::EndEntity => Fault::InsufficientCertificate,
            Kind::Time => Fault::CertificateNotValidNow,
            _ if !is_signed_as_allowed => Fault::InsufficientCertificate,
            _ => Fault::UntrustedCertificate,
        }
    }
}
