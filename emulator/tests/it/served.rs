//! The server, driven over the wire by curl.

use std::{process::Command, sync::Arc};

use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
    server::{ServerOptions, Tls, start_blocking},
};

use crate::{
    client::{ACCOUNT, Arns, Call, REGION, now},
    pki::{self, Certificate},
};

/// Sends a signed request with curl; gives status, HTTP version and body.
fn curl(
    arguments: &[&str],
    endpoint: &str,
    request: &rolesanywhere_emulator::Request,
) -> (String, String) {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", "-X", &request.method]);
    command.args(arguments);
    for (name, value) in &request.headers {
        command.arg("-H").arg(format!("{name}: {value}"));
    }
    command.args([
        "--data-binary",
        "@-",
        "-w",
        "\n%{http_code} %{http_version}",
    ]);
    command.arg(format!("{endpoint}{}", request.target));
    let output = String::from_utf8(pki::run_with_input(command, &request.body)).unwrap();
    let (body, status) = output.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

#[test]
fn a_session_over_tls_with_http_1_and_http_2_and_in_the_clear() {
    let ca = Certificate::ca("/CN=Test CA").self_signed();
    let leaf = Certificate::leaf("/CN=workload")
        .key("p256-leaf")
        .signed_by(&ca);
    let config = Config::new(ACCOUNT, REGION)
        .with_trust_anchor(TrustAnchor::new("ca", &ca.pem()))
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    for (tls, arguments, version) in [
        (Tls::SelfMade, ["--http1.1"], "1.1"),
        (Tls::SelfMade, ["--http2"], "2"),
        (Tls::PlainHttp, ["--http1.1"], "1.1"),
    ] {
        let service = Arc::new(Service::new(&config).unwrap());
        let arns = Arns {
            trust_anchor: service.trust_anchor_arn("ca").unwrap(),
            profile: service.profile_arn("app").unwrap(),
            role: service.role_arn("app").unwrap(),
        };
        let options = ServerOptions {
            tls,
            ..ServerOptions::default()
        };
        let server = start_blocking(service, options).unwrap();
        let ca_file = pki::folder().join("server-ca.pem");
        std::fs::write(&ca_file, server.ca_pem().unwrap_or_default()).unwrap();
        let mut arguments = arguments.to_vec();
        if server.ca_pem().is_some() {
            arguments.extend(["--cacert", ca_file.to_str().unwrap()]);
        }
        let host = server.address().to_string();
        let call = Call::helper(&arns, &leaf, now()).with_header("host", &host);
        let (status, body) = curl(&arguments, server.endpoint(), &call.sign(&leaf));
        assert_eq!(status, format!("201 {version}"), "{body}");
        assert!(
            body.starts_with(r#"{"credentialSet":[{"assumedRoleUser":{"arn":"#),
            "{body}"
        );
        assert_eq!(server.service().issued_credentials(), 1);
        server.stop();
    }
}
