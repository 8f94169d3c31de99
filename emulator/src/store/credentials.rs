//! Issued credentials: bounded, the oldest make room.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rolesanywhere_core::UnixTime;
use zeroize::Zeroizing;

/// The credentials of one session, and whose they are.
pub(crate) struct SessionCredentials {
    pub(crate) access_key_id: String,
    /// Wiped when the last holder lets go.
    pub(crate) secret_access_key: Zeroizing<String>,
    /// Wiped when the last holder lets go.
    pub(crate) session_token: Zeroizing<String>,
    pub(crate) expiration: UnixTime,
    pub(crate) assumed_role_arn: String,
    pub(crate) assumed_role_id: String,
    pub(crate) account: String,
}

impl fmt::Debug for SessionCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCredentials")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .field("assumed_role_arn", &self.assumed_role_arn)
            .finish_non_exhaustive()
    }
}

/// The newest issued credentials, by access key id.
#[derive(Debug)]
pub(crate) struct IssuedCredentials {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_access_key_id: HashMap<String, Arc<SessionCredentials>>,
    order: VecDeque<String>,
}

impl IssuedCredentials {
    /// A store that keeps the newest `limit` credentials.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Mutex::default(),
        }
    }

    /// Keeps credentials. Gives them back with the access key ids of those that made room.
    pub(crate) fn insert(
        &self,
        credentials: SessionCredentials,
    ) -> (Arc<SessionCredentials>, Vec<String>) {
        let mut forgotten = Vec::new();
        let credentials = Arc::new(credentials);
        let id = credentials.access_key_id.clone();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while held.order.len() >= self.limit.max(1) {
            if let Some(oldest) = held.order.pop_front() {
                held.by_access_key_id.remove(&oldest);
                forgotten.push(oldest);
            }
        }
        held.order.push_back(id.clone());
        held.by_access_key_id.insert(id, Arc::clone(&credentials));
        (credentials, forgotten)
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<SessionCredentials>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.by_access_key_id.get(access_key_id).map(Arc::clone)
    }

    pub(crate) fn clear(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Held::default();
    }

    pub(crate) fn count(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(id: &str) -> SessionCredentials {
        SessionCredentials {
            access_key_id: id.to_owned(),
            secret_access_key: Zeroizing::new("hidden-secret".to_owned()),
            session_token: Zeroizing::new("hidden-token".to_owned()),
            expiration: UnixTime::from_seconds(0),
            assumed_role_arn: String::new(),
            assumed_role_id: String::new(),
            account: String::new(),
        }
    }

    #[test]
    fn the_oldest_make_room() {
        let store = IssuedCredentials::new(2);
        for id in ["a", "b", "c"] {
            store.insert(credentials(id));
        }
        assert!(store.find("a").is_none());
        assert!(store.find("b").is_some() && store.find("c").is_some());
        assert_eq!(store.count(), 2);
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", credentials("a")).contains("hidden"));
    }
}
