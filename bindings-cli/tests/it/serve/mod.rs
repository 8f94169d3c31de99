//! `serve`, by a client that speaks HTTP byte by byte.

mod access;
mod hostile;
mod memory;
mod renewal;
mod tls;

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::harness::{Arns, Background, World, run};

const ROLES: &str = "/latest/meta-data/iam/security-credentials";

/// A running server.
struct Server {
    process: Background,
    said: mpsc::Receiver<String>,
    port: u16,
}

fn command(world: &World, arns: &Arns, extra: &[&str]) -> Command {
    // The same options as `credential-process`, after another command's name.
    let like = world.credential_process(arns, extra);
    let mut command = crate::harness::program(&["serve"]);
    command.args(like.get_args().skip(1));
    command
}

impl Server {
    fn start(mut command: Command) -> Self {
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Background::start(command);
        let stderr = BufReader::new(process.child().stderr.take().unwrap());
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            process,
            said,
            port: 0,
        };
        let started = server.wait_for_line("Local server started on");
        server.port = started.rsplit(' ').next().unwrap().parse().unwrap_or(0);
        server
    }

    fn wait_for_line(&self, part: &str) -> String {
        let mut others = String::new();
        loop {
            match self.said.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => others += &(line + "\n"),
                Err(error) => panic!("`{part}` was not said ({error}) but:\n{others}"),
            }
        }
    }

    fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    fn ask(&self, line: &str, headers: &[(&str, &str)]) -> Answer {
        let host = format!("127.0.0.1:{}", self.port);
        ask(&mut self.connect(), line, &host, headers)
    }

    fn token(&self) -> String {
        let answer = self.ask("PUT /latest/api/token", &[]);
        assert_eq!(answer.status, 200);
        answer.body
    }

    /// Sends a signal and waits for the end: the exit code.
    fn end(self, signal: &str) -> Option<i32> {
        self.process.signal(signal);
        self.process.wait().status
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Waits until something has come about, at most twenty seconds.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<String> {
        crate::scripted::header(&self.head, name)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One request on a connection that stays open.
fn ask(
    stream: &mut (impl Read + Write),
    line: &str,
    host: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = format!("{line} HTTP/1.1\r\n");
    if !host.is_empty() {
        request += &format!("host: {host}\r\n");
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all((request + "\r\n").as_bytes()).unwrap();
    let text = crate::scripted::read_request(stream).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// A world, its emulator and a server on a free port with these options besides.
fn serving(
    extra: &[&str],
) -> (
    World,
    rolesanywhere_emulator::server::BlockingServer,
    Server,
) {
    let world = World::new();
    let (emulator, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let mut line = vec![
        "--endpoint",
        emulator.endpoint(),
        "--ca-bundle",
        &ca,
        "--port=0",
    ];
    line.extend(extra);
    let server = Server::start(command(&world, &arns, &line));
    (world, emulator, server)
}

#[test]
fn it_speaks_as_the_instance_metadata_service_does() {
    let (_world, emulator, server) = serving(&[]);
    let token = server.ask(
        "PUT /latest/api/token",
        &[("x-aws-ec2-metadata-token-ttl-seconds", "60")],
    );
    assert_eq!(token.status, 200);
    assert_eq!(
        token
            .header("x-aws-ec2-metadata-token-ttl-seconds")
            .as_deref(),
        Some("60")
    );
    // As long as AWS's own: the AWS CRT has room for 64 characters.
    assert_eq!(token.body.len(), 56);
    let with_token = [("x-aws-ec2-metadata-token", token.body.as_str())];
    // The routes of the reference's own test: each with a slash at its end and without.
    assert_eq!(server.ask("PUT /latest/api/token/", &[]).status, 200);
    for path in [ROLES, &format!("{ROLES}/"), &format!("/{ROLES}")] {
        let name = server.ask(&format!("GET {path}"), &with_token);
        assert_eq!((name.status, name.body.as_str()), (200, "app"), "{path}");
    }
    for path in [format!("{ROLES}/app"), format!("{ROLES}/app/")] {
        let answer = server.ask(&format!("GET {path}"), &with_token);
        assert_eq!(answer.status, 200);
        let json = answer.json();
        assert_eq!(
            (&json["Code"], &json["Type"]),
            (&"Success".into(), &"AWS-HMAC".into())
        );
        assert!(json["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
        assert_eq!(json["AccountId"], "123456789012");
        for member in ["SecretAccessKey", "Token", "Expiration", "LastUpdated"] {
            assert!(!json[member].as_str().unwrap().is_empty(), "{member}");
        }
    }
    // What agents ask for first; botocore writes the slash and drops the last letter of the zone.
    for (path, expected) in [
        ("/latest/meta-data/placement/region", "us-east-1"),
        (
            "/latest/meta-data/placement/availability-zone/",
            "us-east-1a",
        ),
    ] {
        assert_eq!(
            server.ask(&format!("GET {path}"), &[]).status,
            401,
            "{path}"
        );
        let answer = server.ask(&format!("GET {path}"), &with_token);
        assert_eq!((answer.status, answer.body.as_str()), (200, expected));
    }
    let document = "GET /latest/dynamic/instance-identity/document";
    assert_eq!(server.ask(document, &[]).status, 401);
    let document = server.ask(document, &with_token).json();
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(document["accountId"], "123456789012");
    assert_eq!(emulator.service().issued_credentials(), 1);
    // What is not on request is not there.
    for path in [
        "/health",
        "/metrics",
        "/credentials",
        "/v1/credentials",
        "/",
        "/latest/meta-data/",
    ] {
        assert_eq!(
            server.ask(&format!("GET {path}"), &with_token).status,
            404,
            "{path}"
        );
    }
}

#[test]
fn what_the_metadata_service_refuses_is_refused() {
    let (_world, _emulator, server) = serving(&[]);
    for ttl in ["0", "21601", "-1", "x", "", "1.5"] {
        let answer = server.ask(
            "PUT /latest/api/token",
            &[("x-aws-ec2-metadata-token-ttl-seconds", ttl)],
        );
        assert_eq!(answer.status, 400, "{ttl}");
    }
    for ttl in ["1", "21600", "+60"] {
        let answer = server.ask(
            "PUT /latest/api/token",
            &[("x-aws-ec2-metadata-token-ttl-seconds", ttl)],
        );
        assert_eq!(answer.status, 200, "{ttl}");
    }
    let token = server.token();
    let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
    let get = |path: &str, headers: &[(&str, &str)]| server.ask(&format!("GET {path}"), headers);
    for path in [ROLES, &format!("{ROLES}/app")] {
        assert_eq!(get(path, &[]).status, 401);
        assert_eq!(
            get(path, &[("x-aws-ec2-metadata-token", "none")]).status,
            401
        );
        let forwarded = [with_token[0], ("x-forwarded-for", "10.0.0.1")];
        assert_eq!(get(path, &forwarded).status, 403);
    }
    assert_eq!(get(&format!("{ROLES}/other"), &with_token).status, 404);
    let post = server.ask(&format!("POST {ROLES}"), &with_token);
    assert_eq!(
        (post.status, post.header("allow").as_deref()),
        (405, Some("GET"))
    );
    assert_eq!(
        get("/latest/api/token", &[]).header("allow").as_deref(),
        Some("PUT")
    );
    let short = server.ask(
        "PUT /latest/api/token",
        &[("x-aws-ec2-metadata-token-ttl-seconds", "1")],
    );
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(
        get(ROLES, &[("x-aws-ec2-metadata-token", &short.body)]).status,
        401
    );
}

#[test]
fn a_unix_socket_is_its_owner_s_and_goes_with_the_server() {
    let world = World::new();
    let (emulator, arns) = world.emulator();
    let (ca, path) = (world.text("server-ca.pem"), world.path("socket"));
    let listen = format!("unix:{}", path.display());
    let line = [
        "--endpoint",
        emulator.endpoint(),
        "--ca-bundle",
        &ca,
        "--listen",
        &listen,
    ];
    // What a killed server left behind is no hindrance, another file is.
    std::fs::write(&path, "mine").unwrap();
    run(&mut command(&world, &arns, &line)).fails_with("it is no socket");
    std::fs::remove_file(&path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = Server::start(command(&world, &arns, &line));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).unwrap();
    let token = ask(&mut stream, "PUT /latest/api/token", "localhost", &[]);
    let with_token = [("x-aws-ec2-metadata-token", token.body.as_str())];
    let name = ask(
        &mut stream,
        &format!("GET {ROLES}/"),
        "localhost",
        &with_token,
    );
    assert_eq!(name.body, "app");
    run(&mut command(&world, &arns, &line)).fails_with("another process listens there");
    assert_eq!(server.end("TERM"), Some(0));
    assert!(!path.exists());
    // A path that another server has taken over meanwhile is that one's.
    let server = Server::start(command(&world, &arns, &line));
    std::fs::remove_file(&path).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(server.end("TERM"), Some(0));
    assert!(path.exists());
    drop(other);
}

#[test]
fn a_signal_stops_it_gracefully_and_well() {
    for signal in ["TERM", "INT"] {
        let (_world, _emulator, server) = serving(&[]);
        let mut idle = server.connect();
        let begun = Instant::now();
        assert_eq!(server.end(signal), Some(0), "{signal}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0, "closed");
    }
}

#[test]
fn what_cannot_be_served_is_refused_before_anything_is() {
    let world = World::new();
    let (emulator, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let refused = |extra: &[&str], part: &str| {
        let mut line = vec!["--endpoint", emulator.endpoint(), "--ca-bundle", &ca];
        line.extend(extra);
        run(&mut command(&world, &arns, &line)).fails_with(part);
    };
    refused(&["--port=0", "--hop-limit=0"], "`--hop-limit`");
    refused(&["--port=0", "--hop-limit=256"], "`--hop-limit`");
    refused(&["--listen=0.0.0.0:0"], "--allow-remote");
    refused(&["--listen=localhost:0"], "write `ADDRESS:PORT`");
    refused(&["--listen=127.0.0.1:0", "--port=1"], "exclude each other");
    refused(&["--port=0", "--allow-host=a:80"], "without a port");
    refused(&["--port=0", "--tls-cert=x"], "--tls-key");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--port={}", taken.local_addr().unwrap().port());
    refused(&[&port], "choose another --port or --listen");
    world.write_private("token", b"short");
    let token = world.text("token");
    refused(
        &["--port=0", "--authorization-token-file", &token],
        "holds no token of 16 to 1024",
    );
    let stranger = World::new();
    let line = [
        "--endpoint",
        emulator.endpoint(),
        "--ca-bundle",
        &ca,
        "--port=0",
    ];
    run(&mut command(&stranger, &arns, &line)).fails_with("Untrusted signing certificate");
}
