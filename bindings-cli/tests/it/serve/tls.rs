//! `serve` over HTTPS.

use std::{
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Server, ask, command, serving};
use crate::harness::{World, run};

/// A CA, and what it issues.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "CA");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes `server.pem` and `server-key.pem` for these names.
    fn issue(&self, world: &World, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        world.write("server.pem", certificate.pem().as_bytes());
        world.write_private("server-key.pem", key.serialize_pem().as_bytes());
    }

    /// Connects as a client that calls the server by this name and trusts the CA.
    fn connect(
        &self,
        server: &Server,
        name: &'static str,
    ) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = name.try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(connection, server.connect())
    }
}

#[test]
fn containers_reach_it_by_name_over_https() {
    let files = World::new();
    let authority = Authority::new();
    authority.issue(&files, &["host.containers.internal", "127.0.0.1"]);
    let (certificate, key) = (files.text("server.pem"), files.text("server-key.pem"));
    let token_file = files.text("token");
    let (_world, _emulator, server) = serving(&[
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--allow-host=host.containers.internal",
        "--authorization-token-file",
        &token_file,
    ]);
    let url = server.wait_for_line("export AWS_CONTAINER_CREDENTIALS_FULL_URI=");
    assert!(url.contains("=https://127.0.0.1:"), "{url}");
    let token = files.read("token");
    let authorization = [("authorization", token.as_str())];
    for name in ["host.containers.internal", "127.0.0.1"] {
        let mut stream = authority.connect(&server, name);
        for _ in 0..2 {
            let answer = ask(&mut stream, "GET /credentials", name, &authorization);
            assert_eq!(answer.status, 200);
            assert!(
                answer.json()["AccessKeyId"]
                    .as_str()
                    .unwrap()
                    .starts_with("ASIA")
            );
        }
    }
    // Another name is another's, and plain HTTP gets nothing.
    let mut stream = authority.connect(&server, "127.0.0.1");
    let answer = ask(
        &mut stream,
        "GET /credentials",
        "other.example",
        &authorization,
    );
    assert_eq!(answer.status, 403);
    let mut plain = server.connect();
    std::io::Write::write_all(
        &mut plain,
        b"GET /credentials HTTP/1.1\r\nhost: localhost\r\n\r\n",
    )
    .unwrap();
    let mut said = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut said); // An alert of TLS, or the end.
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "{said:?}");
}

#[test]
fn a_certificate_that_is_replaced_counts_and_a_broken_one_does_not() {
    let files = World::new();
    let authority = Authority::new();
    authority.issue(&files, &["first.example"]);
    let (certificate, key) = (files.text("server.pem"), files.text("server-key.pem"));
    let (_world, _emulator, server) = serving(&["--tls-cert", &certificate, "--tls-key", &key]);
    let get = |name: &'static str| {
        let mut stream = authority.connect(&server, name);
        std::io::Write::flush(&mut stream).ok()?; // The handshake.
        Some(ask(&mut stream, "PUT /latest/api/token", "localhost", &[]).status)
    };
    assert_eq!(get("first.example"), Some(200));
    assert_eq!(get("second.example"), None);
    // The certificate of one pair, the key of another.
    let first_key = files.read("server-key.pem");
    authority.issue(&files, &["second.example"]);
    let second_key = files.read("server-key.pem");
    files.write_private("server-key.pem", first_key.as_bytes());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2500) {
        assert_eq!(get("first.example"), Some(200));
        std::thread::sleep(Duration::from_millis(200));
    }
    server.wait_for_line("the TLS certificate in use stays");
    files.write_private("server-key.pem", second_key.as_bytes());
    let begun = Instant::now();
    while get("second.example").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn files_that_are_no_pair_are_refused_at_the_start_and_never_quoted() {
    let world = World::new();
    let (emulator, arns) = world.emulator();
    let authority = Authority::new();
    authority.issue(&world, &["localhost"]);
    let ca = world.text("server-ca.pem");
    let refused = |certificate: &str, key: &str, part: &str| {
        let (certificate, key) = (world.text(certificate), world.text(key));
        let line = [
            "--endpoint",
            emulator.endpoint(),
            "--ca-bundle",
            &ca,
            "--port=0",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ];
        run(&mut command(&world, &arns, &line)).fails_with(part);
    };
    refused("server.pem", "key.pem", "are no TLS certificate and key");
    refused("server-key.pem", "server-key.pem", "holds no certificate");
    refused("server.pem", "server.pem", "holds no private key");
    refused("missing.pem", "server-key.pem", "check --tls-cert");
    let socket = format!("unix:{}", world.text("socket"));
    let (certificate, key) = (world.text("server.pem"), world.text("server-key.pem"));
    let line = [
        "--listen",
        &socket,
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ];
    run(&mut command(&world, &arns, &line)).fails_with("needs no TLS");
}
