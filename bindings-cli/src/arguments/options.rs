//! The options that several commands share.

use std::{path::PathBuf, time::Duration};

use crate::identity::Whereabouts;
use clap::{Arg, ArgAction, Args, ValueEnum};

/// How long opening a connection may take: name lookup, TCP, proxy and TLS.
const CONNECT_TIMEOUT_SECONDS: &str = "10";

/// Where sessions are kept for the next call.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheOptions {
    /// Ask for a new session each time, and keep none
    #[arg(long, switch())]
    pub(crate) no_cache: bool,
    /// Keep sessions in this directory [default: `rolesanywhere` in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// What a client of the service needs: who it is, what it asks for, how it gets there.
#[derive(Args, Debug)]
pub(crate) struct ClientOptions {
    #[command(flatten)]
    pub(crate) identity: IdentityOptions,
    #[command(flatten)]
    pub(crate) session: SessionOptions,
    #[command(flatten)]
    pub(crate) network: NetworkOptions,
}

/// The certificate and its key.
#[derive(Args, Debug)]
#[command(next_help_heading = "Identity")]
pub(crate) struct IdentityOptions {
    /// The certificate: PEM, DER, PKCS#7 or PKCS#12, with its chain and its private key or without; or pkcs11:URI.
    /// Instead of a file: env:NAME of a variable with the content (PEM, or base64), fd:3 of a descriptor, - for stdin
    #[arg(long, value_name = "FILE|URI")]
    #[arg(required_unless_present_any = ["cert_selector", "system_store_name"])]
    #[arg(conflicts_with_all = ["cert_selector", "system_store_name"])]
    pub(crate) certificate: Option<PathBuf>,
    /// The private key [default: the one where the certificate is]: PEM, DER, PKCS#12 or TSS2; or
    /// pkcs11:URI, handle:0x81000001 of a TPM, ssh-agent:. Instead of a file: env:NAME, fd:3, -
    #[arg(long, value_name = "FILE|URI")]
    #[arg(conflicts_with_all = ["cert_selector", "system_store_name", "use_latest_expiring_certificate"])]
    pub(crate) private_key: Option<PathBuf>,
    /// The intermediate certificates, in any order. Instead of a file: env:NAME, fd:3, -
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["cert_selector", "use_latest_expiring_certificate"])]
    pub(crate) intermediates: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) password: PasswordOptions,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
}

impl IdentityOptions {
    /// Where the identity is.
    pub(crate) fn whereabouts(&self) -> Whereabouts<'_> {
        Whereabouts {
            certificate: self.certificate.as_deref(),
            private_key: self.private_key.as_deref(),
            intermediates: self.intermediates.as_deref(),
            store: &self.store,
        }
    }
}

/// How a key that is in no file is reached.
#[derive(Args, Debug, Default)]
pub(crate) struct KeyOptions {
    /// The PKCS#11 module [default: module-path in the URI, else p11-kit's proxy]
    #[arg(long, value_name = "FILE")]
    pub(crate) pkcs11_lib: Option<PathBuf>,
    /// Sign with the token's PIN where a key wants one for each signature
    #[arg(long, switch())]
    #[arg(conflicts_with_all = ["cert_selector", "system_store_name", "tpm_key_password"])]
    #[arg(conflicts_with_all = ["use_latest_expiring_certificate"])]
    pub(crate) reuse_pin: bool,
    /// The TPM's key has no password, so nobody is asked for it
    #[arg(long, switch())]
    #[arg(conflicts_with_all = ["cert_selector", "tpm_key_password"])]
    pub(crate) no_tpm_key_password: bool,
}

/// Which certificate of a store of the system: macOS's keychain, Windows's stores.
#[derive(Args, Debug)]
pub(crate) struct StoreOptions {
    /// The certificate of the system's store (macOS, Windows): Key=x509Subject,Value=… or file://PATH of JSON
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) cert_selector: Option<String>,
    /// The store of Windows [default: MY]
    #[arg(long, value_name = "NAME")]
    pub(crate) system_store_name: Option<String>,
    /// Of several certificates of the system's store that fit, take the one that is valid longest
    #[arg(long, switch())]
    pub(crate) use_latest_expiring_certificate: bool,
}

