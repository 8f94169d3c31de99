//! The end entity's certificate and those that lead from it to a trust anchor.

use alloc::{string::String, vec::Vec};

use super::{Certificate, DistinguishedName, refuse};
use crate::{Result, encoding};

/// The greatest number of certificates in the header `X-Amz-X509-Chain`: the service's user guide
/// calls it the maximum depth. The end entity's certificate is not counted.
pub const MAX_INTERMEDIATES: usize = 5;

/// An end entity's certificate, and the intermediate certificates that lead from it towards a trust
/// anchor, in the order from the end entity to the root.
///
/// Only names and key identifiers are looked at; signatures, validity and constraints are the
/// service's to check, and [`findings`](crate::identity::findings) tells of what it will refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateChain {
    end_entity: Certificate,
    intermediates: Vec<Certificate>,
    unrelated: Vec<Certificate>,
}

impl CertificateChain {
    /// Makes a chain of an end entity's certificate and of what may be its issuers, in any order.
    ///
    /// What is kept: every certificate whose subject is the issuer of one that is kept, beginning
    /// with the end entity; where several have that name and some of them the key identifier that
    /// is asked for, only these. So both of two cross-signed certificates are kept: which one leads
    /// to the trust anchor is the service's to find. What is dropped: the end entity's certificate
    /// when it is repeated, duplicates, roots (the trust anchor is known to the service), and what is
    /// not on the path, so that a bundle of many CAs may be passed. The latter is not an error but
    /// [`unrelated`](Self::unrelated).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`](crate::ErrorKind::InvalidCertificate) when more than
    /// [`MAX_INTERMEDIATES`] would be kept.
    pub fn new(end_entity: Certificate, intermediates: Vec<Certificate>) -> Result<Self> {
        let mut remaining = intermediates;
        remaining.retain(|candidate| *candidate != end_entity);
        let mut kept: Vec<Certificate> = Vec::new();
        let mut roots: Vec<Certificate> = Vec::new();
        // How many of `kept` have had their issuers looked for, the end entity counted: at most
        // `MAX_INTERMEDIATES` + 1, which bounds the work whatever is passed in.
        for position in 0.. {
            let current = match position {
                0 => &end_entity,
                _ => match kept.get(position - 1) {
                    Some(current) => current,
                    None => break,
                },
            };
            for issuer in take_issuers(current, &mut remaining) {
                if issuer.is_root() {
                    roots.push(issuer);
                } else if !kept.contains(&issuer) {
                    kept.push(issuer);
                }
            }
            if kept.len() > MAX_INTERMEDIATES {
                return Err(too_many(&end_entity));
            }
        }
        remaining.retain(|candidate| !kept.contains(candidate) && !roots.contains(candidate));
        Ok(Self {
            end_entity,
            intermediates: kept,
            unrelated: remaining,
        })
    }

    /// Reads a full chain from one PEM text, in any order; other blocks, a private key for instance,
    /// are passed over. One certificate alone is a chain too.
    ///
    /// The end entity is the first certificate that is not a CA and whose subject is not the issuer
    /// of another certificate of the text; failing that, the first whose subject is no issuer;
    /// failing that, the first. With the usual orders (end entity first, or root first) this is the
    /// certificate that everyone means.
    ///
    /// # Errors
    /// As [`Certificate::from_pem`], for every certificate of the text, and as [`new`](Self::new).
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        Self::from_certificates(Certificate::all_from_pem(text)?)
    }

    /// [`from_pem`](Self::from_pem) for certificates that have been read; at least one.
    pub(crate) fn from_certificates(mut certificates: Vec<Certificate>) -> Result<Self> {
        let at = end_entity(&certificates);
        if at >= certificates.len() {
            return Err(refuse("there is no certificate: pass one"));
        }
        let end_entity = certificates.remove(at);
        Self::new(end_entity, certificates)
    }

    /// The same end entity, with the certificates of another PEM text beside those that the chain
    /// has.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn with_intermediates_pem(self, text: &[u8]) -> Result<Self> {
        let mut candidates = self.intermediates;
        candidates.extend(self.unrelated);
        candidates.extend(Certificate::all_from_pem(text)?);
        Self::new(self.end_entity, candidates)
    }

    /// The certificate whose key signs requests.
    pub fn end_entity(&self) -> &Certificate {
        &self.end_entity
    }

    /// The intermediate certificates from the end entity to the root, without either; at most
    /// [`MAX_INTERMEDIATES`].
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// What was passed in and dropped because it is not on the path from the end entity.
    pub fn unrelated(&self) -> &[Certificate] {
        &self.unrelated
    }

    /// The name that a trust anchor must have for this chain: the issuer of the last certificate.
    /// (A trust anchor may be an intermediate too: then the name of any issuer in the chain fits.)
    pub fn last_issuer(&self) -> &DistinguishedName {
        self.intermediates
            .last()
            .unwrap_or(&self.end_entity)
            .issuer()
    }

    /// The value of the header `X-Amz-X509`: the end entity's certificate in base64 DER, one line.
    pub fn x509_header(&self) -> String {
        encoding::base64(self.end_entity.as_der())
    }

    /// The value of the header `X-Amz-X509-Chain`: the intermediates in base64 DER, separated by
    /// commas without spaces; `None`, and no header, when there is none.
    pub fn x509_chain_header(&self) -> Option<String> {
        let encoded: Vec<_> = self
            .intermediates
            .iter()
            .map(|certificate| encoding::base64(certificate.as_der()))
            .collect();
        (!encoded.is_empty()).then(|| encoded.join(","))
    }
}

/// Takes the issuers of `certificate` out of `candidates`, in the order that they have there.
fn take_issuers(certificate: &Certificate, candidates: &mut Vec<Certificate>) -> Vec<Certificate> {
    let is_issuer = |candidate: &Certificate| candidate.subject().matches(certificate.issuer());
    let has_key = |candidate: &Certificate| {
        let wanted = certificate.authority_key_identifier();
        wanted.is_some() && candidate.subject_key_identifier() == wanted
    };
    let by_key = candidates.iter().any(|c| is_issuer(c) && has_key(c));
    candidates
        .extract_if(.., |candidate| {
            is_issuer(candidate) && (!by_key || has_key(candidate))
        })
        .collect()
}

fn too_many(end_entity: &Certificate) -> crate::Error {
    refuse(format_args!(
        "more than {MAX_INTERMEDIATES} intermediate certificates lead on from `{}`, and the service \
         takes {MAX_INTERMEDIATES}: pass only those between the end entity and the trust anchor",
        end_entity.subject()
    ))
}

/// Where the end entity stands; the documentation of [`CertificateChain::from_pem`] has the rule.
fn end_entity(certificates: &[Certificate]) -> usize {
    // Each name is read once: a text may hold hundreds of certificates.
    let issuers: Vec<String> = certificates
        .iter()
        .map(|certificate| certificate.issuer().canonical())
        .collect();
    let is_issuer = |candidate: &Certificate| {
        let subject = candidate.subject().canonical();
        let named = |issuer: &String| *issuer == subject;
        let issued = issuers.iter().zip(certificates);
        issued
            .filter(|(issuer, _)| named(issuer))
            .any(|(_, other)| other != candidate)
    };
    let is_ca = |candidate: &Certificate| candidate.basic_constraints().is_some_and(|b| b.ca);
    let first = |wanted: &dyn Fn(&Certificate) -> bool| certificates.iter().position(wanted);
    first(&|candidate| !is_ca(candidate) && !is_issuer(candidate))
        .or_else(|| first(&|candidate| !is_issuer(candidate)))
        .unwrap_or(0)
}
