//! Trust anchors, profiles, roles and CRLs as plain data: what a configuration file holds, what the
//! control plane makes of a request, and what the state file keeps. All three are parsed the same way.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A trust anchor.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TrustAnchor {
    /// The name. The ARN follows from it, unless `id` is given.
    pub name: String,
    /// The UUID, to reproduce the ARN of a real trust anchor.
    pub id: Option<String>,
    /// The name of an alias, as in `alias/trust-anchor/NAME`.
    pub alias: Option<String>,
    /// One or two CA certificates, PEM.
    pub pem: Option<String>,
    /// The file that holds them, relative to the configuration file; instead of `pem`.
    pub pem_file: Option<String>,
    /// The ARN of a [`PrivateCa`] of this configuration; instead of `pem`.
    pub acm_pca_arn: Option<String>,
    /// Whether it is enabled. True when absent: who writes an anchor into a file means to use it.
    /// (The real API's default is false.)
    #[serde(default = "super::yes")]
    pub enabled: bool,
    /// Whether revocation is checked at the CRL distribution points of certificates. It is kept and
    /// shown; the emulator fetches nothing.
    #[serde(default)]
    pub crl_dp_revocation_enabled: bool,
    /// The notification settings that differ from the service's own, one for each event at most.
    #[serde(default, rename = "notification_setting")]
    pub notification_settings: Vec<NotificationSetting>,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// When, and whether, the service tells of certificates that are about to expire.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NotificationSetting {
    /// What is told.
    pub event: NotificationEvent,
    /// Whether it is told.
    pub enabled: bool,
    /// How many days ahead, 1 to 360. Required when it is enabled.
    pub threshold: Option<u32>,
}

/// What notifications tell.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationEvent {
    /// A certificate of the trust anchor is about to expire.
    CaCertificateExpiry,
    /// A certificate that sessions were made with is about to expire.
    EndEntityCertificateExpiry,
}

impl NotificationEvent {
    /// Every event.
    pub const ALL: [Self; 2] = [Self::CaCertificateExpiry, Self::EndEntityCertificateExpiry];

    /// The event's name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CaCertificateExpiry => "CA_CERTIFICATE_EXPIRY",
            Self::EndEntityCertificateExpiry => "END_ENTITY_CERTIFICATE_EXPIRY",
        }
    }
}

/// A profile.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name. The ARN follows from it, unless `id` is given.
    pub name: String,
    /// The UUID, to reproduce the ARN of a real profile.
    pub id: Option<String>,
    /// The name of an alias, as in `alias/profile/NAME`.
    pub alias: Option<String>,
    /// The roles that sessions may be made for: ARNs, or names of this account's roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// How long sessions last at most, in seconds, 900 to 43200.
    #[serde(default = "super::default_duration")]
    pub duration_seconds: u32,
    /// Whether clients may name their sessions.
    #[serde(default)]
    pub accept_role_session_name: bool,
    /// Whether it is enabled. True when absent, as with trust anchors.
    #[serde(default = "super::yes")]
    pub enabled: bool,
    /// Kept and shown; the service says that it is unused.
    #[serde(default)]
    pub require_instance_properties: bool,
    /// The session policy, JSON.
    pub session_policy: Option<String>,
    /// The ARNs of managed policies that sessions are held to.
    #[serde(default)]
    pub managed_policy_arns: Vec<String>,
    /// How attributes of certificates become principal tags; the service's own mappings when absent.
    #[serde(rename = "attribute_mapping")]
    pub attribute_mappings: Option<Vec<AttributeMapping>>,
    /// The ARN of who made it; the account's root when absent.
    pub created_by: Option<String>,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// How one field of a certificate becomes principal tags.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AttributeMapping {
    /// The field, once in a profile.
    pub certificate_field: CertificateField,
    /// What of it: `*`, `CN`, `DNS`, `Name/OU`, …
    pub specifiers: Vec<String>,
}

/// A field of a certificate that attribute mappings know.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateField {
    /// The issuer.
    #[serde(rename = "x509Issuer")]
    Issuer,
    /// The subject alternative name.
    #[serde(rename = "x509SAN")]
    SubjectAlternativeName,
    /// The subject.
    #[serde(rename = "x509Subject")]
    Subject,
}

