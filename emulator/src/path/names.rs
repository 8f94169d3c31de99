//! Name constraints (RFC 5280, 4.2.1.10 and 6.1.3, b and c).

use super::failure::{Failure, Kind};
use crate::certificate::{Certificate, GeneralName, Name, NameConstraints};

/// How many comparisons of names one request may cost. A CA with a hundred names under a hundred
/// constraints takes ten thousand.
pub(super) const MAX_COMPARISONS: u32 = 250_000;

/// The constraints of the issuers so far.
#[derive(Default)]
pub(super) struct Constraints<'a>(Vec<(&'a Certificate, &'a NameConstraints)>);

impl<'a> Constraints<'a> {
    /// Adds those of an issuer.
    pub(super) fn add(&mut self, issuer: &'a Certificate) {
        let own = issuer.constraints.names.as_ref();
        self.0.extend(own.map(|constraints| (issuer, constraints)));
    }

    /// Whether every name of the certificate is within all of them. `comparisons` is how many may still
    /// be made.
    pub(super) fn check(
        &self,
        certificate: &Certificate,
        comparisons: &mut u32,
    ) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names = names_of(certificate);
        for (issuer, constraints) in &self.0 {
            for name in &names {
                check(name, constraints, comparisons).map_err(|why| {
                    Failure::new(
                        Kind::Names,
                        format!(
                            "{name} of `{}` {why} `{}` (name constraints)",
                            certificate.subject_text, issuer.subject_text
                        ),
                    )
                })?;
            }
        }
        Ok(())
    }
}

/// The subject, the alternative names, and the mail addresses of the subject where no alternative name is
/// one.
fn names_of(certificate: &Certificate) -> Vec<GeneralName> {
    const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";
    let subject = &certificate.subject_name;
    let mut names = certificate.constraints.subject_names.clone();
    if !names
        .iter()
        .any(|name| matches!(name, GeneralName::Email(_)))
    {
        let addresses = subject.values(EMAIL_ADDRESS);
        names.extend(addresses.map(|address| GeneralName::Email(address.to_owned())));
    }
    if !certificate.subject_is_empty {
        names.push(GeneralName::Directory(subject.clone()));
    }
    names
}

/// Says what the name is, where it is not within the constraints.
fn check(
    name: &GeneralName,
    constraints: &NameConstraints,
    comparisons: &mut u32,
) -> Result<(), &'static str> {
    const CANNOT_COMPARE: &str = "cannot be compared with the names of";
    let mut is_within = |base: &GeneralName, excludes| {
        *comparisons = comparisons
            .checked_sub(1)
            .ok_or("takes too long to compare with")?;
        is_within(name, base, excludes).ok_or(CANNOT_COMPARE)
    };
    for base in constraints
        .excluded
        .iter()
        .filter(|base| base.is_like(name))
    {
        if is_within(base, true)? {
            return Err("is excluded by");
        }
    }
    let mut is_constrained = false;
    for base in constraints
        .permitted
        .iter()
        .filter(|base| base.is_like(name))
    {
        if is_within(base, false)? {
            return Ok(());
        }
        is_constrained = true;
    }
    if is_constrained {
        return Err("is outside of what is permitted by");
    }
    Ok(())
}

/// Whether a name is within a subtree of its kind; `None` when that cannot be told.
fn is_within(name: &GeneralName, base: &GeneralName, excludes: bool) -> Option<bool> {
    match (name, base) {
        (GeneralName::Directory(name), GeneralName::Directory(base)) => {
            Some(name.begins_with(base))
        }
        (GeneralName::Dns(name), GeneralName::Dns(base)) => {
            Some(is_dns_within(name, base, excludes))
        }
        (GeneralName::Email(name), GeneralName::Email(base)) => is_mailbox_within(name, base),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => is_address_within(name, base),
        (GeneralName::Uri(name), GeneralName::Uri(base)) => {
            Some(is_host_within(&host_of(name)?, base))
        }
        _ => None,
    }
}

/// Zero or more labels may stand before the base; one at least where it begins with a dot, as OpenSSL has
/// it. A wildcard is excluded when it may stand for what is.
fn is_dns_within(name: &str, base: &str, excludes: bool) -> bool {
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    let ends_at_dot = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|before| {
            before.is_empty() || before.ends_with('.') || short.starts_with('.')
        })
    };
    let wildcard = name.strip_prefix("*.").filter(|_| excludes);
    base.is_empty()
        || ends_at_dot(&name, &base) && name != base.trim_start_matches('.')
        || name == base
        || wildcard.is_some_and(|parent| ends_at_dot(&base, parent))
}

/// A whole address, the addresses of a host, or with a dot in front of the hosts below it.
fn is_mailbox_within(name: &str, base: &str) -> Option<bool> {
    let (local, host) = name.rsplit_once('@')?;
    Some(match base.rsplit_once('@') {
        Some((of_base, base)) => local == of_base && host.eq_ignore_ascii_case(base),
        None => is_host_within(host, base),
    })
}

/// The host itself, or with a dot in front the hosts below it.
fn is_host_within(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    match base.starts_with('.') {
        true => host.ends_with(&base),
        false => host == base,
    }
}

