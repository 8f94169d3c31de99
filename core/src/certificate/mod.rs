//! X.509 certificates, as far as the service looks at them.
//!
//! A certificate is read once, leniently: what is odd but has one meaning (version 1, a serial number
//! longer than RFC 5280 allows, an unsorted set, a time before 1970, an unknown attribute or critical
//! extension, a key that the service does not take) is read and told of by [`findings`](crate::identity::findings); only what
//! has no meaning is refused.
//!

mod chain;
mod extensions;
#[cfg(feature = "issuer-signatures")]
mod issued;
mod name;
pub(crate) mod oid;
mod parse;
mod public_key;
mod signature_algorithm;
mod validity;

pub use chain::{CertificateChain, MAX_INTERMEDIATES};
pub use extensions::{BasicConstraints, ExtendedKeyUsage, GeneralName, KeyUsage};
pub use name::{Attribute, DistinguishedName};
pub use signature_algorithm::{HashAlgorithm, SignatureAlgorithm};

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use crate::{Error, ErrorKind, PublicKey, Result, UnixTime, encoding, pem};
use extensions::Extensions;

/// The longest certificate that is read, in bytes of DER: 128 KiB. With an ML-DSA-87 key and
/// signature a certificate has about 7,500 bytes; the service takes bundles of 204,800 characters of
/// PEM, which hold no certificate longer than 153,600.
pub const MAX_CERTIFICATE_LENGTH: usize = 128 << 10;

/// The longest serial number that an end entity may have, in bytes without its sign: 309 decimal digits.
/// RFC 5280 (4.1.2.2) allows 20 bytes, and the service is known to take these. Writing a serial number in
/// decimal takes time that grows with the square of its length.
pub const MAX_SERIAL_LENGTH: usize = 128;

/// An X.509 certificate: its DER, and what the service reads in it. Its signature is not verified.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    version: u8,
    serial_decimal: String,
    serial_hex: String,
    signature_algorithm: SignatureAlgorithm,
    issuer: DistinguishedName,
    not_before: UnixTime,
    not_after: UnixTime,
    has_unusual_time: bool,
    subject: DistinguishedName,
    public_key: Result<PublicKey>,
    extensions: Extensions,
}

