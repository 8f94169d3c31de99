//! Certificates that no tool would write, in DER that `openssl asn1parse -genconf` makes.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{Certificate, ErrorKind, certificate::GeneralName};
use support::{Workshop, replaced};

/// What no tool would write but has one meaning is read.
#[test]
fn odd_certificates_are_read() {
    let workshop = Workshop::new();
    let odd = |changes: &[(&str, &str)]| {
        let der = workshop.odd(changes);
        Certificate::from_der(&der).unwrap_or_else(|error| panic!("{changes:?}: {error}"))
    };
    let usual = odd(&[]);
    assert_eq!((usual.version(), usual.serial_decimal()), (3, "1"));
    assert_eq!(usual.serial_hex(), "01");

    let no_extensions = ("extensions=EXPLICIT:3,SEQUENCE:extensions\n", "");
    let version1 = odd(&[no_extensions, ("version=EXPLICIT:0,INTEGER:2\n", "")]);
    assert_eq!(version1.version(), 1);
    assert!(version1.key_usage().is_none() && version1.basic_constraints().is_none());
    // Version 1, written although it is the default.
    assert_eq!(
        odd(&[("EXPLICIT:0,INTEGER:2", "EXPLICIT:0,INTEGER:0")]).version(),
        1
    );
    let version2 = odd(&[
        ("EXPLICIT:0,INTEGER:2", "EXPLICIT:0,INTEGER:1"),
        (
            "extensions=EXPLICIT:3,SEQUENCE:extensions\n",
            "id1=IMPLICIT:1,FORMAT:HEX,BITSTRING:00\nid2=IMPLICIT:2,FORMAT:HEX,BITSTRING:00\n",
        ),
    ]);
    assert_eq!(version2.version(), 2);

    let serial = |value: &str| {
        let certificate = odd(&[("serial=INTEGER:1\n", &format!("serial={value}\n"))]);
        (
            certificate.serial_decimal().to_string(),
            certificate.serial_hex().to_string(),
        )
    };
    let pair = |decimal: &str, hex: &str| (decimal.to_string(), hex.to_string());
    assert_eq!(serial("INTEGER:0"), pair("0", "00"));
    assert_eq!(serial("INTEGER:291"), pair("291", "0123"));
    assert_eq!(serial("INTEGER:17767"), pair("17767", "4567"));
    assert_eq!(serial("INTEGER:128"), pair("128", "80"));
    // `python3 -c 'print(2**168 - 1)'`: 21 bytes, and a sign byte before them.
    let long = format!("INTEGER:0x{}", "f".repeat(42));
    assert_eq!(
        serial(&long),
        pair(
            "374144419156711147060143317175368453031918731001855",
            &"f".repeat(42)
        )
    );
    // More leading zeros than DER allows; OpenSSL does not write them.
    let der = workshop.odd(&[("serial=INTEGER:1\n", "serial=INTEGER:0x0a0a0a0a\n")]);
    let padded = replaced(&der, b"\x02\x04\x0a\x0a\x0a\x0a", b"\x02\x04\0\0\0\x0a");
    assert_eq!(
        Certificate::from_der(&padded).unwrap().serial_decimal(),
        "10"
    );

    for (from, to) in [
        ("UTCTIME:240706113859Z", "2024-07-06T11:38:59Z"),
        ("GENTIME:20240706113859Z", "2024-07-06T11:38:59Z"),
        ("GENTIME:19240706113859Z", "1924-07-06T11:38:59Z"),
        (
            "IMPLICIT:24U,FORMAT:ASCII,OCTETSTRING:00000101000000Z",
            "0000-01-01T00:00:00Z",
        ),
    ] {
        let certificate = odd(&[("from=UTCTIME:240706113859Z", &format!("from={from}"))]);
        assert_eq!(certificate.not_before().to_iso8601(), to);
    }

    let empty = odd(&[("rdn1=SET:rdn1\n", "")]);
    assert!(empty.subject().is_empty() && empty.subject().common_name().is_none());
    let universal = odd(&[("value=UTF8:odd", "value=UNIV:odd")]);
    assert_eq!(universal.subject().common_name(), Some("odd"));
    let unique = odd(&[(
        "oid=OID:2.5.4.3\nvalue=UTF8:odd",
        "oid=OID:2.5.4.45\nvalue=FORMAT:HEX,BITSTRING:01",
    )]);
    assert_eq!(unique.subject().attributes()[0].name(), "2.5.4.45");
    assert_eq!(unique.subject().attributes()[0].text(), None);

    let critical = odd(&[(
        "oid=OID:2.5.29.15",
        "oid=OID:2.25.329800735698586629295641978511506172918",
    )]);
    assert_eq!(
        critical.unknown_critical_extensions(),
        ["2.25.329800735698586629295641978511506172918"]
    );
    let algorithm = odd(&[("oid=OID:1.2.840.10045.4.3.2", "oid=OID:1.2.3.4")]);
    assert_eq!(algorithm.signature_algorithm().to_string(), "1.2.3.4");
    assert_eq!(
        algorithm.signature_algorithm().is_sha256_or_stronger(),
        None
    );

    let constraints = |value: &str| {
        odd(&[(
            "oid=OID:2.5.29.15\ncritical=BOOLEAN:TRUE\nvalue=FORMAT:HEX,OCTETSTRING:03020780",
            &format!("oid=OID:2.5.29.19\nvalue=FORMAT:HEX,OCTETSTRING:{value}"),
        )])
        .basic_constraints()
        .map(|constraints| (constraints.ca, constraints.path_length))
    };
    assert_eq!(constraints("3000"), Some((false, None)));
    assert_eq!(constraints("3003010100"), Some((false, None)));
    assert_eq!(constraints("30030101ff"), Some((true, None)));
    assert_eq!(constraints("3003010101"), Some((true, None)));
    assert_eq!(constraints("30060101ff020105"), Some((true, Some(5))));
    assert_eq!(constraints("30070101ff02020100"), Some((true, Some(256))));
    assert_eq!(
        constraints("300b0101ff0206010000000000"),
        Some((true, Some(u32::MAX)))
    );

    let names = |value: &str| {
        odd(&[(
            "oid=OID:2.5.29.15\ncritical=BOOLEAN:TRUE\nvalue=FORMAT:HEX,OCTETSTRING:03020780",
            &format!("oid=OID:2.5.29.17\nvalue=FORMAT:HEX,OCTETSTRING:{value}"),
        )])
        .subject_alternative_names()
        .to_vec()
    };
    let other = |tag, content: &[u8]| GeneralName::Other {
        tag,
        content: content.to_vec(),
    };
    assert_eq!(names("3000"), []);
    // An x400Address, an ediPartyName, an address of three bytes, and a tag that does not exist.
    assert_eq!(
        names("3010a3020500a50205008703010203890161"),
        [
            other(3, &[5, 0]),
            other(5, &[5, 0]),
            other(7, &[1, 2, 3]),
            other(9, b"a")
        ]
    );
    assert_eq!(
        names("30068204636166e9"),
        [GeneralName::Dns("caf\u{e9}".into())]
    );
}

