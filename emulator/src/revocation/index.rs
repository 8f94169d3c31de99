//! What a CRL revokes, made ready for many look-ups.

use std::collections::HashSet;

use x509_parser::{prelude::FromDer, revocation_list::CertificateRevocationList};

/// The serial numbers that one CRL revokes, and whose they are.
#[derive(Debug)]
pub(crate) struct RevocationIndex {
    /// The DER of the issuer's name.
    issuer: Vec<u8>,
    /// Big-endian, without leading zeros.
    serials: HashSet<Box<[u8]>>,
}

impl RevocationIndex {
    /// Reads exactly one CRL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, String> {
        let (rest, list) =
            CertificateRevocationList::from_der(der).map_err(|error| error.to_string())?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow it", rest.len()));
        }
        let serials = list.iter_revoked_certificates();
        Ok(Self {
            issuer: list.issuer().as_raw().to_vec(),
            serials: serials
                .map(|revoked| without_leading_zeros(revoked.raw_serial()).into())
                .collect(),
        })
    }

    /// Whether it revokes the certificate of this issuer (DER) and serial number (big-endian).
    pub(crate) fn revokes(&self, issuer: &[u8], serial: &[u8]) -> bool {
        self.issuer == issuer && self.serials.contains(without_leading_zeros(serial))
    }
}

fn without_leading_zeros(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}
