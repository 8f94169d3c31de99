//! `credential-process` against the emulator, which verifies what the service verifies.

use std::{io::Write as _, process::Stdio};

use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
    server,
};

use crate::harness::{Arns, World, openssl, program, run};

#[test]
fn credentials_are_issued_and_the_line_stays_empty() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let mut command = world.credential_process(&arns, &["--endpoint", server.endpoint()]);
    let ended = run(command.env("AWS_CA_BUNDLE", &ca));
    let json = ended.succeeds();
    assert!(json["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    assert_eq!(json["AccountId"], "123456789012");
    assert_eq!(ended.stderr, "");
    assert_eq!(server.service().issued_credentials(), 1);
    let records = server.service().audit_records();
    assert_eq!(records.len(), 1);
    assert!(records[0].nonconformance.is_empty(), "{records:?}");
}

#[test]
fn every_option_of_the_session_is_sent_as_it_was_meant() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    for extra in [
        &["--arns-in=body"][..],
        &["--arns-in=query"],
        &["--session-duration=900"],
        &["--session-duration", "43200"],
        &["--role-session-name=web-1"],
        &["--role-session-name="],
        &["--region=us-east-1"],
        &[
            "--with-proxy",
            "--debug=false",
            "--use-fips-endpoint=false",
            "--no-verify-ssl=F",
        ],
        &["--connect-timeout=5", "--request-timeout=5.5"],
    ] {
        let mut line = vec!["--endpoint", server.endpoint(), "--ca-bundle", &ca];
        line.extend(extra);
        run(&mut world.credential_process(&arns, &line)).succeeds();
    }
    let named = server
        .service()
        .audit_records()
        .iter()
        .any(|record| format!("{record:?}").contains("/web-1"));
    assert!(named, "the session name did not arrive");
}

#[test]
fn the_endpoint_comes_from_the_environment_too() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    for variable in ["AWS_ENDPOINT_URL_ROLESANYWHERE", "AWS_ENDPOINT_URL"] {
        let mut command = world.credential_process(&arns, &["--ca-bundle", &ca]);
        run(command.env(variable, server.endpoint())).succeeds();
    }
    // What breaks the reference helper and has nothing to do with it.
    let mut command = world.credential_process(&arns, &["--ca-bundle", &ca]);
    command
        .env("AWS_ENDPOINT_URL", server.endpoint())
        .env("AWS_PROFILE", "no-such-profile")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_CONFIG_FILE", "/nonexistent");
    run(&mut command).succeeds();
}

#[test]
fn verbose_says_each_step_and_no_secret() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    for flag in ["--verbose", "--debug"] {
        let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca, flag];
        let ended = run(&mut world.credential_process(&arns, &line));
        let json = ended.succeeds();
        for part in [
            server.endpoint(),
            "CN=workload",
            "EC P-256",
            "(--ca-bundle)",
            "status 201",
        ] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
        for secret in ["SecretAccessKey", "SessionToken"] {
            assert!(!ended.stderr.contains(json[secret].as_str().unwrap()));
        }
        assert!(!ended.stderr.contains("PRIVATE KEY") && !ended.stderr.contains("Signature="));
    }
}

#[test]
fn a_refusal_of_the_service_says_what_to_do() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let stranger = World::new();
    let ended = run(&mut stranger.credential_process(&arns, &line));
    ended.fails_with("Untrusted signing certificate");
    ended.fails_with("pass the intermediate certificates");
    let other = Arns {
        role: arns.role.replace("role/app", "role/other"),
        ..arns
    };
    run(&mut world.credential_process(&other, &line)).fails_with("add the role to the profile");
}

