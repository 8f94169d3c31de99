//! One call of CreateSession, and its answer.

use std::{sync::Arc, time::Duration};

use napi::{Env, bindgen_prelude::Uint8Array};
use napi_derive::napi;
use rolesanywhere_core::{
    self as core, Endpoint, EndpointOptions, Partition, session::ArnPlacement,
    signers::aws_lc::AwsLcVerifier,
};

use super::CertificateChain;
use crate::{
    convert::{Maybe, invalid, maybe, pairs, seconds_of, time},
    error::OrThrow,
};

/// A call of CreateSession whose parameters have been checked.
#[napi]
pub struct CreateSession {
    pub(super) call: core::CreateSession,
}

#[napi]
impl CreateSession {
    /// `instance_properties` are pairs; `duration_seconds` and the rest as the service has them.
    #[napi(constructor, catch_unwind)]
    #[allow(
        clippy::too_many_arguments,
        reason = "one argument per parameter of the service's, as in the wasm module"
    )]
    pub fn new(
        env: Env,
        trust_anchor_arn: String,
        profile_arn: String,
        role_arn: String,
        region: Option<String>,
        endpoint: Option<String>,
        fips: bool,
        dual_stack: bool,
        duration_seconds: Option<f64>,
        role_session_name: Option<String>,
        instance_properties: Vec<String>,
        arns_in_body: bool,
    ) -> napi::Result<Self> {
        let parsed = || {
            let placement = if arns_in_body {
                ArnPlacement::Body
            } else {
                ArnPlacement::Query
            };
            let mut call = core::CreateSession::new(&trust_anchor_arn, &profile_arn, &role_arn)?
                .with_arn_placement(placement);
            let region = region.as_deref().unwrap_or(call.trust_anchor().region());
            let options = EndpointOptions { fips, dual_stack };
            let endpoint = Endpoint::new(endpoint.as_deref(), region, options)?;
            call = call.with_endpoint(endpoint)?;
            if let Some(seconds) = duration_seconds {
                call = call.with_duration(duration(seconds)?)?;
            }
            if let Some(name) = &role_session_name {
                call = call.with_role_session_name(name)?;
            }
            for (key, value) in pairs(&instance_properties)? {
                call = call.with_instance_property(key, value)?;
            }
            Ok(Self { call })
        };
        parsed().or_throw(env)
    }

    /// The base URL of the endpoint.
    #[napi(getter)]
    pub fn endpoint_url(&self) -> &str {
        self.call.endpoint().url()
    }

    /// The region that is signed for, the trust anchor's.
    #[napi(getter)]
    pub fn region(&self) -> &str {
        self.call.endpoint().signing_region()
    }

    /// The partition of the region: `aws`, `aws-cn`, …
    #[napi(getter)]
    pub fn partition(&self) -> &str {
        self.call.endpoint().partition().id()
    }

    /// The request to sign, dated `now`.
    #[napi(catch_unwind)]
    pub fn prepare(
        &self,
        env: Env,
        chain: &CertificateChain,
        now: f64,
    ) -> napi::Result<UnsignedRequest> {
        let request = self.call.prepare(&chain.chain, time(now)).or_throw(env)?;
        Ok(UnsignedRequest {
            request: Arc::new(request),
        })
    }
}

/// The partition that a region belongs to.
#[napi]
pub fn partition_of(region: String) -> String {
    Partition::of_region(&region).id().to_owned()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is out of range becomes a duration that the core refuses with the bounds"
)]
fn duration(seconds: f64) -> core::Result<Duration> {
    let whole = seconds as u32;
    if f64::from(whole) == seconds {
        return Ok(Duration::from_secs(u64::from(whole)));
    }
    Err(invalid(
        "the session duration is not whole seconds from 900 to 43200",
    ))
}

/// A request that lacks its signature.
#[napi]
pub struct UnsignedRequest {
    pub(super) request: Arc<core::UnsignedRequest>,
}

#[napi]
impl UnsignedRequest {
    /// The name of the algorithm, which follows from the certificate's key.
    #[napi(getter)]
    pub fn algorithm(&self) -> &str {
        self.request.algorithm().name()
    }

    /// The canonical request.
    #[napi(getter)]
    pub fn canonical_request(&self) -> &str {
        self.request.canonical_request()
    }

