//! Certificates, read with x509-parser: the facts that the service's rules ask for.

mod constraints;
mod name;

pub(crate) use constraints::{GeneralName, NameConstraints, Oid, PathConstraints};
pub(crate) use name::Name;

use rustls_pki_types::CertificateDer;
use x509_parser::{
    error::X509Error,
    extensions as parsed_extensions,
    prelude::{FromDer, X509Certificate, X509Version},
};

use rolesanywhere_core::UnixTime;

/// A certificate: its DER, and the facts that the rules of this crate look at.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) is_v3: bool,
    /// The serial number in decimal, as `Credential` carries it.
    pub(crate) serial_decimal: String,
    /// The serial number in lower-case hexadecimal, without leading zeros.
    pub(crate) serial_hex: String,
    /// The content of the serial number's INTEGER: big endian, with a zero byte where it needs one.
    pub(crate) serial: Vec<u8>,
    /// The DER of the subject.
    pub(crate) subject: Vec<u8>,
    /// The DER of the issuer.
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject_name: Name,
    pub(crate) issuer_name: Name,
    pub(crate) alternative_names: AlternativeNames,
    /// The subject as the service writes it.
    pub(crate) subject_text: String,
    pub(crate) subject_is_empty: bool,
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    /// Whether a time of the validity is written as RFC 5280 (4.1.2.5) forbids (an offset, a fraction, no
    /// seconds), or lies before 1970: some validators refuse it.
    pub(crate) has_unusual_time: bool,
    /// Whether it is a CA, and its path length constraint; `None` without the extension.
    pub(crate) basic_constraints: Option<(bool, Option<u32>)>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// Whether the extended key usage takes in clientAuth; `None` without the extension.
    pub(crate) client_auth: Option<bool>,
    pub(crate) key: PublicKey,
    /// The content of the `subjectPublicKey` bit string.
    pub(crate) key_bytes: Vec<u8>,
    /// The content of the `SubjectPublicKeyInfo`.
    pub(crate) key_info: Vec<u8>,
    pub(crate) constraints: PathConstraints,
    /// The DER of the content of the signature's `AlgorithmIdentifier`.
    pub(crate) signature_algorithm: Vec<u8>,
}

/// The names of the subject alternative name that the service looks at: the first of each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlternativeNames {
    pub(crate) dns: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) directory: Option<Name>,
}

/// The bits of the key usage that the rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage {
    pub(crate) digital_signature: bool,
    pub(crate) crl_sign: bool,
    pub(crate) key_cert_sign: bool,
}

/// The kind of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    EcP256,
    EcP384,
    EcP521,
    MlDsa44,
    MlDsa65,
    MlDsa87,
    Other,
    Rsa { bits: u32 },
}

impl Certificate {
    /// Reads exactly one certificate.
    ///
    /// # Errors
    /// What is wrong with it, for the audit record.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, String> {
        let (rest, parsed) = X509Certificate::from_der(der)
            .map_err(|error| format!("not a certificate: {error}"))?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow the certificate", rest.len()));
        }
        let basic_constraints = parsed
            .basic_constraints()
            .map_err(unreadable("basic constraints"))?
            .map(|extension| (extension.value.ca, extension.value.path_len_constraint));
        let key_usage = parsed
            .key_usage()
            .map_err(unreadable("key usage"))?
            .map(|extension| KeyUsage {
                digital_signature: extension.value.digital_signature(),
                crl_sign: extension.value.crl_sign(),
                key_cert_sign: extension.value.key_cert_sign(),
            });
        let client_auth = parsed
            .extended_key_usage()
            .map_err(unreadable("extended key usage"))?
            .map(|extension| extension.value.client_auth || extension.value.any);
        let alternative_names = parsed
            .subject_alternative_name()
            .map_err(unreadable("subject alternative name"))?
            .map(|extension| AlternativeNames::new(&extension.value.general_names))
            .unwrap_or_default();
        let subject = parsed.subject();
        let subject_name = Name::new(subject);
        Ok(Self {
            der: CertificateDer::from(der.to_vec()),
            is_v3: parsed.version() == X509Version::V3,
            serial_decimal: parsed.serial.to_str_radix(10),
            serial_hex: parsed.serial.to_str_radix(16),
            serial: parsed.raw_serial().to_vec(),
            subject: subject.as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            subject_text: subject_name.to_string(),
            subject_is_empty: subject_name.attributes().is_empty(),
            subject_name,
            issuer_name: Name::new(parsed.issuer()),
            alternative_names,
            not_before: UnixTime::from_seconds(parsed.validity().not_before.timestamp()),
            not_after: UnixTime::from_seconds(parsed.validity().not_after.timestamp()),
            has_unusual_time: has_unusual_form(der).unwrap_or(true)
                || parsed.validity().not_before.timestamp() < 0,
            basic_constraints,
            key_usage,
            client_auth,
            key: public_key(&parsed),
            key_bytes: parsed.public_key().subject_public_key.data.to_vec(),
            key_info: element(parsed.public_key().raw)
                .map(|(content, _)| content.to_vec())
                .unwrap_or_default(),
            constraints: PathConstraints::new(&parsed)?,
            signature_algorithm: algorithm_identifier(der).unwrap_or_default(),
        })
    }

    /// Whether `now` lies within the validity, both ends included.
    pub(crate) fn is_valid_at(&self, now: UnixTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether it is self-issued: path length constraints do not count it.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.is_named_as_issuer_of(self)
    }

    /// Whether its subject is the issuer of another, whatever the encoding.
    pub(crate) fn is_named_as_issuer_of(&self, other: &Self) -> bool {
        self.subject == other.issuer || self.subject_name.matches(&other.issuer_name)
    }

    /// Whether the serial number is negative, which `Credential` has no form for.
    pub(crate) fn has_negative_serial(&self) -> bool {
        self.serial.first().is_some_and(|first| *first >= 0x80)
    }

    /// What the issuer signed, and the signature. The DER has been parsed before, so this only walks over
    /// lengths.
    pub(crate) fn signed(&self) -> Option<(&[u8], &[u8])> {
        let (certificate, _) = element(&self.der)?;
        let (_, after_tbs) = element(certificate)?;
        let tbs = certificate.get(..certificate.len().checked_sub(after_tbs.len())?)?;
        let (_, after_algorithm) = element(after_tbs)?;
        let (bits, _) = element(after_algorithm)?;
        // The first byte counts unused bits; signatures have none.
        Some((tbs, bits.strip_prefix(&[0])?))
    }
}

