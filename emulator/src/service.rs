//! The service itself, without any IO: a request and the time go in, a response comes out.

mod changes;
mod testing;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rolesanywhere_core::{Result, UnixTime};

use crate::{
    audit::{AuditLog, AuditRecord, Outcome},
    clock::ServiceClock,
    config::{Config, Settings},
    console, control_plane,
    create_session::create_session,
    error::{Fault, Refusal},
    faults::{Effect, Faults},
    iam,
    identifier::random_uuid,
    message::{Request, Response},
    metrics::Counters,
    notifications::Notifications,
    random::{Random, SystemRandom},
    store::{Account, IssuedCredentials, Resources, Subjects},
    sts, test_api,
    throttle::{self, Throttle},
};

/// IAM Roles Anywhere and the one operation of STS that proves its credentials, for one account in
/// one region.
///
/// [`handle`](Self::handle) takes `&self` and may be called from many threads at once.
#[derive(Debug)]
pub struct Service {
    config: Config,
    account: Arc<Account>,
    resources: RwLock<Arc<Resources>>,
    /// Held while resources are changed.
    writer: Mutex<()>,
    subjects: Subjects,
    state: Option<changes::State>,
    throttle: Throttle,
    clock: ServiceClock,
    faults: Faults,
    issued: IssuedCredentials,
    audit: AuditLog,
    counters: Counters,
    good_signatures: crate::verification::GoodSignatures,
    notifications: Notifications,
    random: Box<dyn Random>,
}