/// `openssl x509 -inform DER` reads them too.
#[test]
fn what_stands_behind_is_passed_over() {
    let workshop = Workshop::new();
    let der = workshop.odd(&[]);
    for behind in [&b"\n"[..], b"\0\0\0", b"\r\n", &der] {
        let file = [&der[..], behind].concat();
        assert_eq!(Certificate::from_der(&file).unwrap().as_der(), der);
        workshop.write("behind.der", &file);
        assert!(workshop.succeeds(&["x509", "-inform", "DER", "-in", "behind.der", "-noout"]));
    }
}

/// OpenSSL's `-subject_hash` is that of the name with its sets sorted.
#[test]
fn names_are_sets_and_empty_ones_are_passed_by() {
    let workshop = Workshop::new();
    let name = |sets: &str| {
        let subject = "subject=SEQUENCE:other\n";
        let der = workshop.odd(&[
            ("subject=SEQUENCE:name\n", subject),
            ("[validity]\n", &format!("{sets}\n[validity]\n")),
        ]);
        workshop.write("name.der", &der);
        let arguments = ["x509", "-inform", "DER", "-in", "name.der", "-noout"];
        let hash = workshop.openssl(&[&arguments[..], &["-subject_hash"]].concat());
        (Certificate::from_der(&der).unwrap().subject().clone(), hash)
    };
    let attributes = "[cn]\noid=OID:2.5.4.3\nvalue=UTF8:a\n[ou]\noid=OID:2.5.4.11\nvalue=UTF8:b\n";
    let of = |order: &str| name(&format!("[other]\n{order}\n{attributes}"));
    // `asn1parse -genconf` sorts a SET and keeps the order of a SEQUENCE, which is made a SET by its tag.
    let sorted = of("r=SET:two\n[two]\na=SEQUENCE:cn\nb=SEQUENCE:ou");
    let unsorted = of("r=IMPLICIT:17U,SEQUENCE:two\n[two]\nb=SEQUENCE:ou\na=SEQUENCE:cn");
    let empty = of("e=SET\nr=SET:two\n[two]\na=SEQUENCE:cn\nb=SEQUENCE:ou");
    let apart = of("r=SET:one\ns=SET:two\n[one]\na=SEQUENCE:cn\n[two]\nb=SEQUENCE:ou");
    assert_ne!(sorted.0, unsorted.0);
    for (other, is_same) in [(&unsorted, true), (&empty, true), (&apart, false)] {
        assert_eq!(sorted.0.matches(&other.0), is_same, "{:?}", other.0);
        assert_eq!(sorted.1 == other.1, is_same, "{:?}", other.0);
    }
    let nothing = of("e=SET");
    assert!(nothing.0.is_empty() && nothing.0.to_string().is_empty());
}

