//! What the service answers: a session, or an error.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, time::Duration};

use zeroize::Zeroizing;

use super::{ServiceError, json::Json};
use crate::{Arn, Credentials, Error, ErrorKind, Result, Secret, UnixTime};

/// The longest answer that is read, in bytes. A session is about 2 kB; its token grows with the
/// tags, to some 10 kB.
pub const MAX_RESPONSE_LENGTH: usize = 256 * 1024;

/// The longest value of the service's that an error repeats, in characters.
const MAX_ECHO: usize = 1024;

/// An HTTP response as the host received it. `Debug` hides the body, which is wiped when dropped.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers, names in any case.
    pub headers: Vec<(String, String)>,
    /// The body, content encoding already undone.
    pub body: Zeroizing<Vec<u8>>,
}

impl HttpResponse {
    /// Takes ownership of what the host received.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self {
            status,
            headers,
            body: Zeroizing::new(body),
        }
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn server_time(&self) -> Option<UnixTime> {
        UnixTime::from_http_date(self.header("date")?).ok()
    }

    fn request_id(&self) -> Option<String> {
        self.header("x-amzn-requestid").map(printable)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field(
                "body",
                &format_args!("[{} bytes, redacted]", self.body.len()),
            )
            .finish()
    }
}

/// A session: the credentials and what the service says about them.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) credentials: Credentials,
    pub(crate) role_arn: Option<Arn>,
    pub(crate) assumed_role_arn: Option<Arn>,
    pub(crate) assumed_role_id: Option<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) subject_arn: Option<Arn>,
    pub(crate) packed_policy_size: Option<u32>,
    pub(crate) server_time: Option<UnixTime>,
    pub(crate) request_id: Option<String>,
}

impl Session {
    /// Reads the answer to `CreateSession`.
    ///
    /// # Errors
    /// The service's own refusal, with everything it said in [`Error::service`], when the status is
    /// not 2xx; [`ErrorKind::InvalidResponse`] when the answer is not a session: longer than
    /// [`MAX_RESPONSE_LENGTH`], not JSON, cut short, without credentials.
    pub fn from_response(response: &HttpResponse) -> Result<Self> {
        if response.body.len() > MAX_RESPONSE_LENGTH {
            return Err(invalid(format_args!(
                "the answer has {} bytes, more than the {MAX_RESPONSE_LENGTH} that a session may have: \
                 check the endpoint and what stands between",
                response.body.len()
            )));
        }
        match response.status {
            200..=299 => Self::from_success(response),
            300..=399 => Err(invalid(format_args!(
                "the answer is a redirect (status {}), which the service never sends: \
                 check the endpoint",
                response.status
            ))),
            _ => Err(Error::from_service(service_error(response))),
        }
    }

