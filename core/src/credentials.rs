//! Temporary credentials and the forms in which tools take them.

use alloc::string::String;
use core::fmt;

use crate::{Arn, Secret, UnixTime, encoding::push_json_string};

/// Temporary AWS credentials. The secret parts are redacted in `Debug` and wiped when dropped.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret<String>,
    pub(crate) session_token: Secret<String>,
    pub(crate) expiration: UnixTime,
    pub(crate) expiration_text: String,
    pub(crate) account_id: Option<String>,
}

impl Credentials {
    /// The access key id, which is not a secret; it begins with `ASIA`.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret access key. The caller answers for the copy that he makes.
    pub fn secret_access_key(&self) -> &Secret<String> {
        &self.secret_access_key
    }

    /// The session token. The caller answers for the copy that he makes.
    pub fn session_token(&self) -> &Secret<String> {
        &self.session_token
    }

    /// When the service stops accepting these credentials, by the service's clock.
    pub fn expiration(&self) -> UnixTime {
        self.expiration
    }

    /// The expiration as the service wrote it (RFC 3339).
    pub fn expiration_text(&self) -> &str {
        &self.expiration_text
    }

    /// The account of the assumed role, twelve digits; `None` when the answer did not tell.
    pub fn account_id(&self) -> Option<&str> {
        self.account_id.as_deref()
    }

    /// The JSON that `credential_process` of the AWS SDKs reads, without a newline: `Version` 1,
    /// then the keys in the order of `aws_signing_helper`, the expiration as the service wrote it,
    /// and `AccountId`, which `aws_signing_helper` lacks, where the answer told it: SDKs form
    /// account-based endpoints with it.
    pub fn to_credential_process_json(&self) -> Secret<String> {
        let mut json = self.json_buffer();
        json.push_str("{\"Version\":1,\"AccessKeyId\":");
        push_json_string(&mut json, &self.access_key_id);
        json.push_str(",\"SecretAccessKey\":");
        push_json_string(&mut json, self.secret_access_key.expose());
        json.push_str(",\"SessionToken\":");
        push_json_string(&mut json, self.session_token.expose());
        json.push_str(",\"Expiration\":");
        push_json_string(&mut json, &self.expiration_text);
        self.end_json(json)
    }

    /// The JSON that `AWS_CONTAINER_CREDENTIALS_FULL_URI` serves, for the given role.
    pub fn to_container_credentials_json(&self, role: &Arn) -> Secret<String> {
        let mut json = self.json_buffer();
        json.push_str("{\"RoleArn\":");
        push_json_string(&mut json, role.as_str());
        json.push_str(",\"AccessKeyId\":");
        push_json_string(&mut json, &self.access_key_id);
        json.push_str(",\"SecretAccessKey\":");
        push_json_string(&mut json, self.secret_access_key.expose());
        json.push_str(",\"Token\":");
        push_json_string(&mut json, self.session_token.expose());
        json.push_str(",\"Expiration\":");
        push_json_string(&mut json, &self.expiration_text);
        self.end_json(json)
    }

    /// The JSON that the EC2 instance metadata service serves under
    /// `/latest/meta-data/iam/security-credentials/ROLE`, keys in the order of `aws_signing_helper`.
    /// `last_updated` is when these credentials were issued.
    pub fn to_instance_metadata_json(&self, last_updated: UnixTime) -> Secret<String> {
        let mut json = self.json_buffer();
        json.push_str("{\"AccessKeyId\":");
        push_json_string(&mut json, &self.access_key_id);
        json.push_str(",\"SecretAccessKey\":");
        push_json_string(&mut json, self.secret_access_key.expose());
        json.push_str(",\"Token\":");
        push_json_string(&mut json, self.session_token.expose());
        json.push_str(",\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"Expiration\":");
        push_json_string(&mut json, &self.expiration_text);
        json.push_str(",\"LastUpdated\":");
        push_json_string(&mut json, &last_updated.to_iso8601());
        self.end_json(json)
    }

    /// The member that all three forms end with.
    fn end_json(&self, mut json: String) -> Secret<String> {
        if let Some(account_id) = &self.account_id {
            json.push_str(",\"AccountId\":");
            push_json_string(&mut json, account_id);
        }
        json.push('}');
        Secret::new(json)
    }

    // Large enough that it never grows: a buffer that moves leaves its secret behind. Every
    // character may become six (`\u00XX`); a role's ARN and the member names fit in 2,048.
    fn json_buffer(&self) -> String {
        let values = self.access_key_id.len()
            + self.secret_access_key.expose().len()
            + self.session_token.expose().len()
            + self.expiration_text.len()
            + self.account_id.as_ref().map_or(0, String::len);
        String::with_capacity(values * 6 + 2048)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expiration", &self.expiration_text)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    fn credentials() -> Credentials {
        Credentials {
            access_key_id: "ASIAEXAMPLE".to_string(),
            secret_access_key: Secret::new("se/cr+et\"\\\n".to_string()),
            session_token: Secret::new("tok&en==".to_string()),
            expiration: UnixTime::from_seconds(1_720_265_939),
            expiration_text: "2024-07-06T11:38:59Z".to_string(),
            account_id: Some("123456789012".to_string()),
        }
    }

    #[test]
    fn credential_process_json_is_read_back_by_another_parser() {
        let json = credentials().to_credential_process_json();
        assert!(
            json.expose()
                .starts_with("{\"Version\":1,\"AccessKeyId\":\"ASIAEXAMPLE\",")
        );
        let value: serde_json::Value = serde_json::from_str(json.expose()).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "Version": 1, "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "se/cr+et\"\\\n",
                "SessionToken": "tok&en==", "Expiration": "2024-07-06T11:38:59Z",
                "AccountId": "123456789012",
            })
        );
        let mut unknown = credentials();
        unknown.account_id = None;
        assert!(
            !unknown
                .to_credential_process_json()
                .expose()
                .contains("AccountId")
        );
    }

    #[test]
    fn container_and_metadata_json_carry_their_own_members() {
        let role = Arn::role("arn:aws:iam::123456789012:role/r").unwrap();
        let json = credentials().to_container_credentials_json(&role);
        let value: serde_json::Value = serde_json::from_str(json.expose()).unwrap();
        assert_eq!(value["RoleArn"], role.as_str());
        assert_eq!(value["Token"], "tok&en==");
        assert_eq!(value["AccountId"], "123456789012");
        let json = credentials().to_instance_metadata_json(UnixTime::from_seconds(0));
        let value: serde_json::Value = serde_json::from_str(json.expose()).unwrap();
        assert_eq!(value["Code"], "Success");
        assert_eq!(value["Type"], "AWS-HMAC");
        assert_eq!(value["LastUpdated"], "1970-01-01T00:00:00Z");
        assert_eq!(value["AccountId"], "123456789012");
    }

    #[test]
    fn the_buffer_never_grows() {
        let mut all_escaped = credentials();
        all_escaped.session_token = Secret::new("\u{1}".repeat(5000));
        let buffer = all_escaped.json_buffer();
        let json = all_escaped.to_credential_process_json();
        assert!(json.expose().len() <= buffer.capacity());
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", credentials());
        assert!(
            text.contains("ASIAEXAMPLE") && !text.contains("se/cr") && !text.contains("tok&en")
        );
    }
}
