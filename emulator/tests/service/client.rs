//! A signing client made of plain strings.

use data_encoding::{BASE64, HEXLOWER};
use ring::digest::{SHA256, digest};
use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::Request;

use crate::pki::Identity;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const HOST: &str = "127.0.0.1:8443";

/// A CreateSession before it is signed. Tests change what they are about.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Encoded already, in canonical order.
    pub(crate) query: String,
    /// Those that are signed, in any order.
    pub(crate) headers: Vec<(String, String)>,
    /// Those that are not.
    pub(crate) unsigned_headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) algorithm: String,
    pub(crate) serial: String,
    /// `DATE/REGION/SERVICE/TERMINATOR`
    pub(crate) scope: String,
    pub(crate) date: String,
}

impl Call {
    /// What the AWS helper sends: ARNs in the query, the duration in the body.
    pub(crate) fn helper(arns: &Arns, leaf: &dyn Identity, now: UnixTime) -> Self {
        let date = now.to_sigv4();
        Self {
            method: "POST".to_owned(),
            path: "/sessions".to_owned(),
            query: format!(
                "profileArn={}&roleArn={}&trustAnchorArn={}",
                encoded(&arns.profile),
                encoded(&arns.role),
                encoded(&arns.trust_anchor)
            ),
            headers: vec![
                pair("content-type", "application/json"),
                pair("host", HOST),
                pair("x-amz-date", &date),
                pair("x-amz-x509", &BASE64.encode(&leaf.der())),
            ],
            unsigned_headers: vec![pair("user-agent", "test"), pair("accept-encoding", "gzip")],
            body: r#"{"durationSeconds":3600}"#.to_owned(),
            algorithm: "AWS4-X509-ECDSA-SHA256".to_owned(),
            serial: leaf.serial(),
            scope: format!("{}/{REGION}/rolesanywhere/aws4_request", &date[..8]),
            date,
        }
    }

    pub(crate) fn with_chain(mut self, chain: &[&dyn Identity]) -> Self {
        let chain: Vec<String> = chain.iter().map(|ca| BASE64.encode(&ca.der())).collect();
        self.headers
            .push(pair("x-amz-x509-chain", &chain.join(",")));
        self
    }

    /// Puts another value in place of a signed header's.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(have, _)| have != name);
        self.headers.push(pair(name, value));
        self
    }

    pub(crate) fn with_body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    /// Sorted, as SigV4 wants them.
    pub(crate) fn signed_headers(&self) -> String {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.join(";")
    }

    pub(crate) fn string_to_sign(&self) -> String {
        let mut headers = self.headers.clone();
        headers.sort();
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            self.method,
            self.path,
            self.query,
            self.signed_headers(),
            sha256(self.body.as_bytes())
        );
        format!(
            "{}\n{}\n{}\n{}",
            self.algorithm,
            self.date,
            self.scope,
            sha256(canonical.as_bytes())
        )
    }

    /// Signs with SHA-256 and the certificate's key.
    pub(crate) fn sign(&self, leaf: &dyn Identity) -> Request {
        self.signed(&leaf.sign(self.string_to_sign().as_bytes()))
    }

    /// The request with the given signature.
    pub(crate) fn signed(&self, signature: &[u8]) -> Request {
        let authorization = format!(
            "{} Credential={}/{}, SignedHeaders={}, Signature={}",
            self.algorithm,
            self.serial,
            self.scope,
            self.signed_headers(),
            HEXLOWER.encode(signature)
        );
        let mut headers = self.headers.clone();
        headers.extend(self.unsigned_headers.clone());
        headers.push(pair("Authorization", &authorization));
        let mark = if self.query.is_empty() { "" } else { "?" };
        Request {
            method: self.method.clone(),
            target: format!("{}{mark}{}", self.path, self.query),
            headers,
            body: self.body.clone().into_bytes(),
            peer: None,
        }
    }
}

/// The resources that a call names.
#[derive(Clone, Debug)]
pub(crate) struct Arns {
    pub(crate) trust_anchor: String,
    pub(crate) profile: String,
    pub(crate) role: String,
}

pub(crate) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

/// ARNs hold only these two characters that a query must encode.
pub(crate) fn encoded(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

/// The system's time.
pub(crate) fn now() -> UnixTime {
    let elapsed = std::time::UNIX_EPOCH.elapsed().unwrap();
    UnixTime::from_seconds(i64::try_from(elapsed.as_secs()).unwrap())
}
