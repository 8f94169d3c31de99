//! Certificates against what the `openssl` command says about them.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{Certificate, ErrorKind, KeyAlgorithm, certificate::GeneralName};
use support::{CA, LEAF, Order, Workshop};

fn read(pem: &str) -> Certificate {
    Certificate::from_pem(pem.as_bytes()).unwrap()
}

#[test]
fn a_usual_certificate_is_read_as_openssl_reads_it() {
    let workshop = Workshop::new();
    workshop.issue(Order {
        name: "ca",
        subject: "/C=US/O=Example/CN=Example CA",
        extensions: CA,
        ..LEAF
    });
    let certificate = read(&workshop.issue(Order {
        subject: "/C=US/ST=Washington/L=Seattle/O=Example, Inc./OU=a/OU=b/DC=example/UID=u1/\
                  CN=J\u{fc}rgen <x>",
        issuer: "ca",
        more: &["-set_serial", "0x0123456789abcdef0123456789abcdef01234567"],
        ..LEAF
    }));

    assert_eq!(
        certificate.serial_hex().to_uppercase(),
        workshop.shown("leaf", &["-serial"])
    );
    // `python3 -c 'print(0x0123456789abcdef0123456789abcdef01234567)'`
    assert_eq!(
        certificate.serial_decimal(),
        "6495562832581790663061892574634853316331521383"
    );
    let names = ["-nameopt", "RFC2253,-esc_msb,utf8"];
    assert_eq!(
        certificate.subject().to_string(),
        workshop.shown("leaf", &[&["-subject"], &names[..]].concat())
    );
    assert_eq!(
        certificate.issuer().to_string(),
        workshop.shown("leaf", &[&["-issuer"], &names[..]].concat())
    );
    for (time, argument) in [
        (certificate.not_before(), "-startdate"),
        (certificate.not_after(), "-enddate"),
    ] {
        assert_eq!(
            time.to_iso8601().replace('T', " "),
            workshop.shown("leaf", &[argument, "-dateopt", "iso_8601"])
        );
    }
    assert_eq!(
        certificate.fingerprint_sha256().to_uppercase(),
        workshop
            .shown("leaf", &["-fingerprint", "-sha256"])
            .replace(':', "")
    );
    let identifiers = workshop.shown(
        "leaf",
        &["-ext", "subjectKeyIdentifier,authorityKeyIdentifier"],
    );
    for identifier in [
        certificate.subject_key_identifier(),
        certificate.authority_key_identifier(),
    ] {
        let bytes = identifier.unwrap().iter().map(|byte| format!("{byte:02X}"));
        assert!(identifiers.contains(&bytes.collect::<Vec<_>>().join(":")));
    }
    assert_eq!(certificate.version(), 3);
    assert!(!certificate.is_self_issued());
    assert!(read(&workshop.pem("ca")).is_self_issued());
    assert_eq!(certificate.subject().common_name(), Some("J\u{fc}rgen <x>"));
    workshop.openssl(&[
        "x509", "-in", "leaf.pem", "-outform", "DER", "-out", "leaf.der",
    ]);
    assert_eq!(certificate.as_der(), workshop.read("leaf.der"));
    assert_eq!(
        Certificate::from_der(certificate.as_der()).unwrap(),
        certificate
    );
}

#[test]
fn the_extensions_are_read() {
    let workshop = Workshop::new();
    let extensions = "basicConstraints=CA:TRUE,pathlen:3\n\
        keyUsage=digitalSignature,keyCertSign,decipherOnly\n\
        extendedKeyUsage=serverAuth,1.2.3.4\n\
        nsComment=odd but not critical\n\
        1.2.3.4.5=critical,DER:0500\n\
        nameConstraints=critical,permitted;DNS:.example\n\
        subjectAltName=DNS:a.example,DNS:b.example,URI:spiffe://a/b,IP:10.0.0.1,IP:2001:db8::1,\
        email:x@y.example,dirName:dn,RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d\n\
        [dn]\nO=Org\nCN=name\n";
    let certificate = read(&workshop.issue(Order { extensions, ..LEAF }));
    let constraints = certificate.basic_constraints().unwrap();
    assert!(constraints.ca);
    assert_eq!(constraints.path_length, Some(3));
    let usage = certificate.key_usage().unwrap();
    assert_eq!(
        usage.names().collect::<Vec<_>>(),
        ["digitalSignature", "keyCertSign", "decipherOnly"]
    );
    assert!(usage.digital_signature() && usage.key_cert_sign() && !usage.crl_sign());
    assert_eq!(
        format!("{usage:?}"),
        r#"{"digitalSignature", "keyCertSign", "decipherOnly"}"#
    );
    let purposes = certificate.extended_key_usage().unwrap();
    assert_eq!(purposes.purposes(), ["1.3.6.1.5.5.7.3.1", "1.2.3.4"]);
    assert!(!purposes.allows_client_auth());
    assert_eq!(certificate.unknown_critical_extensions(), ["1.2.3.4.5"]);

    let names = certificate.subject_alternative_names();
    let [dns, _, uri, ip4, ip6, email, directory, registered, other] = names else {
        panic!("{names:?}");
    };
    assert_eq!(*dns, GeneralName::Dns("a.example".into()));
    assert_eq!(*uri, GeneralName::Uri("spiffe://a/b".into()));
    assert_eq!(*ip4, GeneralName::Ip("10.0.0.1".parse().unwrap()));
    assert_eq!(*ip6, GeneralName::Ip("2001:db8::1".parse().unwrap()));
    assert_eq!(*email, GeneralName::Email("x@y.example".into()));
    assert!(matches!(directory, GeneralName::DirectoryName(n) if n.to_string() == "CN=name,O=Org"));
    assert_eq!(*registered, GeneralName::RegisteredId("1.2.3.4".into()));
    assert_eq!(
        *other,
        GeneralName::OtherName {
            type_id: "1.3.6.1.4.1.311.20.2.3".into(),
            value: b"\x0c\x03u@d".to_vec(),
        }
    );

    let usual = read(&workshop.issue(LEAF));
    assert!(usual.extended_key_usage().unwrap().allows_client_auth());
    assert!(!usual.basic_constraints().unwrap().ca);
    assert!(usual.unknown_critical_extensions().is_empty());
    assert!(usual.subject_alternative_names().is_empty());
}

