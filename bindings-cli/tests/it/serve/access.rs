//! Who gets an answer of `serve`: by which host, past which proxies and pages, with which secret.

use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use super::{ROLES, ask, command, serving};
use crate::harness::{World, run};

const TOKEN: &str = "PUT /latest/api/token";

#[test]
fn only_this_machine_s_names_are_answered() {
    let (_world, _emulator, server) = serving(&["--allow-host", "Metadata.Internal"]);
    for (host, status) in [
        ("127.0.0.1:9911", 200),
        ("169.254.169.254", 200),
        ("[::1]:80", 200),
        ("fd00:ec2::23", 200),
        ("LocalHost:1", 200),
        ("localhost.", 200),
        ("metadata.internal", 200),
        ("metadata.internal:80", 200),
        ("rebound.example", 403),
        ("127.0.0.1.rebound.example:9911", 403),
        ("localhost.rebound.example", 403),
        ("[::1]rebound.example", 403),
        ("localhost:rebound.example", 403),
        ("localhost:80:rebound.example", 403),
        ("rebound.example#localhost", 403),
        ("localhost,rebound.example", 403),
        ("", 403),
    ] {
        let answer = ask(&mut server.connect(), TOKEN, host, &[]);
        assert_eq!(answer.status, status, "{host}");
    }
    // Two headers of which a proxy or a browser may have looked at the other.
    let two = [("host", "rebound.example")];
    for host in ["localhost", "rebound.example"] {
        let answer = ask(&mut server.connect(), TOKEN, host, &two);
        assert_eq!(answer.status, 403, "{host}");
    }
    // A target that names a host, too.
    for (target, status) in [
        ("http://localhost/latest/api/token", 200),
        ("http://rebound.example/latest/api/token", 403),
        ("http://localhost:80/latest/api/token", 403),
    ] {
        let line = format!("PUT {target}");
        let answer = ask(&mut server.connect(), &line, "localhost", &[]);
        assert_eq!(answer.status, status, "{target}");
    }
}

#[test]
fn what_proxies_and_web_pages_send_is_refused() {
    let (_world, _emulator, server) = serving(&[]);
    let own = format!("http://127.0.0.1:{}", server.port);
    for (name, value, status) in [
        ("x-forwarded-for", "10.0.0.1", 403),
        ("x-forwarded-host", "localhost", 403),
        ("forwarded", "for=10.0.0.1", 403),
        ("via", "1.1 proxy", 403),
        ("origin", "https://page.example", 403),
        ("origin", "http://localhost:3000", 403),
        ("origin", "null", 403),
        ("origin", &own, 200),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "none", 200),
        // Node's fetch.
        ("sec-fetch-mode", "cors", 200),
    ] {
        let answer = server.ask(TOKEN, &[(name, value)]);
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    assert_eq!(server.ask("GET /", &link).status, 403);
}

#[test]
fn containers_get_credentials_for_their_token() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let file = path.to_str().unwrap().to_owned();
    let (_world, _emulator, server) = serving(&["--authorization-token-file", &file]);
    let token = std::fs::read_to_string(&path).unwrap();
    assert!(token.len() >= 43);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // `/v1/credentials` is where the agent of EKS has it.
    for path in ["/credentials", "/v1/credentials"] {
        let line = format!("GET {path}");
        let answer = server.ask(&line, &[("authorization", &token)]);
        assert_eq!(
            (answer.status, answer.header("content-type").as_deref()),
            (200, Some("application/json"))
        );
        let json = answer.json();
        assert!(json["RoleArn"].as_str().unwrap().ends_with(":role/app"));
        assert_eq!(json["AccountId"], "123456789012");
        for member in ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"] {
            assert!(!json[member].as_str().unwrap().is_empty(), "{member}");
        }
        let longer = format!("{token}x");
        for wrong in [&token[1..], &longer, "", "Bearer"] {
            let answer = server.ask(&line, &[("authorization", wrong)]);
            assert_eq!(answer.status, 401, "{wrong}");
            assert!(!answer.body.contains(&token));
        }
        assert_eq!(server.ask(&line, &[]).status, 401);
    }
    // What asks for no secret would make this one useless.
    for line in [
        TOKEN.to_owned(),
        format!("GET {ROLES}/"),
        format!("GET {ROLES}/app"),
        "GET /latest/meta-data/placement/region".to_owned(),
    ] {
        let answer = server.ask(&line, &[]);
        assert_eq!(answer.status, 404, "{line}");
        assert!(answer.body.contains("--imds"), "{answer:?}");
    }
}

#[test]
fn both_endpoints_are_there_when_both_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let file = path.to_str().unwrap().to_owned();
    let (_world, _emulator, server) = serving(&["--imds", "--authorization-token-file", &file]);
    let token = std::fs::read_to_string(&path).unwrap();
    let answer = server.ask("GET /credentials", &[("authorization", &token)]);
    assert_eq!(answer.status, 200);
    let token = server.token();
    let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
    let answer = server.ask(&format!("GET {ROLES}/app"), &with_token);
    assert_eq!(answer.status, 200);
}

#[test]
fn a_token_file_is_a_file_of_the_user_alone() {
    let world = World::new();
    let (emulator, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let refused = |name: &str, part: &str| {
        let token = world.text(name);
        let line = [
            "--endpoint",
            emulator.endpoint(),
            "--ca-bundle",
            &ca,
            "--port=0",
            "--authorization-token-file",
            &token,
        ];
        run(&mut command(&world, &arns, &line)).fails_with(part);
    };
    let good = b"a-token-of-more-than-16-characters\n";
    world.write_private("file", good);
    symlink(world.path("file"), world.path("link")).unwrap();
    refused("link", "is a symbolic link");
    symlink(world.path("nowhere"), world.path("dangling")).unwrap();
    refused("dangling", "is a symbolic link");
    assert!(!world.path("nowhere").exists());
    // It has no other end, and opening it would wait for one.
    let fifo = world.text("fifo");
    let made = std::process::Command::new("mkfifo")
        .args(["-m", "600", &fifo])
        .status();
    assert!(made.unwrap().success());
    refused("fifo", "is no regular file");
    std::fs::create_dir(world.path("directory")).unwrap();
    refused("directory", "is no regular file");
    let open = world.write_private("open", good);
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o640)).unwrap();
    refused("open", "has mode 0640");
    // Only root can give files away; who the owner may be is a unit test.
    let given = world.write_private("given", good);
    if chown(&given, Some(54_321), None).is_ok() {
        refused("given", "belongs to user 54321");
    }
    world.write_private("short", b"short");
    refused("short", "holds no token of 16 to 1024");
}
