//! Trust anchors, profiles, roles and CRLs.

use std::{collections::HashMap, sync::Arc};

use rolesanywhere_core::{Result, UnixTime};

use crate::config::{self, Config};

use super::{
    Account, Crl, Invalid, Profile, Role, TrustAnchor,
    table::{Resource, Table, Times},
};

/// The resources of one account in one region, as they are at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    account: Arc<Account>,
    pub(crate) trust_anchors: Table<TrustAnchor>,
    pub(crate) profiles: Table<Profile>,
    pub(crate) roles: Table<Role>,
    pub(crate) crls: Table<Crl>,
    /// The enabled CRLs, by the ARN of their trust anchor.
    enabled_crls: HashMap<String, Vec<Arc<Crl>>>,
}

impl Resources {
    /// Parses what a configuration holds; it was made at `now`.
    pub(crate) fn new(config: &Config, account: Arc<Account>, now: UnixTime) -> Result<Self> {
        let times = Times::at(now);
        let mut resources = Self {
            account,
            trust_anchors: Table::default(),
            profiles: Table::default(),
            roles: Table::default(),
            crls: Table::default(),
            enabled_crls: HashMap::new(),
        };
        for role in &config.roles {
            let made = resources.role(role.clone(), times);
            let put = made.and_then(|role| once(&mut resources.roles, role));
            put.map_err(|error| error.in_configuration(&format!("role `{}`", role.name)))?;
        }
        for anchor in &config.trust_anchors {
            let made = resources.trust_anchor(anchor.clone(), times);
            let put = made.and_then(|anchor| once(&mut resources.trust_anchors, anchor));
            put.map_err(|error| {
                error.in_configuration(&format!("trust anchor `{}`", anchor.name))
            })?;
        }
        for profile in &config.profiles {
            let made = resources.profile(profile.clone(), times);
            let put = made.and_then(|profile| once(&mut resources.profiles, profile));
            put.map_err(|error| error.in_configuration(&format!("profile `{}`", profile.name)))?;
        }
        for crl in &config.crls {
            let made = resources.crl(crl.clone(), times, None);
            let put = made.and_then(|crl| once(&mut resources.crls, crl));
            put.map_err(|error| error.in_configuration(&format!("CRL `{}`", crl.name)))?;
        }
        resources.index_crls();
        Ok(resources)
    }

    /// The account and its settings.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// The trust anchor of an ARN or alias ARN.
    pub(crate) fn find_trust_anchor(&self, arn: &str) -> Option<Arc<TrustAnchor>> {
        self.trust_anchors.find(arn).map(Arc::clone)
    }

    /// The profile of an ARN or alias ARN.
    pub(crate) fn find_profile(&self, arn: &str) -> Option<Arc<Profile>> {
        self.profiles.find(arn).map(Arc::clone)
    }

    /// The role of an ARN.
    pub(crate) fn find_role(&self, arn: &str) -> Option<Arc<Role>> {
        self.roles.find(arn).map(Arc::clone)
    }

    /// The enabled CRLs of a trust anchor.
    pub(crate) fn enabled_crls(&self, trust_anchor_arn: &str) -> &[Arc<Crl>] {
        self.enabled_crls
            .get(trust_anchor_arn)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    pub(crate) fn trust_anchor_named(&self, name: &str) -> Option<Arc<TrustAnchor>> {
        let mut all = self.trust_anchors.values();
        all.find(|anchor| anchor.name == name).map(Arc::clone)
    }

    pub(crate) fn profile_named(&self, name: &str) -> Option<Arc<Profile>> {
        let mut all = self.profiles.values();
        all.find(|profile| profile.name == name).map(Arc::clone)
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<Arc<Role>> {
        let mut all = self.roles.values();
        all.find(|role| role.name == name).map(Arc::clone)
    }

    /// Parses a trust anchor among these resources.
    pub(crate) fn trust_anchor(
        &self,
        spec: config::TrustAnchor,
        times: Times,
    ) -> std::result::Result<Arc<TrustAnchor>, Invalid> {
        TrustAnchor::new(spec, &self.account, times)
    }

    /// Parses a profile among these resources.
    pub(crate) fn profile(
        &self,
        spec: config::Profile,
        times: Times,
    ) -> std::result::Result<Arc<Profile>, Invalid> {
        Profile::new(spec, &self.account, times, |name| {
            self.role_named(name).map(|role| role.arn.clone())
        })
    }

    /// Parses a role among these resources.
    pub(crate) fn role(
        &self,
        spec: config::Role,
        times: Times,
    ) -> std::result::Result<Arc<Role>, Invalid> {
        Role::new(spec, &self.account, times)
    }

    /// Parses a CRL among these resources, whose trust anchor must be there.
    pub(crate) fn crl(
        &self,
        spec: config::Crl,
        times: Times,
        previous: Option<&Crl>,
    ) -> std::result::Result<Arc<Crl>, Invalid> {
        let anchor_named = |name: &str| {
            if name.starts_with("arn:") {
                self.find_trust_anchor(name)
            } else {
                self.trust_anchor_named(name)
            }
        };
        Crl::new(spec, &self.account, times, anchor_named, previous)
    }

    /// Brings the index of enabled CRLs up to date, after a change of CRLs.
    pub(crate) fn index_crls(&mut self) {
        self.enabled_crls.clear();
        for crl in self.crls.values().filter(|crl| crl.enabled) {
            self.enabled_crls
                .entry(crl.trust_anchor_arn.clone())
                .or_default()
                .push(Arc::clone(crl));
        }
    }
}

/// In a file nothing is replaced: what stands twice is a mistake.
fn once<T: Resource>(table: &mut Table<T>, resource: Arc<T>) -> std::result::Result<(), Invalid> {
    if table.find(resource.arn()).is_some() {
        return Err(Invalid::new(format!(
            "`{}` stands twice: give each its own name",
            resource.arn()
        )));
    }
    table.put(resource)
}
