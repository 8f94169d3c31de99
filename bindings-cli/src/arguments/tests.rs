use std::time::Duration;

use super::*;
use crate::{identity::Identity, keys::Access};

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
    match Arguments::read(line, &Environment::new(&|_| None)) {
        Ok(Arguments {
            command: Command::CredentialProcess(options),
        }) => Ok(options),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.one_line()),
    }
}

fn refusal(line: &[&str]) -> String {
    let line = line.iter().map(OsString::from);
    let refusal = Arguments::read(line, &Environment::new(&|_| None)).unwrap_err();
    let message = refusal.one_line();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn defaults_are_those_of_the_reference_helper() {
    let options = read(&[]).unwrap();
    assert_eq!(
        options.client.session.session_duration,
        Duration::from_secs(3600)
    );
    assert_eq!(options.client.session.arns_in, ArnsIn::Query);
    assert!(!options.client.network.no_verify_ssl && !options.output.verbose);
    assert!(options.client.identity.private_key.is_none());
}

#[test]
fn both_ways_to_write_a_value_and_all_ways_to_write_a_boolean() {
    let options = read(&["--session-duration=900", "--role-session-name", "n"]).unwrap();
    assert_eq!(
        options.client.session.session_duration,
        Duration::from_secs(900)
    );
    assert_eq!(
        options.client.session.role_session_name.as_deref(),
        Some("n")
    );
    for (flag, expected) in [
        ("--no-verify-ssl", true),
        ("--no-verify-ssl=true", true),
        ("--no-verify-ssl=1", true),
        ("--no-verify-ssl=F", false),
        ("--with-proxy", false),
    ] {
        assert_eq!(
            read(&[flag]).unwrap().client.network.no_verify_ssl,
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
    assert_eq!(options.client.session.region.as_deref(), Some("b"));
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

#[test]
fn variables_stand_for_options_and_the_command_line_goes_first() {
    let read = |extra: &[&str], variables: &[(&str, &str)]| {
        let line = ["rolesanywhere", "credential-process", "--profile-arn=arn:p"];
        let line = line.iter().chain(extra).map(OsString::from);
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match Arguments::read(line, &Environment::new(&lookup)) {
            Ok(Arguments {
                command: Command::CredentialProcess(options),
            }) => Ok(options),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.one_line()),
        }
    };
    let all = [
        ("ROLESANYWHERE_CERTIFICATE", "from variable.pem"),
        ("ROLESANYWHERE_TRUST_ANCHOR_ARN", "arn:a"),
        ("ROLESANYWHERE_ROLE_ARN", "arn:r"),
        ("ROLESANYWHERE_PROFILE_ARN", "arn:other"),
        ("ROLESANYWHERE_VERBOSE", "true"),
        ("ROLESANYWHERE_NO_CACHE", "1"),
        ("ROLESANYWHERE_PASSWORD_FILE", "password"),
    ];
    let options = read(&[], &all).unwrap();
    let identity = &options.client.identity;
    assert_eq!(
        identity.certificate.as_deref().unwrap().to_str(),
        Some("from variable.pem")
    );
    assert_eq!(options.client.session.profile_arn, "arn:p");
    assert!(options.output.verbose && options.cache.no_cache);
    // The command line's place for the password keeps the variable's out.
    let options = read(&["--password-env=P", "--debug=false"], &all).unwrap();
    assert!(options.client.identity.password.password_file.is_none());
    assert!(!options.output.verbose);
    let mut wrong = all.to_vec();
    wrong.push(("ROLESANYWHERE_SESSION_DURATION", "1h"));
    let message = read(&[], &wrong).unwrap_err();
    assert!(
        message.contains("from the variable ROLESANYWHERE_SESSION_DURATION"),
        "{message}"
    );
    assert!(read(&["--session-duration=900"], &wrong).is_ok());
}

#[test]
fn a_variable_of_a_bare_flag_is_yes_or_no() {
    for (value, expected) in [("true", true), ("1", true), ("false", false), ("no", false)] {
        let lookup = |name: &str| (name == "ROLESANYWHERE_PLAIN_HTTP").then(|| value.to_owned());
        let line = ["rolesanywhere", "emulate"].iter().map(OsString::from);
        let arguments = Arguments::read(line, &Environment::new(&lookup)).unwrap();
        let Command::Emulate(options) = arguments.command else {
            panic!("another command");
        };
        assert_eq!(options.plain_http, expected, "{value}");
    }
}

#[test]
fn a_store_of_the_system_is_no_file() {
    let line = |selector: &str| {
        let option = format!("--cert-selector={selector}");
        let line = [
            "rolesanywhere",
            "credential-process",
            &option,
            "--trust-anchor-arn=a",
        ];
        let line = line
            .iter()
            .chain(&["--profile-arn=p", "--role-arn=r"])
            .map(OsString::from);
        let read = Arguments::read(line, &Environment::new(&|_| None)).unwrap();
        match read.command {
            Command::CredentialProcess(options) => {
                let options = &options.client.identity;
                let passwords = crate::password::Passwords::new(&options.password);
                let environment = Environment::new(&|_| None);
                let console = crate::console::Console::default();
                let access = Access::new(&options.key, &passwords, &environment, &console);
                let opened = Identity::open(options.whereabouts(), &access);
                opened.unwrap_err().message().to_owned()
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(line("Key=x509Subject,Value=CN=a").contains("this system has no certificate store"));
    assert!(line("nonsense").starts_with("--cert-selector: it is not of the form"));
    let both = read(&["--cert-selector=Key=x509Subject,Value=CN=a"]).unwrap_err();
    assert!(both.contains("exclude each other"), "{both}");
}

#[test]
fn an_empty_value_is_no_value_for_every_option() {
    let options = read(&[
        "--intermediates",
        "",
        "--pkcs11-lib=",
        "--private-key",
        "",
        "--cert-selector=",
        "--password-file",
        "",
        "--pkcs8-password",
        "",
        "--session-duration=",
        "--cache-dir",
        "",
        "--ca-bundle=",
    ])
    .unwrap();
    let identity = &options.client.identity;
    assert!(identity.intermediates.is_none() && identity.private_key.is_none());
    assert!(identity.key.pkcs11_lib.is_none() && identity.store.cert_selector.is_none());
    assert!(identity.password.password_file.is_none() && options.cache.cache_dir.is_none());
    assert_eq!(options.client.session.session_duration.as_secs(), 3600);
    // The last of a repeated option counts, as for Go, and what is required is then missing.
    let options = read(&["--region", ""]).unwrap();
    assert_eq!(options.client.session.region, None);
    let message = read(&["--role-arn", ""]).unwrap_err();
    assert!(message.starts_with("missing `--role-arn`"), "{message}");
    // A value that looks like an option with an empty value is a value where such values are taken.
    let options = read(&["--pkcs8-password", "--region="]).unwrap();
    assert_eq!(options.client.session.region.as_deref(), Some("eu-west-1"));
    // What is on or off has no empty value, as in Go.
    assert!(read(&["--no-cache="]).is_err());
}

#[test]
fn every_option_that_takes_a_value_may_be_empty_and_every_option_is_in_the_help() {
    let mut program = Arguments::description();
    program.build();
    let names: Vec<String> = program
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .filter(|name| name != "help")
        .collect();
    for name in names {
        let command = program.find_subcommand_mut(&name).unwrap();
        let help = command.render_long_help().to_string();
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long() else {
                continue;
            };
            assert!(!argument.is_hide_set(), "{name} --{long} is hidden");
            for word in argument
                .get_all_aliases()
                .unwrap_or_default()
                .iter()
                .chain([&long])
            {
                assert!(help.contains(&format!("--{word}")), "{name} --{word}");
            }
            if !argument.get_action().takes_values() || argument.is_require_equals_set() {
                continue;
            }
            let line = |words: &[&str]| {
                let whole = ["rolesanywhere", &name]
                    .into_iter()
                    .chain(words.iter().copied());
                whole.map(OsString::from).collect::<Vec<_>>()
            };
            let program = Arguments::description();
            let (alone, joined) = (format!("--{long}"), format!("--{long}="));
            for words in [&[alone.as_str(), ""][..], &[joined.as_str()]] {
                assert_eq!(
                    empty::removed(&program, line(words)),
                    line(&[]),
                    "{name} {words:?}"
                );
            }
        }
    }
}
