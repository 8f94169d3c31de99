//! OpenSSH's agent.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use super::{Bench, program, run, tool};
use crate::harness::{Background, wait_until_exists};

struct Agent {
    bench: Bench,
    socket: String,
    _process: Background,
}

impl Agent {
    fn new() -> Self {
        let bench = Bench::new();
        let socket = bench.path("agent.sock");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a", &socket]).stdout(Stdio::null());
        let process = Background::start(&mut command);
        wait_until_exists(Path::new(&socket));
        Self {
            bench,
            socket,
            _process: process,
        }
    }

    /// A key that the agent alone has from here on, its certificate in a file.
    fn key(&self, name: &str, kind: &str) {
        let file = self.bench.key(name, kind);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        // `ssh-add` takes the file's name for the comment.
        let renamed = self.bench.path(name);
        std::fs::rename(file, &renamed).unwrap();
        self.bench.certificate(name);
        self.add(&["-q", &renamed]);
        std::fs::remove_file(renamed).unwrap();
    }

    fn add(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("ssh-add");
        tool(command.env("SSH_AUTH_SOCK", &self.socket).args(arguments))
    }

    fn ask(&self, certificate: &str, key: &str) -> super::Run {
        let certificate = self.bench.path(&format!("{certificate}.pem"));
        let line = ["--certificate", &certificate, "--private-key", key];
        let mut command = self.bench.credential_process(&line);
        run(command.env("SSH_AUTH_SOCK", &self.socket))
    }

    fn sign(&self, key: &str, digest: &str) -> super::Run {
        let line = [
            "sign-string",
            "--format",
            "text",
            "--digest",
            digest,
            "--private-key",
            key,
        ];
        run(program(&line).env("SSH_AUTH_SOCK", &self.socket))
    }
}

#[test]
#[ignore = "needs ssh-agent: tests/run hardware"]
fn rsa_and_p256_get_a_session_and_sign() {
    let agent = Agent::new();
    agent.key("rsa", "rsa:2048");
    agent.key("ec", "ec:P-256");
    for name in ["rsa", "ec"] {
        let comment = format!("ssh-agent:{}", agent.bench.path(name));
        let listed = agent.add(&["-l"]);
        let line = listed
            .lines()
            .find(|line| line.contains(&agent.bench.path(name)))
            .unwrap();
        let fingerprint = format!("ssh-agent:{}", line.split(' ').nth(1).unwrap());
        for key in ["ssh-agent:", &comment, &fingerprint] {
            // ECDSA's numbers are of varying length.
            for _ in 0..4 {
                let ended = agent.ask(name, key);
                ended.succeeds();
                assert_eq!(ended.stderr, "");
            }
        }
        let ended = agent.sign(&fingerprint, "SHA256");
        agent.bench.check_signature(name, "-sha256", &ended);
        agent
            .sign(&fingerprint, "SHA384")
            .fails_with("does not sign under this hash function");
    }
    let rsa = format!("ssh-agent:{}", agent.bench.path("rsa"));
    let ended = agent.sign(&rsa, "SHA512");
    agent.bench.check_signature("rsa", "-sha512", &ended);
}

#[test]
#[ignore = "needs ssh-agent: tests/run hardware"]
fn what_cannot_be_is_named() {
    let agent = Agent::new();
    agent.bench.key("absent", "ec:P-256");
    agent.bench.certificate("absent");
    agent
        .ask("absent", "ssh-agent:")
        .fails_with("the SSH agent holds no key");
    agent.key("ec", "ec:P-256");
    agent
        .ask("absent", "ssh-agent:")
        .fails_with("no key of the SSH agent belongs to the certificate");
    agent
        .ask("absent", "ssh-agent:nobody")
        .fails_with("no key of the SSH agent is called `nobody`: it holds `SHA256:");
    let ec = format!("ssh-agent:{}", agent.bench.path("ec"));
    agent
        .ask("absent", &ec)
        .fails_with("does not belong to the certificate");
    for (name, kind) in [("p384", "ec:P-384"), ("p521", "ec:P-521")] {
        agent.key(name, kind);
        agent
            .ask(name, "ssh-agent:")
            .fails_with("signs for the service with RSA and with EC P-256 only");
    }
    agent
        .sign("ssh-agent:", "SHA256")
        .fails_with("3 keys of the SSH agent fit: write the fingerprint");
    let certificate = agent.bench.path("ec.pem");
    let line = ["--certificate", &certificate, "--private-key", "ssh-agent:"];
    run(&mut agent.bench.credential_process(&line)).fails_with("SSH_AUTH_SOCK is not set");
    let mut command = agent.bench.credential_process(&line);
    run(command.env("SSH_AUTH_SOCK", "/nonexistent")).fails_with("does not answer");
    // A locked agent shows no keys.
    let ask = agent.bench.write("ask", "#!/bin/sh\necho sesame\n");
    std::fs::set_permissions(&ask, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut lock = Command::new("ssh-add");
    lock.args(["-q", "-x"]).env("SSH_AUTH_SOCK", &agent.socket);
    tool(
        lock.env("SSH_ASKPASS", &ask)
            .env("SSH_ASKPASS_REQUIRE", "force"),
    );
    agent
        .ask("ec", "ssh-agent:")
        .fails_with("or unlock the agent (`ssh-add -X`)");
}