/// The host of a URI by RFC 3986 (3.2). `None` where it has none, or an address: such a URI must be
/// refused where URIs are constrained.
fn host_of(uri: &str) -> Option<String> {
    let (_, after) = uri.split_once("://")?;
    let authority = after.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    let is_name =
        !host.is_empty() && !host.starts_with('[') && host.parse::<std::net::Ipv4Addr>().is_err();
    is_name.then(|| host.to_owned())
}

/// An address, and an address with its mask behind it.
fn is_address_within(address: &[u8], base: &[u8]) -> Option<bool> {
    let (network, mask) = base.split_at_checked(base.len() / 2)?;
    let is_read = matches!(network.len(), 4 | 16) && network.len() == mask.len();
    (is_read && matches!(address.len(), 4 | 16)).then_some(())?;
    let mut bytes = address.iter().zip(network.iter().zip(mask));
    Some(
        address.len() == network.len()
            && bytes.all(|(byte, (network, mask))| byte & mask == network & mask),
    )
}

impl Name {
    /// Whether the name begins with the relative distinguished names of another.
    fn begins_with(&self, base: &Self) -> bool {
        let mut own = self.rdns();
        base.rdns()
            .all(|theirs| own.next().is_some_and(|rdn| Self::is_same_set(rdn, theirs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(name: &str) -> GeneralName {
        GeneralName::Dns(name.to_owned())
    }

    fn uri(name: &str) -> GeneralName {
        GeneralName::Uri(name.to_owned())
    }

    fn mail(name: &str) -> GeneralName {
        GeneralName::Email(name.to_owned())
    }

    fn ip(bytes: &[u8]) -> GeneralName {
        GeneralName::Ip(bytes.to_vec())
    }

    /// The examples of RFC 5280, 4.2.1.10, and its rules.
    #[test]
    fn subtrees_are_those_of_rfc_5280() {
        for (name, base, expected) in [
            (dns("host.example.com"), dns("host.example.com"), Some(true)),
            (
                dns("www.host.example.com"),
                dns("host.example.com"),
                Some(true),
            ),
            (dns("HOST.example.com"), dns("host.EXAMPLE.com"), Some(true)),
            (
                dns("host1.example.com"),
                dns("host.example.com"),
                Some(false),
            ),
            (
                dns("ahost.example.com"),
                dns("host.example.com"),
                Some(false),
            ),
            (dns("example.com"), dns(".example.com"), Some(false)),
            (dns("a.example.com"), dns(".example.com"), Some(true)),
            (dns("anything"), dns(""), Some(true)),
            (dns("*.example.com"), dns("example.com"), Some(true)),
            (
                mail("root@example.com"),
                mail("root@example.com"),
                Some(true),
            ),
            (
                mail("Root@example.com"),
                mail("root@example.com"),
                Some(false),
            ),
            (mail("any@example.com"), mail("example.com"), Some(true)),
            (mail("any@a.example.com"), mail("example.com"), Some(false)),
            (mail("any@a.example.com"), mail(".example.com"), Some(true)),
            (mail("any@example.com"), mail(".example.com"), Some(false)),
            (mail("no address"), mail("example.com"), None),
            (
                uri("https://host.example.com/x"),
                uri("host.example.com"),
                Some(true),
            ),
            (
                uri("https://u@HOST.example.com:1/"),
                uri("host.example.com"),
                Some(true),
            ),
            (
                uri("https://my.host.example.com"),
                uri("host.example.com"),
                Some(false),
            ),
            (
                uri("https://my.host.example.com"),
                uri(".example.com"),
                Some(true),
            ),
            (
                uri("https://example.com?x"),
                uri(".example.com"),
                Some(false),
            ),
            (
                uri("spiffe://example.org/a"),
                uri("example.org"),
                Some(true),
            ),
            (uri("https://10.0.0.1/"), uri("example.org"), None),
            (uri("https://[::1]/"), uri("example.org"), None),
            (uri("urn:x:y"), uri("example.org"), None),
            (
                ip(&[192, 0, 2, 7]),
                ip(&[192, 0, 2, 0, 255, 255, 255, 0]),
                Some(true),
            ),
            (
                ip(&[192, 0, 3, 7]),
                ip(&[192, 0, 2, 0, 255, 255, 255, 0]),
                Some(false),
            ),
            (
                ip(&[0; 16]),
                ip(&[192, 0, 2, 0, 255, 255, 255, 0]),
                Some(false),
            ),
            (
                ip(&[192, 0, 2]),
                ip(&[192, 0, 2, 0, 255, 255, 255, 0]),
                None,
            ),
            (ip(&[192, 0, 2, 7]), ip(&[192, 0, 2, 255, 255, 255]), None),
        ] {
            assert_eq!(is_within(&name, &base, false), expected, "{name} {base}");
        }
        // A wildcard may stand for what is excluded.
        let excluded = |name, base| is_within(&dns(name), &dns(base), true);
        assert_eq!(excluded("*.example.com", "a.example.com"), Some(true));
        assert_eq!(excluded("*.example.com", "a.example.org"), Some(false));
        assert_eq!(excluded("b.example.com", "a.example.com"), Some(false));
    }
}
