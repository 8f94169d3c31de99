//! What other programs than OpenSSL write: `foreign/README.md` says which wrote what.
#![cfg(all(feature = "containers", feature = "rustcrypto"))]
// Tests say what they expect by panicking.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use base64ct::{Base64, Encoding};
use rolesanywhere_core::{
    Certificate, Error, ErrorKind, IdentityFiles, KeyAlgorithm, PrivateKey,
    identity_files::{Purpose, is_container},
};
use support::{
    CA, LEAF, Order, Workshop,
    der::{oid, sequence, tlv},
    generate, refusal,
};

/// A file of `foreign/` that is base64.
fn decoded(base64: &str) -> Vec<u8> {
    Base64::decode_vec(&base64.replace('\n', "")).unwrap()
}

/// The identity that one file holds.
fn identity(file: &[u8], password: Option<&str>) -> Result<(String, usize), (ErrorKind, String)> {
    let files = IdentityFiles {
        certificate: file,
        private_key: None,
        intermediates: None,
        password: password.map(str::as_bytes),
    };
    let told = |error: Error| (error.kind(), error.to_string());
    let (key, chain) = files.read().map_err(told)?;
    let public_key = chain.end_entity().public_key().map_err(told)?;
    key.check_matches(public_key).map_err(told)?;
    Ok((
        chain.end_entity().subject().to_string(),
        chain.intermediates().len(),
    ))
}

/// node-forge encrypts with the password in Latin-1, where others take UTF-8: `openssl` opens these files
/// with a password file in Latin-1.
#[test]
fn passwords_in_latin_1() {
    let password = "pässwörd";
    let pkcs12 = decoded(include_str!("foreign/node-forge-p12.b64"));
    let pkcs8 = decoded(include_str!("foreign/node-forge-pkcs8.b64"));
    let traditional = include_bytes!("foreign/node-forge-traditional.pem");
    let (key, chain) = PrivateKey::from_pkcs12(&pkcs12, Some(password.as_bytes())).unwrap();
    assert_eq!(chain.end_entity().subject().to_string(), "CN=forge");
    for file in [&pkcs8[..], traditional] {
        for password in [password.as_bytes(), b"p\xe4ssw\xf6rd"] {
            let found = PrivateKey::from_bytes(file, Some(password)).unwrap();
            assert_eq!(found.public_key(), key.public_key());
        }
        for wrong in ["pässword", "passwörd", "пароль"] {
            let wrong = PrivateKey::from_bytes(file, Some(wrong.as_bytes()));
            refusal(wrong, ErrorKind::WrongPassword, "");
        }
    }
    let workshop = Workshop::new();
    workshop.write("forge.p12", &pkcs12);
    workshop.write("password", b"p\xe4ssw\xf6rd\n");
    workshop.openssl(&[
        "pkcs12",
        "-in",
        "forge.p12",
        "-noout",
        "-passin",
        "file:password",
    ]);
    workshop.openssl(&[
        "pkcs12",
        "-in",
        "forge.p12",
        "-nodes",
        "-passin",
        "file:password",
        "-out",
        "key.pem",
    ]);
    let by_openssl = PrivateKey::from_pem(&workshop.read("key.pem"), None).unwrap();
    assert_eq!(by_openssl.public_key(), key.public_key());
}

#[test]
fn key_stores_of_java_are_named_with_the_command_that_converts_them() {
    for (kind, base64) in [
        ("JCEKS", include_str!("foreign/store-jceks.b64")),
        ("BKS", include_str!("foreign/store-bks.b64")),
        ("UBER", include_str!("foreign/store-uber.b64")),
        ("BCFKS", include_str!("foreign/store-bcfks.b64")),
    ] {
        let store = decoded(base64);
        let name = format!("({kind}): convert it with `keytool -importkeystore");
        let kind = format!("-srcstoretype {kind} ");
        let key = refusal(PrivateKey::from_der(&store), ErrorKind::Unsupported, &name);
        assert!(key.message().contains(&kind), "{key}");
        let (_, error) = identity(&store, Some("secret")).unwrap_err();
        assert!(error.contains(&name), "{error}");
    }
    let (_, jks) = identity(b"\xfe\xed\xfe\xed\0\0\0\x02\0", None).unwrap_err();
    assert!(jks.contains("(JKS): convert it with"), "{jks}");
}

