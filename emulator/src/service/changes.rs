//! Changes of what the service knows, in memory and in the state file.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use rolesanywhere_core::{Result, UnixTime};

use super::Service;
use crate::{
    config::Config,
    error::{Fault, Refusal},
    state::StateFile,
    store::{
        Account, IssuedCredentials, Kind, Resources, Seen, SessionCredentials, Subject, Subjects,
    },
};

/// The state file, and which subjects it has not heard the last of.
#[derive(Debug)]
pub(super) struct State {
    file: StateFile,
    /// Seen again since they were written. Held while a subject is written, so that nobody is told of
    /// a subject that is not in the file yet.
    seen_again: Mutex<BTreeSet<String>>,
}

/// What the service begins with: the state file's resources, subjects and credentials, then the configuration's.
pub(super) fn first_resources(
    config: &Config,
    account: &Arc<Account>,
    subjects: &Subjects,
    issued: &IssuedCredentials,
    now: UnixTime,
) -> Result<(Resources, Option<State>)> {
    let mut resources = Resources::empty(Arc::clone(account));
    let Some(path) = &config.state_file else {
        resources.take_in(config, &BTreeSet::new(), now)?;
        return Ok((resources, None));
    };
    let file = StateFile::open(path, account)?;
    resources.load(&file)?;
    for subject in file.subjects()? {
        subjects.put(subject);
    }
    for credentials in file.credentials(&account.id, now)? {
        issued.insert(credentials);
    }
    take_in(&mut resources, &file, config, now)?;
    let state = State {
        file,
        seen_again: Mutex::default(),
    };
    Ok((resources, Some(state)))
}

/// Takes in what of the configuration the file has never known, and writes that it did.
fn take_in(
    resources: &mut Resources,
    file: &StateFile,
    config: &Config,
    now: UnixTime,
) -> Result<()> {
    let before = resources.clone();
    let taken = resources.take_in(config, &file.configured()?, now)?;
    file.write(&resources.writes_since(&before)?, &taken)
}

impl Service {
    /// Changes resources: all of `change`, or nothing where it refuses. One change at a time; calls
    /// that are being answered keep the resources that they began with. With a state file, the change
    /// is on the disk before anybody sees it.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Resources) -> std::result::Result<T, Refusal>,
    ) -> std::result::Result<T, Refusal> {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.resources();
        let mut resources = Resources::clone(&before);
        let changed = change(&mut resources)?;
        resources.index_crls();
        if let Some(state) = &self.state {
            let writes = resources.writes_since(&before);
            writes
                .and_then(|writes| state.file.write(&writes, &[]))
                .map_err(not_written)?;
        }
        self.replace(resources);
        Ok(changed)
    }

    /// Refuses one more resource of a kind than the quota allows. A resource is not there yet when it
    /// is asked for.
    pub(crate) fn check_quota(
        &self,
        resources: &Resources,
        kind: Kind,
        trust_anchor_arn: Option<&str>,
    ) -> std::result::Result<(), Refusal> {
        let limits = &self.settings().limits;
        let (limit, have) = match kind {
            Kind::TrustAnchor => (limits.trust_anchors, resources.trust_anchors.len()),
            Kind::Profile => (limits.profiles, resources.profiles.len()),
            Kind::Crl => {
                let crls = resources.crls.values();
                let same =
                    crls.filter(|crl| Some(crl.trust_anchor_arn.as_str()) == trust_anchor_arn);
                (limits.crls_per_trust_anchor, same.count())
            }
            Kind::Role | Kind::Subject => (None, 0),
        };
        match limit {
            Some(limit) if have >= limit => {
                let message = format!("The quota of {limit} is used up: {}", kind.as_str());
                Err(Refusal::with_detail(
                    Fault::Validation,
                    message.clone(),
                    message,
                ))
            }
            _ => Ok(()),
        }
    }

    /// Changes the subject of a UUID; on the disk, where there is a state file, when this returns.
    pub(crate) fn change_subject(
        &self,
        id: &str,
        change: impl FnOnce(&mut Subject) -> std::result::Result<(), Refusal>,
    ) -> std::result::Result<(), Refusal> {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subject = self.subjects.find(id).ok_or_else(|| {
            let message = format!("There is no subject {id}");
            Refusal::with_detail(Fault::ResourceNotFound, message.clone(), message)
        })?;
        change(&mut subject)?;
        let tags = subject.tags.clone();
        if let Some(state) = &self.state {
            state.write(&[subject]).map_err(not_written)?;
        }
        // Sessions may have changed the rest meanwhile.
        self.subjects.change(id, |subject| subject.tags = tags);
        Ok(())
    }

    /// Writes what was seen of a subject. With a state file, a new subject or certificate is on the
    /// disk when this returns; that a known one was seen again waits for [`flush`](Self::flush).
    pub(crate) fn record_subject(
        &self,
        id: &str,
        seen: &Seen<'_>,
    ) -> std::result::Result<(), Refusal> {
        let Some(state) = &self.state else {
            self.subjects.record(id, seen);
            return Ok(());
        };
        let mut seen_again = state
            .seen_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.subjects.record(id, seen) {
            seen_again.insert(id.to_owned());
            return Ok(());
        }
        let subject: Vec<Subject> = self.subjects.find(id).into_iter().collect();
        state.file.write_subjects(&subject).map_err(not_written)
    }

    /// Keeps issued credentials, so that STS knows them: after a crash as well, where there is a state
    /// file.
    pub(crate) fn keep_credentials(
        &self,
        credentials: SessionCredentials,
    ) -> std::result::Result<Arc<SessionCredentials>, Refusal> {
        let (kept, forgotten) = self.issued.insert(credentials);
        if let Some(state) = &self.state {
            state
                .file
                .write_credentials(&kept, &forgotten)
                .map_err(not_written)?;
        }
        Ok(kept)
    }

    /// Writes to the state file when subjects were seen last. The server calls it every second and
    /// when it stops; without a state file there is nothing to do.
    ///
    /// # Errors
    /// When the state file cannot be written.
    pub fn flush(&self) -> Result<()> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let mut seen_again = state
            .seen_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if seen_again.is_empty() {
            return Ok(());
        }
        let subjects: Vec<Subject> = seen_again
            .iter()
            .filter_map(|id| self.subjects.find(id))
            .collect();
        state.file.write_subjects(&subjects)?;
        seen_again.clear();
        Ok(())
    }

    /// Goes back to what the configuration holds, created at `now`, in the state file too.
    pub(super) fn begin_anew(&self, now: UnixTime) -> Result<()> {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut resources = Resources::empty(Arc::clone(&self.account));
        match &self.state {
            None => {
                resources.take_in(&self.config, &BTreeSet::new(), now)?;
            }
            Some(state) => {
                let mut seen_again = state
                    .seen_again
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                seen_again.clear();
                state.file.clear()?;
                take_in(&mut resources, &state.file, &self.config, now)?;
            }
        }
        self.subjects.clear();
        self.replace(resources);
        Ok(())
    }

    fn replace(&self, resources: Resources) {
        let mut current = self
            .resources
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(resources);
    }
}

impl State {
    fn write(&self, subjects: &[Subject]) -> Result<()> {
        let _one_at_a_time = self
            .seen_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.file.write_subjects(subjects)
    }
}

fn not_written(error: rolesanywhere_core::Error) -> Refusal {
    Refusal::new(Fault::InternalFailure, error.message())
}
