//! What the service would refuse about the parameters is refused here, by name.

use super::*;
use alloc::format;

const ANCHOR: &str = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a";
const PROFILE: &str = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";

fn call() -> CreateSession {
    CreateSession::new(ANCHOR, PROFILE, ROLE).unwrap()
}

#[test]
fn the_arns_must_go_together() {
    for (anchor, profile, role, part) in [
        (PROFILE, PROFILE, ROLE, "not the ARN of a trust-anchor"),
        (ANCHOR, ANCHOR, ROLE, "not the ARN of a profile"),
        (ANCHOR, PROFILE, PROFILE, "not the ARN of a role"),
        (
            ANCHOR,
            &PROFILE.replace("eu-west-1", "eu-west-2"),
            ROLE,
            "region `eu-west-1`",
        ),
        (
            ANCHOR,
            &PROFILE.replace("123456789012", "210987654321"),
            ROLE,
            "account `123456789012`",
        ),
        (
            ANCHOR,
            &PROFILE.replace("arn:aws:", "arn:aws-cn:"),
            ROLE,
            "partition `aws`",
        ),
        (
            &ANCHOR.replace("eu-west-1", "cn-north-1"),
            &PROFILE.replace("eu-west-1", "cn-north-1"),
            ROLE,
            "belongs to `aws-cn`",
        ),
        (
            ANCHOR,
            PROFILE,
            &ROLE.replace("arn:aws:", "arn:aws-cn:"),
            "partition `aws-cn`",
        ),
    ] {
        let error = CreateSession::new(anchor, profile, role).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(part), "{error}");
    }
    // Aliases are ARNs, and another account's role is the service's business.
    assert!(CreateSession::new(&ANCHOR.replace(":trust", ":alias/trust"), PROFILE, ROLE).is_ok());
    assert!(CreateSession::new(ANCHOR, PROFILE, &ROLE.replace("1234", "9234")).is_ok());
}

#[test]
fn the_duration_is_bounded() {
    for seconds in [900, 3600, 43_200] {
        assert!(call().with_duration(Duration::from_secs(seconds)).is_ok());
    }
    for duration in [
        Duration::ZERO,
        Duration::from_secs(899),
        Duration::from_secs(43_201),
        // What a 32-bit integer makes 900 of.
        Duration::from_secs(4_294_968_196),
        Duration::MAX,
        Duration::from_millis(900_500),
    ] {
        let error = call().with_duration(duration).unwrap_err();
        assert!(error.message().contains("from 900 to 43200"), "{error}");
    }
}

#[test]
fn the_session_name_follows_stss_pattern() {
    for name in ["ab", "host-1.example.com@x=y,z+_", &"a".repeat(64)] {
        assert!(call().with_role_session_name(name).is_ok(), "{name}");
    }
    for name in [
        "",
        "a",
        &"a".repeat(65),
        "with space",
        "sl/ash",
        "gr\u{fc}n",
        "new\nline",
    ] {
        let error = call().with_role_session_name(name).unwrap_err();
        assert!(error.message().contains("2 to 64"), "{error}");
    }
}

#[test]
fn instance_properties_are_bounded() {
    let umlauts = "\u{fc}".repeat(MAX_INSTANCE_PROPERTY_LENGTH);
    assert!(call().with_instance_property(&umlauts, &umlauts).is_ok());
    for (key, value) in [
        ("", "v"),
        ("k", ""),
        (&*"k".repeat(201), "v"),
        ("k", &*"v".repeat(201)),
    ] {
        assert!(call().with_instance_property(key, value).is_err());
    }
    let fill = |count: usize| {
        (0..count).try_fold(call(), |call, i| {
            call.with_instance_property(&format!("k{i}"), "v")
        })
    };
    assert!(fill(MAX_INSTANCE_PROPERTIES).is_ok());
    assert!(fill(MAX_INSTANCE_PROPERTIES + 1).is_err());
}

#[test]
fn an_endpoint_must_sign_for_the_anchors_region() {
    let fips = EndpointOptions {
        fips: true,
        ..EndpointOptions::default()
    };
    let endpoint = Endpoint::for_region("eu-west-1", fips).unwrap();
    assert_eq!(
        call()
            .with_endpoint(endpoint.clone())
            .unwrap()
            .endpoint()
            .url(),
        endpoint.url()
    );
    let elsewhere = Endpoint::for_region("eu-west-2", EndpointOptions::default()).unwrap();
    let error = call().with_endpoint(elsewhere).unwrap_err();
    assert!(
        error.message().contains("use the region `eu-west-1`"),
        "{error}"
    );
}

#[test]
fn the_default_endpoint_is_the_regions() {
    let urls: Vec<_> = ["aws", "aws-cn"]
        .iter()
        .map(|partition| {
            let region = if *partition == "aws" {
                "eu-west-1"
            } else {
                "cn-north-1"
            };
            let of = |arn: &str| {
                arn.replace("arn:aws:", &format!("arn:{partition}:"))
                    .replace("eu-west-1", region)
            };
            let call = CreateSession::new(&of(ANCHOR), &of(PROFILE), &of(ROLE)).unwrap();
            call.endpoint().url().to_string()
        })
        .collect();
    assert_eq!(
        urls,
        [
            "https://rolesanywhere.eu-west-1.amazonaws.com",
            "https://rolesanywhere.cn-north-1.amazonaws.com.cn"
        ]
    );
}
