//! The server, driven over the wire by curl and by bytes.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use ml_dsa::MlDsa87;
use rolesanywhere_core::ErrorKind;
use rolesanywhere_emulator::{
    Config, Request, Service,
    audit::Outcome,
    config::{Profile, Role, TrustAnchor},
    fixtures::CertificateAuthority,
    server::{BlockingServer, Clock, ServerOptions, Tls, start_blocking},
};

use crate::{
    client::{ACCOUNT, Call, REGION},
    handmade::{Handmade, Key, name},
    lab::lab,
    pki::{self, Identity},
};

/// The lab's account behind a server whose clock is the lab's.
fn serve(tls: Tls) -> BlockingServer {
    serve_account(tls, &lab().config())
}

fn serve_account(tls: Tls, config: &Config) -> BlockingServer {
    let options = ServerOptions {
        tls,
        clock: Clock::new(|| lab().now),
        ..ServerOptions::default()
    };
    start_blocking(Arc::new(Service::new(config).unwrap()), options).unwrap()
}

/// Sends a request with curl; gives `STATUS VERSION` and the body.
fn curl(server: &BlockingServer, version: &str, request: &Request) -> (String, String) {
    let ca_file = pki::folder().join(format!("{}.pem", server.address().port()));
    fs::write(&ca_file, server.ca_pem().unwrap_or_default()).unwrap();
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", version, "-X", &request.method]);
    if server.ca_pem().is_some() {
        command.arg("--cacert").arg(&ca_file);
    }
    // A file, since arguments have a limit that ML-DSA exceeds.
    let headers: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let file = pki::folder().join(format!("{}.headers", server.address().port()));
    fs::write(&file, headers).unwrap();
    command.arg("-H").arg(format!("@{}", file.display()));
    command.args([
        "--data-binary",
        "@-",
        "-w",
        "\n%{http_code} %{http_version}",
    ]);
    command.arg(format!("{}{}", server.endpoint(), request.target));
    let output = String::from_utf8(pki::run_with_input(command, &request.body)).unwrap();
    let (body, status) = output.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

fn call_to(server: &BlockingServer) -> Call {
    lab()
        .call()
        .with_header("host", &server.address().to_string())
}

#[test]
fn a_session_over_tls_with_http_1_and_http_2_and_in_the_clear() {
    let leaf = &lab().leaf;
    for (tls, version, shown) in [
        (Tls::SelfMade, "--http1.1", "1.1"),
        (Tls::SelfMade, "--http2", "2"),
        (Tls::PlainHttp, "--http1.1", "1.1"),
    ] {
        let server = serve(tls);
        let call = call_to(&server);
        let (status, body) = curl(&server, version, &call.sign(leaf));
        assert_eq!(status, format!("201 {shown}"), "{body}");
        assert!(
            body.starts_with(r#"{"credentialSet":[{"assumedRoleUser":{"arn":"#),
            "{body}"
        );
        // Chunked, as older helpers send it.
        let mut chunked = call.clone();
        chunked
            .unsigned_headers
            .push(("transfer-encoding".to_owned(), "chunked".to_owned()));
        if shown == "1.1" {
            let (status, body) = curl(&server, version, &chunked.sign(leaf));
            assert_eq!(status, format!("201 {shown}"), "{body}");
        }
        let (status, body) = curl(&server, version, &call.with_body(" ").signed(&[0]));
        assert_eq!(status, format!("400 {shown}"), "{body}");
        let records = server.service().audit_records();
        assert!(matches!(records[0].outcome, Outcome::Succeeded { .. }));
        assert_eq!(records[0].source, Some(server.address().ip()));
        server.stop();
    }
}

#[test]
fn the_largest_chain_there_is_fits() {
    let lab = lab();
    let keys: Vec<Key> = (0..7).map(Key::ml_dsa::<MlDsa87>).collect();
    let root = Handmade::ca("CA 0", lab.now).self_signed(&keys[0]);
    let names: Vec<String> = (0..7).map(|n| format!("CA {n}")).collect();
    let cas: Vec<_> = (1..6)
        .map(|n| {
            Handmade::ca(&names[n], lab.now).signed_by(
                &name(&[&names[n - 1]]),
                &keys[n - 1],
                &keys[n],
            )
        })
        .collect();
    let leaf = Handmade::leaf("workload", lab.now).signed_by(&name(&["CA 5"]), &keys[5], &keys[6]);
    let config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("root", &root.pem()))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    let server = serve_account(Tls::SelfMade, &config);
    let chain: Vec<&dyn Identity> = cas.iter().map(|ca| ca as &dyn Identity).collect();
    for over_http_2 in [false, true] {
        let mut call = lab
            .call_of(&leaf, "root")
            .with_header("host", &server.address().to_string())
            .with_chain(&chain);
        call.algorithm = "AWS4-X509-MLDSA".to_owned();
        let request = call.signed(&leaf.sign(call.string_to_sign().as_bytes()));
        let size: usize = request.headers.iter().map(|(_, value)| value.len()).sum();
        assert!(size > 65_000, "{size}");
        let status = if over_http_2 {
            // nghttp2, and so curl, sends no more than 64 KiB of headers.
            http_2_by_hyper(&server, &request)
        } else {
            curl(&server, "--http1.1", &request).0
        };
        assert!(status.starts_with("201"), "{status} {over_http_2}");
    }
}

/// Sends a request over HTTP/2 with hyper's client; gives the status.
fn http_2_by_hyper(server: &BlockingServer, request: &Request) -> String {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(server.ca_pem().unwrap().as_bytes());
    roots.add(ca.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut head = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(format!("{}{}", server.endpoint(), request.target));
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "host") {
        head = head.header(name, value);
    }
    let body = http_body_util::Full::new(bytes::Bytes::from(request.body.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let tcp = tokio::net::TcpStream::connect(server.address())
            .await
            .unwrap();
        let name = ServerName::from(server.address().ip());
        let tls = tokio_rustls::TlsConnector::from(Arc::new(config));
        let tls = TokioIo::new(tls.connect(name, tcp).await.unwrap());
        let (mut send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), tls)
                .await
                .unwrap();
        tokio::spawn(connection);
        let response = send.send_request(head.body(body).unwrap()).await.unwrap();
        response.status().to_string()
    })
}

