//! Proxies, with a scripted one that connects wherever it likes.

use std::{
    io::{Read as _, Write as _},
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
    ended.fails_with("407");
    ended.fails_with("it does not accept the user and the password in HTTPS_PROXY: correct them");
    // Without a user, how to name one.
    let mut command =
        world.credential_process(&Arns::any(), &["--endpoint=https://service.example"]);
    let bare = format!("http://127.0.0.1:{}", refusing.port);
    let ended = run(command.env("HTTPS_PROXY", &bare));
    ended.fails_with("name them in HTTPS_PROXY, `http://USER:PASSWORD@HOST:PORT`");
    ended.fails_with("`@` is `%40`");
    let forbidding = Proxy::new(0, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    let mut command =
        world.credential_process(&Arns::any(), &["--endpoint=https://service.example"]);
    let url_of_forbidding = format!("http://127.0.0.1:{}", forbidding.port);
    run(command.env("HTTPS_PROXY", &url_of_forbidding))
        .fails_with("check HTTPS_PROXY and the proxy's rules");
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

/// A SOCKS 5 proxy (RFC 1928) that leads every name to one server; what it was asked for.
fn socks(target: u16) -> (u16, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut greeting = [0; 2];
            stream.read_exact(&mut greeting).unwrap();
            let mut methods = vec![0; greeting[1].into()];
            stream.read_exact(&mut methods).unwrap();
            stream.write_all(&[5, 0]).unwrap();
            let mut request = vec![0; 5];
            stream.read_exact(&mut request).unwrap();
            // The length of a name stands before it; an IPv4 address has three more bytes.
            let rest = if request[3] == 3 { request[4] + 2 } else { 5 };
            let mut more = vec![0; rest.into()];
            stream.read_exact(&mut more).unwrap();
            request.extend(more);
            log.lock().unwrap().push(request);
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
            std::thread::spawn(|| relay(stream, server));
        }
    });
    (port, asked)
}

#[test]
fn a_socks_proxy_gets_the_name_and_looks_it_up() {
    // No name server knows it, here or elsewhere (RFC 6761).
    let identity = ServerIdentity::for_names(&["service.invalid"]);
    let server = Scripted::start(vec![session()], Some(&identity));
    let (port, asked) = socks(server.port());
    let world = World::new();
    let ca = world.write("server-ca.pem", identity.ca_pem.as_bytes());
    for scheme in ["socks5", "socks5h"] {
        let mut command =
            world.credential_process(&Arns::any(), &["--endpoint=https://service.invalid"]);
        let url = format!("{scheme}://127.0.0.1:{port}");
        run(command.env("AWS_CA_BUNDLE", &ca).env("HTTPS_PROXY", url)).succeeds();
    }
    let expected = [&[5, 1, 0, 3, 15][..], b"service.invalid", &[1, 187]].concat();
    assert_eq!(*asked.lock().unwrap(), [expected.clone(), expected]);
}

#[test]
fn a_name_under_localhost_is_this_machine_without_a_name_server() {
    let server = Scripted::start(vec![session()], None);
    let world = World::new();
    for name in ["x.localhost", "localhost", "A.LOCALHOST"] {
        let endpoint = format!("http://{name}:{}", server.port());
        run(&mut world.credential_process(&Arns::any(), &["--endpoint", &endpoint])).succeeds();
    }
    assert_eq!(server.requests().len(), 3);
}
