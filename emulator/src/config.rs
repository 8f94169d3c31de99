//! What the emulator serves: an account, its trust anchors, profiles and roles, and the settings of
//! what the real service leaves open.
//!
//! A [`Config`] is plain data, written in Rust or read from TOML:
//!
//! ```toml
//! account = "123456789012"
//! region = "us-east-1"
//!
//! [[trust_anchor]]
//! name = "ca"
//! pem_file = "ca.pem"           # or: pem = """-----BEGIN CERTIFICATE-----…"""
//!
//! [[profile]]
//! name = "app"
//! roles = ["app"]               # names of roles of this account, or ARNs
//!
//! [[role]]
//! name = "app"
//! ```

mod limits;
mod resources;
mod settings;

pub use limits::Limits;
pub use resources::{
    AccessKey, AttributeMapping, CertificateField, Crl, NotificationEvent, NotificationSetting,
    PrivateCa, Profile, Role, TrustAnchor,
};
pub use settings::Settings;

use std::path::{Path, PathBuf};

use rolesanywhere_core::{Error, ErrorKind, Result};
use serde::Deserialize;

/// What the emulator serves. It is checked when a [`Service`](crate::Service) is made of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account id, twelve digits.
    #[serde(default = "default_account")]
    pub account: String,
    /// The region that every ARN and every credential scope must name.
    #[serde(default = "default_region")]
    pub region: String,
    /// The partition: `aws`, `aws-cn`, …
    #[serde(default = "default_partition")]
    pub partition: String,
    /// What stands before `/sessions` in the path, for clients that are to talk to an endpoint with a
    /// path of its own: `/stage` for instance. Empty when absent.
    #[serde(default)]
    pub base_path: String,
    /// The state file; in memory only when absent. Relative to the configuration file.
    pub state_file: Option<PathBuf>,
    /// The trust anchors.
    #[serde(default, rename = "trust_anchor")]
    pub trust_anchors: Vec<TrustAnchor>,
    /// The profiles.
    #[serde(default, rename = "profile")]
    pub profiles: Vec<Profile>,
    /// The roles.
    #[serde(default, rename = "role")]
    pub roles: Vec<Role>,
    /// The certificate revocation lists.
    #[serde(default, rename = "crl")]
    pub crls: Vec<Crl>,
    /// The certificate authorities of AWS Private CA that trust anchors may name.
    #[serde(default, rename = "private_ca")]
    pub private_cas: Vec<PrivateCa>,
    /// The long-term access keys whose signatures on calls of the control plane are verified.
    #[serde(default, rename = "access_key")]
    pub access_keys: Vec<AccessKey>,
    /// The settings.
    #[serde(default)]
    pub settings: Settings,
}

impl Config {
    /// An account with nothing in it, partition `aws`.
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            partition: default_partition(),
            base_path: String::new(),
            state_file: None,
            trust_anchors: Vec::new(),
            profiles: Vec::new(),
            roles: Vec::new(),
            crls: Vec::new(),
            private_cas: Vec::new(),
            access_keys: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// The same with one more trust anchor.
    #[must_use]
    pub fn with_trust_anchor(mut self, anchor: TrustAnchor) -> Self {
        self.trust_anchors.push(anchor);
        self
    }

    /// The same with one more profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// The same with one more role.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// The same with one more CRL.
    #[must_use]
    pub fn with_crl(mut self, crl: Crl) -> Self {
        self.crls.push(crl);
        self
    }

