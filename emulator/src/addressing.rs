//! How an HTTP request is addressed: the host that it names, whether a proxy passed it on, and whether a
//! web page sent it.
//!
//! A browser on this machine reaches the servers on loopback for every page that it shows, also for a
//! page whose own name resolves to a loopback address (DNS rebinding). Servers that answer to callers
//! on this machine alone read these headers first. There is one parser for all of them, because two
//! parsers that disagree are a way in.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The longest name of DNS in text form.
const MAX_NAME_LENGTH: usize = 253;

/// Headers by which a proxy says that it passed a request on. Proxies that say nothing cannot be told
/// from clients.
const FORWARDED: [&str; 5] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
];

/// What the headers of a request say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The host that the request is for.
    pub host: Host,
    /// Whether a proxy passed the request on: where it comes from is unknown.
    pub is_forwarded: bool,
    /// Which web page sent it.
    pub page: Page,
}

/// Which web page sent a request, as its browser says with `Origin` and `Sec-Fetch-Site`. Pages cannot
/// change these headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// A page of another origin, or one without an origin.
    Foreign,
    /// A link from another origin was followed: that origin cannot read the answer. Harmless for what
    /// changes nothing.
    Link,
    /// No page, or a page of the host itself.
    NoneOrOwn,
}

/// A request names no host, several hosts, or a host that is neither a name nor an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unaddressed;

/// A host as the `Host` header names it (RFC 9110, section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name or the address.
    pub name: HostName,
    /// The port, where there is one.
    pub port: Option<u16>,
}

/// The name or the address of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    /// An IPv4 address of four decimal numbers, or an IPv6 address.
    Address(IpAddr),
    /// A name, in lower case and without a final dot: letters, digits, `.`, `-` and `_`.
    Name(String),
}

impl Addressing {
    /// Reads the headers, names in any case.
    ///
    /// # Errors
    /// [`Unaddressed`].
    pub fn read<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Unaddressed> {
        let mut host = None;
        let mut is_forwarded = false;
        let mut fetch = Fetch::default();
        for (name, value) in headers {
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            // What is not UTF-8 is equal to nothing that is looked for below.
            let text = std::str::from_utf8(value).unwrap_or("\u{FFFD}").trim();
            if is("host") {
                // Of two, a proxy or a browser may have looked at the other.
                let first = host.replace(text.parse::<Host>().map_err(|_| Unaddressed)?);
                if first.is_some() {
                    return Err(Unaddressed);
                }
            } else if is("origin") {
                fetch.origins.push(text);
            } else if is("sec-fetch-site") {
                fetch.sites.push(text);
            } else if is("sec-fetch-mode") {
                fetch.mode = text;
            } else if is("sec-fetch-dest") {
                fetch.destination = text;
            } else if FORWARDED.iter().any(|wanted| is(wanted)) {
                is_forwarded = true;
            }
        }
        let host = host.ok_or(Unaddressed)?;
        let page = fetch.page(&host);
        Ok(Self {
            host,
            is_forwarded,
            page,
        })
    }
}

/// What a browser adds to a request.
#[derive(Default)]
struct Fetch<'a> {
    origins: Vec<&'a str>,
    sites: Vec<&'a str>,
    mode: &'a str,
    destination: &'a str,
}

impl Fetch<'_> {
    fn page(&self, host: &Host) -> Page {
        // `none` is an address that the user typed.
        let is_own = |site: &&str| matches!(*site, "none" | "same-origin");
        if !self.origins.iter().all(|origin| host.is_origin(origin)) {
            Page::Foreign
        } else if self.sites.iter().all(is_own) {
            Page::NoneOrOwn
        } else if self.origins.is_empty()
            && self.mode == "navigate"
            && self.destination == "document"
        {
            Page::Link
        } else {
            Page::Foreign
        }
    }
}

impl Host {
    /// Whether an `Origin` header's value is this host's, under http or https.
    fn is_origin(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else {
            return false; // `null`
        };
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return false,
        };
        host.parse::<Self>().is_ok_and(|host| {
            host.name == self.name && host.port.unwrap_or(usual) == self.port.unwrap_or(usual)
        })
    }
}

impl FromStr for Host {
    type Err = Unaddressed;

    /// `NAME`, `NAME:PORT`, `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]`, `[ADDRESS]:PORT`, and an IPv6 address
    /// without brackets, as some SDKs write it. The port may be empty.
    fn from_str(text: &str) -> Result<Self, Unaddressed> {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self {
                name: HostName::Address(address.into()),
                port: None,
            });
        }
        let (name, rest) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']').ok_or(Unaddressed)?;
                let address: Ipv6Addr = address.parse().map_err(|_| Unaddressed)?;
                (HostName::Address(address.into()), rest)
            }
            None => {
                let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
                (HostName::of_name_or_ipv4(name)?, rest)
            }
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return Err(Unaddressed),
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| Unaddressed)?)
            }
            Some(_) => return Err(Unaddressed),
        };
        Ok(Self { name, port })
    }
}

impl HostName {
    /// Whether this machine alone goes by it, wherever it is said: `localhost`, and loopback addresses.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.to_canonical().is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }

