use super::*;
use alloc::string::ToString;
use proptest::prelude::*;

const ZEROS: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

fn one(text: &str) -> PemSection {
    let mut found = sections(text.as_bytes(), ErrorKind::InvalidKey).unwrap();
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0)
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    let error = sections(text.as_ref(), ErrorKind::InvalidKey).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    error.message().to_string()
}

#[test]
fn sections_come_in_the_order_of_the_text() {
    let text = "subject=CN = a: b\n\
        -----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n\
        Bag Attributes\n    friendlyName: \u{e9}\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n\
        -----BEGIN PRIVATE KEY-----\nAwQ=\n-----END PRIVATE KEY-----\ntrailing";
    let found = sections(text.as_bytes(), ErrorKind::InvalidKey).unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|section| (section.label(), section.der(), section.line()))
        .collect();
    assert_eq!(
        seen,
        [
            ("CERTIFICATE", &[0, 1, 2][..], 2),
            ("PRIVATE KEY", &[3, 4], 9)
        ]
    );
}

#[test]
fn what_people_have_in_their_files_is_read() {
    for text in [
        "\u{feff}-----BEGIN X-----\r\nAAEC\r\n-----END X-----\r\n",
        "-----BEGIN X-----\rAAEC\r-----END X-----",
        "   -----BEGIN X-----  \n\t  AAEC\t\n   -----END X-----\t",
        "-----BEGIN X-----\nA\nA\nE\nC\n-----END X-----",
        "-----BEGIN X-----\n\n\nAAEC\n\n-----END X-----\n",
        "-----BEGIN X-----\nComment: of RFC 4716\nAAEC\n-----END X----- # end",
    ] {
        assert_eq!(one(text).der(), [0, 1, 2], "{text:?}");
    }
    // Two files joined with `cat`, the first without a last line break.
    let joined = "-----BEGIN X-----\nAAEC\n-----END X----------BEGIN Y-----\nAwQF\n-----END Y-----";
    let found = sections(joined.as_bytes(), ErrorKind::InvalidKey).unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|section| (section.label(), section.der(), section.line()))
        .collect();
    assert_eq!(seen, [("X", &[0, 1, 2][..], 1), ("Y", &[3, 4, 5], 3)]);
}

#[test]
fn text_in_another_encoding_between_blocks_is_passed_over() {
    let mut text = b"friendlyName: caf\xe9\n".to_vec();
    text.extend_from_slice(ZEROS.as_bytes());
    assert_eq!(sections(&text, ErrorKind::InvalidKey).unwrap().len(), 1);
}

