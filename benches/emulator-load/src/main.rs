//! Measures the emulator under load; `run` beside this folder prepares keys and lists and starts it in
//! a folder of its own.
//!
//! Each scenario starts the shipped binary anew, asks once for each subject, then sends signed
//! requests over kept TLS connections for some seconds. Printed are calls for each second of processor
//! time that the emulator's process took, and its memory.

mod client;
mod identities;
mod server;

use std::time::{Duration, Instant};

use identities::{Identities, Kind};
use server::Server;

/// As many connections as a small fleet keeps; more change nothing on two processors.
const CONNECTIONS: usize = 8;

/// What is varied.
struct Scenario {
    kind: Kind,
    subjects: usize,
    revoked: usize,
    /// Whether the leafs are an issuing CA's, which the client sends along.
    has_intermediate: bool,
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let duration = Duration::from_secs(seconds.unwrap_or(5));
    println!(
        "| key | intermediates | subjects | revoked | calls/s/processor | calls/s | µs a call | one verification, µs | ratio | MiB idle | MiB | MiB peak |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for kind in [Kind::P256, Kind::Rsa2048] {
        for (subjects, revoked, has_intermediate) in [
            (10, 0, false),
            (10_000, 0, false),
            (10, 100_000, false),
            (10_000, 100_000, false),
            (10, 0, true),
        ] {
            measure(
                &Scenario {
                    kind,
                    subjects,
                    revoked,
                    has_intermediate,
                },
                duration,
            );
        }
    }
}

fn measure(scenario: &Scenario, duration: Duration) {
    let Scenario {
        kind,
        subjects,
        revoked,
        has_intermediate,
    } = *scenario;
    let identities = Identities::new(kind, subjects, has_intermediate);
    let server = Server::start(kind, revoked);
    let idle = server.memory();
    let requests = identities.requests(&server);
    let alone = identities.verifying();
    // Every subject once: what is kept for each is there before time is taken.
    client::send(&server, &requests, CONNECTIONS, client::Until::EachOnce);
    let (began, before) = (Instant::now(), server.processor_time());
    let calls = client::send(
        &server,
        &requests,
        CONNECTIONS,
        client::Until::Elapsed(duration),
    );
    let (wall, taken) = (began.elapsed(), server.processor_time() - before);
    let memory = server.memory();
    let mib = |kib: u64| kib as f64 / 1_024.0;
    println!(
        "| {} | {} | {subjects} | {revoked} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} |",
        kind.name(),
        u8::from(has_intermediate),
        calls as f64 / taken.as_secs_f64(),
        calls as f64 / wall.as_secs_f64(),
        taken.as_secs_f64() * 1e6 / calls as f64,
        alone.as_secs_f64() * 1e6,
        taken.as_secs_f64() / calls as f64 / alone.as_secs_f64(),
        mib(idle.resident),
        mib(memory.resident),
        mib(memory.peak),
    );
}
