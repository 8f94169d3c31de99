//! The command line: what may be written, and one line that says what to write instead.

mod empty;
mod options;
mod refusal;
mod variables;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use rolesanywhere_core::signers::rustcrypto::HashAlgorithm;
use rolesanywhere_emulator::addressing::HostName;

pub(crate) use options::{
    ArnsIn, CacheOptions, ClientOptions, KeyOptions, NetworkOptions, OutputOptions,
    PasswordOptions, SessionOptions, StoreOptions,
};
use options::{Switch as _, boolean};
pub(crate) use refusal::Refusal;

use crate::{commands::ListenOn, environment::Environment};

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
    /// Print what a shell completes: `source <(rolesanywhere completion bash)`
    Completion(Completion),
    /// Print credentials as the JSON that `credential_process` in ~/.aws/config expects
    CredentialProcess(Box<CredentialProcess>),
    /// Show the whole way, from making a certificate to proving the credentials, on this machine alone
    Demo(Demo),
    /// Print what the service will see, and what stands in the way of a session
    Doctor(Box<Doctor>),
    /// Run the service on this machine: it verifies what AWS verifies
    Emulate(Emulate),
    /// Write the manual pages
    #[command(hide = true)]
    Man(Man),
    /// Print a certificate, its key's type and serial number as JSON
    ReadCertificateData(Box<ReadCertificateData>),
    /// Hand out credentials over HTTP on this machine, as IMDSv2 and as a container's endpoint do
    Serve(Box<Serve>),
    /// Sign a fixed text with the private key, to try the key out
    SignString(Box<SignString>),
    /// Keep a profile of the shared credentials file fresh
    Update(Box<Update>),
    /// Print the version
    Version,
}

/// `credential-process`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct CredentialProcess {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `sign-string`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct SignString {
    /// The certificate, a file, pkcs11:URI, env:NAME, fd:3 or -; the key must be the certificate's
    #[arg(long, value_name = "FILE|URI")]
    #[arg(required_unless_present_any = ["private_key", "cert_selector", "system_store_name"])]
    #[arg(conflicts_with_all = ["cert_selector", "system_store_name"])]
    pub(crate) certificate: Option<PathBuf>,
    /// The private key: PEM, DER, PKCS#12 or TSS2; or pkcs11:URI, handle:0x81000001 of a TPM, ssh-agent:.
    /// Instead of a file: env:NAME, fd:3, -
    #[arg(long, value_name = "FILE|URI")]
    #[arg(conflicts_with_all = ["cert_selector", "system_store_name", "use_latest_expiring_certificate"])]
    pub(crate) private_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) password: PasswordOptions,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
    #[command(flatten)]
    pub(crate) store: StoreOptions,
    /// How the signature is written: in hexadecimal as a JSON string or as it is, or as raw bytes
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: SignatureFormat,
    /// The hash function under an EC or RSA signature
    #[arg(long, value_enum, default_value_t, value_name = "HASH")]
    pub(crate) digest: SignatureDigest,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `sign-string --format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignatureFormat {
    #[default]
    Json,
    Text,
    Bin,
}

/// `sign-string --digest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignatureDigest {
    #[default]
    #[value(name = "SHA256")]
    Sha256,
    #[value(name = "SHA384")]
    Sha384,
    #[value(name = "SHA512")]
    Sha512,
}

impl From<SignatureDigest> for HashAlgorithm {
    fn from(digest: SignatureDigest) -> Self {
        match digest {
            SignatureDigest::Sha256 => Self::Sha256,
            SignatureDigest::Sha384 => Self::Sha384,
            SignatureDigest::Sha512 => Self::Sha512,
        }
    }
}

