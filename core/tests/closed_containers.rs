//! A build without the feature `containers`: what it refuses is refused by name.
#![cfg(not(feature = "containers"))]
// Tests say what they expect by panicking.
#![allow(clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{
    ErrorKind, IdentityFiles, PrivateKey,
    identity_files::{Purpose, is_container},
};
use support::{LEAF, Workshop};

#[test]
fn containers_and_encrypted_keys_are_refused_and_told_apart() {
    let workshop = Workshop::new();
    workshop.issue(LEAF);
    for arguments in [
        "pkcs8 -topk8 -in leaf.key -out encrypted.pem -passout pass:secret",
        "pkcs8 -topk8 -in leaf.key -outform DER -out encrypted.der -passout pass:secret",
        "pkey -in leaf.key -traditional -aes128 -out legacy.pem -passout pass:secret",
        "pkcs12 -export -inkey leaf.key -in leaf.pem -out all.p12 -passout pass:secret",
        "crl2pkcs7 -nocrl -certfile leaf.pem -outform DER -out leaf.p7b",
        "crl2pkcs7 -nocrl -certfile leaf.pem -out p7b.pem",
    ] {
        workshop.openssl(&arguments.split(' ').collect::<Vec<_>>());
    }
    let (leaf, key) = (workshop.read("leaf.pem"), workshop.read("leaf.key"));
    let refused = |certificate: &[u8], private_key: Option<&[u8]>, words: &str| {
        let files = IdentityFiles {
            certificate,
            private_key,
            intermediates: None,
            password: Some(b"secret"),
        };
        let error = files.read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert!(
            error.message().contains("the feature `containers`"),
            "{error}"
        );
    };
    for name in ["encrypted.pem", "encrypted.der", "legacy.pem"] {
        let encrypted = workshop.read(name);
        assert!(is_container(&encrypted, Purpose::PrivateKey), "{name}");
        refused(&leaf, Some(&encrypted), "encrypted private key");
        refused(&leaf, Some(&encrypted), "`openssl pkey");
    }
    let pkcs12 = workshop.read("all.p12");
    assert!(is_container(&pkcs12, Purpose::Identity));
    refused(&pkcs12, None, "PKCS#12");
    refused(&leaf, Some(&pkcs12), "`openssl pkcs12");
    assert_eq!(
        PrivateKey::from_pkcs12(&pkcs12, None).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    for name in ["leaf.p7b", "p7b.pem"] {
        let pkcs7 = workshop.read(name);
        assert!(is_container(&pkcs7, Purpose::Certificates), "{name}");
        refused(&pkcs7, Some(&key), "`openssl pkcs7");
    }
    assert!(!is_container(&leaf, Purpose::Identity) && !is_container(&key, Purpose::PrivateKey));
}