/// BouncyCastle's `ECPrivateKey` without parameters: the public half tells the curve, or the certificate.
#[test]
fn ec_keys_without_parameters() {
    let of_issue = "MGsCAQEEIEL0ohhheoVzhNnvA7v7o200ze06Nk3Rmazyar1x6/czoUQDQgAEBWMgkZICaJ2SmThDGYoJMiAV\
                    PZEtkKUg/f0FR3l62u3BkCq+sIhHcW0iSHh8L441hmLDX2UMjAidm7zTGd6knw==";
    let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{of_issue}\n-----END EC PRIVATE KEY-----\n");
    let key = PrivateKey::from_pem(pem.as_bytes(), None).unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::EcP256);

    let curves = [
        (
            &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7][..],
            KeyAlgorithm::EcP256,
        ),
        (&[0x2b, 0x81, 4, 0, 0x22], KeyAlgorithm::EcP384),
        (&[0x2b, 0x81, 4, 0, 0x23], KeyAlgorithm::EcP521),
    ];
    let lines = include_str!("foreign/bouncycastle-sec1.txt").lines();
    for (line, (curve, algorithm)) in lines.zip(curves) {
        let [_, whole, bare] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let (whole, bare) = (decoded(whole), decoded(bare));
        let key = PrivateKey::from_der(&whole).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let error = refusal(
            PrivateKey::from_der(&bare),
            ErrorKind::InvalidKey,
            "the EC key names no curve",
        );
        assert!(error.message().contains("pass its certificate"), "{error}");

        // For OpenSSL, which reads neither, the curve is written in.
        let workshop = Workshop::new();
        workshop.write("whole.der", &whole);
        assert!(!workshop.succeeds(&["ec", "-inform", "DER", "-in", "whole.der"]));
        let scalar = &bare[7..];
        assert_eq!(bare[..7], [0x30, bare[1], 2, 1, 1, 4, bare[6]]);
        let named = sequence(&[&[2, 1, 1], &tlv(4, scalar), &tlv(0xa0, &oid(curve))]);
        workshop.write("named.der", &named);
        workshop.openssl(&[
            "ec",
            "-inform",
            "DER",
            "-in",
            "named.der",
            "-out",
            "leaf.key",
        ]);
        workshop.issue(LEAF);
        workshop.issue(Order {
            name: "other",
            ..LEAF
        });
        let read = |certificates: &str| {
            let files = IdentityFiles {
                certificate: certificates.as_bytes(),
                private_key: Some(&bare),
                intermediates: None,
                password: None,
            };
            files.read().map(|(key, _)| key.public_key().clone())
        };
        let (leaf, other) = (workshop.pem("leaf"), workshop.pem("other"));
        let expected = Certificate::from_pem(leaf.as_bytes()).unwrap();
        assert_eq!(
            &read(&(other.clone() + &leaf)).unwrap(),
            expected.public_key().unwrap()
        );
        assert_eq!(&read(&leaf).unwrap(), key.public_key());
        refusal(
            read(&other),
            ErrorKind::InvalidKey,
            "no certificate beside it",
        );
    }
}

/// `openssl rsa -check` finds both good.
#[test]
fn rsa_keys_outside_of_what_is_taken_are_not_called_damaged() {
    let workshop = Workshop::new();
    workshop.write(
        "unlike.pem",
        include_bytes!("foreign/rsa-unlike-primes.pem"),
    );
    // 2^40 + 15, a prime.
    let exponent = "rsa_keygen_pubexp:1099511627791";
    generate(
        &workshop,
        "exponent",
        &["-algorithm", "RSA", "-pkeyopt", exponent],
    );
    for (name, limit) in [
        (
            "unlike",
            "has primes of 1054 and 994 bits, and their lengths may differ by 16 bits",
        ),
        (
            "exponent",
            "has a public exponent of 41 bits, and at most 33 are taken",
        ),
    ] {
        let file = format!("{name}.pem");
        assert!(workshop.succeeds(&["rsa", "-in", &file, "-check", "-noout"]));
        let key = PrivateKey::from_pem(&workshop.read(&file), None);
        let error = refusal(key, ErrorKind::Unsupported, limit);
        assert!(error.message().contains("openssl genpkey"), "{error}");
    }
}

/// A root, an intermediate, a leaf, and `full.pem` with the key, the leaf and the intermediate.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    for (name, issuer) in [("root", ""), ("sub", "root")] {
        let subject = format!("/CN={name}");
        workshop.issue(Order {
            name,
            subject: &subject,
            issuer,
            extensions: CA,
            ..LEAF
        });
    }
    workshop.issue(Order {
        issuer: "sub",
        ..LEAF
    });
    let key = String::from_utf8(workshop.read("leaf.key")).unwrap();
    workshop.write(
        "full.pem",
        key + &workshop.pem("leaf") + &workshop.pem("sub"),
    );
    for arguments in [
        "x509 -in leaf.pem -outform DER -out leaf.der",
        "pkey -in leaf.key -outform DER -out key.der",
        "pkcs8 -topk8 -in leaf.key -outform DER -out encrypted.der -iter 9 -passout pass:secret",
        "pkcs12 -export -inkey leaf.key -in full.pem -out all.p12 -iter 9 -passout pass:secret",
        "crl2pkcs7 -nocrl -certfile full.pem -outform DER -out all.p7b",
    ] {
        workshop.openssl(&arguments.split(' ').collect::<Vec<_>>());
    }
    workshop
}

