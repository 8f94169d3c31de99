//! The audit log: one record for each call, with the true reason of each refusal.

mod cloudtrail;

use std::{
    collections::VecDeque,
    fmt,
    net::IpAddr,
    sync::{Mutex, OnceLock, PoisonError},
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
    /// What the client said that it is.
    pub user_agent: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The certificate's serial number in decimal, once it was read.
    pub certificate_serial: Option<String>,
    /// The certificate's subject, once it was read.
    pub certificate_subject: Option<String>,
    /// The certificate, DER, once it was read.
    pub certificate_der: Option<Vec<u8>>,
    /// The duration that was asked for, in seconds.
    pub duration_seconds: Option<u32>,
    /// The session name that was asked for.
    pub role_session_name: Option<String>,
    /// The trust anchor that was asked for.
    pub trust_anchor_arn: Option<String>,
    /// The profile that was asked for.
    pub profile_arn: Option<String>,
    /// The role that was asked for.
    pub role_arn: Option<String>,
    /// The input of a control-plane call, once it was found to have the operation's shape.
    pub request_parameters: Option<serde_json::Value>,
    /// What a control-plane call that changes something answered.
    pub response_elements: Option<serde_json::Value>,
    /// Where an accepted request did not conform to the signing process, as CloudTrail's
    /// `additionalEventData` notes it.
    pub nonconformance: Vec<String>,
    /// What CreateSession gave out.
    pub session: Option<IssuedSession>,
}

/// What CreateSession gave out, without the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedSession {
    /// `AROA…:NAME`
    pub assumed_role_id: String,
    /// When it ends.
    pub expiration: UnixTime,
    /// How full its policies and tags are, in percent.
    pub packed_policy_size: u32,
    /// The ARN of the subject that asked for it.
    pub subject_arn: String,
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
            user_agent: None,
            certificate_serial: None,
            certificate_subject: None,
            certificate_der: None,
            duration_seconds: None,
            role_session_name: None,
            trust_anchor_arn: None,
            profile_arn: None,
            role_arn: None,
            request_parameters: None,
            response_elements: None,
            nonconformance: Vec::new(),
            session: None,
        }
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.operation.starts_with("Get") || self.operation.starts_with("List")
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

impl fmt::Display for AuditRecord {
    /// One line for a log: what was asked for, by whom, and what became of it with the true reason.
    /// Control characters are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{} {}", self.time.to_iso8601(), self.operation);
        for (name, value) in [
            ("subject", &self.certificate_subject),
            ("serial", &self.certificate_serial),
            ("role", &self.role_arn),
        ] {
            if let Some(value) = value {
                line.push_str(&format!(" {name}={value:?}"));
            }
        }
        match &self.outcome {
            Outcome::Refused {
                check,
                fault,
                message,
                reason,
            } => {
                let code = fault.entry().code;
                line.push_str(&format!(" refused: {code} {message:?}; {check}: {reason}"));
            }
            Outcome::Succeeded {
                assumed_role_arn, ..
            } => {
                line.push_str(&format!(" succeeded: {assumed_role_arn}"));
                for note in &self.nonconformance {
                    line.push_str(&format!("; not as it should be signed: {note}"));
                }
            }
        }
        line.chars().try_for_each(|c| {
            if c.is_control() {
                write!(f, "{}", c.escape_unicode())
            } else {
                write!(f, "{c}")
            }
        })
    }
}

/// The newest records, in memory.
pub(crate) struct AuditLog {
    limit: usize,
    records: Mutex<VecDeque<AuditRecord>>,
    observer: OnceLock<Observer>,
}

/// Is shown every record when it is written.
type Observer = Box<dyn Fn(&AuditRecord) + Send + Sync>;

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl AuditLog {
    /// A log that keeps the newest `limit` records.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: Mutex::new(VecDeque::new()),
            observer: OnceLock::new(),
        }
    }

    /// Shows every later record to `observer`; false when there is an observer already.
    pub(crate) fn observe(&self, observer: Observer) -> bool {
        self.observer.set(observer).is_ok()
    }

    pub(crate) fn push(&self, record: AuditRecord) {
        if let Some(observer) = self.observer.get() {
            observer(&record);
        }
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        while records.len() >= self.limit.max(1) {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// The newest `count` records, oldest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<AuditRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let older = records.len().saturating_sub(count);
        records.iter().skip(older).cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.clear();
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