/// The longest body that is read. ImportCrl's is the longest: 300,000 bytes are 400,000 of base64, and
/// JSON can stretch 200 tags of 384 characters to six bytes each, 460,800.
pub const MAX_BODY_LENGTH: usize = 1_024 * 1_024;

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

    /// Makes a service at the time `now`. Where the configuration names a state file, it holds what the
    /// file holds, and of the configuration what the file has never known; else what the configuration
    /// holds, created at `now`. ([`new`](Self::new) creates at the beginning of 1970.)
    ///
    /// # Errors
    /// As [`new`](Self::new); and when the state file cannot be used.
    pub fn open(config: &Config, random: Box<dyn Random>, now: UnixTime) -> Result<Self> {
        let account = Arc::new(Account::new(config)?);
        let subjects = Subjects::default();
        let issued = IssuedCredentials::new(config.settings.issued_credentials);
        let (resources, state) =
            changes::first_resources(config, &account, &subjects, &issued, now)?;
        Ok(Self {
            config: config.clone(),
            resources: RwLock::new(Arc::new(resources)),
            writer: Mutex::new(()),
            subjects,
            state,
            issued,
            audit: AuditLog::new(config.settings.audit_records),
            counters: Counters::default(),
            good_signatures: crate::verification::GoodSignatures::default(),
            notifications: Notifications::default(),
            throttle: Throttle::default(),
            clock: ServiceClock::default(),
            faults: Faults::default(),
            account,
            random,
        })
    }

    /// Answers one request. Every answer of the service has an audit record, which is written before
    /// this returns. With a state file this may wait for the disk.
    pub fn handle(&self, request: &Request, now: UnixTime) -> Response {
        // Without randomness the answer is an error, and its id need not be unique.
        let request_id = random_uuid(self.random()).unwrap_or_default();
        let route = self.route(request);
        if let Route::TestApi(path) = route {
            return test_api::answer(self, path, request, &request_id, now);
        }
        if let Route::Console = route {
            return self.console(request, &request_id, self.clock.at(now));
        }
        let operation = route.operation(request);
        let effect = self.faults.take(&operation);
        let injected = effect.as_ref().and_then(Effect::refusal);
        let admitted = self.admit(&route, request, now);
        let now = self.clock.at(now);
        let mut record = AuditRecord::new(now, &request_id, &operation);
        record.source = request.peer;
        record.user_agent = request.header("user-agent").map(str::to_owned);
        let response = match (injected, admitted) {
            (Some(refusal), _) | (None, Err(refusal)) => {
                record.refuse("admission", &refusal);
                match route {
                    Route::Iam(_) | Route::Sts => iam::refused(refusal, &request_id, now),
                    _ => refusal.to_response(&request_id, now),
                }
            }
            (None, Ok(())) => self.answer(&route, request, now, &mut record),
        };
        self.counters.count(&record);
        self.audit.push(record);
        match effect {
            Some(effect) => effect.apply(response, now),
            None => response,
        }
    }

    fn answer(
        &self,
        route: &Route<'_>,
        request: &Request,
        now: UnixTime,
        record: &mut AuditRecord,
    ) -> Response {
        match route {
            Route::ControlPlane(operation, path) => {
                control_plane::answer(self, operation, path, request, now, record)
            }
            Route::CreateSession => self.create_session(request, now, record),
            Route::Iam(_) => iam::answer(self, request, now, record),
            Route::Sts => sts::get_caller_identity(self, request, now, record),
            Route::TooLarge => self.too_large(now, record),
            Route::Console | Route::TestApi(_) | Route::Unknown => {
                self.unknown_operation(request, now, record)
            }
        }
    }

    fn route<'r>(&self, request: &'r Request) -> Route<'r> {
        let path = request.path().strip_prefix(&self.config.base_path);
        // Below no base path, nothing answers.
        let path = path.unwrap_or("/-");
        match (request.method.as_str(), path) {
            _ if request.body.len() > MAX_BODY_LENGTH => Route::TooLarge,
            _ if console::wants(request, path) => Route::Console,
            ("POST", "/sessions") => Route::CreateSession,
            ("POST", "/") => iam::action(request).map_or(Route::Sts, Route::Iam),
            ("GET", "/") => Route::Sts,
            (method, path) => match control_plane::operation(method, path) {
                Some(operation) => Route::ControlPlane(operation, path),
                None => path
                    .strip_prefix(test_api::PREFIX)
                    .map_or(Route::Unknown, Route::TestApi),
            },
        }
    }

    /// Holds a call to the quotas of calls per second, which go by the true time.
    fn admit(&self, route: &Route<'_>, request: &Request, now: UnixTime) -> Admission {
        let limits = &self.settings().limits;
        let limit = match route {
            Route::ControlPlane(..) => limits.control_plane_calls_per_second,
            Route::CreateSession => limits.create_sessions_per_second,
            _ => None,
        };
        let Some(limit) = limit else {
            return Ok(());
        };
        let keys: Vec<throttle::Key> = match route {
            Route::ControlPlane(operation, _) => vec![throttle::Key::Group(operation.group)],
            _ => {
                let certificate = request.header("x-amz-x509").unwrap_or_default();
                let address = request.peer.map(throttle::Key::Address);
                let certificate = self.throttle.certificate(certificate);
                std::iter::once(certificate).chain(address).collect()
            }
        };
        if self.throttle.admit(&keys, limit, now) {
            return Ok(());
        }
        Err(Refusal::new(
            Fault::Throttled,
            format!("more than {limit} calls in this second, which `limits` allows"),
        ))
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

    /// The secret of a long-term access key of the configuration.
    pub(crate) fn access_key(&self, id: &str) -> Option<&str> {
        let mut keys = self.config.access_keys.iter();
        keys.find(|key| key.id == id).map(|key| key.secret.as_str())
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

    fn too_large(&self, now: UnixTime, record: &mut AuditRecord) -> Response {
        let detail = format!("the body is longer than {MAX_BODY_LENGTH} bytes");
        let refusal = Refusal::with_detail(Fault::RequestTooLarge, detail.clone(), detail);
        record.refuse("route", &refusal);
        refusal.to_response(&record.request_id, now)
    }
}

/// Whether a call is within the quotas.
type Admission = std::result::Result<(), Refusal>;

/// What a request is for.
#[derive(Debug)]
enum Route<'r> {
    /// The operation, and the path below the base path.
    ControlPlane(&'static control_plane::Operation, &'r str),
    /// The page for people.
    Console,
    CreateSession,
    /// The action.
    Iam(String),
    Sts,
    /// What follows the prefix of the path.
    TestApi(&'r str),
    TooLarge,
    Unknown,
}

impl Route<'_> {
    /// What the audit record and injected faults call it.
    fn operation(&self, request: &Request) -> String {
        match self {
            Self::ControlPlane(operation, _) => operation.name.to_owned(),
            Self::CreateSession => "CreateSession".to_owned(),
            Self::Iam(action) => action.clone(),
            Self::Sts => "GetCallerIdentity".to_owned(),
            Self::Console | Self::TestApi(_) | Self::TooLarge | Self::Unknown => {
                shown_operation(request)
            }
        }
    }
}

/// Method and path, cut short: both are the client's.
fn shown_operation(request: &Request) -> String {
    const SHOWN: usize = 100;
    format!("{} {}", request.method, request.path())
        .chars()
        .take(SHOWN)
        .collect()
}
