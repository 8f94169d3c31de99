//! `emulate`: from start to a graceful end.

use std::{net::TcpListener, process::Stdio};

use crate::harness::{Arns, Background, Run, World, program, run, wait_for};

const CONFIGURATION: &str = r#"
[[trust_anchor]]
name = "ca"
pem_file = "ca.pem"
[[profile]]
name = "app"
roles = ["app"]
[[role]]
name = "app"
"#;

struct Emulator {
    process: Background,
    endpoint: String,
    ca_file: Option<String>,
}

impl Emulator {
    /// Starts it and waits until it says that it is ready.
    fn start(world: &World, extra: &[&str]) -> Self {
        world.write("ca.pem", world.ca.certificate_pem().as_bytes());
        world.write("emulator.toml", CONFIGURATION.as_bytes());
        let (config, ready) = (world.text("emulator.toml"), world.text("ready.json"));
        let mut line = vec!["emulate", "--config", &config, "--ready-file", &ready];
        line.extend(extra);
        let mut command = program(&line);
        let process = Background::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let ready: serde_json::Value =
            serde_json::from_str(&wait_for(&world.path("ready.json"))).unwrap();
        Self {
            process,
            endpoint: ready["endpoint"].as_str().unwrap().to_owned(),
            ca_file: ready["ca_file"].as_str().map(str::to_owned),
        }
    }

    /// Sends it a signal and waits for its end.
    fn end(self, signal: &str) -> Run {
        self.process.signal(signal);
        self.process.wait()
    }
}

/// The ARNs that the emulator printed.
fn arns(stderr: &str) -> Arns {
    let value = |option: &str| {
        let found = stderr.lines().find_map(|line| line.split_once(option));
        found.unwrap().1.trim().to_owned()
    };
    Arns {
        trust_anchor: value("--trust-anchor-arn"),
        profile: value("--profile-arn"),
        role: value("--role-arn"),
    }
}

#[test]
fn what_another_put_in_place_of_its_ready_file_stays() {
    let world = World::new();
    let emulator = Emulator::start(&world, &[]);
    world.write("other.json", b"{}");
    std::fs::rename(world.path("other.json"), world.path("ready.json")).unwrap();
    assert_eq!(emulator.end("TERM").status, Some(0));
    assert_eq!(world.read("ready.json"), "{}");
}

#[test]
fn it_serves_until_a_signal_and_ends_well() {
    // The ARNs follow from the names, so those of one run hold for the next.
    let world = World::new();
    let arns = arns(&Emulator::start(&world, &[]).end("TERM").stderr);
    for signal in ["TERM", "INT"] {
        let emulator = Emulator::start(&world, &["--listen", "127.0.0.1:0"]);
        assert!(emulator.endpoint.starts_with("https://127.0.0.1:"));
        let ca_file = emulator.ca_file.clone().unwrap();
        let line = [
            "--endpoint",
            &emulator.endpoint.clone(),
            "--ca-bundle",
            &ca_file,
        ];
        run(&mut world.credential_process(&arns, &line)).succeeds();
        let ended = emulator.end(signal);
        assert_eq!(ended.status, Some(0), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert!(
            ended.stderr.ends_with("rolesanywhere: stopped\n"),
            "{ended:?}"
        );
        assert!(!world.path("ready.json").exists());
        assert!(!std::path::Path::new(&ca_file).exists());
    }
}

#[test]
fn it_speaks_plain_http_and_with_a_given_certificate() {
    let world = World::new();
    let plain = Emulator::start(&world, &["--plain-http"]);
    assert!(plain.endpoint.starts_with("http://127.0.0.1:"));
    assert_eq!(plain.ca_file, None);
    let endpoint = plain.endpoint.clone();
    let line = ["--endpoint", &endpoint];
    // Nothing listens there any more when the ARNs are known: they are in what it printed.
    let printed = arns(&plain.end("TERM").stderr);
    run(&mut world.credential_process(&printed, &line)).fails_with("refuses connections");

    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    world.write("tls-ca.pem", ca.pem().as_bytes());
    world.write("tls.pem", leaf.pem().as_bytes());
    world.write_private("tls-key.pem", key.serialize_pem().as_bytes());
    let (certificate, key) = (world.text("tls.pem"), world.text("tls-key.pem"));
    let emulator = Emulator::start(&world, &["--tls-cert", &certificate, "--tls-key", &key]);
    assert_eq!(emulator.ca_file, None);
    let line = [
        "--endpoint",
        &emulator.endpoint,
        "--ca-bundle",
        &world.text("tls-ca.pem"),
    ];
    run(&mut world.credential_process(&printed, &line)).succeeds();
    assert_eq!(emulator.end("TERM").status, Some(0));
    let plain = Emulator::start(&world, &["--plain-http"]);
    let line = ["--endpoint", &plain.endpoint];
    run(&mut world.credential_process(&printed, &line)).succeeds();
}

#[test]
fn a_named_ca_file_stays() {
    let world = World::new();
    let ca = world.text("kept-ca.pem");
    let emulator = Emulator::start(&world, &["--ca-file", &ca]);
    assert_eq!(emulator.ca_file.as_deref(), Some(ca.as_str()));
    emulator.end("TERM");
    assert!(world.read("kept-ca.pem").contains("BEGIN CERTIFICATE"));
}

#[test]
fn what_cannot_work_is_one_line() {
    let world = World::new();
    world.write("bad.toml", b"account = 1");
    let bad = world.text("bad.toml");
    let absent = world.text("absent.toml");
    let certificate = world.text("certificate.pem");
    for (line, part) in [
        (&["--listen", "0.0.0.0:0"][..], "--allow-remote"),
        (&["--listen", "[::]:0"], "--allow-remote"),
        (&["--config", &bad], "bad.toml"),
        (&["--config", &absent], "absent.toml"),
        (
            &["--tls-cert", &certificate, "--tls-key", &absent],
            "the file of --tls-key cannot be read",
        ),
    ] {
        let mut command = program(&[&["emulate"], line].concat());
        let ended = run(&mut command);
        assert_eq!(ended.status, Some(1), "{ended:?}");
        let last = ended.stderr.lines().last().unwrap();
        assert!(last.contains(part), "{part}: {ended:?}");
    }
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listening.local_addr().unwrap().to_string();
    let ended = run(&mut program(&["emulate", "--listen", &taken]));
    assert!(ended.stderr.contains("choose another port"), "{ended:?}");
}
