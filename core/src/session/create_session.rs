//! The parameters of `CreateSession`, parsed once, and the request made of them.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, time::Duration};

use super::UnsignedRequest;
use crate::{
    Arn, CertificateChain, Endpoint, EndpointOptions, Error, ErrorKind, Partition, Result,
    UnixTime, text::excerpt,
};

/// The shortest session, in seconds (user guide, `durationSeconds`).
pub const MIN_DURATION_SECONDS: u32 = 900;
/// The longest session, in seconds (user guide, `durationSeconds`); the profile and the role may
/// set a lower bound.
pub const MAX_DURATION_SECONDS: u32 = 43_200;
/// How many instance properties a request may carry (the service's model).
pub const MAX_INSTANCE_PROPERTIES: usize = 50;
/// The longest key or value of an instance property, in characters (the service's model).
pub const MAX_INSTANCE_PROPERTY_LENGTH: usize = 200;

/// Where the request carries the three ARNs. The service takes them in either place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArnPlacement {
    /// In the JSON body, as the Python package of AWS does.
    Body,
    /// In the query string, as `aws_signing_helper` does. An ARN with a `=` goes into the body all
    /// the same: AWS's guide has `=` encoded twice in a canonical query, its SDKs encode it once.
    #[default]
    Query,
}

/// A call of `CreateSession` whose parameters have been checked: everything that the service would
/// refuse about them is refused here.
#[derive(Clone, Debug)]
pub struct CreateSession {
    pub(super) trust_anchor: Arn,
    pub(super) profile: Arn,
    pub(super) role: Arn,
    pub(super) endpoint: Endpoint,
    pub(super) duration_seconds: Option<u32>,
    pub(super) role_session_name: Option<String>,
    /// By key, each once.
    pub(super) instance_properties: Vec<(String, String)>,
    pub(super) arn_placement: ArnPlacement,
}

impl CreateSession {
    /// A call with the ARNs (or alias ARNs) of the trust anchor and the profile, and the ARN of the
    /// role. The endpoint and the signing region follow from the trust anchor's region.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when an ARN is malformed or of another type, when trust anchor and
    /// profile are not of one partition, region and account, or the role is of another partition.
    pub fn new(trust_anchor: &str, profile: &str, role: &str) -> Result<Self> {
        let trust_anchor = Arn::rolesanywhere(trust_anchor, "trust-anchor")?;
        let profile = Arn::rolesanywhere(profile, "profile")?;
        let role = Arn::role(role)?;
        for (part, of_anchor, of_profile) in [
            ("partition", trust_anchor.partition(), profile.partition()),
            ("region", trust_anchor.region(), profile.region()),
            ("account", trust_anchor.account(), profile.account()),
        ] {
            if of_anchor != of_profile {
                return Err(invalid(format_args!(
                    "the trust anchor is in the {part} `{of_anchor}`, the profile in `{of_profile}`: \
                     both must be of the same {part}"
                )));
            }
        }
        if role.partition() != trust_anchor.partition() {
            return Err(invalid(format_args!(
                "the role is in the partition `{}`, the trust anchor in `{}`: \
                 both must be of the same partition",
                role.partition(),
                trust_anchor.partition()
            )));
        }
        // A region of another partition has another domain, where these ARNs mean nothing.
        let of_region = Partition::of_region(trust_anchor.region());
        if Partition::from_id(trust_anchor.partition()).is_some_and(|own| own != of_region) {
            return Err(invalid(format_args!(
                "the trust anchor's partition is `{}`, but its region `{}` belongs to `{of_region}`: \
                 correct the ARN",
                trust_anchor.partition(),
                trust_anchor.region()
            )));
        }
        let endpoint = Endpoint::for_region(trust_anchor.region(), EndpointOptions::default())?;
        Ok(Self {
            trust_anchor,
            profile,
            role,
            endpoint,
            duration_seconds: None,
            role_session_name: None,
            instance_properties: Vec::new(),
            arn_placement: ArnPlacement::default(),
        })
    }

    /// Sends the call to another endpoint: FIPS, dual-stack, a VPC endpoint, an emulator.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the endpoint signs for another region than the trust
    /// anchor's, where the service would not find it, or when the answer would travel
    /// [in the clear](Endpoint::check_secrecy).
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Result<Self> {
        endpoint.check_secrecy()?;
        let (signing, own) = (endpoint.signing_region(), self.trust_anchor.region());
        if signing != own {
            return Err(invalid(format_args!(
                "the endpoint signs for the region `{signing}`, the trust anchor is in `{own}`: \
                 use the region `{own}`"
            )));
        }
        self.endpoint = endpoint;
        Ok(self)
    }

