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
    for option in ["--pkcs8-password", "--tpm-key-password", "--with-proxy"] {
        assert!(ended.stdout.contains(option), "it is accepted: {option}");
    }
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

#[test]
fn shells_complete_and_manuals_are_written() {
    let world = tempfile::tempdir().unwrap();
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef rolesanywhere"),
        ("fish", "complete -c rolesanywhere"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ended = run(&mut program(&["completion", shell]));
        assert_eq!(ended.status, Some(0));
        for part in [part, "credential-process", "trust-anchor-arn"] {
            assert!(ended.stdout.contains(part), "{shell}: {part}");
        }
    }
    // bash itself finds nothing wrong with it, and completes.
    let script = run(&mut program(&["completion", "bash"])).stdout;
    let path = world.path().join("completion");
    std::fs::write(&path, script).unwrap();
    let ask = format!(
        "source {}; COMP_WORDS=(rolesanywhere credential-process --trust-a); COMP_CWORD=2; \
         _rolesanywhere rolesanywhere --trust-a credential-process; echo \"${{COMPREPLY[@]}}\"",
        path.display()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &ask])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "--trust-anchor-arn",
        "{output:?}"
    );

    let pages = world.path().join("man");
    let ended = run(&mut program(&["man", pages.to_str().unwrap()]));
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), ""));
    let page = std::fs::read_to_string(pages.join("rolesanywhere-serve.1")).unwrap();
    assert!(
        page.starts_with(".ie") && page.contains("hop\\-limit"),
        "{page}"
    );
    assert!(pages.join("rolesanywhere.1").exists());
}
