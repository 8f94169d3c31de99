//! The files that people have, in every form and place.
#![cfg(feature = "containers")]
// Tests say what they expect by panicking.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod support;

use rolesanywhere_core::{
    CertificateChain, ErrorKind, IdentityFiles,
    identity_files::{Purpose, is_container},
};
use support::{CA, LEAF, Order, Workshop};

/// What is given: names of files in the workshop.
struct Given<'a> {
    certificate: &'a str,
    private_key: Option<&'a str>,
    intermediates: Option<&'a str>,
    password: Option<&'a str>,
}

const NOTHING: Given<'static> = Given {
    certificate: "",
    private_key: None,
    intermediates: None,
    password: None,
};

/// A root, an intermediate and a leaf, in every form that `openssl` writes.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let root = Order {
        name: "root",
        subject: "/CN=root",
        extensions: CA,
        ..LEAF
    };
    let sub = Order {
        name: "sub",
        subject: "/CN=sub",
        issuer: "root",
        extensions: CA,
        ..LEAF
    };
    let chain = [workshop.issue(root), workshop.issue(sub)].concat();
    workshop.issue(Order {
        issuer: "sub",
        ..LEAF
    });
    workshop.issue(Order {
        name: "other",
        subject: "/CN=other",
        ..LEAF
    });
    workshop.write("chain.pem", &chain);

    let leaf = workshop.pem("leaf");
    let key = String::from_utf8(workshop.read("leaf.key")).unwrap();
    workshop.write("full.pem", [&leaf[..], &chain].concat());
    workshop.write("root-first.pem", [&chain[..], &leaf].concat());
    workshop.write("key-first.pem", [&key[..], &leaf, &chain].concat());
    workshop.write("key-last.pem", [&chain[..], &leaf, &key].concat());
    workshop.write(
        "several-keys.pem",
        [
            &key[..],
            &String::from_utf8(workshop.read("other.key")).unwrap(),
            &leaf,
            &chain,
        ]
        .concat(),
    );
    let crlf = format!("\u{feff}Bag Attributes\r\n    localKeyID: 01\r\n{key}{leaf}{chain}")
        .replace('\n', "\r\n");
    workshop.write("windows.pem", crlf);
    for arguments in [
        "x509 -in leaf.pem -outform DER -out leaf.der",
        "x509 -in leaf.pem -trustout -addtrust clientAuth -out trusted.pem",
        "x509 -in leaf.pem -text -out text.pem",
        "pkey -in leaf.key -outform DER -out key.der",
        "ec -in leaf.key -outform DER -out sec1.der",
        "pkcs8 -topk8 -in leaf.key -outform DER -out encrypted.der -iter 9 -passout pass:secret",
        "pkcs8 -topk8 -in leaf.key -out encrypted.pem -iter 9 -passout pass:secret",
        "pkcs12 -export -inkey leaf.key -in full.pem -out all.p12 -iter 9 -passout pass:secret",
        "pkcs12 -export -inkey leaf.key -in leaf.pem -out alone.p12 -iter 9 -passout pass:secret",
        "pkcs12 -export -nokeys -in chain.pem -out chain.p12 -iter 9 -passout pass:secret",
        "pkcs12 -in all.p12 -passin pass:secret -nodes -out bag-attributes.pem",
        "crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out chain.p7b",
        "crl2pkcs7 -nocrl -certfile root-first.pem -outform DER -out full.p7b",
        "crl2pkcs7 -nocrl -certfile root-first.pem -out full-p7b.pem",
        "crl2pkcs7 -nocrl -certfile chain.pem -out chain-p7b.pem",
        "base64 -in all.p12 -out all.b64",
    ] {
        workshop.openssl(&arguments.split(' ').collect::<Vec<_>>());
    }
    let base64 = String::from_utf8(workshop.read("all.b64")).unwrap();
    workshop.write(
        "p12.pem",
        format!("-----BEGIN PKCS12-----\n{base64}-----END PKCS12-----\n"),
    );
    // As a mail program that signs in segments writes it.
    let der = workshop.read("full.p7b");
    assert_eq!(der[1], 0x82, "a length of two bytes");
    workshop.write("ber.p7b", [&[0x30, 0x80], &der[4..], &[0, 0]].concat());
    workshop
}

