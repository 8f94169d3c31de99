//! The state file: what the control plane and IAM have acknowledged, kept through a crash.
//!
//! An embedded database (redb) holds one record for each resource and subject. A change is committed,
//! synced to the disk, before it is acknowledged. Only when a known subject was seen again waits for
//! [`StateFile::write_subjects`].

use std::{collections::BTreeSet, fmt, path::Path};

use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction,
};
use rolesanywhere_core::{Error, ErrorKind, Result, UnixTime};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use zeroize::Zeroizing;

use crate::store::{Account, Kind, Resource, SessionCredentials, Subject, Times, seconds};

/// From kind and ARN, `KIND ARN`, to JSON of a [`Record`].
const RESOURCES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("resources");
/// From id to JSON of a [`Subject`].
const SUBJECTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("subjects");
/// The ARNs that a configuration has brought in once; from then on the file decides about them.
const CONFIGURED: TableDefinition<'_, &str, ()> = TableDefinition::new("configured");
/// From access key id to JSON of a [`StoredCredentials`].
const CREDENTIALS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("credentials");
/// What the file is.
const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");

/// The version of the records.
const FORMAT: &str = "1";
/// redb's own default is a gibibyte; everything here is in memory anyway.
const CACHE_BYTES: usize = 4 << 20;

/// A resource as the file has it: what it was parsed from.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Record<S> {
    pub(crate) spec: S,
    pub(crate) times: Times,
}

/// Issued credentials as the file has them. Wiped when dropped.
#[derive(Deserialize, Serialize)]
struct StoredCredentials {
    secret_access_key: Zeroizing<String>,
    session_token: Zeroizing<String>,
    #[serde(with = "seconds")]
    expiration: UnixTime,
    assumed_role_arn: String,
    assumed_role_id: String,
}

/// One write: a record, or `None` where it goes.
#[derive(Debug)]
pub(crate) struct Write {
    key: String,
    value: Option<Vec<u8>>,
}

impl Write {
    /// Puts a resource in its place.
    pub(crate) fn put<T: Resource>(resource: &T) -> Result<Self>
    where
        T::Spec: Serialize,
    {
        let record = Record {
            spec: resource.spec(),
            times: resource.times(),
        };
        Ok(Self {
            key: key(T::KIND, resource.arn()),
            value: Some(serde_json::to_vec(&record).map_err(failed)?),
        })
    }

    /// Takes a resource out.
    pub(crate) fn remove<T: Resource>(resource: &T) -> Self {
        Self {
            key: key(T::KIND, resource.arn()),
            value: None,
        }
    }
}

fn key(kind: Kind, arn: &str) -> String {
    format!("{} {arn}", kind.as_str())
}

/// An open state file. No second process can open it.
pub(crate) struct StateFile(Database);

impl fmt::Debug for StateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateFile")
    }
}

