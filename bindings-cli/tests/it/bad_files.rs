//! Files that are not what they should be: nothing is sent, and the line says what to do.

use crate::{
    harness::{Arns, World, now, openssl, program, run},
    scripted::{Scripted, session},
};

/// Runs with the given files against a server that would answer anything, which must stay unasked.
fn refused(world: &World, certificate: &str, key: Option<&str>, part: &str) {
    let server = Scripted::tls(vec![session()]);
    let (endpoint, ca) = (
        server.https(),
        world.write("ca.pem", server.ca_pem.as_bytes()),
    );
    let arns = Arns::any();
    let (certificate, key) = (world.text(certificate), key.map(|key| world.text(key)));
    let mut line = vec![
        "credential-process",
        "--certificate",
        &certificate,
        "--trust-anchor-arn",
        &arns.trust_anchor,
        "--profile-arn",
        &arns.profile,
        "--role-arn",
        &arns.role,
        "--endpoint",
        &endpoint,
    ];
    if let Some(key) = &key {
        line.extend(["--private-key", key]);
    }
    run(program(&line).env("AWS_CA_BUNDLE", ca)).fails_with(part);
    assert!(server.requests().is_empty(), "{part}");
}

#[test]
fn missing_files_are_named_with_their_option() {
    let world = World::new();
    refused(
        &world,
        "absent.pem",
        Some("key.pem"),
        "absent.pem` cannot be read (No such file",
    );
    refused(&world, "absent.pem", Some("key.pem"), "check --certificate");
    refused(
        &world,
        "certificate.pem",
        Some("absent.pem"),
        "check --private-key",
    );
    refused(&world, "certificate.pem", None, "named with --private-key");
    refused(
        &world,
        "",
        Some("key.pem"),
        "cannot be read (Is a directory",
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let world = World::new();
    let other = world.ca.end_entity("other", now()).unwrap();
    world.write_private("other.pem", other.private_key_pem.as_bytes());
    refused(
        &world,
        "certificate.pem",
        Some("other.pem"),
        "other.pem` and `",
    );
}

/// The clock of this machine may be the one that is wrong, so the service is asked, and what this machine
/// knows about the certificate stands beside its refusal.
#[test]
fn a_certificate_that_is_not_valid_now_is_told_beside_the_service_s_refusal() {
    for (seconds, part) in [(-3 * 86_400, "expired"), (7 * 86_400, "is valid from")] {
        let world = World::at(now().plus_seconds(seconds));
        let (server, arns) = world.emulator();
        let ca = world.text("server-ca.pem");
        let line = ["--endpoint", server.endpoint(), "--ca-bundle", &ca];
        let ended = run(&mut world.credential_process(&arns, &line));
        ended.fails_with("Untrusted signing certificate");
        ended.fails_with(part);
    }
}

#[test]
fn malformed_pem_is_refused() {
    let world = World::new();
    let good = world.read("certificate.pem");
    let lines: Vec<&str> = good.lines().collect();
    let middle = lines.len() / 2;
    let without_end = lines[..lines.len() - 1].join("\n");
    let bad_base64 = good.replace(lines[middle], "!!!!not base64!!!!");
    let bad_der = "-----BEGIN CERTIFICATE-----\nAAAAAAAA\n-----END CERTIFICATE-----\n";
    let cut = [&lines[..middle], &lines[lines.len() - 1..]]
        .concat()
        .join("\n");
    let other_end = good.replace("END CERTIFICATE", "END SOMETHING");
    for (content, part) in [
        ("", "is empty: check --certificate"),
        ("just text\n", "certificate.pem`: "),
        (without_end.as_str(), "certificate.pem`: "),
        (bad_base64.as_str(), "certificate.pem`: "),
        (bad_der, "certificate.pem`: "),
        (cut.as_str(), "certificate.pem`: "),
        (other_end.as_str(), "certificate.pem`: "),
    ] {
        let damaged = World::new();
        damaged.write("certificate.pem", content.as_bytes());
        refused(&damaged, "certificate.pem", Some("key.pem"), part);
    }
    let key = world.read("key.pem");
    let key_lines: Vec<&str> = key.lines().collect();
    for content in [
        key.replace(key_lines[1], "!!!!"),
        key_lines[..2].join("\n"),
        good.clone(),
        "-----BEGIN PRIVATE KEY-----\nAAAAAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
        "no key\n".to_owned(),
    ] {
        world.write_private("damaged.pem", content.as_bytes());
        refused(
            &world,
            "certificate.pem",
            Some("damaged.pem"),
            "damaged.pem`: ",
        );
    }
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let world = World::new();
    world.write("large.pem", &vec![b'x'; 2 << 20]);
    refused(
        &world,
        "large.pem",
        Some("key.pem"),
        "is larger than 1048576 bytes",
    );
    refused(
        &world,
        "certificate.pem",
        Some("large.pem"),
        "is larger than 1048576 bytes",
    );
}

#[test]
fn an_encrypted_key_without_a_password_says_how_to_give_one() {
    let world = World::new();
    let (plain, encrypted) = (world.text("key.pem"), world.text("encrypted.pem"));
    openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        &plain,
        "-out",
        &encrypted,
        "-passout",
        "pass:hunter2",
    ]);
    world.write_private("encrypted.pem", world.read("encrypted.pem").as_bytes());
    refused(
        &world,
        "certificate.pem",
        Some("encrypted.pem"),
        "is encrypted: give its password with --password-file, --password-env or --password-fd, or run this in a terminal",
    );
}

