//! Proxies, with a scripted one that connects wherever it likes.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use crate::{
    harness::{Arns, World, run},
    scripted::{Scripted, ServerIdentity, read_request, relay, session},
};

/// A CONNECT proxy that leads every name to one server, or refuses.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn new(target: u16, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let log = log.clone();
                std::thread::spawn(move || {
                    let Some(request) = read_request(&mut stream) else {
                        return;
                    };
                    log.lock().unwrap().push(request);
                    stream.write_all(answer.as_bytes()).unwrap();
                    if answer.contains(" 200 ") {
                        relay(stream, TcpStream::connect(("127.0.0.1", target)).unwrap());
                    }
                });
            }
        });
        Self { port, asked }
    }
}

const CONNECTED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[test]
fn https_goes_through_the_proxy_of_the_environment() {
    let identity = ServerIdentity::for_names(&["service.example"]);
    let server = Scripted::start(vec![session()], Some(&identity));
    let proxy = Proxy::new(server.port(), CONNECTED);
    let world = World::new();
    let ca = world.write("server-ca.pem", identity.ca_pem.as_bytes());
    let url = format!("http://user:pass%2Fword@127.0.0.1:{}", proxy.port);
    for variable in ["HTTPS_PROXY", "https_proxy"] {
        let mut command =
            world.credential_process(&Arns::any(), &["--endpoint=https://service.example"]);
        run(command.env("AWS_CA_BUNDLE", &ca).env(variable, &url)).succeeds();
    }
    let asked = proxy.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert!(
        asked[0].starts_with("CONNECT service.example:443 HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    // base64 of `user:pass/word`, by hand with coreutils.
    assert!(
        asked[0].contains("Basic dXNlcjpwYXNzL3dvcmQ="),
        "{}",
        asked[0]
    );
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn no_proxy_and_loopback_go_straight() {
    let server = Scripted::tls(vec![session()]);
    let proxy = Proxy::new(server.port(), CONNECTED);
    let world = World::new();
    let ca = world.write("server-ca.pem", server.ca_pem.as_bytes());
    let url = format!("http://127.0.0.1:{}", proxy.port);
    for endpoint in [
        server.https(),
        format!("https://localhost:{}", server.port()),
    ] {
        let mut command =
            world.credential_process(&Arns::any(), &["--endpoint", &endpoint, "--with-proxy"]);
        run(command.env("AWS_CA_BUNDLE", &ca).env("HTTPS_PROXY", &url)).succeeds();
    }
    assert!(proxy.asked.lock().unwrap().is_empty());
}

#[test]
fn a_proxy_that_refuses_is_named_by_its_variable_and_its_password_is_not_told() {
    let refusing = Proxy::new(
        0,
        "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
    );
    let world = World::new();
    let url = format!("http://user:hunter2@127.0.0.1:{}", refusing.port);
    let mut command =
        world.credential_process(&Arns::any(), &["--endpoint=https://service.example"]);
    let ended = run(command.env("HTTPS_PROXY", &url));
    ended.fails_with("check HTTPS_PROXY and the proxy's rules");
    ended.fails_with("407");
    let mut command = world.credential_process(
        &Arns::any(),
        &["--endpoint=https://service.example", "--verbose"],
    );
    let verbose = run(command.env("HTTPS_PROXY", &url));
    assert!(verbose.stderr.contains("proxy: HTTPS_PROXY"), "{verbose:?}");
    assert!(!verbose.stderr.contains("hunter2"), "{verbose:?}");

    let mut command =
        world.credential_process(&Arns::any(), &["--endpoint=https://service.example"]);
    run(command.env("HTTPS_PROXY", "ftp://u:hunter2@h"))
        .fails_with("HTTPS_PROXY is not the URL of a proxy");
}

#[test]
fn a_proxy_that_is_not_there_is_told_from_a_service_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let world = World::new();
    let mut command =
        world.credential_process(&Arns::any(), &["--endpoint=https://service.example"]);
    let ended = run(command.env("HTTPS_PROXY", format!("http://127.0.0.1:{port}")));
    ended.fails_with("through the proxy of HTTPS_PROXY refuses connections");
}
