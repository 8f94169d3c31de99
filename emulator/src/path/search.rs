//! The search for a path, and the rules along it (RFC 5280, 6.1).
//!
//! It stands here and not in rustls-webpki, which builds paths for TLS: it refuses critical policies,
//! directory names in constraints, times before 1970 and self-issued CAs in a path length, and compares
//! names byte by byte, all of which it decides before a caller can. Of other crates `certval` validates so,
//! and is a pre-release over `x509-cert`, which is too strict for certificates as they are met. Signatures
//! are verified by the algorithms of `verification`, webpki's own among them. PKITS (tests/pkits) holds it
//! to NIST's verdicts.

use std::{collections::HashMap, sync::atomic::AtomicU32};

use rolesanywhere_core::UnixTime;

use super::{
    failure::{Failure, Kind},
    names::{Constraints, MAX_COMPARISONS},
    policies::Policies,
};
use crate::{
    certificate::Certificate,
    config::Settings,
    verification::{GoodSignatures, SignatureFailure, verify_issued},
};

/// How many signatures one request's chain may cost. A chain of five takes six; the rest is for
/// cross-signed CAs.
const MAX_SIGNATURE_CHECKS: u32 = 16;
/// How many ways to an anchor are gone in one request. Five CAs of one name make 326 beginnings.
const MAX_PATHS: u32 = 64;

