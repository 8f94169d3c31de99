use std::ffi::OsString;

use super::*;
use crate::arguments::{Arguments, Command};

const REQUIRED: [&str; 6] = [
    "rolesanywhere",
    "credential-process",
    "--certificate=unused.pem",
    "--trust-anchor-arn=arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
    "--profile-arn=arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
    "--role-arn=arn:aws:iam::123456789012:role/r",
];

fn request(extra: &[&str], variables: &[(&str, &str)]) -> Result<CreateSession> {
    let line = REQUIRED.iter().chain(extra).map(OsString::from);
    let lookup = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let environment = Environment::new(&lookup);
    let arguments = Arguments::read(line, &environment).unwrap();
    let Command::CredentialProcess(options) = arguments.command else {
        panic!("another command");
    };
    create_session(
        &options.client.session,
        &options.client.network,
        &environment,
        &Console::default(),
    )
}

fn url(extra: &[&str], variables: &[(&str, &str)]) -> String {
    let request = request(extra, variables).unwrap();
    request.endpoint().url().to_owned()
}

#[test]
fn the_region_s_endpoint_unless_another_is_named() {
    let usual = "https://rolesanywhere.eu-west-1.amazonaws.com";
    assert_eq!(url(&[], &[]), usual);
    let empty = [("AWS_ENDPOINT_URL", "")];
    assert_eq!(url(&["--region=eu-west-1", "--endpoint="], &empty), usual);
    let fips = "https://rolesanywhere-fips.eu-west-1.amazonaws.com";
    assert_eq!(url(&["--use-fips-endpoint"], &[]), fips);
    assert_eq!(url(&[], &[("AWS_USE_FIPS_ENDPOINT", "True")]), fips);
    assert_eq!(url(&[], &[("AWS_USE_FIPS_ENDPOINT", "no")]), usual);
    let dual_stack = "https://rolesanywhere.eu-west-1.api.aws";
    assert_eq!(url(&["--use-dualstack-endpoint"], &[]), dual_stack);
    let variable = [("AWS_USE_DUALSTACK_ENDPOINT", "true")];
    assert_eq!(url(&[], &variable), dual_stack);
}

#[test]
fn the_option_comes_before_the_service_s_variable_before_that_of_all() {
    let all = ("AWS_ENDPOINT_URL", "https://all.example");
    let service = ("AWS_ENDPOINT_URL_ROLESANYWHERE", "https://service.example");
    let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    let option = ["--endpoint=https://option.example"];
    assert_eq!(url(&option, &[all, service]), "https://option.example");
    assert_eq!(url(&[], &[all, service]), "https://service.example");
    assert_eq!(url(&[], &[all]), "https://all.example");
    let usual = "https://rolesanywhere.eu-west-1.amazonaws.com";
    assert_eq!(url(&[], &[all, service, ignore]), usual);
    assert_eq!(url(&option, &[ignore]), "https://option.example");
}

#[test]
fn contradictions_are_refused_and_name_where_they_come_from() {
    let message = |extra: &[&str], variables: &[(&str, &str)]| {
        let error = request(extra, variables).unwrap_err();
        error.message().to_owned()
    };
    let variable = message(&[], &[("AWS_ENDPOINT_URL", "ftp://x")]);
    assert!(
        variable.starts_with("AWS_ENDPOINT_URL: `ftp://x`"),
        "{variable}"
    );
    let both = message(
        &["--endpoint=https://o.example", "--use-fips-endpoint"],
        &[],
    );
    assert!(
        both.starts_with("FIPS cannot be had of a custom endpoint"),
        "{both}"
    );
    let region = message(&["--region=us-east-1"], &[]);
    assert!(region.contains("use the region `eu-west-1`"), "{region}");
}

#[test]
fn an_empty_session_name_is_none() {
    let unnamed = request(&["--role-session-name="], &[]).unwrap();
    assert_eq!(unnamed.role_session_name(), None);
    let named = request(&["--role-session-name=web-1"], &[]).unwrap();
    assert_eq!(named.role_session_name(), Some("web-1"));
}

#[test]
fn the_session_s_length_is_held_within_the_service_s_bounds() {
    for seconds in ["899", "43201", "0"] {
        let option = format!("--session-duration={seconds}");
        let error = request(&[&option], &[]).unwrap_err();
        assert!(error.message().contains("900"), "{error}");
    }
    assert!(request(&["--session-duration=43200"], &[]).is_ok());
}
