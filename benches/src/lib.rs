//! Side-by-side benchmarks: two ways of doing one thing, in turns, so that whatever else the machine
//! does disturbs both alike.

// What a benchmark has to say, it prints.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

/// How long one turn lasts at least. Long beside the clock's resolution, short beside the minutes in
/// which a processor's speed wanders.
const TURN: Duration = Duration::from_millis(4);
/// How many turns each side has.
const TURNS: usize = 101;

/// Measures pairs and prints a line for each.
#[derive(Debug)]
pub struct SideBySide {
    filter: Option<String>,
    once: bool,
}

impl SideBySide {
    /// Reads the command line that Cargo passes on: a part of the names to measure, and `--bench`,
    /// which `cargo bench` adds and `cargo test` does not. Without it, each side runs once, to see
    /// that it works.
    pub fn from_arguments() -> Self {
        let mut filter = None;
        let mut once = true;
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--bench" => once = false,
                _ if argument.starts_with('-') => {}
                _ => filter = Some(argument),
            }
        }
        if !once {
            println!(
                "{:<24} {:>12} {:>12} {:>7} {:>15}",
                "µs: medians", "library", "ours", "ratio", "middle half"
            );
        }
        Self { filter, once }
    }

    /// Runs the two in turns and prints the median of each and of the ratio of neighbouring turns,
    /// with the quarters between which half of the ratios lie.
    pub fn compare(&self, name: &str, mut library: impl FnMut(), mut ours: impl FnMut()) {
        if self
            .filter
            .as_ref()
            .is_some_and(|part| !name.contains(part))
        {
            return;
        }
        library();
        ours();
        if self.once {
            println!("{name}: ran");
            return;
        }
        let count = iterations(&mut ours);
        let mut times: [Vec<f64>; 3] = Default::default();
        let [libraries, all_ours, ratios] = &mut times;
        for turn in 0..TURNS {
            // Who goes first changes, so that neither always finds the caches as the other left them.
            let (a, b) = if turn % 2 == 0 {
                let a = seconds(&mut library, count);
                (a, seconds(&mut ours, count))
            } else {
                let b = seconds(&mut ours, count);
                (seconds(&mut library, count), b)
            };
            libraries.push(a);
            all_ours.push(b);
            ratios.push(b / a);
        }
        for list in [&mut *libraries, all_ours, ratios] {
            list.sort_by(f64::total_cmp);
        }
        println!(
            "{name:<24} {:>12.1} {:>12.1} {:>7.3} {:>7.3}-{:.3}",
            quantile(libraries, 0.5) * 1e6,
            quantile(all_ours, 0.5) * 1e6,
            quantile(ratios, 0.5),
            quantile(ratios, 0.25),
            quantile(ratios, 0.75),
        );
    }
}

/// How many calls fill a turn.
fn iterations(work: &mut impl FnMut()) -> u32 {
    let mut count = 1;
    while count < 1 << 20 && seconds(work, count) * f64::from(count) < TURN.as_secs_f64() {
        count *= 2;
    }
    count
}

/// The seconds that one call takes, over `count` of them.
fn seconds(work: &mut impl FnMut(), count: u32) -> f64 {
    let began = Instant::now();
    for _ in 0..count {
        work();
    }
    began.elapsed().as_secs_f64() / f64::from(count)
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    // A part between 0 and 1 of a short list: exact.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let at = (last as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