/// Reads, and passes on what came of it: the length of the chain, or the kind of the error.
fn read(workshop: &Workshop, given: &Given<'_>) -> Result<usize, (ErrorKind, String)> {
    let file = |name: &str| workshop.read(name);
    let (certificate, private_key, intermediates) = (
        file(given.certificate),
        given.private_key.map(file),
        given.intermediates.map(file),
    );
    let files = IdentityFiles {
        certificate: &certificate,
        private_key: private_key.as_deref(),
        intermediates: intermediates.as_deref(),
        password: given.password.map(str::as_bytes),
    };
    #[cfg(feature = "export-private-key")]
    is_the_same_when_opened_apart(&files);
    let (key, chain) = files.read().map_err(|e| (e.kind(), e.to_string()))?;
    key.check_matches(chain.end_entity().public_key().unwrap())
        .unwrap();
    let expected = CertificateChain::from_pem(&workshop.read("full.pem")).unwrap();
    assert_eq!(chain.end_entity(), expected.end_entity());
    if !chain.intermediates().is_empty() {
        assert_eq!(chain.intermediates(), expected.intermediates());
    }
    // Without the key the same chain is found.
    let alone = files.read_chain().unwrap();
    assert_eq!(
        alone.end_entity(),
        chain.end_entity(),
        "{}",
        given.certificate
    );
    if given.private_key != Some("key-last.pem") {
        assert_eq!(alone.intermediates(), chain.intermediates());
    }
    Ok(chain.intermediates().len())
}

/// What comes of files that one build opens and another reads is what comes of the files, errors to the
/// letter.
#[cfg(feature = "export-private-key")]
fn is_the_same_when_opened_apart(files: &IdentityFiles<'_>) {
    use rolesanywhere_core::identity_files::open;
    let opened = |file: &[u8], purpose| open(file, purpose, files.password);
    let purpose = match files.private_key {
        Some(_) => Purpose::Certificates,
        None => Purpose::Identity,
    };
    let certificate = opened(files.certificate, purpose);
    let private_key = files
        .private_key
        .map(|file| opened(file, Purpose::PrivateKey));
    let intermediates = files
        .intermediates
        .map(|file| opened(file, Purpose::Certificates));
    let apart = IdentityFiles {
        certificate: &certificate,
        private_key: private_key.as_deref().map(Vec::as_slice),
        intermediates: intermediates.as_deref().map(Vec::as_slice),
        password: None,
    };
    for file in [
        Some(apart.certificate),
        apart.private_key,
        apart.intermediates,
    ] {
        assert!(!file.is_some_and(|file| is_container(file, Purpose::Identity)));
    }
    let told = |files: &IdentityFiles<'_>| match files.read() {
        Ok((key, chain)) => Ok((
            key.public_key().clone(),
            chain.end_entity().clone(),
            chain.intermediates().to_vec(),
        )),
        Err(error) => Err((error.kind(), error.to_string())),
    };
    assert_eq!(told(&apart), told(files));
    let told = |files: &IdentityFiles<'_>| match files.read_chain() {
        Ok(chain) => Ok((chain.end_entity().clone(), chain.intermediates().to_vec())),
        Err(error) => Err((error.kind(), error.to_string())),
    };
    let certificate = opened(files.certificate, Purpose::Certificates);
    let apart = IdentityFiles {
        certificate: &certificate,
        ..apart
    };
    assert_eq!(told(&apart), told(files));
}