/// `openssl` and Go read all of these.
#[test]
fn what_stands_behind_the_data_and_within_lines_is_passed_over() {
    let workshop = workshop();
    let read = |certificate: &[u8], private_key: Option<&[u8]>| {
        let files = IdentityFiles {
            certificate,
            private_key,
            intermediates: None,
            password: Some(b"secret"),
        };
        files
            .read()
            .map(|(_, chain)| chain.intermediates().len())
            .map_err(|error| error.to_string())
    };
    let files = ["leaf.der", "key.der", "encrypted.der", "all.p12", "all.p7b"];
    for behind in [&b"\n"[..], b"\r\n", b"\0\0\0\0\0"] {
        let [leaf, key, encrypted, pkcs12, pkcs7] =
            files.map(|name| [&workshop.read(name), behind].concat());
        assert_eq!(read(&leaf, Some(&key)), Ok(0));
        assert_eq!(read(&leaf, Some(&encrypted)), Ok(0));
        assert_eq!(read(&pkcs12, None), Ok(1));
        assert_eq!(read(&pkcs12, Some(&key)), Ok(1));
        assert_eq!(read(&pkcs7, Some(&key)), Ok(1));
        // PEM around them.
        for (label, der) in [("CERTIFICATE", &leaf), ("PKCS7", &pkcs7)] {
            let pem = armoured(label, der, 64);
            assert_eq!(
                read(pem.as_bytes(), Some(&key)).map(|_| ()),
                Ok(()),
                "{label}"
            );
        }
        let key = armoured("PRIVATE KEY", &key, 64);
        assert_eq!(read(&leaf, Some(key.as_bytes())), Ok(0));
    }
    // One certificate after the other.
    workshop.openssl(&[
        "x509", "-in", "sub.pem", "-outform", "DER", "-out", "sub.der",
    ]);
    let both = [workshop.read("leaf.der"), workshop.read("sub.der")].concat();
    assert_eq!(read(&both, Some(&workshop.read("key.der"))), Ok(1));

    let full = String::from_utf8(workshop.read("full.pem")).unwrap();
    let spaced: String = full
        .lines()
        .map(|line| match line.starts_with('-') || line.len() < 20 {
            true => format!("{line}\n"),
            false => format!("{} \t{}\n", &line[..20], &line[20..]),
        })
        .collect();
    workshop.write("spaced.pem", &spaced);
    workshop.openssl(&["pkey", "-in", "spaced.pem", "-noout"]);
    assert_eq!(read(spaced.as_bytes(), None), Ok(1));
}

