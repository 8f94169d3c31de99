//! Certificates that are about to expire, told of as EventBridge does.
//!
//! The rules are the user guide's ("Customize notification settings", "Monitoring IAM Roles Anywhere
//! events in Amazon EventBridge"): once a day, from the day on which at most `threshold` days are
//! left; for a trust anchor's certificate until 14 days after it expired, for an end entity's that
//! was used within the last day until the day on which it expires.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use rolesanywhere_core::UnixTime;
use serde_json::{Value, json};

use crate::{
    certificate::Certificate,
    config::NotificationEvent,
    identifier::{derived_uuid, subject_id},
    store::{Subjects, TrustAnchor},
};

const DAY: i64 = 24 * 60 * 60;
/// How long after its expiry a trust anchor's certificate is still told of.
const DAYS_AFTER_EXPIRY: i64 = 14;
/// How many subjects are looked at in one go.
const PAGE: usize = 100;
/// How many events are kept, the newest.
const MAX_EVENTS: usize = 1_000;

/// A certificate about to expire, as EventBridge tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryEvent {
    /// A UUID; the same certificate on the same day has the same.
    pub id: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// When it was told.
    pub time: UnixTime,
    /// The ARN of the trust anchor whose certificate it is; none for an end entity's.
    pub trust_anchor_arn: Option<String>,
    /// The content of the serial number's INTEGER in upper-case hexadecimal.
    pub certificate_serial_number: String,
    /// Whole days left; negative once it has expired.
    pub days_to_expiry: i64,
    /// The issuer as the service writes names.
    pub issuer: String,
}

impl ExpiryEvent {
    /// The event as EventBridge delivers it.
    pub fn to_json(&self) -> Value {
        let mut event = json!({
            "version": "0",
            "id": self.id,
            "detail-type": "Roles Anywhere Certificate Expiration State Change",
            "source": "aws.rolesanywhere",
            "account": self.account,
            "time": self.time.to_iso8601(),
            "region": self.region,
            "resources": [],
            "detail": {
                "certificate-serial-number": self.certificate_serial_number,
                "days-to-expiry": self.days_to_expiry,
                "issuer": self.issuer,
            },
        });
        if let (Some(arn), Some(members)) = (&self.trust_anchor_arn, event.as_object_mut()) {
            members.insert("resources".to_owned(), json!([arn]));
        }
        event
    }
}

/// An end-entity certificate that a session was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsedCertificate {
    pub(crate) trust_anchor_arn: String,
    pub(crate) serial_number: String,
    pub(crate) issuer: String,
    pub(crate) not_after: UnixTime,
}

/// What has been told.
#[derive(Debug, Default)]
pub(crate) struct Notifications(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The ids of the events of the day that was looked at last.
    told: BTreeSet<String>,
    day: i64,
    events: VecDeque<ExpiryEvent>,
}

/// Whose events they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

impl Notifications {
    /// Tells what is due at `now` and has not been told today, and returns all events that are kept,
    /// oldest first.
    pub(crate) fn events(
        &self,
        place: Place<'_>,
        anchors: &[&TrustAnchor],
        used: &[UsedCertificate],
        now: UnixTime,
    ) -> Vec<ExpiryEvent> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let day = now.seconds().div_euclid(DAY);
        if state.day != day {
            state.day = day;
            state.told.clear();
        }
        for event in due(place, anchors, used, now) {
            if state.told.insert(event.id.clone()) {
                state.events.push_back(event);
            }
        }
        let excess = state.events.len().saturating_sub(MAX_EVENTS);
        state.events.drain(..excess);
        state.events.iter().cloned().collect()
    }

    /// Forgets what was told.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