/// `read-certificate-data`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct ReadCertificateData {
    /// The certificate: PEM, DER, PKCS#7 or PKCS#12, of several the end entity's; or pkcs11:URI, which lists.
    /// Instead of a file: env:NAME, fd:3, -
    #[arg(long, value_name = "FILE|URI")]
    #[arg(required_unless_present_any = ["cert_selector", "system_store_name"])]
    pub(crate) certificate: Option<PathBuf>,
    /// List the certificates that fit, of the file or of the system's store, as text:
    /// Key=x509Subject,Value=… or file://PATH
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) cert_selector: Option<String>,
    /// The store of Windows [default: MY]
    #[arg(long, value_name = "NAME", conflicts_with = "certificate")]
    pub(crate) system_store_name: Option<String>,
    /// The PKCS#11 module [default: module-path in the URI, else p11-kit's proxy]
    #[arg(long, value_name = "FILE")]
    pub(crate) pkcs11_lib: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) password: PasswordOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `update`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The profile of the credentials file that gets the credentials
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) profile: String,
    /// Write the credentials once, and end
    #[arg(long, switch())]
    pub(crate) once: bool,
    /// Where the file cannot be replaced, write into it where it stands: a reader or a crash may meet half of it
    #[arg(long, switch())]
    pub(crate) in_place: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `serve`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The port on 127.0.0.1; 0 picks a free one [default: 9911]
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    pub(crate) port: Option<u16>,
    /// The address to listen on instead: ADDRESS:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<ListenOn>,
    /// Listen beyond this machine: whoever reaches the address gets credentials
    #[arg(long, switch())]
    pub(crate) allow_remote: bool,
    /// How many routers an answer may pass, 1 to 255 [default: 64; 1 beyond this machine]
    #[arg(long, value_name = "HOPS", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) hop_limit: Option<u8>,
    /// A name besides addresses and localhost that clients may call this server by
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub(crate) allow_host: Vec<HostName>,
    /// Serve the container credentials endpoint instead of IMDSv2, to clients that have this file's
    /// token; made if missing
    #[arg(long, value_name = "FILE")]
    pub(crate) authorization_token_file: Option<PathBuf>,
    /// Serve IMDSv2 beside the container credentials endpoint: it asks for no token of a file
    #[arg(long, switch())]
    pub(crate) imds: bool,
    /// Serve HTTPS, with this certificate and its chain, PEM; read again when replaced
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, PEM, not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve /health and /metrics (Prometheus) too
    #[arg(long, switch())]
    pub(crate) metrics: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `doctor`.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The role's trust policy: say whether it lets the session be, and which condition decides
    #[arg(long, value_name = "FILE")]
    pub(crate) trust_policy: Option<PathBuf>,
    /// Ask the service for a session too; its credentials are thrown away
    #[arg(long, switch())]
    pub(crate) ask: bool,
    /// Print one JSON object
    #[arg(long, switch())]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `completion`.
#[derive(Args, Debug)]
pub(crate) struct Completion {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// `man`.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The directory to write to, one file for each command
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
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

/// A name by which a server is called.
fn host_name(text: &str) -> Result<HostName, String> {
    text.parse()
        .map_err(|_| "pass a name or an address, without a port".to_owned())
}

impl Arguments {
    /// The commands and their options, for what describes them.
    pub(crate) fn description() -> clap::Command {
        Self::command()
    }

    /// Reads the command line, the program's name first, and what the environment adds to it.
    ///
    /// # Errors
    /// The [`Refusal`]; asking for help or the version is one too.
    pub(crate) fn read(
        line: impl IntoIterator<Item = OsString>,
        environment: &Environment<'_>,
    ) -> Result<Self, Refusal> {
        let line: Vec<OsString> = line.into_iter().collect();
        if let Some(arguments) = Self::credential_process(&line, environment) {
            return Ok(arguments);
        }
        let mut command = Self::command();
        let line = empty::removed(&command, line);
        let (line, from_variables) = variables::add(&command, line, environment);
        let arguments = command
            .try_get_matches_from_mut(&line)
            .and_then(|matches| Self::from_arg_matches(&matches));
        arguments.map_err(|error| Refusal {
            error: error.format(&mut command),
            from_variables,
            line,
        })
    }

    /// Reads `credential-process`, which SDKs call at every turn, without describing the options of
    /// all other commands first: that would be a tenth of a cached call. What is not plainly right is
    /// left to [`read`](Self::read), which knows how to say so.
    fn credential_process(line: &[OsString], environment: &Environment<'_>) -> Option<Self> {
        const NAME: &str = "credential-process";
        line.get(1).filter(|word| *word == NAME)?;
        let options = CredentialProcess::augment_args(clap::Command::new(NAME));
        let command = clap::Command::new("rolesanywhere").subcommand(options);
        let line = empty::removed(&command, line.to_vec());
        let (line, _) = variables::add(&command, line, environment);
        let matches = command.try_get_matches_from(line).ok()?;
        let options =
            CredentialProcess::from_arg_matches(matches.subcommand_matches(NAME)?).ok()?;
        Some(Self {
            command: Command::CredentialProcess(Box::new(options)),
        })
    }
}

#[cfg(test)]
mod tests;
