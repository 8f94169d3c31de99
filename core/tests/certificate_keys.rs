//! Public keys and signature algorithms of certificates.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{Certificate, ErrorKind, KeyAlgorithm, certificate::GeneralName};
use support::{CA, LEAF, Order, P256, Workshop};

fn read(pem: &str) -> Certificate {
    Certificate::from_pem(pem.as_bytes()).unwrap()
}

#[test]
fn public_keys_are_in_their_one_form() {
    let workshop = Workshop::new();
    let rsa = |bits: &'static str| ["-algorithm", "RSA", "-pkeyopt", bits];
    let ec = |curve: &'static str| ["-algorithm", "EC", "-pkeyopt", curve];
    for (name, key, algorithm) in [
        (
            "rsa2048",
            rsa("rsa_keygen_bits:2048"),
            KeyAlgorithm::Rsa { bits: 2048 },
        ),
        (
            "rsa3072",
            rsa("rsa_keygen_bits:3072"),
            KeyAlgorithm::Rsa { bits: 3072 },
        ),
        // Not a multiple of eight.
        (
            "rsa2050",
            rsa("rsa_keygen_bits:2050"),
            KeyAlgorithm::Rsa { bits: 2050 },
        ),
        ("p256", ec("ec_paramgen_curve:P-256"), KeyAlgorithm::EcP256),
        ("p384", ec("ec_paramgen_curve:P-384"), KeyAlgorithm::EcP384),
        ("p521", ec("ec_paramgen_curve:P-521"), KeyAlgorithm::EcP521),
    ] {
        let pem = workshop.issue(Order {
            name,
            key: &key,
            ..LEAF
        });
        let certificate = read(&pem);
        let public_key = certificate.public_key().unwrap();
        assert_eq!(public_key.algorithm(), algorithm);
        let file = format!("{name}.key");
        let form: &[&str] = if name.starts_with("rsa") {
            &["rsa", "-RSAPublicKey_out"]
        } else {
            &["ec", "-pubout", "-conv_form", "uncompressed"]
        };
        let rest = ["-in", &file, "-outform", "DER", "-out", "public.der"];
        workshop.openssl(&[form, &rest[..]].concat());
        let expected = workshop.read("public.der");
        let bytes = public_key.as_bytes();
        match algorithm {
            KeyAlgorithm::Rsa { .. } => assert_eq!(bytes, expected),
            _ => assert!(bytes[0] == 4 && expected.ends_with(bytes)),
        }
    }
}

#[test]
#[cfg(feature = "rustcrypto")]
fn compressed_points_become_uncompressed() {
    let workshop = Workshop::new();
    for curve in ["P-256", "P-384", "P-521"] {
        for form in ["uncompressed", "compressed"] {
            // The same key under two names.
            let (name, file) = (format!("{curve}-{form}"), format!("{curve}-{form}.key"));
            if form == "uncompressed" {
                let curve = format!("ec_paramgen_curve:{curve}");
                workshop.openssl(&[
                    "genpkey",
                    "-algorithm",
                    "EC",
                    "-pkeyopt",
                    &curve,
                    "-out",
                    &file,
                ]);
            } else {
                let from = format!("{curve}-uncompressed.key");
                workshop.openssl(&["ec", "-in", &from, "-conv_form", form, "-out", &file]);
            }
            workshop.issue(Order {
                name: &name,
                ..LEAF
            });
        }
        let plain = read(&workshop.pem(&format!("{curve}-uncompressed")));
        let compressed = read(&workshop.pem(&format!("{curve}-compressed")));
        assert!(compressed.as_der().len() < plain.as_der().len());
        assert_eq!(
            compressed.public_key().unwrap(),
            plain.public_key().unwrap()
        );
    }
}

#[test]
fn keys_that_the_service_does_not_take_are_named() {
    let workshop = Workshop::new();
    workshop.issue(Order {
        name: "ca",
        extensions: CA,
        ..LEAF
    });
    workshop.openssl(&[
        "genpkey",
        "-genparam",
        "-algorithm",
        "DSA",
        "-out",
        "dsa.par",
    ]);
    for (name, key, named) in [
        (
            "ed25519",
            &["-algorithm", "ED25519"][..],
            "the certificate: the key is Ed25519, which",
        ),
        ("ed448", &["-algorithm", "ED448"], "key is Ed448, which"),
        ("dsa", &["-paramfile", "dsa.par"], "key is DSA, which"),
        (
            "rsa1024",
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            "the RSA key has 1024 bits: 2048 to 8192 are taken",
        ),
        (
            "pss",
            &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
            "key is RSA restricted to PSS (RSASSA-PSS), which",
        ),
        (
            "p224",
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
            "key is EC on P-224 (secp224r1), which",
        ),
        (
            "k1",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:secp256k1",
            ],
            "key is EC on secp256k1, which",
        ),
        (
            "brainpool",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:brainpoolP256r1",
            ],
            "key is EC on a Brainpool curve, which",
        ),
        (
            "sect",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:sect233k1",
            ],
            "key is EC on the curve `1.3.132.0.26`, which",
        ),
        (
            "explicit",
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-pkeyopt",
                "ec_param_enc:explicit",
            ],
            "key has explicit curve parameters",
        ),
    ] {
        let certificate = read(&workshop.issue(Order {
            name,
            key,
            issuer: "ca",
            subject: "/CN=other key",
            ..LEAF
        }));
        assert_eq!(certificate.subject().common_name(), Some("other key"));
        let error = certificate.public_key().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
        assert!(error.message().contains(named), "{name}: {error}");
    }
}

