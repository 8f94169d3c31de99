//! Quotas on calls per second, counted in whole seconds of the caller's clock.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use rolesanywhere_core::UnixTime;

use crate::control_plane::Group;

/// Whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// CreateSession from an address.
    Address(IpAddr),
    /// CreateSession with a certificate: a keyed hash of its header.
    Certificate(u64),
    /// A group of operations of the control plane.
    Group(Group),
}

/// Counts calls within the current second; with the second, the counts go.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    hasher: RandomState,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    second: Option<UnixTime>,
    calls: HashMap<Key, u32>,
}

impl Throttle {
    /// The key of a certificate, as its header has it.
    pub(crate) fn certificate(&self, header: &str) -> Key {
        Key::Certificate(self.hasher.hash_one(header))
    }

    /// Counts one call under every key. False when one of them has used up its `limit` for this
    /// second; a call that is refused counts as well.
    pub(crate) fn admit(&self, keys: &[Key], limit: u32, now: UnixTime) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.second != Some(now) {
            counts.second = Some(now);
            counts.calls.clear();
        }
        keys.iter().fold(true, |admitted, key| {
            let calls = counts.calls.entry(*key).or_default();
            *calls = calls.saturating_add(1);
            admitted && *calls <= limit
        })
    }

    /// Forgets what was counted.
    pub(crate) fn clear(&self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts = Counts::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_quota_in_each_second() {
        let throttle = Throttle::default();
        let (first, second) = (throttle.certificate("a"), throttle.certificate("b"));
        let address = Key::Address(IpAddr::from([127, 0, 0, 1]));
        let now = UnixTime::from_seconds(100);
        assert!(throttle.admit(&[first, address], 2, now));
        assert!(throttle.admit(&[first, address], 2, now));
        assert!(!throttle.admit(&[first], 2, now));
        // Another certificate, but the same address.
        assert!(!throttle.admit(&[second, address], 2, now));
        assert!(throttle.admit(&[second], 2, now));
        let later = now.plus_seconds(1);
        assert!(throttle.admit(&[first, address], 2, later));
    }
}
