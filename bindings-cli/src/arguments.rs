//! The command line: what may be written, and one line that says what to write instead.

mod refusal;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use refusal::one_line;

/// How long opening a connection may take: name lookup, TCP, proxy and TLS.
const CONNECT_TIMEOUT_SECONDS: &str = "10";

/// How long one attempt may take as a whole. CreateSession answers within a second; a machine that
/// swaps or a slow link gets thirty.
const REQUEST_TIMEOUT_SECONDS: &str = "30";

/// Temporary AWS credentials from an X.509 certificate, through IAM Roles Anywhere.
#[derive(Debug, Parser)]
#[command(name = "rolesanywhere", version, disable_help_subcommand = false)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print credentials as the JSON that `credential_process` in ~/.aws/config expects
    CredentialProcess(Box<CredentialProcess>),
    /// Show the whole way, from making a certificate to proving the credentials, on this machine alone
    Demo(Demo),
    /// Run the service on this machine: it verifies what AWS verifies
    Emulate(Emulate),
    /// Print the version
    Version,
}

/// `credential-process`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct CredentialProcess {
    #[command(flatten)]
    pub(crate) identity: IdentityOptions,
    #[command(flatten)]
    pub(crate) session: SessionOptions,
    #[command(flatten)]
    pub(crate) network: NetworkOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// The certificate and its key.
#[derive(Args, Debug)]
#[command(next_help_heading = "Identity")]
pub(crate) struct IdentityOptions {
    /// The certificate: PEM, DER, PKCS#7 or PKCS#12; with its chain and its private key, or without
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: PathBuf,
    /// The private key: PEM, DER or PKCS#12 [default: the one in the file of --certificate]
    #[arg(long, value_name = "FILE")]
    pub(crate) private_key: Option<PathBuf>,
    /// The intermediate certificates, in any order
    #[arg(long, value_name = "FILE")]
    pub(crate) intermediates: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) password: PasswordOptions,
}

/// Where the password of an encrypted private key is read: one place at most.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct PasswordOptions {
    /// Read the private key's password from this file, up to its final newline
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Read the private key's password from this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) password_env: Option<String>,
    /// Read the private key's password from this open file descriptor, up to its final newline
    #[arg(long, value_name = "NUMBER")]
    pub(crate) password_fd: Option<u16>,
    /// Deprecated, since every user of the machine can read it: the password itself
    #[arg(long, value_name = "PASSWORD", hide = true, allow_hyphen_values = true)]
    pub(crate) pkcs8_password: Option<SecretArgument>,
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
    #[arg(long, value_parser = boolean, action = ArgAction::Set, num_args = 0..=1)]
    #[arg(
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    #[arg(hide_default_value = true, value_name = "true|false")]
    pub(crate) use_fips_endpoint: bool,
    /// Use the dual-stack endpoint (IPv4 and IPv6); so does AWS_USE_DUALSTACK_ENDPOINT=true
    #[arg(long, value_parser = boolean, action = ArgAction::Set, num_args = 0..=1)]
    #[arg(
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    #[arg(hide_default_value = true, value_name = "true|false")]
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
    #[arg(long, value_parser = boolean, action = ArgAction::Set, num_args = 0..=1)]
    #[arg(
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    #[arg(hide_default_value = true, value_name = "true|false")]
    pub(crate) no_verify_ssl: bool,
    /// No effect: HTTPS_PROXY, HTTP_PROXY and NO_PROXY are always heeded
    #[arg(long, value_parser = boolean, action = ArgAction::Set, num_args = 0..=1)]
    #[arg(
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    #[arg(hide = true)]
    pub(crate) with_proxy: bool,
    /// How long opening a connection may take
    #[arg(long, value_name = "SECONDS", default_value = CONNECT_TIMEOUT_SECONDS, value_parser = timeout)]
    pub(crate) connect_timeout: Duration,
    /// How long one attempt may take as a whole; there are three at most
    #[arg(long, value_name = "SECONDS", default_value = REQUEST_TIMEOUT_SECONDS, value_parser = timeout)]
    pub(crate) request_timeout: Duration,
}

/// What is said on stderr.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Say each step on stderr; never a secret
    #[arg(long, visible_alias = "debug", value_parser = boolean, action = ArgAction::Set, num_args = 0..=1)]
    #[arg(
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    #[arg(hide_default_value = true, value_name = "true|false")]
    pub(crate) verbose: bool,
}

/// `demo`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Demo {
    /// Keep the certificates, the key and the emulator's configuration in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// `emulate`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Emulate {
    /// The address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Listen beyond this machine: whoever reaches the address can ask for credentials
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// The trust anchors, profiles and roles
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep what the control plane changes here, through a crash [default: in memory]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// The server's certificate chain, PEM [default: one by a CA made at start]
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "plain_http"
    )]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The server's private key, PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        conflicts_with = "plain_http"
    )]
    pub(crate) tls_key: Option<PathBuf>,
    /// Speak HTTP without TLS
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Write the CA made at start here, PEM [default: a file in a directory that goes at the end]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tls_cert", "plain_http"])]
    pub(crate) ca_file: Option<PathBuf>,
    /// Write {"endpoint": …, "ca_file": …} here once it listens
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

impl Arguments {
    /// Reads the command line, the program's name first.
    ///
    /// # Errors
    /// clap's own error, which [`one_line`] puts in words; asking for help or the version is one too.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }
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

/// The words that Go's `strconv.ParseBool`, and so aws_signing_helper, takes.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("pass `true` or `false`".to_owned()),
    }
}

/// Whole seconds; the bounds of a session are the core's to check.
fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_secs)
        .map_err(|_| "pass whole seconds, 900 to 43200".to_owned())
}

/// A time limit: seconds, with a fraction if need be, above nothing and at most an hour.
fn timeout(text: &str) -> Result<Duration, String> {
    let limit = Duration::from_secs(3600);
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|timeout| !timeout.is_zero() && *timeout <= limit)
        .ok_or_else(|| "pass seconds, above 0 and at most 3600".to_owned())
}

#[cfg(test)]
mod tests;