#[test]
fn keys_that_are_nowhere_are_refused_by_what_is_missing() {
    let world = World::new();
    let certificate = world.text("certificate.pem");
    let arns = Arns::any();
    for (line, part) in [
        (
            &[
                "--certificate=pkcs11:object=x",
                "--pkcs11-lib=/nonexistent.so",
            ][..],
            "the PKCS#11 module `/nonexistent.so` cannot be loaded",
        ),
        (
            &["--certificate=pkcs11:?pin-value=1234&pin-source=/pin"],
            "--certificate: it has both `pin-value` and `pin-source`",
        ),
        (
            &["--certificate=handle:0x81000001"],
            "names a key, not a certificate",
        ),
        (
            &["--certificate", &certificate, "--private-key=handle:81zz"],
            "names no key of a TPM",
        ),
        (
            &["--certificate", &certificate, "--private-key=ssh-agent:"],
            "SSH_AUTH_SOCK is not set",
        ),
        (
            &["--cert-selector=Key=x509Subject,Value=CN=x"],
            "this system has no certificate store",
        ),
        (
            &["--system-store-name=MY"],
            "this system has no certificate store",
        ),
        (
            &["--cert-selector=Key=x509Subject,Value=CN=x", "--reuse-pin"],
            "exclude each other",
        ),
        (
            &[
                "--certificate",
                &certificate,
                "--no-tpm-key-password",
                "--tpm-key-password=hunter2",
            ],
            "exclude each other",
        ),
    ] {
        let mut all = vec![
            "credential-process",
            "--trust-anchor-arn",
            &arns.trust_anchor,
        ];
        all.extend(["--profile-arn", &arns.profile, "--role-arn", &arns.role]);
        all.extend(line);
        let ended = run(program(&all).env("TPM_DEVICE", "/nonexistent"));
        ended.fails_with(part);
        assert!(
            !ended.stderr.contains("hunter2") && !ended.stderr.contains("1234"),
            "{ended:?}"
        );
    }
}

#[test]
fn wrong_arns_and_bounds_are_refused_before_any_file_is_read() {
    let arns = Arns::any();
    for (option, value, part) in [
        (
            "--role-arn",
            "arn:aws:iam::123456789012:user/u",
            "is not the ARN of a role",
        ),
        (
            "--profile-arn",
            "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
            "both must be of the same region",
        ),
        (
            "--trust-anchor-arn",
            "nonsense",
            "does not begin with `arn:`",
        ),
        ("--session-duration", "60", "900"),
        ("--role-session-name", "no spaces", "session name"),
        ("--endpoint", "service.example", "https://"),
        ("--endpoint", "http://service.example", "in the clear"),
    ] {
        let world = World::new();
        let mut command = world.credential_process(&arns, &[option, value]);
        run(&mut command).fails_with(part);
    }
}
