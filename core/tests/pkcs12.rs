//! PKCS#12 files as the `openssl` command makes them.
#![cfg(feature = "containers")]
// Tests say what they expect by panicking.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod support;

use rolesanywhere_core::{CertificateChain, Error, ErrorKind, PrivateKey, PublicKey};
use support::{
    CA, END_ENTITY, LEAF, Order, Workshop,
    der::{RSADSI, authenticated_safe, elements, indefinite, oid, pfx, sequence, tlv},
};

/// A workshop with a root, an intermediate and a leaf, and `chain.pem` with the issuers, the root
/// first.
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
    let leaf = Order {
        issuer: "sub",
        ..LEAF
    };
    let chain = [workshop.issue(root), workshop.issue(sub)].concat();
    workshop.issue(leaf);
    workshop.write("chain.pem", chain);
    workshop
}

impl Workshop {
    /// What `openssl pkey -pubout` says of `NAME.key`.
    fn public_key(&self, name: &str) -> PublicKey {
        let key = format!("{name}.key");
        self.openssl(&[
            "pkey",
            "-in",
            &key,
            "-pubout",
            "-outform",
            "DER",
            "-out",
            "public.der",
        ]);
        PublicKey::from_spki_der(&self.read("public.der")).unwrap()
    }

    fn export(&self, how: &[&str]) -> Vec<u8> {
        let command = [
            "pkcs12",
            "-export",
            "-provider",
            "default",
            "-provider",
            "legacy",
            "-inkey",
            "leaf.key",
            "-in",
            "leaf.pem",
            "-certfile",
            "chain.pem",
            "-out",
            "out.p12",
        ];
        self.openssl(&[&command, how].concat());
        self.read("out.p12")
    }
}

/// Checks that a file holds the leaf with its key and its intermediate, without the root.
#[track_caller]
fn check(workshop: &Workshop, file: &[u8], password: Option<&[u8]>, how: &str) {
    let (key, chain) = PrivateKey::from_pkcs12(file, password).expect(how);
    assert_eq!(key.public_key(), &workshop.public_key("leaf"), "{how}");
    assert_eq!(
        chain,
        CertificateChain::from_pem(
            [workshop.pem("leaf"), workshop.pem("sub")]
                .concat()
                .as_bytes()
        )
        .unwrap(),
        "{how}"
    );
}

#[track_caller]
fn refusal(file: &[u8], password: Option<&[u8]>) -> Error {
    PrivateKey::from_pkcs12(file, password).unwrap_err()
}

/// Every scheme for the certificates, the key and the MAC that there is in the field: OpenSSL 3's
/// own, Windows' old (RC2-40, 3DES, SHA-1) and new, none.
#[test]
fn schemes() {
    let workshop = workshop();
    for how in [
        "",
        "-legacy",
        "-certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1",
        "-certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-2DES -macalg sha1 -nomaciter -noiter",
        "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 -iter 2000",
        "-certpbe AES-256-CBC -keypbe AES-256-CBC -macalg sha256 -iter 2000",
        "-certpbe AES-128-CBC -keypbe AES-192-CBC -macalg sha224",
        "-certpbe des-ede3-cbc -keypbe AES-128-CBC -macalg sha384",
        "-macalg sha512",
        "-macalg sha512-224",
        "-macalg sha512-256",
        "-certpbe NONE",
        "-keypbe NONE",
        "-certpbe NONE -keypbe NONE",
        "-nomac",
        "-nomac -certpbe NONE",
        "-nomac -legacy",
        "-name leaf -caname root -caname sub -CSP Microsoft",
    ] {
        let words: Vec<_> = how
            .split_whitespace()
            .chain(["-passout", "pass:secret"])
            .collect();
        let file = workshop.export(&words);
        check(&workshop, &file, Some(b"secret"), how);
        let error = refusal(&file, Some(b"wrong"));
        assert_eq!(error.kind(), ErrorKind::WrongPassword, "{how}: {error}");
        let error = refusal(&file, None);
        assert_eq!(error.kind(), ErrorKind::PasswordRequired, "{how}: {error}");
    }
}

