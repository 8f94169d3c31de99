use super::*;
use alloc::{
    format,
    string::{String, ToString},
};

const CN: &str = "2.5.4.3";
const UTF8: u8 = 0x0c;

/// DER of a name, given its RDNs: OID, tag and content of each attribute.
fn encoded(rdns: &[&[(&str, u8, &[u8])]]) -> Vec<u8> {
    let mut all = Vec::new();
    for rdn in rdns {
        let mut set = Vec::new();
        for (oid, tag, content) in *rdn {
            let oid = ObjectIdentifier::new_unwrap(oid);
            let pair = [tlv(0x06, oid.as_bytes()), tlv(*tag, content)].concat();
            set.extend(tlv(0x30, &pair));
        }
        all.extend(tlv(0x31, &set));
    }
    tlv(0x30, &all)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = match u8::try_from(content.len()).unwrap() {
        length @ ..0x80 => Vec::from([tag, length]),
        length => Vec::from([tag, 0x81, length]),
    };
    element.extend_from_slice(content);
    element
}

fn name(rdns: &[&[(&str, u8, &[u8])]]) -> DistinguishedName {
    DistinguishedName::from_der(&encoded(rdns)).unwrap()
}

fn cn(tag: u8, content: &[u8]) -> DistinguishedName {
    name(&[&[(CN, tag, content)]])
}

/// Each shown name is what `X500Principal.getName()` of OpenJDK 25 gave for the same DER.
#[test]
fn names_are_shown_as_java_shows_them() {
    for (name, shown) in [
        (name(&[]), ""),
        (
            name(&[
                &[("2.5.4.6", 0x13, b"US")],
                &[("2.5.4.8", UTF8, b"Washington")],
                &[("2.5.4.7", UTF8, b"Seattle")],
                &[("2.5.4.10", UTF8, b"Example")],
                &[("2.5.4.11", UTF8, b"Security")],
                &[(CN, UTF8, b"host")],
            ]),
            "CN=host,OU=Security,O=Example,L=Seattle,ST=Washington,C=US",
        ),
        (
            name(&[
                &[("0.9.2342.19200300.100.1.25", 0x16, b"example")],
                &[("0.9.2342.19200300.100.1.1", UTF8, b"u1")],
                &[("2.5.4.9", UTF8, b"Main St 1")],
            ]),
            "STREET=Main St 1,UID=u1,DC=example",
        ),
        (
            name(&[
                &[("1.2.840.113549.1.9.1", 0x16, b"a@b.example")],
                &[("2.5.4.5", 0x13, b"0042")],
                &[("2.5.4.12", UTF8, b"Dr")],
                &[("1.2.3.4.5", UTF8, b"x")],
            ]),
            "1.2.3.4.5=#0c0178,2.5.4.12=#0c024472,2.5.4.5=#130430303432,\
             1.2.840.113549.1.9.1=#160b6140622e6578616d706c65",
        ),
        (
            name(&[&[("2.5.4.10", UTF8, b"")], &[(CN, UTF8, b"x")]]),
            "CN=x,O=",
        ),
        (
            name(&[&[("2.5.4.45", 0x03, b"\0\x01\x02")], &[(CN, UTF8, b"x")]]),
            "CN=x,2.5.4.45=#0303000102",
        ),
        // Not sorted, as DER wants it: the order is kept.
        (
            name(&[&[
                ("2.5.4.11", UTF8, b"b"),
                ("2.5.4.11", UTF8, b"a"),
                (CN, UTF8, b"c"),
            ]]),
            "OU=b+OU=a+CN=c",
        ),
        (
            cn(UTF8, b"Last, First (dept) = #1 \"q\" <x>; a+b \\"),
            "CN=Last\\, First (dept) \\= \\#1 \\\"q\\\" \\<x\\>\\; a\\+b \\\\",
        ),
        (cn(UTF8, b"  a  b  "), "CN=\\ \\ a  b\\ \\ "),
        (cn(UTF8, b"  "), "CN=\\ \\ "),
        (cn(UTF8, b"a\0b"), "CN=a\\00b"),
        (cn(UTF8, b"\na\n"), "CN=\na\n"),
        (cn(UTF8, b"\ra\r"), "CN=\\\ra\\\r"),
        (cn(UTF8, b"\ta\t"), "CN=\ta\t"),
        (cn(UTF8, "J\u{fc}rgen".as_bytes()), "CN=J\u{fc}rgen"),
        (cn(0x14, b"Gr\xf6\xdfe"), "CN=Gr\u{f6}\u{df}e"),
        (cn(0x16, b"caf\xe9"), "CN=caf\u{e9}"),
        (cn(0x13, b"caf\xe9"), "CN=caf\u{e9}"),
        (cn(0x1b, b"gen"), "CN=gen"),
        (cn(0x1e, b"\0G\0r\0\xf6\x20\xac"), "CN=Gr\u{f6}\u{20ac}"),
        (cn(0x12, b"123"), "CN=#1203313233"),
        (cn(0x1a, b"vis"), "CN=#1a03766973"),
        (cn(0x1c, b"\0\0\0G"), "CN=#1c0400000047"),
        (cn(0x03, b"\0\x01\x02"), "CN=#0303000102"),
    ] {
        assert_eq!(name.to_string(), shown);
    }
}