/// The events that are due at `now`.
pub(crate) fn due(
    place: Place<'_>,
    anchors: &[&TrustAnchor],
    used: &[UsedCertificate],
    now: UnixTime,
) -> Vec<ExpiryEvent> {
    let day = now.seconds().div_euclid(DAY).to_be_bytes();
    let event = |arn: Option<&str>, serial: &str, issuer: &str, days: i64| ExpiryEvent {
        id: derived_uuid(&[
            b"expiry",
            arn.unwrap_or_default().as_bytes(),
            issuer.as_bytes(),
            serial.as_bytes(),
            &day,
        ]),
        account: place.account.to_owned(),
        region: place.region.to_owned(),
        time: now,
        trust_anchor_arn: arn.map(str::to_owned),
        certificate_serial_number: serial.to_owned(),
        days_to_expiry: days,
        issuer: issuer.to_owned(),
    };
    let mut events = Vec::new();
    for anchor in anchors {
        let Some(threshold) = threshold(anchor, NotificationEvent::CaCertificateExpiry) else {
            continue;
        };
        for ca in &anchor.certificates {
            let days = days_left(ca.not_after, now);
            if (-DAYS_AFTER_EXPIRY..=threshold).contains(&days) {
                events.push(event(
                    Some(&anchor.arn),
                    &serial_number(ca),
                    &ca.issuer_name.to_string(),
                    days,
                ));
            }
        }
    }
    for used in used {
        let of_anchor = anchors
            .iter()
            .find(|anchor| anchor.arn == used.trust_anchor_arn);
        let threshold = of_anchor
            .and_then(|anchor| threshold(anchor, NotificationEvent::EndEntityCertificateExpiry));
        let days = days_left(used.not_after, now);
        if threshold.is_some_and(|threshold| (0..=threshold).contains(&days)) {
            events.push(event(None, &used.serial_number, &used.issuer, days));
        }
    }
    events
}

/// The end-entity certificates that were used within the day before `now`.
pub(crate) fn used_certificates(
    subjects: &Subjects,
    anchors: &[&TrustAnchor],
    now: UnixTime,
) -> Vec<UsedCertificate> {
    let (mut used, mut last) = (Vec::new(), String::new());
    loop {
        let page = subjects.after(&last, PAGE);
        let Some(end) = page.last() else {
            return used;
        };
        last.clone_from(&end.id);
        for subject in &page {
            let credentials = subject.credentials.iter();
            for credential in credentials.filter(|c| now.seconds_since(c.seen_at) <= DAY) {
                let Ok(certificate) = Certificate::from_der(&credential.certificate_der) else {
                    continue;
                };
                // A subject's id follows from its trust anchor.
                let anchor = anchors
                    .iter()
                    .find(|anchor| subject_id(&anchor.arn, &certificate.subject) == subject.id);
                used.extend(anchor.map(|anchor| UsedCertificate {
                    trust_anchor_arn: anchor.arn.clone(),
                    serial_number: serial_number(&certificate),
                    issuer: certificate.issuer_name.to_string(),
                    not_after: certificate.not_after,
                }));
            }
        }
    }
}

/// What CloudWatch's `DaysToExpiry` is of a trust anchor at `now`, while it is published: for the
/// certificate that expires first, up to the day on which it does.
pub(crate) fn days_to_expiry(anchor: &TrustAnchor, now: UnixTime) -> Option<i64> {
    let threshold = threshold(anchor, NotificationEvent::CaCertificateExpiry)?;
    let days = |ca: &Certificate| days_left(ca.not_after, now);
    let first = anchor.certificates.iter().map(days).min()?;
    (0..=threshold).contains(&first).then_some(first)
}

/// How many days ahead an event is told of; `None` when it is not.
fn threshold(anchor: &TrustAnchor, event: NotificationEvent) -> Option<i64> {
    let mut settings = anchor.notification_settings.iter();
    let setting = settings.find(|setting| setting.event == event)?;
    setting.threshold.filter(|_| setting.enabled).map(i64::from)
}

/// Whole days; 0 on the last, negative afterwards.
fn days_left(not_after: UnixTime, now: UnixTime) -> i64 {
    not_after.seconds_since(now).div_euclid(DAY)
}

/// As the user guide's example has it: `00936EACBE07F201DF`.
fn serial_number(certificate: &Certificate) -> String {
    data_encoding::HEXUPPER.encode(&certificate.serial)
}