    /// The message to sign, not hashed, in UTF-8.
    #[napi(getter)]
    pub fn string_to_sign(&self) -> Uint8Array {
        Uint8Array::from(self.request.string_to_sign().as_bytes())
    }

    /// The URL to send the request to, by `POST`.
    #[napi(getter)]
    pub fn url(&self) -> &str {
        self.request.url()
    }

    /// The headers but for `authorization`, flat pairs. `host` is not among them: it is the URL's.
    #[napi(getter)]
    pub fn headers(&self) -> Vec<&str> {
        self.request
            .headers()
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()])
            .collect()
    }

    /// The body, JSON in UTF-8.
    #[napi(getter)]
    pub fn body(&self) -> Uint8Array {
        Uint8Array::from(self.request.body())
    }

    /// A signature of it, checked under the certificate. `form` names what `bytes` are: `ecdsa_der`,
    /// `ecdsa_p1363`, `rsa_pkcs1` or `mldsa`.
    #[napi(catch_unwind)]
    pub fn signature(&self, env: Env, form: String, bytes: &[u8]) -> napi::Result<Signature> {
        let signed = || {
            let signature = match form.as_str() {
                "ecdsa_der" => core::Signature::ecdsa_der(bytes)?,
                "ecdsa_p1363" => core::Signature::ecdsa_p1363(bytes)?,
                "mldsa" => core::Signature::mldsa(bytes)?,
                "rsa_pkcs1" => core::Signature::rsa_pkcs1(bytes)?,
                _ => {
                    return Err(invalid(
                        "the form of a signature is `ecdsa_der`, `ecdsa_p1363`, `mldsa` or `rsa_pkcs1`",
                    ));
                }
            };
            self.request.check_signature(&signature, &AwsLcVerifier)?;
            Ok(Signature { signature })
        };
        signed().or_throw(env)
    }

    /// The header `authorization`.
    #[napi(catch_unwind)]
    pub fn authorization(&self, env: Env, signature: &Signature) -> napi::Result<String> {
        self.request
            .authorization(&signature.signature)
            .or_throw(env)
    }
}

/// A signature of a request, in the form that the service wants.
#[napi]
pub struct Signature {
    pub(super) signature: core::Signature,
}

/// What the service answered: credentials and what it says about them.
#[napi]
pub struct Session {
    pub(super) session: core::Session,
}

#[napi]
impl Session {
    /// The access key id.
    #[napi(getter)]
    pub fn access_key_id(&self) -> &str {
        self.session.credentials().access_key_id()
    }

    /// The secret access key.
    #[napi(getter)]
    pub fn secret_access_key(&self) -> &str {
        self.session.credentials().secret_access_key().expose()
    }

    /// The session token.
    #[napi(getter)]
    pub fn session_token(&self) -> &str {
        self.session.credentials().session_token().expose()
    }

    /// Unix seconds, by the service's clock.
    #[napi(getter)]
    pub fn expiration(&self) -> f64 {
        seconds_of(self.session.credentials().expiration())
    }

    /// The account of the assumed role.
    #[napi(getter)]
    pub fn account_id(&self) -> Maybe<String> {
        maybe(self.session.credentials().account_id().map(str::to_owned))
    }

    /// The role.
    #[napi(getter)]
    pub fn role_arn(&self) -> Maybe<String> {
        maybe(self.session.role_arn().map(|arn| arn.as_str().to_owned()))
    }

    /// Who the credentials are.
    #[napi(getter)]
    pub fn assumed_role_arn(&self) -> Maybe<String> {
        let arn = self.session.assumed_role_arn();
        maybe(arn.map(|arn| arn.as_str().to_owned()))
    }

    /// The source identity that the service derived from the certificate.
    #[napi(getter)]
    pub fn source_identity(&self) -> Maybe<String> {
        maybe(self.session.source_identity().map(str::to_owned))
    }

    /// The service's record of the certificate's subject.
    #[napi(getter)]
    pub fn subject_arn(&self) -> Maybe<String> {
        maybe(
            self.session
                .subject_arn()
                .map(|arn| arn.as_str().to_owned()),
        )
    }

    /// The request id, which AWS support asks for.
    #[napi(getter)]
    pub fn request_id(&self) -> Maybe<String> {
        maybe(self.session.request_id().map(str::to_owned))
    }
}