impl AlternativeNames {
    fn new(names: &[parsed_extensions::GeneralName<'_>]) -> Self {
        use parsed_extensions::GeneralName;
        let mut found = Self::default();
        for name in names {
            match name {
                GeneralName::DNSName(dns) if found.dns.is_none() => {
                    found.dns = Some((*dns).to_owned());
                }
                GeneralName::URI(uri) if found.uri.is_none() => {
                    found.uri = Some((*uri).to_owned());
                }
                GeneralName::DirectoryName(name) if found.directory.is_none() => {
                    found.directory = Some(Name::new(name));
                }
                // Other kinds are ignored, not refused (user guide).
                _ => {}
            }
        }
        found
    }
}

fn unreadable(what: &str) -> impl Fn(X509Error) -> String {
    move |error| format!("the {what} cannot be read: {error}")
}

fn public_key(certificate: &X509Certificate<'_>) -> PublicKey {
    let spki = certificate.public_key();
    let curve = || {
        let parameters = spki.algorithm.parameters.as_ref()?;
        Some(parameters.as_oid().ok()?.to_id_string())
    };
    match spki.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => match spki.parsed() {
            Ok(x509_parser::public_key::PublicKey::RSA(key)) => PublicKey::Rsa {
                bits: modulus_bits(key.modulus),
            },
            _ => PublicKey::Other,
        },
        "1.2.840.10045.2.1" => match curve().as_deref() {
            Some("1.2.840.10045.3.1.7") => PublicKey::EcP256,
            Some("1.3.132.0.34") => PublicKey::EcP384,
            Some("1.3.132.0.35") => PublicKey::EcP521,
            _ => PublicKey::Other,
        },
        "2.16.840.1.101.3.4.3.17" => PublicKey::MlDsa44,
        "2.16.840.1.101.3.4.3.18" => PublicKey::MlDsa65,
        "2.16.840.1.101.3.4.3.19" => PublicKey::MlDsa87,
        _ => PublicKey::Other,
    }
}

fn modulus_bits(modulus: &[u8]) -> u32 {
    let mut bytes = modulus.iter().skip_while(|byte| **byte == 0);
    let Some(first) = bytes.next() else {
        return 0;
    };
    let rest = u32::try_from(bytes.count()).unwrap_or(u32::MAX / 8 - 1);
    8 - first.leading_zeros() + rest.saturating_mul(8)
}

/// The content of the outer `signatureAlgorithm`, in the form in which webpki's algorithms name
/// theirs. The DER has been parsed before, so this only walks over lengths.
pub(crate) fn algorithm_identifier(der: &[u8]) -> Option<Vec<u8>> {
    let (certificate, _) = element(der)?;
    let (_, after_tbs) = element(certificate)?;
    let (algorithm, _) = element(after_tbs)?;
    Some(algorithm.to_vec())
}

/// Whether a time of the validity has another length than RFC 5280's forms.
fn has_unusual_form(der: &[u8]) -> Option<bool> {
    const UTC_TIME: u8 = 0x17;
    let (certificate, _) = element(der)?;
    let (mut fields, _) = element(certificate)?;
    // The version, where it is written, and serial number, algorithm and issuer.
    let before = if fields.first() == Some(&0xa0) { 4 } else { 3 };
    for _ in 0..before {
        (_, fields) = element(fields)?;
    }
    let (mut times, _) = element(fields)?;
    while let Some(tag) = times.first().copied() {
        let (time, rest) = element(times)?;
        if time.len() != if tag == UTC_TIME { 13 } else { 15 } {
            return Some(true);
        }
        times = rest;
    }
    Some(false)
}

/// Splits one DER element into its content and what follows it.
pub(crate) fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, after_tag) = der.split_first()?;
    let (first, after_first) = after_tag.split_first()?;
    let (length, content) = if *first < 0x80 {
        (usize::from(*first), after_first)
    } else {
        let (bytes, rest) = after_first.split_at_checked(usize::from(*first & 0x7f))?;
        let length = bytes.iter().try_fold(0usize, |length, byte| {
            length.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        (length, rest)
    };
    content.split_at_checked(length)
}