#[test]
fn a_key_that_others_can_read_earns_one_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
    let verbose = [&line[..], &["--verbose"]].concat();
    let key = world.path("key.pem");
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        run(&mut world.credential_process(&arns, &line)).succeeds();
        let ended = run(&mut world.credential_process(&arns, &verbose));
        ended.succeeds();
        let warning = format!("has mode {mode:04o}");
        let warnings = ended.stderr.matches(&warning).count();
        assert_eq!(warnings, usize::from(warned), "{ended:?}");
    }
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let stranger = World::new();
    std::fs::set_permissions(
        stranger.path("key.pem"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    run(&mut stranger.credential_process(&arns, &line)).fails_with("1 warning withheld");
}

#[test]
fn every_kind_of_key_signs() {
    let world = World::new();
    let (ca_key, ca) = (world.text("own-ca-key.pem"), world.text("own-ca.pem"));
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        &ca_key,
        "-out",
        &ca,
        "-subj",
        "/CN=own CA",
        "-days",
        "2",
        "-addext",
        "keyUsage=critical,keyCertSign",
    ]);
    world.write(
        "extensions",
        b"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n",
    );
    let config = Config::new("123456789012", "us-east-1")
        .with_trust_anchor(TrustAnchor::new("ca", &world.read("own-ca.pem")))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    let service = Service::new(&config).unwrap();
    let server = server::start_blocking(service.into(), server::ServerOptions::default()).unwrap();
    world.write("server-ca.pem", server.ca_pem().unwrap().as_bytes());
    let arns = Arns {
        trust_anchor: server.service().trust_anchor_arn("ca").unwrap(),
        profile: server.service().profile_arn("app").unwrap(),
        role: server.service().role_arn("app").unwrap(),
    };
    let [key, request, certificate, extensions] =
        ["key.pem", "request.pem", "certificate.pem", "extensions"].map(|name| world.text(name));
    for kind in ["rsa:2048", "rsa:4096", "ec:P-256", "ec:P-384", "ec:P-521"] {
        let (algorithm, parameter) = kind.split_once(':').unwrap();
        let option = match algorithm {
            "rsa" => format!("rsa_keygen_bits:{parameter}"),
            _ => format!("ec_paramgen_curve:{parameter}"),
        };
        openssl(&[
            "genpkey",
            "-algorithm",
            algorithm,
            "-pkeyopt",
            &option,
            "-out",
            &key,
        ]);
        openssl(&[
            "req",
            "-new",
            "-key",
            &key,
            "-subj",
            "/CN=workload",
            "-out",
            &request,
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-CAcreateserial",
            "-days",
            "1",
            "-sha256",
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ]);
        let line = [
            "--endpoint",
            server.endpoint(),
            "--ca-bundle",
            &world.text("server-ca.pem"),
        ];
        let ended = run(&mut world.credential_process(&arns, &line));
        ended.succeeds();
    }
    assert_eq!(server.service().issued_credentials(), 5);
}

#[test]
fn a_password_opens_the_key_from_every_place() {
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
    world.write_private("key.pem", world.read("encrypted.pem").as_bytes());
    world.write_private("password", b"hunter2\n");
    let (file, ca) = (world.text("password"), world.text("server-ca.pem"));
    let ask = |extra: &[&str]| {
        let mut line = vec!["--endpoint", server.endpoint(), "--ca-bundle", &ca];
        line.extend(extra);
        world.credential_process(&arns, &line)
    };
    run(&mut ask(&["--password-file", &file])).succeeds();
    run(ask(&["--password-env=KEY_PASSWORD"]).env("KEY_PASSWORD", "hunter2")).succeeds();
    let warned = run(&mut ask(&["--pkcs8-password=hunter2", "--verbose"]));
    warned.succeeds();
    assert!(
        warned
            .stderr
            .contains("--pkcs8-password shows the password"),
        "{warned:?}"
    );
    assert!(!warned.stderr.contains("hunter2"));

    let mut child = ask(&["--password-fd=0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"hunter2\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    // PKCS#12, as Windows and browsers export it: certificate, key and password in one go.
    let (certificate, p12) = (world.text("certificate.pem"), world.text("identity.p12"));
    openssl(&[
        "pkcs12",
        "-export",
        "-inkey",
        &encrypted,
        "-passin",
        "pass:hunter2",
        "-in",
        &certificate,
        "-out",
        &p12,
        "-passout",
        "pass:hunter2",
    ]);
    world.write_private(
        "identity.p12",
        &std::fs::read(world.path("identity.p12")).unwrap(),
    );
    let line = [
        "credential-process",
        "--certificate",
        &p12,
        "--password-file",
        &file,
        "--trust-anchor-arn",
        &arns.trust_anchor,
        "--profile-arn",
        &arns.profile,
        "--role-arn",
        &arns.role,
        "--endpoint",
        server.endpoint(),
        "--ca-bundle",
        &ca,
    ];
    run(&mut program(&line)).succeeds();

    let wrong = run(ask(&["--password-env=KEY_PASSWORD"]).env("KEY_PASSWORD", "hunter3"));
    wrong.fails_with("key.pem`: ");
    assert!(!wrong.stderr.contains("hunter"), "{wrong:?}");
}
