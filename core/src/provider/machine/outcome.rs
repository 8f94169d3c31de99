//! How a renewal ends: credentials or an error, what others hear of it, and when to try again.

use alloc::{
    format,
    string::{String, ToString},
};
use core::time::Duration;

use super::{Provider, drive::Stage, held::Standing};
use crate::{
    CertificateChain, Error, ErrorKind, Session,
    provider::action::{Action, Event, NoteKind},
};

impl Provider {
    /// Takes a session of the service's into use.
    pub(super) fn succeed(&mut self, session: Session, issued_at: i64) {
        self.hold(session, issued_at);
        let ends = self.held.as_ref().map(|held| held.session.credentials());
        let ends = ends.map_or_else(String::new, |held| held.expiration_text().to_string());
        self.note(NoteKind::Renewed, &["new credentials, they end at ", &ends]);
        self.publish_session();
        self.finish();
    }

    /// Ends the renewal with an error of the host's own work.
    pub(super) fn fail_locally(&mut self, error: Error) {
        self.end_with(error, self.limits.maximum_local_interval);
    }

    /// Ends the renewal with an error of the service or on the way there.
    pub(super) fn fail(&mut self, error: Error) {
        self.end_with(error, self.limits.maximum_interval);
    }

    /// Ends the renewal because its time is over.
    pub(super) fn out_of_time(&mut self) {
        let last = self.drive.as_mut().and_then(|drive| drive.last.take());
        match last {
            Some(error) => self.fail(error),
            None => self.fail(Error::new(
                ErrorKind::TransportFailed,
                "the renewal did not end in its time: look at what loads the identity, the signer and the store",
            )),
        }
    }

    fn end_with(&mut self, error: Error, longest: u64) {
        let error = self.explain(error);
        let asked = error.service().and_then(|service| service.retry_after);
        let asked = asked.map_or(0, |asked| {
            u64::try_from(asked.as_millis()).unwrap_or(u64::MAX)
        });
        self.failures = self.failures.saturating_add(1);
        let shortest = self.limits.minimum_interval;
        let doubled = shortest.saturating_mul(1 << self.failures.min(20));
        // What a retry cannot mend is tried again rarely: a policy may be corrected meanwhile.
        let ceiling = match error.is_retryable() {
            true => doubled.min(longest),
            false => longest,
        };
        let mut pause = shortest + self.random.up_to(ceiling.saturating_sub(shortest));
        if self.standing() != Standing::None {
            // While there are credentials, there is a try before they end.
            let left = self.held.as_ref().map_or(0, |held| {
                held.expires_at - self.clock.service_milliseconds()
            });
            let half = u64::try_from(left / 2).unwrap_or(0);
            pause = pause.min(half.max(shortest));
        }
        pause = pause.max(asked.min(longest));
        self.publish_failure(&error, pause);
        self.give_up(error, pause);
    }

    /// Ends the renewal; the next try is so many milliseconds away.
    pub(super) fn give_up(&mut self, error: Error, pause: u64) {
        let is_valid = self.standing() != Standing::None;
        let rest = if is_valid {
            "; the credentials at hand are used on"
        } else {
            ""
        };
        self.note(NoteKind::RenewalFailed, &[error.message(), rest]);
        self.retry_at = Some(self.clock.line().saturating_add(pause));
        self.is_permanent = !error.is_retryable();
        self.error = Some(error);
        self.finish();
    }

    /// Wakes those who wait, and goes on to the store and the lock.
    pub(super) fn finish(&mut self) {
        if let Some(drive) = &mut self.drive {
            drive.is_over = true;
            drive.pending = None;
        }
        let pause = self
            .retry_at
            .map_or(0, |at| at.saturating_sub(self.clock.line()));
        let action = match (self.standing(), pause) {
            (Standing::None, _) => Action::Fail {
                again_after: Duration::from_millis(pause),
            },
            (_, 0) => Action::Use(self.window_of_use()),
            (_, pause) => Action::Use(self.window(pause)),
        };
        self.queue.push_back(action);
        self.wrap_up();
    }

    /// Stores what is to be stored, then gives the lock back, then ends.
    pub(super) fn wrap_up(&mut self) {
        let is_sharing = self.is_sharing();
        let limit = self.limits.store;
        let Some(drive) = &mut self.drive else {
            return;
        };
        if is_sharing && let Some((key, entry, ttl)) = drive.to_store.pop_front() {
            let (key, ttl) = (key.to_string(), Duration::from_millis(ttl));
            self.issue(Stage::Store, limit, |id, timeout| Action::Store {
                id,
                key,
                entry,
                ttl,
                timeout,
            });
        } else if let (true, Some(key)) = (drive.is_locked, &drive.key) {
            let key = key.to_string();
            self.issue(Stage::Unlock, limit, |id, timeout| Action::Unlock {
                id,
                key,
                timeout,
            });
        } else {
            self.drive = None;
        }
    }

