//! The call of CreateSession, up to the signed request.

use alloc::{borrow::ToOwned, string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use rolesanywhere_core::{
    self as core_, Endpoint, EndpointOptions, Error, ErrorKind, Partition, session::ArnPlacement,
};
use wasm_bindgen::prelude::*;

use crate::{convert::pairs, error::Result};

/// A call of CreateSession whose parameters have been checked.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CreateSession(pub(super) core_::CreateSession);

#[wasm_bindgen]
impl CreateSession {
    /// `instance_properties` are pairs; `duration_seconds` and the rest as the service has them.
    #[wasm_bindgen(constructor)]
    // One argument per parameter of the service's; `js/provider.js` passes them by name.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        trust_anchor_arn: &str,
        profile_arn: &str,
        role_arn: &str,
        region: Option<String>,
        endpoint: Option<String>,
        fips: bool,
        dual_stack: bool,
        duration_seconds: Option<f64>,
        role_session_name: Option<String>,
        instance_properties: Vec<String>,
        arns_in_body: bool,
    ) -> Result<CreateSession> {
        let placement = if arns_in_body {
            ArnPlacement::Body
        } else {
            ArnPlacement::Query
        };
        let mut call = core_::CreateSession::new(trust_anchor_arn, profile_arn, role_arn)?
            .with_arn_placement(placement);
        let region = region.as_deref().unwrap_or(call.trust_anchor().region());
        let options = EndpointOptions { fips, dual_stack };
        let endpoint = Endpoint::new(endpoint.as_deref(), region, options)?;
        call = call.with_endpoint(endpoint)?;
        if let Some(seconds) = duration_seconds {
            call = call.with_duration(duration(seconds)?)?;
        }
        if let Some(name) = role_session_name {
            call = call.with_role_session_name(&name)?;
        }
        for (key, value) in pairs(&instance_properties)? {
            call = call.with_instance_property(key, value)?;
        }
        Ok(Self(call))
    }

    /// The base URL of the endpoint.
    #[wasm_bindgen(getter, js_name = endpointUrl)]
    pub fn endpoint_url(&self) -> String {
        self.0.endpoint().url().to_owned()
    }

    /// The region that is signed for, the trust anchor's.
    #[wasm_bindgen(getter)]
    pub fn region(&self) -> String {
        self.0.endpoint().signing_region().to_owned()
    }

    /// The partition of the region: `aws`, `aws-cn`, …
    #[wasm_bindgen(getter)]
    pub fn partition(&self) -> String {
        self.0.endpoint().partition().id().to_owned()
    }
}

/// For tests and benchmarks: `Provider` makes its own.
#[cfg(feature = "full")]
#[wasm_bindgen]
impl CreateSession {
    /// The request to sign, dated `now`.
    pub fn prepare(&self, chain: &super::CertificateChain, now: f64) -> Result<UnsignedRequest> {
        Ok(UnsignedRequest(Arc::new(
            self.0.prepare(&chain.0, crate::convert::time(now))?,
        )))
    }
}

/// The partition that a region belongs to.
#[wasm_bindgen(js_name = partitionOf)]
pub fn partition_of(region: &str) -> String {
    Partition::of_region(region).id().to_owned()
}

// What is out of range becomes a duration that the core refuses with the bounds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn duration(seconds: f64) -> Result<Duration> {
    let whole = seconds as u32;
    if f64::from(whole) == seconds {
        return Ok(Duration::from_secs(u64::from(whole)));
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        "the session duration is not whole seconds from 900 to 43200",
    )
    .into())
}

/// A request that lacks its signature.
#[wasm_bindgen]
#[derive(Debug)]
pub struct UnsignedRequest(pub(crate) Arc<core_::UnsignedRequest>);

#[wasm_bindgen]
impl UnsignedRequest {
    /// The name of the algorithm, which follows from the certificate's key.
    #[wasm_bindgen(getter)]
    pub fn algorithm(&self) -> String {
        self.0.algorithm().name().to_owned()
    }

    /// The message to sign, not hashed, in UTF-8.
    #[wasm_bindgen(getter, js_name = stringToSign)]
    pub fn string_to_sign(&self) -> Vec<u8> {
        self.0.string_to_sign().as_bytes().to_vec()
    }

    /// The URL to send the request to, by `POST`.
    #[wasm_bindgen(getter)]
    pub fn url(&self) -> String {
        self.0.url().to_owned()
    }

    /// The headers but for `authorization`, flat pairs. `host` is not among them: it is the URL's.
    #[wasm_bindgen(getter)]
    pub fn headers(&self) -> Vec<String> {
        self.0
            .headers()
            .iter()
            .flat_map(|(name, value)| [name.clone(), value.clone()])
            .collect()
    }

    /// The body, JSON in UTF-8.
    #[wasm_bindgen(getter)]
    pub fn body(&self) -> Vec<u8> {
        self.0.body().to_vec()
    }

    /// A signature of it. `form` names what `bytes` are: `ecdsa_der`, `ecdsa_p1363`, `rsa_pkcs1` or
    /// `mldsa`.
    pub fn signature(&self, form: &str, bytes: &[u8]) -> Result<Signature> {
        let signature = match form {
            "ecdsa_der" => core_::Signature::ecdsa_der(bytes)?,
            "ecdsa_p1363" => core_::Signature::ecdsa_p1363(bytes)?,
            "mldsa" => core_::Signature::mldsa(bytes)?,
            "rsa_pkcs1" => core_::Signature::rsa_pkcs1(bytes)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the form of a signature is `ecdsa_der`, `ecdsa_p1363`, `mldsa` or `rsa_pkcs1`",
                )
                .into());
            }
        };
        Ok(Signature(signature))
    }
}

/// For tests and benchmarks.
#[cfg(feature = "full")]
#[wasm_bindgen]
impl UnsignedRequest {
    /// The canonical request.
    #[wasm_bindgen(getter, js_name = canonicalRequest)]
    pub fn canonical_request(&self) -> String {
        self.0.canonical_request().to_owned()
    }

    /// The header `authorization`.
    pub fn authorization(&self, signature: &Signature) -> Result<String> {
        Ok(self.0.authorization(&signature.0)?)
    }
}

/// A signature of a request, in the form that the service wants.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Signature(pub(crate) core_::Signature);
