//! Fleets of providers on a virtual clock and network: the code that production drives, hours in
//! milliseconds.
//!
//! Each run is a seed: it draws the fleet, the store, the faults and every delay. A run that fails
//! prints its seed; `SIMULATION_SEED=n cargo test --test simulation` plays that one alone.
//! `tests/simulation/planted-faults` takes guards out of the core, one after the other, and wants
//! each missed.

// Tests say what they expect by panicking, and print figures.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/world.rs"]
mod world;

use world::{Fleet, Store, World};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// Small fleets in which everything goes wrong that can.
#[test]
fn a_thousand_fleets_in_trouble() {
    let seeds = match std::env::var("SIMULATION_SEED") {
        Ok(seed) => {
            let seed: u64 = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => 0..1000,
    };
    let (mut used, mut sent) = (0, 0);
    let runs = seeds.end - seeds.start;
    for seed in seeds {
        let run = std::panic::catch_unwind(|| {
            let mut world = World::new(Fleet::in_trouble(seed), seed);
            world.run();
            (world.uses, world.service.calls.len())
        });
        let (uses, calls) = run.unwrap_or_else(|why| {
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            panic!("seed {seed}: {why}\nplay it alone with SIMULATION_SEED={seed}");
        });
        used += uses;
        sent += calls;
    }
    println!("{runs} fleets: {used} uses, {sent} calls");
}

/// With a lock a fleet makes a call for each session, however large it is.
#[test]
fn a_lock_makes_one_call_of_many() {
    for members in [1, 100, 10_000] {
        let mut world = World::new(Fleet::healthy(members, Store::Lock, 3 * HOUR + HOUR / 2), 7);
        world.run();
        let calls = world.service.calls.len();
        println!(
            "{members} members with a lock: {} uses, {calls} calls",
            world.uses
        );
        // Sessions of an hour, renewed from 15 to 5 minutes before their end.
        assert!((4..=5).contains(&calls), "{members} members: {calls} calls");
        assert_eq!(world.service.seconds_over_quota(), 0);
    }
}

/// Without a lock each renewal costs about e calls, and the start of a fleet a few more.
#[test]
fn without_a_lock_few_of_many_call() {
    for members in [10, 1000, 5000] {
        let fleet = Fleet::healthy(
            members,
            Store::Slow {
                propagation: 60_000,
            },
            3 * HOUR + HOUR / 2,
        );
        let mut world = World::new(fleet, 11);
        world.run();
        let cold = world
            .service
            .calls
            .iter()
            .filter(|at| **at < world.start + 20 * MINUTE)
            .count();
        let renewals = world.service.calls.len() - cold;
        println!("{members} members without a lock: {cold} calls at the start, {renewals} later");
        // Four sessions; the number of early calls is geometric with mean e, whatever the size.
        assert!(renewals <= 4 * 12, "{members} members: {renewals} calls");
    }
}

/// A store that is seen at once and has no lock: one data centre.
#[test]
fn a_start_of_many_at_once_is_spread() {
    let mut fleet = Fleet::healthy(2000, Store::Slow { propagation: 100 }, HOUR);
    fleet.start_within = 1000;
    let mut world = World::new(fleet, 13);
    world.run();
    let calls = world.service.calls.len();
    println!("2000 members that start within a second: {calls} calls in an hour");
    assert!(calls <= 60, "{calls} calls");
}

/// After an outage of hours everybody has credentials again within seven minutes: the longest
/// pause, a shared failure, and the renewal itself.
#[test]
fn after_an_outage_all_recover() {
    for (members, store) in [
        (20, Store::None),
        (500, Store::Lock),
        (
            200,
            Store::Slow {
                propagation: 60_000,
            },
        ),
    ] {
        let mut fleet = Fleet::healthy(members, store, 6 * HOUR);
        fleet.ask_every = 20_000;
        fleet.outage = Some((HOUR, 4 * HOUR));
        let mut world = World::new(fleet, 17);
        world.run();
        let late = world.last_failure.saturating_sub(world.start + 4 * HOUR);
        println!(
            "{members} members ({store:?}), an outage of 3 hours: {} calls, the last failure {} s after it",
            world.service.calls.len(),
            late / 1000
        );
        assert!(
            world.last_failure > world.start + 2 * HOUR,
            "the outage was felt"
        );
        assert!(
            late <= 7 * MINUTE,
            "{members} members: a failure {} s after the outage",
            late / 1000
        );
        // Without a lock the members of a fleet that fails meet by chance, in a second of fifty.
        let over = world.service.seconds_over_quota();
        let allowed = if store == Store::Lock {
            0
        } else {
            3 * 3600 / 50
        };
        assert!(
            over <= allowed,
            "{members} members: {over} s over the quota"
        );
    }
}

/// Members that share nothing exceed the quota for as long as it takes, and not for longer: the
/// service makes ten sessions a second.
#[test]
fn a_fleet_without_a_store_gets_through() {
    let mut fleet = Fleet::healthy(1000, Store::None, 30 * MINUTE);
    fleet.start_within = 1000;
    fleet.ask_every = 10_000;
    let mut world = World::new(fleet, 19);
    world.run();
    let late = world.last_failure - world.start;
    let over = world.service.seconds_over_quota();
    println!(
        "1000 members without a store: the last failure after {} s, {over} s over the quota",
        late / 1000
    );
    assert!(late <= 10 * MINUTE, "{} s", late / 1000);
    assert!(over <= 120, "{over} s over the quota");
}
