//! From the end entity to the trust anchor: certificates out of headers, the chain, and the rules for
//! end-entity and CA certificates.

mod failure;
mod names;
mod policies;
mod search;

use data_encoding::BASE64;

use crate::{
    certificate::{Certificate, PublicKey},
    create_session::Case,
    error::{Fault, Refusal},
    message::Request,
    store::is_signed_as_allowed,
};
use search::Search;

/// The service takes a chain header of up to five certificates.
const MAX_CHAIN_LENGTH: usize = 5;
/// The longest certificate that is read; ML-DSA-87 ones are about 8 KiB.
const MAX_CERTIFICATE_LENGTH: usize = 64 * 1_024;

/// Reads the end-entity certificate out of `X-Amz-X509`.
pub(crate) fn read_certificate(request: &Request) -> Result<Certificate, String> {
    let text = request
        .header("x-amz-x509")
        .ok_or("there is no `X-Amz-X509` header")?;
    let refuse = |why| format!("`X-Amz-X509`: {why}");
    let certificate = decode(text).map_err(refuse)?;
    if certificate.has_negative_serial() {
        return Err(refuse("the serial number is negative".to_owned()));
    }
    Ok(certificate)
}

/// Reads the certificates of `X-Amz-X509-Chain`, in any order; the end entity, which clients with
/// PKCS#12 files repeat there, is left out.
pub(crate) fn read_chain(
    request: &Request,
    end_entity: Option<&Certificate>,
) -> Result<Vec<Certificate>, String> {
    let Some(text) = request.header("x-amz-x509-chain") else {
        return Ok(Vec::new());
    };
    // One more than the limit, for the end entity.
    if text.split(',').count() > MAX_CHAIN_LENGTH + 1 {
        return Err(too_long());
    }
    let mut chain: Vec<Certificate> = Vec::new();
    for part in text.split(',') {
        let certificate = decode(part).map_err(|why| format!("`X-Amz-X509-Chain`: {why}"))?;
        let is_end_entity = end_entity.is_some_and(|leaf| leaf.der == certificate.der);
        if !is_end_entity {
            chain.push(certificate);
        }
    }
    if chain.len() > MAX_CHAIN_LENGTH {
        return Err(too_long());
    }
    Ok(chain)
}

fn too_long() -> String {
    format!("`X-Amz-X509-Chain` holds more than {MAX_CHAIN_LENGTH} certificates")
}

/// Strict base64 (the padding there and right, no white space, no stray bits) of one certificate.
fn decode(text: &str) -> Result<Certificate, String> {
    let der = BASE64
        .decode(text.as_bytes())
        .map_err(|error| format!("not base64: {error}"))?;
    if der.len() > MAX_CERTIFICATE_LENGTH {
        return Err(format!("longer than {MAX_CERTIFICATE_LENGTH} bytes"));
    }
    Certificate::from_der(&der)
}

pub(crate) fn trust_anchor_found(case: &Case<'_>) -> Result<(), Refusal> {
    case.trust_anchor().map(|_| ())
}

pub(crate) fn trust_anchor_enabled(case: &Case<'_>) -> Result<(), Refusal> {
    let anchor = case.trust_anchor()?;
    if anchor.enabled {
        return Ok(());
    }
    Err(Refusal::new(
        Fault::TrustAnchorDisabled,
        format!("the trust anchor `{}` is disabled", anchor.name),
    ))
}

pub(crate) fn certificate_readable(case: &Case<'_>) -> Result<(), Refusal> {
    case.certificate().map(|_| ())
}

pub(crate) fn chain_readable(case: &Case<'_>) -> Result<(), Refusal> {
    case.chain().map(|_| ())
}

