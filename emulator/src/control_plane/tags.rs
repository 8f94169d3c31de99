//! The operations on tags: the same three for every kind of resource.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    error::{Fault, Refusal},
    store::{Crl, Kind, Profile, Resource, TrustAnchor},
};

use super::{
    call::{Call, invalid, not_found},
    generic,
};

/// The API model's bound on one list, taken for the whole; how many the service allows is not known.
const MAX_TAGS: usize = 200;

pub(super) fn tag(call: &Call<'_>) -> Result<Value, Refusal> {
    let added = call.tags()?;
    edit(call, |tags| {
        tags.extend(added);
        if tags.len() > MAX_TAGS {
            return Err(Refusal::new(
                Fault::TooManyTags,
                format!("it would have {} tags", tags.len()),
            ));
        }
        Ok(())
    })
}

pub(super) fn untag(call: &Call<'_>) -> Result<Value, Refusal> {
    let keys = call.texts("tagKeys").unwrap_or_default();
    edit(call, |tags| {
        tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })
}

pub(super) fn list(call: &Call<'_>) -> Result<Value, Refusal> {
    let arn = call.required_text("resourceArn");
    let resources = call.service.resources();
    let tags = match kind(call, arn)? {
        Kind::Crl => generic::find::<Crl>(&resources, arn)?.spec().tags.clone(),
        Kind::Profile => generic::find::<Profile>(&resources, arn)?
            .spec()
            .tags
            .clone(),
        Kind::TrustAnchor => generic::find::<TrustAnchor>(&resources, arn)?
            .spec()
            .tags
            .clone(),
        Kind::Subject => {
            let subject = call.service.subjects().find(id(arn));
            subject.ok_or_else(|| not_found("subject", arn))?.tags
        }
        Kind::Role => return Err(not_found("resource", arn)),
    };
    let tags = tags
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value }));
    Ok(json!({ "tags": tags.collect::<Vec<_>>() }))
}

fn edit(
    call: &Call<'_>,
    edit: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    let (arn, now) = (call.required_text("resourceArn"), call.now);
    let service = call.service;
    match kind(call, arn)? {
        Kind::Crl => {
            service.change(|all| generic::edit_one::<Crl>(all, arn, now, |s| edit(&mut s.tags)))?;
        }
        Kind::Profile => {
            service
                .change(|all| generic::edit_one::<Profile>(all, arn, now, |s| edit(&mut s.tags)))?;
        }
        Kind::TrustAnchor => {
            service.change(|all| {
                generic::edit_one::<TrustAnchor>(all, arn, now, |s| edit(&mut s.tags))
            })?;
        }
        Kind::Subject => service.change_subject(id(arn), |subject| edit(&mut subject.tags))?,
        Kind::Role => return Err(not_found("resource", arn)),
    }
    Ok(json!({}))
}

/// The kind of resource of an ARN of this account and region. Aliases do not name resources here.
fn kind(call: &Call<'_>, arn: &str) -> Result<Kind, Refusal> {
    if !arn.starts_with("arn:") {
        return Err(invalid(format!("{arn} is not an ARN")));
    }
    let kinds = [Kind::Crl, Kind::Profile, Kind::Subject, Kind::TrustAnchor];
    kinds
        .into_iter()
        .find(|kind| arn.starts_with(&call.service.account().arn(&format!("{}/", kind.as_str()))))
        .ok_or_else(|| not_found("resource", arn))
}

fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
