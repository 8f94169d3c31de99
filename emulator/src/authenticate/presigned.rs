//! A signature in the query: a presigned URL.
//!
//! Source: AWS's "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".

use ring::digest::{SHA256, digest};
use rolesanywhere_core::{Secret, UnixTime};

use super::{
    Authorization, QueryPair, SignedRequest, canonical::canonical_request, check_signed_headers,
    decode_query, hex, incomplete,
};
use crate::{
    error::{Fault, Refusal},
    message::Request,
};

/// The longest lifetime of a presigned URL, a week in seconds.
const MAX_LIFETIME_SECONDS: u32 = 604_800;

/// Whether a request carries its signature in the query.
pub(crate) fn is_presigned(request: &Request) -> bool {
    request
        .query()
        .split('&')
        .any(|pair| pair.starts_with("X-Amz-Algorithm="))
}

impl SignedRequest {
    /// Reads the signature of a presigned URL. The header `host` must be signed.
    pub(crate) fn presigned(request: &Request) -> Result<Self, Refusal> {
        if request.header("authorization").is_some() {
            return Err(incomplete(
                "there is an `Authorization` header beside the signature in the query".to_owned(),
            ));
        }
        let mut query = decode_query(request.query()).map_err(incomplete)?;
        let algorithm = required(&query, "X-Amz-Algorithm")?;
        let credential = required(&query, "X-Amz-Credential")?;
        let date_text = required(&query, "X-Amz-Date")?;
        let lifetime = required(&query, "X-Amz-Expires")?;
        let signed_headers = required(&query, "X-Amz-SignedHeaders")?;
        let signature = required(&query, "X-Amz-Signature")?;
        let session_token = single(&query, "X-Amz-Security-Token")?;
        // The reader of the header knows the form of each part.
        let authorization = Authorization::parse(&format!(
            "{algorithm} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}"
        ))
        .map_err(incomplete)?;
        let date = UnixTime::from_sigv4(&date_text)
            .map_err(|error| incomplete(format!("`X-Amz-Date`: {error}")))?;
        let lifetime_seconds = lifetime
            .parse()
            .ok()
            .filter(|seconds| (1..=MAX_LIFETIME_SECONDS).contains(seconds))
            .ok_or_else(|| {
                incomplete(format!(
                    "`X-Amz-Expires` is not 1 to {MAX_LIFETIME_SECONDS} seconds"
                ))
            })?;
        check_signed_headers(request, &authorization, &["host"])?;
        query.retain(|pair| pair.name != b"X-Amz-Signature");
        let body_hash = hex(digest(&SHA256, &request.body).as_ref());
        let canonical =
            canonical_request(request, &query, &authorization.signed_headers, &body_hash);
        let string_to_sign = format!(
            "{}\n{date_text}\n{}\n{}",
            authorization.algorithm,
            authorization.scope,
            hex(digest(&SHA256, canonical.as_bytes()).as_ref()),
        );
        Ok(Self {
            authorization,
            date,
            query,
            string_to_sign,
            session_token: session_token.map(Secret::new),
            lifetime_seconds: Some(lifetime_seconds),
        })
    }
}

fn required(query: &[QueryPair], name: &str) -> Result<String, Refusal> {
    single(query, name)?.ok_or_else(|| {
        Refusal::with_detail(
            Fault::IncompleteSignature,
            format!("the query has no `{name}`"),
            format!("AWS query-string parameters must include '{name}'."),
        )
    })
}

/// The value of a parameter that decides something, and so may stand there once only.
fn single(query: &[QueryPair], name: &str) -> Result<Option<String>, Refusal> {
    let mut values = query.iter().filter(|pair| pair.name == name.as_bytes());
    let value = values.next();
    if values.next().is_some() {
        return Err(incomplete(format!("the query has `{name}` twice")));
    }
    value
        .map(|pair| String::from_utf8(pair.value.clone()))
        .transpose()
        .map_err(|_| incomplete(format!("`{name}` is not UTF-8")))
}