fn armoured(label: &str, der: &[u8], width: usize) -> String {
    let base64 = Base64::encode_string(der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(width)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// Windows' `certutil -encode` writes `CERTIFICATE` over any file.
#[test]
fn containers_under_the_label_of_a_certificate() {
    let workshop = workshop();
    let pkcs12 = armoured("CERTIFICATE", &workshop.read("all.p12"), 64);
    assert_eq!(
        identity(pkcs12.as_bytes(), Some("secret")),
        Ok(("CN=leaf".into(), 1))
    );
    let (kind, _) = identity(pkcs12.as_bytes(), None).unwrap_err();
    assert_eq!(kind, ErrorKind::PasswordRequired);
    let key = String::from_utf8(workshop.read("leaf.key")).unwrap();
    let pkcs7 = armoured("CERTIFICATE", &workshop.read("all.p7b"), 64) + &key;
    assert_eq!(identity(pkcs7.as_bytes(), None), Ok(("CN=leaf".into(), 1)));
    for (text, expected) in [
        (&pkcs12, true),
        (&pkcs7, true),
        (&workshop.pem("leaf"), false),
    ] {
        let found = is_container(text.as_bytes(), Purpose::Certificates);
        assert_eq!(found, expected);
    }
}

/// The members are those of `aws acm export-certificate` and of Vault's `pki/issue`.
#[test]
fn json_of_acm_and_of_vault_and_base64_of_pem() {
    let workshop = workshop();
    workshop.openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        "leaf.key",
        "-out",
        "encrypted.pem",
        "-passout",
        "pass:secret",
    ]);
    let text = |name: &str| String::from_utf8(workshop.read(name)).unwrap();
    let string = |text: &str| serde_json::to_string(text).unwrap();
    let [leaf, sub, key, encrypted] =
        ["leaf.pem", "sub.pem", "leaf.key", "encrypted.pem"].map(|name| string(&text(name)));
    let acm = format!(
        "{{\n    \"Certificate\": {leaf},\n    \"CertificateChain\": {sub},\n    \"PrivateKey\": {encrypted}\n}}\n"
    );
    assert_eq!(
        identity(acm.as_bytes(), Some("secret")),
        Ok(("CN=leaf".into(), 1))
    );
    assert!(is_container(acm.as_bytes(), Purpose::Identity));
    // Vault leaves the line break at the end out.
    let [leaf, sub, key] = [leaf, sub, key].map(|json| json.replace("-----\\n\"", "-----\""));
    let vault = format!(
        r#"{{"request_id":"1","data":{{"ca_chain":[{sub}],"certificate":{leaf},"expiration":1,"issuing_ca":{sub},"private_key":{key},"private_key_type":"ec"}},"warnings":null}}"#
    );
    for json in [
        vault.clone(),
        vault.replace('/', "\\/"),
        format!("\u{feff} {vault}"),
    ] {
        assert_eq!(identity(json.as_bytes(), None), Ok(("CN=leaf".into(), 1)));
    }
    let (_, none) = identity(br#"{"data": {"serial_number": "1"}}"#, None).unwrap_err();
    assert!(none.contains("JSON without PEM"), "{none}");

    workshop.openssl(&["base64", "-in", "full.pem", "-out", "lines.b64"]);
    workshop.openssl(&["base64", "-A", "-in", "full.pem", "-out", "line.b64"]);
    for name in ["lines.b64", "line.b64"] {
        assert_eq!(
            identity(&workshop.read(name), None),
            Ok(("CN=leaf".into(), 1)),
            "{name}"
        );
    }
}

/// A certificate that cannot be read beside a usable identity, in every form that holds several.
#[test]
fn a_bad_neighbour_spoils_nothing() {
    let workshop = workshop();
    let junk = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
    let full = String::from_utf8(workshop.read("full.pem")).unwrap();
    let usage = "usage=SEQUENCE:usage";
    let twice = workshop.odd(&[(usage, &format!("{usage}\nagain=SEQUENCE:usage"))]);
    let negative = workshop.odd(&[("serial=INTEGER:1\n", "serial=INTEGER:-5\n")]);
    assert!(Certificate::from_der(&twice).is_err());
    for bad in [
        &armoured("CERTIFICATE", &twice, 64),
        &armoured("CERTIFICATE", &negative, 64),
        junk,
    ] {
        for text in [format!("{bad}{full}"), format!("{full}{bad}")] {
            assert_eq!(identity(text.as_bytes(), None), Ok(("CN=leaf".into(), 1)));
        }
    }
    // PKCS#7 by OpenSSL, which copies what it can read: the certificates with the odd one among them.
    let pem = full.clone() + &armoured("CERTIFICATE", &twice, 64);
    workshop.write("all.pem", pem);
    workshop.openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "all.pem",
        "-out",
        "bad.p7b",
    ]);
    let key = String::from_utf8(workshop.read("leaf.key")).unwrap();
    let text = String::from_utf8(workshop.read("bad.p7b")).unwrap() + &key;
    assert_eq!(identity(text.as_bytes(), None), Ok(("CN=leaf".into(), 1)));
    // PKCS#7 that is none, beside what is wanted.
    let text = format!("-----BEGIN PKCS7-----\nMAMCAQU=\n-----END PKCS7-----\n{full}");
    assert_eq!(identity(text.as_bytes(), None), Ok(("CN=leaf".into(), 1)));

    // When nothing usable is left, it is told.
    let text = workshop.pem("sub") + junk + &key;
    let (kind, error) = identity(text.as_bytes(), None).unwrap_err();
    assert_eq!(kind, ErrorKind::InvalidCertificate);
    assert!(
        error.contains("belongs to none of the certificates that can be read")
            && error.contains("begins on line"),
        "{error}"
    );
    let files = |certificate| IdentityFiles {
        certificate,
        private_key: None,
        intermediates: Some(junk.as_bytes()),
        password: None,
    };
    let error = files(full.as_bytes()).read().unwrap_err();
    assert!(
        error
            .message()
            .starts_with("the intermediate certificates: "),
        "{error}"
    );
    // CAs alone are what a file of intermediates holds, a bad one among them.
    let some = workshop.pem("sub") + junk;
    let only = IdentityFiles {
        intermediates: Some(some.as_bytes()),
        ..files(&[])
    };
    assert_eq!(only.read_intermediates().unwrap().len(), 1);
    assert!(files(&[]).read_intermediates().is_err());
    let alone = workshop.pem("sub") + junk;
    let error = files(alone.as_bytes()).read_chain().unwrap_err();
    assert!(error.message().contains("begins on line"), "{error}");
}
