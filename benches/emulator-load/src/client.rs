//! Kept connections that send requests and count answers.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use crate::server::Server;

/// When to stop.
#[derive(Clone, Copy)]
pub enum Until {
    EachOnce,
    Elapsed(Duration),
}

/// Sends `requests` in turn over some connections; how many were answered with 201. Any other answer
/// ends the program.
pub fn send(server: &Server, requests: &[Vec<u8>], connections: usize, until: Until) -> usize {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = connect(server);
                    let mut answered = 0;
                    loop {
                        let turn = next.fetch_add(1, Ordering::Relaxed);
                        let done = match until {
                            Until::EachOnce => turn >= requests.len(),
                            Until::Elapsed(duration) => began.elapsed() >= duration,
                        };
                        if done {
                            return answered;
                        }
                        connection
                            .write_all(&requests[turn % requests.len()])
                            .unwrap();
                        read_created(&mut connection);
                        answered += 1;
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    })
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Server) -> Connection {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::from(server.address.ip());
    let tls = ClientConnection::new(server.tls.clone(), name).unwrap();
    StreamOwned::new(tls, stream)
}

/// Reads one answer, which must be 201.
fn read_created(connection: &mut Connection) {
    let (mut answer, mut buffer) = (Vec::new(), [0; 8_192]);
    loop {
        let read = connection.read(&mut buffer).unwrap();
        assert!(read > 0, "the connection ended");
        answer.extend_from_slice(&buffer[..read]);
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        assert!(
            head.starts_with("HTTP/1.1 201 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        let length: usize = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap();
        if answer.len() >= end + 4 + length {
            return;
        }
    }
}
