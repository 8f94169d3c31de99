//! Time by two clocks, and the only conversion between them.

use crate::UnixTime;

/// A moment by the host's wall clock: milliseconds since the Unix epoch, right or wrong.
///
/// There is no conversion to [`ServiceTime`] outside of the [`Provider`](super::Provider), which
/// learns how far the two clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostTime(i64);

impl HostTime {
    /// A moment from milliseconds since the Unix epoch, as `Date.now()` counts.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// This moment moved by so many milliseconds.
    pub(super) const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// A moment by the service's clock, in whole seconds.
///
/// The expiration of credentials is such a moment, and so is the `Date` of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceTime(UnixTime);

impl ServiceTime {
    pub(super) fn new(time: UnixTime) -> Self {
        Self(time)
    }

    /// From milliseconds since the Unix epoch, rounded down.
    pub(super) fn from_milliseconds(milliseconds: i64) -> Self {
        Self(UnixTime::from_seconds(milliseconds.div_euclid(1000)))
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn milliseconds(self) -> i64 {
        self.0.seconds().saturating_mul(1000)
    }

    /// The moment as the service writes it: what a request is dated with.
    pub fn unix_time(self) -> UnixTime {
        self.0
    }
}

/// What the host's clocks show at one moment. Read them where the provider is at hand, not before a
/// wait for it: a reading from before the last one is taken for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, which can be wrong and can be set.
    pub wall: HostTime,
    /// Milliseconds by a clock that is never set, from any beginning (`CLOCK_MONOTONIC`,
    /// `performance.now()`, `ContinuousClock`). With it a wall clock that was set is seen at once
    /// and by how much. `None` where the host has no such clock.
    pub monotonic: Option<u64>,
}

impl Reading {
    /// A reading of both clocks, each in milliseconds.
    pub const fn new(wall_milliseconds: i64, monotonic_milliseconds: Option<u64>) -> Self {
        Self {
            wall: HostTime::from_milliseconds(wall_milliseconds),
            monotonic: monotonic_milliseconds,
        }
    }
}

/// A clock that is off by less is left alone: HTTP's `Date` has whole seconds and travels.
pub const IGNORED_OFFSET_SECONDS: u32 = 60;

/// How far the date of a request can be from the service's time when the service accepts its
/// signature: AWS documents 5 minutes for Signature Version 4; Roles Anywhere was measured to take
/// about 10. A `Date` further away than that from an accepted request teaches nothing.
pub const ACCEPTED_OFFSET_SECONDS: u32 = 10 * 60;

/// A refusal can be due to the clock when the service's `Date` is this far from the date of the
/// request: the 5 minutes of Signature Version 4, less one for the way of the answer.
pub const SUSPECTED_OFFSET_SECONDS: u32 = 4 * 60;

/// No answer of the service is older than the service, which opened in July 2022. A `Date` before
/// that is a broken clock of something between.
const SERVICE_OPENED: i64 = 1_656_633_600;

/// Two readings of the clocks can disagree by this much without a clock having been set: NTP slews
/// by 0.05 %, crystals drift by less.
pub(super) const UNSEEN_STEP_MILLISECONDS: i64 = 5000;

/// What two readings showed beside the time that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    None,
    /// The wall clock was set back by so many milliseconds, or by more.
    Back(i64),
    /// The wall clock was set forward, or the machine slept: by so many milliseconds.
    Forward(i64),
}

