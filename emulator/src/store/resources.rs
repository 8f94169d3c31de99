//! Trust anchors, profiles and roles, parsed out of a [`Config`].

use std::{collections::HashMap, sync::Arc};

use rolesanywhere_core::{Arn, Error, ErrorKind, Result};
use rustls_pki_types::{CertificateDer, TrustAnchor as WebpkiAnchor, pem::PemObject};

use crate::{
    certificate::Certificate,
    config::{self, Config, Settings},
    identifier::{derived_unique_id, derived_uuid},
    verification::{CERTIFICATE_ALGORITHMS, RSA_PSS_ALGORITHMS},
};

/// The service's quota of certificates in one trust anchor, so that a CA can be rotated.
const MAX_ANCHOR_CERTIFICATES: usize = 2;
/// The longest name of a resource and of an alias (API model: `ResourceName`, `AliasName`).
const MAX_NAME_LENGTH: usize = 255;
const MAX_ALIAS_LENGTH: usize = 256;
/// The bounds of a profile's duration (API model) and of a role's `MaxSessionDuration` (IAM).
const PROFILE_DURATION: std::ops::RangeInclusive<u32> = 900..=43_200;
const ROLE_DURATION: std::ops::RangeInclusive<u32> = 3_600..=43_200;

/// The resources of one account in one region.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    partition: String,
    region: String,
    account: String,
    /// By ARN and by alias ARN.
    trust_anchors: HashMap<String, Arc<TrustAnchor>>,
    /// By ARN and by alias ARN.
    profiles: HashMap<String, Arc<Profile>>,
    /// By ARN.
    roles: HashMap<String, Arc<Role>>,
}

/// A trust anchor whose certificates meet the rules for CA certificates.
#[derive(Debug)]
pub(crate) struct TrustAnchor {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) alias_arn: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) certificates: Vec<AnchorCertificate>,
}

/// One certificate of a trust anchor: the facts, and the form in which webpki wants it.
#[derive(Debug)]
pub(crate) struct AnchorCertificate {
    pub(crate) certificate: Certificate,
    pub(crate) webpki: WebpkiAnchor<'static>,
}

/// A profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) alias_arn: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) role_arns: Vec<String>,
    pub(crate) duration_seconds: u32,
    pub(crate) accept_role_session_name: bool,
}

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// `AROA…`
    pub(crate) unique_id: String,
    pub(crate) max_session_duration: u32,
}

