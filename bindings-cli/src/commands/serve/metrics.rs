//! What is counted, in the text form of Prometheus.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use rolesanywhere_core::UnixTime;

use super::renewer::Served;

/// The kinds of request that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Token,
    RoleName,
    InstanceCredentials,
    ContainerCredentials,
    Placement,
    Other,
}

const ROUTES: [(Route, &str); 6] = [
    (Route::Token, "token"),
    (Route::RoleName, "role_name"),
    (Route::InstanceCredentials, "instance_credentials"),
    (Route::ContainerCredentials, "container_credentials"),
    (Route::Placement, "placement"),
    (Route::Other, "other"),
];

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// By route: answered well, refused, failed.
    requests: [[AtomicU64; 3]; ROUTES.len()],
    renewals: AtomicU64,
    failed_renewals: AtomicU64,
    expiration: AtomicI64,
}

impl Metrics {
    /// A request was answered with this status.
    pub(super) fn answered(&self, route: Route, status: u16) {
        let outcome = match status {
            ..400 => 0,
            400..500 => 1,
            _ => 2,
        };
        let place = ROUTES.iter().position(|(known, _)| *known == route);
        let counter = place.and_then(|place| self.requests.get(place)?.get(outcome));
        if let Some(counter) = counter {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// There are new credentials.
    pub(super) fn renewed(&self, served: &Served) {
        self.renewals.fetch_add(1, Relaxed);
        self.expiration.store(served.expiration.seconds(), Relaxed);
    }

    /// A renewal failed.
    pub(super) fn failed(&self) {
        self.failed_renewals.fetch_add(1, Relaxed);
    }

    /// The page.
    pub(super) fn to_text(&self, now: UnixTime) -> String {
        let mut text = String::from(
            "# HELP rolesanywhere_requests_total Requests, by what they asked for and how it went.\n\
             # TYPE rolesanywhere_requests_total counter\n",
        );
        // Writing into a string does not fail.
        for ((_, route), counters) in ROUTES.iter().zip(&self.requests) {
            for (outcome, counter) in ["ok", "refused", "failed"].iter().zip(counters) {
                let count = counter.load(Relaxed);
                let _ = writeln!(
                    text,
                    "rolesanywhere_requests_total{{route=\"{route}\",outcome=\"{outcome}\"}} {count}"
                );
            }
        }
        let expiration = self.expiration.load(Relaxed);
        let _ = write!(
            text,
            "# HELP rolesanywhere_renewals_total Sessions asked of the service, by outcome.\n\
             # TYPE rolesanywhere_renewals_total counter\n\
             rolesanywhere_renewals_total{{outcome=\"ok\"}} {}\n\
             rolesanywhere_renewals_total{{outcome=\"failed\"}} {}\n\
             # HELP rolesanywhere_credentials_expiration_timestamp_seconds When the credentials end.\n\
             # TYPE rolesanywhere_credentials_expiration_timestamp_seconds gauge\n\
             rolesanywhere_credentials_expiration_timestamp_seconds {expiration}\n\
             # HELP rolesanywhere_credentials_valid Whether there are credentials that are valid.\n\
             # TYPE rolesanywhere_credentials_valid gauge\n\
             rolesanywhere_credentials_valid {}\n",
            self.renewals.load(Relaxed),
            self.failed_renewals.load(Relaxed),
            u8::from(now.seconds() < expiration),
        );
        text
    }
}
