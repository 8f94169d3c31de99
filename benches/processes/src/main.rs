//! Runs commands in turns and compares what their processes cost.
//!
//! `processes ROUNDS NAME COMMAND… -- NAME COMMAND… -- …`; the first command is what the others are
//! compared with. Turns, because a machine's mood changes: whatever slows one round slows all.

use std::{
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use wait4::Wait4 as _;

struct Contestant<'a> {
    name: &'a str,
    program: &'a str,
    arguments: &'a [String],
    wall: Vec<f64>,
    cpu: Vec<f64>,
    peak_memory: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((rounds, rest)) = arguments.split_first() else {
        eprintln!("usage: processes ROUNDS NAME COMMAND… -- NAME COMMAND… -- …");
        return ExitCode::FAILURE;
    };
    let rounds: usize = rounds.parse().expect("ROUNDS is a number");
    let mut contestants: Vec<Contestant<'_>> = rest
        .split(|word| word == "--")
        .map(|words| match words {
            [name, program, arguments @ ..] => Contestant {
                name,
                program,
                arguments,
                wall: Vec::new(),
                cpu: Vec::new(),
                peak_memory: 0,
            },
            _ => panic!("a contestant is NAME COMMAND…: {words:?}"),
        })
        .collect();

    // One round that does not count: the page cache is filled by whoever comes first.
    for round in 0..=rounds {
        for contestant in &mut contestants {
            let (wall, cpu, peak_memory) = run(contestant);
            if round > 0 {
                contestant.wall.push(wall);
                contestant.cpu.push(cpu);
                contestant.peak_memory = contestant.peak_memory.max(peak_memory);
            }
        }
    }

    println!(
        "{:<44} {:>8} {:>7} {:>8} {:>7} {:>8} {:>7} {:>9} {:>10}",
        "milliseconds, MiB, bytes", "median", "ratio", "10th %", "ratio", "CPU", "ratio", "peak MiB", "size"
    );
    let base: Vec<f64> = columns(&contestants[0]).to_vec();
    for contestant in &contestants {
        let [median, tenth, cpu] = columns(contestant);
        let size = std::fs::metadata(contestant.program).map_or(0, |file| file.len());
        println!(
            "{:<44} {median:>8.2} {:>7.2} {tenth:>8.2} {:>7.2} {cpu:>8.2} {:>7.2} {:>9.2} {size:>10}",
            contestant.name,
            median / base[0],
            tenth / base[1],
            cpu / base[2],
            contestant.peak_memory as f64 / f64::from(1 << 20),
        );
    }
    ExitCode::SUCCESS
}

/// Wall milliseconds, CPU milliseconds and peak memory in bytes of one process, which must succeed.
fn run(contestant: &Contestant<'_>) -> (f64, f64, u64) {
    let started = Instant::now();
    let mut child = Command::new(contestant.program)
        .args(contestant.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", contestant.program));
    let ended = child.wait4().expect("the child is ours to wait for");
    let wall = started.elapsed();
    assert!(ended.status.success(), "{} failed", contestant.name);
    let cpu = ended.rusage.utime + ended.rusage.stime;
    (
        wall.as_secs_f64() * 1e3,
        cpu.as_secs_f64() * 1e3,
        ended.rusage.maxrss,
    )
}

/// Median and tenth percentile of the wall time, median of the CPU time.
fn columns(contestant: &Contestant<'_>) -> [f64; 3] {
    let percentile = |values: &[f64], part: f64| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[((sorted.len() - 1) as f64 * part) as usize]
    };
    [
        percentile(&contestant.wall, 0.5),
        percentile(&contestant.wall, 0.1),
        percentile(&contestant.cpu, 0.5),
    ]
}