impl Resources {
    /// Parses what a configuration holds.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        check_place(config)?;
        let mut resources = Self {
            partition: config.partition.clone(),
            region: config.region.clone(),
            account: config.account.clone(),
            trust_anchors: HashMap::new(),
            profiles: HashMap::new(),
            roles: HashMap::new(),
        };
        for role in &config.roles {
            let role = resources
                .role(role)
                .map_err(|error| error.context(format!("role `{}`", role.name)))?;
            insert(&mut resources.roles, &[Some(&role.arn)], &role)?;
        }
        for anchor in &config.trust_anchors {
            let anchor = resources
                .trust_anchor(anchor, &config.settings)
                .map_err(|error| error.context(format!("trust anchor `{}`", anchor.name)))?;
            let keys = [Some(&anchor.arn), anchor.alias_arn.as_ref()];
            insert(&mut resources.trust_anchors, &keys, &anchor)?;
        }
        for profile in &config.profiles {
            let profile = resources
                .profile(profile)
                .map_err(|error| error.context(format!("profile `{}`", profile.name)))?;
            let keys = [Some(&profile.arn), profile.alias_arn.as_ref()];
            insert(&mut resources.profiles, &keys, &profile)?;
        }
        Ok(resources)
    }

    /// The trust anchor of an ARN or alias ARN.
    pub(crate) fn find_trust_anchor(&self, arn: &str) -> Option<Arc<TrustAnchor>> {
        self.trust_anchors.get(arn).map(Arc::clone)
    }

    /// The profile of an ARN or alias ARN.
    pub(crate) fn find_profile(&self, arn: &str) -> Option<Arc<Profile>> {
        self.profiles.get(arn).map(Arc::clone)
    }

    /// The role of an ARN.
    pub(crate) fn find_role(&self, arn: &str) -> Option<Arc<Role>> {
        self.roles.get(arn).map(Arc::clone)
    }

    pub(crate) fn trust_anchor_named(&self, name: &str) -> Option<Arc<TrustAnchor>> {
        let mut all = self.trust_anchors.values();
        all.find(|anchor| anchor.name == name).map(Arc::clone)
    }

    pub(crate) fn profile_named(&self, name: &str) -> Option<Arc<Profile>> {
        let mut all = self.profiles.values();
        all.find(|profile| profile.name == name).map(Arc::clone)
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<Arc<Role>> {
        let mut all = self.roles.values();
        all.find(|role| role.name == name).map(Arc::clone)
    }

    /// `arn:PARTITION:rolesanywhere:REGION:ACCOUNT:RESOURCE`
    pub(crate) fn arn(&self, resource: &str) -> String {
        let (partition, region, account) = (&self.partition, &self.region, &self.account);
        format!("arn:{partition}:rolesanywhere:{region}:{account}:{resource}")
    }

    fn trust_anchor(
        &self,
        anchor: &config::TrustAnchor,
        settings: &Settings,
    ) -> Result<Arc<TrustAnchor>> {
        check_name(&anchor.name)?;
        let pem = anchor.pem.as_deref().unwrap_or_default();
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| invalid(format!("its PEM cannot be read: {error}")))?;
        if certificates.is_empty() || certificates.len() > MAX_ANCHOR_CERTIFICATES {
            return Err(invalid(format!(
                "it holds {} certificates: give one or {MAX_ANCHOR_CERTIFICATES} PEM blocks `CERTIFICATE`",
                certificates.len()
            )));
        }
        Ok(Arc::new(TrustAnchor {
            name: anchor.name.clone(),
            arn: self.resource_arn("trust-anchor", &anchor.name, anchor.id.as_deref())?,
            alias_arn: self.alias_arn("trust-anchor", anchor.alias.as_deref())?,
            enabled: anchor.enabled,
            certificates: certificates
                .iter()
                .map(|der| AnchorCertificate::new(der, settings))
                .collect::<Result<_>>()?,
        }))
    }

    fn profile(&self, profile: &config::Profile) -> Result<Arc<Profile>> {
        check_name(&profile.name)?;
        check_duration(
            "duration_seconds",
            profile.duration_seconds,
            &PROFILE_DURATION,
        )?;
        let role_arn = |role: &String| {
            if role.starts_with("arn:") {
                return Arn::role(role).map(|arn| arn.as_str().to_owned());
            }
            self.role_named(role)
                .map(|role| role.arn.clone())
                .ok_or_else(|| invalid(format!("there is no role `{role}`: add a `[[role]]`")))
        };
        Ok(Arc::new(Profile {
            name: profile.name.clone(),
            arn: self.resource_arn("profile", &profile.name, profile.id.as_deref())?,
            alias_arn: self.alias_arn("profile", profile.alias.as_deref())?,
            enabled: profile.enabled,
            role_arns: profile.roles.iter().map(role_arn).collect::<Result<_>>()?,
            duration_seconds: profile.duration_seconds,
            accept_role_session_name: profile.accept_role_session_name,
        }))
    }

    fn role(&self, role: &config::Role) -> Result<Arc<Role>> {
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
        };
        if role.name.is_empty() || role.name.len() > 64 || !plain(&role.name) {
            return Err(invalid(
                "its name must be 1 to 64 letters, digits and `_+=,.@-`; the path stands in `path`"
                    .to_owned(),
            ));
        }
        let path_is_good = role.path == "/"
            || (role.path.starts_with('/')
                && role.path.ends_with('/')
                && role.path.len() <= 512
                && role.path.split('/').all(plain));
        if !path_is_good {
            return Err(invalid(format!(
                "its path `{}` must begin and end in `/`",
                role.path
            )));
        }
        check_duration(
            "max_session_duration",
            role.max_session_duration,
            &ROLE_DURATION,
        )?;
        let (partition, account, path, name) =
            (&self.partition, &self.account, &role.path, &role.name);
        let arn = format!("arn:{partition}:iam::{account}:role{path}{name}");
        Arn::role(&arn)?;
        Ok(Arc::new(Role {
            name: role.name.clone(),
            unique_id: derived_unique_id("AROA", 17, &[b"role", arn.as_bytes()]),
            arn,
            max_session_duration: role.max_session_duration,
        }))
    }

    /// The ARN of a resource: its id is the one given, or follows from its name.
    fn resource_arn(&self, kind: &str, name: &str, id: Option<&str>) -> Result<String> {
        let id = match id {
            Some(id) if is_uuid(id) => id.to_owned(),
            Some(id) => {
                return Err(invalid(format!(
                    "its id `{id}` is not a UUID in lower case: leave it out, and it follows from the name"
                )));
            }
            None => {
                let place = self.arn(kind);
                derived_uuid(&[place.as_bytes(), name.as_bytes()])
            }
        };
        Ok(self.arn(&format!("{kind}/{id}")))
    }

    /// The ARN of an alias; the rules are those of the API model.
    fn alias_arn(&self, kind: &str, alias: Option<&str>) -> Result<Option<String>> {
        let Some(alias) = alias else {
            return Ok(None);
        };
        let first_is_letter = alias
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic());
        let plain = alias
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte));
        let reserved = alias
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws/"));
        if !first_is_letter
            || !plain
            || reserved
            || alias.len() > MAX_ALIAS_LENGTH
            || alias.contains("//")
            || alias.ends_with('/')
        {
            return Err(invalid(format!(
                "its alias `{alias}` must begin with a letter, hold letters, digits and `/_-` only, \
                 without `//`, without `/` at the end and without `aws/` at the start"
            )));
        }
        Ok(Some(self.arn(&format!("alias/{kind}/{alias}"))))
    }
}