/// Where the password of the private key is read, or its PIN: one place at most.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct PasswordOptions {
    /// Read the private key's password or PIN from this file, up to its final newline. Instead of a file: env:NAME, fd:3, -
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Read the private key's password or PIN from this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) password_env: Option<String>,
    /// Read the private key's password or PIN from this open file descriptor, up to its final newline
    #[arg(long, value_name = "NUMBER")]
    pub(crate) password_fd: Option<u16>,
    /// Deprecated, since every user of the machine can read it: the password itself
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    pub(crate) pkcs8_password: Option<SecretArgument>,
    /// Deprecated, since every user of the machine can read it: the password of the TPM's key
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    #[arg(conflicts_with = "cert_selector")]
    pub(crate) tpm_key_password: Option<SecretArgument>,
}

/// The session that is asked for.
#[derive(Args, Debug)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionOptions {
    /// The trust anchor's ARN; its region is where the request goes
    #[arg(long, value_name = "ARN")]
    pub(crate) trust_anchor_arn: String,
    /// The profile's ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) profile_arn: String,
    /// The ARN of the role to assume
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: String,
    /// How long the credentials shall be valid, 900 to 43200 seconds
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) session_duration: Duration,
    /// The session's name, if the profile accepts one [default: the certificate's serial number]
    #[arg(long, value_name = "NAME")]
    pub(crate) role_session_name: Option<String>,
    /// Where the three ARNs travel
    #[arg(long, value_enum, default_value_t, value_name = "PLACE")]
    pub(crate) arns_in: ArnsIn,
    /// The region to send to and to sign for [default: the trust anchor's]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The service's base URL, before AWS_ENDPOINT_URL_ROLESANYWHERE and AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Use the FIPS endpoint; so does AWS_USE_FIPS_ENDPOINT=true
    #[arg(long, switch())]
    pub(crate) use_fips_endpoint: bool,
    /// Use the dual-stack endpoint (IPv4 and IPv6); so does AWS_USE_DUALSTACK_ENDPOINT=true
    #[arg(long, switch())]
    pub(crate) use_dualstack_endpoint: bool,
}

/// Where the ARNs travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArnsIn {
    /// In the JSON body
    Body,
    /// In the query string, as aws_signing_helper sends them
    #[default]
    Query,
}

/// How the service is reached.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkOptions {
    /// The authorities to trust instead of the system's, PEM, before AWS_CA_BUNDLE
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Accept any server certificate, and http:// beyond this machine: for tests only
    #[arg(long, switch())]
    pub(crate) no_verify_ssl: bool,
    /// No effect: HTTPS_PROXY, HTTP_PROXY and NO_PROXY are always heeded
    #[arg(long, switch())]
    pub(crate) with_proxy: bool,
    /// How long opening a connection may take
    #[arg(long, value_name = "SECONDS", default_value = CONNECT_TIMEOUT_SECONDS, value_parser = timeout)]
    pub(crate) connect_timeout: Duration,
    /// How long one attempt may take as a whole [default: 10]; there are three at most, in 45 seconds
    #[arg(long, value_name = "SECONDS", value_parser = timeout)]
    pub(crate) request_timeout: Option<Duration>,
}

/// What is said on stderr.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Say each step on stderr; never a secret
    #[arg(long, switch(), visible_alias = "debug")]
    pub(crate) verbose: bool,
}

/// A value that must not be printed: `Debug` hides it, dropping wipes it.
#[derive(Clone)]
pub(crate) struct SecretArgument(pub(crate) zeroize::Zeroizing<String>);

impl From<String> for SecretArgument {
    fn from(value: String) -> Self {
        Self(zeroize::Zeroizing::new(value))
    }
}

impl std::fmt::Debug for SecretArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How an option that is on or off is written, as in Go: `--name`, `--name=true` or `--name=false`.
pub(super) trait Switch {
    /// Makes the option such a one, off where it is not written.
    fn switch(self) -> Self;
}

impl Switch for Arg {
    fn switch(self) -> Self {
        self.value_parser(boolean)
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .value_name("true|false")
    }
}

/// The words that Go's `strconv.ParseBool`, and so aws_signing_helper, takes.
pub(super) fn boolean(text: &str) -> std::result::Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("pass `true` or `false`".to_owned()),
    }
}

/// Whole seconds; the bounds of a session are the core's to check.
fn seconds(text: &str) -> std::result::Result<Duration, String> {
    text.parse()
        .map(Duration::from_secs)
        .map_err(|_| "pass whole seconds, 900 to 43200".to_owned())
}

/// A time limit: seconds, with a fraction if need be, above nothing and at most an hour.
fn timeout(text: &str) -> std::result::Result<Duration, String> {
    let limit = Duration::from_secs(3600);
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|timeout| !timeout.is_zero() && *timeout <= limit)
        .ok_or_else(|| "pass seconds, above 0 and at most 3600".to_owned())
}
