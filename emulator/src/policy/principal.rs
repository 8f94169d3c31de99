//! Who asks, and whom `Principal` and `NotPrincipal` name.

use std::fmt;

/// Who makes the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestPrincipal {
    /// An AWS account, user, role or session, by its ARN: `arn:aws:iam::111122223333:root`,
    /// `arn:aws:sts::111122223333:assumed-role/Deploy/ci`.
    Aws(String),
    /// A user of an identity provider, by the provider: its ARN, or `accounts.google.com`.
    Federated(String),
    /// An AWS service: `rolesanywhere.amazonaws.com`.
    Service(String),
}

impl fmt::Display for RequestPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Aws(name) | Self::Federated(name) | Self::Service(name)) = self;
        f.write_str(name)
    }
}

/// One entry of a principal element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// All of an account: `111122223333` or its root's ARN.
    Account {
        /// `None` for the short form, which names no partition.
        partition: Option<String>,
        account: String,
    },
    /// One user, role or session.
    Arn(String),
    /// `{"Federated": "*"}`.
    AnyFederated,
    /// `{"Service": "*"}`.
    AnyService,
    /// `"*"` and `{"AWS": "*"}`, which are one (IAM User Guide, "Principal").
    Everyone,
    Federated(String),
    /// What no request of the emulator is made by: canonical users, ids of deleted users and roles.
    Nobody,
    Service(String),
}

/// The domains under which AWS names its service principals, over all partitions.
const SERVICE_SUFFIXES: [&str; 9] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".aws.internal",
    ".c2s.ic.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".sc2s.sgov.gov",
    ".amazon.com",
];

impl Principal {
    /// Reads one value under a type of principal; `None` when IAM knows no such type or principal.
    pub(super) fn parse(kind: &str, value: &str) -> Option<Self> {
        match (kind, value) {
            ("AWS", "*") => Some(Self::Everyone),
            ("AWS", value) => aws(value),
            ("Service", "*") => Some(Self::AnyService),
            ("Service", value) => is_service(value).then(|| Self::Service(value.to_owned())),
            ("Federated", "*") => Some(Self::AnyFederated),
            ("Federated" | "CanonicalUser", value) if value.is_empty() || value.contains('*') => {
                None
            }
            ("Federated", value) => Some(Self::Federated(value.to_owned())),
            ("CanonicalUser", _) => Some(Self::Nobody),
            _ => None,
        }
    }

    /// Whether the entry names the request's principal.
    pub(super) fn names(&self, request: &RequestPrincipal) -> bool {
        match (self, request) {
            (Self::Everyone, _)
            | (Self::AnyFederated, RequestPrincipal::Federated(_))
            | (Self::AnyService, RequestPrincipal::Service(_)) => true,
            (Self::Federated(name), RequestPrincipal::Federated(request))
            | (Self::Service(name), RequestPrincipal::Service(request)) => name == request,
            (Self::Account { partition, account }, RequestPrincipal::Aws(arn)) => {
                let fields = fields(arn);
                fields.is_some_and(|[_, its_partition, _, _, its_account, _]| {
                    partition.as_deref().is_none_or(|p| p == its_partition)
                        && account == its_account
                })
            }
            (Self::Arn(named), RequestPrincipal::Aws(arn)) => {
                named == arn || is_session_of(arn, named)
            }
            _ => false,
        }
    }
}

/// An account, its root, a user, a role, a session, or the id that stands for a deleted one.
fn aws(value: &str) -> Option<Principal> {
    if is_account(value) {
        return Some(Principal::Account {
            partition: None,
            account: value.to_owned(),
        });
    }
    let Some(["arn", partition, service, "", account, resource]) = fields(value) else {
        // "AIDA…" for users, "AROA…" for roles: what IAM shows once the user or role is gone.
        let is_id = value.len() >= 16
            && (value.starts_with("AIDA") || value.starts_with("AROA"))
            && value
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        return is_id.then_some(Principal::Nobody);
    };
    if partition.is_empty() || !is_account(account) || value.contains(['*', '?']) {
        return None;
    }
    if (service, resource) == ("iam", "root") {
        return Some(Principal::Account {
            partition: Some(partition.to_owned()),
            account: account.to_owned(),
        });
    }
    let (kind, name) = resource.split_once('/')?;
    let known = matches!(
        (service, kind),
        ("iam", "user" | "role") | ("sts", "assumed-role" | "federated-user")
    );
    (known && !name.is_empty()).then(|| Principal::Arn(value.to_owned()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_service(text: &str) -> bool {
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let has_name = |suffix| {
        text.strip_suffix(suffix)
            .is_some_and(|name| !name.is_empty())
    };
    text.chars().all(is_label) && SERVICE_SUFFIXES.into_iter().any(has_name)
}

/// Whether `session` is one of the role's: the session's ARN keeps the name and drops the path.
fn is_session_of(session: &str, role: &str) -> bool {
    let (Some(session), Some(role)) = (fields(session), fields(role)) else {
        return false;
    };
    let [_, session_partition, "sts", _, session_account, resource] = session else {
        return false;
    };
    let [_, role_partition, "iam", _, role_account, role_resource] = role else {
        return false;
    };
    let of_session = resource
        .strip_prefix("assumed-role/")
        .and_then(|rest| rest.split('/').next());
    let of_role = role_resource
        .strip_prefix("role/")
        .and_then(|path| path.rsplit('/').next());
    of_session.is_some()
        && of_session == of_role
        && session_partition == role_partition
        && session_account == role_account
}

fn fields(arn: &str) -> Option<[&str; 6]> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    fields.try_into().ok()
}
