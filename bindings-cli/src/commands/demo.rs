//! `rolesanywhere demo`: the whole way on one machine, told step by step.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rolesanywhere_core::{
    Certificate, Credentials, Error, ErrorKind, HttpRequest, Result, Session,
    provider::Policy,
    sigv4::{self, HmacCredentials, HmacSettings, Payload, SigningRequest},
};
use rolesanywhere_emulator::{
    Config, Service,
    fixtures::CertificateAuthority,
    server::{self, BlockingServer, ServerOptions},
};

use crate::{
    arguments::{Arguments, Command, Demo},
    client::Client,
    clock,
    console::Console,
    environment::Environment,
    https::{HttpsClient, Reach},
    output_file,
};

/// One name for the trust anchor, the profile and the role.
const NAME: &str = "demo";
const REGION: &str = "us-east-1";
/// What the emulator is told to serve; the same file starts it again after `--keep`.
const CONFIGURATION: &str = r#"# Start it with: rolesanywhere emulate --config emulator.toml
account = "123456789012"
region = "us-east-1"

[[trust_anchor]]
name = "demo"
pem_file = "ca.pem"

[[profile]]
name = "demo"
roles = ["demo"]

[[role]]
name = "demo"
"#;

/// Shows the way. Stdout gets the credentials as `credential-process` prints them, stderr the story.
///
/// # Errors
/// The first step that does not work.
pub(crate) fn run(options: &Demo, console: &Console) -> Result<()> {
    let kept = options
        .keep
        .as_deref()
        .map(output_file::private_directory)
        .transpose()?;
    // Removed when it is dropped, on every path.
    let temporary = match kept {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(|error| no_directory(&error))?),
    };
    let folder = match (&kept, &temporary) {
        (Some(kept), _) => kept.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => return Err(no_directory(&"none was made")),
    };
    let files = DemoFiles::new(&folder);
    let mut story = Story::begin(console);

    let certificate = files.make_identity()?;
    story.step(
        "Made a certificate authority and, under it, a certificate for this workload",
        &[
            ("subject", certificate.subject().to_string()),
            ("serial", certificate.serial_decimal().to_owned()),
            ("valid until", certificate.not_after().to_iso8601()),
        ],
    );

    let server = files.start_emulator()?;
    let arns = Arns::of(server.service())?;
    story.step(
        &format!("Started the service on {}, over TLS", server.endpoint()),
        &[
            ("trust anchor", arns.trust_anchor.clone()),
            ("profile", arns.profile.clone()),
            ("role", arns.role.clone()),
        ],
    );

    let line = files.command_line(server.endpoint(), &arns);
    let session = ask_for_session(&line, console)?;
    let credentials = session.credentials();
    story.step(
        "Signed a CreateSession request with the certificate's key, sent it, and got credentials",
        &[
            ("access key", credentials.access_key_id().to_owned()),
            ("valid until", credentials.expiration_text().to_owned()),
        ],
    );

    let identity = caller_identity(server.endpoint(), &files.server_ca, credentials)?;
    story.step(
        "Signed sts:GetCallerIdentity with the credentials: the service knows them",
        &[("you are", identity)],
    );

    if kept.is_some() {
        story.tell_how_to_go_on(&folder, &server, &line);
    }
    story.tell("The JSON that `credential-process` prints follows on stdout.\n");
    super::print(credentials.to_credential_process_json().expose().as_bytes())
}

/// The files of the demonstration, all in one directory.
struct DemoFiles {
    ca: PathBuf,
    certificate: PathBuf,
    private_key: PathBuf,
    configuration: PathBuf,
    server_ca: PathBuf,
}

impl DemoFiles {
    fn new(folder: &Path) -> Self {
        Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("certificate.pem"),
            private_key: folder.join("key.pem"),
            configuration: folder.join("emulator.toml"),
            server_ca: folder.join("server-ca.pem"),
        }
    }

    fn make_identity(&self) -> Result<Certificate> {
        let now = clock::now();
        let ca = CertificateAuthority::new("rolesanywhere demo CA", now)?;
        let identity = ca.end_entity("demo-workload", now)?;
        output_file::write_whole(&self.ca, ca.certificate_pem().as_bytes())?;
        output_file::write_whole(&self.certificate, identity.certificate_pem.as_bytes())?;
        output_file::write_private(&self.private_key, identity.private_key_pem.as_bytes())?;
        output_file::write_whole(&self.configuration, CONFIGURATION.as_bytes())?;
        Certificate::from_pem(identity.certificate_pem.as_bytes())
    }

    fn start_emulator(&self) -> Result<BlockingServer> {
        let config = Config::from_file(&self.configuration)?;
        let service = Arc::new(Service::new(&config)?);
        let server = server::start_blocking(service, ServerOptions::default())?;
        output_file::write_whole(
            &self.server_ca,
            server.ca_pem().unwrap_or_default().as_bytes(),
        )?;
        Ok(server)
    }

    /// The command that a user would write.
    fn command_line(&self, endpoint: &str, arns: &Arns) -> Vec<OsString> {
        let program = std::env::current_exe().unwrap_or_else(|_| "rolesanywhere".into());
        let mut line: Vec<OsString> = vec![program.into(), "credential-process".into()];
        for (option, value) in [
            ("--certificate", self.certificate.as_os_str()),
            ("--private-key", self.private_key.as_os_str()),
            ("--trust-anchor-arn", arns.trust_anchor.as_ref()),
            ("--profile-arn", arns.profile.as_ref()),
            ("--role-arn", arns.role.as_ref()),
            ("--endpoint", endpoint.as_ref()),
            ("--ca-bundle", self.server_ca.as_os_str()),
        ] {
            line.push(option.into());
            line.push(value.to_owned());
        }
        line
    }
}

