//! What crosses the border between Swift and the core.
//!
//! Times are Unix seconds. Bytes come in by reference, so that nothing of a private key stays in a
//! buffer of UniFFI's; those of an absent argument are `nil` in Swift, empty here, with a flag where
//! empty means something else.

use rolesanywhere_core::{Endpoint, HttpRequest as CoreRequest, SigningAlgorithm as CoreAlgorithm};

use crate::types::{Header, HttpRequest, SigningAlgorithm};

/// Absent bytes come as none.
pub(crate) fn given(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}

/// The pairs of a list of headers.
pub(crate) fn pairs(headers: &[Header]) -> Vec<(&str, &str)> {
    let headers = headers.iter();
    headers
        .map(|Header { name, value }| (name.as_str(), value.as_str()))
        .collect()
}

/// A list of headers of pairs.
pub(crate) fn headers(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<Header> {
    let pairs = pairs.into_iter();
    pairs.map(|(name, value)| Header { name, value }).collect()
}

/// Where an endpoint's URL, signing region and partition are told.
pub(crate) fn endpoint(endpoint: &Endpoint) -> crate::types::EndpointParts {
    crate::types::EndpointParts {
        url: endpoint.url().to_owned(),
        region: endpoint.signing_region().to_owned(),
        partition: endpoint.partition().id().to_owned(),
    }
}

impl From<CoreRequest> for HttpRequest {
    fn from(request: CoreRequest) -> Self {
        let CoreRequest {
            method,
            url,
            headers: pairs,
            body,
        } = request;
        Self {
            method: method.to_owned(),
            url,
            headers: headers(pairs),
            body,
        }
    }
}

impl From<CoreAlgorithm> for SigningAlgorithm {
    fn from(algorithm: CoreAlgorithm) -> Self {
        match algorithm {
            CoreAlgorithm::MlDsa => Self::MlDsa,
            CoreAlgorithm::RsaSha256 => Self::RsaSha256,
            // `SigningAlgorithm` may grow; the core's tests hold that there are three today.
            _ => Self::EcdsaSha256,
        }
    }
}
