//! Faults on demand: what a client must survive, decided here and carried out by the shell.

use std::sync::{Mutex, PoisonError};

use rolesanywhere_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Fault, Refusal},
    message::{End, Response, http_date},
};

/// A fault that is to befall calls.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct InjectedFault {
    /// The operation that it befalls, as the audit log names it; any operation when absent.
    pub operation: Option<String>,
    /// How many calls it befalls; all that follow when absent.
    pub count: Option<u32>,
    /// What happens.
    pub effect: Effect,
}

/// What befalls a call.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Effect {
    /// The operation is carried out, and the connection closed without an answer.
    DroppedConnection,
    /// The answer waits.
    Latency {
        /// How long, in milliseconds, [`MAX_LATENCY_MILLISECONDS`] at most.
        milliseconds: u64,
    },
    /// 500; nothing is carried out.
    ServerError,
    /// 503 `ServiceUnavailableException`; nothing is carried out.
    ServiceUnavailable {
        /// What the answer recommends, in seconds.
        retry_after_seconds: u32,
    },
    /// The `Date` header of the answer is off. The emulator's own clock is not.
    SkewedDate {
        /// How far, in seconds; negative is the past.
        seconds: i64,
    },
    /// 429 `ThrottlingException`; nothing is carried out.
    Throttled,
    /// The operation is carried out, and the answer breaks off.
    TruncatedBody {
        /// How many bytes of it arrive; half of them when absent.
        bytes: Option<usize>,
    },
}

/// A latency beyond this is a dropped connection.
pub const MAX_LATENCY_MILLISECONDS: u64 = 10 * 60 * 1_000;
/// More faults than this wait for nothing.
pub const MAX_FAULTS: usize = 1_000;

/// The faults that are yet to befall, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<InjectedFault>>);

impl Faults {
    /// Adds a fault. False when there are too many.
    pub(crate) fn add(&self, fault: InjectedFault) -> bool {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = faults.len() < MAX_FAULTS && fault.count != Some(0);
        if room {
            faults.push(fault);
        }
        room
    }

    pub(crate) fn all(&self) -> Vec<InjectedFault> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The fault that befalls a call of `operation`: the oldest that fits, which has one call less to
    /// befall afterwards.
    pub(crate) fn take(&self, operation: &str) -> Option<Effect> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |fault: &InjectedFault| {
            let named = fault.operation.as_deref();
            named.is_none_or(|named| named == operation)
        };
        let at = faults.iter().position(fits)?;
        let fault = faults.get_mut(at)?;
        let effect = fault.effect.clone();
        match &mut fault.count {
            None => {}
            Some(1) => drop(faults.remove(at)),
            Some(count) => *count -= 1,
        }
        Some(effect)
    }
}

impl Effect {
    /// The refusal that stands in place of the operation, where it does.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        const REASON: &str = "a fault was injected";
        match self {
            Self::ServerError => Some(Refusal::new(Fault::InternalFailure, REASON)),
            Self::ServiceUnavailable {
                retry_after_seconds,
            } => Some(
                Refusal::new(Fault::ServiceUnavailable, REASON)
                    .with_retry_after(*retry_after_seconds),
            ),
            Self::Throttled => Some(Refusal::new(Fault::Throttled, REASON)),
            Self::DroppedConnection
            | Self::Latency { .. }
            | Self::SkewedDate { .. }
            | Self::TruncatedBody { .. } => None,
        }
    }

    /// The answer as this effect leaves it.
    pub(crate) fn apply(&self, mut response: Response, now: UnixTime) -> Response {
        match self {
            Self::DroppedConnection => response.delivery.end = End::Dropped,
            Self::Latency { milliseconds } => {
                response.delivery.delay_milliseconds =
                    (*milliseconds).min(MAX_LATENCY_MILLISECONDS);
            }
            Self::SkewedDate { seconds } => {
                let date = http_date(now.plus_seconds(*seconds));
                for (name, value) in &mut response.headers {
                    if name == "date" {
                        value.clone_from(&date);
                    }
                }
            }
            Self::TruncatedBody { bytes } => {
                let kept = bytes.unwrap_or(response.body.len() / 2);
                response.delivery.end = End::Truncated(kept.min(response.body.len()));
            }
            Self::ServerError | Self::ServiceUnavailable { .. } | Self::Throttled => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_befall_their_operation_as_often_as_they_say() {
        let faults = Faults::default();
        let fault = |operation: Option<&str>, count, effect| InjectedFault {
            operation: operation.map(str::to_owned),
            count,
            effect,
        };
        assert!(faults.add(fault(Some("GetProfile"), Some(2), Effect::ServerError)));
        assert!(faults.add(fault(None, None, Effect::Throttled)));
        assert!(!faults.add(fault(None, Some(0), Effect::Throttled)));
        assert_eq!(faults.take("GetProfile"), Some(Effect::ServerError));
        assert_eq!(faults.take("ListCrls"), Some(Effect::Throttled));
        assert_eq!(faults.take("GetProfile"), Some(Effect::ServerError));
        assert_eq!(faults.take("GetProfile"), Some(Effect::Throttled));
        assert_eq!(faults.all().len(), 1);
        faults.clear();
        assert_eq!(faults.take("GetProfile"), None);
    }

    #[test]
    fn a_fault_is_read_from_json_strictly() {
        let text = r#"{"operation":"CreateSession","count":1,"effect":{"kind":"latency","milliseconds":5}}"#;
        let fault: InjectedFault = serde_json::from_str(text).unwrap();
        assert_eq!(fault.effect, Effect::Latency { milliseconds: 5 });
        for text in [
            r#"{"effect":{"kind":"explosion"}}"#,
            r#"{"effect":{"kind":"latency"}}"#,
            r#"{"effect":{"kind":"server_error"},"often":1}"#,
            r#"{}"#,
        ] {
            assert!(
                serde_json::from_str::<InjectedFault>(text).is_err(),
                "{text}"
            );
        }
    }
}
