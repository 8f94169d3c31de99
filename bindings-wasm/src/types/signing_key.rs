//! Signature Version 4 with credentials.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use rolesanywhere_core::{
    self as core_,
    sigv4::{HmacCredentials, HmacSettings, Payload, SessionToken, SigningRequest},
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    convert::{digest, pairs, text, time},
    error::Result,
};

/// The signing key of one access key for one day, region and service (Signature Version 4, HMAC).
#[wasm_bindgen]
#[derive(Debug)]
pub struct SigningKey {
    key: core_::sigv4::SigningKey,
    settings: HmacSettings,
}

#[wasm_bindgen]
impl SigningKey {
    /// `express` tells that `s3express:CreateSession` returned the credentials, for one directory bucket of S3.
    #[wasm_bindgen(constructor)]
    pub fn new(
        access_key_id: &str,
        secret_access_key: String,
        session_token: Option<String>,
        now: f64,
        region: &str,
        service: &str,
        express: bool,
    ) -> Result<SigningKey> {
        let secret_access_key = Zeroizing::new(secret_access_key);
        let session_token = session_token.map(Zeroizing::new);
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key: &secret_access_key,
            session_token: session_token.as_ref().map(|token| token.as_str()),
        };
        let key = core_::sigv4::SigningKey::new(&credentials, time(now), region, service)?;
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

    /// Whether the key is for the day of `now`.
    pub fn covers(&self, now: f64) -> bool {
        self.key.covers(time(now))
    }

    /// The headers to set, flat pairs. `headers` are flat pairs too; without `sha256`, the payload's,
    /// the payload is not signed.
    #[wasm_bindgen(js_name = signHeaders)]
    pub fn sign_headers(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<String>,
        sha256: Option<Vec<u8>>,
        now: f64,
    ) -> Result<Vec<JsValue>> {
        let headers = pairs(&headers)?;
        let payload = hashed(sha256.as_deref())?.unwrap_or(Payload::Unsigned);
        let request = request(method, path, query, &headers, payload);
        let signed = self.key.sign_headers(&request, time(now), self.settings)?;
        let headers = signed.headers().iter();
        Ok(headers
            .flat_map(|(name, value)| [text(name), text(value)])
            .collect())
    }

    /// The query of a presigned URL, which is valid for `expires` seconds. Without `sha256` the payload is the
    /// one that the service's presigned URLs sign.
    #[allow(clippy::too_many_arguments)] // the parts of a request, which `js/sign.js` passes
    pub fn presign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<String>,
        sha256: Option<Vec<u8>>,
        now: f64,
        expires: u32,
    ) -> Result<JsValue> {
        let headers = pairs(&headers)?;
        let payload = hashed(sha256.as_deref())?.unwrap_or(self.key.presign_payload());
        let request = request(method, path, query, &headers, payload);
        let expires = Duration::from_secs(u64::from(expires));
        let presigned = self
            .key
            .presign(&request, time(now), expires, self.settings)?;
        Ok(text(presigned.as_str()))
    }
}

/// Whether a signing name is one of S3's.
#[wasm_bindgen(js_name = isS3)]
pub fn is_s3(service: &str) -> bool {
    core_::sigv4::is_s3(service)
}

/// The signing name and the region of a host, each empty where the name does not tell it.
#[wasm_bindgen(js_name = hostScope)]
pub fn host_scope(host: &str) -> Vec<String> {
    let scope = core_::sigv4::host_scope(host);
    [scope.service, scope.region]
        .map(Option::unwrap_or_default)
        .into()
}

fn hashed(sha256: Option<&[u8]>) -> Result<Option<Payload<'static>>> {
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
