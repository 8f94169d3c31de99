//! `demo`: the story, and what it leaves behind.

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use crate::harness::{program, run, wait_for};

#[test]
fn it_tells_the_way_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = program(&["demo"]);
    // Variables that are meant for the real service do not lead the demonstration astray.
    command
        .env("TMPDIR", temporary.path())
        .env("AWS_ENDPOINT_URL", "https://127.0.0.1:1")
        .env("AWS_CA_BUNDLE", "/nonexistent")
        .env("AWS_USE_FIPS_ENDPOINT", "true");
    let ended = run(&mut command);
    let json = ended.succeeds();
    for part in [
        "1. ",
        "2. ",
        "3. ",
        "4. ",
        " ms)",
        "CN=demo-workload",
        "assumed-role/demo/",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    for secret in ["SecretAccessKey", "SessionToken"] {
        assert!(!ended.stderr.contains(json[secret].as_str().unwrap()));
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn what_it_keeps_works_again() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("kept here");
    let ended = run(&mut program(&["demo", "--keep", folder.to_str().unwrap()]));
    ended.succeeds();
    let mode = |name: &str| {
        let metadata = std::fs::metadata(folder.join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("key.pem"), 0o600);

    // The two commands that it printed, run by a shell as a user would.
    let command_after = |mark: &str| {
        let line = ended
            .stderr
            .lines()
            .find(|line| line.contains(mark))
            .unwrap();
        line.trim()
            .trim_start_matches("credential_process = ")
            .to_owned()
    };
    let ready = temporary.path().join("ready.json");
    let start = format!(
        "exec {} --ready-file '{}'",
        command_after(" emulate --config "),
        ready.display()
    );
    let mut emulator = Command::new("sh")
        .args(["-c", &start])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&ready);
    let output = Command::new("sh")
        .args(["-c", &command_after("credential_process = ")])
        .output()
        .unwrap();
    let id = emulator.id().to_string();
    Command::new("kill")
        .args(["-s", "TERM", &id])
        .status()
        .unwrap();
    assert!(emulator.wait().unwrap().success());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["Version"], 1);
}

#[test]
fn a_directory_that_holds_something_is_not_touched() {
    let temporary = tempfile::tempdir().unwrap();
    std::fs::write(temporary.path().join("mine"), "mine").unwrap();
    let ended = run(&mut program(&[
        "demo",
        "--keep",
        temporary.path().to_str().unwrap(),
    ]));
    ended.fails_with("is not empty: name a new one");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
}
