//! Subjects: who asked for sessions, and with which certificates.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rolesanywhere_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;

use super::table::{Times, seconds};

/// A certificate identity that has asked for sessions.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The UUID, which follows from trust anchor and subject.
    pub(crate) id: String,
    pub(crate) enabled: bool,
    /// The subject in the form of RFC 2253.
    pub(crate) x509_subject: String,
    pub(crate) times: Times,
    #[serde(with = "seconds")]
    pub(crate) last_seen_at: UnixTime,
    pub(crate) tags: BTreeMap<String, String>,
    /// Its certificates, the newest last; [`MAX_CREDENTIALS`] at most.
    pub(crate) credentials: Vec<SubjectCredential>,
    /// What clients said of their instances, the newest last; [`MAX_INSTANCE_PROPERTIES`] at most.
    pub(crate) instance_properties: Vec<SeenProperties>,
}

/// One certificate of a subject.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct SubjectCredential {
    #[serde(with = "seconds")]
    pub(crate) seen_at: UnixTime,
    /// In decimal.
    pub(crate) serial_number: String,
    /// In the form of RFC 2253.
    pub(crate) issuer: String,
    pub(crate) enabled: bool,
    pub(crate) certificate_der: Vec<u8>,
    /// Whether the last request with it failed.
    pub(crate) failed: bool,
}

/// Instance properties as a client gave them.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct SeenProperties {
    #[serde(with = "seconds")]
    pub(crate) seen_at: UnixTime,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) failed: bool,
}

/// One request of a subject, whose signature has been verified.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) at: UnixTime,
    pub(crate) certificate: &'a Certificate,
    pub(crate) instance_properties: &'a BTreeMap<String, String>,
    pub(crate) failed: bool,
}

/// A subject that renews its certificate every hour fills this in a day; older ones make room, so
/// that memory does not grow with time.
const MAX_CREDENTIALS: usize = 24;
const MAX_INSTANCE_PROPERTIES: usize = 10;
/// One lock for each first digit of a UUID: sixteen subjects can be written at once.
const SHARDS: usize = 16;

/// All subjects. A session costs one lock that a sixteenth of the subjects share, and a search in a
/// tree, however many there are.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    shards: [Mutex<BTreeMap<String, Subject>>; SHARDS],
}

impl Subjects {
    /// Writes what was seen of the subject `id`. True when it or its certificate is new.
    pub(crate) fn record(&self, id: &str, seen: &Seen<'_>) -> bool {
        let mut shard = self.shard(id);
        match shard.get_mut(id) {
            Some(subject) => subject.record(seen),
            None => {
                let mut subject = Subject::new(id, seen);
                subject.record(seen);
                shard.insert(id.to_owned(), subject);
                true
            }
        }
    }

    /// The subject of a UUID.
    pub(crate) fn find(&self, id: &str) -> Option<Subject> {
        self.shard(id).get(id).cloned()
    }

    /// Changes the subject of a UUID; `None` when there is none.
    pub(crate) fn change<T>(&self, id: &str, change: impl FnOnce(&mut Subject) -> T) -> Option<T> {
        self.shard(id).get_mut(id).map(change)
    }