#[test]
fn pem_is_read_in_its_usual_forms() {
    let workshop = Workshop::new();
    let pem = workshop.issue(LEAF);
    let expected = read(&pem);
    let key = String::from_utf8(workshop.read("leaf.key")).unwrap();

    workshop.openssl(&[
        "x509",
        "-in",
        "leaf.pem",
        "-trustout",
        "-addtrust",
        "clientAuth",
        "-out",
        "trusted.pem",
    ]);
    let trusted = workshop.pem("trusted");
    assert!(trusted.contains("BEGIN TRUSTED CERTIFICATE"));
    for text in [
        format!("{key}{pem}"),
        format!("{pem}{key}"),
        pem.replace("CERTIFICATE", "X509 CERTIFICATE"),
        pem.replace('\n', "\r\n"),
        workshop.openssl(&["x509", "-in", "leaf.pem", "-text"]),
        trusted,
    ] {
        assert_eq!(read(&text), expected, "{text}");
    }

    workshop.openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "leaf.pem",
        "-out",
        "p7.pem",
    ]);
    let encoded: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for (text, part) in [
        (
            key.as_bytes(),
            "only `PRIVATE KEY`: pass the file that holds the block `CERTIFICATE`",
        ),
        (workshop.pem("p7").as_bytes(), "openssl pkcs7 -print_certs"),
        (expected.as_der(), "it looks like DER"),
        (encoded.as_bytes(), "it looks like the base64 alone"),
        (
            pem.replace("MII", "AII").as_bytes(),
            "the certificate that begins on line 1: it is not a certificate in DER",
        ),
    ] {
        let error = Certificate::from_pem(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCertificate);
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn the_recorded_certificate_has_serial_21() {
    let certificate = read(include_str!("certificates/golden-rsa-2048.pem"));
    assert_eq!(certificate.serial_decimal(), "21");
    assert_eq!(certificate.serial_hex(), "15");
    // `openssl x509 -noout -subject -issuer -dates -nameopt RFC2253`
    assert_eq!(
        certificate.subject().to_string(),
        "CN=alice-cert.domain.com,OU=Enterprise,O=Google,L=US"
    );
    assert_eq!(
        certificate.issuer().to_string(),
        "CN=Single Root CA,OU=Enterprise,O=Google,C=US"
    );
    assert_eq!(
        certificate.not_before().to_iso8601(),
        "2024-05-18T14:49:31Z"
    );
    assert_eq!(certificate.not_after().to_iso8601(), "2034-05-18T14:49:31Z");
    let key = certificate.public_key().unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::Rsa { bits: 2048 });
}

mod hostile {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static ORIGINALS: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
        [
            read(include_str!("certificates/golden-rsa-2048.pem")),
            read(include_str!("certificates/ml-dsa-44.pem")),
        ]
    });

    /// Everything that can be asked of a certificate, so that no part of it is left out.
    fn ask_everything(certificate: &Certificate) -> usize {
        let texts = [
            format!("{certificate:?}"),
            certificate.subject().to_string(),
            certificate.issuer().to_string(),
            certificate.fingerprint_sha256(),
            certificate.not_after().to_iso8601(),
            format!("{:?}", certificate.public_key()),
            format!("{:?}", certificate.subject_alternative_names()),
            format!("{}", certificate.is_self_issued()),
        ];
        texts.iter().map(String::len).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Certificate::from_der(&bytes).is_err());
        }

        #[test]
        fn a_changed_certificate_does_not_panic(
            which in 0usize..2,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut der = ORIGINALS[which].as_der().to_vec();
            // What is not the signature or the key, where every change means the same.
            let length = der.len().min(900);
            for (at, byte) in changes {
                der[at.index(length)] = byte;
            }
            if let Ok(certificate) = Certificate::from_der(&der) {
                prop_assert!(ask_everything(&certificate) > 0);
                prop_assert_eq!(certificate.as_der(), &der[..]);
            }
        }
    }
}
