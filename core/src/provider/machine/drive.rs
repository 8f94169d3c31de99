//! A renewal under way, and what it waits for.

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};

use crate::{
    CertificateChain, Error, Secret, UnsignedRequest,
    provider::{clock::ServiceTime, policy::GRACE, sharing::EntryKey},
};

/// A renewal under way.
#[derive(Debug)]
pub(super) struct Drive {
    /// When it ends at the latest, on the time line.
    pub(super) deadline: u64,
    /// When a driver was seen last, on the time line.
    pub(super) attended_at: u64,
    /// The action that is waited for.
    pub(super) pending: Option<Pending>,
    /// Whether valid credentials were at hand when it began.
    pub(super) had_valid: bool,
    /// Whether a caller does not want these.
    pub(super) is_refresh: bool,
    pub(super) key: Option<EntryKey>,
    pub(super) chain: Option<CertificateChain>,
    pub(super) request: Option<Arc<UnsignedRequest>>,
    /// The date of that request.
    pub(super) dated: ServiceTime,
    /// How often a request was sent, the attempt that a wrong clock cost not counted.
    pub(super) attempt: u32,
    /// By how much the service's clock is ahead of what is known, by a refusal's date, in seconds.
    pub(super) correction: Option<i64>,
    pub(super) is_locked: bool,
    /// When waiting for another's lock ends, on the time line.
    pub(super) lock_wait_until: Option<u64>,
    /// Why the service will refuse, where that depends on a clock that is not confirmed.
    pub(super) doubt: Option<Error>,
    /// The error of the last attempt.
    pub(super) last: Option<Error>,
    /// What is stored when the renewal has ended.
    pub(super) to_store: VecDeque<(EntryKey, Secret<Vec<u8>>, u64)>,
    /// Whether only the store and the lock are left to do.
    pub(super) is_over: bool,
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: u32,
    pub(super) stage: Stage,
    pub(super) timeout: u64,
    /// When it counts as failed, on the time line; `None` until a driver has taken it.
    pub(super) deadline: Option<u64>,
}

/// What an action is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Identity,
    Sign,
    Send,
    Look(Look),
    Lock,
    Store,
    Unlock,
    Pause(Then),
}

/// Why the store is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Before anything else.
    First,
    /// After a pause, because another renews or others start too.
    Again,
    /// Under the lock: its last holder may have renewed.
    Locked,
    /// Whether another has failed just now.
    Failure,
    /// The same while another has the lock.
    FailureAgain,
}

/// What follows a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Identity,
    Attempt,
    Look,
}

impl Drive {
    /// Whether its driver should have come long ago.
    pub(super) fn is_lost(&self, line: u64) -> bool {
        line >= self.lost_at()
    }

    /// From when on, on the time line, its driver is lost unless it comes before.
    pub(super) fn lost_at(&self) -> u64 {
        let expected = match &self.pending {
            Some(Pending {
                deadline: Some(deadline),
                ..
            }) => *deadline,
            _ => self.attended_at,
        };
        expected.max(self.attended_at).saturating_add(GRACE)
    }
}
