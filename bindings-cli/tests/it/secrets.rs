//! Keys and passwords from elsewhere than files, and in wrong places: content is taken from variables, descriptors and
//! standard input, and whatever is given in whatever parameter, no message repeats eight bytes of a secret.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64ct::{Base64, Encoding as _};
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};

use crate::{
    harness::{Arns, Background, Run, World, openssl, program, run},
    scripted::{Scripted, ends_in},
};

/// The content of the world's files as PEM and as base64 of PEM and of DER, made by OpenSSL.
struct Contents {
    certificate: [String; 3],
    key: [String; 3],
}

impl Contents {
    fn of(world: &World) -> Self {
        let (certificate, key) = (world.text("certificate.pem"), world.text("key.pem"));
        let (certificate_der, key_der) = (world.text("certificate.der"), world.text("key.der"));
        openssl(&[
            "x509",
            "-in",
            &certificate,
            "-outform",
            "DER",
            "-out",
            &certificate_der,
        ]);
        openssl(&[
            "pkcs8", "-topk8", "-nocrypt", "-in", &key, "-outform", "DER", "-out", &key_der,
        ]);
        let base64 = |name: &str| {
            let (from, to) = (world.text(name), world.text("base64"));
            openssl(&["base64", "-A", "-in", &from, "-out", &to]);
            world.read("base64")
        };
        Self {
            certificate: [
                world.read("certificate.pem"),
                base64("certificate.pem"),
                base64("certificate.der"),
            ],
            key: [world.read("key.pem"), base64("key.pem"), base64("key.der")],
        }
    }
}

/// `sign-string`, which reads certificate and key, and compares them.
fn sign_string(extra: &[&str]) -> Command {
    let mut line = vec!["sign-string", "--format=text"];
    line.extend(extra);
    program(&line)
}

/// What ends well prints an ECDSA signature: DER of some 70 bytes, in hexadecimal.
#[track_caller]
fn signs(ended: &Run) {
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("304"), "{ended:?}");
    assert_eq!(ended.stderr, "", "{ended:?}");
}

fn with_input(mut command: Command, input: &[u8]) -> Run {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut background = Background::start(child);
    let mut stdin = background.child().stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    background.wait()
}

#[test]
fn content_comes_from_variables() {
    let world = World::new();
    let Contents { certificate, key } = Contents::of(&world);
    for (certificate, key) in certificate.iter().zip(&key) {
        // Named by the options, and in the options' own variables.
        let line = ["--certificate=env:CERTIFICATE", "--private-key=env:KEY"];
        signs(&run(sign_string(&line)
            .env("CERTIFICATE", certificate)
            .env("KEY", key)));
        signs(&run(sign_string(&[])
            .env("ROLESANYWHERE_CERTIFICATE", certificate)
            .env("ROLESANYWHERE_PRIVATE_KEY", key)));
    }
    // Everything in one variable, as a job keeps one secret.
    let all = [certificate[0].as_str(), &key[0]].concat();
    signs(&run(sign_string(&[]).env("ROLESANYWHERE_CERTIFICATE", &all)));
}

#[test]
fn content_comes_from_standard_input_and_descriptors() {
    let world = World::new();
    let Contents { certificate, key } = Contents::of(&world);
    let file = world.text("certificate.pem");
    for key in &key {
        signs(&with_input(
            sign_string(&["--certificate", &file, "--private-key=-"]),
            key.as_bytes(),
        ));
    }
    // Both from one: it is read once.
    let all = [certificate[0].as_str(), &key[0]].concat();
    let line = ["--certificate=-", "--private-key=-"];
    signs(&with_input(sign_string(&line), all.as_bytes()));
    // A shell opens the descriptors.
    let script = r#"exec "$0" sign-string --format=text --certificate "$1" --private-key fd:7 --password-file fd:8 7<"$2" 8<"$3""#;
    let encrypted = world.text("encrypted.pem");
    openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        &world.text("key.pem"),
        "-out",
        &encrypted,
        "-passout",
        "pass:hunter2hunter2",
    ]);
    let password = world.write("password", b"hunter2hunter2\n");
    let ended = Command::new("sh")
        .args(["-c", script, crate::harness::PROGRAM, &file, &encrypted])
        .arg(&password)
        .env_clear()
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    // A password from a variable and from standard input.
    let line = [
        "--certificate",
        &file,
        "--private-key",
        &encrypted,
        "--password-file=env:P",
    ];
    world.write_private("encrypted.pem", world.read("encrypted.pem").as_bytes());
    signs(&run(sign_string(&line).env("P", "hunter2hunter2")));
    let line = [
        "--certificate",
        &file,
        "--private-key",
        &encrypted,
        "--password-file=-",
    ];
    signs(&with_input(sign_string(&line), b"hunter2hunter2\n"));
}

