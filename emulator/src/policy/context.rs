//! What a request brings to the policy: principal, action, condition keys.

use std::collections::BTreeMap;

use rolesanywhere_core::UnixTime;

use super::principal::RequestPrincipal;

/// The principal as which IAM Roles Anywhere assumes roles, in every partition.
pub const SERVICE_PRINCIPAL: &str = "rolesanywhere.amazonaws.com";

/// The action that gives a session.
pub const ASSUME_ROLE: &str = "sts:AssumeRole";
/// The action that sets the session's source identity.
pub const SET_SOURCE_IDENTITY: &str = "sts:SetSourceIdentity";
/// The action that gives the session its tags.
pub const TAG_SESSION: &str = "sts:TagSession";

/// Keys that hold a list by their definition, whatever stands in them: they cannot be policy
/// variables (IAM User Guide, "Single-valued vs. multivalued context keys").
const MULTI_VALUED: [&str; 4] = [
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:tagkeys",
];

/// A request as a policy sees it.
#[derive(Clone, Debug)]
pub struct RequestContext {
    principal: RequestPrincipal,
    action: String,
    /// By key in lower case: names are case-insensitive, the tag's within `aws:PrincipalTag/` too.
    keys: BTreeMap<String, Vec<String>>,
}

impl RequestContext {
    /// A request by `principal` for `action` (`sts:AssumeRole`) at `now`, which fills
    /// `aws:CurrentTime` and `aws:EpochTime`.
    pub fn new(principal: RequestPrincipal, action: impl Into<String>, now: UnixTime) -> Self {
        let context = Self {
            principal,
            action: action.into(),
            keys: BTreeMap::new(),
        };
        context
            .with("aws:CurrentTime", now.to_iso8601())
            .with("aws:EpochTime", now.seconds().to_string())
    }

    /// The same request with a key of one value, in place of what the key held.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_values(key, [value])
    }

    /// The same request with a key of any number of values. None is a key that is there and empty,
    /// which conditions treat as absent.
    #[must_use]
    pub fn with_values<V: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.keys.insert(key.to_lowercase(), values);
        self
    }

    /// The same request without a key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.keys.remove(&key.to_lowercase());
        self
    }

    /// Who asks.
    pub fn principal(&self) -> &RequestPrincipal {
        &self.principal
    }

    /// What is asked for.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The values of a key, in any case; none when the key is absent.
    pub fn values(&self, key: &str) -> &[String] {
        let found = if key.chars().any(char::is_uppercase) {
            self.keys.get(&key.to_lowercase())
        } else {
            self.keys.get(key)
        };
        found.map_or(&[], Vec::as_slice)
    }

    /// The values that a policy variable may take: none for a key that holds a list.
    pub(super) fn variable_values(&self, key: &str) -> &[String] {
        if MULTI_VALUED.contains(&key.to_lowercase().as_str()) {
            return &[];
        }
        self.values(key)
    }
}

/// What a session is asked for with, in plain terms.
#[derive(Clone, Copy, Debug)]
pub struct SessionInputs<'a> {
    /// The session tags from the certificate: `x509Subject/CN` to `host`. At most 50, of at most 128
    /// and 256 characters, as STS takes them; the caller has left out what STS would not.
    pub tags: &'a BTreeMap<String, String>,
    /// The trust anchor's ARN in its UUID form, never the alias.
    pub trust_anchor_arn: &'a str,
    /// The account of the trust anchor, 12 digits.
    pub account: &'a str,
    /// The source identity made of the certificate: `CN=host`.
    pub source_identity: &'a str,
    /// The role session name.
    pub session_name: &'a str,
    /// Whether the tags are also `aws:RequestTag/…` and `aws:TagKeys`. `true` follows the rule of
    /// STS; the guide of Roles Anywhere mentions `aws:PrincipalTag/…` alone.
    pub request_tags: bool,
    /// The time of the request.
    pub now: UnixTime,
}

/// The request that the service makes of STS for a certificate.
///
/// Keys: `aws:PrincipalTag/…`, `aws:RequestTag/…`, `aws:TagKeys`, `aws:SourceArn`,
/// `aws:SourceAccount`, `sts:SourceIdentity`, `sts:RoleSessionName`, `aws:PrincipalIsAWSService`,
/// `aws:PrincipalServiceName`, `aws:SecureTransport`, `aws:CurrentTime`, `aws:EpochTime`. The
/// workload's address and network are not among them: the service does not pass them on.
pub fn session_context(inputs: &SessionInputs<'_>) -> RequestContext {
    let principal = RequestPrincipal::Service(SERVICE_PRINCIPAL.to_owned());
    let mut context = RequestContext::new(principal, ASSUME_ROLE, inputs.now)
        .with("aws:SourceArn", inputs.trust_anchor_arn)
        .with("aws:SourceAccount", inputs.account)
        .with("sts:SourceIdentity", inputs.source_identity)
        .with("sts:RoleSessionName", inputs.session_name)
        .with("aws:PrincipalIsAWSService", "true")
        .with("aws:PrincipalServiceName", SERVICE_PRINCIPAL)
        .with("aws:SecureTransport", "true");
    for (name, value) in inputs.tags {
        context = context.with(&format!("aws:PrincipalTag/{name}"), value);
        if inputs.request_tags {
            context = context.with(&format!("aws:RequestTag/{name}"), value);
        }
    }
    if inputs.request_tags && !inputs.tags.is_empty() {
        context = context.with_values("aws:TagKeys", inputs.tags.keys());
    }
    context
}
