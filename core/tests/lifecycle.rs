//! `tests/vectors/lifecycle`: a scenario a file, which every face plays. `tests/vectors/README.md`
//! describes the format.

// Tests say what they expect by panicking.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "lifecycle/scenario.rs"]
mod scenario;

use std::{fs, path::Path};

use scenario::Scenario;

#[test]
fn every_scenario_goes_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/lifecycle");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    assert!(files.len() >= 80, "{} scenarios", files.len());
    let mut failures = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for member in ["about", "source"] {
            assert!(
                json[member].as_str().is_some_and(|text| text.len() > 7),
                "{name}: `{member}`"
            );
        }
        // Jitter must not decide: each scenario is played with several seeds.
        for seed in [0, 1, 0xfeed_beef, u64::MAX] {
            let play = || Scenario::new(&json, seed).play();
            if let Err(panic) = std::panic::catch_unwind(play) {
                let why = panic.downcast_ref::<String>().cloned();
                failures.push(format!("{name}, seed {seed}: {}", why.unwrap_or_default()));
                break;
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The renewals of a fleet are spread over the first quarter of the background window.
#[test]
fn the_members_of_a_fleet_renew_at_moments_of_their_own() {
    let json = serde_json::json!({"steps": [{"at": 0, "renew": {}}]});
    let mut used_for: Vec<_> = (0..100)
        .map(|seed| Scenario::new(&json, seed).used_for() / 1000)
        .collect();
    used_for.sort_unstable();
    assert!(used_for[0] < 2725 && used_for[99] > 2900, "{used_for:?}");
    used_for.dedup();
    assert!(used_for.len() > 60, "{used_for:?}");
}
