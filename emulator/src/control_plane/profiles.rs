//! The operations on profiles.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    config::{self, AttributeMapping, CertificateField},
    error::Refusal,
    store::{Invalid, Profile, Resource, Resources, Table, Times},
};

use super::{
    call::{Call, invalid, text},
    generic::{self, Managed},
};

pub(super) fn create(call: &Call<'_>) -> Result<Value, Refusal> {
    let base = config::Profile::new(call.required_text("name"), &[]);
    let spec = config::Profile {
        roles: call.texts("roleArns").unwrap_or_default(),
        duration_seconds: call
            .integer("durationSeconds")
            .unwrap_or(base.duration_seconds),
        accept_role_session_name: call.boolean("acceptRoleSessionName").unwrap_or(false),
        // False when absent, as in the service.
        enabled: call.boolean("enabled").unwrap_or(false),
        require_instance_properties: call.boolean("requireInstanceProperties").unwrap_or(false),
        session_policy: call
            .text("sessionPolicy")
            .filter(|policy| !policy.is_empty())
            .map(str::to_owned),
        managed_policy_arns: call.texts("managedPolicyArns").unwrap_or_default(),
        created_by: Some(call.caller_arn.to_owned()),
        tags: call.tags()?,
        ..base
    };
    generic::create::<Profile>(call, spec)
}

pub(super) fn update(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::update::<Profile>(call, |spec| {
        if let Some(name) = call.text("name") {
            name.clone_into(&mut spec.name);
        }
        if let Some(policy) = call.text("sessionPolicy") {
            spec.session_policy = Some(policy.to_owned());
        }
        if let Some(roles) = call.texts("roleArns") {
            spec.roles = roles;
        }
        if let Some(policies) = call.texts("managedPolicyArns") {
            spec.managed_policy_arns = policies;
        }
        if let Some(seconds) = call.integer("durationSeconds") {
            spec.duration_seconds = seconds;
        }
        if let Some(accept) = call.boolean("acceptRoleSessionName") {
            spec.accept_role_session_name = accept;
        }
        Ok(())
    })
}

pub(super) fn get(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::get::<Profile>(call)
}

pub(super) fn list(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::list::<Profile>(call)
}

pub(super) fn delete(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::delete::<Profile>(call)
}

pub(super) fn enable(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::set_enabled::<Profile>(call, true)
}

pub(super) fn disable(call: &Call<'_>) -> Result<Value, Refusal> {
    generic::set_enabled::<Profile>(call, false)
}

/// Puts the rules of one field in the place of those that it has.
pub(super) fn put_attribute_mapping(call: &Call<'_>) -> Result<Value, Refusal> {
    let field = field(call)?;
    let rules = call.list("mappingRules").unwrap_or_default();
    let specifiers: Vec<String> = rules
        .iter()
        .filter_map(|rule| text(rule, "specifier"))
        .map(str::to_owned)
        .collect();
    edit_mappings(call, |mappings| {
        mappings.retain(|mapping| mapping.certificate_field != field);
        mappings.push(AttributeMapping {
            certificate_field: field,
            specifiers,
        });
    })
}

/// Takes specifiers out of one field's rules, or the field where none are named.
pub(super) fn delete_attribute_mapping(call: &Call<'_>) -> Result<Value, Refusal> {
    let field = field(call)?;
    let specifiers = call.texts("specifiers");
    edit_mappings(call, |mappings| {
        for mapping in mappings.iter_mut().filter(|m| m.certificate_field == field) {
            match &specifiers {
                Some(named) => mapping.specifiers.retain(|have| !named.contains(have)),
                None => mapping.specifiers.clear(),
            }
        }
        mappings.retain(|mapping| !mapping.specifiers.is_empty());
    })
}

fn edit_mappings(
    call: &Call<'_>,
    edit: impl FnOnce(&mut Vec<AttributeMapping>),
) -> Result<Value, Refusal> {
    let identifier = call.required_text(Profile::IDENTIFIER);
    let current = generic::find::<Profile>(&call.service.resources(), identifier)?;
    generic::change::<Profile>(call, |spec| {
        let own = spec.attribute_mappings.take();
        // Without mappings of its own a profile has the service's, which then become its own.
        let mut mappings = own.unwrap_or_else(|| current.attribute_mappings.clone());
        edit(&mut mappings);
        spec.attribute_mappings = Some(mappings);
        Ok(())
    })
}

fn field(call: &Call<'_>) -> Result<CertificateField, Refusal> {
    let name = call.required_text("certificateField");
    let mut all = CertificateField::ALL.into_iter();
    all.find(|field| field.as_str() == name)
        .ok_or_else(|| invalid(format!("There is no certificate field {name}")))
}

impl Managed for Profile {
    const MEMBER: &'static str = "profile";
    const MEMBERS: &'static str = "profiles";
    const IDENTIFIER: &'static str = "profileId";

    fn table(resources: &Resources) -> &Table<Self> {
        &resources.profiles
    }

    fn table_mut(resources: &mut Resources) -> &mut Table<Self> {
        &mut resources.profiles
    }

    fn parse(
        resources: &Resources,
        spec: config::Profile,
        times: Times,
        _previous: Option<&Self>,
    ) -> Result<Arc<Self>, Invalid> {
        resources.profile(spec, times)
    }

    fn shown(&self) -> Value {
        let mappings = self.attribute_mappings.iter().map(|mapping| {
            let rules = mapping
                .specifiers
                .iter()
                .map(|text| json!({ "specifier": text }));
            json!({
                "certificateField": mapping.certificate_field.as_str(),
                "mappingRules": rules.collect::<Vec<_>>(),
            })
        });
        let mut shown = json!({
            "profileId": self.id(),
            "profileArn": self.arn,
            "name": self.name,
            "requireInstanceProperties": self.spec().require_instance_properties,
            "enabled": self.enabled,
            "createdBy": self.created_by,
            "roleArns": self.role_arns,
            "managedPolicyArns": self.managed_policy_arns,
            "createdAt": self.times.created_at.to_iso8601(),
            "updatedAt": self.times.updated_at.to_iso8601(),
            "durationSeconds": self.duration_seconds,
            "acceptRoleSessionName": self.accept_role_session_name,
            "attributeMappings": mappings.collect::<Vec<_>>(),
        });
        if let (Some(policy), Some(members)) = (&self.session_policy, shown.as_object_mut()) {
            members.insert("sessionPolicy".to_owned(), json!(policy));
        }
        shown
    }

    fn alias(spec: &config::Profile) -> Option<&str> {
        spec.alias.as_deref()
    }

    fn set_alias(spec: &mut config::Profile, alias: Option<String>) {
        spec.alias = alias;
    }

    fn set_enabled(spec: &mut config::Profile, enabled: bool) {
        spec.enabled = enabled;
    }

    fn set_id(spec: &mut config::Profile, id: String) {
        spec.id = Some(id);
    }
}
