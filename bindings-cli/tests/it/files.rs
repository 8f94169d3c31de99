//! What options name: pipes, paths with `~`, passwords with what is not seen, names that turn text round.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use rolesanywhere_emulator::server::BlockingServer;

use crate::{
    harness::{Arns, PROGRAM, Run, World, mkfifo, now, openssl, program, run},
    scripted::{Scripted, session},
};

/// The options of a call that the emulator answers, for a shell: file options are left out.
fn options(world: &World, server: &BlockingServer, arns: &Arns) -> Vec<String> {
    [
        ("--trust-anchor-arn", arns.trust_anchor.as_str()),
        ("--profile-arn", &arns.profile),
        ("--role-arn", &arns.role),
        ("--endpoint", server.endpoint()),
        ("--ca-bundle", &world.text("server-ca.pem")),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
    .collect()
}

#[test]
fn each_file_may_be_a_pipe_that_is_read_once() {
    let world = World::new();
    let (server, arns) = world.emulator();
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
    let script = r#"cd "$WORLD"; exec "$PROGRAM" credential-process --certificate <(cat certificate.pem) \
        --private-key <(sleep 0.2; cat encrypted.pem) --password-file <(echo hunter2) \
        --intermediates <(cat certificate.pem) "$@""#;
    let mut command = Command::new("bash");
    command
        .args(["-c", script, "bash"])
        .args(options(&world, &server, &arns))
        .env("WORLD", world.directory.path())
        .env("PROGRAM", PROGRAM)
        .env("HOME", world.directory.path())
        .process_group(0)
        .stdin(Stdio::null());
    run(&mut command).succeeds();
    // What a failed command leaves is empty, and is not waited for.
    let script = r#"exec "$PROGRAM" credential-process --certificate <(false) "$@""#;
    let mut command = Command::new("bash");
    command
        .args(["-c", script, "bash"])
        .args(options(&world, &server, &arns))
        .env("PROGRAM", PROGRAM);
    run(&mut command).fails_with("is empty: check --certificate");
}

#[test]
fn pipes_that_nobody_writes_to_are_given_up_and_named() {
    let world = World::new();
    let server = Scripted::tls(vec![session()]);
    let pipe = world.path("pipe");
    mkfifo(&pipe);
    let pipe = pipe.to_str().unwrap();
    // All at once: each waits for half a minute.
    let (certificate, key) = (world.text("certificate.pem"), world.text("key.pem"));
    let calls: Vec<_> = [
        vec!["--certificate", pipe],
        vec!["--certificate", &certificate, "--private-key", pipe],
        vec![
            "--certificate",
            &certificate,
            "--private-key",
            &key,
            "--intermediates",
            pipe,
        ],
        vec![
            "--certificate",
            &certificate,
            "--private-key",
            &key,
            "--password-file",
            pipe,
        ],
        vec![
            "--certificate",
            &certificate,
            "--private-key",
            &key,
            "--ca-bundle",
            pipe,
        ],
    ]
    .into_iter()
    .map(|line| {
        let arns = Arns::any();
        let mut command = program(&["credential-process"]);
        command
            .args(["--trust-anchor-arn", &arns.trust_anchor])
            .args(["--profile-arn", &arns.profile, "--role-arn", &arns.role])
            .args(["--endpoint", &server.https()])
            .args(line);
        std::thread::spawn(move || run(&mut command))
    })
    .collect();
    for call in calls {
        let ended = call.join().unwrap();
        ended.fails_with("a pipe whose writer did not finish in time");
        ended.fails_with(pipe);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn commands_that_renew_refuse_what_can_be_read_once_only() {
    let world = World::new();
    let server = Scripted::tls(vec![session()]);
    let pipe = world.path("pipe");
    mkfifo(&pipe);
    let pipe = pipe.to_str().unwrap();
    let uri = format!("pkcs11:token=x?pin-source={pipe}");
    for command in ["update", "serve"] {
        for (option, value, name) in [
            ("--certificate", pipe, "--certificate"),
            ("--private-key", pipe, "--private-key"),
            ("--intermediates", pipe, "--intermediates"),
            ("--password-file", pipe, "--password-file"),
            ("--ca-bundle", pipe, "--ca-bundle"),
            (
                "--private-key",
                &uri,
                "pin-source in the URI of --private-key",
            ),
        ] {
            let like = world.credential_process(&Arns::any(), &[option, value]);
            let mut line = program(&[command]);
            line.args(like.get_args().skip(1))
                .args(["--endpoint", &server.https()])
                .env("AWS_SHARED_CREDENTIALS_FILE", world.path("credentials"));
            let ended = run(&mut line);
            ended.fails_with(&format!("of {name} can be read once only"));
            ended.fails_with(pipe);
        }
        let like = world.credential_process(&Arns::any(), &[]);
        let mut line = program(&[command]);
        line.args(like.get_args().skip(1))
            .args(["--certificate", "/dev/stdin"])
            .stdin(Stdio::piped());
        run(&mut line).fails_with("`/dev/stdin` of --certificate can be read once only");
    }
    assert!(server.requests().is_empty() && !world.path("credentials").exists());
}

#[test]
fn a_tilde_is_the_cause_and_no_directory_of_that_name_is_made() {
    let world = World::new();
    let server = Scripted::tls(vec![session()]);
    world.write("server-ca.pem", server.ca_pem.as_bytes());
    let (ca, endpoint) = (world.text("server-ca.pem"), server.https());
    let call = |extra: &[&str]| -> Run {
        let line = [&["--endpoint", &endpoint, "--ca-bundle", &ca], extra].concat();
        let mut command = world.credential_process(&Arns::any(), &line);
        run(command
            .env("HOME", world.directory.path())
            .current_dir(world.directory.path()))
    };
    for option in [
        "--certificate",
        "--private-key",
        "--intermediates",
        "--password-file",
        "--ca-bundle",
    ] {
        let ended = call(&[option, "~/file.pem"]);
        ended.fails_with("`~` stands for a home directory in a shell only: write the whole path");
        // What should be a password file may be the password, and is not repeated.
        let part = match option {
            "--password-file" => option,
            _ => "`~/file.pem`",
        };
        ended.fails_with(part);
    }
    let ended = call(&["--cache-dir", "~/cache", "--verbose"]);
    ended.succeeds();
    assert!(ended.stderr.contains("`~` stands for a home"), "{ended:?}");
    let mut man = program(&["man", "~/pages"]);
    run(man.current_dir(world.directory.path())).fails_with("`~` stands for a home");
    assert!(!world.path("~").exists());
    // The credentials file is found where the AWS CLI and the SDK for JavaScript look for it.
    let like =
        world.credential_process(&Arns::any(), &["--endpoint", &endpoint, "--ca-bundle", &ca]);
    let mut update = program(&["update", "--once"]);
    update
        .args(like.get_args().skip(1))
        .env("HOME", world.directory.path())
        .env("AWS_SHARED_CREDENTIALS_FILE", "~/own/credentials");
    let ended = run(&mut update);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    assert!(world.read("own/credentials").contains("ASIAEXAMPLE"));
}

#[test]
fn a_password_with_what_is_not_seen_is_tried_the_other_way_and_then_named() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let plain = world.text("key.pem");
    let encrypted = world.text("encrypted.pem");
    let encrypt = |password: &str| {
        let pass = format!("pass:{password}");
        openssl(&[
            "pkcs8", "-topk8", "-in", &plain, "-out", &encrypted, "-passout", &pass,
        ]);
    };
    let line = options(&world, &server, &arns);
    let call = |content: &[u8]| {
        let password = world.write_private("password", content);
        let mut command = program(&["credential-process", "--no-cache"]);
        command
            .args(&line)
            .args(["--certificate", &world.text("certificate.pem")])
            .args(["--private-key", &encrypted])
            .arg("--password-file")
            .arg(password);
        run(&mut command)
    };
    encrypt("hunter2");
    for content in [
        &b"hunter2"[..],
        b"hunter2\n",
        b"hunter2\r\n",
        b"\xef\xbb\xbfhunter2",
        b"\xef\xbb\xbfhunter2\r\n",
        b"\xff\xfeh\0u\0n\0t\0e\0r\x002\0\r\0\n\0",
    ] {
        call(content).succeeds();
    }
    for (content, told) in [
        (&b"hunter3"[..], ""),
        (b"hunter3\n", "ends in a newline, and neither"),
        (
            b"\xef\xbb\xbfhunter3",
            "begins with a byte order mark, and neither",
        ),
        (b"\xff\xfeh\0i\0", "is written in UTF-16, and neither"),
    ] {
        let ended = call(content);
        ended.fails_with(told);
        assert!(!ended.stderr.contains("hunter"), "{ended:?}");
    }
    // A password that itself ends in a newline.
    encrypt("hunter2\n");
    call(b"hunter2\n").succeeds();
}

#[test]
fn names_that_turn_text_round_are_shown_escaped() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let identity = world.ca.end_entity("a\u{202e}b\u{200b}c", now()).unwrap();
    world.write("certificate.pem", identity.certificate_pem.as_bytes());
    world.write_private("key.pem", identity.private_key_pem.as_bytes());
    let certificate = world.text("certificate.pem");
    let listed = run(&mut program(&[
        "read-certificate-data",
        "--certificate",
        &certificate,
        "--cert-selector=Key=x509Subject,Value=CN=a\u{202e}b\u{200b}c",
    ]));
    assert_eq!(listed.status, Some(0), "{listed:?}");
    let mut line = options(&world, &server, &arns);
    line.extend([
        "--certificate".into(),
        certificate,
        "--private-key".into(),
        world.text("key.pem"),
    ]);
    let examined = run(program(&["doctor"]).args(&line));
    let told = run(program(&["credential-process", "--verbose", "--no-cache"]).args(&line));
    for shown in [&listed.stdout, &examined.stdout, &told.stderr] {
        assert!(shown.contains(r"a\u{202e}b\u{200b}c"), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{200b}']), "{shown}");
    }
}
