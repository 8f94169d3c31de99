//! A certificate authority for demonstrations and tests: EC P-256 keys, made anew each time.
//!
//! Not for production: the CA's key lives in memory and dies with the value.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rolesanywhere_core::{Error, ErrorKind, Result, UnixTime};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A CA whose certificate meets the service's rules for trust anchors.
#[derive(Debug)]
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A certificate and its private key.
pub struct Identity {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The private key, PKCS#8 in PEM, not encrypted. Wiped when dropped.
    pub private_key_pem: Zeroizing<String>,
}

/// Clocks are not exact: certificates begin this much before `now`.
const BACKDATED_SECONDS: i64 = 5 * 60;
/// A day for end entities, as issuers of short-lived certificates have it; ten for their CA.
const END_ENTITY_SECONDS: i64 = 24 * 60 * 60;
const CA_SECONDS: i64 = 10 * END_ENTITY_SECONDS;

impl CertificateAuthority {
    /// A self-signed CA, valid for ten days from `now`.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when there is no randomness for a key.
    pub fn new(common_name: &str, now: UnixTime) -> Result<Self> {
        let mut params = params(common_name, now, CA_SECONDS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = new_key()?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The CA's certificate, PEM: what a trust anchor is made of.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// An end-entity certificate that meets the service's rules, valid for a day from `now`.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when there is no randomness for a key.
    pub fn end_entity(&self, common_name: &str, now: UnixTime) -> Result<Identity> {
        let mut params = params(common_name, now, END_ENTITY_SECONDS)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    /// A TLS server certificate for `localhost` and both loopback addresses, valid as long as the CA.
    pub(crate) fn loopback_server(&self, now: UnixTime) -> Result<Identity> {
        let mut params = params("localhost", now, CA_SECONDS)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into().map_err(failed)?),
            SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
            SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()),
        ];
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Result<Identity> {
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Identity {
            certificate_pem: certificate.pem(),
            private_key_pem: Zeroizing::new(key.serialize_pem()),
        })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

fn params(common_name: &str, now: UnixTime, seconds: i64) -> Result<CertificateParams> {
    let at = |time: UnixTime| {
        OffsetDateTime::from_unix_timestamp(time.seconds())
            .map_err(|error| Error::new(ErrorKind::InvalidInput, error.to_string()))
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = at(now.plus_seconds(-BACKDATED_SECONDS))?;
    params.not_after = at(now.plus_seconds(seconds))?;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::SigningFailed,
        format!("no certificate could be made: {error}"),
    )
}
