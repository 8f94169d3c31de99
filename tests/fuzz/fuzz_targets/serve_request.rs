//! Any bytes as a request to `serve` and to the console: read by the parser that hyper has, then by ours, which says whom
//! it is for, and whether a proxy or a web page sent it.
#![no_main]

use std::{collections::BTreeSet, str};

use libfuzzer_sys::fuzz_target;

// What the server leaves out here, others use.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../emulator/src/addressing.rs"]
mod addressing;

use addressing::{Addressing, HostName, Page};

/// As many as hyper reads.
const MAX_HEADERS: usize = 100;

fuzz_target!(|bytes: &[u8]| {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !matches!(request.parse(bytes), Ok(httparse::Status::Complete(_))) {
        return;
    }
    let read = Addressing::read(
        request
            .headers
            .iter()
            .map(|header| (header.name, header.value)),
    );
    let Ok(read) = read else {
        return;
    };
    let values = |name: &str| -> Vec<&[u8]> {
        let named = request.headers.iter();
        let named = named.filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value).collect()
    };

    // One host, and no character in it that another parser would take for its end.
    let hosts = values("Host");
    assert_eq!(hosts.len(), 1, "{hosts:?}");
    let host = str::from_utf8(hosts[0]).expect("a host is text").trim();
    let known = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    assert!(host.chars().all(known), "`{host}`");
    if read.host.name.is_loopback() {
        let name = host.to_ascii_lowercase();
        let begins = [
            "localhost",
            "127.",
            "::1",
            "[::1]",
            "[::ffff:127.",
            "[::ffff:7f",
            "::ffff:127.",
            "::ffff:7f",
        ];
        let zeros: BTreeSet<char> = name
            .trim_start_matches('[')
            .chars()
            .take_while(|c| ":0".contains(*c))
            .collect();
        assert!(
            begins.iter().any(|begin| name.starts_with(begin)) || zeros.contains(&'0'),
            "`{host}`"
        );
    }
    if let HostName::Name(name) = &read.host.name {
        assert!(
            host.to_ascii_lowercase().starts_with(name.as_str()),
            "`{host}`"
        );
    }

    let forwarded = ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host"];
    if forwarded.iter().any(|name| !values(name).is_empty()) {
        assert!(read.is_forwarded);
    }
    if read.page == Page::NoneOrOwn {
        // An origin that is let through is that of the host: the scheme, and then the host's name.
        for origin in values("Origin") {
            let origin = str::from_utf8(origin)
                .expect("an origin is text")
                .trim()
                .to_ascii_lowercase();
            assert!(
                origin.starts_with("http://") || origin.starts_with("https://"),
                "`{origin}`"
            );
        }
        for site in values("Sec-Fetch-Site") {
            assert!(
                matches!(site.trim_ascii(), b"none" | b"same-origin"),
                "{site:?}"
            );
        }
    }
});