impl Certificate {
    /// Reads the first certificate of a PEM text: the first block labelled `CERTIFICATE`,
    /// `X509 CERTIFICATE` or `TRUSTED CERTIFICATE` (OpenSSL's form, whose trust settings are
    /// dropped). Other blocks, a private key for instance, may stand before and after it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`] when the text is not PEM ([`pem::sections`]), holds no
    /// certificate, or the certificate is refused by [`from_der`](Self::from_der).
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        let sections = pem::sections(text, ErrorKind::InvalidCertificate)?;
        match blocks(&sections).next() {
            Some(block) => block.read(),
            None => Err(no_certificate(&sections)),
        }
    }

    /// Reads one certificate in DER. What stands behind it is passed over, as by OpenSSL.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`] when it is not a certificate in DER, or is longer than
    /// [`MAX_CERTIFICATE_LENGTH`]; when its version is above 3, its two signature algorithms differ, an
    /// extension occurs twice, or key usage, basic constraints, extended key usage or subject alternative
    /// name are malformed. A serial number that cannot be sent is refused by [`CertificateChain`], and in
    /// the end entity alone.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        parse::certificate(der)
    }

    /// The DER of the certificate in a section of a PEM text, and what errors call it; `None` when the
    /// label is not one that [`from_pem`](Self::from_pem) takes.
    pub(crate) fn der_in_section(section: &pem::PemSection) -> Option<(&[u8], String)> {
        let block = blocks(core::slice::from_ref(section)).next()?;
        Some((block.der, block.name()))
    }

    /// Every certificate of a PEM text in the order of the text, or why it cannot be read; an error when
    /// there is none.
    pub(super) fn all_from_pem(text: &[u8]) -> Result<Vec<Result<Self>>> {
        let sections = pem::sections(text, ErrorKind::InvalidCertificate)?;
        let found: Vec<_> = blocks(&sections).map(|block| block.read()).collect();
        if found.is_empty() {
            return Err(no_certificate(&sections));
        }
        Ok(found)
    }

    /// The certificate as it was given: DER.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The version: 1, 2 or 3. The service takes version 3 only.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The serial number in decimal, without leading zeros: the form in the `Credential` of the
    /// `Authorization` header. An issuer's is never sent and may be any: a negative number has a minus
    /// sign in front here and in [`serial_hex`](Self::serial_hex), and one of more than
    /// [`MAX_SERIAL_LENGTH`] bytes stands in hexadecimal after `0x`.
    pub fn serial_decimal(&self) -> &str {
        &self.serial_decimal
    }

    /// The serial number in lower-case hexadecimal, an even number of digits (291 is `0123`), without
    /// a sign byte: the form in the default role session name and the source identity.
    pub fn serial_hex(&self) -> &str {
        &self.serial_hex
    }

    /// The algorithm of the issuer's signature.
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// The name of the issuer.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// The first second of the validity.
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// The last second of the validity; RFC 5280 counts it in.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// The name of the subject; it may be empty, which the service refuses in an end entity.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The subject's public key.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the service takes no such key, by name (Ed25519, DSA, P-224,
    /// RSA below 2,048 bits, …); [`ErrorKind::InvalidCertificate`] when the key is malformed. The
    /// certificate can still be read and shown.
    pub fn public_key(&self) -> Result<&PublicKey> {
        self.public_key.as_ref().map_err(Clone::clone)
    }

    /// The extension key usage; `None` when the certificate has none.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage
    }

    /// The extension basic constraints; `None` when the certificate has none.
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extensions.basic_constraints
    }

    /// The extension extended key usage; `None` when the certificate has none.
    pub fn extended_key_usage(&self) -> Option<&ExtendedKeyUsage> {
        self.extensions.extended_key_usage.as_ref()
    }

    /// The subject alternative names in the order of the certificate; empty when it has none.
    pub fn subject_alternative_names(&self) -> &[GeneralName] {
        &self.extensions.subject_alternative_names
    }

    /// The subject key identifier; `None` when the certificate has none that is readable.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.subject_key_identifier.as_deref()
    }

    /// The key identifier of the issuer (authority key identifier); `None` when the certificate has
    /// none that is readable.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.authority_key_identifier.as_deref()
    }

    /// The dotted OIDs of critical extensions that RFC 5280 does not define. A validator that does
    /// not know them must refuse the certificate.
    pub fn unknown_critical_extensions(&self) -> &[String] {
        &self.extensions.unknown_critical
    }

    /// Whether subject and issuer are the same name, as with every root. The signature is not looked
    /// at.
    pub fn is_self_issued(&self) -> bool {
        self.subject.matches(&self.issuer)
    }

    /// Whether the certificate is self-issued and self-signed. (A CA that changes its key issues a
    /// certificate to itself under its old one: such stands in a path.) Where key identifiers do not tell,
    /// its own key does; where that cannot be asked, it counts as self-signed.
    pub(crate) fn is_root(&self) -> bool {
        self.is_self_issued()
            && match (
                self.subject_key_identifier(),
                self.authority_key_identifier(),
            ) {
                (Some(own), Some(issuer)) => own == issuer,
                _ => self.is_signed_by(self).unwrap_or(true),
            }
    }

    /// Whether the key of `issuer` verifies the signature on this certificate; `None` where the key or
    /// the algorithm is not one that can be verified here. Names are not looked at.
    #[cfg(feature = "issuer-signatures")]
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> Option<bool> {
        issued::is_signed_by(self, issuer)
    }

    /// This build verifies nothing: `None`.
    #[cfg(not(feature = "issuer-signatures"))]
    pub(crate) fn is_signed_by(&self, _: &Self) -> Option<bool> {
        None
    }

    /// Whether a time of the validity has a form, or is so early, that some validators refuse it.
    pub(crate) fn has_unusual_time(&self) -> bool {
        self.has_unusual_time
    }

    /// Whether the basic constraints say that the subject is a CA.
    pub(crate) fn is_ca(&self) -> bool {
        self.basic_constraints()
            .is_some_and(|constraints| constraints.ca)
    }

    /// SHA-256 over the DER in lower-case hexadecimal.
    pub fn fingerprint_sha256(&self) -> String {
        encoding::sha256_hex(&self.der)
    }
}

/// Certificates are equal when their DER is.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &format_args!("{}", self.subject))
            .field("issuer", &format_args!("{}", self.issuer))
            .field("serial_decimal", &self.serial_decimal)
            .finish_non_exhaustive()
    }
}

/// A block of PEM that holds a certificate.
struct Block<'a> {
    der: &'a [u8],
    line: usize,
}

impl Block<'_> {
    fn read(&self) -> Result<Certificate> {
        Certificate::from_der(self.der).map_err(|error| error.context(self.name()))
    }

    fn name(&self) -> String {
        format!("the certificate that begins on line {}", self.line)
    }
}

fn blocks(sections: &[pem::PemSection]) -> impl Iterator<Item = Block<'_>> {
    // OpenSSL's trust settings stand behind a `TRUSTED CERTIFICATE`, where nothing is read.
    const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];
    sections
        .iter()
        .filter(|section| LABELS.contains(&section.label()))
        .map(|section| Block {
            der: section.der(),
            line: section.line(),
        })
}

/// What to say of a PEM text without a certificate.
pub(crate) fn no_certificate(sections: &[pem::PemSection]) -> Error {
    let has = |labels: &[&str]| {
        sections
            .iter()
            .find(|section| labels.contains(&section.label()))
    };
    if let Some(pkcs7) = has(&["PKCS7", "CMS", "PKCS #7 SIGNED DATA"]) {
        return refuse(format_args!(
            "the PEM text holds `{}`, certificates wrapped as PKCS#7: unwrap them with `openssl \
             pkcs7 -print_certs`",
            pkcs7.label()
        ));
    }
    let found: Vec<_> = sections
        .iter()
        .map(|section| section.shown_label())
        .take(4)
        .collect();
    refuse(format_args!(
        "the PEM text holds no certificate, only `{}`: pass the file that holds the block \
         `CERTIFICATE`",
        found.join("`, `")
    ))
}

/// An error of the kind that this module makes most.
fn refuse(message: impl fmt::Display) -> Error {
    Error::written(ErrorKind::InvalidCertificate, format_args!("{message}"))
}
