use alloc::{format, string::ToString, vec::Vec};
use core::{fmt, time::Duration};

use super::*;

mod authorization;
mod hmac;
mod properties;

const CREDENTIALS: HmacCredentials<'_> = HmacCredentials {
    access_key_id: "AKIAIOSFODNN7EXAMPLE",
    secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    session_token: None,
};

const SINGLE: Settings = Settings {
    normalize_path: false,
    double_encode_path: false,
};

fn request<'a>(
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
) -> SigningRequest<'a> {
    SigningRequest {
        method: "GET",
        path,
        query,
        headers,
        payload: Payload::Bytes(b""),
    }
}

fn line(text: &CanonicalRequest, number: usize) -> &str {
    text.as_str().split('\n').nth(number).unwrap()
}

fn at(text: &str) -> UnixTime {
    UnixTime::from_sigv4(text).unwrap()
}

#[track_caller]
fn refused<T: fmt::Debug>(result: crate::Result<T>, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains(part), "{error}");
}

#[test]
fn queries_are_brought_to_one_form() {
    for (query, canonical) in [
        ("", ""),
        ("k", "k="),
        ("k=", "k="),
        ("=v", "=v"),
        ("&&a=1&", "a=1"),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1&a", "a=&a=1&a=2"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("a=b=c", "a=b%3Dc"),
        ("a=1+1", "a=1%2B1"),
        ("a=%7e%2f%41", "a=~%2FA"),
        (
            "arn=arn:aws:iam::1:role/x",
            "arn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx",
        ),
    ] {
        let canonical_request =
            CanonicalRequest::new(&request("/", query, &[("host", "h")]), SINGLE).unwrap();
        assert_eq!(line(&canonical_request, 2), canonical, "{query}");
    }
}

#[test]
fn paths_are_brought_to_the_form_that_the_settings_ask_for() {
    for (path, default, s3) in [
        ("", "/", "/"),
        ("/", "/", "/"),
        ("/a//b/./c/../d", "/a/b/d", "/a//b/./c/../d"),
        ("/..", "/", "/.."),
        ("/a/.", "/a/", "/a/."),
        ("/a/b/..", "/a/", "/a/b/.."),
        ("/.a/..b/c.", "/.a/..b/c.", "/.a/..b/c."),
        ("/%2E%2E/a", "/%252E%252E/a", "/../a"),
        ("/a%2fb:c", "/a%252fb%3Ac", "/a%2Fb%3Ac"),
        ("/%c3%a9~", "/%25c3%25a9~", "/%C3%A9~"),
    ] {
        let request = request(path, "", &[("host", "h")]);
        let canonical = CanonicalRequest::new(&request, Settings::default()).unwrap();
        assert_eq!(line(&canonical, 1), default, "{path}");
        let canonical = CanonicalRequest::new(&request, Settings::S3).unwrap();
        assert_eq!(line(&canonical, 1), s3, "{path}");
    }
}

#[test]
fn what_cannot_stand_on_the_wire_is_refused() {
    let host = [("host", "h")];
    for (path, query, part) in [
        ("a", "", "does not begin with `/`"),
        ("*", "", "does not begin with `/`"),
        ("/a b", "", "percent-encode it"),
        ("/é", "", "percent-encode it"),
        ("/a?b", "", "percent-encode it"),
        ("/a#b", "", "percent-encode it"),
        ("/\r\nx-amz-date:1", "", "percent-encode it"),
        ("/%", "", "hexadecimal digits"),
        ("/%4", "", "hexadecimal digits"),
        ("/%zz", "", "hexadecimal digits"),
        ("/", "a=b c", "percent-encode it"),
        ("/", "a=é", "percent-encode it"),
        ("/", "a=b#c", "percent-encode it"),
        ("/", "a=b\n", "percent-encode it"),
        ("/", "a=%f", "hexadecimal digits"),
        ("/", "%g0=", "hexadecimal digits"),
    ] {
        refused(
            CanonicalRequest::new(&request(path, query, &host), Settings::default()),
            part,
        );
    }
    for method in ["", "GET /", "GET\n", "GÉT"] {
        let request = SigningRequest {
            method,
            ..request("/", "", &host)
        };
        refused(
            CanonicalRequest::new(&request, Settings::default()),
            "HTTP method",
        );
    }
}

