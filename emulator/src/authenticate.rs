//! Who signed this request, and over what: the `Authorization` header, the canonical request and the
//! string to sign, rebuilt from what arrived. X.509 and HMAC signatures share this room.

mod authorization;
mod canonical;
mod presigned;
mod x509;

pub(crate) use authorization::Authorization;
pub(crate) use canonical::{QueryPair, decode_query, decode_text, encode};
pub(crate) use presigned::is_presigned;
pub(crate) use x509::{clock, matches_certificate, nonconformance, scope, signature};

use ring::digest::{SHA256, digest};
use rolesanywhere_core::{Secret, UnixTime};

use crate::{
    error::{Fault, Refusal},
    message::Request,
};
use canonical::canonical_request;

/// A request's signature, read but not verified yet: that takes a key.
#[derive(Debug)]
pub(crate) struct SignedRequest {
    pub(crate) authorization: Authorization,
    /// What `X-Amz-Date` says.
    pub(crate) date: UnixTime,
    /// The query, decoded.
    pub(crate) query: Vec<QueryPair>,
    /// What the signature is over.
    pub(crate) string_to_sign: String,
    /// The session token, wherever the request carries it.
    pub(crate) session_token: Option<Secret<String>>,
    /// `X-Amz-Expires` of a presigned URL: how many seconds after its date it may be used.
    pub(crate) lifetime_seconds: Option<u32>,
}

/// Headers that decide something: two of one name would let two readers decide differently.
const SINGLE_HEADERS: [&str; 10] = [
    "authorization",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-x509",
    "x-amz-x509-chain",
];

/// Headers that decide something about who asks, and so must be signed wherever they are present.
const MUST_SIGN_IF_PRESENT: [&str; 5] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-x509",
    "x-amz-x509-chain",
];

impl SignedRequest {
    /// Reads the signature of a request. `must_sign` names headers that must be present and signed
    /// besides those that always must.
    pub(crate) fn new(request: &Request, must_sign: &[&str]) -> Result<Self, Refusal> {
        for name in SINGLE_HEADERS {
            if request.header_values(name).nth(1).is_some() {
                return Err(incomplete(format!("the header `{name}` stands twice")));
            }
        }
        let Some(header) = request.header("authorization") else {
            return Err(Refusal::new(
                Fault::MissingAuthentication,
                "there is no `Authorization` header",
            ));
        };
        let authorization = Authorization::parse(header).map_err(incomplete)?;
        let Some(date_text) = request.header("x-amz-date") else {
            return Err(incomplete("there is no `X-Amz-Date` header".to_owned()));
        };
        let date = UnixTime::from_sigv4(date_text)
            .map_err(|error| incomplete(format!("`X-Amz-Date`: {error}")))?;
        check_signed_headers(request, &authorization, must_sign)?;
        let query = decode_query(request.query()).map_err(incomplete)?;
        let body_hash = body_hash(request)?;
        let canonical_request =
            canonical_request(request, &query, &authorization.signed_headers, &body_hash);
        let string_to_sign = format!(
            "{}\n{date_text}\n{}\n{}",
            authorization.algorithm,
            authorization.scope,
            hex(digest(&SHA256, canonical_request.as_bytes()).as_ref()),
        );
        Ok(Self {
            authorization,
            date,
            query,
            string_to_sign,
            session_token: request
                .header("x-amz-security-token")
                .map(|token| Secret::new(token.to_owned())),
            lifetime_seconds: None,
        })
    }

    /// Holds the credential scope to the date of the request, to a region and to a service.
    pub(crate) fn check_scope(&self, region: &str, service: &str) -> Result<(), String> {
        let scope = &self.authorization.scope;
        let date = self.date.to_sigv4_date();
        for (name, have, want) in [
            ("date", scope.date.as_str(), date.as_str()),
            ("region", &scope.region, region),
            ("service", &scope.service, service),
            ("terminator", &scope.terminator, "aws4_request"),
        ] {
            if have != want {
                return Err(format!(
                    "the {name} of the credential scope is `{have}`, not `{want}`"
                ));
            }
        }
        Ok(())
    }

    /// How far the request's date is from `now`, if further than `tolerance` seconds.
    ///
    /// A presigned URL may be used until its lifetime is over, and no earlier than its date less the tolerance.
    pub(crate) fn check_clock(&self, now: UnixTime, tolerance: u32) -> Result<(), String> {
        let skew = now.seconds_since(self.date);
        if let Some(lifetime) = self.lifetime_seconds
            && skew > 0
        {
            return if skew <= i64::from(lifetime) {
                Ok(())
            } else {
                Err(format!(
                    "the presigned URL ended {} s ago: its `X-Amz-Expires` is {lifetime}",
                    skew.saturating_sub(i64::from(lifetime))
                ))
            };
        }
        if skew.unsigned_abs() <= u64::from(tolerance) {
            return Ok(());
        }
        let direction = if skew > 0 { "behind" } else { "ahead of" };
        Err(format!(
            "`X-Amz-Date` is {} s {direction} the emulator's clock; {tolerance} s are tolerated",
            skew.unsigned_abs()
        ))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn check_signed_headers(
    request: &Request,
    authorization: &Authorization,
    must_sign: &[&str],
) -> Result<(), Refusal> {
    let signed = |name: &str| authorization.signed_headers.iter().any(|have| have == name);
    for name in must_sign {
        if !signed(name) {
            return Err(invalid(format!("the header `{name}` is not signed")));
        }
    }
    for name in MUST_SIGN_IF_PRESENT {
        if request.header(name).is_some() && !signed(name) {
            return Err(invalid(format!("the header `{name}` is not signed")));
        }
    }
    for name in &authorization.signed_headers {
        if request.header(name).is_none() {
            return Err(invalid(format!(
                "the signed header `{name}` is not in the request"
            )));
        }
    }
    Ok(())
}

/// The hash of the body. A client that declares one must declare the true one: the canonical
/// request would otherwise cover whatever the header says.
fn body_hash(request: &Request) -> Result<String, Refusal> {
    let hash = hex(digest(&SHA256, &request.body).as_ref());
    match request.header("x-amz-content-sha256") {
        Some(declared) if declared != hash => Err(invalid(
            "`X-Amz-Content-Sha256` is not the hash of the body".to_owned(),
        )),
        _ => Ok(hash),
    }
}

fn incomplete(reason: String) -> Refusal {
    Refusal::with_detail(Fault::IncompleteSignature, reason.clone(), reason)
}

fn invalid(reason: String) -> Refusal {
    Refusal::new(Fault::InvalidSignature, reason)
}

#[cfg(test)]
mod tests;
