//! The operations on CRLs.

use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::{
    config,
    error::Refusal,
    store::{Crl, CrlSource, Invalid, Resource, Resources, Table, Times},
};

use super::{
    call::{Call, not_found},
    generic::{self, Managed},
};

pub(super) fn import(call: &Call<'_>) -> Result<Value, Refusal> {
    let anchor = call.required_text("trustAnchorArn");
    // Unlike the other operations, this one does not take an alias (API model).
    let resources = call.service.resources();
    let is_there = resources
        .find_trust_anchor(anchor)
        .is_some_and(|have| have.arn == anchor);
    if !is_there {
        return Err(not_found("trust anchor", anchor));
    }
    let mut spec = config::Crl {
        pem: None,
        // False when absent, as in the service.
        enabled: call.boolean("enabled").unwrap_or(false),
        tags: call.tags()?,
        ..config::Crl::new(call.required_text("name"), anchor, "")
    };
    set_data(&mut spec, call);
    generic::create::<Crl>(call, spec)
}

pub(super) fn update(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::update::<Crl>(call, |spec| {
        if let Some(name) = call.text("name") {
            name.clone_into(&mut spec.name);
        }
        set_data(spec, call);
        Ok(())
    })
}

pub(super) fn get(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::get::<Crl>(call)
}

pub(super) fn list(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::list::<Crl>(call)
}

pub(super) fn delete(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::delete::<Crl>(call)
}

pub(super) fn enable(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::set_enabled::<Crl>(call, true)
}

pub(super) fn disable(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::set_enabled::<Crl>(call, false)
}

/// The member `crlData`, where there is one: PEM as the guide says, or DER, which one live report saw
/// accepted.
fn set_data(spec: &mut config::Crl, call: &Call<'_>) {
    let Some(data) = call.text("crlData") else {
        return;
    };
    // The shape says that it is base64.
    let bytes = BASE64.decode(data.as_bytes()).unwrap_or_default();
    let pem = String::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains("-----BEGIN"));
    spec.der = pem.is_none().then(|| data.to_owned());
    spec.pem = pem;
}

impl Managed for Crl {
    const MEMBER: &'static str = "crl";
    const MEMBERS: &'static str = "crls";
    const IDENTIFIER: &'static str = "crlId";

    fn table(resources: &Resources) -> &Table<Self> {
        &resources.crls
    }

    fn table_mut(resources: &mut Resources) -> &mut Table<Self> {
        &mut resources.crls
    }

    fn parse(
        resources: &Resources,
        spec: config::Crl,
        times: Times,
        previous: Option<&Self>,
    ) -> Result<Arc<Self>, Invalid> {
        let source = previous.map_or(CrlSource::New, CrlSource::Changed);
        resources.crl(spec, times, source)
    }

    fn shown(&self) -> Value {
        json!({
            "crlId": self.id(),
            "crlArn": self.arn,
            "name": self.name,
            "enabled": self.enabled,
            "crlData": BASE64.encode(&self.data()),
            "trustAnchorArn": self.trust_anchor_arn,
            "createdAt": self.times.created_at.to_iso8601(),
            "updatedAt": self.times.updated_at.to_iso8601(),
        })
    }

    fn alias(spec: &config::Crl) -> Option<&str> {
        spec.alias.as_deref()
    }

    fn set_alias(spec: &mut config::Crl, alias: Option<String>) {
        spec.alias = alias;
    }

    fn set_enabled(spec: &mut config::Crl, enabled: bool) {
        spec.enabled = enabled;
    }

    fn set_id(spec: &mut config::Crl, id: String) {
        spec.id = Some(id);
    }
}
