//! Signature Version 4 with the credentials of a session, for requests that no SDK sends.

use std::time::Duration;

use pyo3::prelude::*;
use rolesanywhere_core::{
    self as core, UnixTime,
    sigv4::{HmacCredentials, HmacSettings, Payload, Settings, SigningRequest},
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
    #[new]
    #[allow(clippy::too_many_arguments)] // Python passes them by name
    fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
        now: i64,
        region: &str,
        service: &str,
        s3: bool,
    ) -> Result<Self> {
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key,
            session_token,
        };
        let now = UnixTime::from_seconds(now);
        let key = core::sigv4::SigningKey::new(&credentials, now, region, service)?;
        // S3 takes the path as it is, and wants the body's hash in a header.
        let settings = HmacSettings {
            canonical: if s3 {
                Settings::S3
            } else {
                Settings::default()
            },
            content_sha256_header: s3,
            ..HmacSettings::default()
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
        let request = request(method, path, query, &headers, body);
        let now = UnixTime::from_seconds(now);
        let signed = self.key.sign_headers(&request, now, self.settings)?;
        Ok(signed.headers().to_vec())
    }

    /// The query of a presigned URL, which is valid for `expires` seconds.
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
        let request = request(method, path, query, &headers, body);
        let (now, expires) = (UnixTime::from_seconds(now), Duration::from_secs(expires));
        let presigned = self.key.presign(&request, now, expires, self.settings)?;
        Ok(presigned.as_str().to_owned())
    }
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
    body: Option<&'a [u8]>,
) -> SigningRequest<'a> {
    SigningRequest {
        method,
        path,
        query,
        headers,
        payload: body.map_or(Payload::Unsigned, Payload::Bytes),
    }
}
