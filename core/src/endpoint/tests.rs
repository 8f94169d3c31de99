use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Printed by botocore's own resolver: `tests/vectors/endpoints.py`.
const BOTOCORE: &str = include_str!("../../../tests/vectors/endpoints.json");

#[test]
fn every_region_resolves_as_in_botocore() {
    let table: Value = serde_json::from_str(BOTOCORE).unwrap();
    let rows = table["endpoints"].as_array().unwrap();
    let mut partitions = BTreeSet::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap();
        let options = EndpointOptions {
            fips: row["fips"].as_bool().unwrap(),
            dual_stack: row["dual_stack"].as_bool().unwrap(),
        };
        let endpoint = Endpoint::for_region(text("region"), options).unwrap();
        assert_eq!(endpoint.url(), text("url"));
        assert_eq!(
            endpoint.url().strip_prefix("https://"),
            Some(endpoint.host_header())
        );
        assert_eq!(endpoint.path_prefix(), "");
        assert!(endpoint.is_https() && !endpoint.is_custom());
        assert_eq!(endpoint.signing_region(), text("signing_region"));
        assert_eq!(endpoint.partition().id(), text("partition"));
        partitions.insert(text("partition"));
    }
    assert_eq!(rows.len(), 228);
    assert_eq!(
        partitions,
        Partition::ALL
            .iter()
            .map(|partition| partition.id())
            .collect()
    );
}

#[test]
fn partitions_are_found_by_their_names() {
    for partition in Partition::ALL {
        assert_eq!(Partition::from_id(partition.id()), Some(*partition));
    }
    assert_eq!(Partition::from_id("aws-mars"), None);
}

