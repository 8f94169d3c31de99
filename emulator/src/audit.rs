//! The audit log: one record for each call, with the true reason of each refusal.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use rolesanywhere_core::UnixTime;

use crate::error::{Fault, Refusal};

/// What one call was and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When the call arrived, by the clock that [`handle`](crate::Service::handle) was given.
    pub time: UnixTime,
    /// The request id that the response carried.
    pub request_id: String,
    /// `CreateSession`, `GetCallerIdentity`, or method and path where there is no such operation.
    pub operation: String,
    /// The client's address.
    pub source: Option<IpAddr>,
    /// What became of it.
    pub outcome: Outcome,
    /// The certificate's serial number in decimal, once it was read.
    pub certificate_serial: Option<String>,
    /// The certificate's subject, once it was read.
    pub certificate_subject: Option<String>,
    /// The trust anchor that was asked for.
    pub trust_anchor_arn: Option<String>,
    /// The profile that was asked for.
    pub profile_arn: Option<String>,
    /// The role that was asked for.
    pub role_arn: Option<String>,
    /// Where an accepted request did not conform to the signing process, as CloudTrail's
    /// `additionalEventData` notes it.
    pub nonconformance: Vec<String>,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was refused.
    Refused {
        /// The check that refused it, as the table of checks names it.
        check: &'static str,
        /// The fault.
        fault: Fault,
        /// The message that the client got.
        message: String,
        /// The true reason.
        reason: String,
    },
    /// It succeeded.
    Succeeded {
        /// The access key that was issued, or that signed the call.
        access_key_id: String,
        /// The ARN of the assumed role session.
        assumed_role_arn: String,
        /// The source identity; empty where the call sets none.
        source_identity: String,
    },
}

impl AuditRecord {
    pub(crate) fn new(time: UnixTime, request_id: &str, operation: &str) -> Self {
        Self {
            time,
            request_id: request_id.to_owned(),
            operation: operation.to_owned(),
            source: None,
            outcome: Outcome::Refused {
                check: "none",
                fault: Fault::InternalFailure,
                message: String::new(),
                reason: "the call was not finished".to_owned(),
            },
            certificate_serial: None,
            certificate_subject: None,
            trust_anchor_arn: None,
            profile_arn: None,
            role_arn: None,
            nonconformance: Vec::new(),
        }
    }

    pub(crate) fn refuse(&mut self, check: &'static str, refusal: &Refusal) {
        self.outcome = Outcome::Refused {
            check,
            fault: refusal.fault(),
            message: refusal.message(),
            reason: refusal.reason().to_owned(),
        };
    }
}

/// The newest records, in memory.
#[derive(Debug)]
pub(crate) struct AuditLog {
    limit: usize,
    records: Mutex<VecDeque<AuditRecord>>,
}

impl AuditLog {
    /// A log that keeps the newest `limit` records.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: Mutex::new(VecDeque::new()),
        }
    }

    pub(crate) fn push(&self, record: AuditRecord) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        while records.len() >= self.limit.max(1) {
            records.pop_front();
        }
        records.push_back(record);
    }

    pub(crate) fn records(&self) -> Vec<AuditRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_records_make_room() {
        let log = AuditLog::new(2);
        for id in ["a", "b", "c"] {
            log.push(AuditRecord::new(
                UnixTime::from_seconds(0),
                id,
                "CreateSession",
            ));
        }
        let ids: Vec<_> = log.records().into_iter().map(|r| r.request_id).collect();
        assert_eq!(ids, ["b", "c"]);
    }
}
