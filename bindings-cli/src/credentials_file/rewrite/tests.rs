use super::*;

const VALUES: Values<'_> = Values {
    written: &[
        ("aws_access_key_id", "ID"),
        ("aws_secret_access_key", "SECRET"),
        ("aws_session_token", "TOKEN"),
    ],
    changed: &[("aws_security_token", "TOKEN"), ("aws_account_id", "12")],
};

const SECTION: &str =
    "[p]\naws_access_key_id = ID\naws_secret_access_key = SECRET\naws_session_token = TOKEN\n";
const KEYS: &str =
    "aws_access_key_id = ID\naws_secret_access_key = SECRET\naws_session_token = TOKEN\n";

fn rewritten(content: &str) -> String {
    let output = with_credentials(content.as_bytes(), "p", &VALUES);
    String::from_utf8(output.to_vec()).unwrap()
}

#[test]
fn each_kind_of_file_becomes_what_a_person_would_write() {
    let expected = |parts: &[&str]| parts.concat();
    for (content, wanted) in [
        ("", SECTION.to_owned()),
        ("\n", expected(&["\n\n", SECTION])),
        ("[q]\nx = y", expected(&["[q]\nx = y\n\n", SECTION])),
        ("[q]\nx = y\n\n", expected(&["[q]\nx = y\n\n", SECTION])),
        (
            "# only a comment\n",
            expected(&["# only a comment\n\n", SECTION]),
        ),
        // The header alone, as the last line, with and without its end.
        ("[p]", SECTION.to_owned()),
        ("[p]\n", SECTION.to_owned()),
        (
            "[p]\n\n[q]\nx = y\n",
            expected(&[SECTION, "\n[q]\nx = y\n"]),
        ),
        // The next header is the last line.
        ("[p]\n[q]", expected(&[SECTION, "[q]"])),
        ("[p]\naws_access_key_id=a\n[q]", expected(&[SECTION, "[q]"])),
        // Another key below, as the last line without an end.
        ("[p]\nregion = eu", expected(&["[p]\nregion = eu\n", KEYS])),
        (
            "[p]\naws_access_key_id = a\nregion = eu\naws_session_token=t",
            "[p]\naws_access_key_id = ID\nregion = eu\naws_session_token = TOKEN\n\
             aws_secret_access_key = SECRET\n"
                .to_owned(),
        ),
        // Comments before the next header belong to that one.
        (
            "[p]\nx=1\n\n# of q\n[q]\n",
            expected(&["[p]\nx=1\n", KEYS, "\n# of q\n[q]\n"]),
        ),
        // What begins like a key is none.
        (
            "[p]\naws_access_key_id_old = keep\n#aws_access_key_id = no\n",
            expected(&[
                "[p]\naws_access_key_id_old = keep\n",
                KEYS,
                "#aws_access_key_id = no\n",
            ]),
        ),
        // The old value's next lines go with it, another's stay.
        (
            "[p]\naws_session_token = a\n  b\n\tc\ns3 =\n  x = 1\n",
            "[p]\naws_session_token = TOKEN\ns3 =\n  x = 1\naws_access_key_id = ID\n\
             aws_secret_access_key = SECRET\n"
                .to_owned(),
        ),
        // A key that stands twice stands once afterwards.
        (
            "[p]\naws_access_key_id = a\naws_access_key_id = b\n",
            SECTION.to_owned(),
        ),
        // Names that are like the profile's are other profiles; white space in the brackets counts, as
        // for every SDK.
        (
            "[pp]\n  [p] # mine\n[P]\n",
            expected(&["[pp]\n  [p] # mine\n", KEYS, "[P]\n"]),
        ),
        (
            "[ p ]\nx=1\n[p ]\n",
            expected(&["[ p ]\nx=1\n[p ]\n\n", SECTION]),
        ),
        // The token's old name, which botocore prefers, and the account are changed where they stand.
        (
            "[p]\naws_security_token = old\naws_account_id=34\n[q]\naws_security_token = keep\n",
            expected(&[
                "[p]\naws_security_token = TOKEN\naws_account_id = 12\n",
                KEYS,
                "[q]\naws_security_token = keep\n",
            ]),
        ),
        (
            "[profile p]\nx=1\n",
            expected(&["[profile p]\nx=1\n\n", SECTION]),
        ),
        // A second profile of the name: its old value must not win.
        (
            "[p]\n[q]\n[p]\naws_access_key_id = old\nregion = eu\n",
            expected(&[SECTION, "[q]\n[p]\naws_access_key_id = ID\nregion = eu\n"]),
        ),
        (
            "\u{feff}[p]\nx=1\n",
            expected(&["\u{feff}[p]\nx=1\n", KEYS]),
        ),
    ] {
        assert_eq!(rewritten(content), wanted, "{content:?}");
        assert_eq!(rewritten(&wanted), wanted, "twice: {content:?}");
    }
}

