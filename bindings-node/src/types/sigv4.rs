//! Signature Version 4 by HMAC, for requests to any service.

use std::time::Duration;

use napi::{Env, bindgen_prelude::Uint8Array};
use napi_derive::napi;
use rolesanywhere_core::{
    self as core,
    sigv4::{HmacCredentials, HmacSettings, Payload, SessionToken, SigningRequest},
};
use zeroize::Zeroizing;

use crate::{
    convert::{digest, pairs, time},
    error::OrThrow,
};

/// The signing key of one access key for one day, region and service.
#[napi]
pub struct SigningKey {
    key: core::sigv4::SigningKey,
    settings: HmacSettings,
}

#[napi]
impl SigningKey {
    /// `express` tells that `s3express:CreateSession` returned the credentials, for one directory bucket of S3.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "as in the wasm module")]
    pub fn new(
        env: Env,
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
        now: f64,
        region: String,
        service: String,
        express: bool,
    ) -> napi::Result<Self> {
        let secret_access_key = Zeroizing::new(secret_access_key);
        let session_token = session_token.map(Zeroizing::new);
        let credentials = HmacCredentials {
            access_key_id: &access_key_id,
            secret_access_key: &secret_access_key,
            session_token: session_token.as_ref().map(|token| token.as_str()),
        };
        let key = core::sigv4::SigningKey::new(&credentials, time(now), &region, &service)
            .or_throw(env)?;
        let settings = HmacSettings {
            session_token: if express {
                SessionToken::S3Express
            } else {
                SessionToken::Signed
            },
            ..HmacSettings::for_service(&service)
        };
        Ok(Self { key, settings })
    }

    /// Whether the key is for the day of `now`.
    #[napi]
    pub fn covers(&self, now: f64) -> bool {
        self.key.covers(time(now))
    }

    /// The headers to set, flat pairs. `headers` are flat pairs too; without `sha256`, the payload's,
    /// the payload is not signed.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "the parts of a request")]
    pub fn sign_headers(
        &self,
        env: Env,
        method: String,
        path: String,
        query: String,
        headers: Vec<String>,
        sha256: Option<Uint8Array>,
        now: f64,
    ) -> napi::Result<Vec<String>> {
        let signed = || {
            let headers = pairs(&headers)?;
            let payload = hashed(sha256.as_deref())?.unwrap_or(Payload::Unsigned);
            let request = request(&method, &path, &query, &headers, payload);
            let signed = self.key.sign_headers(&request, time(now), self.settings)?;
            let headers = signed.headers().iter();
            Ok(headers
                .flat_map(|(name, value)| [(*name).to_owned(), value.clone()])
                .collect())
        };
        signed().or_throw(env)
    }

    /// The query of a presigned URL, which is valid for `expires` seconds. Without `sha256` the payload is the
    /// one that the service's presigned URLs sign.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "the parts of a request")]
    pub fn presign(
        &self,
        env: Env,
        method: String,
        path: String,
        query: String,
        headers: Vec<String>,
        sha256: Option<Uint8Array>,
        now: f64,
        expires: u32,
    ) -> napi::Result<String> {
        let presigned = || {
            let headers = pairs(&headers)?;
            let payload = hashed(sha256.as_deref())?.unwrap_or(self.key.presign_payload());
            let request = request(&method, &path, &query, &headers, payload);
            let expires = Duration::from_secs(u64::from(expires));
            let query = self
                .key
                .presign(&request, time(now), expires, self.settings)?;
            Ok(query.as_str().to_owned())
        };
        presigned().or_throw(env)
    }
}

/// Whether a signing name is one of S3's.
#[napi(js_name = "isS3")]
pub fn is_s3(service: String) -> bool {
    core::sigv4::is_s3(&service)
}

/// The signing name and the region of a host, each empty where the name does not tell it.
#[napi]
pub fn host_scope(host: String) -> Vec<String> {
    let scope = core::sigv4::host_scope(&host);
    [scope.service, scope.region]
        .map(Option::unwrap_or_default)
        .into()
}

fn hashed(sha256: Option<&[u8]>) -> core::Result<Option<Payload<'static>>> {
    Ok(sha256.map(digest).transpose()?.map(Payload::Sha256))
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