impl AnchorCertificate {
    /// A CA certificate, if it meets the service's rules for trust anchors.
    fn new(der: &CertificateDer<'_>, settings: &Settings) -> Result<Self> {
        let certificate = Certificate::from_der(der).map_err(invalid)?;
        let subject = certificate.subject_text.clone();
        let refuse = |why: &str| Err(invalid(format!("its certificate `{subject}` {why}")));
        if !certificate.is_v3 {
            return refuse("is not of version 3");
        }
        if !certificate.basic_constraints.is_some_and(|(ca, _)| ca) {
            return refuse(
                "is not a CA certificate (the service says: Incorrect basic constraints for CA \
                 certificate): its basic constraints must say CA:TRUE",
            );
        }
        if !certificate.key_usage.is_some_and(|ku| ku.key_cert_sign) {
            return refuse(
                "may not sign certificates (the service says: Incorrect basic constraints for CA \
                 certificate): its key usage must hold keyCertSign",
            );
        }
        if !is_signed_as_allowed(&certificate, settings) {
            return refuse(
                "is signed with an algorithm that the service refuses: use SHA-256 or stronger",
            );
        }
        let webpki = webpki::anchor_from_trusted_cert(&certificate.der)
            .map_err(|error| {
                invalid(format!(
                    "its certificate `{subject}` cannot be used: {error}"
                ))
            })?
            .to_owned();
        Ok(Self {
            certificate,
            webpki,
        })
    }
}

/// Whether a certificate carries a signature of a kind that the service takes.
pub(crate) fn is_signed_as_allowed(certificate: &Certificate, settings: &Settings) -> bool {
    let pss: &[_] = if settings.accept_rsa_pss_certificates {
        RSA_PSS_ALGORITHMS
    } else {
        &[]
    };
    CERTIFICATE_ALGORITHMS
        .iter()
        .chain(pss)
        .any(|algorithm| algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm)
}

fn insert<T>(
    map: &mut HashMap<String, Arc<T>>,
    keys: &[Option<&String>],
    value: &Arc<T>,
) -> Result<()> {
    for key in keys.iter().copied().flatten() {
        if map.insert(key.clone(), Arc::clone(value)).is_some() {
            return Err(invalid(format!(
                "`{key}` stands twice: give each its own name"
            )));
        }
    }
    Ok(())
}

fn check_place(config: &Config) -> Result<()> {
    let account = &config.account;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid(format!(
            "the account `{account}` must have twelve digits"
        )));
    }
    for (name, value) in [("region", &config.region), ("partition", &config.partition)] {
        let plain = value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if value.is_empty() || value.len() > 64 || !plain {
            return Err(invalid(format!(
                "the {name} `{value}` must be lower-case letters, digits and `-`"
            )));
        }
    }
    let base = &config.base_path;
    // Unreserved characters only: such a path stands in the canonical request as it is.
    let plain = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    if !base.is_empty()
        && !base
            .strip_prefix('/')
            .is_some_and(|s| s.split('/').all(plain))
    {
        return Err(invalid(format!(
            "the base path `{base}` must begin with `/`, not end in it, and hold letters, digits and `-._~`"
        )));
    }
    let bits = config.settings.minimum_rsa_bits;
    if !(1_024..=8_192).contains(&bits) {
        return Err(invalid(format!(
            "`minimum_rsa_bits` is {bits}: it must be 1024 to 8192"
        )));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte));
    if name.is_empty() || name.len() > MAX_NAME_LENGTH || !plain {
        return Err(invalid(format!(
            "its name must be 1 to {MAX_NAME_LENGTH} letters, digits, spaces, `-` and `_`"
        )));
    }
    Ok(())
}

fn check_duration(name: &str, value: u32, bounds: &std::ops::RangeInclusive<u32>) -> Result<()> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(invalid(format!(
        "its `{name}` is {value}: it must be {} to {} seconds",
        bounds.start(),
        bounds.end()
    )))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