#[test]
fn certificates_of_the_users_own() {
    let ca = CertificateAuthority::new("CA", crate::client::now()).unwrap();
    let folder = pki::folder();
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    // A server certificate for 127.0.0.1 from OpenSSL.
    let root = pki::Certificate::ca("/CN=TLS root")
        .key("p256-root")
        .self_signed();
    let server = pki::Certificate::leaf("/CN=localhost")
        .extensions(
            "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1\n",
        )
        .signed_by(&root);
    fs::write(&certificate, server.pem()).unwrap();
    fs::copy(&server.key, &key).unwrap();
    let running = serve(Tls::Files {
        certificate: certificate.clone(),
        key: key.clone(),
    });
    assert_eq!(running.ca_pem(), None);
    let trusted = folder.join("tls-root.pem");
    fs::write(&trusted, root.pem()).unwrap();
    let mut command = Command::new("curl");
    command.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"]);
    command
        .arg(&trusted)
        .arg(format!("{}/x", running.endpoint()));
    assert_eq!(pki::run_with_input(command, b""), b"404");
    // A key of another certificate, files that are missing or hold something else.
    let identity = ca.end_entity("localhost", crate::client::now()).unwrap();
    let other_key = folder.join("other.key");
    fs::write(&other_key, identity.private_key_pem.as_bytes()).unwrap();
    let missing = folder.join("missing.pem");
    for (certificate, key, kind) in [
        (&certificate, &other_key, ErrorKind::InvalidKey),
        (&certificate, &missing, ErrorKind::InvalidInput),
        (&missing, &key, ErrorKind::InvalidInput),
        (&key, &key, ErrorKind::InvalidInput),
        (&certificate, &certificate, ErrorKind::InvalidKey),
    ] {
        let options = ServerOptions {
            tls: Tls::Files {
                certificate: certificate.clone(),
                key: key.clone(),
            },
            ..ServerOptions::default()
        };
        let service = Arc::new(lab().service());
        assert_eq!(start_blocking(service, options).unwrap_err().kind(), kind);
    }
}

