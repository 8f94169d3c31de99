//! A TPM 2.0, by swtpm and tpm2-tools.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::{Bench, openssl, program, run, tool};
use crate::harness::{Background, wait_until_exists};

/// The standard's storage key, of which files that name a hierarchy are children.
const STORAGE: &str =
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt";
const SIGNING: &str = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";

/// An emulated TPM at a Unix socket.
struct Tpm {
    bench: Bench,
    socket: String,
    _process: Background,
}

impl Tpm {
    fn new() -> Self {
        let bench = Bench::new();
        let state = bench.path("state");
        std::fs::create_dir(&state).unwrap();
        let (socket, control) = (bench.path("tpm.sock"), bench.path("tpm.sock.ctrl"));
        let mut command = Command::new("swtpm");
        command
            .args(["socket", "--tpm2", "--tpmstate", &format!("dir={state}")])
            .args(["--server", &format!("type=unixio,path={socket}")])
            .args(["--ctrl", &format!("type=unixio,path={control}")])
            .args(["--flags", "not-need-init,startup-clear"])
            .stdout(Stdio::null());
        let process = Background::start(&mut command);
        wait_until_exists(Path::new(&socket));
        Self {
            bench,
            socket,
            _process: process,
        }
    }

    /// Runs one of tpm2-tools in the directory; swtpm takes one client after the other.
    fn tool(&self, name: &str, arguments: &[&str]) {
        let mut command = Command::new(name);
        command
            .current_dir(self.bench.directory.path())
            .env("TPM2TOOLS_TCTI", format!("swtpm:path={}", self.socket))
            .args(arguments);
        tool(&mut command);
        if !name.starts_with("tpm2_flush") {
            self.tool("tpm2_flushcontext", &["--transient-object"]);
            self.tool("tpm2_flushcontext", &["--loaded-session"]);
        }
    }

    fn storage_key(&self, algorithm: &str) {
        let what = [
            "-C",
            "o",
            "-G",
            algorithm,
            "-a",
            STORAGE,
            "-c",
            "parent.ctx",
            "-Q",
        ];
        self.tool("tpm2_createprimary", &what);
    }

    /// A signing key under the storage key: `NAME.tpm` as a TSS2 file by OpenSSL, `NAME-tools.tpm`
    /// by tpm2-tools; its public half and certificate.
    fn key(&self, name: &str, algorithm: &str, password: &str, attributes: &str) {
        let (public, private) = (format!("{name}.pub"), format!("{name}.priv"));
        let parts = ["-C", "parent.ctx", "-u", &public, "-r", &private];
        let mut create = vec!["-G", algorithm, "-a", attributes, "-Q"];
        if !password.is_empty() {
            create.extend(["-p", password]);
        }
        self.tool("tpm2_create", &[&parts[..], &create].concat());
        let tools = format!("{name}-tools.tpm");
        let mut encode = vec!["-o", &tools];
        if !password.is_empty() {
            encode.push("-p");
        }
        self.tool("tpm2_encodeobject", &[&parts[..], &encode].concat());
        self.encode(name, "0x40000001", password.is_empty());
        let pem = format!("{name}-public.pem");
        self.tool(
            "tpm2_load",
            &[&parts[..], &["-c", "key.ctx", "-Q"]].concat(),
        );
        self.tool(
            "tpm2_readpublic",
            &["-c", "key.ctx", "-f", "pem", "-o", &pem, "-Q"],
        );
        self.bench.certificate(name);
    }

    /// Writes `NAME.tpm` of `NAME.pub` and `NAME.priv`, by OpenSSL: tpm2-tools 5.4 has `emptyAuth`
    /// the wrong way round.
    fn encode(&self, name: &str, parent: &str, empty_auth: bool) {
        let hex = |part: &str| {
            let bytes = std::fs::read(self.bench.path(&format!("{name}.{part}"))).unwrap();
            bytes
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect::<String>()
        };
        let flag = if empty_auth {
            "empty=EXPLICIT:0,BOOLEAN:TRUE\n"
        } else {
            ""
        };
        let text = format!(
            "asn1=SEQUENCE:key\n[key]\ntype=OID:2.23.133.10.1.3\n{flag}parent=INTEGER:{parent}\n\
             public=FORMAT:HEX,OCTETSTRING:{}\nprivate=FORMAT:HEX,OCTETSTRING:{}\n",
            hex("pub"),
            hex("priv")
        );
        let (text, der) = (
            self.bench.write("asn1.conf", &text),
            self.bench.path("key.der"),
        );
        openssl(&["asn1parse", "-genconf", &text, "-noout", "-out", &der]);
        let base64 = self.bench.path("key.b64");
        openssl(&["base64", "-in", &der, "-out", &base64]);
        let base64 = std::fs::read_to_string(base64).unwrap();
        let pem =
            format!("-----BEGIN TSS2 PRIVATE KEY-----\n{base64}-----END TSS2 PRIVATE KEY-----\n");
        self.bench.write(&format!("{name}.tpm"), &pem);
    }

