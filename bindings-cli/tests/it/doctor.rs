//! `doctor`: what it says agrees with what the service does.

use std::process::Command;

use rexpect::session::spawn_command;

use crate::{
    harness::{Arns, PROGRAM, Run, World, now, run},
    scripted::{Scripted, response},
};

pub(crate) fn command(world: &World, arns: &Arns, extra: &[&str]) -> Command {
    // The same options as `credential-process`, after another command's name.
    let like = world.credential_process(arns, extra);
    let mut command = crate::harness::program(&["doctor"]);
    command.args(like.get_args().skip(1));
    command
}

pub(crate) fn json(ended: &Run) -> serde_json::Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn a_sound_identity_is_told_as_the_service_sees_it() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let issued = run(&mut world.credential_process(&arns, &line));
    issued.succeeds();
    let ended = run(command(&world, &arns, &line).args(["--json", "--ask"]));
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    let found = json(&ended);
    assert_eq!(found["ok"], true);
    assert_eq!(found["certificate"]["subject"], "CN=workload");
    assert_eq!(found["certificate"]["key"], "EC P-256");
    assert_eq!(found["certificate"]["trust_anchor_subject"], "CN=test CA");
    assert_eq!(found["session"]["source_identity"], "CN=workload");
    assert_eq!(
        found["session"]["principal_tags"]["x509Subject/CN"],
        "workload"
    );
    assert_eq!(found["endpoint"]["reachable"], true);
    assert_eq!(found["endpoint"]["clock_offset_seconds"], 0);
    assert_eq!(found["create_session"]["granted"], true);
    // The service's own record of the session that `credential-process` got.
    let records = format!("{:?}", server.service().audit_records());
    let name = found["session"]["name"].as_str().unwrap();
    assert!(records.contains(name), "{name}: {records}");

    let ended = run(&mut command(&world, &arns, &line));
    assert_eq!(ended.status, Some(0));
    for part in [
        "CN=workload",
        "x509Subject/CN = workload",
        "yes, it answers",
        "as the server's",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn what_the_service_refuses_is_found_before() {
    let world = World::at(now().plus_seconds(-3 * 86_400));
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let ended = run(command(&world, &arns, &line).arg("--json"));
    assert_eq!(ended.status, Some(1));
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    let found = json(&ended);
    assert_eq!(found["ok"], false);
    let finding = &found["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&"end_entity_expired".into(), &"refusal".into())
    );
    assert!(!finding["remedy"].as_str().unwrap().is_empty());
    let ended = run(&mut command(&world, &arns, &line));
    assert!(
        ended.stdout.contains("refused: ") && ended.stdout.contains("→ "),
        "{ended:?}"
    );
}

#[test]
fn a_trust_policy_is_decided_and_the_condition_named() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let policy = |common_name: &str| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
                "Principal": {{"Service": "rolesanywhere.amazonaws.com"}},
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                "Condition": {{"StringEquals": {{"aws:PrincipalTag/x509Subject/CN": "{common_name}"}},
                              "ArnEquals": {{"aws:SourceArn": "{}"}}}}}}}}"#,
            arns.trust_anchor
        );
        world.write("policy.json", text.as_bytes());
        let file = world.text("policy.json");
        let line = [
            "--endpoint",
            server.endpoint(),
            "--ca-bundle",
            &ca,
            "--trust-policy",
            &file,
            "--json",
        ];
        run(&mut command(&world, &arns, &line))
    };
    let granted = policy("workload");
    assert_eq!(granted.status, Some(0), "{granted:?}");
    assert_eq!(json(&granted)["trust_policy"]["granted"], true);
    let refused = policy("another");
    assert_eq!(refused.status, Some(1));
    let why = json(&refused)["trust_policy"]["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    for part in [
        "StringEquals",
        "aws:PrincipalTag/x509Subject/CN",
        "`workload`",
        "`another`",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    world.write("policy.json", b"{}");
    let file = world.text("policy.json");
    run(&mut command(&world, &arns, &["--trust-policy", &file])).fails_with("policy.json");
}

#[test]
fn an_endpoint_that_is_away_and_a_wrong_clock_are_told() {
    let world = World::new();
    let arns = Arns::any();
    let ended = run(command(&world, &arns, &["--endpoint=http://127.0.0.1:1"]).arg("--json"));
    assert_eq!(ended.status, Some(1));
    let found = json(&ended);
    assert_eq!(found["endpoint"]["reachable"], false);
    assert!(
        found["endpoint"]["failure"]
            .as_str()
            .unwrap()
            .contains("refuses connections")
    );
    let late = response(
        "404 Not Found",
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "",
    );
    let server = Scripted::start(vec![late], None);
    let ended = run(&mut command(&world, &arns, &["--endpoint", &server.http()]));
    assert!(
        ended
            .stdout
            .contains("days ahead of the server's: set the clock"),
        "{ended:?}"
    );
    assert!(server.requests()[0].starts_with("GET / "));
}

#[test]
fn a_terminal_gets_colours_unless_its_user_wants_none() {
    let world = World::new();
    let arns = Arns::any();
    let server = Scripted::start(vec![response("404 Not Found", "", "")], None);
    let like = command(&world, &arns, &["--endpoint", &server.http()]);
    for (no_color, coloured) in [("", true), ("1", false)] {
        let mut command = Command::new(PROGRAM);
        command
            .args(like.get_args())
            .env_clear()
            .env("NO_COLOR", no_color)
            .env("TERM", "xterm");
        let mut session = spawn_command(command, Some(20_000)).unwrap();
        let shown = session.exp_eof().unwrap();
        assert!(shown.contains("Certificate"), "{shown}");
        assert_eq!(shown.contains("\u{1b}[1m"), coloured, "{shown}");
    }
}
