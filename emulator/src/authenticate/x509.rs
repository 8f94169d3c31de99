//! The checks of an X.509 signature: does it come from the certificate, now, for this service?

use crate::{
    certificate::PublicKey,
    create_session::Case,
    error::{Fault, Refusal},
    message::Request,
    verification::verify_request,
};

/// The service of the credential scope.
const SERVICE: &str = "rolesanywhere";

/// Every algorithm name that some client is known to declare.
const KNOWN_ALGORITHMS: [&str; 7] = [
    "AWS4-X509-ECDSA-SHA256",
    "AWS4-X509-ECDSA-SHA384",
    "AWS4-X509-ECDSA-SHA512",
    "AWS4-X509-MLDSA",
    "AWS4-X509-RSA-SHA256",
    "AWS4-X509-RSA-SHA384",
    "AWS4-X509-RSA-SHA512",
];

/// The declared algorithm is the key's, and the serial number the certificate's, in decimal.
pub(crate) fn matches_certificate(case: &Case<'_>) -> Result<(), Refusal> {
    let certificate = case.certificate()?;
    let authorization = &case.signed.authorization;
    let declared = authorization.algorithm.as_str();
    let wanted = algorithm(certificate.key);
    let tolerated =
        case.settings.accept_mismatched_algorithm && KNOWN_ALGORITHMS.contains(&declared);
    if declared != wanted && !tolerated {
        return Err(Refusal::new(
            Fault::InvalidSignature,
            format!("the algorithm is `{declared}`; the certificate's key takes `{wanted}`"),
        ));
    }
    if authorization.key_id != certificate.serial_decimal {
        let hint = if authorization
            .key_id
            .eq_ignore_ascii_case(&certificate.serial_hex)
        {
            " (it is the same number in hexadecimal)"
        } else {
            ""
        };
        return Err(Refusal::new(
            Fault::CertificateMismatch,
            format!(
                "`Credential` begins with `{}`{hint}; the certificate's serial number is {} in decimal",
                authorization.key_id, certificate.serial_decimal
            ),
        ));
    }
    Ok(())
}

/// The credential scope names the request's date, this region and this service.
pub(crate) fn scope(case: &Case<'_>) -> Result<(), Refusal> {
    case.signed
        .check_scope(case.region, SERVICE)
        .map_err(|why| Refusal::new(Fault::InvalidSignature, why))
}

/// The request's date is near the clock.
pub(crate) fn clock(case: &Case<'_>) -> Result<(), Refusal> {
    case.signed
        .check_clock(case.now, case.settings.clock_tolerance_seconds)
        .map_err(|why| Refusal::new(Fault::ClockSkew, why))
}

/// The signature is the key's, over the string to sign.
pub(crate) fn signature(case: &Case<'_>) -> Result<(), Refusal> {
    let certificate = case.certificate()?;
    verify_request(
        certificate.key,
        &certificate.key_bytes,
        case.signed.string_to_sign.as_bytes(),
        &case.signed.authorization.signature,
    )
    .map_err(|_| {
        Refusal::new(
            Fault::InvalidSignature,
            format!(
                "the signature does not verify over this string to sign: {:?}",
                case.signed.string_to_sign
            ),
        )
    })
}

/// Where an accepted request does not conform to the signing process.
pub(crate) fn nonconformance(case: &Case<'_>, request: &Request) -> Vec<String> {
    let authorization = &case.signed.authorization;
    let mut notes = Vec::new();
    let wanted = case
        .certificate()
        .map_or("", |certificate| algorithm(certificate.key));
    if authorization.algorithm != wanted {
        notes.push(format!(
            "the declared algorithm `{}` is not the key's, `{wanted}`",
            authorization.algorithm
        ));
    }
    let path = case
        .certificate()
        .into_iter()
        .chain(case.path().into_iter().flatten());
    for certificate in path.filter(|certificate| certificate.has_unusual_time) {
        notes.push(format!(
            "a time of the validity of `{}` has a form that RFC 5280 forbids, or lies before 1970",
            certificate.subject_text
        ));
    }
    for (name, _) in &request.headers {
        let name = name.to_ascii_lowercase();
        let required = name == "content-type" || name.starts_with("x-amz-");
        if required && !authorization.signed_headers.contains(&name) {
            notes.push(format!("the header `{name}` is not signed"));
        }
    }
    notes
}

fn algorithm(key: PublicKey) -> &'static str {
    match key {
        PublicKey::EcP256 | PublicKey::EcP384 | PublicKey::EcP521 => "AWS4-X509-ECDSA-SHA256",
        PublicKey::MlDsa44 | PublicKey::MlDsa65 | PublicKey::MlDsa87 => "AWS4-X509-MLDSA",
        PublicKey::Other => "no algorithm",
        PublicKey::Rsa { .. } => "AWS4-X509-RSA-SHA256",
    }
}
