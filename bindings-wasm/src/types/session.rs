//! What the service answers.

use alloc::{borrow::ToOwned, string::String};

use rolesanywhere_core as core_;
use wasm_bindgen::prelude::*;

use crate::convert::{seconds_of, text};

/// What the service answered: credentials and what it says about them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session(pub(super) core_::Session);

#[wasm_bindgen]
impl Session {
    /// The access key id.
    #[wasm_bindgen(getter, js_name = accessKeyId)]
    pub fn access_key_id(&self) -> String {
        self.0.credentials().access_key_id().to_owned()
    }

    /// The secret access key.
    #[wasm_bindgen(getter, js_name = secretAccessKey)]
    pub fn secret_access_key(&self) -> JsValue {
        text(self.0.credentials().secret_access_key().expose())
    }

    /// The session token.
    #[wasm_bindgen(getter, js_name = sessionToken)]
    pub fn session_token(&self) -> JsValue {
        text(self.0.credentials().session_token().expose())
    }

    /// Unix seconds, by the service's clock.
    #[wasm_bindgen(getter)]
    pub fn expiration(&self) -> f64 {
        seconds_of(self.0.credentials().expiration().seconds())
    }

    /// The account of the assumed role.
    #[wasm_bindgen(getter, js_name = accountId)]
    pub fn account_id(&self) -> Option<String> {
        self.0.credentials().account_id().map(ToOwned::to_owned)
    }

    /// The role.
    #[wasm_bindgen(getter, js_name = roleArn)]
    pub fn role_arn(&self) -> Option<String> {
        self.0.role_arn().map(|arn| arn.as_str().to_owned())
    }

    /// Who the credentials are.
    #[wasm_bindgen(getter, js_name = assumedRoleArn)]
    pub fn assumed_role_arn(&self) -> Option<String> {
        self.0.assumed_role_arn().map(|arn| arn.as_str().to_owned())
    }

    /// The source identity that the service derived from the certificate.
    #[wasm_bindgen(getter, js_name = sourceIdentity)]
    pub fn source_identity(&self) -> Option<String> {
        self.0.source_identity().map(ToOwned::to_owned)
    }

    /// The service's record of the certificate's subject.
    #[wasm_bindgen(getter, js_name = subjectArn)]
    pub fn subject_arn(&self) -> Option<String> {
        self.0.subject_arn().map(|arn| arn.as_str().to_owned())
    }

    /// The request id, which AWS support asks for.
    #[wasm_bindgen(getter, js_name = requestId)]
    pub fn request_id(&self) -> Option<String> {
        self.0.request_id().map(ToOwned::to_owned)
    }
}
