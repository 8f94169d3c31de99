//! The clocks of this machine, and randomness that spreads the moments of a fleet.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom as _, SystemRandom};
use rolesanywhere_core::{UnixTime, provider::Reading};

/// The wall clock, in whole seconds.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(wall_milliseconds().div_euclid(1000))
}

/// Both clocks at this moment.
pub(crate) fn reading() -> Reading {
    Reading::new(wall_milliseconds(), monotonic_milliseconds())
}

fn wall_milliseconds() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// `CLOCK_BOOTTIME`: it is never set, runs while the machine sleeps, and is the same for all processes.
#[cfg(target_os = "linux")]
fn monotonic_milliseconds() -> Option<u64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanoseconds = u64::try_from(time.tv_nsec).ok()?;
    Some(seconds * 1000 + nanoseconds / 1_000_000)
}

/// The standard library's clock, from the first call in this process on.
#[cfg(not(target_os = "linux"))]
fn monotonic_milliseconds() -> Option<u64> {
    use std::{sync::OnceLock, time::Instant};
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    let passed = BEGINNING.get_or_init(Instant::now).elapsed();
    u64::try_from(passed.as_millis()).ok()
}

/// A name for this start of this machine, where the monotonic clock is the same for all its processes.
#[cfg(target_os = "linux")]
pub(crate) fn machine() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Elsewhere each process has a monotonic clock of its own.
#[cfg(not(target_os = "linux"))]
pub(crate) fn machine() -> Option<String> {
    None
}

/// A number that differs between the members of a fleet. Where the system has no randomness, all ones.
pub(crate) fn seed() -> u64 {
    let mut bytes = [0xFF; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// An offset in words: `the local clock is 17 minutes behind the server's`.
pub(crate) fn describe_offset(offset: i64) -> String {
    let seconds = offset.unsigned_abs();
    let (count, unit) = match seconds {
        0..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    let side = if offset > 0 { "behind" } else { "ahead of" };
    format!("the local clock is {count} {unit} {side} the server's")
}
