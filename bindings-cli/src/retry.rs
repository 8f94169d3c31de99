//! When to try again, and how long to wait before.

use std::time::Duration;

use rolesanywhere_core::UnixTime;

/// How often a request is sent at most, as in the AWS SDKs' standard mode.
pub(crate) const MAX_ATTEMPTS: u32 = 3;

/// The back-off before the second attempt is up to this long, and doubles from there. CreateSession
/// is throttled at about ten calls a second, so waiting much less would not help.
const BASE_DELAY: Duration = Duration::from_secs(1);

/// No back-off is longer; a service that asks for more is not waited for.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(20);

/// How far the local clock may be off before it is suspected. AWS documents five minutes for SigV4.
const CLOCK_TOLERANCE_SECONDS: u64 = 5 * 60;

/// The wait after the failed attempt `attempt` (the first is 1): random between nothing and the
/// doubling back-off ("full jitter"), so that clients that failed together do not return together;
/// never less than the service asked for. `None` when the service asks for more than [`MAX_DELAY`].
pub(crate) fn delay(attempt: u32, asked: Option<Duration>, random: u32) -> Option<Duration> {
    let ceiling = BASE_DELAY
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(MAX_DELAY);
    let jittered = ceiling.mul_f64(f64::from(random) / (f64::from(u32::MAX) + 1.0));
    match asked {
        Some(asked) if asked > MAX_DELAY => None,
        Some(asked) => Some(jittered.max(asked)),
        None => Some(jittered),
    }
}

/// How many seconds the server's clock is ahead of the local one, when they differ by so much that
/// the service may have refused the request for its date.
pub(crate) fn clock_offset(local: UnixTime, server: Option<UnixTime>) -> Option<i64> {
    let offset = server?.seconds_since(local);
    (offset.unsigned_abs() > CLOCK_TOLERANCE_SECONDS).then_some(offset)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_is_jittered_in_full_and_capped() {
        assert_eq!(delay(1, None, 0), Some(Duration::ZERO));
        for (attempt, ceiling) in [(1, 1), (2, 2), (3, 4), (30, 20)] {
            let longest = delay(attempt, None, u32::MAX).unwrap();
            assert!(longest <= Duration::from_secs(ceiling));
            assert!(longest > Duration::from_secs(ceiling).mul_f64(0.999));
            let middle = delay(attempt, None, u32::MAX / 2).unwrap();
            assert!((middle.as_secs_f64() * 2.0 - f64::from(ceiling as u32)).abs() < 1e-6);
        }
    }

    #[test]
    fn the_service_may_ask_for_more_but_not_for_ever() {
        let asked = Some(Duration::from_secs(7));
        assert_eq!(delay(1, asked, u32::MAX), asked);
        assert_eq!(delay(1, Some(MAX_DELAY), 0), Some(MAX_DELAY));
        assert_eq!(delay(1, Some(Duration::from_secs(21)), 0), None);
    }

    #[test]
    fn only_a_clock_far_off_is_suspected() {
        let local = UnixTime::from_seconds(1_000_000);
        let server = |offset| Some(local.plus_seconds(offset));
        assert_eq!(clock_offset(local, None), None);
        assert_eq!(clock_offset(local, server(300)), None);
        assert_eq!(clock_offset(local, server(-301)), Some(-301));
        assert_eq!(
            describe_offset(17 * 60 + 3),
            "the local clock is 17 minutes behind the server's"
        );
        assert_eq!(
            describe_offset(-3 * 86_400),
            "the local clock is 3 days ahead of the server's"
        );
    }
}
