//! The operations on subjects, which CreateSession makes and nobody else.

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::{
    error::Refusal,
    store::{Account, Kind, Subject},
};

use super::{
    call::{Call, not_found},
    generic::Page,
};

pub(super) fn get(call: &Call<'_>) -> Result<Value, Refusal> {
    let id = call.required_text("subjectId");
    let subjects = call.service.subjects();
    let subject = subjects.find(id).ok_or_else(|| not_found("subject", id))?;
    let mut shown = summary(&subject, call.service.account());
    let credentials = subject.credentials.iter().rev().map(|credential| {
        json!({
            "seenAt": credential.seen_at.to_iso8601(),
            "serialNumber": credential.serial_number,
            "issuer": credential.issuer,
            "enabled": credential.enabled,
            "x509CertificateData": pem(&credential.certificate_der),
            "failed": credential.failed,
        })
    });
    let properties = subject.instance_properties.iter().rev().map(|seen| {
        json!({
            "seenAt": seen.seen_at.to_iso8601(),
            "properties": seen.properties,
            "failed": seen.failed,
        })
    });
    if let Some(members) = shown.as_object_mut() {
        members.insert("credentials".to_owned(), credentials.collect());
        members.insert("instanceProperties".to_owned(), properties.collect());
    }
    Ok(json!({ "subject": shown }))
}

pub(super) fn list(call: &Call<'_>) -> Result<Value, Refusal> {
    let page = Page::of(call)?;
    let found = call.service.subjects().after(&page.after, page.size + 1);
    let account = call.service.account();
    let items = found
        .iter()
        .map(|subject| (subject.id.as_str(), summary(subject, account)));
    Ok(page.answer("subjects", items))
}

fn summary(subject: &Subject, account: &Account) -> Value {
    json!({
        "subjectArn": account.arn(&format!("{}/{}", Kind::Subject.as_str(), subject.id)),
        "subjectId": subject.id,
        "enabled": subject.enabled,
        "x509Subject": subject.x509_subject,
        "lastSeenAt": subject.last_seen_at.to_iso8601(),
        "createdAt": subject.times.created_at.to_iso8601(),
        "updatedAt": subject.times.updated_at.to_iso8601(),
    })
}

fn pem(der: &[u8]) -> String {
    // RFC 7468: lines of 64 characters.
    let base64 = BASE64.encode(der);
    let lines = base64.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}
