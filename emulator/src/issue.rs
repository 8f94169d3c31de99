//! Issues credentials for a case that has passed every check, and writes the answer.

use data_encoding::BASE64;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    audit::IssuedSession,
    authorize,
    create_session::Case,
    error::{Fault, Refusal},
    identifier::{random_access_key_id, subject_id},
    random::{Random, RandomFailed},
    service::Service,
    store::{Seen, SessionCredentials},
};

/// What was issued: the body of the answer, and what the audit record says of it.
pub(crate) struct Issued {
    pub(crate) body: String,
    pub(crate) access_key_id: String,
    pub(crate) assumed_role_arn: String,
    pub(crate) source_identity: String,
    pub(crate) session: IssuedSession,
}

/// Real tokens are opaque texts of several hundred characters; this many random bytes make 512.
const SESSION_TOKEN_BYTES: usize = 384;
/// Thirty bytes make the forty characters of a secret access key.
const SECRET_ACCESS_KEY_BYTES: usize = 30;

/// The answer, in the order of members that was recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    credential_set: [Credential<'a>; 1],
    subject_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential<'a> {
    assumed_role_user: AssumedRoleUser<'a>,
    credentials: Keys<'a>,
    packed_policy_size: u32,
    role_arn: &'a str,
    source_identity: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssumedRoleUser<'a> {
    arn: &'a str,
    assumed_role_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys<'a> {
    access_key_id: &'a str,
    expiration: String,
    secret_access_key: &'a str,
    session_token: &'a str,
}

/// Makes credentials, keeps them so that STS knows them, and writes the answer.
pub(crate) fn issue(service: &Service, case: &Case<'_>) -> Result<Issued, Refusal> {
    let role = case.role()?;
    let session_name = authorize::session_name(case)?;
    let source_identity = authorize::source_identity(case)?;
    let duration = authorize::duration_seconds(case)?;
    let account = service.account();
    let (partition, id) = (&account.partition, &account.id);
    let random = service.random();
    let credentials = service.keep_credentials(SessionCredentials {
        access_key_id: random_access_key_id("ASIA", random).map_err(no_randomness)?,
        secret_access_key: random_text(SECRET_ACCESS_KEY_BYTES, random)?,
        session_token: random_text(SESSION_TOKEN_BYTES, random)?,
        expiration: case.now.plus_seconds(i64::from(duration)),
        // The ARN of a session leaves out the role's path.
        assumed_role_arn: format!(
            "arn:{partition}:sts::{id}:assumed-role/{}/{session_name}",
            role.name
        ),
        assumed_role_id: format!("{}:{session_name}", role.unique_id),
        account: id.clone(),
    })?;
    let packed_policy_size = authorize::packed_policy_size(case)?;
    let subject = record_subject(service, case, false)?;
    let subject_arn = account.arn(&format!("subject/{subject}"));
    let answer = Answer {
        credential_set: [Credential {
            assumed_role_user: AssumedRoleUser {
                arn: &credentials.assumed_role_arn,
                assumed_role_id: &credentials.assumed_role_id,
            },
            credentials: Keys {
                access_key_id: &credentials.access_key_id,
                expiration: credentials.expiration.to_iso8601(),
                secret_access_key: &credentials.secret_access_key,
                session_token: &credentials.session_token,
            },
            packed_policy_size,
            role_arn: &role.arn,
            source_identity: &source_identity,
        }],
        subject_arn: &subject_arn,
    };
    let body = serde_json::to_string(&answer)
        .map_err(|error| Refusal::new(Fault::InternalFailure, error.to_string()))?;
    Ok(Issued {
        body,
        access_key_id: credentials.access_key_id.clone(),
        assumed_role_arn: credentials.assumed_role_arn.clone(),
        source_identity,
        session: IssuedSession {
            assumed_role_id: credentials.assumed_role_id.clone(),
            expiration: credentials.expiration,
            packed_policy_size,
            subject_arn,
        },
    })
}

/// Writes that the certificate's subject asked for a session, and gives the subject's id. One subject
/// under one trust anchor keeps it.
pub(crate) fn record_subject(
    service: &Service,
    case: &Case<'_>,
    failed: bool,
) -> Result<String, Refusal> {
    let certificate = case.certificate()?;
    let anchor = case.trust_anchor()?;
    let id = subject_id(&anchor.arn, &certificate.subject);
    let seen = Seen {
        at: case.now,
        certificate,
        instance_properties: &case.parameters.instance_properties,
        failed,
    };
    service.record_subject(&id, &seen)?;
    Ok(id)
}

/// Base64 of `length` random bytes.
fn random_text(length: usize, random: &dyn Random) -> Result<Zeroizing<String>, Refusal> {
    let mut bytes = Zeroizing::new(vec![0u8; length]);
    random.fill(&mut bytes).map_err(no_randomness)?;
    Ok(Zeroizing::new(BASE64.encode(&bytes)))
}

fn no_randomness(_: RandomFailed) -> Refusal {
    Refusal::new(Fault::InternalFailure, "there is no randomness to be had")
}