    /// Makes the key that was made last stay under a handle.
    fn keep(&self, handle: &str) {
        self.tool(
            "tpm2_evictcontrol",
            &["-C", "o", "-c", "key.ctx", handle, "-Q"],
        );
    }

    fn ask(&self, certificate: &str, key: &str, more: &[&str]) -> super::Run {
        let certificate = self.bench.path(&format!("{certificate}.pem"));
        let line = ["--certificate", &certificate, "--private-key", key];
        let mut command = self.bench.credential_process(&[&line[..], more].concat());
        run(command.env("TPM_DEVICE", &self.socket))
    }

    fn sign(&self, key: &str, more: &[&str]) -> super::Run {
        let line = ["sign-string", "--format", "text", "--private-key", key];
        let mut command = program(&[&line[..], more].concat());
        run(command.env("TPM_DEVICE", &self.socket))
    }
}

#[test]
#[ignore = "needs swtpm and tpm2-tools: tests/run hardware"]
fn keys_in_files_and_under_handles_get_a_session_and_sign() {
    let tpm = Tpm::new();
    tpm.storage_key("ecc");
    let patient = ["-s", "-n", "1000", "-t", "1000", "-l", "1000"];
    tpm.tool("tpm2_dictionarylockout", &patient);
    let password = tpm.bench.write("password", "sesame\n");
    let named = ["--password-file", &*password];
    for (position, (name, algorithm, secret)) in [
        ("ec256", "ecc256", ""),
        ("ec256-password", "ecc256", "sesame"),
        ("ec384", "ecc384", ""),
        ("rsa", "rsa2048", ""),
        ("rsa-password", "rsa2048", "sesame"),
        ("bound", "ecc256:ecdsa-sha256", ""),
    ]
    .into_iter()
    .enumerate()
    {
        tpm.key(name, algorithm, secret, SIGNING);
        let handle = format!("0x8100010{position}");
        tpm.keep(&handle);
        let file = tpm.bench.path(&format!("{name}.tpm"));
        let with_prefix = format!("handle:{handle}");
        let without = with_prefix.replace("0x", "");
        let (for_file, for_handle) = match secret {
            "" => (&[][..], &["--no-tpm-key-password"][..]),
            _ => (&named[..], &named[..]),
        };
        let tools = tpm.bench.path(&format!("{name}-tools.tpm"));
        for (key, more) in [
            (&file, for_file),
            (&tools, for_handle),
            (&with_prefix, for_handle),
            (&without, for_handle),
        ] {
            let ended = tpm.ask(name, key, more);
            ended.succeeds();
            assert_eq!(ended.stderr, "", "{name} {key}");
            let ended = tpm.sign(key, more);
            tpm.bench.check_signature(name, "-sha256", &ended);
            if name == "bound" {
                let ended = tpm.sign(key, &[more, &["--digest", "SHA384"]].concat());
                ended.fails_with(
                    "the key is bound to ECDSA under SHA-256, and ECDSA under SHA-384 is wanted",
                );
            }
        }
        if secret.is_empty() {
            tpm.ask(name, &file, &named)
                .fails_with("or, if it has none, leave it out");
        } else {
            let wrong = tpm.bench.write("wrong", "sesam");
            let wrong = ["--password-file", &wrong];
            tpm.ask(name, &file, &wrong)
                .fails_with("the TPM refuses the password");
            tpm.ask(name, &file, &[])
                .fails_with("wants a password: give it with --password-file");
            let ended = tpm.ask(name, &file, &["--tpm-key-password", "sesame", "--verbose"]);
            ended.succeeds();
            assert!(
                ended
                    .stderr
                    .contains("--tpm-key-password shows the password"),
                "{ended:?}"
            );
            assert!(!ended.stderr.contains("sesame"), "{ended:?}");
        }
    }
}

#[test]
#[ignore = "needs swtpm and tpm2-tools: tests/run hardware"]
fn a_key_under_a_persistent_parent_is_loaded_there() {
    let tpm = Tpm::new();
    tpm.storage_key("rsa2048");
    tpm.tool(
        "tpm2_evictcontrol",
        &["-C", "o", "-c", "parent.ctx", "0x81000001", "-Q"],
    );
    let parts = ["-C", "0x81000001", "-u", "app.pub", "-r", "app.priv"];
    tpm.tool(
        "tpm2_create",
        &[&parts[..], &["-G", "ecc256", "-a", SIGNING, "-Q"]].concat(),
    );
    tpm.encode("app", "0x81000001", true);
    tpm.tool(
        "tpm2_load",
        &[&parts[..], &["-c", "key.ctx", "-Q"]].concat(),
    );
    tpm.tool(
        "tpm2_readpublic",
        &["-c", "key.ctx", "-f", "pem", "-o", "app-public.pem", "-Q"],
    );
    tpm.bench.certificate("app");
    tpm.ask("app", &tpm.bench.path("app.tpm"), &[]).succeeds();
}

