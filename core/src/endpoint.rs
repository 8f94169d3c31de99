//! Where the service is: the partition table, and endpoints that the user names.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::{Error, ErrorKind, Result, text::excerpt};

/// The longest endpoint URL that is read, in bytes: what HTTP servers commonly take as a URL.
pub const MAX_ENDPOINT_LENGTH: usize = 2048;

/// An endpoint of Roles Anywhere, and the region that its signatures name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    host_header: String,
    path_prefix: String,
    https: bool,
    signing_region: String,
    custom: bool,
    plain_http: bool,
}

/// Which of a region's endpoints is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointOptions {
    /// The endpoint whose cryptography is validated under FIPS 140. AWS documents it for us-east-1,
    /// us-east-2, us-west-1, us-west-2 and the GovCloud regions; elsewhere the name does not
    /// resolve, which is left to the resolver to say.
    pub fips: bool,
    /// The endpoint that answers over IPv6 as well as IPv4.
    pub dual_stack: bool,
}

impl Endpoint {
    /// The endpoint that every client uses: the custom one when there is one, else the region's.
    ///
    /// # Errors
    /// As [`custom`](Self::custom) and [`for_region`](Self::for_region); and
    /// [`ErrorKind::InvalidInput`] when FIPS or dual-stack is asked of a custom endpoint, of which
    /// nobody but the user can know.
    pub fn new(custom: Option<&str>, region: &str, options: EndpointOptions) -> Result<Self> {
        let Some(url) = custom else {
            return Self::for_region(region, options);
        };
        let conflict = |what: &str| {
            invalid(format_args!(
                "{what} cannot be had of a custom endpoint: drop `{}`, or name the endpoint that \
                 is meant and turn {what} off",
                shown(url)
            ))
        };
        if options.fips {
            return Err(conflict("FIPS"));
        }
        if options.dual_stack {
            return Err(conflict("dual-stack"));
        }
        Self::custom(url, region)
    }

    /// A region's endpoint, by the partition table. Regions that are too new for the table follow
    /// the form of their names.
    ///
    /// The old names `fips-REGION` and `REGION-fips` select the FIPS endpoint of the region that
    /// they hold, which is then the one that is signed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when `region` cannot be the name of a region, or is a
    /// partition's global pseudo-region: Roles Anywhere is regional.
    pub fn for_region(region: &str, options: EndpointOptions) -> Result<Self> {
        let (region, fips) = parse_region(region)?;
        let partition = Partition::of_region(&region);
        let prefix = if options.fips || fips { "-fips" } else { "" };
        let suffix = if options.dual_stack {
            partition.dual_stack_dns_suffix()
        } else {
            partition.dns_suffix()
        };
        let host_header = format!("rolesanywhere{prefix}.{region}.{suffix}");
        Ok(Self {
            url: format!("https://{host_header}"),
            host_header,
            path_prefix: String::new(),
            https: true,
            signing_region: region.into_owned(),
            custom: false,
            plain_http: false,
        })
    }

    /// An endpoint that the user names: `http` or `https`, a host or an IP address, a port, a path
    /// that stands before the service's and is signed with it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming what is wrong: another scheme, user information, a query,
    /// a fragment, a malformed host, port or path; a region as in [`for_region`](Self::for_region),
    /// or one that selects a FIPS endpoint.
    pub fn custom(url: &str, signing_region: &str) -> Result<Self> {
        let (region, fips) = parse_region(signing_region)?;
        if fips {
            return Err(invalid(format_args!(
                "the region `{signing_region}` selects a FIPS endpoint, which cannot be had of a \
                 custom endpoint: pass `{region}`"
            )));
        }
        let parsed = parse_url(url).map_err(|why| {
            invalid(format_args!(
                "`{}` is not an endpoint: {why}; pass a URL such as `https://HOST:PORT/PATH`",
                shown(url)
            ))
        })?;
        let scheme = if parsed.https { "https" } else { "http" };
        Ok(Self {
            url: format!("{scheme}://{}{}", parsed.host_header, parsed.path_prefix),
            host_header: parsed.host_header,
            path_prefix: parsed.path_prefix,
            https: parsed.https,
            signing_region: region.into_owned(),
            custom: true,
            plain_http: false,
        })
    }

    /// The base URL, without a slash at its end: put the service's path after it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The value of the `host` header, which is signed: the port only when it is not the scheme's.
    pub fn host_header(&self) -> &str {
        &self.host_header
    }