    fn of_name_or_ipv4(text: &str) -> Result<Self, Unaddressed> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_known =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if name.is_empty() || name.len() > MAX_NAME_LENGTH || !name.bytes().all(is_known) {
            return Err(Unaddressed);
        }
        Ok(Self::Name(name.to_ascii_lowercase()))
    }
}

impl FromStr for HostName {
    type Err = Unaddressed;

    /// A [`Host`] without a port.
    fn from_str(text: &str) -> Result<Self, Unaddressed> {
        let host: Host = text.parse()?;
        let has_port = host.port.is_some() || text.ends_with(':') && !text.ends_with("::");
        if has_port {
            return Err(Unaddressed);
        }
        Ok(host.name)
    }
}

impl fmt::Display for Unaddressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request must name one host, by a name or an address")
    }
}

impl std::error::Error for Unaddressed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Result<Addressing, Unaddressed> {
        Addressing::read(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        )
    }

    #[test]
    fn hosts_are_names_or_addresses_with_a_port_or_without() {
        let address = |text: &str| HostName::Address(text.parse().unwrap());
        let name = |text: &str| HostName::Name(text.to_owned());
        for (text, expected, port) in [
            ("localhost", name("localhost"), None),
            ("LocalHost.:80", name("localhost"), Some(80)),
            ("a_b.example:", name("a_b.example"), None),
            ("127.0.0.1:9911", address("127.0.0.1"), Some(9911)),
            ("127.1", name("127.1"), None),
            ("[::1]", address("::1"), None),
            ("[::1]:", address("::1"), None),
            ("[fd00:ec2::23]:80", address("fd00:ec2::23"), Some(80)),
            ("fd00:ec2::23", address("fd00:ec2::23"), None),
            ("::1", address("::1"), None),
            ("::", address("::"), None),
            ("::ffff:127.0.0.1", address("::ffff:127.0.0.1"), None),
        ] {
            let host = Host {
                name: expected,
                port,
            };
            assert_eq!(text.parse(), Ok(host), "{text}");
        }
    }

    #[test]
    fn whatever_else_is_written_there_is_no_host() {
        for text in [
            "",
            ":80",
            "[::1]evil.com",
            "[::1]:80evil.com",
            "[::1",
            "::1]",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "localhost:evil.com",
            "localhost:80:80",
            "localhost:+80",
            "localhost:65536",
            "localhost@evil.com",
            "evil.com#localhost",
            "localhost/x",
            "localhost evil.com",
            "localhost,evil.com",
            "localhost\u{0}",
            "ｌocalhost",
            &"a".repeat(254),
        ] {
            assert_eq!(text.parse::<Host>(), Err(Unaddressed), "{text}");
        }
        for text in ["localhost:80", "localhost:", "[::1]:", "[::1]:80"] {
            assert_eq!(text.parse::<HostName>(), Err(Unaddressed), "{text}");
        }
        assert!("::".parse::<HostName>().is_ok());
    }

    #[test]
    fn a_request_names_one_host() {
        let localhost = ("Host", "localhost");
        assert_eq!(read(&[]), Err(Unaddressed));
        assert_eq!(read(&[localhost, ("host", "evil.com")]), Err(Unaddressed));
        assert_eq!(read(&[localhost, localhost]), Err(Unaddressed));
        assert!(read(&[localhost, ("accept", "*/*")]).is_ok());
        assert_eq!(
            Addressing::read([("host", b"local\xFFhost".as_slice())]),
            Err(Unaddressed)
        );
    }

    #[test]
    fn proxies_and_pages_are_told_from_clients() {
        let page = |more: &[(&str, &str)]| {
            let mut headers = vec![("host", "localhost:9911")];
            headers.extend(more);
            read(&headers).unwrap().page
        };
        let link = [
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ];
        let cross = ("Sec-Fetch-Site", "cross-site");
        for own in [
            &[][..],
            &[("origin", "http://localhost:9911")],
            &[("origin", "https://LOCALHOST:9911")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            // Node's fetch sends it without the others.
            &[("sec-fetch-mode", "cors")],
        ] {
            assert_eq!(page(own), Page::NoneOrOwn, "{own:?}");
        }
        for foreign in [
            &[("origin", "null")][..],
            &[("origin", "http://localhost:3000")],
            &[("origin", "http://localhost")],
            &[("origin", "https://evil.com")],
            &[("origin", "moz-extension://localhost:9911")],
            &[("origin", "")],
            &[("origin", "http://localhost:9911"), ("origin", "null")],
            &[cross],
            &[("sec-fetch-site", "same-site")],
            &[
                cross,
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ],
            &[cross, link[0], ("sec-fetch-dest", "iframe")],
            // A form that was sent.
            &[cross, link[0], link[1], ("origin", "https://evil.com")],
        ] {
            assert_eq!(page(foreign), Page::Foreign, "{foreign:?}");
        }
        assert_eq!(page(&[cross, link[0], link[1]]), Page::Link);
        for name in ["Via", "Forwarded", "X-Forwarded-For", "x-forwarded-host"] {
            let headers = [("host", "localhost"), (name, "x")];
            assert!(read(&headers).unwrap().is_forwarded, "{name}");
        }
        let usual = [("host", "localhost"), ("origin", "http://localhost")];
        assert_eq!(read(&usual).unwrap().page, Page::NoneOrOwn);
    }
}
