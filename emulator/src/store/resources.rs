//! Trust anchors, profiles, roles and CRLs.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use rolesanywhere_core::{Result, UnixTime};

use crate::{
    config::{self, Config},
    state::{Record, StateFile, Write},
};

use super::{
    Account, Crl, CrlSource, Invalid, Profile, Role, TrustAnchor,
    table::{Kind, Resource, Table, Times},
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
    /// No resources.
    pub(crate) fn empty(account: Arc<Account>) -> Self {
        Self {
            account,
            trust_anchors: Table::default(),
            profiles: Table::default(),
            roles: Table::default(),
            crls: Table::default(),
            enabled_crls: HashMap::new(),
        }
    }

    /// Takes in what a configuration holds, as made at `now`, save what is `known`: of that another
    /// source has the say. Gives the ARNs of what it took in.
    pub(crate) fn take_in(
        &mut self,
        config: &Config,
        known: &BTreeSet<String>,
        now: UnixTime,
    ) -> Result<Vec<String>> {
        let times = Times::at(now);
        let mut taken = Vec::new();
        let account = Arc::clone(&self.account);
        let arn = |kind: Kind, name: &str, id: Option<&str>| {
            let id = account.resource_id(kind, name, id);
            id.map(|id| account.arn(&format!("{}/{id}", kind.as_str())))
        };
        for spec in &config.roles {
            let arn = account.iam_arn(&format!("role{}{}", spec.path, spec.name));
            if !known.contains(&arn) {
                let made = self.role(spec.clone(), times);
                made.and_then(|role| once(&mut self.roles, role))
                    .map_err(|error| error.in_configuration(&format!("role `{}`", spec.name)))?;
                taken.push(arn);
            }
        }
        for spec in &config.trust_anchors {
            let mut take = || {
                let arn = arn(Kind::TrustAnchor, &spec.name, spec.id.as_deref())?;
                if known.contains(&arn) {
                    return Ok(());
                }
                taken.push(arn);
                once(
                    &mut self.trust_anchors,
                    TrustAnchor::new(spec.clone(), &account, times)?,
                )
            };
            take().map_err(|error: Invalid| {
                error.in_configuration(&format!("trust anchor `{}`", spec.name))
            })?;
        }
        for spec in &config.profiles {
            let mut take = || {
                let arn = arn(Kind::Profile, &spec.name, spec.id.as_deref())?;
                if known.contains(&arn) {
                    return Ok(());
                }
                taken.push(arn);
                let profile = self.profile(spec.clone(), times)?;
                once(&mut self.profiles, profile)
            };
            take().map_err(|error: Invalid| {
                error.in_configuration(&format!("profile `{}`", spec.name))
            })?;
        }
        for spec in &config.crls {
            let mut take = || {
                let arn = arn(Kind::Crl, &spec.name, spec.id.as_deref())?;
                if known.contains(&arn) {
                    return Ok(());
                }
                taken.push(arn);
                let crl = self.crl(spec.clone(), times, CrlSource::New)?;
                once(&mut self.crls, crl)
            };
            take().map_err(|error: Invalid| {
                error.in_configuration(&format!("CRL `{}`", spec.name))
            })?;
        }
        self.index_crls();
        Ok(taken)
    }

    /// Takes in what a state file holds.
    pub(crate) fn load(&mut self, state: &StateFile) -> Result<()> {
        for Record { spec, times } in state.records(Kind::Role)? {
            let role = self.role(spec, times)?;
            self.roles.put(role)?;
        }
        for Record { spec, times } in state.records(Kind::TrustAnchor)? {
            let anchor = self.trust_anchor(spec, times)?;
            self.trust_anchors.put(anchor)?;
        }
        for Record { spec, times } in state.records(Kind::Profile)? {
            let profile = self.profile(spec, times)?;
            self.profiles.put(profile)?;
        }
        for Record { spec, times } in state.records(Kind::Crl)? {
            let crl = self.crl(spec, times, CrlSource::Stored)?;
            self.crls.put(crl)?;
        }
        self.index_crls();
        Ok(())
    }

    /// What makes a state file out of `before` one of these.
    pub(crate) fn writes_since(&self, before: &Self) -> Result<Vec<Write>> {
        let mut writes = Vec::new();
        self.roles.writes_since(&before.roles, &mut writes)?;
        self.trust_anchors
            .writes_since(&before.trust_anchors, &mut writes)?;
        self.profiles.writes_since(&before.profiles, &mut writes)?;
        self.crls.writes_since(&before.crls, &mut writes)?;
        Ok(writes)
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
        source: CrlSource<'_>,
    ) -> std::result::Result<Arc<Crl>, Invalid> {
        let anchor_named = |name: &str| {
            if name.starts_with("arn:") {
                self.find_trust_anchor(name)
            } else {
                self.trust_anchor_named(name)
            }
        };
        Crl::new(spec, &self.account, times, anchor_named, source)
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