#[test]
fn every_string_type_is_decoded() {
    for (tag, content, text) in [
        (0x0c, &b"Gr\xc3\xb6\xc3\x9fe"[..], "Gr\u{f6}\u{df}e"),
        (0x12, b"12 3", "12 3"),
        (0x13, b"Plain", "Plain"),
        (0x14, b"Gr\xf6\xdfe", "Gr\u{f6}\u{df}e"),
        (0x16, b"a@b", "a@b"),
        (0x1a, b"vis", "vis"),
        (0x1b, b"gen", "gen"),
        (0x1c, b"\0\0\0G\0\x01\xf6\x00", "G\u{1f600}"),
        (0x1e, b"\0G\x20\xac", "G\u{20ac}"),
        // UTF-16 in a BMPString, which is UCS-2: Windows writes it.
        (0x1e, b"\xd8\x3d\xde\x00", "\u{1f600}"),
        (0x0c, b"", ""),
    ] {
        assert_eq!(cn(tag, content).common_name(), Some(text), "{tag:#x}");
    }
    for (tag, content) in [
        (0x0c, &b"caf\xe9"[..]),
        (0x1c, b"\0\0\0"),
        (0x1c, b"\0\x11\0\0"),
        (0x1e, b"\0a\0"),
        (0x1e, b"\xd8\x3d"),
        (0x03, b"\0\x01"),
        (0x30, b""),
    ] {
        let name = cn(tag, content);
        assert_eq!(name.common_name(), None, "{tag:#x}");
        assert_eq!(name.attributes()[0].text(), None);
        assert_eq!(name.attributes()[0].value_der(), tlv(tag, content));
    }
}

#[test]
fn attributes_keep_their_order_and_their_names() {
    let name = name(&[
        &[("2.5.4.11", UTF8, b"Security")],
        &[("2.5.4.11", UTF8, b"b"), ("2.5.4.11", UTF8, b"a")],
        &[(CN, UTF8, b"first")],
        &[(CN, UTF8, b"second")],
        &[("1.2.3.4.5", UTF8, b"x")],
    ]);
    assert_eq!(
        name.values("OU").collect::<Vec<_>>(),
        ["Security", "b", "a"]
    );
    assert_eq!(name.values("2.5.4.11").count(), 3);
    assert_eq!(name.common_name(), Some("first"));
    let rdns: Vec<_> = name.rdns().map(<[_]>::len).collect();
    assert_eq!(rdns, [1, 2, 1, 1, 1]);
    let last = name.attributes().last().unwrap();
    assert_eq!((last.name(), last.oid()), ("1.2.3.4.5", "1.2.3.4.5"));
    assert!(!last.is_documented());
    assert!(name.attributes()[0].is_documented());
    assert!(!name.is_empty());
}

