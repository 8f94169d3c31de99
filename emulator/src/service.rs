//! The service itself, without any IO: a request and the time go in, a response comes out.

use std::sync::{Arc, PoisonError, RwLock};

use rolesanywhere_core::{Result, UnixTime};

use crate::{
    audit::{AuditLog, AuditRecord, Outcome},
    config::{Config, Settings},
    console,
    create_session::create_session,
    error::{Fault, Refusal},
    identifier::random_uuid,
    message::{Request, Response},
    metrics::Counters,
    notifications::Notifications,
    random::{Random, SystemRandom},
    store::{Account, IssuedCredentials, Resources, Subjects},
    sts,
};

/// IAM Roles Anywhere and the one operation of STS that proves its credentials, for one account in
/// one region.
///
/// [`handle`](Self::handle) takes `&self` and may be called from many threads at once.
#[derive(Debug)]
pub struct Service {
    account: Arc<Account>,
    base_path: String,
    resources: RwLock<Arc<Resources>>,
    subjects: Subjects,
    issued: IssuedCredentials,
    audit: AuditLog,
    counters: Counters,
    good_signatures: crate::verification::GoodSignatures,
    notifications: Notifications,
    random: Box<dyn Random>,
}

/// The longest body that is read. CreateSession's own is at most fifty instance properties of twice
/// 200 characters, which JSON can stretch to six bytes each: 120,000 bytes.
pub const MAX_BODY_LENGTH: usize = 256 * 1_024;

impl Service {
    /// Makes a service of what `config` describes, with the operating system's randomness.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](rolesanywhere_core::ErrorKind::InvalidInput) naming the resource
    /// and what is wrong with it.
    pub fn new(config: &Config) -> Result<Self> {
        Self::with_random(config, Box::new(SystemRandom::new()))
    }

    /// Makes a service whose random bytes come from `random`: with a source that repeats itself,
    /// every answer does.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_random(config: &Config, random: Box<dyn Random>) -> Result<Self> {
        let made_at = UnixTime::from_seconds(0);
        Self::open(config, random, made_at)
    }

    /// Makes a service as [`with_random`](Self::with_random) does, whose resources were created at
    /// `now`; the others' were at the beginning of 1970.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn open(config: &Config, random: Box<dyn Random>, now: UnixTime) -> Result<Self> {
        let account = Arc::new(Account::new(config)?);
        let resources = Resources::new(config, Arc::clone(&account), now)?;
        Ok(Self {
            base_path: config.base_path.clone(),
            resources: RwLock::new(Arc::new(resources)),
            subjects: Subjects::default(),
            issued: IssuedCredentials::new(config.settings.issued_credentials),
            audit: AuditLog::new(config.settings.audit_records),
            counters: Counters::default(),
            good_signatures: crate::verification::GoodSignatures::default(),
            notifications: Notifications::default(),
            account,
            random,
        })
    }

    /// Answers one request. Every answer has an audit record, which is written before this returns.
    pub fn handle(&self, request: &Request, now: UnixTime) -> Response {
        // Without randomness the answer is an error, and its id need not be unique.
        let request_id = random_uuid(self.random()).unwrap_or_default();
        let path = request.path().strip_prefix(&self.base_path);
        if console::wants(request, path.unwrap_or("/-")) {
            return self.console(request, &request_id, now);
        }
        let (operation, answer): (&str, Operation) =
            match (request.method.as_str(), path.unwrap_or_default()) {
                _ if request.body.len() > MAX_BODY_LENGTH => ("", Self::too_large),
                ("POST", "/sessions") => ("CreateSession", Self::create_session),
                ("GET" | "POST", "/") => ("GetCallerIdentity", sts::get_caller_identity),
                _ => ("", Self::unknown_operation),
            };
        let mut record = AuditRecord::new(now, &request_id, operation);
        record.source = request.peer;
        record.user_agent = request.header("user-agent").map(str::to_owned);
        if operation.is_empty() {
            record.operation = shown_operation(request);
        }
        let response = answer(self, request, now, &mut record);
        self.counters.count(&record);
        self.audit.push(record);
        response
    }

    /// The newest audit records, oldest first; as many as the setting `audit_records` keeps.
    pub fn audit_records(&self) -> Vec<AuditRecord> {
        self.audit.records()
    }

    /// What CAs were found to have signed.
    pub(crate) fn good_signatures(&self) -> &crate::verification::GoodSignatures {
        &self.good_signatures
    }

    /// How many issued credentials are kept.
    pub fn issued_credentials(&self) -> usize {
        self.issued.count()
    }

    /// The ARN of the trust anchor of this name.
    pub fn trust_anchor_arn(&self, name: &str) -> Option<String> {
        let anchor = self.resources().trust_anchor_named(name)?;
        Some(anchor.arn.clone())
    }

    /// The ARN of the profile of this name.
    pub fn profile_arn(&self, name: &str) -> Option<String> {
        let profile = self.resources().profile_named(name)?;
        Some(profile.arn.clone())
    }

    /// The ARN of the role of this name.
    pub fn role_arn(&self, name: &str) -> Option<String> {
        let role = self.resources().role_named(name)?;
        Some(role.arn.clone())
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.account.region
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.account.settings
    }

    pub(crate) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    pub(crate) fn audit(&self) -> &AuditLog {
        &self.audit
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn notifications(&self) -> &Notifications {
        &self.notifications
    }

    pub(crate) fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    pub(crate) fn issued(&self) -> &IssuedCredentials {
        &self.issued
    }

    /// The resources as they are now; a change puts another value in their place.
    pub(crate) fn resources(&self) -> Arc<Resources> {
        let resources = self
            .resources
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&resources)
    }

    fn create_session(
        &self,
        request: &Request,
        now: UnixTime,
        record: &mut AuditRecord,
    ) -> Response {
        match create_session(self, request, now, record) {
            Ok(issued) => {
                record.outcome = Outcome::Succeeded {
                    access_key_id: issued.access_key_id,
                    assumed_role_arn: issued.assumed_role_arn,
                    source_identity: issued.source_identity,
                };
                record.session = Some(issued.session);
                Response::new(
                    201,
                    "application/json",
                    &record.request_id,
                    now,
                    issued.body,
                )
            }
            Err((check, refusal)) => {
                record.refuse(check, &refusal);
                refusal.to_response(&record.request_id, now)
            }
        }
    }

    fn unknown_operation(
        &self,
        request: &Request,
        now: UnixTime,
        record: &mut AuditRecord,
    ) -> Response {
        let detail = format!("no operation answers to {}", shown_operation(request));
        let refusal = Refusal::with_detail(Fault::UnknownOperation, detail.clone(), detail);
        record.refuse("route", &refusal);
        refusal.to_response(&record.request_id, now)
    }

    fn too_large(&self, _: &Request, now: UnixTime, record: &mut AuditRecord) -> Response {
        let detail = format!("the body is longer than {MAX_BODY_LENGTH} bytes");
        let refusal = Refusal::with_detail(Fault::RequestTooLarge, detail.clone(), detail);
        record.refuse("route", &refusal);
        refusal.to_response(&record.request_id, now)
    }
}

type Operation = fn(&Service, &Request, UnixTime, &mut AuditRecord) -> Response;

/// Method and path, cut short: both are the client's.
fn shown_operation(request: &Request) -> String {
    const SHOWN: usize = 100;
    format!("{} {}", request.method, request.path())
        .chars()
        .take(SHOWN)
        .collect()
}