    /// The path before the service's, percent-encoded, empty or `/…` without a slash at its end. It
    /// is part of the path that is signed.
    pub fn path_prefix(&self) -> &str {
        &self.path_prefix
    }

    /// The region that the credential scope names.
    pub fn signing_region(&self) -> &str {
        &self.signing_region
    }

    /// Whether the endpoint is reached over TLS. Without it, whoever listens reads the credentials.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the endpoint's host is this machine: `localhost` and the names below it (RFC 6761),
    /// `127.0.0.0/8` and `::1`. Plain HTTP is for such hosts only.
    pub fn is_this_machine(&self) -> bool {
        is_this_machine(&self.host_header)
    }

    /// Allows plain HTTP to another machine, because the user has asked for that in so many words: a
    /// test. Whoever is on the way reads the credentials.
    #[must_use]
    pub fn with_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Whether secrets can travel there: over TLS, within this machine, or because the user has said
    /// that they may.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when they would travel in the clear.
    pub fn check_secrecy(&self) -> Result<()> {
        if self.https || self.plain_http || self.is_this_machine() {
            return Ok(());
        }
        Err(invalid(format_args!(
            "the endpoint `{}` would carry the secret key in the clear: use `https://`",
            self.url
        )))
    }

    /// Whether the user named the endpoint.
    pub fn is_custom(&self) -> bool {
        self.custom
    }

    /// The partition of the signing region.
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.signing_region)
    }
}

macro_rules! partitions {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $prefix:literal, $dns:literal, $dual_stack:literal;)*) => {
        /// A partition of AWS: a group of regions with accounts, ARNs and domains of its own.
        ///
        /// Source: `partitions.json` of botocore 1.44.5.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Partition {
            $($(#[$doc])* $variant,)*
        }

        impl Partition {
            /// Every partition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in ARNs.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The domain of its endpoints.
            pub const fn dns_suffix(self) -> &'static str {
                match self { $(Self::$variant => $dns,)* }
            }

            /// The domain of its dual-stack endpoints.
            pub const fn dual_stack_dns_suffix(self) -> &'static str {
                match self { $(Self::$variant => $dual_stack,)* }
            }

            /// What the names of its regions begin with; `aws` has all the others.
            const fn region_prefix(self) -> &'static str {
                match self { $(Self::$variant => $prefix,)* }
            }
        }
    };
}

partitions! {
    /// The commercial regions, and every region of which nothing better is known.
    Aws = "aws", "", "amazonaws.com", "api.aws";
    /// China.
    AwsCn = "aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn";
    /// The European Sovereign Cloud.
    AwsEusc = "aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu";
    /// US isolated, top secret.
    AwsIso = "aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov";
    /// US isolated, secret.
    AwsIsoB = "aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud";
    /// European isolated.
    AwsIsoE = "aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk";
    /// US isolated, F.
    AwsIsoF = "aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov";
    /// GovCloud.
    AwsUsGov = "aws-us-gov", "us-gov-", "amazonaws.com", "api.aws";
}

impl Partition {
    /// The partition of a region, by the form of the region's name; [`Aws`](Self::Aws) when it has
    /// none of the others' forms, as the SDKs do it.
    pub fn of_region(region: &str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|partition| {
                let prefix = partition.region_prefix();
                !prefix.is_empty() && region.starts_with(prefix)
            })
            .unwrap_or(Self::Aws)
    }

    /// The partition of that name in ARNs, `None` when there is none.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|partition| partition.id() == id)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The name of a region without the marks of FIPS, and whether it bore one.
///
/// The name becomes part of a host: only what can stand in one label of it passes.
fn parse_region(name: &str) -> Result<(Cow<'_, str>, bool)> {
    let region = match name
        .strip_prefix("fips-")
        .or_else(|| name.strip_suffix("-fips"))
    {
        Some(region) => Cow::Borrowed(region),
        None if name.contains("-fips-") => Cow::Owned(name.replacen("-fips-", "-", 1)),
        None => Cow::Borrowed(name),
    };
    let lower = region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !lower || !is_label(&region) {
        return Err(invalid(format_args!(
            "`{}` cannot be the name of a region: pass one such as `eu-central-1`",
            shown(name)
        )));
    }
    if region.ends_with("-global") {
        return Err(invalid(format_args!(
            "`{region}` is no region of Roles Anywhere, which is regional: pass one such as \
             `eu-central-1`"
        )));
    }
    let fips = region.len() != name.len();
    Ok((region, fips))
}

