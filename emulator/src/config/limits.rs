//! Quotas, all off by default: tests run faster than the service allows.

use serde::Deserialize;

/// How much is allowed; what is absent is not limited.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Calls of the control plane in a second, in each group of operations: trust anchors, profiles,
    /// subjects, tags, CRLs.
    pub control_plane_calls_per_second: Option<u32>,
    /// CreateSession in a second, by each certificate and from each address.
    pub create_sessions_per_second: Option<u32>,
    /// CRLs of one trust anchor.
    pub crls_per_trust_anchor: Option<usize>,
    /// Profiles.
    pub profiles: Option<usize>,
    /// Trust anchors.
    pub trust_anchors: Option<usize>,
}

impl Limits {
    /// What the service allows by default (user guide, "Quotas").
    pub fn of_the_service() -> Self {
        Self {
            control_plane_calls_per_second: Some(1),
            create_sessions_per_second: Some(10),
            crls_per_trust_anchor: Some(2),
            profiles: Some(250),
            trust_anchors: Some(50),
        }
    }
}