#[test]
fn headers_are_kept() {
    let section = one("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
         DEK-Info:  AES-256-CBC,00FF \n\nAAEC\n-----END RSA PRIVATE KEY-----\n");
    assert_eq!(
        section.headers(),
        [
            ("Proc-Type".to_string(), "4,ENCRYPTED".to_string()),
            ("DEK-Info".to_string(), "AES-256-CBC,00FF".to_string()),
        ]
    );
    assert_eq!(section.header("dek-info"), Some("AES-256-CBC,00FF"));
    assert_eq!(section.header("Comment"), None);
    assert_eq!(section.der(), [0, 1, 2]);
}

#[test]
fn a_damaged_block_is_refused_with_its_line() {
    for (text, part) in [
        (
            "-----BEGIN X-----\nAAEC\n",
            "begins on line 1 has no line `-----END X-----`: the text is cut short",
        ),
        (
            "\n-----BEGIN X-----\nAAEC\n-----BEGIN Y-----\n",
            "begins on line 2 has no line `-----END X-----` before line 4",
        ),
        (
            "-----BEGIN X-----\nAAEC\n-----END Y-----",
            "begins on line 1 is ended as `Y` on line 3",
        ),
        (
            "a\n-----END X-----",
            "line 2 ends a PEM block that never began",
        ),
        (
            "-----BEGIN X-----\nAAEC\nA*EC\n-----END X-----",
            "line 3 of the PEM block `X` is not base64",
        ),
        (
            "-----BEGIN X-----\nAAEC\n\u{e9}\n-----END X-----",
            "line 3 of the PEM block `X` is not base64",
        ),
        (
            "-----BEGIN X-----\nAAECA\n-----END X-----",
            "begins on line 1 is cut short or wrongly padded",
        ),
        (
            "-----BEGIN X-----\nAAE\n-----END X-----",
            "begins on line 1 is cut short or wrongly padded",
        ),
        (
            "-----BEGIN X-----\nAA==AAEC\n-----END X-----",
            "begins on line 1 is cut short or wrongly padded",
        ),
        // The bits that the padding leaves over must be zero, else two texts mean one content.
        (
            "-----BEGIN X-----\nAB==\n-----END X-----",
            "begins on line 1 is cut short or wrongly padded",
        ),
        (
            "-----BEGIN X-----\n\n-----END X-----",
            "begins on line 1 is empty",
        ),
        (
            "-----BEGIN X-----\nA: b\n\n-----END X-----",
            "begins on line 1 is empty",
        ),
        (
            "-----BEGIN X\nAAEC\n-----END X-----",
            "line 1 begins as a PEM boundary but has no closing `-----`",
        ),
        (
            "-----BEGIN \u{1}-----\nAAEC\n-----END \u{1}-----",
            "boundary on line 1 has no readable label",
        ),
        (
            "-----BEGIN X----- AAEC -----END X-----",
            "the line breaks of the PEM text were lost",
        ),
        (
            "-----BEGIN X-----\\nAAEC\\n-----END X-----\\n",
            "the line breaks of the PEM text were lost",
        ),
    ] {
        let message = refusal(text);
        assert!(message.contains(part), "{text:?}: {message}");
    }
}

#[test]
fn what_has_no_block_is_named() {
    for (text, part) in [
        (&b""[..], "the text is empty"),
        (b" \r\n", "the text is empty"),
        (b"hello", "a PEM text has lines"),
        (b"\xff\xfe-\0-\0", "UTF-16"),
        (b"\xfe\xed\xfe\xed\0\0\0\x02", "Java key store"),
        (b"MIIB+w==\nMIIB\n", "the base64 alone"),
        (b"\x30\x82\x01\x00\x30\x81\xa0", "looks like DER"),
        (b"\x30\x82\x09\x00\x02\x01\x03\x30", "PKCS#12"),
        (b"\x30\x80\x02\x01\x03\x30\x80", "PKCS#12"),
        (
            b"\x30\x82\x09\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0",
            "PKCS#7",
        ),
        (b"\x30", "looks like DER"),
        (b"\x30\xff", "looks like DER"),
    ] {
        let message = refusal(text);
        assert!(message.starts_with("no PEM block was found: "), "{message}");
        assert!(message.contains(part), "{text:?}: {message}");
    }
}

#[test]
fn the_bounds_hold_and_admit_the_longest_bundle_of_the_service() {
    let bundle = ZEROS.repeat(MAX_PEM_SECTIONS);
    assert_eq!(
        sections(bundle.as_bytes(), ErrorKind::InvalidKey)
            .unwrap()
            .len(),
        MAX_PEM_SECTIONS
    );
    assert!(refusal(ZEROS.repeat(MAX_PEM_SECTIONS + 1)).contains("more than 512 blocks"));
    const { assert!(204_800 < MAX_PEM_LENGTH) };
    let mut padded = ZEROS.to_string();
    padded.push_str(&" ".repeat(MAX_PEM_LENGTH - ZEROS.len()));
    assert_eq!(one(&padded).der(), [0, 0, 0]);
    padded.push(' ');
    assert!(refusal(&padded).contains("the PEM text has 1048577 bytes"));
}

#[test]
fn content_is_not_printed() {
    let section = one("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    assert_eq!(section.der(), b"secret");
    assert_eq!(
        format!("{section:?}"),
        "PemSection { label: \"PRIVATE KEY\", line: 1, .. }"
    );
    let message = refusal("-----BEGIN PRIVATE KEY-----\nc2VjcmV0!\n-----END PRIVATE KEY-----\n");
    assert!(!message.contains("c2Vj"), "{message}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = sections(&bytes, ErrorKind::InvalidKey);
    }

    /// Texts made of the pieces that the reader looks for, in any order.
    #[test]
    fn shuffled_pieces_do_not_panic(pieces in proptest::collection::vec(
        prop::sample::select(&["-----BEGIN ", "-----END ", "X", "-----", "\n", "\r", " ", "AAAA", "=", ":", "\u{feff}"][..]),
        0..40,
    )) {
        let text = pieces.concat();
        if let Ok(found) = sections(text.as_bytes(), ErrorKind::InvalidKey) {
            prop_assert!(found.iter().all(|section| !section.der().is_empty()));
        }
    }

    /// Whatever a conforming encoder writes is read back.
    #[test]
    fn encoded_content_is_read_back(
        content in proptest::collection::vec(any::<u8>(), 1..400),
        width in 1usize..100,
        ending in prop::sample::select(&["\n", "\r\n", "\r"][..]),
    ) {
        let base64 = crate::encoding::base64(&content);
        let mut text = format!("-----BEGIN A B-----{ending}");
        for line in base64.as_bytes().chunks(width) {
            text.push_str(core::str::from_utf8(line).unwrap());
            text.push_str(ending);
        }
        text.push_str("-----END A B-----");
        let section = one(&text);
        prop_assert_eq!(section.der(), &content[..]);
    }
}