/// What a search is made among.
pub(super) struct Search<'a> {
    /// CAs that may stand in between.
    candidates: &'a [&'a Certificate],
    anchors: &'a [&'a Certificate],
    now: UnixTime,
    settings: &'a Settings,
    good: &'a GoodSignatures,
    signatures_left: AtomicU32,
    paths_left: u32,
    comparisons_left: u32,
    /// Whether an issuer's key verifies a certificate, by their addresses.
    verified: HashMap<(*const Certificate, *const Certificate), Result<(), SignatureFailure>>,
    /// The failure that came farthest, the first of its kind.
    failure: Option<Failure>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        candidates: &'a [&'a Certificate],
        anchors: &'a [&'a Certificate],
        now: UnixTime,
        settings: &'a Settings,
        good: &'a GoodSignatures,
    ) -> Self {
        Self {
            candidates,
            anchors,
            now,
            settings,
            good,
            signatures_left: AtomicU32::new(MAX_SIGNATURE_CHECKS),
            paths_left: MAX_PATHS,
            comparisons_left: MAX_COMPARISONS,
            verified: HashMap::new(),
            failure: None,
        }
    }

    /// The certificates between the end entity and an anchor, the end entity's issuer first.
    pub(super) fn run(
        mut self,
        end_entity: &'a Certificate,
    ) -> Result<Vec<&'a Certificate>, Failure> {
        if end_entity.basic_constraints.is_some_and(|(ca, _)| ca) {
            return Err(Failure::new(
                Kind::EndEntity,
                "the certificate is a CA's, and no end entity's",
            ));
        }
        if !end_entity.is_v3 {
            return Err(Failure::new(
                Kind::EndEntity,
                "the certificate is not of version 3",
            ));
        }
        let mut path = vec![end_entity];
        if self.extend(&mut path) {
            return Ok(path.split_off(1));
        }
        Err(self.failure.unwrap_or_else(|| {
            let issuer = &end_entity.issuer_name;
            Failure::new(
                Kind::NoIssuer,
                format!("neither chain nor anchor holds a CA of the issuer's name `{issuer}`"),
            )
        }))
    }

    /// Looks for the way on from the last certificate; `path` is then the whole.
    fn extend(&mut self, path: &mut Vec<&'a Certificate>) -> bool {
        let Some(&below) = path.last() else {
            return false;
        };
        for &anchor in self.anchors {
            if self.is_issuer(anchor, below) {
                match self.validate(path, anchor) {
                    Ok(()) => return true,
                    Err(failure) => self.note(failure),
                }
            }
        }
        for &ca in self.candidates {
            let is_used = path.iter().any(|used| used.der == ca.der);
            if !is_used && self.is_issuer(ca, below) {
                path.push(ca);
                if self.extend(path) {
                    return true;
                }
                path.pop();
            }
        }
        if self.failure.is_none() {
            self.note(Failure::new(
                Kind::NoIssuer,
                format!(
                    "neither chain nor anchor holds a CA of the name `{}`, the issuer of `{}`",
                    below.issuer_name, below.subject_text
                ),
            ));
        }
        false
    }

    /// Whether name and key of `issuer` are those that `certificate` was issued by.
    fn is_issuer(&mut self, issuer: &Certificate, certificate: &Certificate) -> bool {
        if !issuer.is_named_as_issuer_of(certificate) {
            return false;
        }
        let pair = (std::ptr::from_ref(issuer), std::ptr::from_ref(certificate));
        let (settings, good, left) = (self.settings, self.good, &self.signatures_left);
        let verdict = *self
            .verified
            .entry(pair)
            .or_insert_with(|| verify_issued(issuer, certificate, settings, good, left));
        let (kind, why) = match verdict {
            Ok(()) => return true,
            Err(SignatureFailure::Algorithm) => (
                Kind::Algorithm,
                "is made in a way that is not taken under the key of",
            ),
            Err(SignatureFailure::Budget) => {
                (Kind::TooMuch, "is one too many to verify, under the key of")
            }
            Err(SignatureFailure::Wrong) => (Kind::Signature, "does not verify under the key of"),
        };
        self.note(Failure::new(
            kind,
            format!(
                "the signature on `{}` {why} `{}`",
                certificate.subject_text, issuer.subject_text
            ),
        ));
        false
    }

    fn note(&mut self, failure: Failure) {
        let earlier = self.failure.as_ref().map(|earlier| earlier.kind);
        if earlier.is_none_or(|earlier| earlier < failure.kind) {
            self.failure = Some(failure);
        }
    }

    /// The rules of RFC 5280 (6.1), from the anchor down to the end entity.
    fn validate(
        &mut self,
        path: &[&'a Certificate],
        anchor: &'a Certificate,
    ) -> Result<(), Failure> {
        self.paths_left = self.paths_left.checked_sub(1).ok_or_else(|| {
            Failure::new(
                Kind::TooMuch,
                format!("more than {MAX_PATHS} paths lead to it"),
            )
        })?;
        let mut names = Constraints::default();
        let mut policies = Policies::new();
        let mut path_length = PathLength::unlimited();
        names.add(anchor);
        path_length.limit(anchor);
        for (depth, &certificate) in path.iter().enumerate().rev() {
            let is_last = depth == 0;
            self.check_alone(certificate)?;
            if is_last || !certificate.is_self_issued() {
                names.check(certificate, &mut self.comparisons_left)?;
            }
            policies.enter(certificate, is_last)?;
            if is_last {
                return policies.finish(certificate);
            }
            if !certificate.basic_constraints.is_some_and(|(ca, _)| ca) {
                return Err(Failure::new(
                    Kind::NotCa,
                    format!(
                        "`{}` issued a certificate and is no CA (basic constraints)",
                        certificate.subject_text
                    ),
                ));
            }
            path_length.pass(certificate)?;
            policies.leave(certificate)?;
            names.add(certificate);
        }
        Ok(())
    }

    fn check_alone(&self, certificate: &Certificate) -> Result<(), Failure> {
        if !certificate.is_valid_at(self.now) {
            return Err(Failure::new(
                Kind::Time,
                format!(
                    "`{}` is valid from {} to {}; the emulator's clock says {}",
                    certificate.subject_text,
                    certificate.not_before.to_iso8601(),
                    certificate.not_after.to_iso8601(),
                    self.now.to_iso8601()
                ),
            ));
        }
        if let Some(why) = &certificate.constraints.unusable {
            return Err(Failure::new(
                Kind::Extension,
                format!("`{}` {why}", certificate.subject_text),
            ));
        }
        Ok(())
    }
}

/// How many CAs may still follow, and who says so.
struct PathLength<'a>(Option<(u32, &'a Certificate)>);

impl<'a> PathLength<'a> {
    fn unlimited() -> Self {
        Self(None)
    }

    /// Takes the limit of `issuer`, where it is the lower.
    fn limit(&mut self, issuer: &'a Certificate) {
        let Some((_, Some(limit))) = issuer.basic_constraints else {
            return;
        };
        if self.0.is_none_or(|(left, _)| limit < left) {
            self.0 = Some((limit, issuer));
        }
    }

    /// Counts a CA in, if it is not self-issued, and takes its limit.
    fn pass(&mut self, ca: &'a Certificate) -> Result<(), Failure> {
        if let Some((left, by)) = &mut self.0
            && !ca.is_self_issued()
        {
            *left = left.checked_sub(1).ok_or_else(|| {
                Failure::new(
                    Kind::PathLength,
                    format!(
                        "`{}` is one CA too many below `{}` (basic constraints, path length)",
                        ca.subject_text, by.subject_text
                    ),
                )
            })?;
        }
        self.limit(ca);
        Ok(())
    }
}
