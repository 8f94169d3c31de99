//! Clients of `serve` that hold connections and do nothing good with them.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

use super::{ROLES, Server, ask, command, connect, serving, wait_until};
use crate::harness::{PROGRAM, World};

/// What a connection does to hold its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Sends nothing.
    Silent,
    /// Sends a byte of a head from time to time.
    Slow,
    /// Sends a request from time to time and reads no answer.
    Deaf,
    /// Sends many requests at once and reads no answer.
    Greedy,
}

struct Hostile {
    kind: Kind,
    stream: TcpStream,
    address: SocketAddr,
    closed: usize,
}

impl Hostile {
    fn new(kind: Kind, port: u16) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            kind,
            stream: Self::connect(address),
            address,
            closed: 0,
        }
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // So that they are full soon.
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_send_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.into()
    }

    /// Does its harm for a moment; comes back when it was closed.
    fn go_on(&mut self) {
        let request = format!("GET {ROLES} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let harm = match self.kind {
            Kind::Silent => self.stream.peek(&mut [0]).and_then(|count| match count {
                0 => Err(ErrorKind::ConnectionReset.into()),
                _ => Ok(()),
            }),
            Kind::Slow => self.stream.write_all(b"G"),
            Kind::Deaf => self.stream.write_all(request.as_bytes()),
            Kind::Greedy => (0..20).try_for_each(|_| self.stream.write_all(request.as_bytes())),
        };
        match harm {
            Err(error) if error.kind() != ErrorKind::WouldBlock => {
                self.stream = Self::connect(self.address);
                self.closed += 1;
            }
            _ => {}
        }
    }
}

/// This process opens more files than many systems let it at first.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// The times that an honest client waits for a token and the role's name, each on a new connection,
/// while `hostile` go on, for so long.
fn honest_times(server: &Server, hostile: &mut [Hostile], period: Duration) -> Vec<Duration> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                hostile.iter_mut().for_each(Hostile::go_on);
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        let begun = Instant::now();
        let mut times = Vec::new();
        while begun.elapsed() < period {
            let asked = Instant::now();
            let token = server.token();
            let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
            assert_eq!(server.ask(&format!("GET {ROLES}"), &with_token).status, 200);
            times.push(asked.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
        times
    })
}

/// The longest delay that 600 hostile connections may bring about on a machine that has a core for the
/// server; so many times as much as there are processes for each core, where there is none. Before
/// connections made room, it was 30 s and more.
fn longest_delay() -> Duration {
    let cores = std::thread::available_parallelism().unwrap().get();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or_default();
    Duration::from_millis(250).mul_f64((load / cores as f64).clamp(1.0, 20.0))
}

#[test]
fn six_hundred_hostile_connections_do_not_delay_an_honest_client() {
    allow_many_files();
    let (_world, _emulator, server) = serving(&[]);
    let mut alone = honest_times(&server, &mut [], Duration::from_secs(2));
    let mut hostile: Vec<Hostile> = (0..600)
        .map(|number| {
            let kind = [Kind::Silent, Kind::Slow, Kind::Deaf, Kind::Greedy][number % 4];
            Hostile::new(kind, server.port)
        })
        .collect();
    // Longer than a turn may take, so that all ways to be closed are met.
    let mut times = honest_times(&server, &mut hostile, Duration::from_secs(8));
    let closed: usize = hostile.iter().map(|hostile| hostile.closed).sum();
    let [alone, beside] = [&mut alone, &mut times].map(|times| {
        times.sort_unstable();
        (times[times.len() / 2], times[times.len() - 1])
    });
    let allowed = longest_delay();
    println!(
        "an honest token and role name took {:.1?} in the median and {:.1?} at most; beside 600 hostile \
         connections, which were closed {closed} times, {:.1?} and {:.1?}; {allowed:.0?} more are allowed",
        alone.0, alone.1, beside.0, beside.1,
    );
    assert!(closed >= 600 - 512, "{closed}");
    assert!(beside.1 <= alone.1 + allowed, "{:?}", beside.1);
}

#[test]
fn connections_of_no_use_end_by_themselves() {
    let (_world, _emulator, server) = serving(&[]);
    let mut hostile: Vec<Hostile> = [Kind::Silent, Kind::Slow, Kind::Deaf, Kind::Greedy]
        .map(|kind| Hostile::new(kind, server.port))
        .into();
    // One that has asked may wait a while before it asks again, and is no worse for the others.
    let mut idle = server.connect();
    let host = format!("127.0.0.1:{}", server.port);
    let line = "PUT /latest/api/token";
    assert_eq!(ask(&mut idle, line, &host, &[]).status, 200);
    // The deaf are closed some time after the system's buffers are full.
    wait_until("the end of all", || {
        for hostile in hostile.iter_mut().filter(|hostile| hostile.closed == 0) {
            hostile.go_on();
        }
        hostile.iter().all(|hostile| hostile.closed > 0)
    });
    assert_eq!(ask(&mut idle, line, &host, &[]).status, 200);
}

#[test]
fn files_are_left_for_a_renewal_where_few_may_be_open() {
    let world = World::new();
    let (emulator, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let line = [
        "--endpoint",
        emulator.endpoint(),
        "--ca-bundle",
        &ca,
        "--port=0",
    ];
    let serve = command(&world, &arns, &line);
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 48 && exec \"$@\"", "sh", PROGRAM])
        .args(serve.get_args());
    let server = Server::start(few);
    let held: Vec<TcpStream> = (0..100).map(|_| connect(server.port)).collect();
    server.token();
    assert_eq!(emulator.service().issued_credentials(), 1);
    server.process.signal("HUP");
    wait_until("a renewal", || emulator.service().issued_credentials() == 2);
    server.token();
    drop(held);
}

#[test]
fn a_stop_does_not_wait_for_the_deaf() {
    let (_world, _emulator, server) = serving(&[]);
    let mut deaf = Hostile::new(Kind::Deaf, server.port);
    for _ in 0..20 {
        deaf.go_on();
    }
    assert_eq!(deaf.closed, 0);
    let mut idle = server.connect();
    assert_eq!(server.end("TERM"), Some(0));
    assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0, "closed");
}
