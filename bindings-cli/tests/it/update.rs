//! `update`: the shared credentials file stays whole, whatever happens.

use std::{
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rolesanywhere_emulator::server::BlockingServer;

use crate::{
    harness::{Arns, Run, World, run},
    scripted::{Scripted, ends_in, refusal},
};

/// `update` with the world's files and the credentials file `credentials` in the world.
fn update(world: &World, arns: &Arns, extra: &[&str]) -> Command {
    // The same options as `credential-process`, after another command's name.
    let like = world.credential_process(arns, extra);
    let mut command = crate::harness::program(&["update"]);
    command
        .args(like.get_args().skip(1))
        .env("AWS_SHARED_CREDENTIALS_FILE", world.path("credentials"));
    command
}

fn once(world: &World, server: &BlockingServer, arns: &Arns, extra: &[&str]) -> Run {
    let ca = world.text("server-ca.pem");
    let mut line = vec![
        "--endpoint",
        server.endpoint(),
        "--ca-bundle",
        &ca,
        "--once",
    ];
    line.extend(extra);
    run(&mut update(world, arns, &line))
}

/// The three values of a profile, read as botocore reads them: the value behind the first `=`.
fn values(text: &str, profile: &str) -> [String; 3] {
    let header = format!("[{profile}]");
    let section = text
        .split_inclusive('\n')
        .skip_while(|line| line.trim() != header)
        .skip(1);
    let section: Vec<&str> = section.take_while(|line| !line.starts_with('[')).collect();
    [
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
    ]
    .map(|key| {
        let mut found = section.iter().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        });
        let value = found
            .next()
            .unwrap_or_else(|| panic!("no {key} in {section:?}"));
        assert_eq!(found.next(), None, "{key} stands twice");
        value
    })
}

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_reference_s_six_files_are_updated() {
    let world = World::new();
    let (server, arns) = world.emulator();
    for (name, content, kept) in [
        (
            "keys with spaces",
            "[default]\naws_access_key_id   =   a\naws_secret_access_key=b\naws_session_token = c\n",
            "",
        ),
        (
            "other keys",
            "[default]\nregion = eu-west-1\naws_access_key_id = a\noutput = json\n",
            "region = eu-west-1\noutput = json\n",
        ),
        (
            "a commented profile",
            "# [default]\n# aws_access_key_id = a\n[other]\nx = y\n",
            "# [default]\n# aws_access_key_id = a\n[other]\nx = y\n",
        ),
        (
            "no such profile",
            "[other]\naws_access_key_id = keep\n",
            "[other]\naws_access_key_id = keep\n",
        ),
        (
            "a name that begins like it",
            "[default-2]\naws_access_key_id = keep\n[default]\n",
            "[default-2]\naws_access_key_id = keep\n",
        ),
        (
            "the name twice",
            "[default]\naws_access_key_id = a\n[other]\nx = y\n[default]\naws_session_token = old\n",
            "[other]\nx = y\n",
        ),
    ] {
        world.write_private("credentials", content.as_bytes());
        let ended = once(&world, &server, &arns, &[]);
        assert_eq!(
            (ended.status, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(0), "", ""),
            "{name}"
        );
        let text = world.read("credentials");
        let [id, secret, token] = values(&text, "default");
        assert!(
            id.starts_with("ASIA") && secret.len() == 40 && token.len() > 40,
            "{name}: {text}"
        );
        for line in kept.lines() {
            assert!(
                text.lines().any(|found| found == line),
                "{name}: `{line}` in {text}"
            );
        }
        let mut live = text.lines().filter(|line| !line.starts_with('#'));
        assert!(
            live.all(|line| !line.ends_with("= old") && !line.ends_with("= a")),
            "{name}: {text}"
        );
    }
}

