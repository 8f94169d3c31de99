//! The emulator's process.

use std::{
    fs,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};

use crate::identities::Kind;

/// The emulator, stopped when dropped.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    pub tls: Arc<ClientConfig>,
    pub trust_anchor: String,
    pub profile: String,
    pub role: String,
}

/// In KiB.
pub struct Memory {
    pub resident: u64,
    pub peak: u64,
}

impl Server {
    pub fn start(kind: Kind, revoked: usize) -> Self {
        let name = kind.file();
        let config = format!(
            "[[trust_anchor]]\nname = \"ca\"\npem_file = \"{name}-root.pem\"\n\
             [[crl]]\nname = \"ca\"\ntrust_anchor = \"ca\"\npem_file = \"{name}-crl-{revoked}.pem\"\n\
             [[profile]]\nname = \"app\"\nroles = [\"app\"]\n[[role]]\nname = \"app\"\n"
        );
        fs::write("emulator.toml", config).unwrap();
        let _absent = fs::remove_file("ready");
        let said = fs::File::create("said").unwrap();
        let process = Command::new("./rolesanywhere")
            .args([
                "emulate",
                "--config",
                "emulator.toml",
                "--ca-file",
                "server-ca.pem",
                "--ready-file",
                "ready",
            ])
            .stderr(said)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let said = loop {
            thread::sleep(Duration::from_millis(20));
            let said = fs::read_to_string("said").unwrap();
            if said.contains("--role-arn") {
                break said;
            }
        };
        let named = |option: &str| {
            let (_, rest) = said.split_once(option).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let ready = fs::read_to_string("ready").unwrap();
        let (_, address) = ready.split_once("https://").unwrap();
        let address = address.split('"').next().unwrap().parse().unwrap();
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter("server-ca.pem").unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        Self {
            process,
            address,
            tls: Arc::new(
                ClientConfig::builder()
                    .with_root_certificates(roots)
                    .with_no_client_auth(),
            ),
            trust_anchor: named("--trust-anchor-arn"),
            profile: named("--profile-arn"),
            role: named("--role-arn"),
        }
    }

    /// The `Host` header.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// User and system time of all its threads.
    pub fn processor_time(&self) -> Duration {
        processor_time(&self.process.id().to_string())
    }

    pub fn memory(&self) -> Memory {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Memory {
            resident: field("VmRSS:"),
            peak: field("VmHWM:"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

/// User and system time of a process, by its number or as `self`.
pub fn processor_time(process: &str) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
    let (_, fields) = text.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // USER_HZ, which Linux shows to processes as 100 on every machine.
    Duration::from_millis(ticks * 10)
}
