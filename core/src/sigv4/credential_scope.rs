//! The credential scope: what a signature is good for.

use alloc::{format, string::String};
use core::fmt;

use super::{invalid, shown};
use crate::{Result, UnixTime};

/// The last part of every credential scope.
pub const TERMINATOR: &str = "aws4_request";

/// The longest region or service name that is accepted, in bytes. The longest region of today has
/// 16 and the longest signing name 35; a host name's label may have 63.
pub const MAX_SCOPE_PART_LENGTH: usize = 63;

/// A credential scope: `20240706/us-east-2/rolesanywhere/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialScope {
    text: String,
    // Where the region and the service end.
    ends: (usize, usize),
}

/// Where the region begins, after the date and a slash.
const REGION_START: usize = "YYYYMMDD/".len();

impl CredentialScope {
    /// The scope of the day on which `now` falls, in UTC.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the region or the service
    /// is empty, longer than [`MAX_SCOPE_PART_LENGTH`] or holds other than ASCII letters, digits,
    /// `-`, `_` and `.`.
    pub fn new(now: UnixTime, region: &str, service: &str) -> Result<Self> {
        Self::from_parts(&now.to_sigv4_date(), region, service)
    }

    /// Reads a scope in its written form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split('/');
        let (Some(date), Some(region), Some(service), Some(TERMINATOR), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(invalid(format_args!(
                "`{}` is not a credential scope: `YYYYMMDD/REGION/SERVICE/{TERMINATOR}` is expected",
                shown(text)
            )));
        };
        if UnixTime::from_sigv4(&format!("{date}T000000Z")).is_err() {
            return Err(invalid(format_args!(
                "the credential scope's date `{}` is not a day of the form `YYYYMMDD`",
                shown(date)
            )));
        }
        Self::from_parts(date, region, service)
    }

    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The day, `YYYYMMDD`, UTC.
    pub fn date(&self) -> &str {
        self.part(0, REGION_START - 1)
    }

    /// The region whose endpoint takes the signature.
    pub fn region(&self) -> &str {
        self.part(REGION_START, self.ends.0)
    }

    /// The service's signing name: `rolesanywhere`, `sts`, …
    pub fn service(&self) -> &str {
        self.part(self.ends.0 + 1, self.ends.1)
    }

    fn part(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn from_parts(date: &str, region: &str, service: &str) -> Result<Self> {
        for (part, what) in [(region, "region"), (service, "service")] {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if part.is_empty() || part.len() > MAX_SCOPE_PART_LENGTH || !part.bytes().all(allowed) {
                return Err(invalid(format_args!(
                    "`{}` cannot be the {what} of a credential scope: 1 to {MAX_SCOPE_PART_LENGTH} \
                     letters, digits and hyphens are expected",
                    shown(part)
                )));
            }
        }
        let region_end = REGION_START + region.len();
        Ok(Self {
            text: format!("{date}/{region}/{service}/{TERMINATOR}"),
            ends: (region_end, region_end + 1 + service.len()),
        })
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
