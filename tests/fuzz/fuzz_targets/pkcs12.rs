//! Any bytes as PKCS#12.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::{IdentityFiles, PrivateKey};

fuzz_target!(|bytes: &[u8]| {
    // As in `private_key`: no iteration counts of three bytes, which would only cost time.
    if bytes.windows(2).any(|header| matches!(header, [2, 3..=5])) {
        return;
    }
    for password in [None, Some(&b"secret"[..])] {
        let read = PrivateKey::from_pkcs12(bytes, password);
        if let Ok((key, chain)) = &read {
            key.check_matches(chain.end_entity().public_key().unwrap())
                .unwrap();
            assert!(chain.intermediates().len() <= 5);
        }
        let files = IdentityFiles {
            certificate: bytes,
            private_key: None,
            intermediates: None,
            password,
        };
        let same = files.read();
        assert!(
            read.is_err() || same.is_ok(),
            "the loader and the reader of PKCS#12 disagree"
        );
    }
});