#[test]
fn header_values_cannot_add_a_line() {
    for value in [
        "a\r\nx-amz-date:1",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x7fb",
        "\x1b[1m",
        "é",
    ] {
        let headers = [("host", "h"), ("x-a", value)];
        let error =
            CanonicalRequest::new(&request("/", "", &headers), Settings::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains("`x-a`"), "{error}");
        assert!(!error.message().contains(value), "{error}");
    }
    for name in ["", "a b", "a:b", "a\nb", "a\r", "é", "a,b"] {
        let headers = [("host", "h"), (name, "v")];
        refused(
            CanonicalRequest::new(&request("/", "", &headers), Settings::default()),
            "not a header name",
        );
    }
}

#[test]
fn headers_are_lowered_sorted_joined_and_collapsed() {
    let headers = [
        ("X-B", " 2 \t  3 "),
        ("Host", "h"),
        ("x-b", "1"),
        ("User-Agent", "é is not looked at"),
        ("X-A", "\t"),
        ("Authorization", "secret"),
    ];
    let canonical =
        CanonicalRequest::new(&request("/", "", &headers), Settings::default()).unwrap();
    assert_eq!(
        canonical.as_str(),
        "GET\n/\n\nhost:h\nx-a:\nx-b:2 3,1\n\nhost;x-a;x-b\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(canonical.signed_headers(), "host;x-a;x-b");
    assert_eq!(canonical.sha256_hex(), encoding::hex(&canonical.sha256()));
}

#[test]
fn the_host_is_signed_once() {
    for headers in [&[("x", "y")][..], &[], &[("host", "a"), ("HOST", "b")]] {
        refused(
            CanonicalRequest::new(&request("/", "", headers), Settings::default()),
            "`host`",
        );
    }
}

#[test]
fn a_list_of_signed_headers_is_checked() {
    let headers = [("Host", "h"), ("a", "1"), ("A", "2"), ("b", "3")];
    let request = request("/", "", &headers);
    let sign = |names: &[&str]| {
        CanonicalRequest::with_signed_headers(&request, names, Settings::default())
    };
    let canonical = sign(&["a", "host"]).unwrap();
    assert_eq!(canonical.signed_headers(), "a;host");
    assert_eq!(line(&canonical, 3), "a:1,2");
    for (names, part) in [
        (&["host", "a"][..], "sort the list"),
        (&["a", "a", "host"], "twice"),
        (&["a", "Host"], "lower case"),
        (&["a", "host", ""], "empty"),
        (&["a b", "host"], "not a header name"),
        (&["a", "host", "x"], "`x` is not in the request"),
        (&["a"], "`host`"),
        (&[], "`host`"),
    ] {
        refused(sign(names), part);
    }
}

#[test]
fn payloads_are_written_as_services_read_them() {
    let hash = encoding::sha256(b"body");
    let written = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
    assert_eq!(Payload::Bytes(b"body").header_value(), written);
    assert_eq!(Payload::Sha256(hash).header_value(), written);
    assert_eq!(Payload::Unsigned.header_value(), "UNSIGNED-PAYLOAD");
}

#[test]
fn the_string_to_sign_has_four_lines() {
    let canonical =
        CanonicalRequest::new(&request("/", "", &[("host", "h")]), Settings::default()).unwrap();
    let now = at("20240706T113859Z");
    let scope = CredentialScope::new(now, "us-east-2", "rolesanywhere").unwrap();
    assert_eq!(
        string_to_sign("AWS4-X509-MLDSA", now, &scope, &canonical),
        format!(
            "AWS4-X509-MLDSA\n20240706T113859Z\n20240706/us-east-2/rolesanywhere/aws4_request\n{}",
            canonical.sha256_hex()
        )
    );
}
