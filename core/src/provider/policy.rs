//! Every number that the lifecycle is decided by, with its source.

use core::time::Duration;

/// The windows, pauses, limits and counts of a [`Provider`](super::Provider).
///
/// The default suits every host. A host changes a field where its user asks for that. Values that
/// cannot work together are brought into order by [`Provider::new`](super::Provider::new): a limit
/// of zero becomes a millisecond, a count of zero one, a longest pause is at least the shortest.
///
/// Both windows shrink with the lifetime of the credentials, so that a session of 900 seconds is not
/// renewed at every use: the background window is at most a third of it, the mandatory window at
/// most a sixth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long before the end of the credentials their renewal begins in the background. Default
    /// 15 minutes, botocore's advisory window.
    pub background_window: Duration,
    /// How long before the end callers wait for the renewal. Default 5 minutes, the AWS SDKs'
    /// window. (botocore's mandatory window is 10 minutes.)
    pub mandatory_window: Duration,
    /// The shortest pause between two renewals, after a failure or a success. Default 5 seconds.
    pub minimum_interval: Duration,
    /// The longest pause between two renewals that fail. Default 5 minutes: a fleet has credentials
    /// again within that time after an outage.
    pub maximum_interval: Duration,
    /// The longest pause after a failure of the host's own work (files, signer), which costs the
    /// service nothing and is mended by a person at the machine. Default 30 seconds.
    pub maximum_local_interval: Duration,
    /// How often a request is sent in one renewal. Default 3, the AWS SDKs' standard retry mode.
    /// The attempt that a wrong clock costs is not counted.
    pub attempts: u32,
    /// The longest time for one attempt: connecting, sending and reading the whole answer. Default
    /// 10 seconds.
    pub attempt_timeout: Duration,
    /// The longest pause between two attempts of a renewal; a service that asks for more is asked
    /// again in a later renewal. Default 5 seconds.
    pub maximum_pause: Duration,
    /// The longest time for a renewal when there are no valid credentials, all attempts, pauses and
    /// the host's own work together. Default 45 seconds: the AWS SDK for Go ends a
    /// `credential_process` after 60.
    pub total_timeout: Duration,
    /// The longest time for a renewal while valid credentials are at hand, because a caller may be
    /// waiting for it. Default 15 seconds.
    pub patience: Duration,
    /// The longest time for loading the identity. Default 30 seconds: a person may be typing a
    /// password.
    pub identity_timeout: Duration,
    /// The longest time for one signature. Default 20 seconds: a person may have to touch a token.
    pub signing_timeout: Duration,
    /// The longest time for one operation of the shared store. Default 2 seconds: a call of the
    /// service takes one.
    pub store_timeout: Duration,
    /// For how long a store that failed or was slow is left alone. Default 60 seconds.
    pub store_rest: Duration,
    /// For how long a lock is taken: others may take it over afterwards, its holder may have died.
    /// Default 30 seconds. What is done under a lock ends five seconds (at most a sixth) earlier.
    pub lock_lease: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            background_window: Duration::from_secs(15 * 60),
            mandatory_window: Duration::from_secs(5 * 60),
            minimum_interval: Duration::from_secs(5),
            maximum_interval: Duration::from_secs(5 * 60),
            maximum_local_interval: Duration::from_secs(30),
            attempts: 3,
            attempt_timeout: Duration::from_secs(10),
            maximum_pause: Duration::from_secs(5),
            total_timeout: Duration::from_secs(45),
            patience: Duration::from_secs(15),
            identity_timeout: Duration::from_secs(30),
            signing_timeout: Duration::from_secs(20),
            store_timeout: Duration::from_secs(2),
            store_rest: Duration::from_secs(60),
            lock_lease: Duration::from_secs(30),
        }
    }
}

impl Policy {
    /// For credentials that botocore keeps: `credential_process`, an assumed-role provider of its own.
    ///
    /// botocore asks again from 15 minutes before the end on, at each use, and insists from 10 minutes on
    /// (`RefreshableCredentials`). What it is given then must last longer, or it would ask at every use:
    /// the windows are 20 and 10 minutes.
    #[must_use]
    pub fn for_botocore() -> Self {
        Self {
            background_window: Duration::from_secs(20 * 60),
            mandatory_window: Duration::from_secs(10 * 60),
            ..Self::default()
        }
    }

    /// The same policy where a person at a terminal may be asked for a password or a PIN, which takes as
    /// long as it takes: five minutes for the identity and for a signature, ten for a renewal.
    #[must_use]
    pub fn with_person(self) -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            identity_timeout: self.identity_timeout.max(minutes(5)),
            signing_timeout: self.signing_timeout.max(minutes(5)),
            total_timeout: self.total_timeout.max(minutes(10)),
            ..self
        }
    }
}

