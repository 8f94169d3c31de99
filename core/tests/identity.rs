//! Principal tags, source identity and session name of certificates that `openssl` makes.
// Tests say what they expect by panicking; clippy knows it of `#[test]` functions only.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use rolesanywhere_core::{
    Certificate, ErrorKind,
    identity::{
        AttributeMapping, CertificateField, PrincipalTags, default_session_name, principal_tags,
        source_identity,
    },
};
use support::{CA, END_ENTITY, LEAF, Order, Workshop};

fn read(pem: &str) -> Certificate {
    Certificate::from_pem(pem.as_bytes()).unwrap()
}

fn tags(certificate: &Certificate) -> PrincipalTags {
    principal_tags(certificate, &AttributeMapping::default())
}

fn shown(tags: &PrincipalTags) -> Vec<String> {
    let all = tags.tags().iter();
    all.map(|(key, value)| format!("{key}={value}")).collect()
}

fn unmapped(tags: &PrincipalTags) -> Vec<String> {
    tags.unmapped().iter().map(ToString::to_string).collect()
}

/// A certificate with all that is mapped, under a CA of another name.
fn full(workshop: &Workshop) -> Certificate {
    workshop.issue(Order {
        name: "ca",
        subject: "/C=US/O=Example/CN=Example CA",
        extensions: CA,
        ..LEAF
    });
    let extensions = format!(
        "{END_ENTITY}subjectAltName=email:x@y.example,DNS:a.example,DNS:b.example,URI:spiffe://a/b,\
         URI:spiffe://c/d,dirName:first,dirName:second\n[first]\nO=Org\nCN=name\n[second]\nCN=other\n"
    );
    read(&workshop.issue(Order {
        subject: "/C=DE/ST=Bayern/L=M\u{fc}nchen/O=Example/OU=Security/OU=Engineering/OU=Research/\
                  CN=host 1",
        issuer: "ca",
        extensions: &extensions,
        ..LEAF
    }))
}

/// The user guide's example: three OUs become one tag.
#[test]
fn attributes_become_tags() {
    let workshop = Workshop::new();
    let tags = tags(&full(&workshop));
    assert_eq!(
        shown(&tags),
        [
            "x509Subject/C=DE",
            "x509Subject/ST=Bayern",
            "x509Subject/L=M\u{fc}nchen",
            "x509Subject/O=Example",
            "x509Subject/OU=Security/Engineering/Research",
            "x509Subject/CN=host 1",
            "x509Issuer/C=US",
            "x509Issuer/O=Example",
            "x509Issuer/CN=Example CA",
            "x509SAN/DNS=a.example",
            "x509SAN/URI=spiffe://a/b",
            "x509SAN/Name/O=Org",
            "x509SAN/Name/CN=name",
        ]
    );
    assert_eq!(tags.value("x509Subject/CN"), Some("host 1"));
    assert_eq!(tags.value("x509Subject/UID"), None);
    assert!(tags.unmapped().is_empty());
}