#[test]
fn mistakes_are_told_by_the_option() {
    let world = World::new();
    let Contents { key, .. } = Contents::of(&world);
    let file = world.text("certificate.pem");
    let line = |key: &str| {
        run(&mut sign_string(&[
            "--certificate",
            &file,
            "--private-key",
            key,
        ]))
    };
    line(&key[1]).fails_with("--private-key holds the content itself");
    line(&key[0]).fails_with("is the content of a file, and every user");
    line("env:KEY")
        .fails_with("the environment variable that --private-key names is unset or empty");
    line("env:KEY-")
        .fails_with("--private-key: after `env:` stands the name of an environment variable");
    line("fd:999").fails_with("the descriptor 999 cannot be read");
    line("-").fails_with("standard input is empty: check --private-key");
    line("absent.pem").fails_with("the private key `absent.pem` cannot be read (No such file");
    line("absent")
        .fails_with("the value of --private-key is no path of a file; it is not repeated");
    let damaged = key[0].replace("-----BEGIN", "----BEGIN");
    let damaged =
        run(sign_string(&["--certificate", &file]).env("ROLESANYWHERE_PRIVATE_KEY", damaged));
    damaged.fails_with("the variable `ROLESANYWHERE_PRIVATE_KEY`: ");
    let line = [
        "--certificate",
        &file,
        "--private-key=-",
        "--password-file=-",
    ];
    let twice = with_input(sign_string(&line), key[0].as_bytes());
    // A key that is not encrypted needs no password, but its place is read.
    twice.fails_with(
        "standard input gives the password and another part of the identity: check --password-file",
    );
}

#[test]
fn a_session_is_kept_for_an_identity_in_variables() {
    let world = World::new();
    let (server, arns) = world.emulator();
    let ca = world.text("server-ca.pem");
    let cache = world.text("cache");
    let Contents { certificate, key } = Contents::of(&world);
    let ask = || {
        let line = [
            "credential-process",
            "--trust-anchor-arn",
            &arns.trust_anchor,
            "--profile-arn",
            &arns.profile,
            "--role-arn",
            &arns.role,
            "--endpoint",
            server.endpoint(),
            "--ca-bundle",
            &ca,
            "--cache-dir",
            &cache,
        ];
        run(program(&line)
            .env("ROLESANYWHERE_CERTIFICATE", &certificate[2])
            .env("ROLESANYWHERE_PRIVATE_KEY", &key[2]))
        .succeeds()
    };
    assert_eq!(ask(), ask());
}

#[test]
fn what_is_read_once_is_kept_for_renewals() {
    let world = World::new();
    let service = Scripted::tls(vec![ends_in(9, "ASIAFIRST"), ends_in(3600, "ASIALATER")]);
    world.write("server-ca.pem", service.ca_pem.as_bytes());
    let (endpoint, ca, file) = (
        service.https(),
        world.text("server-ca.pem"),
        world.text("certificate.pem"),
    );
    let arns = Arns::any();
    let mut command = program(&[
        "update",
        "--certificate",
        &file,
        "--private-key=-",
        "--trust-anchor-arn",
        &arns.trust_anchor,
        "--profile-arn",
        &arns.profile,
        "--role-arn",
        &arns.role,
        "--endpoint",
        &endpoint,
        "--ca-bundle",
        &ca,
    ]);
    let credentials = world.path("credentials");
    command.env("AWS_SHARED_CREDENTIALS_FILE", &credentials);
    let mut update = Background::start(command.stdin(Stdio::piped()).stderr(Stdio::piped()));
    let mut stdin = update.child().stdin.take().unwrap();
    stdin.write_all(world.read("key.pem").as_bytes()).unwrap();
    drop(stdin);
    let begun = Instant::now();
    loop {
        let written = std::fs::read_to_string(&credentials).unwrap_or_default();
        if written.contains("ASIALATER") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{written}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Whether eight bytes in a row of a secret stand in a text.
fn given_away<'a>(text: &str, secret: &'a [u8]) -> Option<&'a [u8]> {
    let is_shown = |part: &&[u8]| text.as_bytes().windows(8).any(|shown| shown == *part);
    // Labels of PEM are no secrets.
    let is_secret = |part: &&[u8]| {
        !part
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || b"- \n".contains(byte))
    };
    secret.windows(8).filter(is_secret).find(is_shown)
}

