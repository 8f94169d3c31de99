//! The 30 operations of the control plane, as the API model of botocore 1.44.5 has them: method, path,
//! status, parameters, and the function that does it.

use crate::error::Refusal;

use super::{
    call::Call,
    crls, patterns, profiles,
    shape::{
        Member,
        Place::{Body, Path, Query},
        Shape, optional, required,
    },
    subjects, tags, trust_anchors,
};

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(super) method: &'static str,
    /// `{}` stands for the identifier.
    pub(super) path: &'static str,
    pub(super) status: u16,
    pub(crate) group: Group,
    pub(super) input: &'static [Member],
    pub(super) run: fn(&Call<'_>) -> Result<serde_json::Value, Refusal>,
}

/// The groups of operations that share a quota of calls per second (user guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    Crl,
    Profile,
    Subject,
    Tagging,
    TrustAnchor,
}

macro_rules! operations {
    ($($name:literal $method:literal $path:literal $status:literal $group:ident [$($member:expr),*] $run:path;)*) => {
        /// Every operation, in alphabetical order.
        pub(super) static OPERATIONS: &[Operation] = &[
            $(Operation {
                name: $name,
                method: $method,
                path: $path,
                status: $status,
                group: Group::$group,
                input: &[$($member),*],
                run: $run,
            },)*
        ];
    };
}

