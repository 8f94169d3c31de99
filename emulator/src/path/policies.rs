//! Certificate policies (RFC 5280, 6.1; RFC 9618): whether a path has a policy where one is asked for.
//!
//! The service asks for none: whatever policy the CAs allow will do. So only the policies of the newest
//! depth are kept, not the whole graph: what an earlier depth had decides nothing more.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::{Failure, Kind};
use crate::certificate::{Certificate, Oid};

/// anyPolicy, 2.5.29.32.0.
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];

/// What has become of the policies on the way down from the trust anchor.
pub(super) struct Policies {
    /// Each policy that is valid at this depth, and those that the next certificate may call it by;
    /// empty when none is left.
    valid: BTreeMap<Oid, BTreeSet<Oid>>,
    /// How many more certificates may pass before a policy is asked for.
    explicit: u32,
    /// How many more certificates may map policies.
    mapping: u32,
    /// In how many more certificates anyPolicy counts.
    any: u32,
}

impl Policies {
    /// At the trust anchor (RFC 5280, 6.1.2): any policy, as often as wanted.
    pub(super) fn new() -> Self {
        let any = Oid::from(ANY);
        Self {
            valid: [(any.clone(), [any].into())].into(),
            explicit: u32::MAX,
            mapping: u32::MAX,
            any: u32::MAX,
        }
    }

    /// The next certificate (6.1.3, d to f).
    pub(super) fn enter(
        &mut self,
        certificate: &Certificate,
        is_last: bool,
    ) -> Result<(), Failure> {
        let may_be_any = self.any > 0 || (!is_last && certificate.is_self_issued());
        self.valid = match &certificate.constraints.policies {
            None => BTreeMap::new(),
            Some(policies) => self.narrowed(policies, may_be_any),
        };
        self.check(certificate)
    }

    fn narrowed(&self, policies: &[Oid], may_be_any: bool) -> BTreeMap<Oid, BTreeSet<Oid>> {
        let mut narrowed = BTreeMap::new();
        let mut add = |policy: &Oid| {
            narrowed.insert(policy.clone(), BTreeSet::from([policy.clone()]));
        };
        let takes_any = self.valid.contains_key(ANY);
        let expected: BTreeSet<&Oid> = self.valid.values().flatten().collect();
        for policy in policies.iter().filter(|policy| ***policy != *ANY) {
            if takes_any || expected.contains(policy) {
                add(policy);
            }
        }
        if may_be_any && policies.iter().any(|policy| **policy == *ANY) {
            expected.into_iter().for_each(&mut add);
        }
        narrowed
    }

    /// On the way to the certificate below `issuer` (6.1.4).
    pub(super) fn leave(&mut self, issuer: &Certificate) -> Result<(), Failure> {
        let constraints = &issuer.constraints;
        if let Some(mappings) = &constraints.policy_mappings {
            self.map(issuer, mappings)?;
        }
        if !issuer.is_self_issued() {
            for count in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *count = count.saturating_sub(1);
            }
        }
        for (count, limit) in [
            (&mut self.explicit, constraints.require_explicit_policy),
            (&mut self.mapping, constraints.inhibit_policy_mapping),
            (&mut self.any, constraints.inhibit_any_policy),
        ] {
            *count = limit.unwrap_or(u32::MAX).min(*count);
        }
        Ok(())
    }

    fn map(&mut self, issuer: &Certificate, mappings: &[(Oid, Oid)]) -> Result<(), Failure> {
        let mut groups: BTreeMap<&Oid, BTreeSet<Oid>> = BTreeMap::new();
        for (of_issuer, of_subject) in mappings {
            if **of_issuer == *ANY || **of_subject == *ANY {
                return Err(Failure::new(
                    Kind::Policies,
                    format!("`{}` maps anyPolicy", issuer.subject_text),
                ));
            }
            groups
                .entry(of_issuer)
                .or_default()
                .insert(of_subject.clone());
        }
        let takes_any = self.valid.contains_key(ANY);
        for (policy, names) in groups {
            if self.mapping == 0 {
                self.valid.remove(policy);
            } else if takes_any || self.valid.contains_key(policy) {
                self.valid.insert(policy.clone(), names);
            }
        }
        Ok(())
    }

    /// At the end entity (6.1.5).
    pub(super) fn finish(mut self, end_entity: &Certificate) -> Result<(), Failure> {
        self.explicit = self.explicit.saturating_sub(1);
        if end_entity.constraints.require_explicit_policy == Some(0) {
            self.explicit = 0;
        }
        self.check(end_entity)
    }

    fn check(&self, certificate: &Certificate) -> Result<(), Failure> {
        if self.explicit > 0 || !self.valid.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Policies,
            format!(
                "a certificate policy is asked for (policy constraints), and `{}` has none of those \
                 that its issuers allow",
                certificate.subject_text
            ),
        ))
    }
}
