//! The state machine: who drives, what is used, and when to look again.

mod drive;
mod exchange;
mod held;
mod outcome;
mod share;

use alloc::{collections::VecDeque, string::String};
use core::time::Duration;

use self::{
    drive::{Drive, Look, Pending, Stage, Then},
    held::{Held, Standing},
};
use super::{
    action::{Action, Advice, Event, Note, NoteKind, Window},
    clock::{Clock, Reading, ServiceTime, Step},
    policy::{GRACE, Limits, Policy},
    random::Random,
    sharing::{EntryKey, Sharing},
};
use crate::{CertificateChain, CreateSession, Error, Session};

/// The most notes that wait for a driver. Older ones are dropped.
const MAX_NOTES: usize = 64;

/// Credentials that renew themselves, as a state machine without IO: see the
/// [module](crate::provider).
///
/// It holds the credentials, which are wiped when they are replaced and when it is dropped.
#[derive(Debug)]
pub struct Provider {
    call: CreateSession,
    limits: Limits,
    sharing: Option<Sharing>,
    known_chain: Option<CertificateChain>,
    machine: Option<String>,
    clock: Clock,
    random: Random,
    held: Option<Held>,
    failures: u32,
    /// When the next renewal may be tried, on the time line.
    retry_at: Option<u64>,
    error: Option<Error>,
    /// Whether no retry mends that error.
    is_permanent: bool,
    wants_refresh: bool,
    /// Whether the next who asks waits for the renewal under way, though the credentials are valid.
    waits_for_refresh: bool,
    drive: Option<Drive>,
    last_id: u32,
    queue: VecDeque<Action>,
    /// Until when the store is left alone, on the time line.
    store_rests_until: u64,
    /// The end entity of whose findings a log has heard.
    #[cfg(feature = "explain")]
    noted: Option<[u8; 32]>,
}

impl Provider {
    /// A provider for one call, without credentials. Nothing is done until somebody
    /// [asks](Self::ask).
    ///
    /// `seed` is any number that differs between the members of a fleet (random, not secret): it
    /// spreads their renewals and their pauses.
    pub fn new(call: CreateSession, policy: &Policy, seed: u64) -> Self {
        Self {
            call,
            limits: Limits::new(policy),
            sharing: None,
            known_chain: None,
            machine: None,
            clock: Clock::new(),
            random: Random::new(seed),
            held: None,
            failures: 0,
            retry_at: None,
            error: None,
            is_permanent: false,
            wants_refresh: false,
            waits_for_refresh: false,
            drive: None,
            last_id: 0,
            queue: VecDeque::new(),
            store_rests_until: 0,
            #[cfg(feature = "explain")]
            noted: None,
        }
    }