#[test]
fn containers_are_told_apart() {
    let workshop = workshop();
    workshop.openssl(&[
        "pkey",
        "-in",
        "leaf.key",
        "-traditional",
        "-aes128",
        "-passout",
        "pass:secret",
        "-out",
        "legacy.key",
    ]);
    let leaf = workshop.pem("leaf");
    let legacy = String::from_utf8(workshop.read("legacy.key")).unwrap();
    assert!(legacy.contains("Proc-Type"));
    workshop.write("leaf-and-legacy.pem", leaf + &legacy);
    for (name, expected) in [
        ("leaf.pem", false),
        ("leaf.der", false),
        ("leaf.key", false),
        ("key.der", false),
        ("sec1.der", false),
        ("key-last.pem", false),
        ("windows.pem", false),
        ("bag-attributes.pem", false),
        ("all.b64", true),
        ("encrypted.pem", true),
        ("encrypted.der", true),
        ("leaf-and-legacy.pem", true),
        ("all.p12", true),
        ("p12.pem", true),
        ("full.p7b", true),
        ("ber.p7b", true),
        ("full-p7b.pem", true),
    ] {
        let file = workshop.read(name);
        assert_eq!(is_container(&file, Purpose::Identity), expected, "{name}");
        assert_eq!(is_container(&file, Purpose::PrivateKey), expected, "{name}");
        // A key that is not wanted needs no password.
        let holds_certificates = [
            "all.b64",
            "all.p12",
            "p12.pem",
            "full.p7b",
            "ber.p7b",
            "full-p7b.pem",
        ];
        assert_eq!(
            is_container(&file, Purpose::Certificates),
            holds_certificates.contains(&name),
            "{name}"
        );
    }
}

#[cfg(feature = "export-private-key")]
#[test]
fn an_opened_file_is_read_whole_or_not_at_all() {
    let workshop = workshop();
    let password = Some(&b"secret"[..]);
    let opened = rolesanywhere_core::identity_files::open(
        &workshop.read("all.p12"),
        Purpose::Identity,
        password,
    );
    let read = |certificate: &[u8]| {
        let files = IdentityFiles {
            certificate,
            private_key: None,
            intermediates: None,
            password,
        };
        files.read().map(|(key, _)| key.algorithm())
    };
    assert!(read(&opened).is_ok());
    for length in 0..opened.len() {
        assert!(read(&opened[..length]).is_err(), "{length}");
    }
    assert!(read(&[&opened[..], &[0]].concat()).is_err());
    // No byte makes the reader panic.
    for at in 0..opened.len() {
        let mut other = opened.to_vec();
        other[at] ^= 0x41;
        let _ = read(&other);
    }
}