/// Sends bytes to a server in the clear and reads until it hangs up.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // The server may hang up before it has read everything.
    let _sent = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _read = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_is_no_request_is_refused_by_http() {
    let server = serve(Tls::PlainHttp);
    let address = server.address();
    let head = "POST /sessions HTTP/1.1\r\nConnection: close\r\n";
    let first_line = |bytes: &str| {
        let answer = raw(address, bytes.as_bytes());
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first_line("nonsense\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let two_lengths = format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx");
    assert_eq!(first_line(&two_lengths), "HTTP/1.1 400 Bad Request");
    let huge = format!("{head}X-Amz-X509: {}\r\n\r\n", "A".repeat(1_024 * 1_024));
    assert_eq!(
        first_line(&huge),
        "HTTP/1.1 431 Request Header Fields Too Large"
    );
    let many: String = (0..200).map(|n| format!("a{n}: b\r\n")).collect();
    assert_eq!(
        first_line(&format!("{head}{many}\r\n")),
        "HTTP/1.1 431 Request Header Fields Too Large"
    );
    let body = "x".repeat(1_100 * 1_024);
    let long = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(first_line(&long), "HTTP/1.1 413 Payload Too Large");
    // A target that names another host than the header.
    let two_hosts =
        "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n";
    assert_eq!(first_line(two_hosts), "HTTP/1.1 400 Bad Request");
    // The connection that broke before its body was whole leaves no record.
    let before = server.service().audit_records().len();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("{head}Content-Length: 10\r\n\r\nx").as_bytes())
        .unwrap();
    drop(stream);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.service().audit_records().len(), before);
    assert_eq!(server.service().issued_credentials(), 0);
}

#[test]
fn a_stop_lets_go_of_the_port_and_of_idle_connections() {
    let server = serve(Tls::PlainHttp);
    let address = server.address();
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut begin = [0; 12];
    idle.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 404");
    let options = ServerOptions {
        listen: address,
        tls: Tls::PlainHttp,
        ..ServerOptions::default()
    };
    let taken = start_blocking(Arc::new(lab().service()), options.clone()).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::TransportFailed);
    assert!(taken.message().contains("choose another port"), "{taken}");
    let begin = Instant::now();
    server.stop();
    assert!(
        begin.elapsed() < Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
    let again = start_blocking(Arc::new(lab().service()), options).unwrap();
    assert_eq!(again.address(), address);
}

#[test]
fn many_clients_at_once() {
    let server = serve(Tls::PlainHttp);
    let request = call_to(&server).sign(&lab().leaf);
    let headers: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let bytes = format!(
        "POST {} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{}",
        request.target,
        request.body.len(),
        String::from_utf8(request.body).unwrap()
    );
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let answer = raw(server.address(), bytes.as_bytes());
                assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
            });
        }
    });
    assert_eq!(server.service().issued_credentials(), 16);
}

#[test]
fn the_fixtures_make_what_the_service_takes() {
    let now = lab().now;
    let ca = CertificateAuthority::new("Demo CA", now).unwrap();
    let identity = ca.end_entity("demo", now).unwrap();
    let folder = pki::folder();
    let (certificate, key) = (folder.join("demo.crt"), folder.join("demo.key"));
    fs::write(&certificate, &identity.certificate_pem).unwrap();
    fs::write(&key, identity.private_key_pem.as_bytes()).unwrap();
    // OpenSSL reads both, and its verdict on the chain is the first opinion.
    let trusted = folder.join("demo-ca.crt");
    fs::write(&trusted, ca.certificate_pem()).unwrap();
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile"]);
    command
        .arg(&trusted)
        .arg("-attime")
        .arg(now.seconds().to_string())
        .arg(&certificate);
    pki::run_with_input(command, b"");
    let leaf = pki::Issued::from_files(&certificate, &key);
    let config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("root", ca.certificate_pem()))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    let service = Service::new(&config).unwrap();
    let response = service.handle(&lab().call_of(&leaf, "root").sign(&leaf), now);
    assert_eq!(response.status, 201, "{}", response.text());
    assert!(response.text().contains(r#""sourceIdentity":"CN=demo""#));
    assert!(!format!("{identity:?}").contains("PRIVATE"));
}