    fn from_success(response: &HttpResponse) -> Result<Self> {
        check_content_type(response)?;
        let no_session = |kind: &str| {
            invalid(format_args!(
                "the answer with status {} is not the JSON of a session: {kind}; \
                 check the endpoint and what stands between",
                response.status
            ))
        };
        let answer: Json<'_> = serde_json::from_slice(&response.body).map_err(|error| {
            // Only where and what kind: the text around the fault may be a secret.
            match response.body.first() {
                None => no_session("it is empty"),
                Some(b'<') => no_session("it is a web page, from a proxy or a portal perhaps"),
                _ if error.is_eof() => no_session("it is cut short"),
                _ => no_session(&format!("line {}, column {}", error.line(), error.column())),
            }
        })?;
        if !matches!(answer, Json::Members(_)) {
            return Err(no_session("it is no object"));
        }
        let missing = |what: &str| {
            invalid(format_args!(
                "the answer holds no {what}: check that the endpoint is Roles Anywhere's"
            ))
        };
        let entry = answer.member("credentialSet").and_then(Json::first);
        let entry = entry.ok_or_else(|| missing("credential set"))?;
        let given = entry
            .member("credentials")
            .ok_or_else(|| missing("credentials"))?;
        let expiration_text = required(given.text("expiration"), "expiration")?;
        let expiration = UnixTime::from_iso8601(expiration_text)
            .map_err(|_| invalid("the answer's expiration is not a time of RFC 3339"))?;
        let arn = |text: Option<&str>| text.and_then(|arn| Arn::new(arn).ok());
        let assumed_role = entry.member("assumedRoleUser");
        let assumed_role_arn = arn(assumed_role.and_then(|user| user.text("arn")));
        let assumed_role_id = assumed_role.and_then(|user| user.text("assumedRoleId"));
        let role_arn = arn(entry.text("roleArn"));
        let account = assumed_role_arn
            .as_ref()
            .or(role_arn.as_ref())
            .map(Arn::account);
        Ok(Self {
            credentials: Credentials {
                access_key_id: required(given.text("accessKeyId"), "access key id")?.to_string(),
                secret_access_key: Secret::new(
                    required(given.text("secretAccessKey"), "secret access key")?.to_string(),
                ),
                session_token: Secret::new(
                    required(given.text("sessionToken"), "session token")?.to_string(),
                ),
                expiration,
                expiration_text: expiration_text.to_string(),
                account_id: account.filter(|id| !id.is_empty()).map(ToString::to_string),
            },
            role_arn,
            assumed_role_arn,
            assumed_role_id: assumed_role_id.map(printable),
            source_identity: entry.text("sourceIdentity").map(printable),
            subject_arn: arn(answer.text("subjectArn")),
            packed_policy_size: entry.number("packedPolicySize"),
            server_time: response.server_time(),
            request_id: response.request_id(),
        })
    }

    /// The credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Sets the end of the credentials to an earlier one.
    pub(crate) fn clamp_expiration(&mut self, expiration: UnixTime) {
        self.credentials.expiration = expiration;
        self.credentials.expiration_text = expiration.to_iso8601();
    }

    /// The credentials alone.
    pub fn into_credentials(self) -> Credentials {
        self.credentials
    }

    /// The role, `arn:aws:iam::ACCOUNT:role/NAME`.
    pub fn role_arn(&self) -> Option<&Arn> {
        self.role_arn.as_ref()
    }

    /// Who the credentials are, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub fn assumed_role_arn(&self) -> Option<&Arn> {
        self.assumed_role_arn.as_ref()
    }

    /// The role's unique id and the session name, `AROA…:SESSION`.
    pub fn assumed_role_id(&self) -> Option<&str> {
        self.assumed_role_id.as_deref()
    }

    /// The source identity that the service derived from the certificate.
    pub fn source_identity(&self) -> Option<&str> {
        self.source_identity.as_deref()
    }

    /// The service's record of the certificate's subject.
    pub fn subject_arn(&self) -> Option<&Arn> {
        self.subject_arn.as_ref()
    }

    /// How full the session's policies and tags are, in percent of what STS allows.
    pub fn packed_policy_size(&self) -> Option<u32> {
        self.packed_policy_size
    }

    /// The server's time, from the `Date` header.
    pub fn server_time(&self) -> Option<UnixTime> {
        self.server_time
    }

    /// The request id, which AWS support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// A member of the credentials: there, not empty, and of the visible ASCII that all of them are, so
/// that no header or file that they are written into can be broken.
fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str> {
    match value {
        Some(value) if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(value)
        }
        Some(_) => Err(invalid(format_args!(
            "the answer's {name} is empty or has characters that none has: check the endpoint"
        ))),
        None => Err(invalid(format_args!(
            "the answer holds no {name}: check that the endpoint is Roles Anywhere's"
        ))),
    }
}

/// A success that by its own word is not JSON is another server's: a portal or a proxy answered.
fn check_content_type(response: &HttpResponse) -> Result<()> {
    let Some(content_type) = response.header("content-type") else {
        return Ok(());
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let is_json = essence.ends_with("/json")
        || essence.ends_with("+json")
        || essence.starts_with("application/x-amz-json");
    if is_json {
        return Ok(());
    }
    let shown: String = printable(&essence).chars().take(80).collect();
    Err(invalid(format_args!(
        "the answer with status {} is `{shown}`, not JSON: check the endpoint and what stands between",
        response.status
    )))
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::written(ErrorKind::InvalidResponse, format_args!("{message}"))
}

fn service_error(response: &HttpResponse) -> ServiceError {
    let body: Json<'_> = serde_json::from_slice(&response.body).unwrap_or(Json::Other);
    // REST-JSON: the header first, then the body; a namespace before `#` and what follows `:` go.
    let code = response
        .header("x-amzn-errortype")
        .or_else(|| body.text("__type"))
        .or_else(|| body.text("code"));
    let code = code.map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        printable(code.rsplit('#').next().unwrap_or_default())
    });
    let retry_after = response
        .header("retry-after")
        .and_then(|value| value.parse().ok());
    ServiceError {
        status: response.status,
        code: code.filter(|code| !code.is_empty()),
        message: body
            .text("message")
            .or_else(|| body.text("Message"))
            .map(printable),
        request_id: response.request_id(),
        server_time: response.server_time(),
        retry_after: retry_after
            .or_else(|| body.number("retryAfterSeconds"))
            .map(|seconds| Duration::from_secs(u64::from(seconds))),
    }
}

/// What the peer sent, fit for a terminal and a log: bounded, without control characters.
fn printable(text: &str) -> String {
    text.chars()
        .take(MAX_ECHO)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
