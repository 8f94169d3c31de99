//! PKCS#11, by SoftHSM and OpenSC's `pkcs11-tool`.

mod refusals;

use std::process::Command;

use super::{Bench, openssl, program, run, tool};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// SoftHSM with tokens of its own.
struct Hsm {
    bench: Bench,
    configuration: String,
}

impl Hsm {
    fn new() -> Self {
        let bench = Bench::new();
        let tokens = bench.path("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let text = format!("directories.tokendir = {tokens}\nlog.level = ERROR\n");
        let configuration = bench.write("softhsm2.conf", &text);
        let hsm = Self {
            bench,
            configuration,
        };
        hsm.token("credential-helper-test");
        hsm
    }

    fn token(&self, label: &str) {
        let what = ["--init-token", "--free", "--label", label];
        let pins = ["--pin", "1234", "--so-pin", "5678"];
        tool(self.with("softhsm2-util").args(what).args(pins));
    }

    fn with(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", &self.configuration);
        command
    }

    /// Writes an object by OpenSC; `more` are further options.
    fn write(&self, kind: &str, file: &str, label: &str, id: &str, more: &[&str]) {
        let token = ["--token-label", "credential-helper-test"];
        let what = [
            "--write-object",
            file,
            "--type",
            kind,
            "--label",
            label,
            "--id",
            id,
        ];
        tool(
            self.with("pkcs11-tool")
                .args(["--module", MODULE, "--login", "--pin", "1234"])
                .args(token)
                .args(what)
                .args(more),
        );
    }

    /// A key pair of this kind, in the token under a label and an identifier; not its certificate.
    fn key(&self, label: &str, id: &str, kind: &str, more: &[&str]) {
        let key = self.bench.key(label, kind);
        let der = self.bench.path(&format!("{label}-key.der"));
        openssl(&["pkey", "-in", &key, "-outform", "DER", "-out", &der]);
        let public = self.bench.path(&format!("{label}-public.der"));
        openssl(&[
            "pkey", "-in", &key, "-pubout", "-outform", "DER", "-out", &public,
        ]);
        self.write(
            "privkey",
            &der,
            label,
            id,
            &[&["--usage-sign"], more].concat(),
        );
        self.write("pubkey", &public, label, id, &[]);
        std::fs::remove_file(key).unwrap(); // From here on the key is in the token alone.
        std::fs::remove_file(der).unwrap();
    }

    /// A key pair and its certificate in the token; the certificate in `LABEL.pem` too.
    fn identity(&self, label: &str, id: &str, kind: &str, more: &[&str]) {
        self.key(label, id, kind, more);
        self.bench.certificate(label);
        let der = self.bench.path(&format!("{label}.der"));
        self.write("cert", &der, label, id, &[]);
    }

    fn pin(&self) -> String {
        self.bench.write("pin", "1234\n")
    }

    /// `credential-process` with SoftHSM as its module and the PIN from a file.
    fn ask(&self, line: &[&str]) -> super::Run {
        let pin = self.pin();
        let mut all = vec!["--pkcs11-lib", MODULE, "--password-file", &pin];
        all.extend(line);
        self.ask_as(&all)
    }

    /// `credential-process` with exactly these options.
    fn ask_as(&self, line: &[&str]) -> super::Run {
        let mut command = self.bench.credential_process(line);
        run(command.env("SOFTHSM2_CONF", &self.configuration))
    }

    fn sign(&self, line: &[&str]) -> super::Run {
        let pin = self.pin();
        let what = ["sign-string", "--format", "text", "--pkcs11-lib", MODULE];
        let mut command = program(&[&what[..], &["--password-file", &pin], line].concat());
        run(command.env("SOFTHSM2_CONF", &self.configuration))
    }
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn every_kind_of_key_gets_a_session_and_signs() {
    let hsm = Hsm::new();
    let kinds = ["rsa:2048", "rsa:4096", "ec:P-256", "ec:P-384", "ec:P-521"];
    for (position, kind) in kinds.into_iter().enumerate() {
        let label = kind.replace(':', "-");
        let id = format!("0{}", position + 1);
        hsm.identity(&label, &id, kind, &[]);
        let uri = format!("pkcs11:token=credential-helper-test;object={label}");
        let by_id = format!("pkcs11:id=%{id}");
        let file = hsm.bench.path(&format!("{label}.pem"));
        // The certificate's URI finds the key; each may have one of its own; the certificate may be
        // in a file.
        for line in [
            &["--certificate", &uri][..],
            &["--certificate", &by_id],
            &["--certificate", &uri, "--private-key", &by_id],
            &["--certificate", &file, "--private-key", &uri],
        ] {
            let ended = hsm.ask(line);
            ended.succeeds();
            assert_eq!(ended.stderr, "", "{line:?}");
        }
        for (digest, option) in [
            ("-sha256", "SHA256"),
            ("-sha384", "SHA384"),
            ("-sha512", "SHA512"),
        ] {
            let ended = hsm.sign(&["--private-key", &uri, "--digest", option]);
            hsm.bench.check_signature(&label, digest, &ended);
            let ended = hsm.sign(&["--certificate", &uri, "--digest", option]);
            hsm.bench.check_signature(&label, digest, &ended);
        }
    }
    assert_eq!(hsm.bench.server.service().issued_credentials(), 20);
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn the_pin_comes_from_every_place_and_a_wrong_one_is_named() {
    let hsm = Hsm::new();
    hsm.identity("app", "01", "ec:P-256", &[]);
    let pin = hsm.pin();
    let (uri, module) = ("pkcs11:object=app", ["--pkcs11-lib", MODULE]);
    let line = |uri: &str, more: &[&str]| {
        let line = [&module[..], &["--certificate", uri], more].concat();
        let mut command = hsm.bench.credential_process(&line);
        command
            .env("SOFTHSM2_CONF", &hsm.configuration)
            .env("TOKEN_PIN", "1234");
        run(&mut command)
    };
    for (uri, more) in [
        (uri, &["--password-file", &pin][..]),
        (uri, &["--password-env", "TOKEN_PIN"]),
        (&format!("{uri}?pin-source=file:{pin}"), &[]),
        (
            &format!("{uri}?module-path={MODULE}"),
            &["--password-file", &pin],
        ),
    ] {
        let ended = line(uri, more);
        ended.succeeds();
        assert_eq!(ended.stderr, "", "{more:?}");
    }
    let ended = line("pkcs11:object=app?pin-value=1234", &["--verbose"]);
    ended.succeeds();
    assert!(
        ended.stderr.contains("shows the PIN to every user"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("1234"), "{ended:?}");

    line(uri, &[])
        .fails_with("the token `credential-helper-test` wants a PIN: give it with --password-file");
    let ended = line("pkcs11:object=app?pin-value=9876", &[]);
    ended.fails_with("the PIN is not right");
    assert!(!ended.stderr.contains("9876"), "{ended:?}");
    let wrong = hsm.bench.write("wrong-pin", "9876");
    line(uri, &["--password-file", &wrong]).fails_with("the PIN is not right");
    line("pkcs11:object=app?pin-value=", &[]).fails_with("the PIN is not right");
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn a_key_that_wants_a_login_for_each_signature_gets_it() {
    let hsm = Hsm::new();
    for (label, id, kind) in [
        ("rsa-always", "01", "rsa:2048"),
        ("ec-always", "02", "ec:P-256"),
    ] {
        hsm.identity(label, id, kind, &["--always-auth"]);
        let uri = format!("pkcs11:object={label}");
        hsm.ask(&["--certificate", &uri, "--reuse-pin"]).succeeds();
        hsm.ask(&["--certificate", &uri])
            .fails_with("wants its PIN for each signature: pass --reuse-pin");
        let ended = hsm.sign(&["--private-key", &uri, "--reuse-pin", "--digest", "SHA384"]);
        hsm.bench.check_signature(label, "-sha384", &ended);
    }
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn the_chain_is_that_of_the_certificate_whatever_else_the_token_holds() {
    let hsm = Hsm::new();
    let bench = &hsm.bench;
    for name in ["intermediate", "stranger"] {
        bench.key(name, "ec:P-256");
        bench.certificate_by(name, "ca", "ca-extensions");
    }
    hsm.key("leaf", "01", "ec:P-256", &[]);
    bench.certificate_by("leaf", "intermediate", "extensions");
    openssl(&[
        "x509",
        "-in",
        &bench.path("ca.pem"),
        "-outform",
        "DER",
        "-out",
        &bench.path("ca.der"),
    ]);
    for (id, label) in [
        ("11", "ca"),
        ("12", "intermediate"),
        ("13", "stranger"),
        ("01", "leaf"),
    ] {
        hsm.write("cert", &bench.path(&format!("{label}.der")), label, id, &[]);
    }
    // Nothing is named but the token: the leaf is the one that is no CA's.
    let ended = hsm.ask(&[
        "--certificate",
        "pkcs11:token=credential-helper-test",
        "--verbose",
    ]);
    ended.succeeds();
    assert!(
        ended.stderr.contains("1 intermediate(s)"),
        "{}",
        ended.stderr
    );
    // With the certificate in a file, the chain comes from files alone.
    let line = [
        "--certificate",
        &bench.path("leaf.pem"),
        "--private-key",
        "pkcs11:object=leaf",
    ];
    hsm.ask(&line).fails_with("Untrusted signing certificate");
    hsm.ask(
        &[
            &line[..],
            &["--intermediates", &bench.path("intermediate.pem")],
        ]
        .concat(),
    )
    .succeeds();
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn certificates_are_listed_each_with_its_uri() {
    let hsm = Hsm::new();
    hsm.identity("one", "01", "ec:P-256", &[]);
    hsm.identity("two", "02", "rsa:2048", &[]);
    let list = |more: &[&str]| {
        let line = [
            "read-certificate-data",
            "--pkcs11-lib",
            MODULE,
            "--certificate",
        ];
        let mut command = program(&[&line[..], more].concat());
        let ended = run(command.env("SOFTHSM2_CONF", &hsm.configuration));
        assert_eq!(ended.status, Some(0), "{ended:?}");
        ended.stdout
    };
    let text = list(&["pkcs11:"]);
    assert!(
        text.starts_with("Matching identities\n1) Hex Fingerprint: "),
        "{text}"
    );
    assert_eq!(text.matches("\nIssuer: CN=CA\n").count(), 2, "{text}");
    let uris: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("URI: "))
        .collect();
    assert_eq!(uris.len(), 2, "{text}");
    for uri in uris {
        let one = list(&[uri]);
        assert_eq!(one.matches("URI: ").count(), 1, "{one}");
        hsm.ask(&["--certificate", uri]).succeeds();
    }
    let text = list(&["pkcs11:", "--cert-selector", "Key=x509Subject,Value=CN=two"]);
    assert!(
        text.contains("Subject: CN=two\n") && !text.contains("CN=one"),
        "{text}"
    );
    // What is not there may be private: it is looked for once more with the PIN.
    let none = "pkcs11:object=none?pin-value=1234";
    assert_eq!(list(&[none]), "No matching identities\n");
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn a_kept_session_needs_neither_token_nor_pin() {
    let hsm = Hsm::new();
    hsm.identity("app", "01", "ec:P-256", &[]);
    let cache = hsm.bench.path("cache");
    let ask = |more: &[&str]| {
        let line = [
            "--no-cache=false",
            "--cache-dir",
            &cache,
            "--certificate",
            "pkcs11:object=app",
        ];
        let mut command = hsm.bench.credential_process(&[&line[..], more].concat());
        run(command.env("SOFTHSM2_CONF", &hsm.configuration))
    };
    let pin = hsm.pin();
    let module = ["--pkcs11-lib", MODULE];
    let first = ask(&[&module[..], &["--password-file", &pin]].concat());
    first.succeeds();
    assert_eq!(ask(&module).stdout, first.stdout);
    // Another module may mean another token.
    ask(&["--pkcs11-lib", "/nonexistent.so"]).fails_with("cannot be loaded");
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn p11_kit_finds_the_token_where_no_module_is_named() {
    let hsm = Hsm::new();
    hsm.identity("app", "01", "rsa:2048", &[]);
    let pin = hsm.pin();
    let uri = "pkcs11:token=credential-helper-test;object=app";
    hsm.ask_as(&["--certificate", uri, "--password-file", &pin])
        .succeeds();
}