#[test]
fn schemes_that_are_not_read_are_named() {
    let workshop = workshop();
    for (how, name) in [
        ("-certpbe PBE-SHA1-RC4-40", "RC4-40"),
        ("-keypbe PBE-SHA1-RC4-128", "RC4-128"),
        ("-certpbe camellia-256-cbc", "Camellia-256-CBC"),
        (
            "-macalg sha3-256",
            "the MAC of the PKCS#12 file uses the algorithm `2.16.840.1.101.3.4.2.8`",
        ),
        ("-macalg sha3-256", "`openssl pkcs12 -export -macalg sha256"),
    ] {
        let words: Vec<_> = how
            .split_whitespace()
            .chain(["-passout", "pass:secret"])
            .collect();
        let error = refusal(&workshop.export(&words), Some(b"secret"));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{how}: {error}");
        assert!(error.message().contains(name), "{how}: {error}");
    }
}

/// OpenSSL writes an empty password with its terminator, and with `-nomac` and no encryption needs
/// none at all.
#[test]
fn without_a_password() {
    let workshop = workshop();
    for how in [
        "",
        "-legacy",
        "-nomac",
        "-nomac -certpbe NONE -keypbe NONE",
        "-legacy -nomac",
    ] {
        let words: Vec<_> = how
            .split_whitespace()
            .chain(["-passout", "pass:"])
            .collect();
        let file = workshop.export(&words);
        check(&workshop, &file, None, how);
        check(&workshop, &file, Some(b""), how);
        if how.contains("NONE") {
            check(&workshop, &file, Some(b"anything"), how);
        } else {
            assert_eq!(
                refusal(&file, Some(b"wrong")).kind(),
                ErrorKind::WrongPassword,
                "{how}"
            );
        }
    }
}

/// The other form of an empty password: no byte at all, where OpenSSL writes two zeros. The MAC is
/// made by `openssl` with a key that its own PKCS#12 derivation gives for no byte.
#[test]
fn an_empty_password_of_no_bytes() {
    let workshop = workshop();
    let file = workshop.export(&[
        "-nomac", "-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:",
    ]);
    let content = authenticated_safe(&file);
    let key = workshop.openssl(&[
        "kdf",
        "-keylen",
        "20",
        "-kdfopt",
        "digest:SHA1",
        "-kdfopt",
        "hexpass:",
        "-kdfopt",
        "hexsalt:0102030405060708",
        "-kdfopt",
        "iter:7",
        "-kdfopt",
        "id:3",
        "PKCS12KDF",
    ]);
    let mac = workshop.hmac("sha1", &key, &content);
    let digest = [sequence(&[&oid(&[0x2b, 14, 3, 2, 26])]), tlv(4, &mac)].concat();
    let mac_data = sequence(&[
        &tlv(0x30, &digest),
        &tlv(4, &[1, 2, 3, 4, 5, 6, 7, 8]),
        &[2, 1, 7],
    ]);
    let file = pfx(&content, &mac_data);
    check(&workshop, &file, None, "no bytes");
    check(&workshop, &file, Some(b""), "no bytes");
    assert_eq!(
        refusal(&file, Some(b"wrong")).kind(),
        ErrorKind::WrongPassword
    );
}

#[test]
fn passwords_in_unicode() {
    let workshop = workshop();
    // Latin 1, beyond it, and beyond the Basic Multilingual Plane (a surrogate pair).
    for password in ["pässwörd", "пароль", "密码", "key🔑key"] {
        for how in ["", "-legacy", "-nomac -legacy"] {
            let pass = format!("pass:{password}");
            let words: Vec<_> = how.split_whitespace().chain(["-passout", &pass]).collect();
            let file = workshop.export(&words);
            check(&workshop, &file, Some(password.as_bytes()), password);
        }
    }
    // Bytes that are not UTF-8 stand for ISO 8859-1, with `openssl` too.
    workshop.write("password", b"p\xe4ss\n");
    let file = workshop.export(&["-legacy", "-passout", "file:password"]);
    check(&workshop, &file, Some(b"p\xe4ss"), "ISO 8859-1");
}

