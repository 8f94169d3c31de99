//! The path that the service is likely to take.

use alloc::vec::Vec;

use crate::{Certificate, CertificateChain, UnixTime};

/// The intermediate certificates, from the end entity's issuer upwards, of the longest path on which
/// nothing is wrong with any of them at the time `now`. The trust anchor is the issuer of the last, or any
/// certificate of the path.
///
/// The service builds its path to a trust anchor that is not known here, of the certificates that are
/// sent. A certificate is on no path that is no CA's or may not sign certificates (basic constraints, key
/// usage), that is not valid at the time, whose path length is exceeded, or whose key does not verify the
/// certificate below (with the feature
/// `issuer-signatures`).
pub fn likely_path(chain: &CertificateChain, now: UnixTime) -> Vec<&Certificate> {
    let mut longest = Vec::new();
    extend(chain, now, &mut Vec::new(), &mut longest);
    longest
}

/// Tries every issuer of the last certificate of `path`. There are five intermediate certificates at most,
/// so 326 paths.
fn extend<'a>(
    chain: &'a CertificateChain,
    now: UnixTime,
    path: &mut Vec<&'a Certificate>,
    longest: &mut Vec<&'a Certificate>,
) {
    if path.len() > longest.len() {
        longest.clone_from(path);
    }
    let below = *path.last().unwrap_or(&chain.end_entity());
    for issuer in chain.intermediates() {
        let fits = !path.contains(&issuer)
            && issuer.subject().matches(below.issuer())
            && may_issue(issuer, path, now)
            && below.is_signed_by(issuer).unwrap_or(true);
        if fits {
            path.push(issuer);
            extend(chain, now, path, longest);
            path.pop();
        }
    }
}

/// Whether a certificate may stand above the intermediate certificates of `path` (RFC 5280, 6.1.4).
fn may_issue(issuer: &Certificate, path: &[&Certificate], now: UnixTime) -> bool {
    let counted = path.iter().filter(|below| !below.is_self_issued()).count();
    let counted = u32::try_from(counted).unwrap_or(u32::MAX);
    issuer.basic_constraints().is_some_and(|constraints| {
        constraints.ca && constraints.path_length.is_none_or(|most| counted <= most)
    }) && issuer
        .key_usage()
        .is_some_and(|usage| usage.key_cert_sign())
        && (issuer.not_before()..=issuer.not_after()).contains(&now)
}