#[test]
#[ignore = "needs swtpm and tpm2-tools: tests/run hardware"]
fn what_cannot_sign_is_named() {
    let tpm = Tpm::new();
    tpm.storage_key("ecc");
    tpm.key("app", "ecc256", "", SIGNING);
    tpm.keep("0x81000101");
    let app = tpm.bench.path("app.tpm");
    tpm.key("other", "ecc256", "", SIGNING);
    tpm.ask("other", &app, &[])
        .fails_with("does not belong to the certificate");
    tpm.ask("other", "handle:0x81000101", &["--no-tpm-key-password"])
        .fails_with("`handle:0x81000101` of the TPM does not belong to the certificate");
    let empty = ["--no-tpm-key-password"];
    tpm.ask("app", "handle:0x81000199", &empty)
        .fails_with("has nothing under that handle");
    tpm.ask("app", "handle:0x80000000", &empty)
        .fails_with("is no persistent handle");
    tpm.ask("app", "handle:x", &empty)
        .fails_with("names no key of a TPM");
    tpm.ask("app", "handle:0x81000101", &[])
        .fails_with("--no-tpm-key-password for none");
    tpm.key(
        "decrypts",
        "rsa2048:rsaes:null",
        "",
        &SIGNING.replace("sign", "decrypt"),
    );
    tpm.ask("decrypts", &tpm.bench.path("decrypts.tpm"), &[])
        .fails_with("is not made for signing");
    tpm.key("pss", "rsa2048:rsapss-sha256:null", "", SIGNING);
    tpm.ask("pss", &tpm.bench.path("pss.tpm"), &[])
        .fails_with("the key is bound to RSAPSS under SHA-256");
    // A file of another TPM.
    let stranger = Tpm::new();
    stranger.storage_key("ecc");
    stranger.key("app", "ecc256", "", SIGNING);
    let file = stranger.bench.path("app.tpm");
    let line = [
        "--certificate",
        &stranger.bench.path("app.pem"),
        "--private-key",
        &file,
    ];
    let mut command = tpm.bench.credential_process(&line);
    run(command.env("TPM_DEVICE", &tpm.socket))
        .fails_with("cannot unwrap the key: it was made by another TPM");
    // No TPM at all, and what is none.
    for (device, part) in [
        ("/nonexistent", "cannot be opened"),
        (&*app, "it is a plain file"),
    ] {
        let mut command = tpm.bench.credential_process(&line);
        run(command.env("TPM_DEVICE", device)).fails_with(part);
    }
    for (parent, part) in [
        ("0x80000000", "the parent 0x80000000 is neither"),
        ("0x4000000B", "cannot unwrap the key"),
    ] {
        tpm.encode("app", parent, true);
        tpm.ask("app", &app, &[]).fails_with(part);
    }
    std::fs::write(tpm.bench.path("app.priv"), [0, 4, 1, 2, 3]).unwrap();
    tpm.encode("app", "0x40000001", true);
    tpm.ask("app", &app, &[])
        .fails_with("app.tpm`: the TSS2 key cannot be read");
}

#[test]
#[ignore = "needs swtpm and tpm2-tools: tests/run hardware"]
fn a_tpm_that_is_locked_says_so() {
    let tpm = Tpm::new();
    tpm.storage_key("ecc");
    tpm.key("app", "ecc256", "sesame", SIGNING);
    let file = tpm.bench.path("app.tpm");
    let wrong = tpm.bench.write("wrong", "sesam");
    tpm.tool(
        "tpm2_dictionarylockout",
        &["-s", "-n", "2", "-t", "1000", "-l", "1000"],
    );
    for _ in 0..2 {
        tpm.ask("app", &file, &["--password-file", &wrong])
            .fails_with("the TPM refuses the password");
    }
    let right = tpm.bench.write("right", "sesame");
    let ended = tpm.ask("app", &file, &["--password-file", &right]);
    ended.fails_with("is locked after too many wrong passwords");
    tpm.tool("tpm2_dictionarylockout", &["-c"]);
    tpm.ask("app", &file, &["--password-file", &right])
        .succeeds();
}

#[test]
#[ignore = "needs swtpm and tpm2-tools: tests/run hardware"]
fn a_key_file_may_hold_its_certificate_too() {
    let tpm = Tpm::new();
    tpm.storage_key("ecc");
    tpm.key("app", "ecc256", "", SIGNING);
    let read = |name: &str| std::fs::read_to_string(tpm.bench.path(name)).unwrap();
    let both = tpm.bench.write(
        "both.pem",
        &format!("{}{}", read("app.tpm"), read("app.pem")),
    );
    let mut command = tpm.bench.credential_process(&["--certificate", &both]);
    run(command.env("TPM_DEVICE", &tpm.socket)).succeeds();
    openssl(&["x509", "-in", &both, "-noout"]); // It is a certificate's file to others, too.
}
