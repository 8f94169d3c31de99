//! Signature Version 4 with the credentials of a session, for requests that no SDK sends.

use std::time::Duration;

use pyo3::prelude::*;
use rolesanywhere_core::{
    self as core, UnixTime,
    sigv4::{HmacCredentials, HmacSettings, Payload, SessionToken, SigningRequest},
};

use crate::error::Result;

/// The signing key of one access key for one day, region and service (Signature Version 4, HMAC).
#[pyclass(frozen, module = "rolesanywhere._native")]
pub(crate) struct SigningKey {
    key: core::sigv4::SigningKey,
    settings: HmacSettings,
}

#[pymethods]
impl SigningKey {
    /// `express` tells that `s3express:CreateSession` returned the credentials, for one directory bucket of S3.
    #[new]
    #[allow(clippy::too_many_arguments)] // Python passes them by name
    fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
        now: i64,
        region: &str,
        service: &str,
        express: bool,
    ) -> Result<Self> {
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key,
            session_token,
        };
        let now = UnixTime::from_seconds(now);
        let key = core::sigv4::SigningKey::new(&credentials, now, region, service)?;
        let settings = HmacSettings {
            session_token: if express {
                SessionToken::S3Express
            } else {
                SessionToken::Signed
            },
            ..HmacSettings::for_service(service)
        };
        Ok(Self { key, settings })
    }

    fn covers(&self, now: i64) -> bool {
        self.key.covers(UnixTime::from_seconds(now))
    }

    /// The headers to set on a request; `body` is `None` when it is not signed.
    fn sign_headers(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: Option<&[u8]>,
        now: i64,
    ) -> Result<Vec<(&'static str, String)>> {
        let headers = borrowed(&headers);
        let payload = body.map_or(Payload::Unsigned, Payload::Bytes);
        let request = request(method, path, query, &headers, payload);
        let now = UnixTime::from_seconds(now);
        let signed = self.key.sign_headers(&request, now, self.settings)?;
        Ok(signed.headers().to_vec())
    }

    /// The query of a presigned URL, which is valid for `expires` seconds. With `None` as `body` the payload
    /// is the one that the service's presigned URLs sign.
    #[allow(clippy::too_many_arguments)] // the parts of a request, which Python passes by name
    fn presign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: Option<&[u8]>,
        now: i64,
        expires: u64,
    ) -> Result<String> {
        let headers = borrowed(&headers);
        let payload = body.map_or(self.key.presign_payload(), Payload::Bytes);
        let request = request(method, path, query, &headers, payload);
        let (now, expires) = (UnixTime::from_seconds(now), Duration::from_secs(expires));
        let presigned = self.key.presign(&request, now, expires, self.settings)?;
        Ok(presigned.as_str().to_owned())
    }
}

/// Whether a signing name is one of S3's.
#[pyfunction]
#[pyo3(signature = (service, /))]
pub(crate) fn is_s3(service: &str) -> bool {
    core::sigv4::is_s3(service)
}

/// The signing name and the region of a host, as far as its name tells them.
#[pyfunction]
#[pyo3(signature = (host, /))]
pub(crate) fn host_scope(host: &str) -> (Option<String>, Option<String>) {
    let scope = core::sigv4::host_scope(host);
    (scope.service, scope.region)
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn request<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    payload: Payload<'a>,
) -> SigningRequest<'a> {
    SigningRequest {
        method,
        path,
        query,
        headers,
        payload,
    }
}
