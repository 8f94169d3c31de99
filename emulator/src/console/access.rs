//! Who may see the console.

use crate::{
    addressing::{Addressing, Page},
    message::Request,
};

/// Whether the request is a browser's for the page, and not a call of STS: it accepts HTML, names no
/// operation and is not signed.
pub(crate) fn is_asked_for(request: &Request) -> bool {
    let accepts_html = request
        .header("accept")
        .is_some_and(|accept| accept.contains("text/html"));
    accepts_html
        && request.header("authorization").is_none()
        && !request.query().contains("Action=")
}

/// Whether the caller may see the console; if not, why.
///
/// Callers on this machine may, by a loopback name. `hosts` are the setting `console_hosts`: names
/// under which everybody may. No page of another origin may, though it may link to the console.
pub(crate) fn may_see(request: &Request, hosts: &[String]) -> Result<(), String> {
    let addressing = request.addressing().map_err(|error| error.to_string())?;
    if addressing.page == Page::Foreign {
        return Err("the console is not for pages of another origin".to_owned());
    }
    let is_named = |allowed: &String| allowed.parse().as_ref() == Ok(&addressing.host.name);
    if hosts.iter().any(is_named) {
        return Ok(());
    }
    is_local(request, &addressing)
}

/// Whether the caller is on this machine and uses a name of its own; if not, why.
pub(crate) fn is_local(request: &Request, addressing: &Addressing) -> Result<(), String> {
    if !addressing.host.name.is_loopback() {
        return Err(
            "the console answers to loopback names only: use localhost, or add the name to \
                    the setting `console_hosts`"
                .to_owned(),
        );
    }
    // Without an address the request came from within the process.
    let is_local = request
        .peer
        .is_none_or(|peer| peer.to_canonical().is_loopback());
    if is_local && !addressing.is_forwarded {
        return Ok(());
    }
    Err(
        "the console is for callers on this machine; the setting `console_hosts` opens it"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, peer: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned())],
            peer: Some(peer.parse().unwrap()),
            ..Request::default()
        }
    }

    #[test]
    fn this_machine_by_its_own_names_only() {
        for host in [
            "localhost",
            "LOCALHOST:8443",
            "127.0.0.1:1",
            "[::1]:8443",
            "[::1]",
            "localhost.",
            "::1",
            "127.9.9.9",
        ] {
            for peer in ["127.0.0.1", "::1", "127.9.9.9", "::ffff:127.0.0.1"] {
                assert_eq!(may_see(&request(host, peer), &[]), Ok(()), "{host} {peer}");
            }
            assert!(may_see(&request(host, "192.0.2.1"), &[]).is_err(), "{host}");
        }
        for host in [
            "evil.example:8443",
            "localhost.evil.example",
            "192.0.2.1",
            "",
            "127.0.0.1.nip.io",
            "[::1]evil.example",
            "localhost:evil.example",
            "localhost:80:80",
        ] {
            assert!(may_see(&request(host, "127.0.0.1"), &[]).is_err(), "{host}");
        }
        let mut twice = request("localhost", "127.0.0.1");
        twice
            .headers
            .push(("host".to_owned(), "evil.example".to_owned()));
        assert!(may_see(&twice, &[]).is_err());
        let with = |name: &str, value: &str| {
            let mut request = request("localhost", "127.0.0.1");
            request.headers.push((name.to_owned(), value.to_owned()));
            request
        };
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Via", "1.1 proxy"),
            ("X-Forwarded-For", "192.0.2.1"),
        ] {
            assert!(may_see(&with(name, value), &[]).is_err(), "{name}");
        }
        let mut link = with("Sec-Fetch-Site", "cross-site");
        for (name, value) in [
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ] {
            link.headers.push((name.to_owned(), value.to_owned()));
        }
        assert_eq!(may_see(&link, &[]), Ok(()), "a link is followed");
        let allowed = ["Emulator.Test".to_owned()];
        assert_eq!(
            may_see(&request("emulator.test:1", "192.0.2.1"), &allowed),
            Ok(())
        );
        assert!(may_see(&request("localhost", "192.0.2.1"), &allowed).is_err());
    }

    #[test]
    fn a_call_of_sts_is_not_for_the_console() {
        let with = |target: &str, headers: &[(&str, &str)]| Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            ..Request::default()
        };
        let html = ("Accept", "text/html,application/xhtml+xml");
        assert!(is_asked_for(&with("/", &[html])));
        assert!(!is_asked_for(&with("/", &[("Accept", "*/*")])));
        assert!(!is_asked_for(&with("/", &[])));
        assert!(!is_asked_for(&with(
            "/?Action=GetCallerIdentity&Version=2011-06-15",
            &[html]
        )));
        assert!(!is_asked_for(&with(
            "/",
            &[html, ("Authorization", "AWS4-HMAC-SHA256 …")]
        )));
    }
}
