//! Whether a certificate of the path is revoked, by the lists that were imported for its trust anchor.

mod list;

pub(crate) use list::RevocationList;

use crate::{
    create_session::Case,
    error::{Fault, Refusal},
};

/// No certificate of the path is revoked.
///
/// A list that should have been replaced by now still revokes; the setting `refuse_on_expired_crl`
/// takes it for revoking everything.
pub(crate) fn not_revoked(case: &Case<'_>) -> Result<(), Refusal> {
    let path = case.path()?;
    for crl in case.resources.enabled_crls(&case.trust_anchor()?.arn) {
        for certificate in std::iter::once(case.certificate()?).chain(path) {
            let refuse = |why: String| {
                Err(Refusal::new(
                    Fault::CertificateRevoked,
                    format!(
                        "`{}`, serial number {}, {why} the CRL `{}`",
                        certificate.subject_text, certificate.serial_decimal, crl.name
                    ),
                ))
            };
            if crl.list.revokes(certificate) {
                return refuse("is revoked by".to_owned());
            }
            if !case.settings.refuse_on_expired_crl || !crl.list.is_about(certificate) {
                continue;
            }
            if let Some(since) = crl.list.expired(case.now) {
                return refuse(format!(
                    "may be revoked: the setting `refuse_on_expired_crl` is on, and since {} there \
                     should be a newer list than",
                    since.to_iso8601()
                ));
            }
        }
    }
    Ok(())
}
