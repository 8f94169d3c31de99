//! Any text as PEM.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::{CertificateChain, ErrorKind, pem};

fuzz_target!(|text: &[u8]| {
    if let Ok(sections) = pem::sections(text, ErrorKind::InvalidInput) {
        assert!(!sections.is_empty());
        for section in &sections {
            assert!(!section.label().is_empty() || section.line() > 0);
            assert!(section.der().len() <= text.len());
        }
    }
    let _ = CertificateChain::from_pem(text);
});