    /// Reads TOML. Every `pem_file` and `trust_policy_file` is handed to `read`, and its text put in
    /// place of it, so that the result stands alone.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] with line and column when the text is not such a file, or
    /// whatever `read` says.
    pub fn from_toml(text: &str, read: impl Fn(&str) -> Result<String>) -> Result<Self> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the configuration cannot be read: {}", one_line(&error)),
            )
        })?;
        for anchor in &mut config.trust_anchors {
            let what = format!("the trust anchor `{}`", anchor.name);
            take_file(&what, "pem", &mut anchor.pem, &mut anchor.pem_file, &read)?;
        }
        for crl in &mut config.crls {
            let what = format!("the CRL `{}`", crl.name);
            take_file(&what, "pem", &mut crl.pem, &mut crl.pem_file, &read)?;
        }
        for ca in &mut config.private_cas {
            let what = format!("the private CA `{}`", ca.arn);
            take_file(&what, "pem", &mut ca.pem, &mut ca.pem_file, &read)?;
        }
        for role in &mut config.roles {
            let what = format!("the role `{}`", role.name);
            let (text, file) = (&mut role.trust_policy, &mut role.trust_policy_file);
            take_file(&what, "trust_policy", text, file, &read)?;
        }
        Ok(config)
    }

    /// Reads a TOML file; files that it names are relative to it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when a file is missing or not what it should be.
    pub fn from_file(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let text = read_text(path)?;
        let mut config = Self::from_toml(&text, |file| read_text(&folder.join(file)))
            .map_err(|error| error.context(format!("`{}`", path.display())))?;
        config.state_file = config.state_file.map(|file| folder.join(file));
        Ok(config)
    }
}

/// A CRL of 100,000 entries is about 5 MB in PEM; a file longer than this is another file.
const MAX_FILE_LENGTH: u64 = 16 << 20;

/// Puts the text of a file in place of its name.
fn take_file(
    what: &str,
    member: &str,
    text: &mut Option<String>,
    file: &mut Option<String>,
    read: impl Fn(&str) -> Result<String>,
) -> Result<()> {
    let Some(file) = file.take() else {
        return Ok(());
    };
    if text.is_some() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{what} has both `{member}` and `{member}_file`: keep one"),
        ));
    }
    *text = Some(read(&file)?);
    Ok(())
}

fn read_text(path: &Path) -> Result<String> {
    let refuse = |why: String| {
        Error::new(
            ErrorKind::InvalidInput,
            format!("`{}` cannot be read: {why}", path.display()),
        )
    };
    let length = std::fs::metadata(path)
        .map_err(|error| refuse(error.to_string()))?
        .len();
    if length > MAX_FILE_LENGTH {
        return Err(refuse(format!("it is longer than {MAX_FILE_LENGTH} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))
}

fn one_line(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| {
        // The excerpt of the source, which toml draws under the message, needs its line breaks.
        !line.is_empty() && !line.starts_with('|') && !line.contains(" | ")
    });
    lines.collect::<Vec<_>>().join(": ")
}

fn default_account() -> String {
    "123456789012".to_owned()
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn default_partition() -> String {
    "aws".to_owned()
}

fn default_path() -> String {
    "/".to_owned()
}

const fn default_duration() -> u32 {
    3_600
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_as_the_same_value_that_rust_writes() {
        let text = r#"
            account = "210987654321"
            region = "eu-central-1"
            [[trust_anchor]]
            name = "ca"
            pem_file = "ca.pem"
            [[profile]]
            name = "app"
            roles = ["app"]
            [[role]]
            name = "app"
        "#;
        let read = |file: &str| {
            assert_eq!(file, "ca.pem");
            Ok("PEM".to_owned())
        };
        let written = Config::new("210987654321", "eu-central-1")
            .with_trust_anchor(TrustAnchor::new("ca", "PEM"))
            .with_profile(Profile::new("app", &["app"]))
            .with_role(Role::new("app"));
        assert_eq!(Config::from_toml(text, read).unwrap(), written);
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line() {
        let error =
            Config::from_toml("region = \"a\"\nbogus = 1\n", |_| Ok(String::new())).unwrap_err();
        assert!(error.message().contains("unknown field `bogus`"), "{error}");
        assert!(error.message().contains("line 2"), "{error}");
        assert!(!error.message().contains('\n'), "{error}");
        let text = "[[trust_anchor]]\nname = \"a\"\npem = \"\"\npem_file = \"f\"\n";
        let error = Config::from_toml(text, |_| Ok(String::new())).unwrap_err();
        assert!(error.message().contains("keep one"), "{error}");
    }
}