/// RFC 9579. OpenSSL before 3.4 does not write it: the MAC is put together from what `openssl kdf`
/// and `openssl dgst` say.
#[test]
fn pbmac1() {
    let workshop = workshop();
    let file = workshop.export(&["-nomac", "-passout", "pass:secret"]);
    let content = authenticated_safe(&file);
    for (hash, last, length) in [("SHA256", 9, 32), ("SHA512", 11, 64), ("SHA1", 7, 20)] {
        let made = |length: usize| {
            let key = workshop.openssl(&[
                "kdf",
                "-keylen",
                &length.to_string(),
                "-kdfopt",
                "digest:SHA256",
                "-kdfopt",
                "pass:secret",
                "-kdfopt",
                "hexsalt:0102030405060708",
                "-kdfopt",
                "iter:2048",
                "PBKDF2",
            ]);
            let mac = workshop.hmac(hash, &key, &content);
            let hmac = |last| sequence(&[&oid(&[&RSADSI[..], &[2, last]].concat()), &[5, 0]]);
            let salt = tlv(4, &[1, 2, 3, 4, 5, 6, 7, 8]);
            let key_length = [2, 1, u8::try_from(length).unwrap()];
            let parameters = sequence(&[&salt, &[2, 2, 8, 0], &key_length, &hmac(9)]);
            let pbkdf2 = sequence(&[&oid(&[&RSADSI[..], &[1, 5, 12]].concat()), &parameters]);
            let pbmac1 = oid(&[&RSADSI[..], &[1, 5, 14]].concat());
            let algorithm = sequence(&[&pbmac1, &sequence(&[&pbkdf2, &hmac(last)])]);
            let digest = sequence(&[&algorithm, &tlv(4, &mac)]);
            // The salt and count of RFC 7292 stand there and mean nothing.
            pfx(
                &content,
                &sequence(&[&digest, &tlv(4, b"NOT USED"), &[2, 1, 1]]),
            )
        };
        check(&workshop, &made(length), Some(b"secret"), hash);
        assert_eq!(
            refusal(&made(length), Some(b"wrong")).kind(),
            ErrorKind::WrongPassword
        );
        // RFC 9579 sets no bounds: shorter than a digest, and longer.
        for length in [1, 19, 100] {
            check(&workshop, &made(length), Some(b"secret"), hash);
        }
    }
}

/// Every length indefinite and every string in segments, as old Java and Netscape wrote it;
/// `openssl` reads it too.
#[test]
fn ber() {
    let workshop = workshop();
    for how in ["", "-legacy", "-nomac", "-nomac -certpbe NONE -keypbe NONE"] {
        let words: Vec<_> = how
            .split_whitespace()
            .chain(["-passout", "pass:secret"])
            .collect();
        let file = indefinite(&workshop.export(&words));
        workshop.write("ber.p12", &file);
        let read = [
            "pkcs12",
            "-in",
            "ber.p12",
            "-passin",
            "pass:secret",
            "-nodes",
            "-legacy",
        ];
        assert!(workshop.openssl(&read).contains("PRIVATE KEY"));
        check(&workshop, &file, Some(b"secret"), how);
    }
}

#[test]
fn other_keys_and_orders() {
    for key in [
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ] {
        let workshop = Workshop::new();
        workshop.issue(Order { key, ..LEAF });
        workshop.write("chain.pem", workshop.pem("leaf"));
        let file = workshop.export(&["-passout", "pass:x"]);
        let (key, chain) = PrivateKey::from_pkcs12(&file, Some(b"x")).unwrap();
        assert_eq!(key.public_key(), &workshop.public_key("leaf"));
        assert!(chain.intermediates().is_empty());
    }
}

/// Of a certificate that was renewed under the same key the newest is meant.
#[test]
fn a_renewed_certificate() {
    let workshop = workshop();
    let old = workshop.pem("leaf");
    std::thread::sleep(std::time::Duration::from_millis(1100)); // certificates have seconds
    let new = workshop.issue(Order {
        issuer: "sub",
        subject: "/CN=renewed",
        ..LEAF
    });
    workshop.write("leaf.pem", &old);
    workshop.write("chain.pem", [new.as_str(), &workshop.pem("sub")].concat());
    let file = workshop.export(&["-passout", "pass:x"]);
    let (_, chain) = PrivateKey::from_pkcs12(&file, Some(b"x")).unwrap();
    assert_eq!(chain.end_entity().subject().to_string(), "CN=renewed");
    assert_eq!(chain.intermediates().len(), 1);
}

#[test]
fn what_is_missing_is_named() {
    let workshop = workshop();
    workshop.openssl(&[
        "pkcs12",
        "-export",
        "-nokeys",
        "-in",
        "leaf.pem",
        "-out",
        "no-key.p12",
        "-passout",
        "pass:x",
    ]);
    let error = refusal(&workshop.read("no-key.p12"), Some(b"x"));
    assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
    workshop.openssl(&[
        "pkcs12",
        "-export",
        "-nocerts",
        "-inkey",
        "leaf.key",
        "-out",
        "no-certificate.p12",
        "-passout",
        "pass:x",
    ]);
    let error = refusal(&workshop.read("no-certificate.p12"), Some(b"x"));
    assert_eq!(error.kind(), ErrorKind::InvalidCertificate, "{error}");
}