#[test]
fn the_mapping_chooses() {
    use CertificateField::{X509Issuer, X509San, X509Subject};
    let workshop = Workshop::new();
    let certificate = full(&workshop);
    let chosen = |rules: &[(CertificateField, &[&str])]| {
        let mapping = rules
            .iter()
            .fold(AttributeMapping::empty(), |mapping, (field, specifiers)| {
                mapping.with_rules(*field, specifiers).unwrap()
            });
        let tags = principal_tags(&certificate, &mapping);
        let keys = tags.tags().iter().map(|(key, _)| key.clone());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(chosen(&[]), [""; 0]);
    assert_eq!(
        chosen(&[(X509Subject, &["CN", "2.5.4.99", "O"])]),
        ["x509Subject/O", "x509Subject/CN"]
    );
    assert_eq!(
        chosen(&[(X509Issuer, &["*"])]),
        ["x509Issuer/C", "x509Issuer/O", "x509Issuer/CN"]
    );
    assert_eq!(chosen(&[(X509San, &["URI"])]), ["x509SAN/URI"]);
    assert_eq!(chosen(&[(X509San, &["Name/CN"])]), ["x509SAN/Name/CN"]);
    for all in ["Name", "Name/", "Name/*"] {
        assert_eq!(
            chosen(&[(X509San, &[all])]),
            ["x509SAN/Name/O", "x509SAN/Name/CN"]
        );
    }
    // A field that is named again loses what it had.
    assert_eq!(
        chosen(&[(X509Subject, &["*"]), (X509Subject, &["CN"])]),
        ["x509Subject/CN"]
    );
    let default = AttributeMapping::default();
    let emptied = default.with_rules(X509Subject, &[]).unwrap();
    let tags = principal_tags(&certificate, &emptied);
    assert_eq!(tags.value("x509Subject/CN"), None);
    assert_eq!(tags.value("x509Issuer/CN"), Some("Example CA"));
}

#[test]
fn wrong_specifiers_are_refused() {
    use CertificateField::{X509Issuer, X509San, X509Subject};
    let long = "N".repeat(61);
    for (field, specifier) in [
        (X509Subject, ""),
        (X509Subject, "C*"),
        (X509Subject, "Name/CN"),
        (X509Subject, long.as_str()),
        (X509Issuer, " CN"),
        (X509San, "*"),
        (X509San, "CN"),
        (X509San, "DNS/*"),
        (X509San, "Name/C*"),
    ] {
        let error = AttributeMapping::default()
            .with_rules(field, &[specifier])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let part = format!("is not a specifier of {field}: use ");
        assert!(error.message().contains(&part), "{error}");
    }
    assert_eq!(
        CertificateField::ALL.map(CertificateField::name),
        ["x509Issuer", "x509SAN", "x509Subject"]
    );
}

#[test]
fn what_sts_does_not_take_is_not_mapped() {
    let workshop = Workshop::new();
    // As Active Directory writes it; and one good OU beside a bad one.
    let certificate = read(&workshop.issue(Order {
        subject: "/DC=example/OU=good/OU=a,b/CN=Doe, Jane (IT)",
        extensions: &format!(
            "{END_ENTITY}subjectAltName=URI:https://a/?b&c,dirName:dn\n[dn]\nO=x*y\n"
        ),
        ..LEAF
    }));
    let tags = tags(&certificate);
    assert_eq!(
        shown(&tags),
        ["x509Subject/DC=example", "x509Issuer/DC=example"]
    );
    assert_eq!(
        unmapped(&tags),
        [
            "x509Subject/OU",
            "x509Subject/CN",
            "x509Issuer/OU",
            "x509Issuer/CN",
            "x509SAN/URI",
            "x509SAN/Name/O",
        ]
    );

    let value = |value: &str| {
        let change = format!("value={value}");
        let der = workshop.odd(&[("value=UTF8:odd", &change)]);
        let tags = principal_tags(
            &Certificate::from_der(&der).unwrap(),
            &AttributeMapping::default(),
        );
        tags.value("x509Subject/CN").map(str::len)
    };
    assert_eq!(value("UTF8:"), Some(0));
    assert_eq!(value(&format!("UTF8:{}", "x".repeat(256))), Some(256));
    assert_eq!(value(&format!("UTF8:{}", "x".repeat(257))), None);
    assert_eq!(value("FORMAT:HEX,BITSTRING:0102"), None);

    // An attribute without a name is mapped under its OID.
    let der = workshop.odd(&[("oid=OID:2.5.4.3\n", "oid=OID:1.2.3.4\n")]);
    let tags = self::tags(&Certificate::from_der(&der).unwrap());
    assert_eq!(tags.value("x509Subject/1.2.3.4"), Some("odd"));
}

/// The boundaries of the user guide: 61 and 64 characters.
#[test]
fn the_source_identity_follows_the_length_of_the_common_name() {
    let workshop = Workshop::new();
    let identity = |value: &str| {
        let change = format!("value={value}");
        let der = workshop.odd(&[
            ("value=UTF8:odd", &change),
            ("serial=INTEGER:1\n", "serial=INTEGER:291\n"),
        ]);
        source_identity(&Certificate::from_der(&der).unwrap())
    };
    for length in 60..=65 {
        let name = "x".repeat(length);
        let expected = match length {
            ..=61 => Some(format!("CN={name}")),
            62..=64 => Some(name.clone()),
            _ => None,
        };
        assert_eq!(identity(&format!("UTF8:{name}")), expected, "{length}");
    }
    // 31 characters beyond the basic plane are 62 units of UTF-16.
    let name = "\u{20000}".repeat(31);
    assert_eq!(identity(&format!("FORMAT:UTF8,UTF8:{name}")), Some(name));
    assert_eq!(identity("UTF8:host 1"), Some("CN=host 1".into()));
    for unknown in ["UTF8:", "UTF8:a*b", "FORMAT:HEX,BITSTRING:0102"] {
        assert_eq!(identity(unknown), None, "{unknown}");
    }
    let two = "rdn1=SET:rdn1\nrdn2=SET:rdn1\n";
    let der = workshop.odd(&[("rdn1=SET:rdn1\n", two)]);
    assert_eq!(source_identity(&Certificate::from_der(&der).unwrap()), None);
}

/// The user guide's examples: 291 is `0123`, 17767 is `4567`.
#[test]
fn without_a_common_name_the_serial_number_identifies() {
    let workshop = Workshop::new();
    for (serial, hex) in [
        ("291", "0123"),
        ("17767", "4567"),
        ("4096", "1000"),
        ("10", "0a"),
    ] {
        let change = format!("serial=INTEGER:{serial}\n");
        let changes = [
            ("serial=INTEGER:1\n", &*change),
            ("oid=OID:2.5.4.3\n", "oid=OID:2.5.4.10\n"),
        ];
        let certificate = Certificate::from_der(&workshop.odd(&changes)).unwrap();
        assert_eq!(source_identity(&certificate), Some(format!("ID={hex}")));
        assert_eq!(default_session_name(&certificate), hex);
    }
}
