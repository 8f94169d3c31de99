//! The operations on trust anchors.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use crate::{
    config::{self, NotificationEvent, NotificationSetting},
    error::Refusal,
    json::Value as Input,
    store::{Invalid, Kind, Resource, Resources, Table, Times, TrustAnchor},
};

use super::{
    call::{Call, boolean, integer, invalid, only_member, text},
    generic::{self, Managed},
};

pub(super) fn create(call: &Call<'_>) -> Result<Value, Refusal> {
    let mut spec = config::TrustAnchor {
        pem: None,
        // False when absent, as in the service.
        enabled: call.boolean("enabled").unwrap_or(false),
        crl_dp_revocation_enabled: call.boolean("crlDpRevocationEnabled").unwrap_or(false),
        notification_settings: settings_of(call.list("notificationSettings"))?,
        tags: call.tags()?,
        ..config::TrustAnchor::new(call.required_text("name"), "")
    };
    set_source(&mut spec, call)?;
    generic::create::<TrustAnchor>(call, spec)
}

pub(super) fn update(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::update::<TrustAnchor>(call, |spec| {
        if let Some(name) = call.text("name") {
            name.clone_into(&mut spec.name);
        }
        if let Some(enabled) = call.boolean("crlDpRevocationEnabled") {
            spec.crl_dp_revocation_enabled = enabled;
        }
        set_source(spec, call)
    })
}

pub(super) fn get(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::get::<TrustAnchor>(call)
}

pub(super) fn list(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::list::<TrustAnchor>(call)
}

pub(super) fn delete(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::delete::<TrustAnchor>(call)
}

pub(super) fn enable(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::set_enabled::<TrustAnchor>(call, true)
}

pub(super) fn disable(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::set_enabled::<TrustAnchor>(call, false)
}

/// Puts settings in the place of those for the same events; the others stay.
pub(super) fn put_notification_settings(call: &Call<'_>) -> Result<Value, Refusal> {
    let settings = settings_of(call.list("notificationSettings"))?;
    generic::change::<TrustAnchor>(call, |spec| {
        spec.notification_settings
            .retain(|have| settings.iter().all(|new| new.event != have.event));
        spec.notification_settings.extend(settings);
        Ok(())
    })
}

/// Puts the service's own settings back for the events that are named.
pub(super) fn reset_notification_settings(call: &Call<'_>) -> Result<Value, Refusal> {
    let keys = call.list("notificationSettingKeys").unwrap_or_default();
    let events: Vec<&str> = keys.iter().filter_map(|key| text(key, "event")).collect();
    generic::change::<TrustAnchor>(call, |spec| {
        spec.notification_settings
            .retain(|have| !events.contains(&have.event.as_str()));
        Ok(())
    })
}

/// The member `source`, where there is one.
fn set_source(spec: &mut config::TrustAnchor, call: &Call<'_>) -> Result<(), Refusal> {
    let Some(source) = call.structure("source") else {
        return Ok(());
    };
    let kind = text(source, "sourceType").unwrap_or_default();
    let data = source.member("sourceData");
    let data_kind = data.and_then(only_member).unwrap_or_default();
    let value = data
        .and_then(|data| text(data, data_kind))
        .unwrap_or_default();
    match (kind, data_kind) {
        ("CERTIFICATE_BUNDLE", "x509CertificateData") => {
            spec.pem = Some(value.to_owned());
            spec.acm_pca_arn = None;
        }
        ("AWS_ACM_PCA", "acmPcaArn") => {
            spec.pem = None;
            spec.acm_pca_arn = Some(value.to_owned());
        }
        _ => {
            return Err(invalid(format!(
                "The source type {kind} does not take {data_kind}"
            )));
        }
    }
    Ok(())
}

fn settings_of(list: Option<&[Input]>) -> Result<Vec<NotificationSetting>, Refusal> {
    list.unwrap_or_default()
        .iter()
        .map(|setting| {
            let name = text(setting, "event").unwrap_or_default();
            let mut events = NotificationEvent::ALL.into_iter();
            let event = events
                .find(|event| event.as_str() == name)
                .ok_or_else(|| invalid(format!("There is no event {name}")))?;
            Ok(NotificationSetting {
                event,
                enabled: boolean(setting, "enabled").unwrap_or(false),
                threshold: integer(setting, "threshold"),
            })
        })
        .collect()
}

impl Managed for TrustAnchor {
    const MEMBER: &'static str = "trustAnchor";
    const MEMBERS: &'static str = "trustAnchors";
    const IDENTIFIER: &'static str = "trustAnchorId";

    fn table(resources: &Resources) -> &Table<Self> {
        &resources.trust_anchors
    }

    fn table_mut(resources: &mut Resources) -> &mut Table<Self> {
        &mut resources.trust_anchors
    }

    fn parse(
        resources: &Resources,
        spec: config::TrustAnchor,
        times: Times,
        _previous: Option<&Self>,
    ) -> Result<Arc<Self>, Invalid> {
        resources.trust_anchor(spec, times)
    }

    fn shown(&self) -> Value {
        let spec = self.spec();
        let (kind, data) = match &spec.acm_pca_arn {
            Some(arn) => ("AWS_ACM_PCA", json!({ "acmPcaArn": arn })),
            None => (
                "CERTIFICATE_BUNDLE",
                json!({ "x509CertificateData": spec.pem }),
            ),
        };
        let settings = self.notification_settings.iter().map(|setting| {
            let mut shown = BTreeMap::from([
                ("enabled", json!(setting.enabled)),
                ("event", json!(setting.event.as_str())),
                ("channel", json!("ALL")),
                ("configuredBy", json!(setting.configured_by)),
            ]);
            if let Some(days) = setting.threshold {
                shown.insert("threshold", json!(days));
            }
            json!(shown)
        });
        json!({
            "trustAnchorId": self.id(),
            "trustAnchorArn": self.arn,
            "name": self.name,
            "source": { "sourceType": kind, "sourceData": data },
            "enabled": self.enabled,
            "crlDpRevocationEnabled": spec.crl_dp_revocation_enabled,
            "createdAt": self.times.created_at.to_iso8601(),
            "updatedAt": self.times.updated_at.to_iso8601(),
            "notificationSettings": settings.collect::<Vec<_>>(),
        })
    }

    fn alias(spec: &config::TrustAnchor) -> Option<&str> {
        spec.alias.as_deref()
    }

    fn set_alias(spec: &mut config::TrustAnchor, alias: Option<String>) {
        spec.alias = alias;
    }

    fn set_enabled(spec: &mut config::TrustAnchor, enabled: bool) {
        spec.enabled = enabled;
    }

    fn set_id(spec: &mut config::TrustAnchor, id: String) {
        spec.id = Some(id);
    }

    /// Seen live: a trust anchor with a CRL stays.
    fn obstacle(&self, resources: &Resources) -> Option<String> {
        let mut crls = resources.crls.values();
        let crl = crls.find(|crl| crl.trust_anchor_arn == self.arn)?;
        Some(format!(
            "The {} has the CRL {}: delete that first",
            Kind::TrustAnchor.as_str(),
            crl.arn
        ))
    }
}