    /// Asks for a session of that length; without it the profile decides. The service grants the
    /// shorter of this and the profile's, and refuses what exceeds the role's maximum.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] unless it is whole seconds from [`MIN_DURATION_SECONDS`] to
    /// [`MAX_DURATION_SECONDS`].
    pub fn with_duration(mut self, duration: Duration) -> Result<Self> {
        let seconds = u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let allowed = MIN_DURATION_SECONDS..=MAX_DURATION_SECONDS;
        if !allowed.contains(&seconds) || duration.subsec_nanos() != 0 {
            let milliseconds = duration.subsec_millis();
            return Err(invalid(format_args!(
                "the session duration `{}.{milliseconds:03}s` is not whole seconds from \
                 {MIN_DURATION_SECONDS} to {MAX_DURATION_SECONDS}",
                duration.as_secs()
            )));
        }
        self.duration_seconds = Some(seconds);
        Ok(self)
    }

    /// Names the session. The profile must accept session names (`acceptRoleSessionName`); without
    /// one the service takes the certificate's serial number.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] unless it is 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -` (STS's pattern).
    pub fn with_role_session_name(mut self, name: &str) -> Result<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if !(2..=64).contains(&name.len()) || !name.bytes().all(allowed) {
            let shown = excerpt(name, 80);
            return Err(invalid(format_args!(
                "the role session name `{shown}` is not 2 to 64 letters, digits or `_+=,.@-`"
            )));
        }
        self.role_session_name = Some(name.to_string());
        Ok(self)
    }

    /// Adds a property of the instance, which the service keeps with the subject.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when key or value is not of 1 to
    /// [`MAX_INSTANCE_PROPERTY_LENGTH`] characters, or there are more than
    /// [`MAX_INSTANCE_PROPERTIES`].
    pub fn with_instance_property(mut self, key: &str, value: &str) -> Result<Self> {
        for (part, text) in [("key", key), ("value", value)] {
            if !(1..=MAX_INSTANCE_PROPERTY_LENGTH).contains(&text.chars().count()) {
                let shown: String = key.chars().take(40).collect();
                return Err(invalid(format_args!(
                    "the {part} of the instance property `{shown}` is not of 1 to \
                     {MAX_INSTANCE_PROPERTY_LENGTH} characters"
                )));
            }
        }
        let properties = &mut self.instance_properties;
        let at = properties.partition_point(|(other, _)| other.as_str() < key);
        match properties.get_mut(at) {
            Some((other, old)) if other == key => *old = value.to_string(),
            _ => properties.insert(at, (key.to_string(), value.to_string())),
        }
        if properties.len() > MAX_INSTANCE_PROPERTIES {
            return Err(invalid(format_args!(
                "there are more than {MAX_INSTANCE_PROPERTIES} instance properties: send fewer"
            )));
        }
        Ok(self)
    }

    /// Puts the ARNs elsewhere than in the query string.
    #[must_use]
    pub fn with_arn_placement(mut self, placement: ArnPlacement) -> Self {
        self.arn_placement = placement;
        self
    }

    /// The trust anchor's ARN.
    pub fn trust_anchor(&self) -> &Arn {
        &self.trust_anchor
    }

    /// The profile's ARN.
    pub fn profile(&self) -> &Arn {
        &self.profile
    }

    /// The role's ARN.
    pub fn role(&self) -> &Arn {
        &self.role
    }

    /// Where the call goes.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The length of session asked for, in seconds; `None` where the profile decides.
    pub fn duration_seconds(&self) -> Option<u32> {
        self.duration_seconds
    }

    /// The instance properties, by the order of their keys' bytes, each key once.
    pub fn instance_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let properties = self.instance_properties.iter();
        properties.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The session name asked for.
    pub fn role_session_name(&self) -> Option<&str> {
        self.role_session_name.as_deref()
    }

    /// The request that is to be signed with the private key of the chain's end entity.
    ///
    /// `now` is the time that the request is dated with; the service refuses one that is some ten
    /// minutes off. A [`Provider`](crate::provider::Provider) corrects a wrong clock.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`] when the end entity's key is not one that the service takes.
    pub fn prepare(&self, chain: &CertificateChain, now: UnixTime) -> Result<UnsignedRequest> {
        UnsignedRequest::new(self, chain, now)
    }
}

fn invalid(message: fmt::Arguments<'_>) -> Error {
    Error::written(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests;