impl StateFile {
    /// Opens a file, or makes it where it is not there, for one account in one region.
    pub(crate) fn open(path: &Path, account: &Account) -> Result<Self> {
        let shown = path.display();
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // Subjects' names and certificates are nobody else's business.
            options.mode(0o600);
        }
        let refuse = |error: &dyn fmt::Display| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the state file `{shown}` cannot be used: {error}"),
            )
        };
        drop(options.open(path).map_err(|error| refuse(&error))?);
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)
            .map_err(|error| refuse(&error))?;
        let place = account.arn("");
        let state = Self(database);
        for (name, value) in [("format", FORMAT), ("place", place.as_str())] {
            let have = state.meta(name)?;
            if have.as_deref().is_some_and(|have| have != value) {
                return Err(refuse(&format!(
                    "its {name} is `{}`, not `{value}`; name another file",
                    have.unwrap_or_default()
                )));
            }
        }
        state.commit(|transaction| {
            let mut meta = transaction.open_table(META).map_err(failed)?;
            meta.insert("format", FORMAT).map_err(failed)?;
            meta.insert("place", place.as_str()).map_err(failed)?;
            Ok(())
        })?;
        Ok(state)
    }

    /// Every record of a kind.
    pub(crate) fn records<S: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<Record<S>>> {
        let prefix = format!("{} ", kind.as_str());
        let mut records = Vec::new();
        self.each(RESOURCES, |key, value| {
            if key.starts_with(&prefix) {
                records.push(serde_json::from_slice(value).map_err(failed)?);
            }
            Ok(())
        })?;
        Ok(records)
    }

    /// Every subject.
    pub(crate) fn subjects(&self) -> Result<Vec<Subject>> {
        let mut subjects = Vec::new();
        self.each(SUBJECTS, |_, value| {
            subjects.push(serde_json::from_slice(value).map_err(failed)?);
            Ok(())
        })?;
        Ok(subjects)
    }

    /// The ARNs that a configuration has brought in.
    pub(crate) fn configured(&self) -> Result<BTreeSet<String>> {
        let transaction = self.0.begin_read().map_err(failed)?;
        let table = match transaction.open_table(CONFIGURED) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(BTreeSet::new()),
            Err(error) => return Err(failed(error)),
        };
        let arns = table.iter().map_err(failed)?;
        arns.map(|entry| Ok(entry.map_err(failed)?.0.value().to_owned()))
            .collect()
    }

    /// Writes resources, and that a configuration has brought in `configured`: all or nothing. They
    /// are on the disk when this returns.
    pub(crate) fn write(&self, writes: &[Write], configured: &[String]) -> Result<()> {
        self.commit(|transaction| {
            let mut table = transaction.open_table(RESOURCES).map_err(failed)?;
            for write in writes {
                match &write.value {
                    Some(value) => table.insert(write.key.as_str(), value.as_slice()),
                    None => table.remove(write.key.as_str()),
                }
                .map_err(failed)?;
            }
            let mut table = transaction.open_table(CONFIGURED).map_err(failed)?;
            for arn in configured {
                table.insert(arn.as_str(), ()).map_err(failed)?;
            }
            Ok(())
        })
    }

    /// Writes subjects. They are on the disk when this returns.
    pub(crate) fn write_subjects(&self, subjects: &[Subject]) -> Result<()> {
        self.commit(|transaction| {
            let mut table = transaction.open_table(SUBJECTS).map_err(failed)?;
            for subject in subjects {
                let value = serde_json::to_vec(subject).map_err(failed)?;
                table
                    .insert(subject.id.as_str(), value.as_slice())
                    .map_err(failed)?;
            }
            Ok(())
        })
    }

    /// Writes issued credentials, and forgets those that made room. They are on the disk when this
    /// returns.
    pub(crate) fn write_credentials(
        &self,
        issued: &SessionCredentials,
        forgotten: &[String],
    ) -> Result<()> {
        let stored = StoredCredentials {
            secret_access_key: Zeroizing::new(issued.secret_access_key.to_string()),
            session_token: Zeroizing::new(issued.session_token.to_string()),
            expiration: issued.expiration,
            assumed_role_arn: issued.assumed_role_arn.clone(),
            assumed_role_id: issued.assumed_role_id.clone(),
        };
        let value = Zeroizing::new(serde_json::to_vec(&stored).map_err(failed)?);
        self.commit(|transaction| {
            let mut table = transaction.open_table(CREDENTIALS).map_err(failed)?;
            table
                .insert(issued.access_key_id.as_str(), value.as_slice())
                .map_err(failed)?;
            for id in forgotten {
                table.remove(id.as_str()).map_err(failed)?;
            }
            Ok(())
        })
    }

    /// The issued credentials that are still good at `now`, the oldest first; the others are forgotten.
    pub(crate) fn credentials(
        &self,
        account: &str,
        now: UnixTime,
    ) -> Result<Vec<SessionCredentials>> {
        let (mut good, mut expired) = (Vec::new(), Vec::new());
        self.each(CREDENTIALS, |id, value| {
            let stored: StoredCredentials = serde_json::from_slice(value).map_err(failed)?;
            if stored.expiration <= now {
                expired.push(id.to_owned());
                return Ok(());
            }
            good.push(SessionCredentials {
                access_key_id: id.to_owned(),
                secret_access_key: stored.secret_access_key,
                session_token: stored.session_token,
                expiration: stored.expiration,
                assumed_role_arn: stored.assumed_role_arn,
                assumed_role_id: stored.assumed_role_id,
                account: account.to_owned(),
            });
            Ok(())
        })?;
        self.commit(|transaction| {
            let mut table = transaction.open_table(CREDENTIALS).map_err(failed)?;
            for id in &expired {
                table.remove(id.as_str()).map_err(failed)?;
            }
            Ok(())
        })?;
        good.sort_by_key(|credentials| credentials.expiration);
        Ok(good)
    }

    /// Forgets everything but whose it is.
    pub(crate) fn clear(&self) -> Result<()> {
        self.commit(|transaction| {
            transaction.delete_table(RESOURCES).map_err(failed)?;
            transaction.delete_table(SUBJECTS).map_err(failed)?;
            transaction.delete_table(CREDENTIALS).map_err(failed)?;
            transaction.delete_table(CONFIGURED).map_err(failed)?;
            Ok(())
        })
    }

    fn meta(&self, name: &str) -> Result<Option<String>> {
        let transaction = self.0.begin_read().map_err(failed)?;
        match transaction.open_table(META) {
            Ok(table) => {
                let value = table.get(name).map_err(failed)?;
                Ok(value.map(|value| value.value().to_owned()))
            }
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn each(
        &self,
        table: TableDefinition<'static, &'static str, &'static [u8]>,
        mut take: impl FnMut(&str, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let transaction = self.0.begin_read().map_err(failed)?;
        let table = match transaction.open_table(table) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in table.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            take(key.value(), value.value())?;
        }
        Ok(())
    }

    /// One transaction, durable when this returns (redb's default).
    fn commit(&self, fill: impl FnOnce(&WriteTransaction) -> Result<()>) -> Result<()> {
        let transaction = self.0.begin_write().map_err(failed)?;
        fill(&transaction)?;
        transaction.commit().map_err(failed)
    }
}

fn failed(error: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "the state file failed: {error}; see whether the disk is full, or name another file"
        ),
    )
}
