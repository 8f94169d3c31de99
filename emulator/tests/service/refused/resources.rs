//! Trust anchors, profiles and roles that are not there, not enabled or not willing.

use super::{Answer, Row, denied, refuse};
use crate::{
    client::{Arns, Call},
    handmade::{Handmade, Key, name, signed_by_openssl},
    lab::{GHOST_ROLE, ROOT_NAME, lab},
    pki::{Certificate, key_file},
};

fn row(
    name: &'static str,
    change: impl FnOnce(&mut Arns),
    body: &str,
    answer: Answer,
    reason: &'static str,
) -> Row {
    let lab = lab();
    let mut arns = lab.arns("root", "app", "app");
    change(&mut arns);
    let call = Call::helper(&arns, &lab.leaf, lab.now).with_body(body);
    Row::new(name, call.sign(&lab.leaf), answer, reason)
}

#[test]
fn trust_anchors() {
    let not_found = || denied("Specified Trust Anchor wasn't found.");
    let unknown = "there is no trust anchor";
    refuse(vec![
        row(
            "unknown",
            |arns| {
                let uuid = "00000000-0000-4000-8000-000000000000";
                arns.trust_anchor =
                    format!("arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/{uuid}");
            },
            "{}",
            not_found(),
            unknown,
        ),
        row(
            "of another region",
            |arns| {
                arns.trust_anchor = arns.trust_anchor.replace("us-east-1", "us-west-2");
            },
            "{}",
            not_found(),
            unknown,
        ),
        row(
            "of another account",
            |arns| {
                arns.trust_anchor = arns.trust_anchor.replace("123456789012", "210987654321");
            },
            "{}",
            not_found(),
            unknown,
        ),
        row(
            "of another partition",
            |arns| {
                arns.trust_anchor = arns.trust_anchor.replace("arn:aws:", "arn:aws-cn:");
            },
            "{}",
            not_found(),
            unknown,
        ),
        row(
            "an alias of another case",
            |arns| {
                arns.trust_anchor =
                    "arn:aws:rolesanywhere:us-east-1:123456789012:alias/trust-anchor/team/Root"
                        .to_owned();
            },
            "{}",
            not_found(),
            unknown,
        ),
        row(
            "disabled",
            |arns| {
                arns.trust_anchor = lab().arns("disabled", "app", "app").trust_anchor;
            },
            "{}",
            denied("Specified Trust Anchor is disabled."),
            "is disabled",
        ),
    ]);
}

#[test]
fn profiles_and_roles() {
    let not_found = || denied("Invalid or empty profile provided.");
    let not_listed = || denied("Requested Role isn't one of those listed in the Profile.");
    let app = "arn:aws:iam::123456789012:role/app";
    refuse(vec![
        row(
            "an unknown profile",
            |arns| {
                let uuid = "00000000-0000-4000-8000-000000000000";
                arns.profile =
                    format!("arn:aws:rolesanywhere:us-east-1:123456789012:profile/{uuid}");
            },
            "{}",
            not_found(),
            "there is no profile",
        ),
        row(
            "a profile of another region",
            |arns| {
                arns.profile = arns.profile.replace("us-east-1", "us-west-2");
            },
            "{}",
            not_found(),
            "there is no profile",
        ),
        row(
            "a disabled profile",
            |arns| {
                arns.profile = lab().arns("root", "disabled", "app").profile;
            },
            "{}",
            denied("Specified Profile is disabled."),
            "the profile `disabled` is disabled",
        ),
        row(
            "a role that the profile does not list",
            |arns| {
                arns.profile = lab().arns("root", "bare", "app").profile;
            },
            "{}",
            not_listed(),
            "does not list",
        ),
        row(
            "a role of another account",
            |arns| {
                arns.role = arns.role.replace("123456789012", "210987654321");
            },
            "{}",
            not_listed(),
            "does not list",
        ),
        row(
            "a role of another case",
            |arns| {
                arns.role = arns.role.replace("app", "App");
            },
            "{}",
            not_listed(),
            "does not list",
        ),
        row(
            "a role without its path",
            |arns| {
                arns.role = "arn:aws:iam::123456789012:role/pathed".to_owned();
            },
            "{}",
            not_listed(),
            "does not list",
        ),
        row(
            "a role that was deleted",
            |arns| {
                arns.role = GHOST_ROLE.to_owned();
            },
            "{}",
            denied(&format!("Unable to assume role for {GHOST_ROLE}.")),
            "there is no role",
        ),
        row(
            "a session name that nobody asked for",
            |_| {},
            r#"{"roleSessionName":"name"}"#,
            denied("Not authorized to set roleSessionName."),
            "does not accept",
        ),
        row(
            "longer than the role allows",
            |arns| {
                arns.profile = lab().arns("root", "long", "app").profile;
            },
            "{}",
            denied(&format!(
                "Unable to assume role for {app}. The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )),
            "the role `app` allows 3600 s",
        ),
        row(
            "a second longer than the role allows",
            |arns| {
                arns.profile = lab().arns("root", "long", "app").profile;
            },
            r#"{"durationSeconds":3601}"#,
            denied(&format!(
                "Unable to assume role for {app}. The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )),
            "would last 3601 s",
        ),
    ]);
}

#[test]
fn common_names_that_cannot_be_source_identities() {
    let lab = lab();
    let refused = || denied("Unable to assume role for arn:aws:iam::123456789012:role/app.");
    let openssl = |name, subject: &str, reason| {
        let leaf = Certificate::leaf(subject).signed_by(&lab.root);
        Row::of(name, &leaf, &[], refused(), reason)
    };
    let key = Key::ec(&key_file("p256"));
    let handmade = |label, subject: Vec<u8>, reason| {
        let certificate = Handmade {
            subject,
            ..Handmade::leaf("x", lab.now)
        };
        let leaf = signed_by_openssl(&certificate, &key, &lab.root, ROOT_NAME);
        Row::of(label, &leaf, &[], refused(), reason)
    };
    refuse(vec![
        openssl("two", "/CN=one/CN=two", "more than one common name"),
        openssl(
            "parentheses",
            "/CN=Last, First (dept)",
            "characters that STS does not take",
        ),
        // OpenSSL holds common names to X.520's bound of 64.
        handmade(
            "65 characters",
            name(&[&"n".repeat(65)]),
            "longer than 64 characters",
        ),
        handmade("empty", name(&[""]), "characters that STS does not take"),
        handmade(
            "a line break",
            name(&["a\nb"]),
            "characters that STS does not take",
        ),
    ]);
    // The serial number is the default session name, and STS takes 64 characters of it.
    let certificate = Handmade {
        serial: [&[0x01], [0xab; 32].as_slice()].concat(),
        ..Handmade::leaf("x", lab.now)
    };
    let leaf = signed_by_openssl(&certificate, &key, &lab.root, ROOT_NAME);
    refuse(vec![Row::of(
        "a serial number of 33 bytes",
        &leaf,
        &[],
        refused(),
        "is not 2 to 64 characters long",
    )]);
}
