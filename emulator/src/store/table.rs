//! Resources of one kind, by ARN and by alias ARN.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use rolesanywhere_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::state::Write;

use super::Invalid;

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Crl,
    Profile,
    Role,
    Subject,
    TrustAnchor,
}

impl Kind {
    /// The kind as it stands in ARNs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Profile => "profile",
            Self::Role => "role",
            Self::Subject => "subject",
            Self::TrustAnchor => "trust-anchor",
        }
    }
}

/// When a resource was made, and when it was changed last.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct Times {
    #[serde(with = "seconds")]
    pub(crate) created_at: UnixTime,
    #[serde(with = "seconds")]
    pub(crate) updated_at: UnixTime,
}

impl Times {
    /// Made at `now` and not changed since.
    pub(crate) fn at(now: UnixTime) -> Self {
        Self {
            created_at: now,
            updated_at: now,
        }
    }

    /// The same, changed at `now`.
    #[must_use]
    pub(crate) fn updated(self, now: UnixTime) -> Self {
        Self {
            updated_at: now,
            ..self
        }
    }
}

/// [`UnixTime`] as a number of seconds.
pub(crate) mod seconds {
    use rolesanywhere_core::UnixTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(time.seconds())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixTime, D::Error> {
        Ok(UnixTime::from_seconds(i64::deserialize(from)?))
    }
}

/// What all kinds of resources have.
pub(crate) trait Resource {
    /// The plain data that it was parsed from; its id is set.
    type Spec: Clone;
    /// The kind.
    const KIND: Kind;

    fn spec(&self) -> &Self::Spec;
    fn arn(&self) -> &str;
    fn alias_arn(&self) -> Option<&str>;
    fn times(&self) -> Times;

    /// What follows the last `/` of the ARN.
    fn id(&self) -> &str {
        self.arn().rsplit('/').next().unwrap_or_default()
    }
}

/// Resources of one kind. A copy costs one `Arc` and two short texts for each.
#[derive(Debug)]
pub(crate) struct Table<T> {
    by_arn: BTreeMap<String, Arc<T>>,
    /// From alias ARN to ARN.
    aliases: BTreeMap<String, String>,
}

impl<T: Resource> Table<T> {
    /// The resource of an ARN or alias ARN.
    pub(crate) fn find(&self, arn: &str) -> Option<&Arc<T>> {
        let found = self.by_arn.get(arn);
        found.or_else(|| self.by_arn.get(self.aliases.get(arn)?))
    }

    /// Puts a resource in the place of the one of its ARN, if there is one.
    ///
    /// # Errors
    /// When another has its alias.
    pub(crate) fn put(&mut self, resource: Arc<T>) -> Result<(), Invalid> {
        let arn = resource.arn().to_owned();
        if let Some(alias) = resource.alias_arn()
            && self.aliases.get(alias).is_some_and(|holder| *holder != arn)
        {
            return Err(Invalid::new(format!(
                "`{alias}` stands twice: give each its own name"
            )));
        }
        self.remove(&arn);
        if let Some(alias) = resource.alias_arn() {
            self.aliases.insert(alias.to_owned(), arn.clone());
        }
        self.by_arn.insert(arn, resource);
        Ok(())
    }

    /// Takes out the resource of an ARN.
    pub(crate) fn remove(&mut self, arn: &str) -> Option<Arc<T>> {
        let removed = self.by_arn.remove(arn)?;
        if let Some(alias) = removed.alias_arn() {
            self.aliases.remove(alias);
        }
        Some(removed)
    }

    /// All of them in the order of their ARNs.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_arn.values()
    }

    /// Those whose ARN comes after `arn`.
    pub(crate) fn after(&self, arn: &str) -> impl Iterator<Item = &Arc<T>> {
        let after = (Bound::Excluded(arn), Bound::Unbounded);
        self.by_arn.range::<str, _>(after).map(|(_, value)| value)
    }

    /// What makes a state file out of `before` one of these. An `Arc` that both hold has not changed.
    pub(crate) fn writes_since(
        &self,
        before: &Self,
        writes: &mut Vec<Write>,
    ) -> rolesanywhere_core::Result<()>
    where
        T::Spec: Serialize,
    {
        for (arn, resource) in &self.by_arn {
            let had = before.by_arn.get(arn);
            if !had.is_some_and(|had| Arc::ptr_eq(had, resource)) {
                writes.push(Write::put(resource.as_ref())?);
            }
        }
        for (arn, had) in &before.by_arn {
            if !self.by_arn.contains_key(arn) {
                writes.push(Write::remove(had.as_ref()));
            }
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.by_arn.len()
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            by_arn: BTreeMap::new(),
            aliases: BTreeMap::new(),
        }
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self {
            by_arn: self.by_arn.clone(),
            aliases: self.aliases.clone(),
        }
    }
}
