//! Metrics: how often CreateSession succeeded and failed, and how long trust anchors last.
//!
//! Names, dimensions and rules are CloudWatch's (user guide, "Monitoring IAM Roles Anywhere with
//! Amazon CloudWatch"): `Success` by trust anchor, `Failure` by error type, `DaysToExpiry` by trust
//! anchor while its notification setting says so.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::audit::{AuditRecord, Outcome};

/// The metrics at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// How often CreateSession succeeded, by the trust anchor's ARN.
    pub success: BTreeMap<String, u64>,
    /// How often CreateSession failed, by error type: `AccessDeniedException`.
    pub failure: BTreeMap<String, u64>,
    /// In how many days the first certificate of a trust anchor expires, by the trust anchor's ARN;
    /// those only that are told of (enabled, within the threshold, not past the day of expiry).
    pub days_to_expiry: BTreeMap<String, i64>,
}

/// The counters, since the service was made or reset.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    success: BTreeMap<String, u64>,
    failure: BTreeMap<String, u64>,
}

impl Counters {
    /// Counts a call, if it is one that CloudWatch counts.
    pub(crate) fn count(&self, record: &AuditRecord) {
        if record.operation != "CreateSession" {
            return;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { success, failure } = &mut *counts;
        let (counters, key) = match &record.outcome {
            Outcome::Refused { fault, .. } => (failure, fault.entry().code),
            Outcome::Succeeded { .. } => (
                success,
                record.trust_anchor_arn.as_deref().unwrap_or_default(),
            ),
        };
        match counters.get_mut(key) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                counters.insert(key.to_owned(), 1);
            }
        }
    }

    /// Begins anew.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Counts::default();
    }

    pub(crate) fn metrics(&self, days_to_expiry: BTreeMap<String, i64>) -> Metrics {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Metrics {
            success: counts.success.clone(),
            failure: counts.failure.clone(),
            days_to_expiry,
        }
    }
}

impl Metrics {
    /// As CloudWatch describes metrics: namespace, names, dimensions, units; with the sum or value.
    pub fn to_json(&self) -> Value {
        const OPERATION: (&str, &str) = ("Operation", "CreateSession");
        let mut metrics = Vec::new();
        let mut add = |name: &str, dimensions: &[(&str, &str)], unit: &str, value: Value| {
            let dimensions: Vec<Value> = dimensions
                .iter()
                .map(|(name, value)| json!({ "Name": name, "Value": value }))
                .collect();
            metrics.push(json!({
                "MetricName": name,
                "Dimensions": dimensions,
                "Unit": unit,
                "Value": value,
            }));
        };
        for (anchor, count) in &self.success {
            let dimensions = [OPERATION, ("TrustAnchorArn", anchor.as_str())];
            add("Success", &dimensions, "Count", json!(count));
        }
        for (error, count) in &self.failure {
            let dimensions = [OPERATION, ("ErrorType", error.as_str())];
            add("Failure", &dimensions, "Count", json!(count));
        }
        for (anchor, days) in &self.days_to_expiry {
            let dimensions = [("TrustAnchorArn", anchor.as_str())];
            add("DaysToExpiry", &dimensions, "None", json!(days));
        }
        json!({ "Namespace": "AWS/RolesAnywhere", "Metrics": metrics })
    }

    /// The text format of Prometheus (version 0.0.4).
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, String)>| {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            for (labels, value) in samples {
                text.push_str(&format!("{name}{{{labels}}} {value}\n"));
            }
        };
        let counted = |label: &str, counts: &BTreeMap<String, u64>| -> Vec<(String, String)> {
            counts
                .iter()
                .map(|(value, count)| {
                    (
                        format!("operation=\"CreateSession\",{label}=\"{}\"", escaped(value)),
                        count.to_string(),
                    )
                })
                .collect()
        };
        family(
            "rolesanywhere_success_total",
            "counter",
            "Calls of CreateSession that returned credentials.",
            counted("trust_anchor_arn", &self.success),
        );
        family(
            "rolesanywhere_failure_total",
            "counter",
            "Calls of CreateSession that were refused.",
            counted("error_type", &self.failure),
        );
        let days = self.days_to_expiry.iter().map(|(anchor, days)| {
            (
                format!("trust_anchor_arn=\"{}\"", escaped(anchor)),
                days.to_string(),
            )
        });
        family(
            "rolesanywhere_days_to_expiry",
            "gauge",
            "Days until the first certificate of a trust anchor expires, within its threshold.",
            days.collect(),
        );
        text
    }
}

/// A label's value: backslash, quote and line feed are escaped.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
