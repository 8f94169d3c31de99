//! A server that answers what it is told to, over TLS or not, and remembers what it was asked.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

/// What the server does with one connection.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends these bytes after the request, then closes.
    Bytes(Vec<u8>),
    /// Sends these bytes as soon as someone connects, without TLS, then closes.
    RawAtOnce(Vec<u8>),
    /// Reads the request, then says nothing until the client leaves.
    Silence,
    /// Sends a byte every fifth of a second.
    Drip(Vec<u8>),
}

pub(crate) struct Scripted {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    pub(crate) ca_pem: String,
}

/// A server's TLS identity, and the CA that issued it.
pub(crate) struct ServerIdentity {
    pub(crate) ca_pem: String,
    pub(crate) config: Arc<ServerConfig>,
}

impl ServerIdentity {
    /// A certificate for these names, valid now.
    pub(crate) fn for_names(names: &[&str]) -> Self {
        Self::new(names, |_| {})
    }

    pub(crate) fn new(names: &[&str], change: impl Fn(&mut CertificateParams)) -> Self {
        let mut ca_params = CertificateParams::new(Vec::new()).unwrap();
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca_params
            .distinguished_name
            .push(DnType::CommonName, format!("CA for {names:?}"));
        let ca_key = KeyPair::generate().unwrap();
        let ca_pem = ca_params.self_signed(&ca_key).unwrap().pem();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params
            .signed_by(&key, &Issuer::new(ca_params, ca_key))
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        Self {
            ca_pem,
            config: Arc::new(config),
        }
    }
}

impl Scripted {
    /// Over TLS, with a certificate for the loopback address.
    pub(crate) fn tls(replies: Vec<Reply>) -> Self {
        let identity = ServerIdentity::for_names(&["localhost", "127.0.0.1"]);
        Self::start(replies, Some(&identity))
    }

    pub(crate) fn start(replies: Vec<Reply>, identity: Option<&ServerIdentity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let config = identity.map(|identity| identity.config.clone());
        let log = requests.clone();
        std::thread::spawn(move || {
            let mut replies = replies.into_iter();
            let mut last = None;
            while let Ok((stream, _)) = listener.accept() {
                // The last reply stands for all that follow.
                last = replies.next().or(last);
                let Some(reply) = last.clone() else { return };
                let (config, log) = (config.clone(), log.clone());
                std::thread::spawn(move || {
                    stream
                        .set_read_timeout(Some(Duration::from_secs(10)))
                        .unwrap();
                    match config {
                        Some(config) if !matches!(reply, Reply::RawAtOnce(_)) => {
                            let tls = ServerConnection::new(config).unwrap();
                            serve(&mut StreamOwned::new(tls, stream), &reply, &log);
                        }
                        _ => serve(&mut { stream }, &reply, &log),
                    }
                });
            }
        });
        Self {
            address,
            requests,
            ca_pem: identity
                .map(|identity| identity.ca_pem.clone())
                .unwrap_or_default(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn https(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: &mut (impl Read + Write), reply: &Reply, log: &Mutex<Vec<String>>) {
    if let Reply::RawAtOnce(bytes) = reply {
        let _ = stream.write_all(bytes);
        let _ = stream.read(&mut [0; 4096]);
        return;
    }
    let Some(request) = read_request(stream) else {
        return;
    };
    log.lock().unwrap().push(request);
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(bytes);
            let _ = stream.flush();
        }
        Reply::Drip(bytes) => {
            for byte in bytes {
                if stream
                    .write_all(&[*byte])
                    .and_then(|()| stream.flush())
                    .is_err()
                {
                    return;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        Reply::Silence | Reply::RawAtOnce(_) => {
            let _ = stream.read(&mut [0; 1]);
        }
    }
}

/// One request: the head, and as much body as `content-length` says.
pub(crate) fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
    }
}

/// A header of a request that was read.
pub(crate) fn header(request: &str, name: &str) -> Option<String> {
    request.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// A response with a body and the right length.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Bytes(
        format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// The answer of a service that is content.
pub(crate) fn session() -> Reply {
    response(
        "201 Created",
        "content-type: application/json\r\n",
        &session_body(),
    )
}

/// The service's own shape, as recorded by the reference's notes on the service: a session of an hour.
pub(crate) fn session_body() -> String {
    let expiration = crate::harness::now().plus_seconds(3600).to_iso8601();
    format!(
        r#"{{"credentialSet":[{{"assumedRoleUser":{{"arn":"arn:aws:sts::123456789012:assumed-role/r/s","assumedRoleId":"AROAEXAMPLE:s"}},"credentials":{{"accessKeyId":"ASIAEXAMPLE","expiration":"{expiration}","secretAccessKey":"example-secret","sessionToken":"example-token"}},"packedPolicySize":46,"roleArn":"arn:aws:iam::123456789012:role/r","sourceIdentity":"CN=workload"}}],"subjectArn":"arn:aws:rolesanywhere:us-east-1:123456789012:subject/s"}}"#
    )
}

/// An answer with credentials that end in so many seconds.
pub(crate) fn ends_in(seconds: i64, id: &str) -> Reply {
    let expiration = crate::harness::now().plus_seconds(seconds).to_iso8601();
    let body = format!(
        r#"{{"credentialSet":[{{"credentials":{{"accessKeyId":"{id}","expiration":"{expiration}","secretAccessKey":"s","sessionToken":"t"}}}}]}}"#
    );
    response("201 Created", "content-type: application/json\r\n", &body)
}

/// An error of the service.
pub(crate) fn refusal(status: &str, code: &str, message: &str, more_headers: &str) -> Reply {
    response(
        status,
        &format!(
            "content-type: application/json\r\nx-amzn-errortype: {code}\r\nx-amzn-requestid: id-1\r\n{more_headers}"
        ),
        &format!(r#"{{"message":"{message}"}}"#),
    )
}

/// Relays between two sockets until one of them ends.
pub(crate) fn relay(mut left: TcpStream, mut right: TcpStream) {
    let (mut left_reader, mut right_writer) =
        (left.try_clone().unwrap(), right.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut left_reader, &mut right_writer);
        let _ = right_writer.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut right, &mut left);
    let _ = left.shutdown(std::net::Shutdown::Write);
}
