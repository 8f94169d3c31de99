//! Any bytes as a certificate, and what is asked of one that was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::{Certificate, CertificateChain, IdentityFiles};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.as_der(), bytes);
        let _ = format!("{certificate:?} {}", certificate.subject());
        assert!(
            certificate
                .serial_decimal()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        );
        let _ = certificate.public_key();
        let chain = CertificateChain::new(certificate.clone(), vec![certificate]).unwrap();
        // It is its own repetition, and not an issuer of itself that is kept.
        assert!(chain.intermediates().is_empty());
        assert!(!chain.x509_header().is_empty());
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
