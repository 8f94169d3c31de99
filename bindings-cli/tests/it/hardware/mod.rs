//! Keys that are in no file, in what there is of the real things for a machine without hardware:
//! SoftHSM, swtpm, ssh-agent. Each test is ignored by default and run by `tests/run hardware`,
//! which installs these.

mod pkcs11;
mod ssh_agent;
mod tpm;

use std::process::Command;

use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
    server::{self, BlockingServer, ServerOptions},
};

use crate::harness::{Arns, Run, openssl, program, run};

/// A directory with a CA of OpenSSL's, and an emulator that trusts it.
struct Bench {
    directory: tempfile::TempDir,
    server: BlockingServer,
    arns: Arns,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let request = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ];
        let files = [
            "-nodes",
            "-keyout",
            &path("ca-key.pem"),
            "-out",
            &path("ca.pem"),
        ];
        let rest = [
            "-subj",
            "/CN=CA",
            "-days",
            "2",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ];
        openssl(&[&request[..], &files, &rest].concat());
        std::fs::write(
            path("extensions"),
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
             authorityKeyIdentifier=keyid\n",
        )
        .unwrap();
        std::fs::write(
            path("ca-extensions"),
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
             subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
        )
        .unwrap();
        let anchor = std::fs::read_to_string(path("ca.pem")).unwrap();
        let config = Config::new("123456789012", "us-east-1")
            .with_trust_anchor(TrustAnchor::new("ca", &anchor))
            .with_profile(Profile::new("app", &["app"]))
            .with_role(Role::new("app"));
        let service = Service::new(&config).unwrap();
        let server = server::start_blocking(service.into(), ServerOptions::default()).unwrap();
        std::fs::write(path("server-ca.pem"), server.ca_pem().unwrap()).unwrap();
        let arns = Arns {
            trust_anchor: server.service().trust_anchor_arn("ca").unwrap(),
            profile: server.service().profile_arn("app").unwrap(),
            role: server.service().role_arn("app").unwrap(),
        };
        Self {
            directory,
            server,
            arns,
        }
    }

    fn path(&self, name: &str) -> String {
        self.directory
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A new private key as PKCS#8 in `NAME-key.pem`, and its public half in `NAME-public.pem`.
    /// `kind` is `rsa:2048` or `ec:P-256`.
    fn key(&self, name: &str, kind: &str) -> String {
        let (algorithm, parameter) = kind.split_once(':').unwrap();
        let option = match algorithm {
            "rsa" => format!("rsa_keygen_bits:{parameter}"),
            _ => format!("ec_paramgen_curve:{parameter}"),
        };
        let key = self.path(&format!("{name}-key.pem"));
        let public = self.path(&format!("{name}-public.pem"));
        openssl(&[
            "genpkey",
            "-algorithm",
            algorithm,
            "-pkeyopt",
            &option,
            "-out",
            &key,
        ]);
        openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
        key
    }

    /// A certificate by the CA for the public key in `NAME-public.pem`, in `NAME.pem` and
    /// `NAME.der`.
    fn certificate(&self, name: &str) -> String {
        self.certificate_by(name, "ca", "extensions")
    }

    fn certificate_by(&self, name: &str, issuer: &str, extensions: &str) -> String {
        let [public, issuer_key, issuer] = [
            format!("{name}-public.pem"),
            format!("{issuer}-key.pem"),
            format!("{issuer}.pem"),
        ]
        .map(|name| self.path(&name));
        let (pem, der) = (
            self.path(&format!("{name}.pem")),
            self.path(&format!("{name}.der")),
        );
        let subject = format!("/CN={name}");
        let what = ["x509", "-new", "-force_pubkey", &public, "-subj", &subject];
        let by = [
            "-CA",
            &issuer,
            "-CAkey",
            &issuer_key,
            "-days",
            "1",
            "-sha256",
        ];
        let with = ["-extfile", &self.path(extensions), "-out", &pem];
        openssl(&[&what[..], &by, &with].concat());
        openssl(&["x509", "-in", &pem, "-outform", "DER", "-out", &der]);
        pem
    }

    /// `credential-process` against the emulator, without a cache.
    fn credential_process(&self, extra: &[&str]) -> Command {
        let ca = self.path("server-ca.pem");
        let mut line = vec![
            "credential-process",
            "--no-cache",
            "--trust-anchor-arn",
            &self.arns.trust_anchor,
            "--profile-arn",
            &self.arns.profile,
            "--role-arn",
            &self.arns.role,
            "--endpoint",
            self.server.endpoint(),
            "--ca-bundle",
            &ca,
        ];
        line.extend(extra);
        program(&line)
    }

    /// What `sign-string` prints in hexadecimal must be a signature under the public key in
    /// `NAME-public.pem`, by OpenSSL.
    fn check_signature(&self, name: &str, digest: &str, ended: &Run) {
        assert_eq!(ended.status, Some(0), "{ended:?}");
        let public = self.path(&format!("{name}-public.pem"));
        let key = rolesanywhere_core::PublicKey::from_spki_der(
            rolesanywhere_core::pem::sections(
                &std::fs::read(&public).unwrap(),
                rolesanywhere_core::ErrorKind::InvalidKey,
            )
            .unwrap()[0]
                .der(),
        )
        .unwrap();
        // The text that the reference helper signs: see its `sign-string`.
        let mut suffix = b"IAM RA".to_vec();
        suffix.extend_from_slice(key.as_bytes());
        let mut message = b"AWS Roles Anywhere Credential Helper Signing Test1".to_vec();
        message.extend_from_slice(&sha256(&suffix));
        let signature: Vec<u8> = (0..ended.stdout.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&ended.stdout[at..at + 2], 16).unwrap())
            .collect();
        std::fs::write(self.path("message"), message).unwrap();
        std::fs::write(self.path("signature"), signature).unwrap();
        let (message, signature) = (self.path("message"), self.path("signature"));
        let what = ["dgst", digest, "-verify", &public];
        openssl(&[&what[..], &["-signature", &signature, &message]].concat());
    }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes)
        .as_ref()
        .to_vec()
}

/// Runs a tool; what it printed.
fn tool(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
