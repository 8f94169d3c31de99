//! Content that comes as base64, as variables of CI jobs and secrets of clusters carry it; and what the errors about
//! damaged content repeat of it. Keys and their base64 are made by OpenSSL.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says what it expects by panicking"
)]

mod support;

use rolesanywhere_core::{
    ErrorKind, IdentityFiles, PrivateKey, Source,
    source::{self, Part},
};
use support::{LEAF, Workshop};

const KINDS: [&[&str]; 3] = [
    &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
];

/// A certificate and its key in `leaf.pem` and `leaf.key`, in `.der` each, and base64 of all four in `NAME.b64` (one
/// line, as `-A` writes it).
fn made(kind: &'static [&'static str]) -> Workshop {
    let workshop = Workshop::new();
    workshop.issue(support::Order { key: kind, ..LEAF });
    for line in [
        "x509 -in leaf.pem -outform DER -out certificate.der",
        "pkcs8 -topk8 -nocrypt -in leaf.key -outform DER -out key.der",
        "pkcs12 -export -in leaf.pem -inkey leaf.key -passout pass:secret -out all.p12",
        "base64 -A -in leaf.pem -out leaf.pem.b64",
        "base64 -A -in leaf.key -out leaf.key.b64",
        "base64 -in certificate.der -out certificate.der.b64",
        "base64 -A -in key.der -out key.der.b64",
        "base64 -A -in all.p12 -out all.p12.b64",
    ] {
        workshop.openssl(&line.split(' ').collect::<Vec<_>>());
    }
    workshop
}

#[test]
fn base64_of_pem_der_and_pkcs12_is_read_like_what_it_stands_for() {
    for kind in KINDS {
        let workshop = made(kind);
        let (pem, key) = (workshop.read("leaf.pem"), workshop.read("leaf.key"));
        let plain = IdentityFiles {
            certificate: &pem,
            private_key: Some(&key),
            intermediates: None,
            password: None,
        };
        let (plain_key, plain_chain) = plain.read().unwrap();
        for (certificate, key) in [
            ("leaf.pem.b64", Some("leaf.key.b64")),
            ("certificate.der.b64", Some("key.der.b64")),
            ("leaf.pem", Some("key.der.b64")),
            ("all.p12.b64", None),
        ] {
            let certificate_file = workshop.read(certificate);
            let key_file = key.map(|key| workshop.read(key));
            let files = IdentityFiles {
                certificate: &certificate_file,
                private_key: key_file.as_deref(),
                intermediates: Some(&certificate_file),
                password: Some(b"secret"),
            };
            let (key, chain) = files.read().unwrap();
            assert_eq!(key.public_key(), plain_key.public_key(), "{certificate}");
            assert_eq!(chain.end_entity(), plain_chain.end_entity());
            let text = String::from_utf8(certificate_file).unwrap();
            assert_eq!(
                Source::in_code(text.trim_end(), Part::Certificate),
                Source::Content
            );
        }
        let key = PrivateKey::from_bytes(&workshop.read("key.der.b64"), None).unwrap();
        assert_eq!(key.public_key(), plain_key.public_key());
    }
}

/// Content as people damage it.
fn damaged(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let middle = text.len() / 2;
    vec![
        text.replacen("-----", "----", 1),
        text.replacen("-----BEGIN", "----BEGIN", 1),
        text.replace('\n', " "),
        text.replace('\n', "\\n"),
        text.replace('\n', ""),
        text.replace('\n', "-----"),
        text[..middle].to_owned(),
        text[middle..].to_owned(),
        lines.get(1..).unwrap_or_default().join("\n"),
        lines.join("\n-----BEGIN "),
        lines.join(":"),
        lines.join("\n: "),
        text.to_lowercase(),
        text.replace("PRIVATE KEY", "CERTIFICATE"),
        text.chars().rev().collect(),
        format!("DEK-Info: {text}"),
        format!("-----BEGIN {}-----\n", lines.get(1).unwrap_or(&text)),
        format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: {text}"),
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: {},00\n\nAAAA\n-----END RSA PRIVATE KEY-----",
            lines.get(1).unwrap_or(&text)
        ),
    ]
}

/// Whether eight bytes in a row of a secret stand in a text.
fn gives_away(text: &str, secret: &str) -> bool {
    let parts = secret.as_bytes().windows(8).filter(|part| {
        // The labels of PEM are no secrets.
        !part.iter().any(|byte| b"- \n".contains(byte)) && !part.iter().all(u8::is_ascii_uppercase)
    });
    let text = text.as_bytes();
    parts
        .into_iter()
        .any(|part| text.windows(8).any(|shown| shown == part))
}

#[test]
fn no_error_about_damaged_content_repeats_eight_bytes_of_it() {
    for kind in KINDS {
        let workshop = made(kind);
        let certificate = workshop.read("leaf.pem");
        let mut errors = 0;
        for name in ["leaf.key", "leaf.key.b64", "key.der.b64"] {
            let text = String::from_utf8(workshop.read(name)).unwrap();
            let hex: String = workshop
                .read("key.der")
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let all = damaged(&text).into_iter().chain([hex]);
            for secret in all {
                for (certificate, private_key) in [
                    (certificate.as_slice(), Some(secret.as_bytes())),
                    (secret.as_bytes(), None),
                ] {
                    let files = IdentityFiles {
                        certificate,
                        private_key,
                        intermediates: None,
                        password: None,
                    };
                    for outcome in [files.read().map(|_| ()), files.read_chain().map(|_| ())] {
                        let Err(error) = outcome else { continue };
                        errors += 1;
                        let said = format!("{error} {error:?}");
                        assert!(!gives_away(&said, &secret), "{name}: {said}");
                    }
                }
                assert!(
                    source::shown(&secret, Part::PrivateKey, false).is_none(),
                    "{name}"
                );
            }
        }
        assert!(errors > 100, "{errors}");
    }
}

#[test]
fn base64_of_something_else_is_refused_as_before() {
    // The base64 of `printf 'plain text'` and of `printf '\x30\x05\x02\x01\x05'`, which is cut short.
    for text in ["cGxhaW4gdGV4dA==", "MAUCAQU="] {
        let error = PrivateKey::from_bytes(text.as_bytes(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{text}");
    }
}