    /// Shares sessions through a store of the host's.
    #[must_use]
    pub fn with_sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = Some(sharing);
        self
    }

    /// Gives the certificates as they are now, where the host can read them without the private key: then the
    /// shared store is looked at before the identity is loaded. The identity that is loaded afterwards may have
    /// others.
    #[must_use]
    pub fn with_chain(mut self, chain: CertificateChain) -> Self {
        self.known_chain = Some(chain);
        self
    }

    /// Names this start of this machine (Linux: `/proc/sys/kernel/random/boot_id`), where the
    /// monotonic clock is the same for all its processes. What one learnt of the clock the others
    /// then take from the shared entry.
    #[must_use]
    pub fn with_machine(mut self, name: &str) -> Self {
        self.machine = Some(name.into());
        self
    }

    /// Says that the monotonic clock runs while the machine sleeps (`CLOCK_BOOTTIME`,
    /// `ContinuousClock`, `mach_continuous_time`). Then a clock that jumps ahead was set.
    #[must_use]
    pub fn with_monotonic_that_counts_sleep(mut self) -> Self {
        self.clock.counts_suspend();
        self
    }

    /// A provider for one call past the credentials at hand and past the store, that knows of the
    /// clock what this one knows: for a host's `create_session()`. Drive it until it has nothing to
    /// do; no credentials of this provider change.
    #[must_use]
    pub fn one_shot(&self, seed: u64) -> Self {
        Self {
            limits: self.limits,
            clock: self.clock.clone(),
            ..Self::new(self.call.clone(), &Policy::default(), seed)
        }
    }

    /// What is asked for.
    pub fn call(&self) -> &CreateSession {
        &self.call
    }

    /// The session at hand, valid or not; `None` before the first. Of one that came from the shared
    /// store the request id and the packed policy size are not known.
    pub fn session(&self) -> Option<&Session> {
        self.held.as_ref().map(|held| &held.session)
    }

    /// Why the last renewal failed; `None` when it did not.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether no retry alone mends what the last renewal failed of: a refusal, an identity that cannot be used, a
    /// server whose certificate is not trusted, a request that cannot be sent. A program that starts ends with such
    /// a failure, and waits for any other to pass (a network that is not up yet).
    pub fn is_failure_permanent(&self) -> bool {
        self.error.is_some() && self.is_permanent
    }

    /// Whether the service accepts the credentials at hand at this moment.
    pub fn is_valid(&mut self, now: Reading) -> bool {
        self.advance(now);
        self.standing() != Standing::None
    }

    /// How long the service accepts the credentials at hand; zero when there are none.
    pub fn valid_for(&mut self, now: Reading) -> Duration {
        self.advance(now);
        let held = self.held.as_ref();
        let left = held.map_or(0, |held| {
            held.expires_at - self.clock.service_milliseconds()
        });
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// The time in which the service accepts the credentials at hand, for a server that hands them out
    /// without asking: until their end, and not on a clock that was set back. `None` when there are none
    /// that are valid.
    pub fn valid_window(&mut self, now: Reading) -> Option<Window> {
        self.advance(now);
        (self.standing() != Standing::None).then(|| self.window_of(u64::MAX))
    }

    /// When the credentials at hand end, by the host's clock as far as it is known: for an SDK that
    /// compares the expiration with that clock.
    pub fn ends_at(&mut self, now: Reading) -> Option<super::HostTime> {
        self.advance(now);
        let held = self.held.as_ref()?;
        let left = held.expires_at - self.clock.service_milliseconds();
        Some(now.wall.plus(left))
    }

    /// The service's time as far as it is known: what a request is dated with.
    pub fn service_time(&mut self, now: Reading) -> ServiceTime {
        self.advance(now);
        self.clock.service()
    }

    /// How many seconds the service's clock is ahead of the host's, 0 when that is not worth a word.
    pub fn clock_offset_seconds(&self) -> i64 {
        self.clock.offset_seconds()
    }

    /// Whether the next who [asks](Self::ask) is told to drive. Unlike asking it begins nothing.
    pub fn is_due(&mut self, now: Reading) -> bool {
        self.advance(now);
        let line = self.clock.line();
        let is_driven = self
            .drive
            .as_ref()
            .is_some_and(|drive| !drive.is_lost(line));
        let is_wanted = self.wants_refresh || self.standing() != Standing::Fresh;
        is_wanted && !is_driven && (self.wants_refresh || self.refusal().is_none())
    }

    /// What a caller who wants credentials is to do.
    ///
    /// A host keeps the credentials with the [`Window`](super::Window) of the last [`Advice::Use`] and does not come
    /// here while the window covers its clocks.
    pub fn ask(&mut self, now: Reading) -> Advice {
        self.advance(now);
        let standing = self.standing();
        let waits = core::mem::take(&mut self.waits_for_refresh);
        if standing == Standing::Fresh && !self.wants_refresh && !waits {
            return Advice::Use(self.window_of_use());
        }
        let line = self.clock.line();
        let is_valid = standing != Standing::None;
        let is_lost = self.drive.as_ref().is_some_and(|drive| drive.is_lost(line));
        if let Some(drive) = self.drive.as_mut().filter(|_| !is_lost) {
            let left = drive.deadline.saturating_sub(line).saturating_add(GRACE);
            return match standing {
                Standing::Fresh | Standing::Background if !waits || drive.is_over => {
                    Advice::Use(self.window(left))
                }
                Standing::Mandatory if drive.is_over => Advice::Use(self.window(left)),
                _ if drive.is_over => self.refusal().unwrap_or(Advice::Wait {
                    at_most: Duration::from_millis(left.min(GRACE)),
                }),
                // Whoever waits drives in the place of a driver that is lost meanwhile.
                _ => Advice::Wait {
                    at_most: Duration::from_millis(left.min(drive.lost_at().saturating_sub(line))),
                },
            };
        }
        if let Some(refusal) = self.refusal().filter(|_| !self.wants_refresh) {
            return match refusal {
                Advice::Fail { again_after } if is_valid => {
                    let left = u64::try_from(again_after.as_millis()).unwrap_or(u64::MAX);
                    Advice::Use(self.window(left))
                }
                other => other,
            };
        }
        self.begin(is_valid);
        match standing {
            Standing::Fresh | Standing::Mandatory | Standing::None => Advice::Drive,
            Standing::Background => Advice::UseAndDrive(self.window(self.limits.patience)),
        }
    }

    /// Takes what happened at the host. Afterwards [`poll`](Self::poll) until there is nothing more.
    pub fn handle(&mut self, now: Reading, event: Event) {
        // An answer that arrives together with its time limit counts.
        let step = self.clock.advance(now);
        self.note_step(step);
        match event {
            Event::Tick => self.end_pause(),
            Event::Cancelled => self.cancel(),
            Event::Refresh => {
                // A renewal under way brings what is wanted: the next who asks waits for it.
                let under_way = self.drive.as_mut().filter(|drive| !drive.is_over);
                self.wants_refresh = under_way.is_none();
                self.waits_for_refresh = under_way.is_some();
                if let Some(drive) = under_way {
                    drive.is_refresh = true;
                }
            }
            Event::Forked { seed } => self.fork(seed),
            Event::Resumed => self.forgive(),
            Event::LockLost => {
                if let Some(drive) = &mut self.drive {
                    drive.is_locked = false;
                }
            }
            answer => self.answer(answer),
        }
        self.expire();
    }

    /// The next thing to do; `None` when there is nothing for this driver: it stops, and whoever
    /// waits for credentials [asks](Self::ask) again.
    pub fn poll(&mut self, now: Reading) -> Option<Action> {
        self.advance(now);
        let line = self.clock.line();
        let action = self.queue.pop_front();
        if let Some(drive) = &mut self.drive {
            drive.attended_at = line;
            let is_waited_for =
                |action: &Action| action.id().is_some() || matches!(action, Action::Pause { .. });
            if let (Some(pending), true) = (
                &mut drive.pending,
                action.as_ref().is_some_and(is_waited_for),
            ) {
                pending.deadline = Some(line.saturating_add(pending.timeout));
            }
        }
        action
    }

    // ---- time

    fn advance(&mut self, now: Reading) {
        let step = self.clock.advance(now);
        self.note_step(step);
        self.expire();
    }

    fn note_step(&mut self, step: Step) {
        let (kind, words, milliseconds) = match step {
            Step::None => return,
            Step::Back(by) => (NoteKind::ClockSetBack, "the clock was set back by ", by),
            Step::Forward(by) => {
                // Asleep or not, what failed before may do now.
                self.forgive();
                let words = "the clock jumped ahead, or the machine slept, by ";
                (NoteKind::ClockJumped, words, by)
            }
        };
        self.note(
            kind,
            &[words, &outcome::length_in_words(milliseconds / 1000)],
        );
    }

    /// Counts an action that takes too long as failed, and ends pauses.
    fn expire(&mut self) {
        let line = self.clock.line();
        let pending = self.drive.as_mut().and_then(|drive| {
            let is_late = |pending: &Pending| pending.deadline.is_some_and(|end| end <= line);
            drive.pending.take_if(|pending| is_late(pending))
        });
        if let Some(pending) = pending {
            if let (Some(drive), Some(deadline)) = (&mut self.drive, pending.deadline) {
                drive.attended_at = drive.attended_at.max(deadline);
            }
            self.time_out(pending);
        }
    }

    fn end_pause(&mut self) {
        let pending = self.drive.as_mut().and_then(|drive| {
            drive.attended_at = self.clock.line();
            drive.pending.take_if(|pending| {
                matches!(pending.stage, Stage::Pause(_)) && pending.deadline.is_some()
            })
        });
        if let Some(pending) = pending {
            self.time_out(pending);
        }
    }

    fn time_out(&mut self, pending: Pending) {
        match pending.stage {
            Stage::Identity | Stage::Sign | Stage::Send => self.exchange_timed_out(&pending),
            Stage::Look(_) | Stage::Lock | Stage::Store | Stage::Unlock => {
                self.store_failed(pending.stage, None);
            }
            Stage::Pause(Then::Identity) => self.load_identity(),
            Stage::Pause(Then::Attempt) => self.attempt(),
            Stage::Pause(Then::Look) => self.look(Look::Again),
        }
    }

    fn answer(&mut self, event: Event) {
        let Some(id) = outcome::id_of(&event) else {
            return;
        };
        let pending = self.drive.as_mut().and_then(|drive| {
            drive.attended_at = self.clock.line();
            drive.pending.take_if(|pending| pending.id == id)
        });
        let Some(pending) = pending else {
            return; // it came too late, or twice
        };
        match (pending.stage, event) {
            (Stage::Identity, Event::IdentityLoaded { chain, .. }) => self.identity_loaded(chain),
            (
                Stage::Identity,
                Event::IdentityFailed {
                    error, modified, ..
                },
            ) => {
                self.identity_failed(error, modified, None);
            }
            (
                Stage::Identity,
                Event::IdentityStale {
                    chain,
                    error,
                    modified,
                    ..
                },
            ) => {
                self.identity_failed(error, modified, Some(chain));
            }
            (Stage::Sign, Event::Signed { signature, .. }) => self.signed(&signature),
            (Stage::Sign, Event::SignFailed { error, .. }) => self.fail_locally(error),
            (Stage::Send, Event::Answered { response, .. }) => self.answered(&response),
            (Stage::Send, Event::NotAnswered { loss, error, .. }) => self.lost(loss, error),
            (Stage::Look(look), Event::Loaded { entry, .. }) => self.looked(look, entry),
            (Stage::Look(look), Event::Unreadable { .. }) => self.unreadable(look),
            (Stage::Lock, Event::Locked { .. }) => self.locked(),
            (Stage::Lock, Event::LockHeld { .. }) => self.lock_held(),
            (Stage::Store, Event::Stored { .. }) => self.wrap_up(),
            (Stage::Unlock, Event::Unlocked { .. }) => self.unlocked(),
            (stage, Event::StoreFailed { error, .. }) => self.store_failed(stage, Some(error)),
            (_, Event::TimedOut { .. }) => self.time_out(pending),
            // An answer that does not fit its action is none: the action's time runs on.
            (_, _) => {
                if let Some(drive) = &mut self.drive {
                    drive.pending = Some(pending);
                }
            }
        }
    }

    // ---- who drives

    fn begin(&mut self, had_valid: bool) {
        let line = self.clock.line();
        let limit = match had_valid {
            true => self.limits.patience,
            false => self.limits.total,
        };
        self.queue
            .retain(|action| matches!(action, Action::Note(_)));
        let mut drive = Drive {
            deadline: line.saturating_add(limit),
            attended_at: line,
            pending: None,
            had_valid,
            is_refresh: core::mem::take(&mut self.wants_refresh),
            key: None,
            chain: None,
            request: None,
            dated: self.clock.service(),
            attempt: 0,
            correction: None,
            is_locked: false,
            lock_wait_until: None,
            doubt: None,
            last: None,
            to_store: VecDeque::new(),
            is_over: false,
        };
        let known = self.sharing.as_ref().and_then(|sharing| {
            let (call, context) = (&self.call, &sharing.context);
            match (&sharing.identity, &self.known_chain) {
                (Some(identity), _) => Some(EntryKey::of_identity(call, identity, context)),
                (None, Some(chain)) => Some(EntryKey::new(call, chain, context)),
                (None, None) => None,
            }
        });
        drive.key = known;
        self.drive = Some(drive);
        match self.is_sharing() {
            true => self.look(Look::First),
            false if self.is_only_a_look() => self.look_later(),
            false => self.load_identity(),
        }
    }

    /// Hands out an action that is waited for.
    fn issue(&mut self, stage: Stage, limit: u64, make: impl FnOnce(u32, Duration) -> Action) {
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        if let Some(drive) = &mut self.drive {
            drive.pending = Some(Pending {
                id,
                stage,
                timeout: limit,
                deadline: None,
            });
            self.queue.push_back(make(id, Duration::from_millis(limit)));
        }
    }

    fn pause(&mut self, then: Then, milliseconds: u64) {
        self.issue(Stage::Pause(then), milliseconds, |_, duration| {
            Action::Pause { duration }
        });
    }

    /// How much of the renewal's time is left.
    fn left(&self) -> u64 {
        let line = self.clock.line();
        let drive = self.drive.as_ref();
        drive.map_or(0, |drive| drive.deadline.saturating_sub(line))
    }

    fn cancel(&mut self) {
        self.queue
            .retain(|action| matches!(action, Action::Note(_)));
        if let Some(drive) = &mut self.drive {
            drive.pending = None;
            drive.to_store.clear();
            drive.is_over = true;
            self.wrap_up();
        }
    }

    fn fork(&mut self, seed: u64) {
        self.drive = None;
        self.queue.clear();
        self.random = Random::new(seed);
        if let Some(held) = self.held.take() {
            let (issued_at, rests_until) = (held.issued_at, held.rests_until);
            self.hold(held.session, issued_at);
            if let Some(held) = &mut self.held {
                held.rests_until = rests_until;
            }
        }
    }

    /// Lets the next caller try at once.
    fn forgive(&mut self) {
        self.retry_at = None;
        self.failures = 0;
        self.store_rests_until = 0;
    }

    fn note(&mut self, kind: NoteKind, parts: &[&str]) {
        let is_note = |action: &Action| matches!(action, Action::Note(_));
        if self.queue.iter().filter(|action| is_note(action)).count() >= MAX_NOTES
            && let Some(oldest) = self.queue.iter().position(is_note)
        {
            self.queue.remove(oldest);
        }
        let message = parts.concat();
        self.queue.push_back(Action::Note(Note { kind, message }));
    }
}