/// Whether a host, with a port or without, is this machine.
fn is_this_machine(host_header: &str) -> bool {
    if let Some(rest) = host_header.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or_default();
        return address.parse::<Ipv6Addr>().is_ok_and(|address| {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        });
    }
    let host = host_header.split(':').next().unwrap_or_default();
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.parse::<Ipv4Addr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

struct ParsedUrl {
    https: bool,
    host_header: String,
    path_prefix: String,
}

/// Reads a URL, as strictly as a URL can be read that users write: what two parsers could read in
/// two ways is refused, so that what is signed is what is sent.
fn parse_url(url: &str) -> core::result::Result<ParsedUrl, String> {
    if url.len() > MAX_ENDPOINT_LENGTH {
        return Err(format!("it is longer than {MAX_ENDPOINT_LENGTH} bytes"));
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds white space, a control character or other than ASCII".into());
    }
    let (scheme, rest) = url.split_once("://").ok_or("it has no scheme")?;
    let https = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => true,
        _ if scheme.eq_ignore_ascii_case("http") => false,
        _ => return Err("its scheme is neither `http` nor `https`".into()),
    };
    for (mark, what) in [
        ('?', "a query"),
        ('#', "a fragment"),
        ('@', "user information"),
        ('\\', "a backslash"),
    ] {
        if rest.contains(mark) {
            return Err(format!("it has {what}"));
        }
    }
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = split_port(authority)?;
    let mut host_header = parse_host(host)?;
    if let Some(port) = port
        && port != if https { 443 } else { 80 }
    {
        host_header.push_str(&format!(":{port}"));
    }
    Ok(ParsedUrl {
        https,
        host_header,
        path_prefix: parse_path(path)?.to_string(),
    })
}

/// Splits `HOST`, `HOST:PORT`, `[IPv6]` and `[IPv6]:PORT`.
fn split_port(authority: &str) -> core::result::Result<(&str, Option<u16>), String> {
    let after_host = if authority.starts_with('[') {
        authority.find(']').ok_or("its `[` has no `]`")? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority
        .split_at_checked(after_host)
        .unwrap_or((authority, ""));
    if rest.is_empty() {
        return Ok((host, None));
    }
    rest.strip_prefix(':')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .filter(|port| *port != 0)
        .map(|port| (host, Some(port)))
        .ok_or_else(|| "its port is not a number from 1 to 65535".into())
}

/// The host in the one form that `Host` headers have: lower case, IPv6 compressed (RFC 5952).
fn parse_host(host: &str) -> core::result::Result<String, String> {
    if host.is_empty() {
        return Err("it has no host".into());
    }
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return address
            .parse::<Ipv6Addr>()
            .map(|address| format!("[{address}]"))
            .map_err(|_| "its host is not an IPv6 address".into());
    }
    let host = host.to_ascii_lowercase();
    // A last label of digits makes it an IPv4 address, of which parsers read the short forms apart.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with("0x")
        || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return host
            .parse::<Ipv4Addr>()
            .map(|address| address.to_string())
            .map_err(|_| "its host is not an IPv4 address of four numbers".into());
    }
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err("its host is not a host name".into());
    }
    Ok(host)
}

/// A path without its last slash, refused when clients could change it on the way: dot segments,
/// empty segments, malformed percent-encoding, characters that some encode and others do not.
fn parse_path(path: &str) -> core::result::Result<&str, String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(path);
    }
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    for segment in segments {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        if matches!(dots.as_str(), "" | "." | "..") {
            return Err("its path has an empty or a dot segment".into());
        }
    }
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let allowed = match byte {
            b'%' => tail
                .get(..2)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            // RFC 3986, 3.3, `pchar`; an `@` does not come this far.
            _ => byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:".contains(&byte),
        };
        if !allowed {
            return Err("its path holds what must be percent-encoded".into());
        }
        rest = tail;
    }
    Ok(path)
}

/// Whether a text may be one label of a host name. Underscores pass: container networks use them.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn invalid(message: fmt::Arguments<'_>) -> Error {
    Error::written(ErrorKind::InvalidInput, message)
}

/// The beginning of what the user wrote, without what stands before an `@`: a password may.
fn shown(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => text.to_string(),
    };
    match excerpt(&text, 80) {
        hidden if hidden == "…" => hidden,
        shown => shown.chars().flat_map(char::escape_default).collect(),
    }
}

#[cfg(test)]
mod tests;