#[test]
fn line_ends_of_windows_stay() {
    assert_eq!(
        rewritten("[p]\r\nx = 1\r\n"),
        "[p]\r\nx = 1\r\naws_access_key_id = ID\r\naws_secret_access_key = SECRET\r\naws_session_token = TOKEN\r\n"
    );
}

#[test]
fn bytes_that_are_no_text_and_very_long_lines_stay() {
    let mut content = b"[q]\nx = \xff\xfe\n".to_vec();
    content.extend(std::iter::repeat_n(b'y', 200_000));
    let output = with_credentials(&content, "p", &VALUES);
    assert_eq!(&output[..content.len()], content.as_slice());
    assert!(output.ends_with(format!("\n\n{SECTION}").as_bytes()));
}

#[test]
fn the_buffer_never_grows() {
    for content in [
        "",
        "[p]",
        "[p]\naws_session_token=a\n[p]\naws_session_token=b",
        "\r\n",
    ] {
        let more: usize = VALUES.all().map(|(k, v)| k.len() + v.len() + 8).sum();
        let output = with_credentials(content.as_bytes(), "p", &VALUES);
        assert!(output.len() <= content.len() + 2 * more + 1 + 64);
    }
}

proptest::proptest! {
    /// Whatever the file holds: afterwards an independent reader finds the three values once, and every
    /// line that is not the profile's own key is there, in its order.
    #[test]
    fn everything_else_stays(lines in proptest::collection::vec(
        proptest::sample::select(vec![
            "[p]", "[q]", "[p ]", "# [p]", "", "x = 1", "aws_access_key_id = old",
            "aws_session_token=old", "aws_access_key_id_2 = keep", "; note", "region=eu",
        ]), 0..12))
    {
        let content = lines.join("\n");
        let output = rewritten(&content);
        let mut section = "";
        let (mut found, mut in_section) = (Vec::new(), 0);
        for line in output.lines() {
            if line.starts_with('[') {
                section = line.trim_matches(['[', ']']);
                in_section += u32::from(section == "p");
            } else if section == "p" && let Some((key, value)) = line.split_once('=') {
                if in_section == 1 {
                    found.push((key.trim().to_owned(), value.trim().to_owned()));
                }
                proptest::prop_assert!(!line.ends_with("old"), "{}", output);
            }
        }
        for (key, value) in VALUES.written {
            let of_key: Vec<_> = found.iter().filter(|(name, _)| name == key).collect();
            proptest::prop_assert_eq!(of_key.len(), 1, "{}", &output);
            proptest::prop_assert_eq!(&of_key[0].1, value);
        }
        let is_ours = |line: &&str| {
            VALUES.written.iter().any(|(key, _)| line.split('=').next().is_some_and(|name| name.trim() == *key))
        };
        let before: Vec<&str> = content.lines().filter(|line| !is_ours(line) && !line.is_empty()).collect();
        let mut after: Vec<&str> = output.lines().filter(|line| !is_ours(line) && !line.is_empty()).collect();
        if !before.contains(&"[p]") {
            proptest::prop_assert_eq!(after.pop(), Some("[p]"));
        }
        proptest::prop_assert_eq!(before, after);
    }
}