#[test]
fn old_fips_names_sign_the_clean_region() {
    for name in ["fips-us-east-1", "us-east-1-fips", "us-fips-east-1"] {
        let endpoint = Endpoint::for_region(name, EndpointOptions::default()).unwrap();
        assert_eq!(
            endpoint.url(),
            "https://rolesanywhere-fips.us-east-1.amazonaws.com"
        );
        assert_eq!(endpoint.signing_region(), "us-east-1");
        assert!(
            Endpoint::custom("https://localhost", name).is_err(),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_region_is_refused() {
    for name in [
        "",
        "-",
        "a-",
        "-a",
        "us east 1",
        "US-EAST-1",
        "us_east_1",
        "us-east-1.",
        "us-east-1/x",
        "x@evil.example",
        "x.evil.example",
        "evil.example#",
        "fips-",
        "-fips",
        "us-éast-1",
        "aws-global",
        "aws-cn-global",
        "us-east-1\n",
    ] {
        let error = Endpoint::for_region(name, EndpointOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
        assert!(
            Endpoint::custom("https://localhost", name).is_err(),
            "{name}"
        );
    }
    assert!(Endpoint::for_region(&"a".repeat(64), EndpointOptions::default()).is_err());
}

#[test]
fn custom_endpoints_come_in_one_form() {
    for (url, base, host, prefix) in [
        (
            "https://example.com",
            "https://example.com",
            "example.com",
            "",
        ),
        (
            "https://example.com/",
            "https://example.com",
            "example.com",
            "",
        ),
        (
            "HTTPS://Example.COM:443",
            "https://example.com",
            "example.com",
            "",
        ),
        (
            "http://example.com:80/",
            "http://example.com",
            "example.com",
            "",
        ),
        (
            "http://example.com:443",
            "http://example.com:443",
            "example.com:443",
            "",
        ),
        (
            "https://example.com:80",
            "https://example.com:80",
            "example.com:80",
            "",
        ),
        (
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080",
            "127.0.0.1:8080",
            "",
        ),
        (
            "http://127.0.0.1:08080",
            "http://127.0.0.1:8080",
            "127.0.0.1:8080",
            "",
        ),
        ("http://[::1]:8080/", "http://[::1]:8080", "[::1]:8080", ""),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]", "[::1]", ""),
        (
            "https://[2001:DB8::A]:443/x",
            "https://[2001:db8::a]/x",
            "[2001:db8::a]",
            "/x",
        ),
        (
            "https://host_1:9/a/b/",
            "https://host_1:9/a/b",
            "host_1:9",
            "/a/b",
        ),
        (
            "https://h/a%20b/c:d",
            "https://h/a%20b/c:d",
            "h",
            "/a%20b/c:d",
        ),
    ] {
        let endpoint = Endpoint::custom(url, "us-east-1").unwrap();
        assert_eq!(endpoint.url(), base, "{url}");
        assert_eq!(endpoint.host_header(), host, "{url}");
        assert_eq!(endpoint.path_prefix(), prefix, "{url}");
        assert_eq!(endpoint.is_https(), base.starts_with("https"), "{url}");
        assert_eq!(endpoint.signing_region(), "us-east-1");
        assert!(endpoint.is_custom());
        assert_eq!(Endpoint::custom(base, "us-east-1").unwrap(), endpoint);
    }
}

#[test]
fn what_is_wrong_with_a_custom_endpoint_is_named() {
    for (url, part) in [
        ("", "no scheme"),
        ("example.com", "no scheme"),
        ("example.com:443", "no scheme"),
        ("ftp://example.com", "neither `http` nor `https`"),
        ("https://", "no host"),
        ("https:///sessions", "no host"),
        ("https://:443", "no host"),
        ("https://example.com?x=y", "a query"),
        ("https://example.com/#x", "a fragment"),
        ("https://user:word@example.com", "user information"),
        ("https://example.com\\@evil.example", "user information"),
        ("https://example.com\\evil", "a backslash"),
        ("https://exa mple.com", "white space"),
        ("https://example.com\r\nx: y", "control character"),
        ("https://exämple.com", "other than ASCII"),
        ("https://example.com:", "port"),
        ("https://example.com:0", "port"),
        ("https://example.com:65536", "port"),
        ("https://example.com:+80", "port"),
        ("https://example.com:80:90", "port"),
        ("https://[::1", "no `]`"),
        ("https://[::1]x", "port"),
        ("https://[fe80::1%25eth0]", "IPv6 address"),
        ("https://[127.0.0.1]", "IPv6 address"),
        ("https://127.1", "IPv4 address"),
        ("https://0x7f000001", "IPv4 address"),
        ("https://0X7F000001", "IPv4 address"),
        ("https://1.2.3.256", "IPv4 address"),
        ("https://example..com", "host name"),
        ("https://example.com.", "host name"),
        ("https://-example.com", "host name"),
        ("https://exa%6Dple.com", "host name"),
        ("https://example.com/a//b", "segment"),
        ("https://example.com//", "segment"),
        ("https://example.com/a/../b", "segment"),
        ("https://example.com/a/%2E./b", "segment"),
        ("https://example.com/a%2", "percent-encoded"),
        ("https://example.com/a|b", "percent-encoded"),
    ] {
        let error = Endpoint::custom(url, "us-east-1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(part), "{url}: {error}");
        assert!(!error.message().contains("word"), "{error}");
    }
    let long = format!("https://example.com/{}", "a".repeat(MAX_ENDPOINT_LENGTH));
    assert!(Endpoint::custom(&long, "us-east-1").is_err());
}

#[test]
fn a_custom_endpoint_is_neither_fips_nor_dual_stack() {
    let none = EndpointOptions::default();
    let fips = EndpointOptions { fips: true, ..none };
    let dual_stack = EndpointOptions {
        dual_stack: true,
        ..none
    };
    let url = Some("https://localhost:8443");
    assert_eq!(
        Endpoint::new(url, "us-east-1", none).unwrap(),
        Endpoint::custom("https://localhost:8443", "us-east-1").unwrap()
    );
    for (options, part) in [(fips, "FIPS"), (dual_stack, "dual-stack")] {
        let error = Endpoint::new(url, "us-east-1", options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(part), "{error}");
        assert_eq!(
            Endpoint::new(None, "us-east-1", options).unwrap(),
            Endpoint::for_region("us-east-1", options).unwrap()
        );
    }
}

proptest::proptest! {
    /// Whatever is accepted is in its one form, holds nothing that would end a host or a header,
    /// and can be signed as it stands.
    #[test]
    fn custom_endpoints_are_refused_or_canonical(
        // Mostly well formed: else hardly anything is accepted.
        url in "[hH]ttps?://(\\[::1\\]|[a-zA-Z0-9._-]{1,8})(:[0-9]{1,5})?(/[a-z%2E.~:@]{0,4}){0,3}",
    ) {
        if let Ok(endpoint) = Endpoint::custom(&url, "us-east-1") {
            let again = Endpoint::custom(endpoint.url(), "us-east-1").unwrap();
            proptest::prop_assert_eq!(&again, &endpoint);
            let host = endpoint.host_header();
            proptest::prop_assert!(host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b)));
            let path = format!("{}/sessions", endpoint.path_prefix());
            let request = crate::sigv4::SigningRequest {
                method: "POST", path: &path, query: "", headers: &[("host", host)],
                payload: crate::sigv4::Payload::Unsigned,
            };
            let settings = crate::sigv4::Settings { normalize_path: false, ..Default::default() };
            proptest::prop_assert_eq!(
                crate::sigv4::CanonicalRequest::new(&request, settings).unwrap(),
                crate::sigv4::CanonicalRequest::new(&request, crate::sigv4::Settings::default()).unwrap(),
                "normalizing changes nothing",
            );
        }
    }

    #[test]
    fn reading_an_endpoint_never_panics(url in ".{0,60}", region in ".{0,20}") {
        let _ = Endpoint::custom(&url, &region);
        let _ = Endpoint::for_region(&region, EndpointOptions::default());
    }
}
