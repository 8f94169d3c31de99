//! When to renew: a plan over time, without a clock, a timer or a thread.
//!
//! [`provider`](crate::provider) replaces it and decides more; this module goes when no binding uses it
//! any more.

use core::time::Duration;

use crate::{Error, Session, UnixTime};

/// The windows and pauses of a [`Renewal`].
///
/// Both windows shrink with the lifetime of the credentials, so that a session of 900 seconds is
/// not renewed at every use: the background window is at most a third of it, the mandatory window
/// at most a sixth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalPolicy {
    /// How long before the expiration renewal begins in the background, while the credentials are
    /// used on. Default 15 minutes, as botocore's advisory window.
    pub background_window: Duration,
    /// How long before the expiration a caller waits for the renewal. Default 5 minutes, as the
    /// AWS SDKs' window.
    pub mandatory_window: Duration,
    /// The shortest pause between two tries, the first after a failure. Default 5 seconds.
    pub minimum_interval: Duration,
    /// The longest pause between two tries. Default 5 minutes.
    pub maximum_interval: Duration,
}

impl Default for RenewalPolicy {
    fn default() -> Self {
        Self {
            background_window: Duration::from_secs(15 * 60),
            mandatory_window: Duration::from_secs(5 * 60),
            minimum_interval: Duration::from_secs(5),
            maximum_interval: Duration::from_secs(5 * 60),
        }
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Call `CreateSession` and wait for it: there are no credentials that will last.
    Renew,
    /// Use the credentials; ask again at `until`, which is when renewal becomes due.
    Use {
        /// When to ask again, by the caller's clock.
        until: UnixTime,
    },
    /// Use the credentials and renew in the background.
    UseAndRenew,
    /// There are no valid credentials and the last try failed a moment ago: report that failure to
    /// callers until this time, by the caller's clock.
    WaitUntil(UnixTime),
}

/// A clock that is off by less is left alone: HTTP's `Date` has whole seconds and travels.
pub const IGNORED_CLOCK_OFFSET_SECONDS: i64 = 60;

/// Decides when to renew, from what happened so far. One per set of credentials; the caller sees to
/// it that one renewal is in flight at a time and tells the outcome.
///
/// Every `now` is the caller's own clock, uncorrected. Where the server's time showed that this
/// clock is wrong, [`signing_time`](Self::signing_time) corrects it.
#[derive(Clone, Debug)]
pub struct Renewal {
    policy: RenewalPolicy,
    jitter: u64,
    current: Option<Current>,
    failures: u32,
    retry_at: Option<UnixTime>,
    clock_offset: i64,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    expiration: UnixTime,
    background_at: UnixTime,
    mandatory_at: UnixTime,
}

impl Renewal {
    /// A plan without credentials: the first [`next`](Self::next) is [`Next::Renew`].
    ///
    /// `jitter` is any number that differs between the members of a fleet (random, not secret): it
    /// spreads their renewals over the first quarter of the background window and their retries over
    /// the back-off.
    pub fn new(policy: RenewalPolicy, jitter: u64) -> Self {
        Self {
            policy,
            jitter,
            current: None,
            failures: 0,
            retry_at: None,
            clock_offset: 0,
        }
    }

    /// What to do at `now`.
    pub fn next(&self, now: UnixTime) -> Next {
        let waiting = self.retry_at(now);
        let Some(current) = self.current else {
            return waiting.map_or(Next::Renew, Next::WaitUntil);
        };
        let server_now = self.server_time(now);
        if server_now >= current.expiration {
            return waiting.map_or(Next::Renew, Next::WaitUntil);
        }
        let due = |at: UnixTime| at.plus_seconds(-self.clock_offset);
        match waiting {
            // A try has just failed: the credentials still work, so they are used.
            Some(retry_at) => Next::Use {
                until: retry_at.min(due(current.expiration)),
            },
            None if server_now >= current.mandatory_at => Next::Renew,
            None if server_now >= current.background_at => Next::UseAndRenew,
            None => Next::Use {
                until: due(current.background_at),
            },
        }
    }