/// Keys as people have them, and passwords.
fn secrets(world: &World) -> Vec<String> {
    let Contents { key, .. } = Contents::of(world);
    let rsa = world.text("rsa.pem");
    openssl(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        &rsa,
    ]);
    let der = Base64::decode_vec(&key[2]).unwrap();
    let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<&str> = key[0].lines().collect();
    let mut secrets = vec![
        key[0].replace('\n', " "),
        key[0].replace('\n', "\\n"),
        key[0].replacen('-', "", 1),
        lines[1].to_owned(),
        lines[1..lines.len() - 1].concat(),
        key[2][..100].to_owned(),
        world.read("rsa.pem"),
        hex,
        "hunter2hunter2".to_owned(),
        "Tr0ub4dor&3-and-more".to_owned(),
        "correct horse battery staple".to_owned(),
        "-begins-with-a-hyphen".to_owned(),
        "--Begins-With-Two".to_owned(),
        "/begins/with/a/slash".to_owned(),
    ];
    secrets.extend(key);
    let mut runner = TestRunner::deterministic();
    let passwords = "[!-~]{8,40}|[A-Za-z0-9+/]{40}|[0-9a-f]{64}|/[!-~]{8,40}";
    let passwords = proptest::string::string_regex(passwords).unwrap();
    secrets.extend((0..12).map(|_| passwords.new_tree(&mut runner).unwrap().current()));
    secrets
}

#[test]
fn no_message_repeats_a_secret_in_the_wrong_place() {
    let world = World::new();
    let (certificate, key, encrypted) = (
        world.text("certificate.pem"),
        world.text("key.pem"),
        world.text("encrypted.pem"),
    );
    openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        &key,
        "-out",
        &encrypted,
        "-passout",
        "pass:another password",
    ]);
    world.write_private("encrypted.pem", world.read("encrypted.pem").as_bytes());
    let with = |option: &str, value: &str, apart: bool, word: &str| {
        let value = format!("{word}{value}");
        let mut line = vec!["sign-string".to_owned(), "--verbose".to_owned()];
        if option != "--certificate" {
            line.extend(["--certificate".to_owned(), certificate.clone()]);
        }
        if option.starts_with("--password") {
            line.extend(["--private-key".to_owned(), encrypted.clone()]);
        }
        if apart {
            line.extend([option.to_owned(), value]);
        } else {
            line.push(format!("{option}={value}"));
        }
        program(&line)
    };
    let options = [
        "--certificate",
        "--private-key",
        "--password-file",
        "--password-env",
        "--password-fd",
        "--privat-key",
    ];
    let (mut refused, mut all) = (0, 0);
    for secret in secrets(&world) {
        let check = |command: &mut Command| {
            let ended = run(command);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            // A run that ends well prints a signature, nothing else.
            if let Some(part) = given_away(&said, secret.as_bytes()) {
                panic!(
                    "{:?} of {secret:?} in {said}",
                    String::from_utf8_lossy(part)
                );
            }
            u32::from(ended.status != Some(0))
        };
        for option in options {
            for word in ["", "env:", "fd:"] {
                refused += check(&mut with(option, &secret, false, word));
                all += 1;
            }
            refused += check(&mut with(option, &secret, true, ""));
            // In the option's variable, and as words that a shell has split.
            let variable = format!(
                "ROLESANYWHERE_{}",
                option[2..].replace('-', "_").to_uppercase()
            );
            let mut command = program(&["sign-string", "--verbose"]);
            command.env(variable, &secret);
            if option != "--certificate" {
                command.args(["--certificate", &certificate]);
            }
            refused += check(&mut command);
            let mut command = program(&["sign-string", "--certificate", &certificate, option]);
            command.args(secret.split_whitespace());
            refused += check(&mut command);
            all += 3;
        }
        refused += check(&mut program(&[&secret]));
        refused += check(&mut program(&[
            "emulate",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &secret,
        ]));
        let mut command = program(&["emulate", "--tls-cert", &certificate]);
        refused += check(command.env("ROLESANYWHERE_TLS_KEY", &secret));
        all += 3;
    }
    // The key in its own variable is taken, and little else is.
    assert!(refused * 10 > all * 9, "{refused} of {all}");
}
