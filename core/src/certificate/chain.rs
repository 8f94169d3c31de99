//! The end entity's certificate and those that lead from it to a trust anchor.

use alloc::{string::String, vec::Vec};

use super::{Certificate, DistinguishedName, MAX_SERIAL_LENGTH, refuse};
use crate::{Error, Result, encoding, error::divided};

/// The greatest number of certificates in the header `X-Amz-X509-Chain`: the service's user guide
/// calls it the maximum depth. The end entity's certificate is not counted.
pub const MAX_INTERMEDIATES: usize = 5;

/// An end entity's certificate, and the intermediate certificates that lead from it towards a trust
/// anchor, in the order from the end entity to the root.
///
/// Names and key identifiers are looked at, and signatures only where these do not tell who issued what;
/// validity and constraints are the service's to check, and [`findings`](crate::identity::findings) tells
/// of what it will refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateChain {
    end_entity: Certificate,
    intermediates: Vec<Certificate>,
    unrelated: Vec<Certificate>,
    unreadable: Vec<String>,
}

/// How many signatures are verified to choose among issuers of one name. With more namesakes than that the
/// rest are kept unverified; verifying takes about a millisecond at worst.
const MAX_SIGNATURE_CHECKS: usize = 64;

impl CertificateChain {
    /// Makes a chain of an end entity's certificate and of what may be its issuers, in any order.
    ///
    /// What is kept: every certificate whose subject is the issuer of one that is kept, beginning
    /// with the end entity; where several have that name and some of them the key identifier that
    /// is asked for, only these, and where that leaves too many, only those whose key verifies (with
    /// the feature `issuer-signatures`). So both of two cross-signed certificates are kept: which one leads
    /// to the trust anchor is the service's to find. What is dropped: the end entity's certificate
    /// when it is repeated, duplicates, roots (the trust anchor is known to the service), and what is
    /// not on the path, so that a bundle of many CAs may be passed. The latter is not an error but
    /// [`unrelated`](Self::unrelated).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`](crate::ErrorKind::InvalidCertificate) when more than
    /// [`MAX_INTERMEDIATES`] would be kept, or the end entity's serial number cannot be sent: it is
    /// negative, or longer than [`MAX_SERIAL_LENGTH`].
    pub fn new(end_entity: Certificate, intermediates: Vec<Certificate>) -> Result<Self> {
        check_serial_number(&end_entity)?;
        let mut candidates = intermediates;
        candidates.retain(|candidate| *candidate != end_entity);
        // Only where names keep too many are signatures looked at.
        let again = (candidates.len() > MAX_INTERMEDIATES).then(|| candidates.clone());
        let (intermediates, unrelated) = Self::ordered(&end_entity, candidates, &mut 0)
            .or_else(|| Self::ordered(&end_entity, again?, &mut { MAX_SIGNATURE_CHECKS }))
            .ok_or_else(|| too_many(&end_entity))?;
        Ok(Self {
            end_entity,
            intermediates,
            unrelated,
            unreadable: Vec::new(),
        })
    }

    /// What is kept of `remaining` and what is left; `None` when more is kept than may be sent. `checks`
    /// is how many signatures may be verified to tell namesakes apart.
    fn ordered(
        end_entity: &Certificate,
        mut remaining: Vec<Certificate>,
        checks: &mut usize,
    ) -> Option<(Vec<Certificate>, Vec<Certificate>)> {
        let mut kept: Vec<Certificate> = Vec::new();
        let mut roots: Vec<Certificate> = Vec::new();
        // How many of `kept` have had their issuers looked for, the end entity counted: at most
        // `MAX_INTERMEDIATES` + 1, which bounds the work whatever is passed in.
        for position in 0.. {
            let current = match position {
                0 => end_entity,
                _ => match kept.get(position - 1) {
                    Some(current) => current,
                    None => break,
                },
            };
            for issuer in take_issuers(current, &mut remaining, checks) {
                if issuer.is_root() {
                    roots.push(issuer);
                } else if !kept.contains(&issuer) {
                    kept.push(issuer);
                }
                if kept.len() > MAX_INTERMEDIATES {
                    return None;
                }
            }
        }
        remaining.retain(|candidate| !kept.contains(candidate) && !roots.contains(candidate));
        Some((kept, remaining))
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
    /// As [`Certificate::from_pem`] when no certificate of the text can be read, or only CAs can: one that
    /// cannot be read beside an end entity is passed over ([`unreadable`](Self::unreadable)). As
    /// [`new`](Self::new) otherwise.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        Self::from_certificates(Certificate::all_from_pem(text)?)
    }

