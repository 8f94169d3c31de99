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

use std::path::Path;

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
    /// The trust anchors.
    #[serde(default, rename = "trust_anchor")]
    pub trust_anchors: Vec<TrustAnchor>,
    /// The profiles.
    #[serde(default, rename = "profile")]
    pub profiles: Vec<Profile>,
    /// The roles.
    #[serde(default, rename = "role")]
    pub roles: Vec<Role>,
    /// The settings.
    #[serde(default)]
    pub settings: Settings,
}

/// A trust anchor.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
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
    /// Whether it is enabled. True when absent: who writes an anchor into a file means to use it.
    /// (The real API's default is false.)
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A profile.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
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
    #[serde(default = "default_duration")]
    pub duration_seconds: u32,
    /// Whether clients may name their sessions.
    #[serde(default)]
    pub accept_role_session_name: bool,
    /// Whether it is enabled. True when absent, as with trust anchors.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A role. It trusts the service; trust policies are not evaluated yet.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The name, 1 to 64 characters.
    pub name: String,
    /// The path, beginning and ending in `/`.
    #[serde(default = "default_path")]
    pub path: String,
    /// `MaxSessionDuration` in seconds, 3600 to 43200.
    #[serde(default = "default_duration")]
    pub max_session_duration: u32,
}

/// What the emulator does where the real service's behaviour is a matter of configuration or is not
/// known. Each default is the safe side: what passes here should pass there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Settings {
    /// Takes a declared algorithm that is not the one of the certificate's key, such as
    /// `AWS4-X509-RSA-SHA384`, which iam-rolesanywhere-session declares (and hashes with SHA-256 all
    /// the same) for a certificate that its CA signed with SHA-384. The signature is verified as the
    /// key's own algorithm. Off: the live verdict is unknown.
    pub accept_mismatched_algorithm: bool,
    /// Takes certificates signed with RSASSA-PSS. Off: unknown.
    pub accept_rsa_pss_certificates: bool,
    /// How many audit records are kept, the newest. 1,000.
    pub audit_records: usize,
    /// How far `X-Amz-Date` may be from the emulator's clock, in seconds, either way. 600: ten
    /// minutes were seen to pass and thirty to fail.
    pub clock_tolerance_seconds: u32,
    /// Holds trust anchor certificates to their validity. On: the guide implies it.
    pub enforce_anchor_validity: bool,
    /// What becomes of a common name that cannot be a source identity as it is (repeated, longer
    /// than 64, or with characters outside STS's set): false refuses, true falls back on
    /// `ID=` and the serial number. Refused: unknown.
    pub irregular_common_name_falls_back_on_serial: bool,
    /// How many issued credentials are kept, the newest. 10,000.
    pub issued_credentials: usize,
    /// The shortest RSA key of an end entity, in bits, 1024 to 8192. 2,048: unknown.
    pub minimum_rsa_bits: u32,
    /// Pads the default session name, the serial number in hexadecimal, to an even length. On: seen
    /// for `ID=`, unknown here; STS refuses names of one character.
    pub pad_default_session_name: bool,
    /// Refuses an end entity whose extended key usage leaves out clientAuth. Off: the guide does not
    /// ask for it.
    pub require_client_auth: bool,
    /// Refuses a request that leaves `content-type` unsigned. Off: the live service takes it.
    pub require_signed_content_type: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept_mismatched_algorithm: false,
            accept_rsa_pss_certificates: false,
            audit_records: 1_000,
            clock_tolerance_seconds: 600,
            enforce_anchor_validity: true,
            irregular_common_name_falls_back_on_serial: false,
            issued_credentials: 10_000,
            minimum_rsa_bits: 2_048,
            pad_default_session_name: true,
            require_client_auth: false,
            require_signed_content_type: false,
        }
    }
}

impl Config {
    /// An account with nothing in it, partition `aws`.
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            partition: default_partition(),
            base_path: String::new(),
            trust_anchors: Vec::new(),
            profiles: Vec::new(),
            roles: Vec::new(),
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

    /// Reads TOML. Every `pem_file` is handed to `read`, and its text put in place of it, so that
    /// the result stands alone.
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
            if let Some(file) = anchor.pem_file.take() {
                if anchor.pem.is_some() {
                    return Err(Error::new(
                        ErrorKind::InvalidInput,
                        format!(
                            "the trust anchor `{}` has both `pem` and `pem_file`: keep one",
                            anchor.name
                        ),
                    ));
                }
                anchor.pem = Some(read(&file)?);
            }
        }
        Ok(config)
    }

    /// Reads a TOML file; `pem_file`s are relative to it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when a file is missing or not what it should be.
    pub fn from_file(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let text = read_text(path)?;
        Self::from_toml(&text, |file| read_text(&folder.join(file)))
            .map_err(|error| error.context(format!("`{}`", path.display())))
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
            enabled: true,
        }
    }
}

impl Profile {
    /// An enabled profile for the given roles (names of this account's roles, or ARNs): an hour, no
    /// session names from clients.
    pub fn new(name: &str, roles: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            id: None,
            alias: None,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            duration_seconds: default_duration(),
            accept_role_session_name: false,
            enabled: true,
        }
    }
}

impl Role {
    /// A role of the path `/` whose sessions last an hour at most.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: default_path(),
            max_session_duration: default_duration(),
        }
    }
}

/// Configuration files hold a few certificates; a file longer than this is another file.
const MAX_FILE_LENGTH: u64 = 1 << 20;

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
