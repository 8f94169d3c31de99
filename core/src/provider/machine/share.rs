//! Sharing: what is looked for, who renews, and what others are told.

use alloc::{string::ToString, vec::Vec};
use core::time::Duration;

use super::{
    Provider,
    drive::{Look, Stage, Then},
    held::Standing,
};
use crate::{
    CertificateChain, Error, ErrorKind, Secret,
    provider::{
        action::{Action, NoteKind},
        answer,
        clock::{IGNORED_OFFSET_SECONDS, ServiceTime},
        entry::{ClockHint, Entry, Failure},
        policy::{
            LONGEST_LOOK_PAUSE, LOOK_AGAIN, LOOK_PAUSE, SHARED_REFUSAL, SHARED_SILENCE,
            SHORTEST_ATTEMPT,
        },
        sharing::EntryKey,
    },
};

impl Provider {
    /// Whether there is a store, and it is not left alone just now.
    pub(super) fn is_sharing(&self) -> bool {
        self.sharing.is_some() && self.store_rests_until <= self.clock.line()
    }

    fn has_lock(&self) -> bool {
        self.sharing
            .as_ref()
            .is_some_and(|sharing| sharing.has_lock)
    }

    /// Makes the key of the entry of the certificates that were loaded; whether it is another than before,
    /// so that the store has not been looked at.
    pub(super) fn needs_key(&mut self, chain: &CertificateChain) -> bool {
        if !self.is_sharing() {
            return false;
        }
        let Some(sharing) = self
            .sharing
            .as_ref()
            .filter(|sharing| sharing.identity.is_none())
        else {
            return false; // what stands for the certificate has made the key already
        };
        let key = EntryKey::new(&self.call, chain, &sharing.context);
        let drive = self.drive.as_mut();
        drive.is_some_and(|drive| drive.key.replace(key) != drive.key)
    }

    /// When the renewal of credentials begins in the background.
    pub(super) fn background_at(&mut self, expires_at: i64, window: i64, mandatory_at: i64) -> i64 {
        let begin = expires_at - window;
        if let Some(sharing) = self.sharing.as_ref().filter(|sharing| !sharing.has_lock) {
            // Without a lock each member draws a moment of its own: the first of n comes
            // `propagation · ln n` early, and few come before its session is seen by all.
            let propagation = u64::try_from(sharing.propagation.as_millis()).unwrap_or(u64::MAX);
            let early = i64::try_from(self.random.exponential(propagation)).unwrap_or(i64::MAX);
            return mandatory_at.saturating_sub(early).max(begin);
        }
        let spread = self.random.up_to(u64::try_from(window / 4).unwrap_or(0));
        begin + i64::try_from(spread).unwrap_or(0)
    }

    /// Reads the store.
    pub(super) fn look(&mut self, look: Look) {
        let key = self.drive.as_ref().and_then(|drive| drive.key.clone());
        let left = self.left();
        let Some(key) = key.filter(|_| self.is_sharing()) else {
            // Known only with the certificate, or a store that is left alone.
            self.after_look(look);
            return;
        };
        if left == 0 {
            self.waited_in_vain();
            return;
        }
        let key = match look {
            Look::Failure | Look::FailureAgain => key.of_failure(),
            Look::First | Look::Again | Look::Locked => key,
        };
        let key = key.to_string();
        self.issue(
            Stage::Look(look),
            self.limits.store.min(left),
            |id, timeout| Action::Load { id, key, timeout },
        );
    }

    pub(super) fn looked(&mut self, look: Look, entry: Option<Secret<Vec<u8>>>) {
        let Some(entry) = entry else {
            self.after_look(look);
            return;
        };
        if matches!(look, Look::Failure | Look::FailureAgain) {
            if !self.adopt(entry.expose()) {
                self.after_look(look);
            }
            return;
        }
        let key = self.drive.as_ref().and_then(|drive| drive.key.as_ref());
        let read = key.and_then(|key| Entry::read(key, entry.expose()));
        match read.map(|entry| self.restore(entry)) {
            Some(true) => self.finish(),
            Some(false) => self.after_look(look),
            None => self.unreadable(look),
        }
    }