    /// Puts a subject in its place, as the state file has it.
    pub(crate) fn put(&self, subject: Subject) {
        self.shard(&subject.id).insert(subject.id.clone(), subject);
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    /// At most `limit` subjects in the order of their UUIDs, from the first after `id`.
    pub(crate) fn after(&self, id: &str, limit: usize) -> Vec<Subject> {
        let mut found = Vec::new();
        for shard in self.shards.iter().skip(shard_of(id)) {
            let shard = lock(shard);
            let after = (Bound::Excluded(id), Bound::Unbounded);
            let room = limit.saturating_sub(found.len());
            found.extend(
                shard
                    .range::<str, _>(after)
                    .take(room)
                    .map(|(_, subject)| subject.clone()),
            );
            if found.len() >= limit {
                break;
            }
        }
        found
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, BTreeMap<String, Subject>> {
        let [first, ..] = &self.shards;
        lock(self.shards.get(shard_of(id)).unwrap_or(first))
    }
}

impl Subject {
    fn new(id: &str, seen: &Seen<'_>) -> Self {
        Self {
            id: id.to_owned(),
            enabled: true,
            x509_subject: seen.certificate.subject_text.clone(),
            times: Times::at(seen.at),
            last_seen_at: seen.at,
            tags: BTreeMap::new(),
            credentials: Vec::new(),
            instance_properties: Vec::new(),
        }
    }

    /// True when the certificate is new.
    fn record(&mut self, seen: &Seen<'_>) -> bool {
        self.last_seen_at = seen.at;
        self.times.updated_at = seen.at;
        if !seen.instance_properties.is_empty() {
            self.instance_properties
                .retain(|have| have.properties != *seen.instance_properties);
            self.instance_properties.push(SeenProperties {
                seen_at: seen.at,
                properties: seen.instance_properties.clone(),
                failed: seen.failed,
            });
            keep_newest(&mut self.instance_properties, MAX_INSTANCE_PROPERTIES);
        }
        let mut credentials = self.credentials.iter_mut();
        let known = credentials.find(|have| have.certificate_der == seen.certificate.der.as_ref());
        if let Some(credential) = known {
            credential.seen_at = seen.at;
            credential.failed = seen.failed;
            return false;
        }
        self.credentials.push(SubjectCredential {
            seen_at: seen.at,
            serial_number: seen.certificate.serial_decimal.clone(),
            issuer: seen.certificate.issuer_name.to_string(),
            enabled: true,
            certificate_der: seen.certificate.der.to_vec(),
            failed: seen.failed,
        });
        keep_newest(&mut self.credentials, MAX_CREDENTIALS);
        true
    }
}

fn keep_newest<T>(items: &mut Vec<T>, limit: usize) {
    let excess = items.len().saturating_sub(limit);
    items.drain(..excess);
}

/// Shards are in the order of the first digit, so that walking them is walking UUIDs in order.
fn shard_of(id: &str) -> usize {
    let digit = id.chars().next().and_then(|first| first.to_digit(16));
    digit
        .and_then(|digit| usize::try_from(digit).ok())
        .unwrap_or(0)
}

fn lock(shard: &Mutex<BTreeMap<String, Subject>>) -> MutexGuard<'_, BTreeMap<String, Subject>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::{CertificateDer, pem::PemObject};

    use super::*;
    use crate::fixtures::CertificateAuthority;

    /// A certificate whose DER is `der`, which is all that tells certificates apart.
    fn certificate(der: &[u8]) -> Certificate {
        let now = UnixTime::from_seconds(1_780_000_000);
        let ca = CertificateAuthority::new("ca", now).unwrap();
        let pem = ca.end_entity("a", now).unwrap().certificate_pem;
        let made = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut certificate = Certificate::from_der(&made).unwrap();
        certificate.der = der.to_vec().into();
        certificate
    }

    fn seen<'a>(
        at: i64,
        certificate: &'a Certificate,
        properties: &'a BTreeMap<String, String>,
    ) -> Seen<'a> {
        Seen {
            at: UnixTime::from_seconds(at),
            certificate,
            instance_properties: properties,
            failed: false,
        }
    }

    #[test]
    fn certificates_are_kept_once_and_the_oldest_make_room() {
        let (subjects, none) = (Subjects::default(), BTreeMap::new());
        let (first, second) = (certificate(b"first"), certificate(b"second"));
        let id = "a0000000-0000-8000-8000-000000000000";
        assert!(subjects.record(id, &seen(1, &first, &none)));
        assert!(!subjects.record(id, &seen(2, &first, &none)));
        assert!(subjects.record(id, &seen(3, &second, &none)));
        let subject = subjects.find(id).unwrap();
        assert_eq!(subject.x509_subject, "CN=a");
        assert_eq!(subject.credentials.len(), 2);
        assert_eq!(subject.credentials[0].seen_at, UnixTime::from_seconds(2));
        assert_eq!(subject.times.created_at, UnixTime::from_seconds(1));
        assert_eq!(subject.last_seen_at, UnixTime::from_seconds(3));
        let mut other = first.clone();
        for number in 0..100u8 {
            other.der = vec![number].into();
            subjects.record(id, &seen(4, &other, &none));
        }
        let credentials = subjects.find(id).unwrap().credentials;
        assert_eq!(credentials.len(), MAX_CREDENTIALS);
        assert_eq!(credentials.last().unwrap().certificate_der, [99]);
    }

    #[test]
    fn pages_follow_one_another_in_the_order_of_ids() {
        let (subjects, none) = (Subjects::default(), BTreeMap::new());
        let ids: Vec<String> = (0..64u32)
            .map(|n| format!("{:08x}-0", n * 0x0400_0000 + n))
            .collect();
        let one = certificate(b"der");
        for id in ids.iter().rev() {
            subjects.record(id, &seen(1, &one, &none));
        }
        assert_eq!(subjects.len(), 64);
        let (mut after, mut listed) = (String::new(), Vec::new());
        loop {
            let page = subjects.after(&after, 7);
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            listed.extend(page.into_iter().map(|subject| subject.id));
        }
        assert_eq!(listed, ids);
    }
}