pub(crate) fn certificate_valid_now(case: &Case<'_>) -> Result<(), Refusal> {
    let certificate = case.certificate()?;
    if certificate.is_valid_at(case.now) {
        return Ok(());
    }
    Err(Refusal::new(
        Fault::CertificateNotValidNow,
        format!(
            "the certificate is valid from {} to {}; the emulator's clock says {}",
            certificate.not_before.to_iso8601(),
            certificate.not_after.to_iso8601(),
            case.now.to_iso8601()
        ),
    ))
}

/// The certificate chains to a certificate of the trust anchor.
pub(crate) fn chains_to_trust_anchor(case: &Case<'_>) -> Result<(), Refusal> {
    let certificate = case.certificate()?;
    let anchor = case.trust_anchor()?;
    let (candidates, dropped): (Vec<&Certificate>, Vec<&Certificate>) = case
        .chain()?
        .iter()
        .partition(|ca| ca.key_usage.is_some_and(|usage| usage.key_cert_sign));
    let anchors: Vec<&Certificate> = anchor
        .certificates
        .iter()
        .filter(|ca| !case.settings.enforce_anchor_validity || ca.is_valid_at(case.now))
        .collect();
    if anchors.is_empty() {
        return Err(Refusal::new(
            Fault::UntrustedCertificate,
            format!(
                "no certificate of the trust anchor `{}` is valid at {}",
                anchor.name,
                case.now.to_iso8601()
            ),
        ));
    }
    let search = Search::new(
        &candidates,
        &anchors,
        case.now,
        case.settings,
        case.good_signatures,
    );
    let path = search.run(certificate).map_err(|failure| {
        let mut reason = format!(
            "no path to the trust anchor `{}`: {}",
            anchor.name, failure.reason
        );
        for ca in dropped {
            reason.push_str(&format!(
                "; `{}` of the chain may not sign certificates (keyCertSign)",
                ca.subject_text
            ));
        }
        let is_allowed = is_signed_as_allowed(certificate, case.settings);
        Refusal::new(failure.fault(is_allowed), reason)
    })?;
    let path = path.into_iter().cloned().collect();
    case.set_path(path);
    Ok(())
}

/// The certificate meets the service's rules for end entities.
pub(crate) fn end_entity_rules(case: &Case<'_>) -> Result<(), Refusal> {
    let certificate = case.certificate()?;
    let insufficient = |why: String| Err(Refusal::new(Fault::InsufficientCertificate, why));
    if certificate.subject_is_empty {
        return Err(Refusal::new(
            Fault::EmptySubject,
            "the certificate's subject is empty",
        ));
    }
    if !certificate.is_v3 {
        return insufficient("the certificate is not of version 3".to_owned());
    }
    if certificate.basic_constraints.is_some_and(|(ca, _)| ca) {
        return insufficient("the certificate is a CA's (basic constraints)".to_owned());
    }
    match certificate.key_usage {
        None => return insufficient("the certificate has no key usage".to_owned()),
        Some(usage) if !usage.digital_signature => {
            return insufficient("the certificate's key usage lacks digitalSignature".to_owned());
        }
        Some(_) => {}
    }
    if !is_signed_as_allowed(certificate, case.settings) {
        return insufficient(
            "the certificate is signed with an algorithm that the service refuses".to_owned(),
        );
    }
    match certificate.key {
        PublicKey::Other => {
            return insufficient(
                "the certificate's key is not RSA, EC (P-256, P-384, P-521) or ML-DSA".to_owned(),
            );
        }
        PublicKey::Rsa { bits } if bits < case.settings.minimum_rsa_bits => {
            return insufficient(format!(
                "the certificate's RSA key has {bits} bits; the setting `minimum_rsa_bits` is {}",
                case.settings.minimum_rsa_bits
            ));
        }
        _ => {}
    }
    if case.settings.require_client_auth && certificate.client_auth == Some(false) {
        return insufficient(
            "the certificate's extended key usage lacks clientAuth, which the setting \
             `require_client_auth` asks for"
                .to_owned(),
        );
    }
    Ok(())
}