/// The table of the short names says what its OIDs say.
#[test]
fn short_names_are_unique() {
    for (position, kind) in ATTRIBUTE_TYPES.iter().enumerate() {
        assert_eq!(oid::dotted(kind.id.as_bytes()).as_deref(), Some(kind.oid));
        let rest = &ATTRIBUTE_TYPES[position + 1..];
        assert!(
            rest.iter()
                .all(|other| other.name != kind.name && other.oid != kind.oid)
        );
    }
    let documented: Vec<_> = ATTRIBUTE_TYPES
        .iter()
        .filter(|kind| kind.documented)
        .map(|kind| kind.name)
        .collect();
    assert_eq!(documented, ["CN", "OU", "O", "C", "ST", "L"]);
}

#[test]
fn names_match_whatever_the_string_type_case_and_white_space() {
    let plain = cn(UTF8, b"Example CA");
    for (tag, content) in [
        (0x13, &b"Example CA"[..]),
        (0x0c, b" example  \t ca "),
        (0x1e, b"\0E\0x\0a\0m\0p\0l\0e\0 \0C\0A"),
    ] {
        assert!(plain.matches(&cn(tag, content)), "{content:?}");
        assert_ne!(plain, cn(tag, content));
    }
    for other in [
        cn(UTF8, b"ExampleCA"),
        cn(UTF8, b"Example CA 2"),
        name(&[&[("2.5.4.10", UTF8, b"Example CA")]]),
        name(&[]),
        cn(UTF8, b"Example CA\0"),
        cn(UTF8, b"Example CA\\0"),
        cn(0x03, b"\0Example CA"),
    ] {
        assert!(!plain.matches(&other), "{other}");
    }
    let (one_rdn, two_rdns) = (
        name(&[&[(CN, UTF8, b"a"), (CN, UTF8, b"b")]]),
        name(&[&[(CN, UTF8, b"a")], &[(CN, UTF8, b"b")]]),
    );
    assert!(!one_rdn.matches(&two_rdns));
    assert!(one_rdn.matches(&one_rdn));
    // What would end a value within one does not.
    let joined = name(&[&[(CN, UTF8, b"a\x000\x002.5.4.3=b"), (CN, UTF8, b"c")]]);
    let three = name(&[&[(CN, UTF8, b"a"), (CN, UTF8, b"b"), (CN, UTF8, b"c")]]);
    assert!(!joined.matches(&three));
    assert!(!cn(UTF8, b"\0").matches(&cn(UTF8, b"\\0")));
    // As OpenSSL: letters outside ASCII are compared as they stand.
    let capital = cn(UTF8, "École CA".as_bytes());
    assert!(capital.matches(&cn(UTF8, "École ca".as_bytes())));
    assert!(!capital.matches(&cn(UTF8, "école CA".as_bytes())));
}

#[test]
fn what_is_no_name_is_refused() {
    let good = encoded(&[&[(CN, UTF8, b"x")]]);
    assert!(DistinguishedName::from_der(&good).is_ok());
    let mut trailing = good.clone();
    trailing.push(0);
    for bytes in [
        &trailing[..],
        &good[..good.len() - 1],
        &tlv(0x30, &tlv(0x30, b"")),
        &tlv(0x30, &tlv(0x31, &tlv(0x30, &tlv(0x06, &[0x55])))),
        &tlv(0x30, &tlv(0x31, &tlv(0x30, &[6, 1, 0x80, UTF8, 1, b'x']))),
        &tlv(0x30, &tlv(0x31, &tlv(0x30, &[6, 1, 0x55, UTF8, 2, b'x']))),
    ] {
        let error = DistinguishedName::from_der(bytes).unwrap_err();
        assert!(
            error.message().starts_with("a name is malformed"),
            "{error}"
        );
    }
}

#[test]
fn debug_shows_the_name() {
    assert_eq!(
        format!("{:?}", cn(UTF8, b"x")),
        String::from("DistinguishedName(CN=x)")
    );
}
