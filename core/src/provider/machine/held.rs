//! The credentials at hand, and for how long they are used without a question.

use core::time::Duration;

use super::Provider;
use crate::{
    Session,
    provider::{
        action::{Advice, Window},
        clock::{ServiceTime, UNSEEN_STEP_MILLISECONDS},
        policy::BLIND_LOOK,
    },
};

/// Credentials, and when to do something about them, in milliseconds of the service's time.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) session: Session,
    /// When the credentials were issued.
    pub(super) issued_at: i64,
    /// When their renewal begins in the background.
    pub(super) renew_at: i64,
    /// When something is to be done in the background: that, or a look into the store before.
    pub(super) background_at: i64,
    /// When callers begin to wait for it.
    pub(super) mandatory_at: i64,
    pub(super) expires_at: i64,
    /// No renewal begins before, on the time line.
    pub(super) rests_until: u64,
}

/// How the credentials at hand stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// There are none that are valid.
    None,
    /// Nothing to do.
    Fresh,
    /// Renewal is due in the background.
    Background,
    /// Callers wait for the renewal.
    Mandatory,
}

impl Provider {
    pub(super) fn standing(&self) -> Standing {
        let Some(held) = &self.held else {
            return Standing::None;
        };
        let now = self.clock.service_milliseconds();
        let is_due = held.rests_until <= self.clock.line();
        if now >= held.expires_at {
            Standing::None
        } else if is_due && (now >= held.mandatory_at || self.clock.is_doubtful()) {
            Standing::Mandatory
        } else if is_due && now >= held.background_at {
            Standing::Background
        } else {
            Standing::Fresh
        }
    }

    /// The refusal that the last failure leaves, until the next try.
    pub(super) fn refusal(&self) -> Option<Advice> {
        let left = self.retry_at?.checked_sub(self.clock.line())?;
        (left > 0).then_some(Advice::Fail {
            again_after: Duration::from_millis(left),
        })
    }

    pub(super) fn window_of_use(&self) -> Window {
        let now = self.clock.service_milliseconds();
        let line = self.clock.line();
        let fresh = self.held.as_ref().map_or(0, |held| {
            let rests = held.rests_until.saturating_sub(line);
            if self.clock.is_doubtful() {
                return rests; // a renewal asks for the time as soon as it may
            }
            u64::try_from(held.background_at - now)
                .unwrap_or(0)
                .max(rests)
        });
        self.window(fresh)
    }

    /// The next so many milliseconds, up to the end of the credentials, after which the host asks.
    pub(super) fn window(&self, milliseconds: u64) -> Window {
        match self.clock.reading().monotonic {
            Some(_) => self.window_of(milliseconds),
            None => self.window_of(milliseconds.min(BLIND_LOOK)),
        }
    }

    /// The next so many milliseconds, up to the end of the credentials.
    pub(super) fn window_of(&self, milliseconds: u64) -> Window {
        let now = self.clock.reading();
        let held = self.held.as_ref();
        let valid = held.map_or(0, |held| {
            held.expires_at - self.clock.service_milliseconds()
        });
        let length = milliseconds.min(u64::try_from(valid).unwrap_or(0));
        Window {
            since: now.wall.plus(-UNSEEN_STEP_MILLISECONDS),
            until: now.wall.plus(i64::try_from(length).unwrap_or(i64::MAX)),
            monotonic_until: now.monotonic.map(|now| now.saturating_add(length)),
        }
    }

    /// Takes credentials into use that were issued at `issued_at` and are valid.
    pub(super) fn hold(&mut self, session: Session, issued_at: i64) {
        let expires_at = ServiceTime::new(session.credentials().expiration()).milliseconds();
        let lifetime = expires_at.saturating_sub(issued_at).max(0);
        let background = self.limits.background.min(lifetime / 3);
        let mandatory = self.limits.mandatory.min(background).min(lifetime / 6);
        let mandatory_at = expires_at - mandatory;
        let renew_at = self.background_at(expires_at, background, mandatory_at);
        self.held = Some(Held {
            session,
            issued_at,
            renew_at,
            background_at: renew_at,
            mandatory_at,
            expires_at,
            rests_until: self
                .clock
                .line()
                .saturating_add(self.limits.minimum_interval),
        });
        self.failures = 0;
        self.retry_at = None;
        self.error = None;
    }
}