    pub(super) fn unlocked(&mut self) {
        if let Some(drive) = &mut self.drive {
            drive.is_locked = false;
        }
        self.wrap_up();
    }

    /// The error with what is known besides: how often it was tried, the clock, what to do.
    fn explain(&mut self, error: Error) -> Error {
        let Some(drive) = &mut self.drive else {
            return error;
        };
        let (attempt, correction, doubt) = (drive.attempt, drive.correction, drive.doubt.take());
        let mut message = error.message().to_string();
        #[cfg(feature = "explain")]
        if let Some(remedy) = error.service().and_then(|service| service.remedy()) {
            message = [&message, ": ", remedy].concat();
        }
        match doubt {
            Some(doubt) if error.kind() == ErrorKind::TransportFailed => {
                let both = [doubt.message(), "; and ", &message].concat();
                return doubt.with_message(both);
            }
            Some(doubt) => message = [&message, "; ", doubt.message()].concat(),
            None => {}
        }
        let asked = error.service().and_then(|service| service.retry_after);
        let longest = u128::from(self.limits.maximum_pause);
        if let Some(asked) = asked.filter(|asked| asked.as_millis() > longest) {
            message = format!(
                "{message}; it asks to wait {}",
                crate::text::duration(asked)
            );
        }
        if attempt > 1 {
            message = format!("{message} ({attempt} attempts)");
        }
        if let Some(ahead) = correction.filter(|_| error.kind() != ErrorKind::InvalidResponse) {
            let clock = self.clock_in_words(ahead);
            message = [
                &message,
                "; ",
                &clock,
                ", and signing with the server's time did not help",
            ]
            .concat();
        }
        error.with_message(message)
    }

    /// Looks for what the service will refuse about the end entity.
    ///
    /// # Errors
    /// The refusal, where it does not depend on a clock that may be wrong.
    #[cfg(feature = "explain")]
    pub(super) fn look_at_findings(&mut self, chain: &CertificateChain) -> Result<(), Error> {
        use crate::identity::findings;

        let now = self.clock.service().unix_time();
        let fingerprint = crate::encoding::sha256(chain.end_entity().as_der());
        let is_new = self.noted != Some(fingerprint);
        for finding in findings(chain, now, self.call.role_session_name()) {
            if !finding.refuses() {
                // An intermediate that will be refused may stand beside a good path.
                if is_new {
                    self.note(NoteKind::Finding, &[&finding.to_string()]);
                }
                continue;
            }
            let message = format!("the service will refuse this: {finding}");
            let error = Error::new(ErrorKind::InvalidCertificate, message);
            let by_time = matches!(
                finding.code,
                "end_entity_expired" | "end_entity_not_yet_valid"
            );
            if !by_time || self.clock.is_confirmed() {
                return Err(error);
            }
            // The clock may be wrong, and the service's answer will tell.
            if let Some(drive) = &mut self.drive {
                drive.doubt = Some(error);
            }
        }
        self.noted = Some(fingerprint);
        Ok(())
    }

    /// Without the feature `explain` the service is asked.
    #[cfg(not(feature = "explain"))]
    #[allow(clippy::unnecessary_wraps)] // the signature of the function above
    pub(super) fn look_at_findings(&mut self, _: &CertificateChain) -> Result<(), Error> {
        Ok(())
    }

    /// An offset in words: `the local clock is 17 minutes behind the server's`.
    pub(super) fn clock_in_words(&self, ahead: i64) -> String {
        let side = if ahead > 0 { "behind" } else { "ahead of" };
        let length = length_in_words(ahead);
        ["the local clock is ", &length, " ", side, " the server's"].concat()
    }
}

/// A number of seconds in words, by its magnitude: `17 minutes`.
pub(super) fn length_in_words(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

/// Milliseconds as seconds: `10 s`, `0.3 s`.
pub(super) fn seconds_in_words(milliseconds: u64) -> String {
    match milliseconds % 1000 {
        0 => format!("{} s", milliseconds / 1000),
        rest => format!("{}.{} s", milliseconds / 1000, rest / 100),
    }
}

/// The id of the action that an event answers.
pub(super) fn id_of(event: &Event) -> Option<u32> {
    match event {
        Event::IdentityLoaded { id, .. }
        | Event::IdentityFailed { id, .. }
        | Event::IdentityStale { id, .. }
        | Event::Signed { id, .. }
        | Event::SignFailed { id, .. }
        | Event::Answered { id, .. }
        | Event::NotAnswered { id, .. }
        | Event::Loaded { id, .. }
        | Event::Unreadable { id }
        | Event::Locked { id }
        | Event::LockHeld { id }
        | Event::Stored { id }
        | Event::Unlocked { id }
        | Event::TimedOut { id }
        | Event::StoreFailed { id, .. } => Some(*id),
        Event::Tick
        | Event::Cancelled
        | Event::Refresh
        | Event::Forked { .. }
        | Event::Resumed
        | Event::LockLost => None,
    }
}
