//! Amazon resource names, as far as Roles Anywhere uses them.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use crate::{Error, ErrorKind, Result, text::excerpt};

/// The longest ARN that the service's model allows (`AmazonResourceName`).
pub const MAX_ARN_LENGTH: usize = 1011;

/// An Amazon resource name: `arn:partition:service:region:account:resource`.
///
/// Alias ARNs (`…:alias/trust-anchor/NAME`) are ARNs like any other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn {
    text: String,
    // Where the four inner colons stand.
    colons: [usize; 4],
}

impl Arn {
    /// Reads an ARN: six sections, the first of them `arn`, partition, service and resource not empty.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming what is missing.
    pub fn new(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            let shown = excerpt(text, 80);
            Error::written(
                ErrorKind::InvalidInput,
                format_args!("`{shown}` is not an ARN: {why}"),
            )
        };
        if text.len() > MAX_ARN_LENGTH {
            return Err(refuse(&format!("it is longer than {MAX_ARN_LENGTH} bytes")));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(refuse(
                "it holds white space or a control character; remove it",
            ));
        }
        let Some(rest) = text.strip_prefix("arn:") else {
            return Err(refuse("it does not begin with `arn:`"));
        };
        let mut found = rest.match_indices(':').map(|(at, _)| at + "arn:".len());
        let (Some(a), Some(b), Some(c), Some(d)) =
            (found.next(), found.next(), found.next(), found.next())
        else {
            return Err(refuse(
                "it has fewer than the six sections `arn:partition:service:region:account:resource`",
            ));
        };
        let arn = Self {
            text: text.to_string(),
            colons: [a, b, c, d],
        };
        for (section, name) in [
            (arn.partition(), "partition"),
            (arn.service(), "service"),
            (arn.resource(), "resource"),
        ] {
            if section.is_empty() {
                return Err(refuse(&format!("its {name} is empty")));
            }
        }
        Ok(arn)
    }

    /// The whole ARN, as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        self.section("arn:".len(), self.colons[0])
    }

    /// The service: `rolesanywhere`, `iam`, …
    pub fn service(&self) -> &str {
        self.section(self.colons[0] + 1, self.colons[1])
    }

    /// The region; empty for `iam`.
    pub fn region(&self) -> &str {
        self.section(self.colons[1] + 1, self.colons[2])
    }

    /// The account id, twelve digits.
    pub fn account(&self) -> &str {
        self.section(self.colons[2] + 1, self.colons[3])
    }

    /// The resource: `trust-anchor/UUID`, `alias/profile/NAME`, `role/PATH/NAME`, …
    pub fn resource(&self) -> &str {
        self.section(self.colons[3] + 1, self.text.len())
    }

    fn section(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Reads the ARN (or alias ARN) of a Roles Anywhere resource of the given type:
    /// `trust-anchor` or `profile`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the section that is wrong.
    pub fn rolesanywhere(text: &str, resource_type: &str) -> Result<Self> {
        let arn = Self::new(text)?;
        let resource = arn.resource();
        let name = resource.strip_prefix("alias/").unwrap_or(resource);
        let named = name
            .strip_prefix(resource_type)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|id| !id.is_empty());
        if arn.service() != "rolesanywhere" || !named || arn.region().is_empty() {
            return Err(Error::written(
                ErrorKind::InvalidInput,
                format_args!(
                    "`{text}` is not the ARN of a {resource_type}: pass \
                     `arn:PARTITION:rolesanywhere:REGION:ACCOUNT:{resource_type}/ID`"
                ),
            ));
        }
        arn.require_account()?;
        Ok(arn)
    }

    /// Reads the ARN of an IAM role, its path included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the section that is wrong.
    pub fn role(text: &str) -> Result<Self> {
        let arn = Self::new(text)?;
        let named = arn
            .resource()
            .strip_prefix("role/")
            .is_some_and(|name| !name.is_empty());
        if arn.service() != "iam" || !named || !arn.region().is_empty() {
            return Err(Error::written(
                ErrorKind::InvalidInput,
                format_args!(
                    "`{text}` is not the ARN of a role: pass `arn:PARTITION:iam::ACCOUNT:role/NAME`"
                ),
            ));
        }
        arn.require_account()?;
        Ok(arn)
    }

    fn require_account(&self) -> Result<()> {
        let account = self.account();
        if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(());
        }
        Err(Error::written(
            ErrorKind::InvalidInput,
            format_args!(
                "`{}` has the account `{account}`: an account id has twelve digits",
                self.text
            ),
        ))
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_split_at_the_first_five_colons() {
        let arn = Arn::new("arn:aws-cn:rolesanywhere:cn-north-1:123456789012:profile/a:b").unwrap();
        assert_eq!(arn.partition(), "aws-cn");
        assert_eq!(arn.service(), "rolesanywhere");
        assert_eq!(arn.region(), "cn-north-1");
        assert_eq!(arn.account(), "123456789012");
        assert_eq!(arn.resource(), "profile/a:b");
    }

    #[test]
    fn alias_arns_are_arns() {
        for text in [
            "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/5c5e1cb6-0000-4000-8000-000000000000",
            "arn:aws:rolesanywhere:us-east-1:123456789012:alias/trust-anchor/team/blue",
        ] {
            assert_eq!(
                Arn::rolesanywhere(text, "trust-anchor").unwrap().as_str(),
                text
            );
        }
        assert!(Arn::role("arn:aws:iam::123456789012:role/path/name").is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("", "does not begin with `arn:`"),
            ("arn", "does not begin with `arn:`"),
            ("arn:aws:rolesanywhere", "fewer than the six sections"),
            ("arn::rolesanywhere:r:1:profile/x", "partition is empty"),
            ("arn:aws::r:1:profile/x", "service is empty"),
            ("arn:aws:rolesanywhere:r:1:", "resource is empty"),
            (
                "arn:aws:rolesanywhere:us-east-1:123456789012:profile/x ",
                "white space",
            ),
        ] {
            let error = Arn::new(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.message().contains(part), "{text}: {error}");
        }
        for (text, part) in [
            (
                "arn:aws:rolesanywhere:us-east-1:123456789012:profile/x",
                "ARN of a trust-anchor",
            ),
            (
                "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/",
                "ARN of a trust-anchor",
            ),
            (
                "arn:aws:rolesanywhere::123456789012:trust-anchor/x",
                "ARN of a trust-anchor",
            ),
            (
                "arn:aws:iam:us-east-1:123456789012:trust-anchor/x",
                "ARN of a trust-anchor",
            ),
            (
                "arn:aws:rolesanywhere:us-east-1:1234:trust-anchor/x",
                "twelve digits",
            ),
        ] {
            let error = Arn::rolesanywhere(text, "trust-anchor").unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
        for text in [
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam:r:123456789012:role/x",
            "arn:aws:iam::1:role/x",
        ] {
            assert!(Arn::role(text).is_err(), "{text}");
        }
        assert!(Arn::new(&format!("arn:aws:iam::1:{}", "x".repeat(MAX_ARN_LENGTH))).is_err());
    }
}
