//! Signature Version 4 with the credentials of a session, for requests that no SDK sends.

use std::{sync::Arc, time::Duration};

use rolesanywhere_core::{
    self as core, UnixTime,
    sigv4::{HmacCredentials, HmacSettings, Payload, SessionToken, SigningRequest},
};
use zeroize::Zeroizing;

use super::Header;
use crate::{
    convert,
    error::{Result, thrown},
};

/// What of a body a presigned URL signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PayloadSigning {
    /// What the service's presigned URLs sign: nothing for S3, the body for every other service.
    Automatic,
    /// The body.
    Signed,
    /// Nothing.
    Unsigned,
}

/// The service and the region of a host, as far as its name tells them.
#[derive(Clone, Debug, uniffi::Record)]
pub struct HostScope {
    /// The signing name.
    pub service: Option<String>,
    /// The region.
    pub region: Option<String>,
}

/// The service and the region that requests to a host are signed for.
#[uniffi::export]
pub fn host_scope(host: &str) -> HostScope {
    let scope = core::sigv4::host_scope(host);
    HostScope {
        service: scope.service,
        region: scope.region,
    }
}

/// The signing key of one access key for one day, region and service (Signature Version 4, HMAC).
#[derive(Debug, uniffi::Object)]
pub struct SigningKey {
    key: core::sigv4::SigningKey,
    settings: HmacSettings,
}

#[uniffi::export]
impl SigningKey {
    /// `express` tells that `s3express:CreateSession` returned the credentials, for one directory bucket of S3.
    #[uniffi::constructor]
    pub fn new(
        access_key_id: &str,
        secret_access_key: String,
        session_token: Option<String>,
        now: i64,
        region: &str,
        service: &str,
        express: bool,
    ) -> Result<Arc<Self>> {
        let secret_access_key = Zeroizing::new(secret_access_key);
        let session_token = session_token.map(Zeroizing::new);
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key: &secret_access_key,
            session_token: session_token.as_ref().map(|token| token.as_str()),
        };
        let now = UnixTime::from_seconds(now);
        let key = core::sigv4::SigningKey::new(&credentials, now, region, service);
        let key = key.map_err(thrown)?;
        let settings = HmacSettings {
            session_token: if express {
                SessionToken::S3Express
            } else {
                SessionToken::Signed
            },
            ..HmacSettings::for_service(service)
        };
        Ok(Arc::new(Self { key, settings }))
    }

    /// Whether the key is for the day of `now`.
    pub fn covers(&self, now: i64) -> bool {
        self.key.covers(UnixTime::from_seconds(now))
    }

    /// The headers to set on a request; `signs_body` is false where the body is not signed.
    #[allow(clippy::too_many_arguments)] // the parts of a request, which Swift passes by name
    pub fn sign_headers(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<Header>,
        body: &[u8],
        signs_body: bool,
        now: i64,
    ) -> Result<Vec<Header>> {
        let pairs = convert::pairs(&headers);
        let payload = if signs_body {
            Payload::Bytes(body)
        } else {
            Payload::Unsigned
        };
        let request = request(method, path, query, &pairs, payload);
        let now = UnixTime::from_seconds(now);
        let signed = self.key.sign_headers(&request, now, self.settings);
        let signed = signed.map_err(thrown)?;
        let signed = signed.headers().iter();
        Ok(convert::headers(
            signed.map(|(name, value)| ((*name).to_owned(), value.clone())),
        ))
    }

    /// The query of a presigned URL, which is valid for `expires` seconds.
    #[allow(clippy::too_many_arguments)] // the parts of a request, which Swift passes by name
    pub fn presign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<Header>,
        body: &[u8],
        payload: PayloadSigning,
        now: i64,
        expires: u64,
    ) -> Result<String> {
        let pairs = convert::pairs(&headers);
        let payload = match payload {
            PayloadSigning::Automatic if core::sigv4::is_s3(self.key.scope().service()) => {
                self.key.presign_payload()
            }
            PayloadSigning::Automatic | PayloadSigning::Signed => Payload::Bytes(body),
            PayloadSigning::Unsigned => Payload::Unsigned,
        };
        let request = request(method, path, query, &pairs, payload);
        let (now, expires) = (UnixTime::from_seconds(now), Duration::from_secs(expires));
        let presigned = self.key.presign(&request, now, expires, self.settings);
        Ok(presigned.map_err(thrown)?.as_str().to_owned())
    }
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
