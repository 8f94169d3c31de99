//! Signature Version 4 by HMAC, for requests to any service.

use std::time::Duration;

use napi::{Env, bindgen_prelude::Uint8Array};
use napi_derive::napi;
use rolesanywhere_core::{
    self as core,
    sigv4::{HmacCredentials, HmacSettings, Payload, Settings, SigningRequest},
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
    /// `s3` takes the path as it is and puts the body's hash in a header, as S3 wants it.
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
        s3: bool,
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
            let request = request(&method, &path, &query, &headers, sha256.as_deref())?;
            let signed = self.key.sign_headers(&request, time(now), self.settings)?;
            let headers = signed.headers().iter();
            Ok(headers
                .flat_map(|(name, value)| [(*name).to_owned(), value.clone()])
                .collect())
        };
        signed().or_throw(env)
    }

    /// The query of a presigned URL, which is valid for `expires` seconds.
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
            let request = request(&method, &path, &query, &headers, sha256.as_deref())?;
            let expires = Duration::from_secs(u64::from(expires));
            let query = self
                .key
                .presign(&request, time(now), expires, self.settings)?;
            Ok(query.as_str().to_owned())
        };
        presigned().or_throw(env)
    }
}

fn request<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    sha256: Option<&[u8]>,
) -> core::Result<SigningRequest<'a>> {
    Ok(SigningRequest {
        method,
        path,
        query,
        headers,
        payload: match sha256 {
            Some(sha256) => Payload::Sha256(digest(sha256)?),
            None => Payload::Unsigned,
        },
    })
}
