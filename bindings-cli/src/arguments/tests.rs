use super::*;

const REQUIRED: [&str; 8] = [
    "--certificate=c.pem",
    "--trust-anchor-arn",
    "arn:a",
    "--profile-arn",
    "arn:p",
    "--role-arn",
    "arn:r",
    "--region=eu-west-1",
];

fn read(extra: &[&str]) -> Result<Box<CredentialProcess>, String> {
    let line = ["rolesanywhere", "credential-process"]
        .iter()
        .chain(&REQUIRED)
        .chain(extra)
        .map(OsString::from);
    match Arguments::read(line) {
        Ok(Arguments {
            command: Command::CredentialProcess(options),
        }) => Ok(options),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(one_line(&error)),
    }
}

fn refusal(line: &[&str]) -> String {
    let error = Arguments::read(line.iter().map(OsString::from)).unwrap_err();
    let message = one_line(&error);
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn defaults_are_those_of_the_reference_helper() {
    let options = read(&[]).unwrap();
    assert_eq!(options.session.session_duration, Duration::from_secs(3600));
    assert_eq!(options.session.arns_in, ArnsIn::Query);
    assert!(!options.network.no_verify_ssl && !options.output.verbose);
    assert!(options.identity.private_key.is_none());
}

#[test]
fn both_ways_to_write_a_value_and_all_ways_to_write_a_boolean() {
    let options = read(&["--session-duration=900", "--role-session-name", "n"]).unwrap();
    assert_eq!(options.session.session_duration, Duration::from_secs(900));
    assert_eq!(options.session.role_session_name.as_deref(), Some("n"));
    for (flag, expected) in [
        ("--no-verify-ssl", true),
        ("--no-verify-ssl=true", true),
        ("--no-verify-ssl=1", true),
        ("--no-verify-ssl=F", false),
        ("--with-proxy", false),
    ] {
        assert_eq!(
            read(&[flag]).unwrap().network.no_verify_ssl,
            expected,
            "{flag}"
        );
    }
    assert!(read(&["--debug"]).unwrap().output.verbose);
    assert!(!read(&["--debug=false"]).unwrap().output.verbose);
    assert!(read(&["--verbose"]).unwrap().output.verbose);
}

#[test]
fn the_last_of_a_repeated_option_wins() {
    let options = read(&["--region", "a", "--region", "b", "--debug", "--debug=false"]).unwrap();
    assert_eq!(options.session.region.as_deref(), Some("b"));
    assert!(!options.output.verbose);
}

#[test]
fn refusals_are_one_line_that_says_what_to_write() {
    for (extra, part) in [
        (
            &["--certificat", "x"][..],
            "`--certificat` is no option: did you mean `--certificate`?",
        ),
        (
            &["--zzz"],
            "`--zzz` is no option: `--help` after the command lists them",
        ),
        (
            &["\\"],
            "in ~/.aws/config the whole command stands on one line",
        ),
        (&["stray"], "`stray` stands alone"),
        (
            &["--session-duration", "1h"],
            "`--session-duration`: pass whole seconds",
        ),
        (
            &["--session-duration", "-5"],
            "`--session-duration`: pass whole seconds",
        ),
        (&["--region"], "`--region` needs a value"),
        (&["--arns-in=head"], "pass one of `body`, `query`"),
        (
            &["--no-verify-ssl=maybe"],
            "`--no-verify-ssl`: pass `true` or `false`",
        ),
        (&["--no-verify-ssl", "true"], "`true` stands alone"),
        (&["--connect-timeout=0"], "above 0 and at most 3600"),
        (&["--request-timeout=1e9"], "above 0 and at most 3600"),
        (&["--password-fd=x"], "`--password-fd`"),
        (
            &["--password-env=A", "--password-file=B"],
            "`--password-env` and `--password-file` exclude each other",
        ),
    ] {
        let message = read(extra).unwrap_err();
        assert!(message.contains(part), "{extra:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let message = refusal(&["rolesanywhere", "credential-process", "--certificate", "c"]);
    for part in [
        "`--trust-anchor-arn`, `--profile-arn`, `--role-arn`",
        "on one line",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(
        refusal(&["rolesanywhere", "credential-proces"]),
        "`credential-proces` is no command: did you mean `credential-process`?"
    );
    assert_eq!(
        refusal(&["rolesanywhere", "xyzzy"]),
        "`xyzzy` is no command: `rolesanywhere help` lists them"
    );
}

#[test]
fn a_password_is_never_repeated() {
    let options = read(&["--pkcs8-password=hunter2"]).unwrap();
    assert!(!format!("{options:?}").contains("hunter2"));
    let message = read(&["--pkcs8-password=hunter2", "--password-env=A"]).unwrap_err();
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn an_emulator_needs_both_halves_of_its_tls_identity() {
    let message = refusal(&["rolesanywhere", "emulate", "--tls-cert", "c.pem"]);
    assert!(message.contains("missing `--tls-key`"), "{message}");
    let message = refusal(&["rolesanywhere", "emulate", "--listen", "localhost"]);
    assert!(message.contains("`--listen`"), "{message}");
}
