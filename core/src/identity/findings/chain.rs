//! The rules for intermediate certificates (user guide, "trust model"; RFC 5280, 6.1), and for the
//! chain as a whole.

use alloc::{format, string::String, vec::Vec};

use super::{
    About, Finding, MAX_HEADERS_LENGTH, NEW_CERTIFICATE, Standing, UNTRUSTED, Who, look_at_any,
    standing,
};
use crate::{Certificate, CertificateChain, UnixTime};

pub(super) fn look(chain: &CertificateChain, now: UnixTime, found: &mut Vec<Finding>) {
    for (position, certificate) in chain.intermediates().iter().enumerate() {
        let about = About::Intermediate(position);
        look_at_any(certificate, about, found);
        let mut add = |code, message: String, remedy| {
            found.push(Finding::warning(about, code, message, remedy, UNTRUSTED));
        };
        constraints(chain, position, certificate, &mut add);
        validity(certificate, about, now, |code, message| {
            let remedy = "ask the CA for its new certificate, or set the clock if it is wrong";
            add(code, message, remedy);
        });
    }
    whole(chain, found);
}

fn constraints(
    chain: &CertificateChain,
    position: usize,
    certificate: &Certificate,
    mut add: impl FnMut(&'static str, String, &'static str),
) {
    let who = Who(About::Intermediate(position), certificate);
    let constraints = certificate.basic_constraints();
    if !constraints.is_some_and(|constraints| constraints.ca) {
        let message = format!("{who} is not a CA's (basic constraints, CA:TRUE)");
        add("issuer_not_ca", message, NEW_CERTIFICATE);
    }
    if !certificate.key_usage().is_some_and(|u| u.key_cert_sign()) {
        let message = format!("{who} has no key usage keyCertSign");
        add("issuer_key_cert_sign_missing", message, NEW_CERTIFICATE);
    }
    let Some(allowed) = constraints.and_then(|constraints| constraints.path_length) else {
        return;
    };
    let below = chain.intermediates().get(..position).unwrap_or_default();
    let below = below
        .iter()
        .enumerate()
        // Self-issued certificates do not count, certificates of one CA count once.
        .filter(|(at, issuer)| {
            let later = below.get(at + 1..).unwrap_or_default();
            let repeated = later.iter().any(|c| c.subject().matches(issuer.subject()));
            !issuer.is_self_issued()
                && !repeated
                && !issuer.subject().matches(certificate.subject())
        })
        .count();
    if u32::try_from(below).unwrap_or(u32::MAX) > allowed {
        let message = format!(
            "{who} allows {allowed} intermediate certificates below it, and there are {below} \
             (basic constraints, path length)"
        );
        let remedy = "ask the CA for a certificate of another intermediate";
        add("issuer_path_length_exceeded", message, remedy);
    }
}

fn validity(
    certificate: &Certificate,
    about: About,
    now: UnixTime,
    mut add: impl FnMut(&'static str, String),
) {
    let who = Who(about, certificate);
    let from = certificate.not_before().to_iso8601();
    let to = certificate.not_after().to_iso8601();
    match standing(certificate, now) {
        Standing::Valid => {}
        Standing::Expired => add("issuer_expired", format!("{who} expired on {to}")),
        Standing::NotYetValid => {
            add(
                "issuer_not_yet_valid",
                format!("{who} is valid from {from}"),
            );
        }
        Standing::ExpiresSoon => add("issuer_expires_soon", format!("{who} expires on {to}")),
    }
}

fn whole(chain: &CertificateChain, found: &mut Vec<Finding>) {
    let mut add = |code, message: String, remedy, service_message| {
        let about = About::Request;
        found.push(Finding::warning(
            about,
            code,
            message,
            remedy,
            service_message,
        ));
    };
    if let [first, ..] = chain.unreadable() {
        let message = format!(
            "of the certificates, {} cannot be read and are not sent, the first because: {first}",
            chain.unreadable().len()
        );
        let remedy = "replace it if it leads to the trust anchor, leave it out otherwise";
        add("certificate_unreadable", message, remedy, UNTRUSTED);
    }
    // A root among them is what a bundle is made of; it is dropped without a word.
    let strangers: Vec<_> = chain
        .unrelated()
        .iter()
        .filter(|certificate| !certificate.is_root())
        .collect();
    if let [first, ..] = &strangers[..] {
        let message = format!(
            "of the certificates, {} are not on the path from the end entity and are not sent, among \
             them `{}`; the path ends at the issuer `{}`",
            strangers.len(),
            first.subject(),
            chain.last_issuer()
        );
        let remedy = "pass the certificate of that issuer too, unless it is the trust anchor";
        add("certificates_unrelated", message, remedy, UNTRUSTED);
    }
    let length = chain.x509_header().len() + chain.x509_chain_header().map_or(0, |c| c.len());
    if length > MAX_HEADERS_LENGTH {
        let message = format!(
            "the certificates take {length} bytes of headers, and what stands between here and the \
             service may refuse more than {MAX_HEADERS_LENGTH}"
        );
        let remedy = "make the trust anchor an intermediate, or use certificates with smaller keys";
        add("headers_long", message, remedy, None);
    }
}