#[test]
fn what_has_no_meaning_is_refused() {
    let workshop = Workshop::new();
    let usage = "oid=OID:2.5.29.15\ncritical=BOOLEAN:TRUE\nvalue=FORMAT:HEX,OCTETSTRING:03020780";
    for (line, replacement, part) in [
        (
            "EXPLICIT:0,INTEGER:2",
            "EXPLICIT:0,INTEGER:3",
            "version is none of 1, 2 and 3",
        ),
        (
            "algorithm=SEQUENCE:algorithm\nsignature",
            "algorithm=SEQUENCE:key_algorithm\nsignature",
            "two different signature algorithms",
        ),
        (
            "algorithm=SEQUENCE:algorithm\nsignature",
            "algorithm=SEQUENCE:again\nsignature",
            "once with the parameter NULL and once without: a program that it passed through",
        ),
        (
            "from=UTCTIME:240706113859Z",
            "from=IMPLICIT:23U,FORMAT:ASCII,OCTETSTRING:241306113859Z",
            "notBefore is not a time",
        ),
        (
            "to=UTCTIME:340706113859Z",
            "to=NULL",
            "notAfter is not a time",
        ),
        (
            "usage=SEQUENCE:usage",
            "usage=SEQUENCE:usage\nagain=SEQUENCE:usage",
            "has the extension 2.5.29.15 twice",
        ),
        (
            "value=FORMAT:HEX,OCTETSTRING:03020780",
            "value=FORMAT:HEX,OCTETSTRING:0303",
            "key usage is malformed",
        ),
        (
            "value=FORMAT:HEX,OCTETSTRING:03020780",
            "value=FORMAT:HEX,OCTETSTRING:03020880",
            "key usage is malformed",
        ),
        (
            usage,
            "oid=OID:2.5.29.19\nvalue=FORMAT:HEX,OCTETSTRING:30030201ff",
            "basic constraints is malformed",
        ),
        (
            usage,
            "oid=OID:2.5.29.37\nvalue=FORMAT:HEX,OCTETSTRING:30020601",
            "extended key usage is malformed",
        ),
        (
            usage,
            "oid=OID:2.5.29.17\nvalue=FORMAT:HEX,OCTETSTRING:30020500",
            "subject alternative name is malformed",
        ),
        (
            "usage=SEQUENCE:usage",
            "usage=NULL",
            "list of extensions is malformed",
        ),
        (
            "issuer=SEQUENCE:name",
            "issuer=NULL",
            "issuer: a name is malformed",
        ),
    ] {
        let error = Certificate::from_der(&workshop.odd(&[(line, replacement)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCertificate);
        assert!(error.message().contains(part), "{replacement}: {error}");
    }
    for (line, replacement) in [
        ("FORMAT:HEX,BITSTRING:046B", "FORMAT:HEX,BITSTRING:056B"),
        ("curve=OID:1.2.840.10045.3.1.7", "curve=NULL"),
        ("curve=OID:1.2.840.10045.3.1.7\n", ""),
        ("curve=OID:1.2.840.10045.3.1.7", "curve=OID:1.3.132.0.34"),
    ] {
        let certificate = Certificate::from_der(&workshop.odd(&[(line, replacement)])).unwrap();
        let error = certificate.public_key().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCertificate);
        assert!(
            error.message().contains("public key is malformed"),
            "{error}"
        );
    }

    let der = workshop.odd(&[]);
    let no_serial = workshop.odd(&[("serial=INTEGER:1\n", "serial=OCTETSTRING:\n")]);
    let no_serial = replaced(&no_serial, b"\x04\0\x30\x0a", b"\x02\0\x30\x0a");
    let error = Certificate::from_der(&no_serial).unwrap_err();
    assert!(
        error.message().contains("serial number is empty"),
        "{error}"
    );
    for length in 0..der.len() {
        assert!(Certificate::from_der(&der[..length]).is_err(), "{length}");
    }
    // BER's indefinite length.
    let mut indefinite = vec![0x30, 0x80];
    indefinite.extend_from_slice(&der[4..]);
    indefinite.extend_from_slice(&[0, 0]);
    assert!(Certificate::from_der(&indefinite).is_err());
    let mut long = vec![0x30, 0x83, 0x01, 0xff, 0xfc];
    long.resize(128 * 1024 + 1, 0);
    let error = Certificate::from_der(&long).unwrap_err();
    assert!(
        error
            .message()
            .contains("has 131073 bytes, more than 131072"),
        "{error}"
    );
}