/// The back-off before the second attempt of a renewal is up to twice this when the service is
/// overloaded, and doubles from there (as the AWS SDKs' standard mode, "full jitter").
pub(super) const BUSY_BACKOFF: u64 = 500;
/// The same when no answer came: another connection may do.
pub(super) const LOST_BACKOFF: u64 = 100;
/// An attempt that has less time than this is not begun: a TLS connection across an ocean and the
/// call itself take about that.
pub(super) const SHORTEST_ATTEMPT: u64 = 500;
/// The longest session that the service grants is 12 hours (user guide, `durationSeconds`); the
/// slack is for a clock that is off by what a signature allows.
pub(super) const LONGEST_LIFETIME: i64 = (12 * 60 * 60) * 1000;
pub(super) const LIFETIME_SLACK: i64 = 15 * 60 * 1000;
/// Files that were modified this short a time ago may be half of a pair that is being replaced: they
/// are read again after [`SETTLING_PAUSE`] until they have settled.
pub(super) const SETTLING: i64 = 10_000;
/// See [`SETTLING`].
pub(super) const SETTLING_PAUSE: u64 = 300;
/// A host without a monotonic clock asks at least this often, in milliseconds, so that a clock that
/// is set back is seen before it matters.
pub(super) const BLIND_LOOK: u64 = 60_000;
/// A driver that has not come for its next action within this time after it should have is lost:
/// the next caller drives.
pub(super) const GRACE: u64 = 2_000;
/// How often those who wait for another's session look for it, in milliseconds, at first; up to twice
/// that, at random.
pub(super) const LOOK_PAUSE: u64 = 150;
/// The same when they have waited for seconds: a fleet must not overload its store.
pub(super) const LONGEST_LOOK_PAUSE: u64 = 2000;
/// How long a member with valid credentials goes on when another renews, before it looks for the
/// result: half of this to one and a half.
pub(super) const LOOK_AGAIN: u64 = 20_000;
/// For how long others believe a shared failure at most, when the service told it.
pub(super) const SHARED_REFUSAL: u64 = 60_000;
/// The same when no answer came, which may be one member's network.
pub(super) const SHARED_SILENCE: u64 = 10_000;

/// The policy in whole milliseconds, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) background: i64,
    pub(super) mandatory: i64,
    pub(super) minimum_interval: u64,
    pub(super) maximum_interval: u64,
    pub(super) maximum_local_interval: u64,
    pub(super) attempts: u32,
    pub(super) attempt: u64,
    pub(super) maximum_pause: u64,
    pub(super) total: u64,
    pub(super) patience: u64,
    pub(super) identity: u64,
    pub(super) signing: u64,
    pub(super) store: u64,
    pub(super) store_rest: u64,
    pub(super) lease: u64,
}

impl Limits {
    pub(super) fn new(policy: &Policy) -> Self {
        let minimum_interval = milliseconds(policy.minimum_interval);
        let window = |window: Duration| i64::try_from(milliseconds(window)).unwrap_or(i64::MAX);
        let total = milliseconds(policy.total_timeout);
        Self {
            background: window(policy.background_window),
            mandatory: window(policy.mandatory_window),
            minimum_interval,
            maximum_interval: milliseconds(policy.maximum_interval).max(minimum_interval),
            maximum_local_interval: milliseconds(policy.maximum_local_interval)
                .max(minimum_interval),
            attempts: policy.attempts.max(1),
            attempt: milliseconds(policy.attempt_timeout),
            maximum_pause: milliseconds(policy.maximum_pause),
            total,
            patience: milliseconds(policy.patience).min(total),
            identity: milliseconds(policy.identity_timeout),
            signing: milliseconds(policy.signing_timeout),
            store: milliseconds(policy.store_timeout),
            store_rest: milliseconds(policy.store_rest),
            lease: milliseconds(policy.lock_lease),
        }
    }

    /// How long work under a lock may take.
    pub(super) fn under_lock(&self) -> u64 {
        self.lease - (self.lease / 6).min(5000)
    }
}

/// Whole milliseconds, at least one and at most a year, so that no sum overflows.
fn milliseconds(duration: Duration) -> u64 {
    const YEAR: u64 = 366 * 24 * 60 * 60 * 1000;
    u64::try_from(duration.as_millis())
        .unwrap_or(YEAR)
        .clamp(1, YEAR)
}
