//! One call of CreateSession: the parameters, the request, its signature, the answer.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rolesanywhere_core::{
    self as core, Endpoint, EndpointOptions, UnixTime, session::ArnPlacement,
    signers::aws_lc::AwsLcVerifier,
};

use super::CertificateChain;
use crate::{
    convert,
    error::{Result, thrown},
};

/// The parameters of a call.
#[derive(Debug, uniffi::Record)]
pub struct CallParameters {
    /// The trust anchor.
    pub trust_anchor_arn: String,
    /// The profile.
    pub profile_arn: String,
    /// The role.
    pub role_arn: String,
    /// The region of the endpoint; the trust anchor's without it.
    pub region: Option<String>,
    /// The base URL of another endpoint.
    pub endpoint: Option<String>,
    /// Whether to call the FIPS endpoint.
    pub fips: bool,
    /// Whether to call the dual-stack endpoint.
    pub dual_stack: bool,
    /// The session's length; the profile's without it. A negative number is refused as too short.
    pub duration_seconds: Option<i64>,
    /// The session's name, where the profile accepts one.
    pub role_session_name: Option<String>,
    /// What the service records of the instance.
    pub instance_properties: HashMap<String, String>,
    /// Whether the ARNs stand in the body instead of the query.
    pub arns_in_body: bool,
    /// Whether the user allows plain HTTP to another machine.
    pub plain_http: bool,
}

/// A call of CreateSession whose parameters have been checked.
#[derive(Debug, uniffi::Object)]
pub struct CreateSession(pub(super) core::CreateSession);

/// Where a call goes.
#[derive(Debug, uniffi::Record)]
pub struct EndpointParts {
    /// The base URL.
    pub url: String,
    /// The region that is signed for, the trust anchor's.
    pub region: String,
    /// The partition of the region: `aws`, `aws-cn`, …
    pub partition: String,
}

#[uniffi::export]
impl CreateSession {
    /// Checks the parameters.
    #[uniffi::constructor]
    pub fn new(parameters: CallParameters) -> Result<Arc<Self>> {
        call(parameters)
            .map(|call| Arc::new(Self(call)))
            .map_err(thrown)
    }

    /// Where the call goes.
    pub fn endpoint(&self) -> EndpointParts {
        convert::endpoint(self.0.endpoint())
    }

    /// The request to sign, dated `now` (Unix seconds).
    pub fn prepare(&self, chain: &CertificateChain, now: i64) -> Result<Arc<UnsignedRequest>> {
        let request = self.0.prepare(&chain.0, UnixTime::from_seconds(now));
        let request = Arc::new(request.map_err(thrown)?);
        Ok(Arc::new(UnsignedRequest(request)))
    }
}

fn call(parameters: CallParameters) -> core::Result<core::CreateSession> {
    let CallParameters {
        trust_anchor_arn,
        profile_arn,
        role_arn,
        region,
        endpoint,
        fips,
        dual_stack,
        duration_seconds,
        role_session_name,
        instance_properties,
        arns_in_body,
        plain_http,
    } = parameters;
    let placement = if arns_in_body {
        ArnPlacement::Body
    } else {
        ArnPlacement::Query
    };
    let mut call = core::CreateSession::new(&trust_anchor_arn, &profile_arn, &role_arn)?
        .with_arn_placement(placement);
    let region = region.unwrap_or_else(|| call.trust_anchor().region().to_owned());
    let options = EndpointOptions { fips, dual_stack };
    let mut endpoint = Endpoint::new(endpoint.as_deref(), &region, options)?;
    if plain_http {
        endpoint = endpoint.with_plain_http();
    }
    call = call.with_endpoint(endpoint)?;
    if let Some(seconds) = duration_seconds {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        call = call.with_duration(Duration::from_secs(seconds))?;
    }
    if let Some(name) = role_session_name {
        call = call.with_role_session_name(&name)?;
    }
    for (key, value) in instance_properties {
        call = call.with_instance_property(&key, &value)?;
    }
    Ok(call)
}