/// What the client has to name.
struct Arns {
    trust_anchor: String,
    profile: String,
    role: String,
}

impl Arns {
    fn of(service: &Service) -> Result<Self> {
        let missing = || {
            Error::new(
                ErrorKind::InvalidInput,
                "the emulator lost its configuration",
            )
        };
        Ok(Self {
            trust_anchor: service.trust_anchor_arn(NAME).ok_or_else(missing)?,
            profile: service.profile_arn(NAME).ok_or_else(missing)?,
            role: service.role_arn(NAME).ok_or_else(missing)?,
        })
    }
}

/// Does what the command line would do, and nothing else: the variables of the user's environment
/// are meant for the real service.
fn ask_for_session(line: &[OsString], console: &Console) -> Result<Session> {
    let nothing = Environment::new(&|_| None);
    let arguments = Arguments::read(line.iter().cloned(), &nothing)
        .map_err(|refusal| Error::new(ErrorKind::InvalidInput, refusal.one_line()))?;
    match arguments.command {
        Command::CredentialProcess(options) => {
            Client::new(&options.client, nothing, console)?.session()
        }
        _ => Err(Error::new(
            ErrorKind::InvalidInput,
            "the demonstration runs another command",
        )),
    }
}

/// Asks STS, which the emulator answers for too, whose credentials they are.
fn caller_identity(endpoint: &str, ca_bundle: &Path, credentials: &Credentials) -> Result<String> {
    let host = endpoint.split("://").nth(1).unwrap_or_default();
    let body = b"Action=GetCallerIdentity&Version=2011-06-15";
    let content_type = "application/x-www-form-urlencoded";
    let signing = sigv4::sign_headers(
        &SigningRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &[("host", host), ("content-type", content_type)],
            payload: Payload::Bytes(body),
        },
        &HmacCredentials {
            access_key_id: credentials.access_key_id(),
            secret_access_key: credentials.secret_access_key().expose(),
            session_token: Some(credentials.session_token().expose()),
        },
        clock::now(),
        REGION,
        "sts",
        HmacSettings::default(),
    )?;
    let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
    for (name, value) in signing.headers() {
        headers.push(((*name).to_owned(), value.clone()));
    }
    let reach = Reach {
        connect_timeout: Duration::from_secs(10),
        insecure: false,
        ca_bundle: Some(ca_bundle.to_owned()),
    };
    let client = HttpsClient::new(endpoint, reach, &Environment::new(&|_| None))?;
    let request = HttpRequest {
        method: "POST",
        url: format!("{endpoint}/"),
        headers,
        body: body.to_vec(),
    };
    let answer = client
        .send(&request, Policy::default().attempt_timeout)
        .map_err(|failure| failure.error)?;
    let text = String::from_utf8_lossy(&answer.body);
    let arn = text
        .split_once("<Arn>")
        .and_then(|(_, rest)| rest.split_once("</Arn>"));
    match (answer.status, arn) {
        (200, Some((arn, _))) => Ok(arn.to_owned()),
        (status, _) => Err(Error::new(
            ErrorKind::InvalidResponse,
            format!(
                "sts:GetCallerIdentity was answered with status {status}: the credentials do not sign"
            ),
        )),
    }
}

/// The story on stderr: numbered steps, what came of each, how long it took.
struct Story<'a> {
    console: &'a Console,
    steps: u32,
    since: Instant,
}

impl<'a> Story<'a> {
    fn begin(console: &'a Console) -> Self {
        console.tell(format_args!(
            "From a certificate to AWS credentials, on this machine alone.\n"
        ));
        Self {
            console,
            steps: 0,
            since: Instant::now(),
        }
    }

    fn step(&mut self, what: &str, results: &[(&str, String)]) {
        self.steps += 1;
        let milliseconds = self.since.elapsed().as_secs_f64() * 1000.0;
        self.console.tell(format_args!(
            "{}. {what} ({milliseconds:.1} ms).",
            self.steps
        ));
        for (name, value) in results {
            self.console.tell(format_args!("   {name:<13} {value}"));
        }
        self.console.tell(format_args!(""));
        self.since = Instant::now();
    }

    fn tell(&self, what: &str) {
        self.console.tell(format_args!("{what}"));
    }

    fn tell_how_to_go_on(&self, folder: &Path, server: &BlockingServer, line: &[OsString]) {
        let program = line
            .first()
            .map(|program| quoted(program))
            .unwrap_or_default();
        let in_folder = |name: &str| quoted(folder.join(name).as_os_str());
        let command: Vec<String> = line.iter().map(|word| quoted(word)).collect();
        self.console.tell(format_args!(
            "The files are in {folder}. Start the service again with\n\n  \
               {program} emulate --config {configuration} --listen {address} --ca-file {server_ca}\n\n\
             and let the AWS CLI and SDKs use it with this profile in ~/.aws/config:\n\n  \
               [profile rolesanywhere-demo]\n  \
               region = {REGION}\n  \
               ca_bundle = {server_ca}\n  \
               endpoint_url = {endpoint}\n  \
               credential_process = {command}\n\n\
             Then: aws sts get-caller-identity --profile rolesanywhere-demo\n",
            folder = folder.display(),
            configuration = in_folder("emulator.toml"),
            server_ca = in_folder("server-ca.pem"),
            address = server.address(),
            endpoint = server.endpoint(),
            command = command.join(" "),
        ));
    }
}

/// A word of a command line, quoted where the shell and the SDKs would split it.
fn quoted(word: &std::ffi::OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn no_directory(error: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("no temporary directory can be made ({error}): set TMPDIR, or pass --keep DIR"),
    )
}
