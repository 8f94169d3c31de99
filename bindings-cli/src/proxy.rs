//! Which proxy a request goes through, by the rules of Go's standard library and so of
//! aws_signing_helper. ureq reads the variables too, but by other rules: it knows no networks in
//! `NO_PROXY`, takes `example.com` for that host alone, and lets `HTTP_PROXY` serve https.

use std::{borrow::Cow, net::IpAddr};

use rolesanywhere_core::{Error, ErrorKind, Result};
use ureq::{Proxy, http::Uri};

use crate::environment::Environment;

/// The proxy for a URL: `HTTPS_PROXY` for https, `HTTP_PROXY` for http (not under CGI, where a client
/// sets it), lower case too; none for `localhost`, loopback addresses and what `NO_PROXY` lists.
/// Also the name of the variable.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when the variable's value is no proxy URL; it is not repeated, since
/// it may hold a password.
pub(crate) fn for_url(url: &Uri, environment: &Environment<'_>) -> Result<Option<(Proxy, String)>> {
    let https = url.scheme_str() == Some("https");
    let variable = if https {
        environment.first(&["HTTPS_PROXY", "https_proxy"])
    } else if environment.value("REQUEST_METHOD").is_some() {
        environment.first(&["http_proxy"])
    } else {
        environment.first(&["HTTP_PROXY", "http_proxy"])
    };
    let Some((name, value)) = variable else {
        return Ok(None);
    };
    let host = url.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_u16().unwrap_or(if https { 443 } else { 80 });
    let exceptions = environment.first(&["NO_PROXY", "no_proxy"]);
    if is_loopback(host) || exceptions.is_some_and(|(_, list)| excepts(&list, host, port)) {
        return Ok(None);
    }
    match Proxy::new(&by_name(&value)) {
        Ok(proxy) => Ok(Some((proxy, name.to_owned()))),
        Err(_) => Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "{name} is not the URL of a proxy: write `http://[USER:PASSWORD@]HOST:PORT`, or https or socks5"
            ),
        )),
    }
}

/// The proxy's URL, by which SOCKS 5 gets the service's name and not its address: so Go does it for `socks5`
/// and `socks5h` alike, and behind such a proxy there may be no name server.
fn by_name(url: &str) -> Cow<'_, str> {
    let scheme = url.split_once("://");
    match scheme {
        Some((scheme, rest)) if ["socks", "socks5"].contains(&&*scheme.to_ascii_lowercase()) => {
            Cow::Owned(format!("socks5h://{rest}"))
        }
        _ => Cow::Borrowed(url),
    }
}

/// `localhost`, a name under it (RFC 6761), or a loopback address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let is_name = |name: &str| {
        name.rsplit('.')
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
    };
    host.parse::<IpAddr>()
        .map_or_else(|_| is_name(host), |address| address.is_loopback())
}

/// Whether `NO_PROXY` lists the host: `*`; an address or a network; a domain, which stands for its
/// subdomains too, and for them alone when it begins with a dot; each with a port or without.
fn excepts(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            if entry == "*" {
                return true;
            }
            if let Some((network, bits)) = entry.split_once('/') {
                return address.is_some_and(|address| in_network(address, network, bits));
            }
            let (name, wanted_port) = split_port(entry);
            if wanted_port.is_some_and(|wanted| wanted != port) {
                return false;
            }
            if let Ok(listed) = name.parse::<IpAddr>() {
                return address == Some(listed);
            }
            let name = name.to_ascii_lowercase();
            let domain = name.strip_prefix('*').unwrap_or(&name);
            match domain.strip_prefix('.') {
                Some(_) => host.ends_with(domain),
                None => host
                    .strip_suffix(domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            }
        })
}