operations! {
    "CreateProfile" "POST" "/profiles" 201 Profile [
        required("name", Body, &RESOURCE_NAME), optional("requireInstanceProperties", Body, &Shape::Boolean),
        optional("sessionPolicy", Body, &ANY_TEXT), required("roleArns", Body, &ROLE_ARNS),
        optional("managedPolicyArns", Body, &MANAGED_POLICIES), optional("durationSeconds", Body, &DURATION),
        optional("enabled", Body, &Shape::Boolean), optional("tags", Body, &TAGS),
        optional("acceptRoleSessionName", Body, &Shape::Boolean), optional("aliasName", Body, &ALIAS_NAME)
    ] profiles::create;
    "CreateTrustAnchor" "POST" "/trustanchors" 201 TrustAnchor [
        required("name", Body, &RESOURCE_NAME), required("source", Body, &SOURCE),
        optional("enabled", Body, &Shape::Boolean), optional("crlDpRevocationEnabled", Body, &Shape::Boolean),
        optional("tags", Body, &TAGS), optional("notificationSettings", Body, &NOTIFICATION_SETTINGS),
        optional("aliasName", Body, &ALIAS_NAME)
    ] trust_anchors::create;
    "DeleteAttributeMapping" "DELETE" "/profiles/{}/mappings" 200 Profile [
        PROFILE_ID, required("certificateField", Query, &CERTIFICATE_FIELD),
        optional("specifiers", Query, &SPECIFIERS)
    ] profiles::delete_attribute_mapping;
    "DeleteCrl" "DELETE" "/crl/{}" 200 Crl [CRL_ID] crls::delete;
    "DeleteProfile" "DELETE" "/profile/{}" 200 Profile [PROFILE_ID] profiles::delete;
    "DeleteTrustAnchor" "DELETE" "/trustanchor/{}" 200 TrustAnchor [TRUST_ANCHOR_ID] trust_anchors::delete;
    "DisableCrl" "POST" "/crl/{}/disable" 200 Crl [CRL_ID] crls::disable;
    "DisableProfile" "POST" "/profile/{}/disable" 200 Profile [PROFILE_ID] profiles::disable;
    "DisableTrustAnchor" "POST" "/trustanchor/{}/disable" 200 TrustAnchor [TRUST_ANCHOR_ID] trust_anchors::disable;
    "EnableCrl" "POST" "/crl/{}/enable" 200 Crl [CRL_ID] crls::enable;
    "EnableProfile" "POST" "/profile/{}/enable" 200 Profile [PROFILE_ID] profiles::enable;
    "EnableTrustAnchor" "POST" "/trustanchor/{}/enable" 200 TrustAnchor [TRUST_ANCHOR_ID] trust_anchors::enable;
    "GetCrl" "GET" "/crl/{}" 200 Crl [CRL_ID] crls::get;
    "GetProfile" "GET" "/profile/{}" 200 Profile [PROFILE_ID] profiles::get;
    "GetSubject" "GET" "/subject/{}" 200 Subject [required("subjectId", Path, &UUID)] subjects::get;
    "GetTrustAnchor" "GET" "/trustanchor/{}" 200 TrustAnchor [TRUST_ANCHOR_ID] trust_anchors::get;
    "ImportCrl" "POST" "/crls" 201 Crl [
        required("name", Body, &RESOURCE_NAME), required("crlData", Body, &CRL_DATA),
        optional("enabled", Body, &Shape::Boolean), optional("tags", Body, &TAGS),
        required("trustAnchorArn", Body, &TRUST_ANCHOR_ARN), optional("aliasName", Body, &ALIAS_NAME)
    ] crls::import;
    "ListCrls" "GET" "/crls" 200 Crl [NEXT_TOKEN, PAGE_SIZE] crls::list;
    "ListProfiles" "GET" "/profiles" 200 Profile [NEXT_TOKEN, PAGE_SIZE] profiles::list;
    "ListSubjects" "GET" "/subjects" 200 Subject [NEXT_TOKEN, PAGE_SIZE] subjects::list;
    "ListTagsForResource" "GET" "/ListTagsForResource" 200 Tagging [
        required("resourceArn", Query, &AMAZON_RESOURCE_NAME)
    ] tags::list;
    "ListTrustAnchors" "GET" "/trustanchors" 200 TrustAnchor [NEXT_TOKEN, PAGE_SIZE] trust_anchors::list;
    "PutAttributeMapping" "PUT" "/profiles/{}/mappings" 200 Profile [
        PROFILE_ID, required("certificateField", Body, &CERTIFICATE_FIELD),
        required("mappingRules", Body, &MAPPING_RULES)
    ] profiles::put_attribute_mapping;
    "PutNotificationSettings" "PATCH" "/put-notifications-settings" 200 TrustAnchor [
        required("trustAnchorId", Body, &UUID), required("notificationSettings", Body, &NOTIFICATION_SETTINGS)
    ] trust_anchors::put_notification_settings;
    "ResetNotificationSettings" "PATCH" "/reset-notifications-settings" 200 TrustAnchor [
        required("trustAnchorId", Body, &UUID), required("notificationSettingKeys", Body, &NOTIFICATION_KEYS)
    ] trust_anchors::reset_notification_settings;
    "TagResource" "POST" "/TagResource" 201 Tagging [
        required("resourceArn", Body, &AMAZON_RESOURCE_NAME), required("tags", Body, &TAGS)
    ] tags::tag;
    "UntagResource" "POST" "/UntagResource" 200 Tagging [
        required("resourceArn", Body, &AMAZON_RESOURCE_NAME), required("tagKeys", Body, &TAG_KEYS)
    ] tags::untag;
    "UpdateCrl" "PATCH" "/crl/{}" 200 Crl [
        CRL_ID, optional("name", Body, &RESOURCE_NAME), optional("crlData", Body, &CRL_DATA),
        optional("aliasName", Body, &ALIAS_NAME)
    ] crls::update;
    "UpdateProfile" "PATCH" "/profile/{}" 200 Profile [
        PROFILE_ID, optional("name", Body, &RESOURCE_NAME), optional("sessionPolicy", Body, &SESSION_POLICY),
        optional("roleArns", Body, &ROLE_ARNS), optional("managedPolicyArns", Body, &MANAGED_POLICIES),
        optional("durationSeconds", Body, &DURATION), optional("acceptRoleSessionName", Body, &Shape::Boolean),
        optional("aliasName", Body, &ALIAS_NAME)
    ] profiles::update;
    "UpdateTrustAnchor" "PATCH" "/trustanchor/{}" 200 TrustAnchor [
        TRUST_ANCHOR_ID, optional("name", Body, &RESOURCE_NAME), optional("source", Body, &SOURCE),
        optional("crlDpRevocationEnabled", Body, &Shape::Boolean), optional("aliasName", Body, &ALIAS_NAME)
    ] trust_anchors::update;
}

/// The operation of a method and a path, and the raw identifier in the path.
pub(super) fn route<'a>(
    method: &str,
    path: &'a str,
) -> Option<(&'static Operation, Option<&'a str>)> {
    OPERATIONS
        .iter()
        .filter(|operation| operation.method == method)
        .find_map(|operation| match operation.path.split_once("{}") {
            None => (operation.path == path).then_some((operation, None)),
            Some((before, after)) => {
                let identifier = path.strip_prefix(before)?.strip_suffix(after)?;
                let whole = !identifier.is_empty() && !identifier.contains('/');
                whole.then_some((operation, Some(identifier)))
            }
        })
}

const CRL_ID: Member = required("crlId", Path, &CRL_IDENTIFIER);
const PROFILE_ID: Member = required("profileId", Path, &PROFILE_IDENTIFIER);
const TRUST_ANCHOR_ID: Member = required("trustAnchorId", Path, &TRUST_ANCHOR_IDENTIFIER);
const NEXT_TOKEN: Member = optional("nextToken", Query, &LIST_TOKEN);
const PAGE_SIZE: Member = optional("pageSize", Query, &PAGE_SIZE_NUMBER);

/// Where the model states no bound, the body's own length is one.
const UNBOUNDED: usize = usize::MAX;

