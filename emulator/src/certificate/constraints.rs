//! What a certificate says of paths through it: names, name constraints and policies.

use std::{collections::BTreeSet, fmt};

use x509_parser::{
    certificate::X509Certificate,
    extensions::{self as parsed, GeneralSubtree, ParsedExtension},
};

use super::Name;

/// The content of an OBJECT IDENTIFIER.
pub(crate) type Oid = Box<[u8]>;

/// What validation of a path looks at beside key usage and basic constraints.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathConstraints {
    /// The alternative names of the subject.
    pub(crate) subject_names: Vec<GeneralName>,
    pub(crate) names: Option<NameConstraints>,
    /// The certificate policies; `None` without the extension.
    pub(crate) policies: Option<Vec<Oid>>,
    /// The policy of the issuer's domain, and that of the subject's.
    pub(crate) policy_mappings: Option<Vec<(Oid, Oid)>>,
    pub(crate) require_explicit_policy: Option<u32>,
    pub(crate) inhibit_policy_mapping: Option<u32>,
    pub(crate) inhibit_any_policy: Option<u32>,
    /// What makes the certificate unusable, to stand after its name: a critical extension that nothing
    /// here knows, or an extension without content.
    pub(crate) unusable: Option<String>,
}

/// The subtrees that names must be in, and those that they must not be in.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameConstraints {
    pub(crate) permitted: Vec<GeneralName>,
    pub(crate) excluded: Vec<GeneralName>,
}

/// A name, or the base of a subtree of names.
#[derive(Clone, Debug)]
pub(crate) enum GeneralName {
    Directory(Name),
    Dns(String),
    Email(String),
    /// An address; with its mask behind it where it is a base.
    Ip(Vec<u8>),
    /// Of a kind that is not compared, by the number of its tag, or malformed.
    Other(u32),
    Uri(String),
}

impl PathConstraints {
    /// Reads the extensions.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn new(certificate: &X509Certificate<'_>) -> Result<Self, String> {
        let mut found = Self::default();
        let mut seen = BTreeSet::new();
        for extension in certificate.extensions() {
            if !seen.insert(extension.oid.as_bytes()) {
                return Err(format!("it has the extension {} twice", extension.oid));
            }
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    found.subject_names =
                        names.general_names.iter().map(GeneralName::new).collect();
                }
                ParsedExtension::NameConstraints(constraints) => {
                    found.names = Some(NameConstraints::new(constraints));
                }
                ParsedExtension::CertificatePolicies(policies) => {
                    let ids = policies
                        .iter()
                        .map(|policy| policy.policy_id.as_bytes().into());
                    found.policies = Some(ids.collect());
                }
                ParsedExtension::PolicyMappings(mappings) => {
                    let pairs = mappings.mappings.iter().map(|mapping| {
                        (
                            mapping.issuer_domain_policy.as_bytes().into(),
                            mapping.subject_domain_policy.as_bytes().into(),
                        )
                    });
                    found.policy_mappings = Some(pairs.collect());
                }
                ParsedExtension::PolicyConstraints(constraints) => {
                    found.require_explicit_policy = constraints.require_explicit_policy;
                    found.inhibit_policy_mapping = constraints.inhibit_policy_mapping;
                }
                ParsedExtension::InhibitAnyPolicy(inhibit) => {
                    found.inhibit_any_policy = Some(inhibit.skip_certs);
                }
                // RFC 5280, 4.2.1.12: one purpose at least.
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    let known = [
                        usage.any,
                        usage.server_auth,
                        usage.client_auth,
                        usage.code_signing,
                        usage.email_protection,
                        usage.time_stamping,
                        usage.ocsp_signing,
                    ];
                    if usage.other.is_empty() && !known.contains(&true) {
                        found.unusable = Some("has an empty extended key usage".to_owned());
                    }
                }
                // Looked at elsewhere, or of no consequence for a path.
                ParsedExtension::BasicConstraints(_)
                | ParsedExtension::CRLDistributionPoints(_)
                | ParsedExtension::IssuerAlternativeName(_)
                | ParsedExtension::KeyUsage(_) => {}
                ParsedExtension::ParseError { error }
                    if extension.critical || decides_paths(extension.oid.as_bytes()) =>
                {
                    let id = &extension.oid;
                    return Err(format!("its extension {id} cannot be read: {error}"));
                }
                _ if extension.critical => {
                    let id = extension.oid.to_id_string();
                    found.unusable = Some(format!(
                        "has the critical extension {id}, which is not known"
                    ));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Whether a path depends on the extension, critical or not: name constraints, policies, their mappings and
/// constraints, and inhibitAnyPolicy (2.5.29).
fn decides_paths(id: &[u8]) -> bool {
    matches!(id, [0x55, 0x1d, 30 | 32 | 33 | 36 | 54])
}

impl NameConstraints {
    fn new(constraints: &parsed::NameConstraints<'_>) -> Self {
        let bases = |subtrees: &Option<Vec<GeneralSubtree<'_>>>| {
            let subtrees = subtrees.iter().flatten();
            subtrees
                .map(|subtree| GeneralName::new(&subtree.base))
                .collect()
        };
        Self {
            permitted: bases(&constraints.permitted_subtrees),
            excluded: bases(&constraints.excluded_subtrees),
        }
    }
}

impl GeneralName {
    fn new(name: &parsed::GeneralName<'_>) -> Self {
        match name {
            parsed::GeneralName::DirectoryName(name) => Self::Directory(Name::new(name)),
            parsed::GeneralName::DNSName(name) => Self::Dns((*name).to_owned()),
            parsed::GeneralName::RFC822Name(name) => Self::Email((*name).to_owned()),
            parsed::GeneralName::IPAddress(bytes) => Self::Ip(bytes.to_vec()),
            parsed::GeneralName::URI(name) => Self::Uri((*name).to_owned()),
            parsed::GeneralName::OtherName(..) => Self::Other(0),
            parsed::GeneralName::X400Address(_) => Self::Other(3),
            parsed::GeneralName::EDIPartyName(_) => Self::Other(5),
            parsed::GeneralName::RegisteredID(_) => Self::Other(8),
            parsed::GeneralName::Invalid(tag, _) => Self::Other(tag.0),
        }
    }

    /// Whether two names are of one kind, so that one may constrain the other.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }

    /// The number of the tag in RFC 5280 (4.2.1.6).
    fn tag(&self) -> u32 {
        match self {
            Self::Directory(_) => 4,
            Self::Dns(_) => 2,
            Self::Email(_) => 1,
            Self::Ip(_) => 7,
            Self::Other(tag) => *tag,
            Self::Uri(_) => 6,
        }
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(name) => write!(f, "the directory name `{name}`"),
            Self::Dns(name) => write!(f, "the DNS name `{name}`"),
            Self::Email(name) => write!(f, "the mail address `{name}`"),
            Self::Ip(bytes) => match (
                <[u8; 4]>::try_from(bytes.as_slice()),
                <[u8; 16]>::try_from(bytes.as_slice()),
            ) {
                (Ok(address), _) => write!(f, "the address {}", std::net::IpAddr::from(address)),
                (_, Ok(address)) => write!(f, "the address {}", std::net::IpAddr::from(address)),
                _ => write!(f, "an address of {} bytes", bytes.len()),
            },
            Self::Other(tag) => write!(f, "a name of the kind [{tag}]"),
            Self::Uri(name) => write!(f, "the URI `{name}`"),
        }
    }
}
