//! The command line's own manners.

use crate::harness::{program, run};

#[test]
fn the_version_is_a_line_on_stdout() {
    for arguments in [&["version"][..], &["--version"]] {
        let ended = run(&mut program(arguments));
        assert_eq!(ended.status, Some(0));
        assert!(
            ended
                .stdout
                .ends_with(concat!(env!("CARGO_PKG_VERSION"), "\n")),
            "{ended:?}"
        );
        assert_eq!(ended.stderr, "");
    }
    assert_eq!(
        run(&mut program(&["version"])).stdout,
        concat!(env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn help_is_on_stdout_and_no_failure() {
    for arguments in [
        &[][..],
        &["help"],
        &["--help"],
        &["help", "credential-process"],
        &["emulate", "-h"],
    ] {
        let ended = run(&mut program(arguments));
        assert_eq!(ended.status, Some(0), "{arguments:?}");
        assert!(
            ended.stdout.contains("Usage: rolesanywhere"),
            "{arguments:?}: {ended:?}"
        );
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
    let ended = run(&mut program(&["credential-process", "--help"]));
    for option in [
        "--certificate",
        "--trust-anchor-arn",
        "--endpoint",
        "--password-file",
        "--ca-bundle",
    ] {
        assert!(ended.stdout.contains(option), "{option}");
    }
    assert!(
        !ended.stdout.contains("--pkcs8-password"),
        "it is accepted, not recommended"
    );
}

#[test]
fn a_refused_command_line_is_one_line_and_status_1() {
    for (arguments, part) in [
        (
            &["credential-proces"][..],
            "did you mean `credential-process`?",
        ),
        (
            &["credential-process"],
            "missing `--trust-anchor-arn`, `--profile-arn`, `--role-arn`, `--certificate`",
        ),
        (
            &["credential-process", "--rolearn=x"],
            "did you mean `--role-arn`?",
        ),
        (&["credential-process", "\\"], "without `\\` at its end"),
        (&["emulate", "--listen=0.0.0.0:0"], "--allow-remote"),
    ] {
        run(&mut program(arguments)).fails_with(part);
    }
}