impl CertificateField {
    /// Every field, in the order in which the service lists them.
    pub const ALL: [Self; 3] = [Self::Issuer, Self::SubjectAlternativeName, Self::Subject];

    /// The field's name in the API, which is also the first part of its tags' keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "x509Issuer",
            Self::SubjectAlternativeName => "x509SAN",
            Self::Subject => "x509Subject",
        }
    }
}

/// A role of IAM.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The name, 1 to 64 characters.
    pub name: String,
    /// The path, beginning and ending in `/`.
    #[serde(default = "super::default_path")]
    pub path: String,
    /// `MaxSessionDuration` in seconds, 3600 to 43200.
    #[serde(default = "super::default_duration")]
    pub max_session_duration: u32,
    /// The trust policy, JSON. When absent, the service may assume the role, tag its session and
    /// set the source identity.
    pub trust_policy: Option<String>,
    /// The file that holds it, relative to the configuration file; instead of `trust_policy`.
    pub trust_policy_file: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A certificate revocation list.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Crl {
    /// The name. The ARN follows from it, unless `id` is given.
    pub name: String,
    /// The UUID, to reproduce the ARN of a real CRL.
    pub id: Option<String>,
    /// The name of an alias, as in `alias/crl/NAME`.
    pub alias: Option<String>,
    /// The trust anchor whose certificates it revokes: a name or an ARN.
    pub trust_anchor: String,
    /// The list, PEM.
    pub pem: Option<String>,
    /// The list, base64 of DER; instead of `pem`.
    pub der: Option<String>,
    /// The PEM file that holds it, relative to the configuration file; instead of `pem`.
    pub pem_file: Option<String>,
    /// Whether it is enabled. True when absent, as with trust anchors.
    #[serde(default = "super::yes")]
    pub enabled: bool,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A certificate authority of AWS Private CA, which trust anchors of the type `AWS_ACM_PCA` name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct PrivateCa {
    /// Its ARN.
    pub arn: String,
    /// Its certificate, PEM.
    pub pem: Option<String>,
    /// The file that holds it, relative to the configuration file; instead of `pem`.
    pub pem_file: Option<String>,
}

/// A long-term access key that may sign calls of the control plane.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// The access key id.
    pub id: String,
    /// The secret access key. Not shown, and wiped when dropped.
    pub secret: String,
}

impl Drop for AccessKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl TrustAnchor {
    /// An enabled trust anchor of one or two CA certificates in PEM.
    pub fn new(name: &str, pem: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: None,
            alias: None,
            pem: Some(pem.to_owned()),
            pem_file: None,
            acm_pca_arn: None,
            enabled: true,
            crl_dp_revocation_enabled: false,
            notification_settings: Vec::new(),
            tags: BTreeMap::new(),
        }
    }
}

impl Profile {
    /// An enabled profile for the given roles (names of this account's roles, or ARNs): an hour, no
    /// session names from clients, the service's own attribute mappings.
    pub fn new(name: &str, roles: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            id: None,
            alias: None,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            duration_seconds: super::default_duration(),
            accept_role_session_name: false,
            enabled: true,
            require_instance_properties: false,
            session_policy: None,
            managed_policy_arns: Vec::new(),
            attribute_mappings: None,
            created_by: None,
            tags: BTreeMap::new(),
        }
    }
}

impl Role {
    /// A role of the path `/` that trusts the service, and whose sessions last an hour at most.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: super::default_path(),
            max_session_duration: super::default_duration(),
            trust_policy: None,
            trust_policy_file: None,
            description: None,
            tags: BTreeMap::new(),
        }
    }
}

impl Crl {
    /// An enabled CRL in PEM, for the trust anchor of this name or ARN.
    pub fn new(name: &str, trust_anchor: &str, pem: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: None,
            alias: None,
            trust_anchor: trust_anchor.to_owned(),
            pem: Some(pem.to_owned()),
            der: None,
            pem_file: None,
            enabled: true,
            tags: BTreeMap::new(),
        }
    }
}