/// Two keys with a certificate each: `openssl` writes one, so the entries of two files are joined.
#[test]
fn several_keys() {
    let workshop = workshop();
    workshop.issue(Order {
        name: "other",
        subject: "/CN=other",
        extensions: END_ENTITY,
        ..LEAF
    });
    let plain = [
        "-nomac", "-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:",
    ];
    let first = authenticated_safe(&workshop.export(&plain));
    let export = |name: &str| {
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        let command = [
            "pkcs12", "-export", "-inkey", &key, "-in", &pem, "-out", "out.p12",
        ];
        workshop.openssl(&[&command[..], &plain].concat());
        authenticated_safe(&workshop.read("out.p12"))
    };
    let joined = |second: Vec<u8>| {
        let content = [elements(&first), elements(&second)].concat();
        pfx(&tlv(0x30, &content), &[])
    };
    let error = refusal(&joined(export("other")), None);
    assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
    assert!(
        error.message().contains("`CN=leaf` and of `CN=other`"),
        "{error}"
    );
    // The same entry twice is one; a CA's entry beside an end entity's is not what is meant.
    check(&workshop, &joined(export("leaf")), None, "twice");
    check(&workshop, &joined(export("root")), None, "with a CA's");
}

/// A certificate of another key, by the algorithm and by the key.
#[test]
fn a_key_of_another_certificate() {
    let workshop = workshop();
    workshop.issue(Order {
        name: "other",
        subject: "/CN=other",
        ..LEAF
    });
    let plain = [
        "-nomac", "-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:",
    ];
    workshop.openssl(
        &[
            &[
                "pkcs12",
                "-export",
                "-nocerts",
                "-inkey",
                "other.key",
                "-out",
                "key.p12",
            ][..],
            &plain,
        ]
        .concat(),
    );
    workshop.openssl(
        &[
            &[
                "pkcs12",
                "-export",
                "-nokeys",
                "-in",
                "leaf.pem",
                "-out",
                "certificate.p12",
            ][..],
            &plain,
        ]
        .concat(),
    );
    let parts = ["key.p12", "certificate.p12"]
        .map(|name| elements(&authenticated_safe(&workshop.read(name))));
    let error = refusal(&pfx(&tlv(0x30, &parts.concat()), &[]), None);
    assert_eq!(error.kind(), ErrorKind::KeyMismatch, "{error}");
}

#[test]
fn the_work_of_a_file_is_bounded() {
    let workshop = workshop();
    let file = workshop.export(&[
        "-nomac", "-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:",
    ]);
    let content = authenticated_safe(&file);
    // SHA-1, 16 million iterations for the MAC alone.
    let digest = [sequence(&[&oid(&[0x2b, 14, 3, 2, 26])]), tlv(4, &[0; 20])].concat();
    let mac_data = sequence(&[&tlv(0x30, &digest), &tlv(4, &[1; 8]), &[2, 4, 1, 0, 0, 0]]);
    // Were they counted, the password would be wrong.
    let error = refusal(&pfx(&content, &mac_data), Some(b"x"));
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let error = refusal(&vec![0x30; (1 << 20) + 1], None);
    assert!(error.message().contains("1048576"), "{error}");
}

/// Cut short or changed in any one place, a file is refused without a panic.
#[test]
fn damaged_files() {
    let workshop = workshop();
    let file = workshop.export(&[
        "-nomac", "-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:",
    ]);
    for length in (0..file.len()).step_by(3) {
        refusal(&file[..length], None);
    }
    for (at, bit) in (0..file.len()).zip([0x01, 0x20, 0x80].into_iter().cycle()) {
        let mut damaged = file.clone();
        damaged[at] ^= bit;
        // Some bytes mean nothing: attributes, signatures.
        let _ = PrivateKey::from_pkcs12(&damaged, None);
    }
}

impl Workshop {
    /// HMAC by `openssl dgst`, with a key as `openssl kdf` prints it.
    fn hmac(&self, hash: &str, key: &str, content: &[u8]) -> Vec<u8> {
        self.write("content", content);
        let key = format!("hexkey:{}", key.trim().replace(':', ""));
        let hash = format!("-{}", hash.to_lowercase());
        self.openssl(&[
            "dgst", &hash, "-mac", "HMAC", "-macopt", &key, "-binary", "-out", "mac", "content",
        ]);
        self.read("mac")
    }
}
