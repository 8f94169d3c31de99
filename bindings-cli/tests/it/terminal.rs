//! The password of a key, typed into a real terminal.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::harness::{Arns, PROGRAM, World, openssl};

const PATIENCE_MS: u64 = 20_000;

/// A world whose key is encrypted under `hunter2`.
fn world() -> World {
    let world = World::new();
    let (plain, encrypted) = (world.text("key.pem"), world.text("encrypted.pem"));
    openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        &plain,
        "-out",
        &encrypted,
        "-passout",
        "pass:hunter2",
    ]);
    world.write_private("key.pem", world.read("encrypted.pem").as_bytes());
    world
}

/// The program in a terminal of its own, between two looks at the terminal's settings; its stdout and
/// stderr go to files, so that all that is seen on the terminal was meant for it. And the shell's id.
fn spawn(world: &World, arns: &Arns, endpoint: &str) -> (PtySession, String) {
    const SCRIPT: &str = r#"echo "shell=$$."; stty echo; stty -a; "$@" >"$OUT" 2>"$ERR"; echo "status=$?"; stty -a; echo over"#;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT, "sh", PROGRAM, "credential-process"])
        .args(["--certificate", &world.text("certificate.pem")])
        .args(["--private-key", &world.text("key.pem")])
        .args(["--trust-anchor-arn", &arns.trust_anchor])
        .args(["--profile-arn", &arns.profile, "--role-arn", &arns.role])
        .args([
            "--endpoint",
            endpoint,
            "--ca-bundle",
            &world.text("server-ca.pem"),
        ])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("OUT", world.text("out"))
        .env("ERR", world.text("err"));
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    session.exp_string("shell=").unwrap();
    let shell = session.exp_string(".").unwrap();
    let before = session.exp_string("Password of `").unwrap();
    assert!(settings(&before).contains(" echo "), "{before}");
    session.exp_string("key.pem`: ").unwrap();
    (session, shell)
}

/// The words of `stty -a`, a space on either side.
fn settings(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    format!(" {} ", words.join(" ").replace(';', " "))
}

/// Waits for the end: the status, and that the terminal is as it was.
fn end(session: &mut PtySession) -> String {
    session.exp_string("status=").unwrap();
    let rest = session.exp_string("over").unwrap();
    assert!(settings(&rest).contains(" echo "), "{rest}");
    assert!(!rest.contains("hunter"), "{rest}");
    rest.lines().next().unwrap().trim().to_owned()
}

#[test]
fn a_typed_password_opens_the_key_and_is_never_shown() {
    let world = world();
    let (server, arns) = world.emulator();
    let (mut session, _) = spawn(&world, &arns, server.endpoint());
    session.send_line("hunter2").unwrap();
    let shown = session.exp_string("status=").unwrap();
    assert_eq!(
        shown.trim(),
        "",
        "the terminal shows nothing but a new line"
    );
    let rest = session.exp_string("over").unwrap();
    assert!(
        rest.starts_with('0') && settings(&rest).contains(" echo "),
        "{rest}"
    );
    assert!(
        world
            .read("out")
            .starts_with(r#"{"Version":1,"AccessKeyId":"ASIA"#)
    );
    assert_eq!(world.read("err"), "");
}

#[test]
fn a_wrong_password_is_asked_for_again_three_times_at_most() {
    let world = world();
    let (server, arns) = world.emulator();
    let (mut session, _) = spawn(&world, &arns, server.endpoint());
    session.send_line("hunter1").unwrap();
    session.exp_string("That is not it.").unwrap();
    session.exp_string("key.pem`: ").unwrap();
    session.send_line("hunter2").unwrap();
    assert_eq!(end(&mut session), "0");

    let (mut session, _) = spawn(&world, &arns, server.endpoint());
    for _ in 0..2 {
        session.send_line("hunter3").unwrap();
        session.exp_string("That is not it.").unwrap();
        session.exp_string("key.pem`: ").unwrap();
    }
    session.send_line("hunter3").unwrap();
    assert_eq!(end(&mut session), "1");
    assert_eq!(world.read("out"), "");
    let said = world.read("err");
    assert!(
        said.lines().count() == 1 && said.contains("key.pem`: "),
        "{said}"
    );
    assert!(!said.contains("hunter"), "{said}");
}

#[test]
fn the_end_of_input_is_no_password() {
    let world = world();
    let (server, arns) = world.emulator();
    let (mut session, _) = spawn(&world, &arns, server.endpoint());
    session.send_control('d').unwrap();
    assert_eq!(end(&mut session), "1");
    assert!(
        world.read("err").contains("nothing was typed"),
        "{}",
        world.read("err")
    );
}

#[test]
fn a_signal_restores_the_terminal_and_then_acts() {
    let world = world();
    let (server, arns) = world.emulator();
    for (signal, status) in [("TERM", "143"), ("INT", "130")] {
        let (mut session, shell) = spawn(&world, &arns, server.endpoint());
        // The program is the shell's only child.
        let killed = Command::new("/bin/sh")
            .args([
                "-c",
                r#"kill -"$1" $(cat /proc/"$2"/task/"$2"/children)"#,
                "sh",
            ])
            .args([signal, &shell])
            .status()
            .unwrap();
        assert!(killed.success());
        assert_eq!(end(&mut session), status, "{signal}");
        assert_eq!(world.read("out"), "");
    }
}

#[test]
fn the_interrupt_key_restores_the_terminal() {
    let world = world();
    let (server, arns) = world.emulator();
    let (mut session, _) = spawn(&world, &arns, server.endpoint());
    session.send_control('c').unwrap();
    // The key reaches the shell too, which ends; the next look is from outside.
    session.exp_eof().unwrap();
    assert_eq!(world.read("out"), "");
    assert!(!world.read("err").contains("hunter"));
}

#[test]
fn a_success_warns_where_a_person_sees_it() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let key = world.path("key.pem");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let call = || {
        let line = [
            "--endpoint",
            server.endpoint(),
            "--no-verify-ssl",
            "--cache-dir",
            "/proc/none",
        ];
        world.credential_process(&arns, &line)
    };
    let parts = [
        "key.pem` has mode 0644",
        "whoever answers is believed",
        "no session is kept",
    ];
    // The SDK's pipe gets nothing, whatever there is to say.
    let ended = crate::harness::run(&mut call());
    ended.succeeds();
    assert_eq!(ended.stderr, "");
    // A terminal gets it all, and so does who asks.
    let ended = crate::harness::run(call().arg("--verbose"));
    for part in parts {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#""$@" >/dev/null; echo over"#, "sh", PROGRAM]);
    command.args(call().get_args()).env_clear();
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    let shown = session.exp_string("over").unwrap();
    for part in parts {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