const ANY_TEXT: Shape = text(0, UNBOUNDED);
const AMAZON_RESOURCE_NAME: Shape = text(1, 1_011);
const ALIAS_NAME: Shape = patterned(0, 256, &patterns::ALIAS_NAME);
const CERTIFICATE_FIELD: Shape = Shape::Enumeration(&["x509Subject", "x509Issuer", "x509SAN"]);
const CRL_DATA: Shape = Shape::Blob {
    min: 1,
    max: 300_000,
};
const CRL_IDENTIFIER: Shape = patterned(1, 1_011, &patterns::CRL_IDENTIFIER);
const DURATION: Shape = Shape::Integer {
    min: 900,
    max: 43_200,
};
const EVENT: Shape =
    Shape::Enumeration(&["CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY"]);
const CHANNEL: Shape = Shape::Enumeration(&["ALL"]);
const LIST_TOKEN: Shape = text(1, 10_000);
const MANAGED_POLICIES: Shape = list(50, &text(1, 200));
const MAPPING_RULES: Shape = list(
    UNBOUNDED,
    &Shape::Structure(&[required("specifier", Body, &text(0, 60))]),
);
const NOTIFICATION_SETTINGS: Shape = list(
    50,
    &Shape::Structure(&[
        required("enabled", Body, &Shape::Boolean),
        required("event", Body, &EVENT),
        optional("threshold", Body, &Shape::Integer { min: 1, max: 360 }),
        optional("channel", Body, &CHANNEL),
    ]),
);
const NOTIFICATION_KEYS: Shape = list(
    50,
    &Shape::Structure(&[
        required("event", Body, &EVENT),
        optional("channel", Body, &CHANNEL),
    ]),
);
/// The model states no bounds; more than a thousand would be no page.
const PAGE_SIZE_NUMBER: Shape = Shape::Integer { min: 1, max: 1_000 };
const PROFILE_IDENTIFIER: Shape = patterned(1, 1_011, &patterns::PROFILE_IDENTIFIER);
const RESOURCE_NAME: Shape = patterned(1, 255, &patterns::RESOURCE_NAME);
const ROLE_ARNS: Shape = list(250, &patterned(1, 1_011, &patterns::ROLE_ARN));
const SESSION_POLICY: Shape = text(1, 100_000);
const SOURCE: Shape = Shape::Structure(&[
    // The model leaves both out of `required`; a source without them is none.
    required(
        "sourceType",
        Body,
        &Shape::Enumeration(&[
            "AWS_ACM_PCA",
            "CERTIFICATE_BUNDLE",
            "SELF_SIGNED_REPOSITORY",
        ]),
    ),
    required(
        "sourceData",
        Body,
        &Shape::Union(&[
            optional("x509CertificateData", Body, &text(1, 204_800)),
            optional("acmPcaArn", Body, &ANY_TEXT),
        ]),
    ),
]);
const SPECIFIERS: Shape = list(UNBOUNDED, &ANY_TEXT);
const TAG_KEY: Shape = patterned(1, 128, &patterns::TAG_TEXT);
const TAG_KEYS: Shape = list(200, &TAG_KEY);
const TAGS: Shape = list(
    200,
    &Shape::Structure(&[
        required("key", Body, &TAG_KEY),
        required("value", Body, &patterned(0, 256, &patterns::TAG_TEXT)),
    ]),
);
const TRUST_ANCHOR_ARN: Shape = patterned(1, 1_011, &patterns::TRUST_ANCHOR_IDENTIFIER_ARN);
const TRUST_ANCHOR_IDENTIFIER: Shape = patterned(1, 1_011, &patterns::TRUST_ANCHOR_IDENTIFIER);
const UUID: Shape = patterned(36, 36, &patterns::UUID);

const fn text(min: usize, max: usize) -> Shape {
    Shape::Text {
        min,
        max,
        pattern: None,
    }
}

const fn patterned(min: usize, max: usize, pattern: &'static super::shape::Pattern) -> Shape {
    Shape::Text {
        min,
        max,
        pattern: Some(pattern),
    }
}

const fn list(max: usize, member: &'static Shape) -> Shape {
    Shape::List { max, member }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirty_in_alphabetical_order_and_each_has_its_route() {
        assert_eq!(OPERATIONS.len(), 30);
        assert!(OPERATIONS.is_sorted_by_key(|operation| operation.name));
        for operation in OPERATIONS {
            let path = operation.path.replace("{}", "arn%3Aaws");
            let (found, identifier) = route(operation.method, &path).unwrap();
            assert_eq!(found.name, operation.name);
            assert_eq!(identifier.is_some(), operation.path.contains("{}"));
        }
        assert!(route("GET", "/profile/").is_none());
        assert!(route("GET", "/profile/a/b").is_none());
        assert!(route("PUT", "/profiles").is_none());
    }
}
