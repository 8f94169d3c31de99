//! Sessions that are kept between calls.

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use crate::harness::{Run, World, run};

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn with_home(mut command: Command, world: &World) -> Command {
    command.env("HOME", world.directory.path());
    command
}

fn stdout(ended: &Run) -> &str {
    ended.succeeds();
    &ended.stdout
}

#[test]
fn a_hundred_calls_make_one_session() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let call = || with_home(world.credential_process(&arns, &line), &world);
    // All at once, into an empty cache.
    let children: Vec<_> = (0..20)
        .map(|_| {
            call()
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut outputs: Vec<String> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(
                output.stderr.is_empty(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    outputs.extend((0..80).map(|_| stdout(&run(&mut call())).to_owned()));
    outputs.dedup();
    assert_eq!(outputs.len(), 1);
    assert_eq!(server.service().issued_credentials(), 1);

    let directory = world.path(".cache/rolesanywhere");
    assert_eq!(mode(&directory), 0o700);
    for entry in std::fs::read_dir(&directory).unwrap() {
        assert_eq!(mode(entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a_kept_session_needs_no_key_and_no_service() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let (ca, endpoint) = (world.text("server-ca.pem"), server.endpoint().to_owned());
    let directory = world.text("kept");
    let line = [
        "--endpoint",
        &endpoint,
        "--ca-bundle",
        &ca,
        "--cache-dir",
        &directory,
    ];
    let first = run(&mut world.credential_process(&arns, &line));
    server.stop();
    std::fs::remove_file(world.path("key.pem")).unwrap();
    std::fs::remove_file(world.path("server-ca.pem")).unwrap();
    let second = run(&mut world.credential_process(&arns, &line));
    assert_eq!(stdout(&first), stdout(&second));
    let mut without = line.to_vec();
    without.push("--no-cache");
    run(&mut world.credential_process(&arns, &without)).fails_with("key.pem");
}

#[test]
fn whatever_determines_the_session_has_its_own_file() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let call = |extra: &[&str]| {
        let mut line = vec!["--endpoint", server.endpoint(), "--ca-bundle", &ca];
        line.extend(extra);
        let mut command = with_home(world.credential_process(&arns, &line), &world);
        stdout(&run(&mut command)).to_owned()
    };
    let usual = call(&[]);
    assert_ne!(usual, call(&["--session-duration=900"]));
    assert_ne!(usual, call(&["--role-session-name=web"]));
    assert_ne!(usual, call(&["--no-cache"]));
    assert_eq!(usual, call(&["--verbose"]));
    assert_eq!(server.service().issued_credentials(), 4);
    // A renewed certificate under the same name begins a new session.
    let renewed = world
        .ca
        .end_entity("workload", crate::harness::now())
        .unwrap();
    world.write("certificate.pem", renewed.certificate_pem.as_bytes());
    world.write_private("key.pem", renewed.private_key_pem.as_bytes());
    assert_ne!(usual, call(&[]));
}

#[test]
fn a_damaged_file_earns_a_warning_and_is_replaced() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let (ca, directory) = (world.text("server-ca.pem"), world.text("kept"));
    let line = [
        "--endpoint",
        server.endpoint(),
        "--ca-bundle",
        &ca,
        "--cache-dir",
        &directory,
    ];
    let call = || run(&mut world.credential_process(&arns, &line));
    let verbose = [&line[..], &["--verbose"]].concat();
    let told = || run(&mut world.credential_process(&arns, &verbose));
    call().succeeds();
    let mut entries = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_session = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "json");
    let file = entries.find(is_session).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("ASIA", "AKIA")).unwrap();
    let ended = told();
    assert!(
        ended.succeeds()["AccessKeyId"]
            .as_str()
            .unwrap()
            .starts_with("ASIA")
    );
    assert!(
        ended.stderr.contains("the shared entry cannot be read"),
        "{ended:?}"
    );
    assert!(
        !ended
            .stderr
            .contains(ended.succeeds()["SessionToken"].as_str().unwrap())
    );
    assert_eq!(call().stderr, "");
    assert_eq!(server.service().issued_credentials(), 2);

    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
    let ended = told();
    ended.succeeds();
    assert!(ended.stderr.contains("others can write to it"), "{ended:?}");
    assert_eq!(server.service().issued_credentials(), 3);
}
