//! Runs the binary with nothing around it but what a test gives it.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
    fixtures::CertificateAuthority,
    server::{self, BlockingServer, ServerOptions},
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_rolesanywhere");

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program with these arguments and an empty environment.
pub(crate) fn program<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(PROGRAM);
    // A process group of its own: it does not have the terminal, where there is one, and so asks nobody.
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .process_group(0);
    command
}

/// Runs it to its end. A `credential-process` that succeeds says nothing, unless it is asked to: programs take
/// its stderr for a part of the answer.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Run {
    let ended = Run::of(command.output().unwrap());
    let has = |words: &[&str]| {
        command
            .get_args()
            .any(|word| words.iter().any(|w| word == *w))
    };
    if ended.status == Some(0)
        && has(&["credential-process"])
        && !has(&["--verbose", "--debug", "--help"])
    {
        assert_eq!(ended.stderr, "", "{command:?}");
    }
    ended
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The contract of a failure: status 1, nothing on stdout, one line on stderr that says `part`.
    #[track_caller]
    pub(crate) fn fails_with(&self, part: &str) {
        assert_eq!(self.status, Some(1), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(self.stderr.ends_with('\n'), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.starts_with("rolesanywhere: "), "{self:?}");
        assert!(
            self.stderr.contains(part),
            "wanted `{part}` in: {}",
            self.stderr
        );
    }

    /// The contract of a success: status 0, one JSON object on stdout as the SDKs read it.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> serde_json::Value {
        assert_eq!(self.status, Some(0), "{self:?}");
        let json: serde_json::Value = serde_json::from_str(&self.stdout).unwrap();
        assert_eq!(json["Version"], 1);
        for member in [
            "AccessKeyId",
            "SecretAccessKey",
            "SessionToken",
            "Expiration",
        ] {
            assert!(!json[member].as_str().unwrap().is_empty(), "{member}");
        }
        // The order and the missing newline are the reference helper's.
        assert!(self.stdout.starts_with(r#"{"Version":1,"AccessKeyId":""#));
        assert!(self.stdout.ends_with('}'));
        json
    }
}

pub(crate) fn now() -> UnixTime {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixTime::from_seconds(i64::try_from(elapsed.as_secs()).unwrap())
}

/// A directory with a CA, a certificate under it and its key.
pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) ca: CertificateAuthority,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at(now())
    }

    /// A world whose certificates were made at another time.
    pub(crate) fn at(time: UnixTime) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ca = CertificateAuthority::new("test CA", time).unwrap();
        let identity = ca.end_entity("workload", time).unwrap();
        let world = Self { directory, ca };
        world.write("certificate.pem", identity.certificate_pem.as_bytes());
        world.write_private("key.pem", identity.private_key_pem.as_bytes());
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn write_private(&self, name: &str, content: &[u8]) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.write(name, content);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// `credential-process` with the world's files, ARNs of the emulator below, and more.
    pub(crate) fn credential_process(&self, arns: &Arns, extra: &[&str]) -> Command {
        let (certificate, key) = (self.text("certificate.pem"), self.text("key.pem"));
        let mut line = vec![
            "credential-process",
            "--certificate",
            &certificate,
            "--private-key",
            &key,
            "--trust-anchor-arn",
            &arns.trust_anchor,
            "--profile-arn",
            &arns.profile,
            "--role-arn",
            &arns.role,
        ];
        line.extend(extra);
        program(&line)
    }

    /// An emulator that trusts the world's CA, and its TLS CA in `server-ca.pem`.
    pub(crate) fn emulator(&self) -> (BlockingServer, Arns) {
        let mut profile = Profile::new("app", &["app"]);
        profile.accept_role_session_name = true;
        let config = Config::new("123456789012", "us-east-1")
            .with_trust_anchor(TrustAnchor::new("ca", self.ca.certificate_pem()))
            .with_profile(profile)
            .with_role(Role::new("app"));
        let service = Arc::new(Service::new(&config).unwrap());
        let server = server::start_blocking(service, ServerOptions::default()).unwrap();
        self.write("server-ca.pem", server.ca_pem().unwrap().as_bytes());
        let service = server.service();
        let arns = Arns {
            trust_anchor: service.trust_anchor_arn("ca").unwrap(),
            profile: service.profile_arn("app").unwrap(),
            role: service.role_arn("app").unwrap(),
        };
        (server, arns)
    }
}

#[derive(Clone)]
pub(crate) struct Arns {
    pub(crate) trust_anchor: String,
    pub(crate) profile: String,
    pub(crate) role: String,
}

impl Arns {
    /// For servers that do not look.
    pub(crate) fn any() -> Self {
        Self {
            trust_anchor: "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/a".into(),
            profile: "arn:aws:rolesanywhere:us-east-1:123456789012:profile/p".into(),
            role: "arn:aws:iam::123456789012:role/r".into(),
        }
    }
}

/// A process beside the test; killed when dropped, unless it has ended.
pub(crate) struct Background(Option<Child>);

impl Background {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// The process, of which the streams may be taken.
    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Sends a signal, named as `kill` names it.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let mut kill = Command::new("kill");
        assert!(kill.args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end: the exit code, and what it wrote where its streams are pipes.
    pub(crate) fn wait(mut self) -> Run {
        Run::of(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill(); // It may have ended by itself.
            let _ = child.wait();
        }
    }
}

/// Waits until a file is there, at most ten seconds; its content.
pub(crate) fn wait_for(path: &Path) -> String {
    wait_until_exists(path);
    std::fs::read_to_string(path).unwrap()
}

/// Waits until something is there under this name, at most ten seconds.
pub(crate) fn wait_until_exists(path: &Path) {
    for _ in 0..1000 {
        if path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} did not appear", path.display());
}

/// Makes a pipe with a name.
pub(crate) fn mkfifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// Runs openssl, which makes what rcgen cannot.
pub(crate) fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
