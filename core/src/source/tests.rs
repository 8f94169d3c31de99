use alloc::string::ToString;

use proptest::prelude::*;

use super::*;

const OPTION: Parameter<'static> = Parameter {
    name: "--private-key",
    part: Part::PrivateKey,
    in_code: false,
};

fn read(value: &str) -> Result<Source<'_>> {
    Source::read(value, OPTION)
}

#[test]
fn the_words_name_where_the_content_is() {
    for (value, source) in [
        ("-", Source::StandardInput),
        ("env:KEY", Source::Variable("KEY")),
        ("env:_key_2", Source::Variable("_key_2")),
        ("fd:0", Source::Descriptor(0)),
        ("fd:63", Source::Descriptor(63)),
        ("./-", Source::Path("./-")),
        ("./env:KEY", Source::Path("./env:KEY")),
        ("", Source::Path("")),
        ("key.pem", Source::Path("key.pem")),
        ("C:\\keys\\key.pem", Source::Path("C:\\keys\\key.pem")),
        ("-----BEGIN PRIVATE KEY-----", Source::Content),
        ("a\nb", Source::Content),
        ("a\0", Source::Content),
    ] {
        assert_eq!(read(value).unwrap(), source, "{value:?}");
    }
    for value in [
        "env:",
        "env:1",
        "env:a-b",
        "env:Tr0ub4dor&3",
        "fd:",
        "fd:x",
        "fd:-1",
        "fd:123456",
    ] {
        let error = read(value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{value}");
        assert!(
            error.message().starts_with("--private-key: after `"),
            "{error}"
        );
    }
}

/// In code only content and paths are told apart, and a password is never content where its place is wanted.
#[test]
fn code_has_no_words_and_passwords_are_no_content() {
    for value in ["-", "env:KEY", "fd:3"] {
        assert_eq!(
            Source::in_code(value, Part::PrivateKey),
            Source::Path(value)
        );
    }
    let pem = "-----BEGIN X-----\n";
    assert_eq!(Source::in_code(pem, Part::Certificate), Source::Content);
    assert_eq!(Source::in_code(pem, Part::Password), Source::Path(pem));
}

#[test]
fn base64_is_content_when_pem_or_a_whole_sequence_stands_in_it() {
    // The base64 of these was written by `base64` of GNU coreutils 9.1: of `printf '\x30\x03\x02\x01\x05'`, of
    // `printf -- '-----BEGIN X-----\n'`, of `printf '\x30\x05\x02\x01\x05'` (cut short) and of `printf 'plain text'`.
    assert_eq!(
        decoded(b"MAMCAQU=").unwrap().as_slice(),
        b"\x30\x03\x02\x01\x05"
    );
    assert_eq!(
        decoded(b"MAMCAQU").unwrap().as_slice(),
        b"\x30\x03\x02\x01\x05"
    );
    assert_eq!(
        decoded(b" MAMC\r\nAQU=\n").unwrap().as_slice(),
        b"\x30\x03\x02\x01\x05"
    );
    assert_eq!(
        decoded(b"LS0tLS1CRUdJTiBYLS0tLS0K").unwrap().as_slice(),
        b"-----BEGIN X-----\n"
    );
    for text in [
        "MAUCAQU=",
        "cGxhaW4gdGV4dA==",
        "MAMCAQU===",
        "====",
        "",
        "-----BEGIN X-----",
        "\u{30}\u{3}\u{2}",
    ] {
        assert!(decoded(text.as_bytes()).is_none(), "{text:?}");
    }
    // A text that is too short for any certificate stays a path.
    assert_eq!(read("MAMCAQU=").unwrap(), Source::Path("MAMCAQU="));
}

#[test]
fn what_is_plainly_a_path_is_shown_and_nothing_else() {
    for path in [
        "/etc/pki/client.key",
        "./certs/client-key.pem",
        "~/certs/Müller & Söhne.p12",
        "C:\\ProgramData\\rolesanywhere\\client.PFX",
        "client.crt",
        "$DIRECTORY/key.pem",
    ] {
        assert_eq!(
            shown(path, Part::PrivateKey, false),
            Some(format!("`{path}`"))
        );
        assert_eq!(shown(path, Part::Password, false), None);
    }
    for value in [
        "Tr0ub4dor&3",
        "/Tr0ub4dor/3",
        "correct horse battery staple",
        ".pem",
        "/run/secrets/key",
        "key.txt",
        "-----BEGIN PRIVATE KEY-----.pem",
        "a\n.pem",
        "308187020100301306072a8648ce3d020106082a8648ce3d.pem",
    ] {
        assert_eq!(shown(value, Part::PrivateKey, false), None, "{value}");
        assert!(shown(value, Part::Password, true).is_some(), "{value}");
    }
    assert_eq!(
        shown(
            &format!("{}.pem", "a/".repeat(200)),
            Part::PrivateKey,
            false
        ),
        None
    );
}

#[test]
fn words_without_a_meaning_are_shown_when_they_can_hold_no_secret() {
    for (word, wanted) in [
        ("stray", Some("`stray`")),
        ("\\", Some("`\\`")),
        ("--certificat", Some("`--certificat`")),
        ("--certificat=value-that-is-long", Some("`--certificat`")),
        ("Documents/key.pem", Some("`Documents/key.pem`")),
        ("battery-staple", None),
        ("--Tr0ub4dor", None),
        ("-----BEGIN", None),
        ("--password=hunter2hunter2", Some("`--password`")),
    ] {
        assert_eq!(shown_word(word).as_deref(), wanted, "{word}");
    }
}

#[test]
fn errors_name_the_parameter_and_what_to_write() {
    let error = unreadable("hunter2hunter2", OPTION, false, "no such file");
    assert_eq!(
        error.to_string(),
        "the private key cannot be read (no such file): the value of --private-key is no path of a file; it is not \
         repeated, since it may be a secret: write a path, or `env:NAME` of the variable that holds the content"
    );
    let error = unreadable("/etc/pki/client.key", OPTION, false, "no such file");
    assert_eq!(
        error.to_string(),
        "the private key `/etc/pki/client.key` cannot be read (no such file): check --private-key"
    );
    let hex = "30".repeat(40);
    let error = unreadable(&hex, OPTION, false, "no such file");
    assert!(error.message().contains("hexadecimal"), "{error}");
    assert_eq!(unset(OPTION).kind(), ErrorKind::InvalidInput);
    assert_eq!(not_ours(OPTION).kind(), ErrorKind::Unsupported);
}

#[test]
fn parts_are_passed_by_name() {
    for part in Part::ALL {
        assert_eq!(Part::named(part.name()), Some(*part));
    }
    assert_eq!(Part::named("key"), None);
}

/// Whether a text has eight bytes in a row of a secret.
fn gives_away(text: &str, secret: &str) -> bool {
    secret
        .as_bytes()
        .windows(8)
        .any(|window| text.as_bytes().windows(8).any(|shown| shown == window))
}

proptest! {
    /// Of passwords and keys as people have them, in every parameter, no error repeats eight bytes.
    #[test]
    fn no_error_repeats_a_secret(
        secret in "[!-~]{8,60}|[A-Za-z0-9+/]{40,2000}={0,2}|[0-9a-f]{16,500}|[a-z]{4,8}( [a-z]{4,8}){3,5}|\\PC{8,40}",
        part in prop::sample::select(Part::ALL),
        in_code: bool,
        word in "(env:|fd:|-|)",
    ) {
        // The names of files of keys, and the system's own reasons, are no secrets.
        prop_assume!(!EXTENSIONS.iter().any(|end| secret.to_ascii_lowercase().ends_with(end)));
        let parameter = Parameter { name: "P", part, in_code };
        let value = format!("{word}{secret}");
        let mut errors = alloc::vec![
            unreadable(&value, parameter, false, "R"),
            unset(parameter),
            not_ours(parameter),
        ];
        errors.extend(Source::read(&value, parameter).err());
        for error in errors {
            prop_assert!(!gives_away(error.message(), &secret), "{}", error);
        }
        if let Some(shown) = shown_word(&secret) {
            prop_assert!(!gives_away(&shown, &secret) || secret.starts_with("--"), "{}", shown);
        }
    }
}