/// What is known of both clocks, and a time line that never runs backwards.
///
/// The time line counts milliseconds since the first reading. All pauses and limits are on it, so
/// that no setting of the wall clock can make one last for ever.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    last: Option<Reading>,
    line: u64,
    /// What is added to the wall clock to get the service's time, in milliseconds.
    offset: i64,
    /// Whether an accepted signature has shown the offset.
    is_confirmed: bool,
    /// Whether the wall clock was set by an unknown amount since.
    is_doubtful: bool,
    /// Whether the monotonic clock runs while the machine sleeps.
    counts_suspend: bool,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            last: None,
            line: 0,
            offset: 0,
            is_confirmed: false,
            is_doubtful: false,
            counts_suspend: false,
        }
    }

    /// Says that the monotonic clock runs while the machine sleeps.
    pub(super) fn counts_suspend(&mut self) {
        self.counts_suspend = true;
    }

    /// Takes a reading.
    pub(super) fn advance(&mut self, now: Reading) -> Step {
        let Some(last) = self.last.replace(now) else {
            return Step::None;
        };
        if is_older(now, last) {
            self.last = Some(last);
            return Step::None;
        }
        let by_wall = now.wall.0.saturating_sub(last.wall.0);
        let by_monotonic = match (last.monotonic, now.monotonic) {
            // One that runs backwards belongs to another machine or process: it tells nothing.
            (Some(before), Some(after)) => after
                .checked_sub(before)
                .and_then(|passed| i64::try_from(passed).ok()),
            _ => None,
        };
        if by_monotonic.is_none() && by_wall > UNSEEN_STEP_MILLISECONDS {
            // Time passed, or the clock was set: what follows from the time is a guess until the
            // service has told it again.
            self.is_confirmed = false;
        }
        let passed = by_monotonic.unwrap_or(by_wall.max(0));
        self.line = self.line.saturating_add(passed.unsigned_abs());
        let step = by_wall.saturating_sub(passed);
        let unseen = UNSEEN_STEP_MILLISECONDS.saturating_add(passed / 1000);
        if step < -unseen {
            // The service's time runs on. For how long is known only by a monotonic clock that does not
            // stand still while the machine sleeps: it can have slept and been set back at once.
            self.offset = self.offset.saturating_sub(step);
            self.is_doubtful |= by_monotonic.is_none() || !self.counts_suspend;
            Step::Back(step.saturating_neg())
        } else if step > unseen {
            // Set forward, or slept: where that cannot be told, the later time is taken, so that
            // credentials do not outlive their end.
            if self.counts_suspend {
                self.offset = self.offset.saturating_sub(step);
            } else {
                // The same.
                self.is_confirmed = false;
            }
            Step::Forward(step)
        } else {
            Step::None
        }
    }

    /// The time line, in milliseconds.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The last reading.
    pub(super) fn reading(&self) -> Reading {
        self.last.unwrap_or(Reading::new(0, None))
    }

    /// The service's time, in milliseconds.
    pub(super) fn service_milliseconds(&self) -> i64 {
        self.reading().wall.0.saturating_add(self.offset)
    }

    /// The service's time.
    pub(super) fn service(&self) -> ServiceTime {
        ServiceTime::from_milliseconds(self.service_milliseconds())
    }

    /// Whether the service has confirmed what is known of its clock.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed && !self.is_doubtful
    }

    /// Whether the wall clock was set by an unknown amount since the service's time was seen.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// How many seconds the service's clock is ahead of the host's.
    pub(super) fn offset_seconds(&self) -> i64 {
        self.offset.div_euclid(1000)
    }

    /// Seconds by which a `Date` is ahead of `dated`, the service's time as it was believed;
    /// `None` when no answer of the service can have that date.
    pub(super) fn ahead(date: ServiceTime, dated: ServiceTime) -> Option<i64> {
        let seconds = date.0.seconds();
        (seconds >= SERVICE_OPENED).then(|| seconds.saturating_sub(dated.0.seconds()))
    }

    /// Corrects the service's time by so many seconds.
    pub(super) fn correct(&mut self, seconds: i64) {
        self.offset = self.offset.saturating_add(seconds.saturating_mul(1000));
        if self.offset.unsigned_abs() < u64::from(IGNORED_OFFSET_SECONDS) * 1000 {
            self.offset = 0;
        }
    }

    /// The service accepted a signature: what is known of its clock is right.
    pub(super) fn confirm(&mut self) {
        self.is_confirmed = true;
        self.is_doubtful = false;
    }

    /// Takes an offset that another process of this machine learnt.
    pub(super) fn adopt_offset(&mut self, seconds: i64) {
        self.offset = seconds.saturating_mul(1000);
        self.confirm();
    }
}

/// Whether a reading was taken before the last one, by both clocks: its thread has waited since.
fn is_older(now: Reading, last: Reading) -> bool {
    let (Some(before), Some(after)) = (last.monotonic, now.monotonic) else {
        return false;
    };
    let Some(age) = before
        .checked_sub(after)
        .and_then(|age| i64::try_from(age).ok())
    else {
        return false;
    };
    let by_wall = last.wall.0.saturating_sub(now.wall.0);
    age > 0 && by_wall.saturating_sub(age).unsigned_abs() <= UNSEEN_STEP_MILLISECONDS.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_does_not_turn_the_service_back() {
        let mut clock = Clock::new();
        clock.advance(Reading::new(1_000_000, Some(0)));
        assert_eq!(
            clock.advance(Reading::new(700_000, Some(10_000))),
            Step::Back(310_000)
        );
        assert_eq!(clock.service_milliseconds(), 1_010_000);
        assert!(clock.is_doubtful()); // the machine can have slept
        let mut boot = Clock::new();
        boot.counts_suspend();
        boot.advance(Reading::new(1_000_000, Some(0)));
        boot.advance(Reading::new(700_000, Some(10_000)));
        assert_eq!(boot.service_milliseconds(), 1_010_000);
        assert!(!boot.is_doubtful());
        let mut blind = Clock::new();
        blind.advance(Reading::new(1_000_000, None));
        assert_eq!(
            blind.advance(Reading::new(700_000, None)),
            Step::Back(300_000)
        );
        assert_eq!(blind.service_milliseconds(), 1_000_000);
        assert!(blind.is_doubtful());
        assert_eq!(blind.line(), 0);
    }

    #[test]
    fn a_reading_that_waited_is_no_set_back() {
        let mut clock = Clock::new();
        clock.advance(Reading::new(1_000_000, Some(10_000)));
        clock.advance(Reading::new(1_020_000, Some(30_000)));
        let old = Reading::new(1_005_000, Some(15_000));
        assert_eq!(clock.advance(old), Step::None);
        assert_eq!((clock.line(), clock.is_doubtful()), (20_000, false));
        assert_eq!(clock.service_milliseconds(), 1_020_000);
        // The monotonic clock of another machine says nothing, and its wall clock little.
        clock.advance(Reading::new(1_030_000, Some(7)));
        assert_eq!(clock.service_milliseconds(), 1_030_000);
    }

    #[test]
    fn a_jump_forward_is_a_sleep_unless_the_monotonic_clock_counts_it() {
        let mut clock = Clock::new();
        clock.advance(Reading::new(0, Some(0)));
        clock.advance(Reading::new(3_600_000, Some(1000)));
        assert_eq!(clock.service_milliseconds(), 3_600_000);
        let mut boot = Clock::new();
        boot.counts_suspend();
        boot.advance(Reading::new(0, Some(0)));
        boot.advance(Reading::new(3_600_000, Some(1000)));
        assert_eq!(boot.service_milliseconds(), 1000);
    }
}