    /// [`from_pem`](Self::from_pem) for certificates that have been read, or not.
    pub(crate) fn from_certificates(certificates: Vec<Result<Certificate>>) -> Result<Self> {
        let (mut certificates, refused) = divided(certificates);
        let at = end_entity(&certificates);
        // A CA does not take the place of an end entity that cannot be read.
        let is_usable = certificates.get(at).is_some_and(|found| !found.is_ca());
        if let Some(error) = refused.first().filter(|_| !is_usable) {
            return Err(error.clone());
        }
        if at >= certificates.len() {
            return Err(refuse("there is no certificate: pass one"));
        }
        let end_entity = certificates.remove(at);
        Ok(Self::new(end_entity, certificates)?.beside(refused))
    }

    /// The same chain, beside which something could not be read.
    pub(crate) fn beside(mut self, refused: impl IntoIterator<Item = Error>) -> Self {
        let messages = refused.into_iter().map(|error| error.message().into());
        self.unreadable.extend(messages);
        self
    }

    /// The same chain, beside which is unreadable what is so beside another.
    pub(crate) fn beside_those_of(mut self, other: &Self) -> Self {
        self.unreadable.extend_from_slice(&other.unreadable);
        self
    }

    /// The same end entity, with the certificates of another PEM text beside those that the chain
    /// has.
    ///
    /// # Errors
    /// As [`Certificate::from_pem`] when no certificate of the text can be read, and as
    /// [`new`](Self::new).
    pub fn with_intermediates_pem(self, text: &[u8]) -> Result<Self> {
        let (more, refused) = divided(Certificate::all_from_pem(text)?);
        if let Some(error) = refused.first().filter(|_| more.is_empty()) {
            return Err(error.clone());
        }
        let mut candidates = self.intermediates;
        candidates.extend(self.unrelated);
        candidates.extend(more);
        let mut chain = Self::new(self.end_entity, candidates)?;
        chain.unreadable = self.unreadable;
        Ok(chain.beside(refused))
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

    /// The certificates that were passed in and cannot be read: for each the message of the error that says
    /// why. They are not sent.
    pub fn unreadable(&self) -> &[String] {
        &self.unreadable
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

/// Refuses the serial number of an end entity that the credential scope cannot name.
fn check_serial_number(end_entity: &Certificate) -> Result<()> {
    if end_entity.serial_decimal().starts_with('-') {
        return Err(refuse(
            "the certificate's serial number is negative, which the service cannot be told: ask its \
             issuer for one with a positive serial number",
        ));
    }
    let length = end_entity.serial_hex().len() / 2;
    if length > MAX_SERIAL_LENGTH {
        return Err(refuse(format_args!(
            "the certificate's serial number has {length} bytes, more than {MAX_SERIAL_LENGTH}: ask its \
             issuer for one of at most 20"
        )));
    }
    Ok(())
}

/// Takes the issuers of `certificate` out of `candidates`, in the order that they have there. As long as
/// `checks` lasts, namesakes whose key does not verify are left where one's does.
fn take_issuers(
    certificate: &Certificate,
    candidates: &mut Vec<Certificate>,
    checks: &mut usize,
) -> Vec<Certificate> {
    let is_issuer = |candidate: &Certificate| candidate.subject().matches(certificate.issuer());
    let has_key = |candidate: &Certificate| {
        let wanted = certificate.authority_key_identifier();
        wanted.is_some() && candidate.subject_key_identifier() == wanted
    };
    let by_key = candidates.iter().any(|c| is_issuer(c) && has_key(c));
    let mut issuers: Vec<Certificate> = candidates
        .extract_if(.., |candidate| {
            is_issuer(candidate) && (!by_key || has_key(candidate))
        })
        .collect();
    if issuers.len() > 1 && *checks > 0 {
        let verdicts: Vec<Option<bool>> = issuers
            .iter()
            .map(|issuer| {
                *checks = checks.checked_sub(1)?;
                certificate.is_signed_by(issuer)
            })
            .collect();
        if verdicts.contains(&Some(true)) {
            let mut verdicts = verdicts.iter();
            let strangers = issuers.extract_if(.., |_| verdicts.next() == Some(&Some(false)));
            candidates.extend(strangers);
        }
    }
    issuers
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
    let first = |wanted: &dyn Fn(&Certificate) -> bool| certificates.iter().position(wanted);
    first(&|candidate| !candidate.is_ca() && !is_issuer(candidate))
        .or_else(|| first(&|candidate| !is_issuer(candidate)))
        .unwrap_or(0)
}
