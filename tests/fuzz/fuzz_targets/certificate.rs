//! Any bytes as a certificate, and what is asked of one that was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::{Certificate, CertificateChain, IdentityFiles};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        // What stands behind the certificate is cut.
        assert!(bytes.starts_with(certificate.as_der()));
        let _ = format!("{certificate:?} {}", certificate.subject());
        // An issuer's serial number may be negative, or so long that it is told in hexadecimal.
        let serial = certificate.serial_decimal();
        let digits = serial.strip_prefix('-').unwrap_or(serial);
        let is_number = match digits.strip_prefix("0x") {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => digits.bytes().all(|byte| byte.is_ascii_digit()),
        };
        assert!(!digits.is_empty() && is_number, "{serial}");
        let _ = certificate.public_key();
        // The serial number of an end entity has a form.
        if let Ok(chain) = CertificateChain::new(certificate.clone(), vec![certificate]) {
            // It is its own repetition, and not an issuer of itself that is kept.
            assert!(chain.intermediates().is_empty());
            assert!(!chain.x509_header().is_empty());
        }
    }
    // PEM, PKCS#7 and PKCS#12 in the same place.
    let files = IdentityFiles {
        certificate: bytes,
        private_key: None,
        intermediates: None,
        password: None,
    };
    let _ = files.read_chain();
});