#[test]
fn files_and_directories_are_private_and_links_are_followed() {
    let world = World::new();
    let (server, arns) = world.emulator();
    // A home without `.aws`.
    let ca = world.text("server-ca.pem");
    let line = [
        "--endpoint",
        server.endpoint(),
        "--ca-bundle",
        &ca,
        "--once",
        "--profile",
        "web",
    ];
    let home = world.path("home");
    std::fs::create_dir(&home).unwrap();
    let mut command = update(&world, &arns, &line);
    let ended = run(command
        .env_remove("AWS_SHARED_CREDENTIALS_FILE")
        .env("HOME", &home));
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    let file = home.join(".aws/credentials");
    assert_eq!((mode(home.join(".aws")), mode(&file)), (0o700, 0o600));
    values(&std::fs::read_to_string(&file).unwrap(), "web");
    assert_eq!(
        std::fs::read_dir(home.join(".aws")).unwrap().count(),
        1,
        "nothing else is left"
    );

    // A link stays one, and its file's mode stays with a word about it.
    world.write("real", b"[default]\nx = 1\n");
    std::fs::set_permissions(world.path("real"), std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(world.path("real"), world.path("credentials")).unwrap();
    let ended = once(&world, &server, &arns, &[]);
    assert_eq!(ended.status, Some(0));
    assert!(ended.stderr.contains("has mode 0640"), "{ended:?}");
    assert!(world.path("credentials").is_symlink());
    assert_eq!(mode(world.path("real")), 0o640);
    values(&world.read("real"), "default");
}

#[test]
fn what_cannot_be_written_is_said_and_nothing_is_changed() {
    let world = World::new();
    let (server, arns) = world.emulator();
    once(&world, &server, &arns, &["--profile=a]b"]).fails_with("--profile is no profile's name");
    let mut command = update(&world, &arns, &["--once", "--endpoint", server.endpoint()]);
    command.arg("--ca-bundle").arg(world.path("server-ca.pem"));
    run(command.env_remove("AWS_SHARED_CREDENTIALS_FILE"))
        .fails_with("set AWS_SHARED_CREDENTIALS_FILE");
    std::fs::create_dir(world.path("credentials")).unwrap();
    once(&world, &server, &arns, &[]).fails_with("it is a directory, not a file");
}

#[test]
fn updates_at_the_same_time_lose_nothing() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let children: Vec<Child> = (0..12)
        .map(|number| {
            let profile = format!("p{number}");
            let line = [
                "--endpoint",
                server.endpoint(),
                "--ca-bundle",
                &ca,
                "--once",
                "--profile",
                &profile,
            ];
            update(&world, &arns, &line).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = world.read("credentials");
    for number in 0..12 {
        values(&text, &format!("p{number}"));
    }
}

#[test]
fn killed_at_any_moment_it_leaves_the_file_whole() {
    const KILLS: u32 = 200;
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    // Large, so that writing it takes time to be killed in.
    let others: String = (0..20_000)
        .map(|at| format!("[p{at}]\nx = {at}\n"))
        .collect();
    world.write_private(
        "credentials",
        format!("[default]\nregion = x\n{others}# the end\n").as_bytes(),
    );
    let line = [
        "--endpoint",
        server.endpoint(),
        "--ca-bundle",
        &ca,
        "--once",
    ];
    let begun = Instant::now();
    assert_eq!(run(&mut update(&world, &arns, &line)).status, Some(0));
    let usual = begun.elapsed();
    let mut last = values(&world.read("credentials"), "default");
    let (mut killed, mut changed, mut delay) = (0, 0, usual);
    for attempt in 0..10 * KILLS {
        let mut child = update(&world, &arns, &line)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        let _ = child.kill(); // It may have ended by itself.
        // The moments follow the end of the process, however busy the machine is: there it writes.
        match child.wait().unwrap().signal() {
            Some(9) => {
                killed += 1;
                delay = delay.mul_f64(1.05);
            }
            _ => delay = delay.mul_f64(0.9),
        }
        let text = world.read("credentials");
        let rest = text
            .split_once("[p0]\n")
            .map(|(_, rest)| format!("[p0]\n{rest}"));
        let whole = format!("{others}# the end\n");
        assert!(
            rest == Some(whole),
            "attempt {attempt}: something is missing"
        );
        let found = values(&text, "default");
        if found != last {
            // All three are new, or none.
            let mut pairs = found.iter().zip(&last);
            assert!(pairs.all(|(new, old)| new != old), "attempt {attempt}");
            changed += 1;
            last = found;
        }
        if killed == KILLS {
            break;
        }
    }
    assert_eq!(killed, KILLS);
    assert!(changed > 10, "{changed} changed: the moments are off");
}

#[test]
fn it_renews_survives_errors_and_ends_with_the_credentials() {
    let world = World::new();
    let away = refusal("403 Forbidden", "AccessDeniedException", "not now", "");
    let server = Scripted::tls(vec![
        ends_in(9, "ASIAFIRST"),
        ends_in(18, "ASIASECOND"),
        away,
    ]);
    world.write("server-ca.pem", server.ca_pem.as_bytes());
    let (endpoint, ca) = (server.https(), world.text("server-ca.pem"));
    let line = ["--endpoint", &endpoint, "--ca-bundle", &ca];
    let begun = Instant::now();
    let child = update(&world, &Arns::any(), &line)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    // The first lasts 9 s and is renewed in its last third; the second until 18 s after the start.
    assert!(begun.elapsed() > Duration::from_secs(16), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        values(&world.read("credentials"), "default")[0],
        "ASIASECOND"
    );
    for part in [
        "has new credentials",
        "the credentials at hand are used on",
        "the credentials have ended",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(server.requests().len() >= 3);
}

#[test]
fn a_first_failure_ends_it() {
    let world = World::new();
    let server = Scripted::tls(vec![refusal(
        "403 Forbidden",
        "AccessDeniedException",
        "no",
        "",
    )]);
    world.write("server-ca.pem", server.ca_pem.as_bytes());
    let (endpoint, ca) = (server.https(), world.text("server-ca.pem"));
    let ended = run(&mut update(
        &world,
        &Arns::any(),
        &["--endpoint", &endpoint, "--ca-bundle", &ca],
    ));
    ended.fails_with("no");
    assert!(!world.path("credentials").exists());
}

#[test]
fn a_service_that_is_not_there_yet_is_waited_for() {
    let world = World::new();
    let away = || {
        refusal(
            "503 Service Unavailable",
            "ServiceUnavailable",
            "not yet",
            "",
        )
    };
    let refused = refusal("403 Forbidden", "AccessDeniedException", "no more", "");
    // All attempts of the first renewal fail; the session is so short that its end ends the test.
    let server = Scripted::tls(vec![
        away(),
        away(),
        away(),
        ends_in(20, "ASIAFIRST"),
        refused,
    ]);
    world.write("server-ca.pem", server.ca_pem.as_bytes());
    let (endpoint, ca) = (server.https(), world.text("server-ca.pem"));
    let line = ["--endpoint", &endpoint, "--ca-bundle", &ca];
    let ended = run(&mut update(&world, &Arns::any(), &line));
    assert_eq!(ended.status, Some(1), "{ended:?}");
    for part in ["not yet", "trying again", "has new credentials", "no more"] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(
        values(&world.read("credentials"), "default")[0],
        "ASIAFIRST"
    );
}
