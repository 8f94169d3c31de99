//! Whether a certificate of the path is revoked.

mod index;

pub(crate) use index::RevocationIndex;

use crate::{
    certificate::Certificate,
    create_session::Case,
    error::{Fault, Refusal},
};

/// No certificate of the path is in an enabled CRL of the trust anchor.
pub(crate) fn not_revoked(case: &Case<'_>) -> Result<(), Refusal> {
    let crls = case.resources.enabled_crls(&case.trust_anchor()?.arn);
    if crls.is_empty() {
        return Ok(());
    }
    let path = case.path()?;
    for certificate in std::iter::once(case.certificate()?).chain(path) {
        let serial = serial(certificate);
        let revoking = crls
            .iter()
            .find(|crl| crl.index.revokes(&certificate.issuer, &serial));
        if let Some(crl) = revoking {
            return Err(Refusal::new(
                Fault::CertificateRevoked,
                format!(
                    "`{}` is revoked by the CRL `{}`",
                    certificate.subject_text, crl.name
                ),
            ));
        }
    }
    Ok(())
}

/// The serial number, big-endian.
fn serial(certificate: &Certificate) -> Vec<u8> {
    let hex = &certificate.serial_hex;
    let zero = if hex.len().is_multiple_of(2) { "" } else { "0" };
    let text = format!("{zero}{hex}");
    // It was written from a number: it is hexadecimal.
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .unwrap_or_default()
}