#[test]
fn signature_algorithms_are_named() {
    let workshop = Workshop::new();
    let rsa: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let pss = |digest: &'static str| [digest, "-sigopt", "rsa_padding_mode:pss"];
    for (name, key, more, shown, strong) in [
        ("rsa", rsa, &["-md5"][..], "RSA with MD5", false),
        ("rsa", rsa, &["-sha1"], "RSA with SHA-1", false),
        ("rsa", rsa, &["-sha224"], "RSA with SHA-224", false),
        ("rsa", rsa, &["-sha256"], "RSA with SHA-256", true),
        ("rsa", rsa, &["-sha384"], "RSA with SHA-384", true),
        ("rsa", rsa, &["-sha512"], "RSA with SHA-512", true),
        ("rsa", rsa, &["-sha512-256"], "RSA with SHA-512/256", true),
        ("rsa", rsa, &["-sha3-256"], "RSA with SHA3-256", true),
        ("rsa", rsa, &pss("-sha1"), "RSA-PSS with SHA-1", false),
        ("rsa", rsa, &pss("-sha256"), "RSA-PSS with SHA-256", true),
        ("rsa", rsa, &pss("-sha384"), "RSA-PSS with SHA-384", true),
        ("ec", P256, &["-sha1"], "ECDSA with SHA-1", false),
        ("ec", P256, &["-sha224"], "ECDSA with SHA-224", false),
        ("ec", P256, &["-sha256"], "ECDSA with SHA-256", true),
        ("ec", P256, &["-sha384"], "ECDSA with SHA-384", true),
        ("ec", P256, &["-sha512"], "ECDSA with SHA-512", true),
        ("ec", P256, &["-sha3-384"], "ECDSA with SHA3-384", true),
        ("ed25519", &["-algorithm", "ED25519"], &[], "Ed25519", true),
        ("ed448", &["-algorithm", "ED448"], &[], "Ed448", true),
    ] {
        let certificate = read(&workshop.issue(Order {
            name,
            key,
            more,
            ..LEAF
        }));
        let algorithm = certificate.signature_algorithm();
        assert_eq!(algorithm.to_string(), shown);
        assert_eq!(algorithm.is_sha256_or_stronger(), Some(strong), "{shown}");
    }
}

/// Certificates of another implementation: their self-signatures verify under the key that is read.
#[test]
#[cfg(feature = "rustcrypto")]
fn ml_dsa_certificates_are_read() {
    use ml_dsa::{MlDsa44, MlDsa65, MlDsa87};
    let pems = [
        include_str!("certificates/ml-dsa-44.pem"),
        include_str!("certificates/ml-dsa-65.pem"),
        include_str!("certificates/ml-dsa-87.pem"),
    ];
    let [a, b, c] = pems.map(read);
    for (certificate, algorithm, serial, verified) in [
        (
            &a,
            KeyAlgorithm::MlDsa44,
            "e4dd42d9d505d629",
            verifies::<MlDsa44>(&a),
        ),
        (
            &b,
            KeyAlgorithm::MlDsa65,
            "e19de22b0a3e5126",
            verifies::<MlDsa65>(&b),
        ),
        (
            &c,
            KeyAlgorithm::MlDsa87,
            "08a312a0ba211da5",
            verifies::<MlDsa87>(&c),
        ),
    ] {
        assert_eq!(certificate.public_key().unwrap().algorithm(), algorithm);
        let shown = certificate.signature_algorithm();
        assert_eq!(shown.to_string(), algorithm.to_string());
        assert_eq!(shown.is_sha256_or_stronger(), Some(true));
        assert_eq!(certificate.serial_hex(), serial);
        assert_eq!(
            certificate.subject_alternative_names(),
            [GeneralName::Dns("mldsa.example".into())]
        );
        assert!(verified, "{algorithm}");
    }
}

/// Whether the self-signature of a certificate is valid under the public key that was read in it.
#[cfg(feature = "rustcrypto")]
fn verifies<P: ml_dsa::MlDsaParams>(certificate: &Certificate) -> bool {
    use der::{Reader, SliceReader, asn1::BitStringRef};
    let mut reader = SliceReader::new(certificate.as_der()).unwrap();
    let (signed, signature) = reader
        .sequence(|sequence| {
            let signed = sequence.tlv_bytes()?;
            sequence.tlv_bytes()?;
            Ok::<_, der::Error>((signed, sequence.decode::<BitStringRef<'_>>()?))
        })
        .unwrap();
    let key = certificate
        .public_key()
        .unwrap()
        .as_bytes()
        .try_into()
        .unwrap();
    let signature = ml_dsa::Signature::<P>::try_from(signature.raw_bytes()).unwrap();
    ml_dsa::VerifyingKey::<P>::decode(&key).verify_with_context(signed, &[], &signature)
}
