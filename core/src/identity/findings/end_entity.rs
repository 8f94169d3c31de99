//! The rules for the end entity's certificate (user guide, "trust model", "end entity").

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    About, Decisive, Finding, INSUFFICIENT, NEW_CERTIFICATE, Standing, UNTRUSTED, look_at_any,
    standing,
};
use crate::{
    Certificate, CertificateChain, UnixTime,
    identity::{
        AttributeMapping, CertificateField, STS_NAME_LENGTH, principal_tags, source_identity,
    },
};

/// The longest serial number that RFC 5280 allows, in bytes.
const RFC_SERIAL_LENGTH: usize = 20;

pub(super) fn look(chain: &CertificateChain, now: UnixTime, found: &mut Vec<Finding>) {
    let certificate = chain.end_entity();
    look_at_any(certificate, About::EndEntity, found);
    key(certificate, found);
    usage(certificate, found);
    validity(certificate, now, found);
    names(certificate, found);
    tags(certificate, found);
}

fn refusal(
    code: &'static str,
    message: impl Into<String>,
    remedy: &'static str,
    service_message: Option<&'static str>,
) -> Finding {
    Finding::refusal(Decisive::EndEntity, code, message, remedy, service_message)
}

fn warning(code: &'static str, message: impl Into<String>, remedy: &'static str) -> Finding {
    Finding::warning(About::EndEntity, code, message, remedy, None)
}

fn key(certificate: &Certificate, found: &mut Vec<Finding>) {
    if let Err(error) = certificate.public_key() {
        let message = error.message();
        let (what, _) = message.split_once(": ").unwrap_or((message, ""));
        found.push(refusal(
            "key_unsupported",
            what,
            "ask the issuer for a certificate with an RSA key of 2,048 to 8,192 bits, an EC key on \
             P-256, P-384 or P-521, or an ML-DSA key",
            None,
        ));
    }
}

fn usage(certificate: &Certificate, found: &mut Vec<Finding>) {
    const REMEDY: &str = "ask the issuer for an end-entity certificate whose key usage has \
                          digitalSignature and that is not a CA";
    match certificate.key_usage() {
        None => found.push(refusal(
            "key_usage_missing",
            "the certificate has no key usage, and the service wants digitalSignature",
            REMEDY,
            INSUFFICIENT,
        )),
        Some(usage) if !usage.digital_signature() => {
            let usages: Vec<_> = usage.names().collect();
            found.push(refusal(
                "digital_signature_missing",
                format!(
                    "the certificate's key usage is `{}`, and the service wants digitalSignature",
                    usages.join(", ")
                ),
                REMEDY,
                INSUFFICIENT,
            ));
        }
        Some(_) => {}
    }
    if certificate.basic_constraints().is_some_and(|c| c.ca) {
        found.push(refusal(
            "end_entity_is_ca",
            "the certificate is a CA's (basic constraints, CA:TRUE)",
            REMEDY,
            INSUFFICIENT,
        ));
    }
    let excluded = certificate
        .extended_key_usage()
        .is_some_and(|purposes| !purposes.allows_client_auth());
    if excluded {
        found.push(warning(
            "extended_key_usage_without_client_auth",
            "the certificate's extended key usage has no clientAuth, which the service is not known \
             to ask for",
            "ask the issuer for clientAuth if the service refuses the certificate",
        ));
    }
}

fn validity(certificate: &Certificate, now: UnixTime, found: &mut Vec<Finding>) {
    const EXPIRED: &str = "renew the certificate, or set the clock if it is wrong";
    let (from, to) = (certificate.not_before(), certificate.not_after());
    match standing(certificate, now) {
        Standing::Valid => {}
        Standing::Expired => found.push(refusal(
            "end_entity_expired",
            format!(
                "the certificate expired on {}, and it is {} now",
                to.to_iso8601(),
                now.to_iso8601()
            ),
            EXPIRED,
            UNTRUSTED,
        )),
        Standing::NotYetValid => found.push(refusal(
            "end_entity_not_yet_valid",
            format!(
                "the certificate is valid from {}, and it is {} now",
                from.to_iso8601(),
                now.to_iso8601()
            ),
            "wait until it is valid, or set the clock if it is wrong",
            UNTRUSTED,
        )),
        Standing::ExpiresSoon => found.push(warning(
            "end_entity_expires_soon",
            format!("the certificate expires on {}", to.to_iso8601()),
            "renew it before",
        )),
    }
}

fn names(certificate: &Certificate, found: &mut Vec<Finding>) {
    if certificate.subject().is_empty() {
        found.push(refusal(
            "subject_empty",
            "the certificate's subject is empty, and the service takes no certificate that has \
             nothing but alternative names",
            "ask the issuer for a subject, a common name for instance (cert-manager: \
             `spec.commonName`, Vault: `require_cn`)",
            None,
        ));
    } else if certificate.is_root() {
        found.push(refusal(
            "end_entity_self_signed",
            "the certificate is signed by itself, so that it leads to no trust anchor",
            "issue one with a CA, and make the CA's certificate the trust anchor",
            UNTRUSTED,
        ));
    }
    let serial = certificate.serial_hex();
    let bytes = serial.len() / 2;
    let unusual = match bytes {
        _ if serial == "00" => Some("is zero".to_string()),
        ..=RFC_SERIAL_LENGTH => None,
        _ => Some(format!("has {bytes} bytes")),
    };
    if let Some(unusual) = unusual {
        found.push(warning(
            "serial_number_unusual",
            format!(
                "the certificate's serial number {unusual}, and RFC 5280 wants a positive one of at \
                 most {RFC_SERIAL_LENGTH} bytes, which the service is known to take; the session is named after it unless the request \
                 names it, with {} characters at most",
                STS_NAME_LENGTH.end()
            ),
            NEW_CERTIFICATE,
        ));
    }
}

fn tags(certificate: &Certificate, found: &mut Vec<Finding>) {
    const REMEDY: &str = "ask the issuer for values of letters, digits, spaces and `_.:/=+-@`, at \
                          most 256 characters, or leave them out of the trust policy: `StringNotEquals` \
                          is true for them";
    let tags = principal_tags(certificate, &AttributeMapping::default());
    let (common_name, others): (Vec<_>, Vec<_>) = tags
        .unmapped()
        .iter()
        .partition(|u| u.field == CertificateField::X509Subject && u.name == "CN");
    if !common_name.is_empty() {
        let name = certificate.subject().common_name().unwrap_or_default();
        found.push(warning(
            "common_name_unmappable",
            format!(
                "the common name `{name}` cannot be a session tag, so that no trust policy can ask \
                 for it"
            ),
            REMEDY,
        ));
    } else if source_identity(certificate).is_none() {
        found.push(warning(
            "source_identity_uncertain",
            "the subject has several common names, or an empty one, or one of more than 64 \
             characters: what the service makes the source identity is not known",
            "ask the issuer for one common name of at most 64 characters",
        ));
    }
    let others: Vec<_> = others.iter().map(ToString::to_string).collect();
    if !others.is_empty() {
        found.push(warning(
            "attributes_unmappable",
            format!(
                "the values of `{}` cannot be session tags, so that no trust policy can ask for them",
                others.join("`, `")
            ),
            REMEDY,
        ));
    }
}