    /// Whether there are credentials that the service still accepts at `now`.
    pub fn is_valid(&self, now: UnixTime) -> bool {
        self.current
            .is_some_and(|current| self.server_time(now) < current.expiration)
    }

    /// Tells that a session was received at `now`.
    pub fn renewed(&mut self, now: UnixTime, session: &Session) {
        self.learn(now, session.server_time());
        self.restored(now, session.credentials().expiration());
    }

    /// Tells that credentials that end at `expiration` came from elsewhere at `now`: a cache that
    /// processes share, for instance.
    pub fn restored(&mut self, now: UnixTime, expiration: UnixTime) {
        let lifetime = expiration.seconds_since(self.server_time(now)).max(0);
        let background = seconds(self.policy.background_window).min(lifetime / 3);
        let mandatory = seconds(self.policy.mandatory_window).min(lifetime / 6);
        let spread = portion(background / 4, self.random(0));
        self.current = Some(Current {
            expiration,
            background_at: expiration.plus_seconds(spread - background),
            mandatory_at: expiration.plus_seconds(-mandatory),
        });
        self.failures = 0;
        self.retry_at = None;
    }

    /// Tells that a renewal failed at `now`. The credentials that there are stay in use while they
    /// are valid; the next try waits, longer after each failure, and at least as long as the service
    /// asked for.
    pub fn failed(&mut self, now: UnixTime, error: &Error) {
        let service = error.service();
        self.learn(now, service.and_then(|service| service.server_time));
        self.failures = self.failures.saturating_add(1);
        let shortest = seconds(self.policy.minimum_interval).max(1);
        let longest = seconds(self.policy.maximum_interval).max(shortest);
        let doubled = shortest
            .saturating_mul(1 << self.failures.min(20))
            .min(longest);
        // What a retry cannot mend is tried again rarely: a policy may be corrected meanwhile.
        let ceiling = if error.is_retryable() {
            doubled
        } else {
            longest
        };
        let pause = shortest + portion(ceiling - shortest, self.random(self.failures));
        let asked = service
            .and_then(|service| service.retry_after)
            .map_or(0, seconds);
        self.retry_at = Some(now.plus_seconds(pause.max(asked.min(longest))));
    }

    /// The time to sign with: `now`, corrected when the server's time showed that the caller's clock
    /// is off by [`IGNORED_CLOCK_OFFSET_SECONDS`] or more.
    pub fn signing_time(&self, now: UnixTime) -> UnixTime {
        self.server_time(now)
    }

    /// How many seconds the server's clock is ahead of the caller's, 0 when it is not worth a word.
    pub fn clock_offset_seconds(&self) -> i64 {
        self.clock_offset
    }

    fn server_time(&self, now: UnixTime) -> UnixTime {
        now.plus_seconds(self.clock_offset)
    }

    fn learn(&mut self, now: UnixTime, server_time: Option<UnixTime>) {
        if let Some(server_time) = server_time {
            let offset = server_time.seconds_since(now);
            let known = offset.abs() >= IGNORED_CLOCK_OFFSET_SECONDS;
            self.clock_offset = if known { offset } else { 0 };
        }
    }

    /// The time of the next try, while it lies ahead. One that lies further ahead than the longest
    /// pause comes from a clock that was set back, and does not count.
    fn retry_at(&self, now: UnixTime) -> Option<UnixTime> {
        let longest = seconds(
            self.policy
                .maximum_interval
                .max(self.policy.minimum_interval),
        )
        .max(1);
        self.retry_at
            .filter(|at| (1..=longest).contains(&at.seconds_since(now)))
    }

    /// A number that looks random, from the caller's jitter (SplitMix64's finaliser).
    fn random(&self, round: u32) -> u64 {
        let mut z = self
            .jitter
            .wrapping_add(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(u64::from(round) + 1));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// `random` as a portion of `0..=whole`.
fn portion(whole: i64, random: u64) -> i64 {
    let whole = u128::try_from(whole.max(0)).unwrap_or(0);
    i64::try_from(((whole + 1) * u128::from(random)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
