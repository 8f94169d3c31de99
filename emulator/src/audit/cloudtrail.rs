//! Audit records in CloudTrail's shape.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{AuditRecord, Outcome};
use crate::identifier::derived_uuid;

/// What CloudTrail puts in place of what it must not show.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Operations of IAM and of STS; the others are the service's own.
const IAM: [&str; 4] = [
    "CreateRole",
    "DeleteRole",
    "GetRole",
    "UpdateAssumeRolePolicy",
];
const STS: [&str; 1] = ["GetCallerIdentity"];

impl AuditRecord {
    /// The record as CloudTrail delivers it, for an account and a region.
    ///
    /// Members and their names follow the examples of the user guide ("Logging IAM Roles Anywhere API
    /// calls using AWS CloudTrail"). The member `emulator` is not CloudTrail's: it holds the check
    /// that refused and the true reason.
    pub fn to_cloudtrail(&self, account: &str, region: &str) -> Value {
        let mut event = json!({
            "eventVersion": "1.08",
            "userIdentity": self.user_identity(account),
            "eventTime": self.time.to_iso8601(),
            "eventSource": self.event_source(),
            "eventName": self.operation,
            "awsRegion": region,
            "sourceIPAddress": self.source.map(|address| address.to_string()),
            "userAgent": self.user_agent,
            "requestParameters": self.request_parameters(),
            "responseElements": self.response_elements(),
            "requestID": self.request_id,
            "eventID": derived_uuid(&[b"event", self.request_id.as_bytes()]),
            "readOnly": self.is_read_only(),
            "resources": self.resources(account),
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": account,
            "eventCategory": "Management",
        });
        let mut add = |member: &str, value: Value| {
            if let Some(members) = event.as_object_mut() {
                members.insert(member.to_owned(), value);
            }
        };
        if let Outcome::Refused {
            check,
            fault,
            message,
            reason,
        } = &self.outcome
        {
            add("errorCode", json!(fault.entry().code));
            add("errorMessage", json!(message));
            add("emulator", json!({ "check": check, "reason": reason }));
        }
        if !self.nonconformance.is_empty() {
            add(
                "additionalEventData",
                json!({ "signingNonconformance": self.nonconformance }),
            );
        }
        event
    }

    fn event_source(&self) -> &'static str {
        let operation = self.operation.as_str();
        if IAM.contains(&operation) {
            "iam.amazonaws.com"
        } else if STS.contains(&operation) {
            "sts.amazonaws.com"
        } else {
            "rolesanywhere.amazonaws.com"
        }
    }

    /// A certificate is no principal of IAM's.
    fn user_identity(&self, account: &str) -> Value {
        if self.operation == "CreateSession" {
            let subject = self.session.as_ref().map(|session| &session.subject_arn);
            return json!({
                "type": "Unknown",
                "principalId": subject,
                "arn": subject,
                "accountId": account,
            });
        }
        match &self.outcome {
            Outcome::Succeeded {
                access_key_id,
                assumed_role_arn,
                ..
            } if !access_key_id.is_empty() => {
                // Long-term keys are the account's own here.
                let is_root = assumed_role_arn.ends_with(":root");
                json!({
                    "type": if is_root { "Root" } else { "AssumedRole" },
                    "arn": assumed_role_arn,
                    "accountId": account,
                    "accessKeyId": access_key_id,
                })
            }
            _ => json!({ "type": "Unknown", "accountId": account }),
        }
    }

    fn request_parameters(&self) -> Value {
        if self.operation != "CreateSession" {
            return self.request_parameters.clone().unwrap_or_default();
        }
        let certificate = self.certificate_der.as_ref().map(|der| BASE64.encode(der));
        let mut parameters = json!({
            "cert": certificate,
            "profileArn": self.profile_arn,
            "roleArn": self.role_arn,
            "trustAnchorArn": self.trust_anchor_arn,
        });
        if let Some(members) = parameters.as_object_mut() {
            if let Some(seconds) = self.duration_seconds {
                members.insert("durationSeconds".to_owned(), json!(seconds));
            }
            if let Some(name) = &self.role_session_name {
                members.insert("roleSessionName".to_owned(), json!(name));
            }
        }
        parameters
    }

    fn response_elements(&self) -> Value {
        let (
            Some(session),
            Outcome::Succeeded {
                access_key_id,
                assumed_role_arn,
                source_identity,
            },
        ) = (&self.session, &self.outcome)
        else {
            return self.response_elements.clone().unwrap_or_default();
        };
        json!({
            "credentialSet": [{
                "assumedRoleUser": {
                    "arn": assumed_role_arn,
                    "assumedRoleId": session.assumed_role_id,
                },
                "credentials": {
                    "accessKeyId": access_key_id,
                    "expiration": session.expiration.to_iso8601(),
                    "secretAccessKey": HIDDEN,
                    "sessionToken": HIDDEN,
                },
                "packedPolicySize": session.packed_policy_size,
                "roleArn": self.role_arn,
                "sourceIdentity": source_identity,
            }],
            "subjectArn": session.subject_arn,
        })
    }

    fn resources(&self, account: &str) -> Value {
        let resource = |kind: &str, arn: &Option<String>| {
            let arn = arn.as_ref()?;
            Some(json!({ "accountId": account, "type": kind, "ARN": arn }))
        };
        let resources: Vec<Value> = [
            resource("AWS::RolesAnywhere::TrustAnchor", &self.trust_anchor_arn),
            resource("AWS::RolesAnywhere::Profile", &self.profile_arn),
            resource("AWS::IAM::Role", &self.role_arn),
        ]
        .into_iter()
        .flatten()
        .collect();
        json!(resources)
    }
}
