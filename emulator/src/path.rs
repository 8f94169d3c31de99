//! From the end entity to the trust anchor: certificates out of headers, the chain, and the rules for
//! end-entity and CA certificates. Paths are built and verified by webpki; what it leaves out stands
//! here: key usage, the anchor's own validity and path length, the service's rules for end entities.

use std::sync::atomic::AtomicU32;

use data_encoding::BASE64;
use rustls_pki_types::{
    CertificateDer, SignatureVerificationAlgorithm, TrustAnchor as WebpkiAnchor,
    UnixTime as WebpkiTime,
};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};

use crate::{
    certificate::{Certificate, PublicKey},
    config::Settings,
    create_session::Case,
    error::{Fault, Refusal},
    message::Request,
    store::{AnchorCertificate, is_signed_as_allowed},
    verification::{Budgeted, certificate_algorithms},
};

/// The service takes a chain header of up to five certificates.
const MAX_CHAIN_LENGTH: usize = 5;
/// webpki reads certificates of up to 64 KiB; ML-DSA-87 ones are about 8 KiB.
const MAX_CERTIFICATE_LENGTH: usize = 64 * 1_024;
/// How many signatures one request's chain may cost. A chain of five takes six; the rest is for
/// cross-signed CAs.
const MAX_SIGNATURE_CHECKS: u32 = 16;

/// Reads the end-entity certificate out of `X-Amz-X509`.
pub(crate) fn read_certificate(request: &Request) -> Result<Certificate, String> {
    let text = request
        .header("x-amz-x509")
        .ok_or("there is no `X-Amz-X509` header")?;
    decode(text).map_err(|why| format!("`X-Amz-X509`: {why}"))
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
    let anchors: Vec<&AnchorCertificate> = anchor
        .certificates
        .iter()
        .filter(|ca| !case.settings.enforce_anchor_validity || ca.certificate.is_valid_at(case.now))
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
    let path = find_path(case, certificate, &candidates, &anchors).map_err(|error| {
        let mut reason = format!(
            "no path to the trust anchor `{}`: {}",
            anchor.name,
            in_words(&error)
        );
        for ca in dropped {
            reason.push_str(&format!(
                "; `{}` of the chain may not sign certificates (keyCertSign)",
                ca.subject_text
            ));
        }
        Refusal::new(fault(&error, certificate, case.settings), reason)
    })?;
    case.set_path(path);
    Ok(())
}

/// The intermediate certificates of a path, the end entity's issuer first.
fn find_path(
    case: &Case<'_>,
    certificate: &Certificate,
    candidates: &[&Certificate],
    anchors: &[&AnchorCertificate],
) -> Result<Vec<Certificate>, webpki::Error> {
    let remaining = AtomicU32::new(MAX_SIGNATURE_CHECKS);
    let budgeted: Vec<Budgeted<'_>> = certificate_algorithms(case.settings)
        .map(|algorithm| Budgeted::new(algorithm, &remaining, case.good_signatures))
        .collect();
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = budgeted
        .iter()
        .map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm)
        .collect();
    let webpki_anchors: Vec<WebpkiAnchor<'_>> =
        anchors.iter().map(|anchor| anchor.webpki.clone()).collect();
    let intermediates: Vec<CertificateDer<'_>> = candidates
        .iter()
        .map(|ca| CertificateDer::from(ca.der.as_ref()))
        .collect();
    let end_entity = EndEntityCert::try_from(&certificate.der)?;
    // A clock before 1970 is a clock at 1970: nothing that matters here is older.
    let seconds = u64::try_from(case.now.seconds()).unwrap_or(0);
    let now = WebpkiTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let certificates_of = |path: &VerifiedPath<'_>| -> Vec<Certificate> {
        path.intermediate_certificates()
            .filter_map(|used| {
                let mut all = candidates.iter();
                all.find(|ca| ca.der == used.der()).copied().cloned()
            })
            .collect()
    };
    let fits_anchor = |path: &VerifiedPath<'_>| {
        let used = certificates_of(path);
        let fits = anchors
            .iter()
            .filter(|anchor| anchor.webpki == *path.anchor())
            .any(|anchor| anchor.allows(&used));
        if fits {
            Ok(())
        } else {
            Err(webpki::Error::PathLenConstraintViolated)
        }
    };
    let path = end_entity.verify_for_usage(
        &algorithms,
        &webpki_anchors,
        &intermediates,
        now,
        AnyUsage,
        None,
        Some(&fits_anchor),
    )?;
    Ok(certificates_of(&path))
}

impl AnchorCertificate {
    /// Whether the anchor's path length constraint allows these intermediates; webpki does not
    /// hold an anchor to it.
    fn allows(&self, intermediates: &[Certificate]) -> bool {
        let counted = intermediates.iter().filter(|ca| !ca.is_self_issued());
        match self.certificate.basic_constraints {
            Some((_, Some(limit))) => u32::try_from(counted.count()).is_ok_and(|n| n <= limit),
            _ => true,
        }
    }
}

/// The service does not look at the extended key usage, so webpki shall not either; the setting that
/// asks for clientAuth is one of the rules for end entities.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// What webpki says, in words where its own are hard to read.
fn in_words(error: &webpki::Error) -> String {
    use webpki::Error;
    match error {
        Error::UnknownIssuer => {
            "UnknownIssuer: neither chain nor anchor holds a CA of the issuer's name".to_owned()
        }
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "UnsupportedSignatureAlgorithm: a certificate is signed in a way that is not taken"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// What webpki refuses, as the service would put it.
fn fault(error: &webpki::Error, certificate: &Certificate, settings: &Settings) -> Fault {
    use webpki::Error;
    match error {
        Error::CaUsedAsEndEntity | Error::UnsupportedCertVersion => Fault::InsufficientCertificate,
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => Fault::CertificateNotValidNow,
        _ if !is_signed_as_allowed(certificate, settings) => Fault::InsufficientCertificate,
        _ => Fault::UntrustedCertificate,
    }
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
