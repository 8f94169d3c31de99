//! Facts about services: how the signature of a request to a service differs, and which service and
//! region a host name stands for.
//!
//! Sources: the `signingName` of every service model of botocore and what its endpoint rule sets make of
//! every region (`tests/vectors/hosts.py` collects both), and AWS's documentation of the host names that
//! carry a resource in front (S3 buckets, API Gateway, OpenSearch, IoT, VPC endpoints).

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use super::{HmacSettings, Payload, Settings, SigningKey};

/// The signing names of Amazon S3: the path is signed as it is, and a header carries the hash of the body.
const S3: [&str; 4] = ["s3", "s3-object-lambda", "s3-outposts", "s3express"];

/// Whether `service`, a signing name, is one of Amazon S3's: `s3`, `s3-object-lambda`, `s3-outposts` and
/// `s3express`. S3 signs the path as it is, takes bodies whose hash is not signed (over TLS), and wants
/// `x-amz-content-sha256`.
pub fn is_s3(service: &str) -> bool {
    S3.contains(&service)
}

impl HmacSettings {
    /// The settings for a service, by its signing name.
    ///
    /// The session token goes into `X-Amz-Security-Token`. Credentials that `s3express:CreateSession`
    /// returned want [`SessionToken::S3Express`](super::SessionToken::S3Express) instead.
    pub fn for_service(service: &str) -> Self {
        if !is_s3(service) {
            return Self::default();
        }
        Self {
            canonical: Settings::S3,
            content_sha256_header: true,
            ..Self::default()
        }
    }
}

impl SigningKey {
    /// The payload that a presigned URL of this key's service signs when the caller does not say:
    /// [`Payload::Unsigned`] for S3, whose URLs are made before the body is known, and the hash of an
    /// empty body for every other service. botocore's `S3SigV4QueryAuth` and `SigV4QueryAuth` do the same.
    pub fn presign_payload(&self) -> Payload<'static> {
        if is_s3(self.scope().service()) {
            Payload::Unsigned
        } else {
            Payload::Bytes(&[])
        }
    }
}

/// The service and the region that a request to a host is signed for, as far as the host's name tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostScope {
    /// The signing name of the service.
    pub service: Option<String>,
    /// The region.
    pub region: Option<String>,
}