#[test]
fn every_form_in_every_place() {
    let workshop = workshop();
    let password = Some("secret");
    // One file with all: the key is in it, the intermediate too.
    for certificate in [
        "key-first.pem",
        "key-last.pem",
        "several-keys.pem",
        "windows.pem",
        "bag-attributes.pem",
        "all.p12",
        "p12.pem",
    ] {
        let given = Given {
            certificate,
            password,
            ..NOTHING
        };
        assert_eq!(read(&workshop, &given), Ok(1), "{certificate}");
    }
    // The certificate in one file and the key in another, the chain in a third or in the first.
    let keys = [
        "leaf.key",
        "key.der",
        "sec1.der",
        "encrypted.pem",
        "encrypted.der",
        "key-last.pem",
        "alone.p12",
    ];
    for private_key in keys.map(Some) {
        for (certificate, length) in [
            ("leaf.pem", 0),
            ("leaf.der", 0),
            ("trusted.pem", 0),
            ("text.pem", 0),
            ("full.pem", 1),
            ("root-first.pem", 1),
            ("full.p7b", 1),
            ("ber.p7b", 1),
            ("full-p7b.pem", 1),
            ("key-first.pem", 1),
            ("all.p12", 1),
        ] {
            let given = Given {
                certificate,
                private_key,
                password,
                ..NOTHING
            };
            // The certificates that come with the key are used too.
            let expected = Ok(length.max(usize::from(private_key == Some("key-last.pem"))));
            assert_eq!(
                read(&workshop, &given),
                expected,
                "{certificate} and {private_key:?}"
            );
            if private_key != Some("leaf.key") && certificate != "leaf.pem" {
                continue; // each of both with everything else is enough
            }
            for intermediates in [
                "chain.pem",
                "sub.pem",
                "chain.p7b",
                "chain-p7b.pem",
                "chain.p12",
                "full.pem",
            ] {
                let given = Given {
                    intermediates: Some(intermediates),
                    ..given
                };
                assert_eq!(
                    read(&workshop, &given),
                    Ok(1),
                    "{certificate} with {intermediates}"
                );
            }
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    use ErrorKind::*;
    let workshop = workshop();
    workshop.write("empty", "");
    workshop.write("words", "no PEM at all");
    workshop.write(
        "damaged.pem",
        workshop.pem("leaf").replacen("MII", "MIJ", 1),
    );
    let with_key = |certificate| Given {
        certificate,
        private_key: Some("leaf.key"),
        ..NOTHING
    };
    let key = |private_key| Given {
        certificate: "leaf.pem",
        private_key: Some(private_key),
        ..NOTHING
    };
    for (given, kind, words) in [
        (
            Given {
                certificate: "leaf.pem",
                ..NOTHING
            },
            InvalidKey,
            "no private key is here",
        ),
        (with_key("other.pem"), KeyMismatch, "does not belong"),
        (
            with_key("chain.pem"),
            KeyMismatch,
            "none of the certificates",
        ),
        (
            with_key("leaf.key"),
            InvalidCertificate,
            "no certificate, only `PRIVATE KEY`",
        ),
        (
            with_key("key.der"),
            InvalidCertificate,
            "this is a private key",
        ),
        (with_key("empty"), InvalidCertificate, "empty"),
        (with_key("words"), InvalidCertificate, "no PEM block"),
        (with_key("damaged.pem"), InvalidCertificate, "line 1"),
        (key("leaf.pem"), InvalidKey, "this is a certificate"),
        (key("leaf.der"), InvalidKey, "this is a certificate"),
        (key("full.p7b"), InvalidKey, "this is a certificate"),
        (key("words"), InvalidKey, "no PEM block"),
        (key("encrypted.pem"), PasswordRequired, "give one"),
        (key("encrypted.der"), PasswordRequired, "give one"),
        (key("alone.p12"), PasswordRequired, "give one"),
        (
            Given {
                password: Some("x"),
                ..key("encrypted.pem")
            },
            WrongPassword,
            "password",
        ),
        (
            Given {
                password: Some("x"),
                ..key("encrypted.der")
            },
            WrongPassword,
            "password",
        ),
        (
            Given {
                password: Some("x"),
                ..key("alone.p12")
            },
            WrongPassword,
            "password",
        ),
        (
            Given {
                intermediates: Some("words"),
                ..with_key("leaf.pem")
            },
            InvalidCertificate,
            "the intermediate certificates: no PEM block",
        ),
        (
            Given {
                intermediates: Some("key.der"),
                ..with_key("leaf.pem")
            },
            InvalidCertificate,
            "",
        ),
    ] {
        let (found, message) = read(&workshop, &given).unwrap_err();
        let what = format!("{} {:?}: {message}", given.certificate, given.private_key);
        assert_eq!(found, kind, "{what}");
        assert!(message.contains(words), "{what}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let files = IdentityFiles {
        certificate: b"certificate",
        private_key: Some(b"hunter2"),
        intermediates: None,
        password: Some(b"hunter2"),
    };
    assert!(!format!("{files:?}").contains("hunter2"));
    assert!(!format!("{files:?}").contains("104"), "as numbers");
}
