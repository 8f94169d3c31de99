//! What the service tells of itself: audit records, metrics, events, the console.

use rolesanywhere_core::UnixTime;
use serde_json::Value;

use crate::{
    audit::AuditRecord,
    console::{self, CALLS_SHOWN, SUBJECTS_SHOWN, View},
    message::{Request, Response},
    metrics::Metrics,
    notifications::{self, ExpiryEvent, Place},
    service::Service,
    store::TrustAnchor,
};

impl Service {
    /// The newest audit records in CloudTrail's shape, oldest first; see
    /// [`AuditRecord::to_cloudtrail`].
    pub fn cloudtrail_records(&self) -> Vec<Value> {
        let account = self.account();
        self.audit_records()
            .iter()
            .map(|record| record.to_cloudtrail(&account.id, &account.region))
            .collect()
    }

    /// Shows every later audit record to `observer` when it is written, before the answer goes out. It
    /// is called by whichever thread answers, and each call waits for it. False when there is an
    /// observer already, which then stays.
    pub fn on_audit_record(&self, observer: impl Fn(&AuditRecord) + Send + Sync + 'static) -> bool {
        self.audit().observe(Box::new(observer))
    }

    /// The metrics at `now`.
    pub fn metrics(&self, now: UnixTime) -> Metrics {
        let resources = self.resources();
        let anchors = resources.trust_anchors.values();
        let days_to_expiry = anchors.filter_map(|anchor| {
            let days = notifications::days_to_expiry(anchor, now)?;
            Some((anchor.arn.clone(), days))
        });
        self.counters().metrics(days_to_expiry.collect())
    }

    /// Tells of the certificates that are about to expire at `now`, of each once a day, and returns
    /// the newest thousand events, oldest first. Days on which nobody asks pass without an event.
    pub fn events(&self, now: UnixTime) -> Vec<ExpiryEvent> {
        let resources = self.resources();
        let anchors = resources.trust_anchors.values().map(AsRef::as_ref);
        let anchors: Vec<&TrustAnchor> = anchors.collect();
        let used = notifications::used_certificates(self.subjects(), &anchors, now);
        let account = self.account();
        let place = Place {
            account: &account.id,
            region: &account.region,
        };
        self.notifications().events(place, &anchors, &used, now)
    }

    /// Forgets counts and events, as a reset does.
    pub(crate) fn reset_monitoring(&self) {
        self.counters().clear();
        self.notifications().clear();
    }

    /// The console, for those who may see it.
    pub(crate) fn console(&self, request: &Request, request_id: &str, now: UnixTime) -> Response {
        if let Err(why) = console::may_see(request, &self.settings().console_hosts) {
            return console::refused(&why, request_id, now);
        }
        let resources = self.resources();
        let account = self.account();
        let subjects = self.subjects().after("", SUBJECTS_SHOWN);
        let view = View {
            account: &account.id,
            region: &account.region,
            now,
            trust_anchors: resources
                .trust_anchors
                .values()
                .map(AsRef::as_ref)
                .collect(),
            crls: resources.crls.values().map(AsRef::as_ref).collect(),
            profiles: resources.profiles.values().map(AsRef::as_ref).collect(),
            roles: resources.roles.values().map(AsRef::as_ref).collect(),
            subjects: &subjects,
            subject_count: self.subjects().len(),
            calls: &self.audit().newest(CALLS_SHOWN),
        };
        console::page(&view, request_id, now)
    }
}
