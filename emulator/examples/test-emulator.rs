//! The emulator for the tests of the faces, on a clock that they set. Here it is made of what the emulator's own
//! tests have already compiled.
//!
//! `test-emulator CONFIG.toml [tls]` prints one line of JSON (`endpoint`, `ca_pem`), then answers each
//! line of its input with one line of JSON, and ends with its input:
//!
//! * `advance SECONDS`: moves the clock; answers the new time, Unix seconds.
//! * `records`: the audit records so far, `operation` and `refused` (the check, or null) of each.
#![allow(clippy::print_stdout, reason = "its answers go to the standard output")]

use std::{
    error::Error,
    io::{self, BufRead, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{
    Config, Service,
    audit::Outcome,
    server::{Clock, ServerOptions, Tls, start_blocking},
};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let config = arguments
        .next()
        .ok_or("usage: test-emulator CONFIG.toml [tls]")?;
    let tls = match arguments.next().as_deref() {
        Some("tls") => Tls::SelfMade,
        _ => Tls::PlainHttp,
    };
    let service = Arc::new(Service::new(&Config::from_file(Path::new(&config))?)?);
    let advanced = Arc::new(AtomicI64::new(0));
    let (system, offset) = (Clock::system(), Arc::clone(&advanced));
    let clock = Clock::new(move || system.now().plus_seconds(offset.load(Ordering::SeqCst)));
    let now = clock.clone();
    let server = start_blocking(
        service,
        ServerOptions {
            tls,
            clock,
            ..ServerOptions::default()
        },
    )?;
    say(&json!({ "endpoint": server.endpoint(), "ca_pem": server.ca_pem() }))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("advance", seconds)) => {
                advanced.fetch_add(seconds.parse()?, Ordering::SeqCst);
                say(&json!(UnixTime::seconds(now.now())))?;
            }
            None if line == "records" => {
                let records = server.service().audit_records();
                let records: Vec<Value> = records
                    .iter()
                    .map(|record| {
                        let refused = match &record.outcome {
                            Outcome::Refused { check, .. } => Some(*check),
                            _ => None,
                        };
                        json!({ "operation": record.operation, "refused": refused,
                                "nonconformance": record.nonconformance })
                    })
                    .collect();
                say(&Value::from(records))?;
            }
            _ => return Err(format!("`{line}` is no command").into()),
        }
    }
    Ok(())
}

fn say(value: &Value) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{value}")?;
    output.flush()
}