    pub(super) fn unreadable(&mut self, look: Look) {
        self.note(
            NoteKind::EntryUnreadable,
            &["the shared entry cannot be read (another key sealed it, or another version wrote it): it is replaced"],
        );
        self.after_look(look);
    }

    /// Goes on when a look has brought nothing.
    fn after_look(&mut self, look: Look) {
        let has_chain = self
            .drive
            .as_ref()
            .is_some_and(|drive| drive.chain.is_some());
        let has_key = self.drive.as_ref().is_some_and(|drive| drive.key.is_some());
        match look {
            // Without a key there was no look yet.
            Look::First if has_key && self.is_only_a_look() => self.look_later(),
            Look::First if !has_chain => self.load_identity(),
            Look::First => self.proceed(),
            // The holder's failure is for all who wait, without one waiting for the other.
            Look::Again if self.has_lock() && self.is_sharing() => self.look(Look::FailureAgain),
            Look::Again | Look::Locked if self.is_sharing() => self.look(Look::Failure),
            Look::FailureAgain if self.is_sharing() => self.lock(),
            Look::Again | Look::Locked | Look::Failure | Look::FailureAgain => self.attempt(),
        }
    }

    /// Goes on with an identity and without a shared session.
    pub(super) fn proceed(&mut self) {
        if !self.is_sharing() {
            self.attempt();
        } else if self.has_lock() {
            self.lock();
        } else {
            let had_valid = self.drive.as_ref().is_some_and(|drive| drive.had_valid);
            let spread = self
                .sharing
                .as_ref()
                .map_or(Duration::ZERO, |sharing| sharing.cold_spread);
            let spread = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX);
            let most = self.left().saturating_sub(SHORTEST_ATTEMPT) / 2;
            let pause = spread
                .saturating_sub(self.random.exponential(spread / 8))
                .min(most);
            match had_valid || pause == 0 {
                true => self.look(Look::Failure),
                false => self.pause(Then::Look, pause),
            }
        }
    }

    // ---- looks between renewals

    /// Whether the credentials at hand are not due, and only the store is to be looked into.
    pub(super) fn is_only_a_look(&self) -> bool {
        let is_refresh = self.drive.as_ref().is_some_and(|drive| drive.is_refresh);
        let now = self.clock.service_milliseconds();
        let is_fresh = self.held.as_ref().is_some_and(|held| now < held.renew_at);
        is_fresh && !is_refresh && !self.clock.is_doubtful()
    }

    pub(super) fn look_later(&mut self) {
        self.plan_a_look();
        self.finish();
    }

    /// By a clock that no answer has confirmed, an old session can seem new: the clock is slow. Then
    /// the session of another that renews in time comes from the future. To see that, such a member
    /// looks into the store several times in the length of a background window.
    fn plan_a_look(&mut self) {
        if self.clock.is_confirmed() {
            return;
        }
        let now = self.clock.service_milliseconds();
        let Some(lifetime) = self
            .held
            .as_ref()
            .map(|held| held.expires_at - held.issued_at)
        else {
            return;
        };
        let quarter = u64::try_from(self.limits.background.min(lifetime / 3) / 4).unwrap_or(0);
        let pause = quarter + self.random.up_to(quarter);
        if let Some(held) = &mut self.held {
            let look_at = now.saturating_add(i64::try_from(pause).unwrap_or(i64::MAX));
            held.background_at = held.renew_at.min(look_at);
        }
    }

    // ---- the lock

    fn lock(&mut self) {
        let key = self.drive.as_ref().and_then(|drive| drive.key.as_ref());
        let key = key.map(ToString::to_string);
        let left = self.left();
        let Some(key) = key.filter(|_| self.is_sharing()) else {
            self.attempt();
            return;
        };
        if left == 0 {
            self.waited_in_vain();
            return;
        }
        let lease = Duration::from_millis(self.limits.lease);
        self.issue(Stage::Lock, self.limits.store.min(left), |id, timeout| {
            Action::Lock {
                id,
                key,
                lease,
                timeout,
            }
        });
    }

    pub(super) fn locked(&mut self) {
        let end = self.clock.line().saturating_add(self.limits.under_lock());
        if let Some(drive) = &mut self.drive {
            drive.is_locked = true;
            drive.deadline = drive.deadline.min(end);
        }
        self.look(Look::Locked);
    }

    pub(super) fn lock_held(&mut self) {
        let line = self.clock.line();
        let now = self.clock.service_milliseconds();
        let is_refresh = self.drive.as_ref().is_some_and(|drive| drive.is_refresh);
        if self
            .held
            .as_ref()
            .is_some_and(|held| now < held.mandatory_at)
            && !self.clock.is_doubtful()
            && !is_refresh
        {
            // Another renews: go on with what is there, and look for the result later.
            let rest = LOOK_AGAIN / 2 + self.random.up_to(LOOK_AGAIN);
            self.rest(rest);
            self.finish();
            return;
        }
        let lease = self.limits.lease;
        let until = self.drive.as_mut().map_or(line, |drive| {
            *drive
                .lock_wait_until
                .get_or_insert(line.saturating_add(lease))
        });
        if line >= until {
            self.note(
                NoteKind::LockTimedOut,
                &["another holds the lock of the shared session for longer than its lease: renewing without it"],
            );
            self.look(Look::Failure);
        } else {
            // The longer it has taken, the longer it may take: a quarter of that, and as much again.
            let waited = lease.saturating_sub(until.saturating_sub(line));
            let pause = (waited / 4).clamp(LOOK_PAUSE, LONGEST_LOOK_PAUSE);
            let pause = pause + self.random.up_to(pause);
            self.pause(Then::Look, pause.min(self.left().max(1)));
        }
    }

    /// The renewal's time was over before another's session came.
    fn waited_in_vain(&mut self) {
        if self.standing() == Standing::None {
            self.fail(Error::new(
                ErrorKind::ServiceUnavailable,
                "another process renews the shared session and did not finish in time: try again",
            ));
        } else {
            self.rest(self.limits.minimum_interval);
            self.finish();
        }
    }

    /// Uses the credentials at hand for so long before the next look.
    fn rest(&mut self, milliseconds: u64) {
        let until = self.clock.line().saturating_add(milliseconds);
        if let Some(held) = &mut self.held {
            held.rests_until = until;
        }
    }

    /// The store failed, or did not answer in time: it is left alone for a while.
    pub(super) fn store_failed(&mut self, stage: Stage, error: Option<Error>) {
        let what = match stage {
            Stage::Lock => "locked",
            Stage::Store => "written",
            Stage::Unlock => "unlocked",
            _ => "read",
        };
        let why = error
            .as_ref()
            .map_or("it did not answer in time", Error::message);
        self.note(
            NoteKind::StoreFailed,
            &[
                "the shared store cannot be ",
                what,
                " (",
                why,
                "): sessions are not shared for a while",
            ],
        );
        self.store_rests_until = self.clock.line().saturating_add(self.limits.store_rest);
        match stage {
            Stage::Look(look) => self.after_look(look),
            Stage::Lock => self.attempt(),
            Stage::Unlock => self.unlocked(),
            _ => self.wrap_up(),
        }
    }

    // ---- what is stored

    /// Takes a stored session into use when it is newer than the one at hand; whether the renewal is
    /// over with that.
    fn restore(&mut self, entry: Entry) -> bool {
        let now = self.clock.reading();
        if !self.clock.is_confirmed()
            && let Some(hint) = &entry.clock
            && let Some(offset) = hint.offset_at(self.machine.as_deref(), now)
        {
            self.clock.adopt_offset(offset);
        }
        let expires_at = ServiceTime::new(entry.session.credentials().expiration()).milliseconds();
        let now = self.clock.service_milliseconds();
        let issued_at = entry.issued_at.milliseconds();
        let is_newer = self
            .held
            .as_ref()
            .is_none_or(|held| held.expires_at < expires_at);
        if now >= expires_at || !is_newer {
            return false;
        }
        if issued_at.saturating_sub(now) > i64::from(IGNORED_OFFSET_SECONDS) * 1000 {
            // This clock is slow, and it is not known how slow: the service will tell.
            if let Some(held) = &mut self.held {
                held.renew_at = held.renew_at.min(now);
            }
            self.note(NoteKind::EntryUnreadable, &["the shared session comes from the future: this machine's clock is slow, it is not used"]);
            return false;
        }
        if let Err(error) = answer::check_role(&self.call, &entry.session) {
            self.note(NoteKind::EntryUnreadable, &[error.message()]);
            return false;
        }
        let had_valid = self.standing() != Standing::None;
        self.hold(entry.session, issued_at);
        self.rest(0);
        self.plan_a_look();
        let ends = self
            .held
            .as_ref()
            .map(|held| held.session.credentials().expiration_text());
        let ends = ends.unwrap_or_default().to_string();
        self.note(
            NoteKind::Restored,
            &["a shared session is used, it ends at ", &ends],
        );
        match self.standing() {
            Standing::Fresh => true,
            // Callers are served at once; the next of them renews.
            Standing::Background => !had_valid || self.is_only_a_look(),
            Standing::Mandatory | Standing::None => false,
        }
    }

    /// Takes another's failure for one of its own, while it is fresh; whether it did.
    fn adopt(&mut self, entry: &[u8]) -> bool {
        let Some(failure) = Failure::read(entry) else {
            self.note(
                NoteKind::EntryUnreadable,
                &["the shared failure cannot be read"],
            );
            return false;
        };
        let now = self.clock.service_milliseconds();
        let (at, until) = (failure.at.milliseconds(), failure.until.milliseconds());
        // Whatever an entry says, it stands for a minute at most.
        let longest = i64::try_from(SHARED_REFUSAL).unwrap_or(i64::MAX);
        let left = until.min(at.saturating_add(longest)).saturating_sub(now);
        let is_fresh = now.saturating_sub(at) >= -1000 * i64::from(IGNORED_OFFSET_SECONDS);
        if left <= 0 || left > longest || !is_fresh {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let spread = self.random.up_to(self.limits.minimum_interval);
        let error = failure
            .error
            .context("another process failed to renew the shared session");
        self.give_up(error, left.unsigned_abs().saturating_add(spread));
        true
    }

    /// Has the session at hand stored.
    pub(super) fn publish_session(&mut self) {
        let now = self.clock.reading();
        let offset = self.clock.offset_seconds();
        let machine = self.machine.as_ref().filter(|_| self.clock.is_confirmed());
        let hint = machine
            .zip(now.monotonic)
            .map(|(machine, monotonic)| ClockHint {
                machine: machine.clone(),
                wall: now.wall.milliseconds(),
                monotonic,
                offset,
            });
        let service = self.clock.service_milliseconds();
        if let (Some(held), Some(drive)) = (&self.held, &mut self.drive)
            && let Some(key) = &drive.key
        {
            let issued_at = ServiceTime::from_milliseconds(held.issued_at);
            let entry = Entry::write(key, &held.session, issued_at, hint.as_ref());
            let left = u64::try_from(held.expires_at - service).unwrap_or(0);
            drive
                .to_store
                .push_back((key.clone(), entry, left.max(1000)));
        }
    }

    /// Has a failure stored that others would only repeat: the service's for a minute, silence, which
    /// may be this member's own network, for ten seconds.
    pub(super) fn publish_failure(&mut self, error: &Error, pause: u64) {
        let longest = match (error.service(), error.kind()) {
            (Some(_), _) => SHARED_REFUSAL,
            (None, ErrorKind::TransportFailed) => SHARED_SILENCE,
            (None, _) => return,
        };
        let at = self.clock.service_milliseconds();
        let lasts = pause.min(longest);
        let until = at.saturating_add(i64::try_from(lasts).unwrap_or(0));
        if let Some(drive) = &mut self.drive
            && let Some(key) = &drive.key
        {
            let (at, until) = (
                ServiceTime::from_milliseconds(at),
                ServiceTime::from_milliseconds(until),
            );
            let entry = Failure::write(error, at, until);
            drive
                .to_store
                .push_back((key.of_failure(), entry, lasts.max(1000)));
        }
    }
}