/// Where a partition's host names end, and the region that its global services sign for.
const SUFFIXES: [(&str, &str); 17] = [
    // The longer of two suffixes of which one ends in the other stands first.
    (".api.amazonwebservices.com.cn", "cn-northwest-1"),
    (".amazonaws.com.cn", "cn-northwest-1"),
    (".api.amazonwebservices.eu", "eusc-de-east-1"),
    (".amazonaws.eu", "eusc-de-east-1"),
    (".on.amazonwebservices.com.cn", "cn-northwest-1"),
    (".on.amazonwebservices.eu", "eusc-de-east-1"),
    (".api.aws.ic.gov", "us-iso-east-1"),
    (".api.aws.hci.ic.gov", "us-isof-south-1"),
    (".csp.hci.ic.gov", "us-isof-south-1"),
    (".c2s.ic.gov", "us-iso-east-1"),
    (".api.aws.scloud", "us-isob-east-1"),
    (".sc2s.sgov.gov", "us-isob-east-1"),
    (".api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
    (".cloud.adc-e.uk", "eu-isoe-west-1"),
    (".amazonaws.com", "us-east-1"),
    (".api.aws", "us-east-1"),
    (".on.aws", "us-east-1"),
];

/// The region that global services of AWS GovCloud sign for; `us-gov` stands in their host names.
const GOV_CLOUD: &str = "us-gov-west-1";

/// Services with a host name that names no region.
const GLOBAL: &[&str] = &[
    "budgets",
    "cloudfront",
    "codecatalyst",
    "health",
    "iam",
    "importexport",
    "partnercentral-channel",
    "partnercentral-prm",
    "route53",
    "s3",
    "s3-external-1",
    "savingsplans",
    "sdb",
    "sts",
    "sustainability",
    "waf",
];

/// The signing name where it is not the last label before the region. The keys are the labels that matter,
/// the longest match wins.
const SIGNING_NAMES: &[(&str, &str)] = &[
    ("account-access-runtime", "account-access"),
    ("agent-registry-control", "agent-registry"),
    ("agreement-marketplace", "aws-marketplace"),
    ("aos", "es"),
    ("api.iot-tunneling", "IoTSecuredTunneling"),
    ("api.tunneling.iot", "IoTSecuredTunneling"),
    ("appconfigdata", "appconfig"),
    ("appstream2", "appstream"),
    ("appsync-api", "appsync"),
    ("appsync-realtime-api", "appsync"),
    (
        "arc-recovery-control-config",
        "route53-recovery-control-config",
    ),
    ("ats.iot", "iotdata"),
    ("bedrock-agent", "bedrock"),
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-agentcore-control", "bedrock-agentcore"),
    ("bedrock-data-automation", "bedrock"),
    ("bedrock-data-automation-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("cassandra-streams", "cassandra"),
    ("catalog-marketplace", "aws-marketplace"),
    ("catalog.marketplace", "aws-marketplace"),
    ("cloudhsmv2", "cloudhsm"),
    ("cloudsearchdomain", "cloudsearch"),
    ("cloudwatch-omni", "cloudwatch"),
    ("contact-lens", "connect"),
    ("data-ats.iot", "iotdata"),
    ("data-signer", "signer"),
    ("data.iot", "iotdata"),
    ("jobs.iot", "iot-jobs-data"),
    ("ddb", "dynamodb"), // account-based host names of DynamoDB
    ("deployment-marketplace", "aws-marketplace"),
    ("discovery-marketplace", "aws-marketplace"),
    ("efs", "elasticfilesystem"),
    ("email", "ses"),
    ("entitlement-marketplace", "aws-marketplace"),
    ("entitlement.marketplace", "aws-marketplace"),
    ("eventsv2", "events"),
    ("forecastquery", "forecast"),
    ("iam-toolbox", "iam"),
    ("identity-chime", "chime"),
    ("ivsrealtime", "ivs"),
    ("kafka-api", "kafka"),
    ("lambda-url", "lambda"),
    ("mail-manager", "ses"),
    ("maps.geo", "geo-maps"),
    ("media-pipelines-chime", "chime"),
    ("meetings-chime", "chime"),
    ("memory-db", "memorydb"),
    ("messaging-chime", "chime"),
    ("metering-marketplace", "aws-marketplace"),
    ("metering.marketplace", "aws-marketplace"),
    ("migrationhub-config", "mgh"),
    ("models-v2-lex", "lex"),
    ("oidc", "sso-oauth"),
    ("participant.connect", "execute-api"),
    ("partnercentral-prm", "partnercentral"),
    ("personalize-events", "personalize"),
    ("personalize-runtime", "personalize"),
    ("pinpoint", "mobiletargeting"),
    ("places.geo", "geo-places"),
    ("portal.sso", "awsssoportal"),
    ("queue", "sqs"), // the old host name of SQS
    ("reporting-marketplace", "aws-marketplace"),
    ("routes.geo", "geo-routes"),
    ("runtime-v2-lex", "lex"),
    ("s3-accelerate", "s3"),
    ("s3-accesspoint", "s3"),
    ("s3-control", "s3"),
    ("s3-external-1", "s3"),
    ("s3express-control", "s3express"),
    ("servicecatalog-appregistry", "servicecatalog"),
    ("sms-voice.pinpoint", "sms-voice"),
    ("streams-dynamodb", "dynamodb"),
    ("timestream-ingest", "timestream"),
    ("timestream-query", "timestream"),
    ("voice-chime", "chime"),
];

/// The service and the region that requests to `host` are signed for. `host` is a name, without a port; upper
/// case is read as lower case.
///
/// A part that the name does not tell is `None`, and the caller has to ask its user for it: both for a host
/// that is not AWS's, the region for S3 Transfer Acceleration. A multi-region access point wants Signature
/// Version 4A, which this crate does not make: both are `None`.
pub fn host_scope(host: &str) -> HostScope {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let found = SUFFIXES.iter().find_map(|(suffix, global)| {
        let rest = host.strip_suffix(suffix)?;
        (!rest.is_empty()).then_some((rest, *global))
    });
    let Some((rest, mut global)) = found else {
        return HostScope::default();
    };
    let mut region = None;
    let mut labels: Vec<String> = Vec::new();
    for label in rest.split('.') {
        match label {
            "dualstack" | "global" | "vpce" => {}
            "us-gov" => global = GOV_CLOUD,
            _ if is_region(label) => region = Some(label.to_owned()),
            _ if is_endpoint_id(label) => {}
            _ => match label.strip_prefix("s3-").filter(|rest| is_region(rest)) {
                // The old host names of S3: `s3-eu-west-1.amazonaws.com`.
                Some(dashed) => {
                    region = Some(dashed.to_owned());
                    labels.push("s3".to_owned());
                }
                None => labels.push(without_fips(label).to_owned()),
            },
        }
    }
    let Some(last) = labels.last() else {
        return HostScope::default();
    };
    if last == "s3-global" {
        return HostScope::default();
    }
    let service = signing_name(&labels, last);
    let names_no_region = region.is_none();
    if names_no_region && GLOBAL.contains(&last.as_str()) {
        // The one global service of China that signs for another region than the rest.
        let china = last == "iam" && global == "cn-northwest-1";
        region = Some(if china { "cn-north-1" } else { global }.to_owned());
    }
    if names_no_region && last == "importexport" {
        return HostScope {
            service: Some("IngestionService".to_owned()),
            region,
        };
    }
    HostScope {
        service: Some(service),
        region,
    }
}

fn signing_name(labels: &[String], last: &str) -> String {
    // Directory buckets: `BUCKET.s3express-ZONE.REGION`.
    if last.starts_with("s3express-") {
        return "s3express".to_owned();
    }
    // A device's own host name: `PREFIX-ats.iot.REGION`, `PREFIX.iot.REGION`.
    let longest = labels.len().min(3);
    for count in (1..=longest).rev() {
        let Some(tail) = labels.get(labels.len() - count..) else {
            continue;
        };
        let joined = tail.join(".");
        if let Some((_, name)) = SIGNING_NAMES.iter().find(|(key, _)| *key == joined) {
            return name.to_string();
        }
    }
    let prefixed = labels.len() == 2 && last == "iot";
    let api = labels.first().is_some_and(|first| first == "api");
    if prefixed && !api {
        return "iotdata".to_owned();
    }
    last.to_owned()
}

/// `eu-west-1`, `us-gov-east-1`, `us-isob-east-1`.
fn is_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let area = parts.next().unwrap_or_default();
    let mut middle = 0;
    let mut number = false;
    for part in parts {
        if number {
            return false; // nothing follows the number
        }
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            number = true;
        } else if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()) {
            middle += 1;
        } else {
            return false;
        }
    }
    let area = (2..=4).contains(&area.len()) && area.bytes().all(|byte| byte.is_ascii_lowercase());
    area && number && middle >= 1
}

/// The label of an interface endpoint: `vpce-0123456789abcdef0-abcdefgh` and with `-eu-west-1a` after it.
fn is_endpoint_id(label: &str) -> bool {
    label
        .strip_prefix("vpce-")
        .and_then(|id| id.split('-').next())
        .is_some_and(|id| id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `sts-fips` and `fips-sts` are `sts`.
fn without_fips(label: &str) -> &str {
    let label = label.strip_suffix("-fips").unwrap_or(label);
    label.strip_prefix("fips-").unwrap_or(label)
}