/// `host:port`, `[address]:port`, or either without a port; an address's own colons are no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return (
            address,
            rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, port.parse().ok()),
        _ => (entry, None),
    }
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else {
        return false;
    };
    match (address, network.parse::<IpAddr>()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network))) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            (address.to_bits() ^ network.to_bits()) & mask == 0
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network))) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            (address.to_bits() ^ network.to_bits()) & mask == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let found = for_url(&url.parse().unwrap(), &Environment::new(&lookup)).unwrap();
        found.map(|(proxy, name)| format!("{name} {}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_scheme_chooses_the_variable() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2")];
        assert_eq!(proxied("https://a.b", &both).unwrap(), "HTTPS_PROXY s:1");
        assert_eq!(proxied("http://a.b", &both).unwrap(), "HTTP_PROXY p:2");
        assert_eq!(
            proxied("https://a.b", &[("HTTP_PROXY", "http://p:2")]),
            None
        );
        assert_eq!(
            proxied("https://a.b", &[("https_proxy", "s")]).unwrap(),
            "https_proxy s:80"
        );
        let cgi = [("HTTP_PROXY", "http://evil:2"), ("REQUEST_METHOD", "GET")];
        assert_eq!(proxied("http://a.b", &cgi), None);
        assert_eq!(proxied("https://a.b", &[]), None);
        assert_eq!(proxied("https://a.b", &[("HTTPS_PROXY", "")]), None);
    }

    #[test]
    fn loopback_is_never_proxied() {
        let all = [("HTTPS_PROXY", "http://p:1"), ("HTTP_PROXY", "http://p:1")];
        for host in [
            "localhost",
            "a.localhost",
            "LOCALHOST.",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
        ] {
            assert_eq!(
                proxied(&format!("https://{host}:8443/x"), &all),
                None,
                "{host}"
            );
            assert_eq!(proxied(&format!("http://{host}/"), &all), None, "{host}");
        }
        assert!(proxied("https://notlocalhost", &all).is_some());
        assert!(proxied("https://128.0.0.1", &all).is_some());
    }

    // The expected values are those of golang.org/x/net/http/httpproxy's documentation.
    #[test]
    fn exceptions_are_read_as_go_reads_them() {
        let excepted = |list: &str, url: &str| {
            proxied(url, &[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", list)]).is_none()
        };
        for (list, url) in [
            ("*", "https://a.b"),
            ("amazonaws.com", "https://amazonaws.com"),
            (
                "amazonaws.com",
                "https://rolesanywhere.us-east-1.amazonaws.com",
            ),
            (
                ".amazonaws.com",
                "https://rolesanywhere.us-east-1.amazonaws.com",
            ),
            (
                "x, AMAZONAWS.com ,y",
                "https://rolesanywhere.us-east-1.amazonaws.com",
            ),
            ("a.b:443", "https://a.b"),
            ("10.1.2.3", "https://10.1.2.3"),
            ("10.0.0.0/8", "https://10.1.2.3"),
            ("0.0.0.0/0", "https://10.1.2.3"),
            ("fd00::/8", "https://[fd00::1]"),
            ("[fd00::1]:443", "https://[fd00::1]"),
            ("fd00::1", "https://[fd00::1]"),
        ] {
            assert!(excepted(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("", "https://a.b"),
            (".amazonaws.com", "https://amazonaws.com"),
            ("amazonaws.com", "https://notamazonaws.com"),
            ("a.b:8443", "https://a.b"),
            ("10.0.0.0/8", "https://11.1.2.3"),
            ("10.0.0.0/33", "https://10.1.2.3"),
            ("10.0.0.0/8", "https://[fd00::1]"),
            ("fd00::/8", "https://10.1.2.3"),
        ] {
            assert!(!excepted(list, url), "{list} {url}");
        }
    }

    #[test]
    fn socks_5_gets_the_name() {
        let found = |value: &'static str| {
            let lookup = |name: &str| (name == "HTTPS_PROXY").then(|| value.to_owned());
            let url = "https://a.b".parse().unwrap();
            for_url(&url, &Environment::new(&lookup))
                .unwrap()
                .unwrap()
                .0
        };
        for value in [
            "socks5://u:p@h:1",
            "SOCKS5://u:p@h:1",
            "socks5h://u:p@h:1",
            "socks://u:p@h:1",
        ] {
            let proxy = found(value);
            assert!(!proxy.resolve_target(), "{value}");
            assert_eq!((proxy.host(), proxy.port()), ("h", 1), "{value}");
            assert_eq!(
                (proxy.username(), proxy.password()),
                (Some("u"), Some("p")),
                "{value}"
            );
        }
    }

    #[test]
    fn a_bad_proxy_is_refused_without_repeating_its_password() {
        let lookup = |name: &str| (name == "HTTPS_PROXY").then(|| "ftp://u:hunter2@h".to_owned());
        let error =
            for_url(&"https://a.b".parse().unwrap(), &Environment::new(&lookup)).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("HTTPS_PROXY is not the URL of a proxy")
        );
        assert!(!error.message().contains("hunter2"));
    }
}