/// How a request is signed.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum SigningAlgorithm {
    /// ECDSA over SHA-256, whatever the curve.
    EcdsaSha256,
    /// Pure ML-DSA with an empty context over the message itself.
    MlDsa,
    /// RSASSA-PKCS1-v1_5 over SHA-256.
    RsaSha256,
}

/// What the bytes of a signature are.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum SignatureForm {
    /// ECDSA, ASN.1 DER.
    EcdsaDer,
    /// ECDSA, `r` and `s` side by side.
    EcdsaP1363,
    /// ML-DSA.
    MlDsa,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1,
}

/// A signature in the form that the service takes.
#[derive(Debug, uniffi::Object)]
pub struct Signature(pub(super) core::Signature);

/// A request that lacks its signature.
#[derive(Debug, uniffi::Object)]
pub struct UnsignedRequest(pub(super) Arc<core::UnsignedRequest>);

#[uniffi::export]
impl UnsignedRequest {
    /// The algorithm, which follows from the certificate's key.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.0.algorithm().into()
    }

    /// The canonical request.
    pub fn canonical_request(&self) -> String {
        self.0.canonical_request().to_owned()
    }

    /// The message to sign, not hashed.
    pub fn string_to_sign(&self) -> String {
        self.0.string_to_sign().to_owned()
    }

    /// The signature of a signer of Swift's, once it has been found valid under the certificate's key.
    pub fn checked(&self, form: SignatureForm, signature: &[u8]) -> Result<Arc<Signature>> {
        let signature = match form {
            SignatureForm::EcdsaDer => core::Signature::ecdsa_der(signature),
            SignatureForm::EcdsaP1363 => core::Signature::ecdsa_p1363(signature),
            SignatureForm::MlDsa => core::Signature::mldsa(signature),
            SignatureForm::RsaPkcs1 => core::Signature::rsa_pkcs1(signature),
        }
        .map_err(thrown)?;
        let checked = self.0.check_signature(&signature, &AwsLcVerifier);
        checked.map_err(thrown)?;
        Ok(Arc::new(Signature(signature)))
    }
}

/// One header.
#[derive(Debug, uniffi::Record)]
pub struct Header {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A signed request, to be sent as it is. `host` is not among the headers: it is the URL's.
#[derive(Debug, uniffi::Record)]
pub struct HttpRequest {
    /// `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<Header>,
    /// The body, JSON in UTF-8.
    pub body: Vec<u8>,
}

/// What the service answered: credentials and what it says about them.
#[derive(Debug, uniffi::Object)]
pub struct Session(pub(super) core::Session);

/// All of a session. `Debug` is left out: it holds the secrets.
#[derive(uniffi::Record)]
pub struct SessionParts {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token.
    pub session_token: String,
    /// Unix seconds, by the service's clock.
    pub expiration: i64,
    /// The account of the assumed role.
    pub account_id: Option<String>,
    /// The role.
    pub role_arn: Option<String>,
    /// Who the credentials are.
    pub assumed_role_arn: Option<String>,
    /// The source identity that the service derived from the certificate.
    pub source_identity: Option<String>,
    /// The service's record of the certificate's subject.
    pub subject_arn: Option<String>,
    /// The request id, which AWS support asks for.
    pub request_id: Option<String>,
}

#[uniffi::export]
impl Session {
    /// All of it.
    pub fn parts(&self) -> SessionParts {
        let session = &self.0;
        let credentials = session.credentials();
        let text = |arn: Option<&core::Arn>| arn.map(|arn| arn.as_str().to_owned());
        SessionParts {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().expose().clone(),
            session_token: credentials.session_token().expose().clone(),
            expiration: credentials.expiration().seconds(),
            account_id: credentials.account_id().map(ToOwned::to_owned),
            role_arn: text(session.role_arn()),
            assumed_role_arn: text(session.assumed_role_arn()),
            source_identity: session.source_identity().map(ToOwned::to_owned),
            subject_arn: text(session.subject_arn()),
            request_id: session.request_id().map(ToOwned::to_owned),
        }
    }
}
