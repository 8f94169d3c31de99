//! Carries out what the core's provider decides: files, signatures, HTTP, kept sessions and sleep.

use std::{fs, time::UNIX_EPOCH};

use rolesanywhere_core::{
    CertificateChain, Error, ErrorKind, Result, Session, Signature, UnsignedRequest,
    provider::{Action, Advice, Event, HostTime, Loss, NoteKind, Policy, Provider, Window},
};

use crate::{cache::Cache, client::Client, clock, https::HttpsClient, identity::Identity};

/// How much of the stack below a renewal is wiped afterwards, in bytes: the frames that read a key, sign and
/// send take less in an unoptimised build.
const USED_STACK: usize = 128 * 1024;

/// One provider and what it needs of this machine. One thread drives it.
pub(crate) struct Driver<'a> {
    client: &'a Client<'a>,
    provider: Provider,
    cache: Option<Cache<'a>>,
    /// Loaded for the signature that follows.
    identity: Option<Identity>,
    /// The way to the service, for one renewal: the next reads roots and proxy anew.
    http: Option<HttpsClient>,
    renewals: Renewals,
}

/// How many renewals there were so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Renewals {
    pub(crate) made: u64,
    pub(crate) failed: u64,
}

/// What there is after a look at the credentials.
pub(crate) enum Outcome {
    /// Credentials that are valid, and how long they are used without another look.
    Valid(Window),
    /// None, and how long until the next try is worth it.
    None(std::time::Duration),
}

impl<'a> Driver<'a> {
    /// Prepares a provider for what the client's options ask for; does nothing yet.
    pub(crate) fn new(client: &'a Client<'a>, policy: Policy, cache: Option<Cache<'a>>) -> Self {
        let policy = client.policy(policy);
        let mut provider = Provider::new(client.request().clone(), &policy, clock::seed());
        if cfg!(target_os = "linux") {
            provider = provider.with_monotonic_that_counts_sleep();
        }
        if let Some(cache) = &cache {
            provider = provider.with_sharing(cache.sharing());
            if let Some(chain) = cache.chain() {
                provider = provider.with_chain(chain.clone());
            }
            if let Some(machine) = clock::machine() {
                provider = provider.with_machine(&machine);
            }
        }
        Self {
            client,
            provider,
            cache,
            identity: None,
            http: None,
            renewals: Renewals::default(),
        }
    }

    /// Looks at the credentials and renews them where the provider wants it; returns when there is nothing
    /// to do.
    pub(crate) fn look(&mut self) -> Outcome {
        loop {
            match self.provider.ask(clock::reading()) {
                Advice::Use(window) => return Outcome::Valid(window),
                Advice::UseAndDrive(_) | Advice::Drive => {
                    self.drive();
                    // Moving and signing leave copies of the key in frames that have ended.
                    zeroize::zeroize_stack::<USED_STACK>();
                }
                // This thread is the only driver, so none is waited for; to ask again does no harm.
                Advice::Wait { at_most } => std::thread::sleep(at_most),
                Advice::Fail { again_after } => return Outcome::None(again_after),
                _ => return Outcome::None(Policy::default().minimum_interval),
            }
        }
    }

    /// Valid credentials, kept or new.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) fn session(&mut self) -> Result<&Session> {
        if let Outcome::None(_) = self.look() {
            return Err(self.error());
        }
        let none = || Error::new(ErrorKind::ServiceUnavailable, "there are no credentials");
        self.provider.session().ok_or_else(none)
    }

    /// Why the last renewal failed.
    pub(crate) fn error(&self) -> Error {
        let unknown = || Error::new(ErrorKind::ServiceUnavailable, "there are no credentials");
        self.provider.error().cloned().unwrap_or_else(unknown)
    }

    /// Whether no retry mends what the last renewal failed of.
    pub(crate) fn is_failure_permanent(&self) -> bool {
        self.provider.is_failure_permanent()
    }

    /// How many renewals there were.
    pub(crate) fn renewals(&self) -> Renewals {
        self.renewals
    }

    /// Wants new credentials at the next look, whatever is valid still.
    pub(crate) fn refresh(&mut self) {
        self.provider.handle(clock::reading(), Event::Refresh);
    }

    /// The provider, for what it knows.
    pub(crate) fn provider(&mut self) -> &mut Provider {
        &mut self.provider
    }

    fn drive(&mut self) {
        while let Some(action) = self.provider.poll(clock::reading()) {
            let event = match action {
                Action::LoadIdentity { id, .. } => self.load_identity(id),
                Action::Sign { id, request, .. } => match self.sign(&request) {
                    Ok(signature) => Event::Signed { id, signature },
                    Err(error) => Event::SignFailed { id, error },
                },
                Action::Send {
                    id,
                    request,
                    timeout,
                } => match self.way().map(|http| http.send(&request, timeout)) {
                    Ok(Ok(response)) => {
                        self.client.console().detail(format_args!(
                            "the answer: status {}, {} bytes, request id {}",
                            response.status,
                            response.body.len(),
                            response.header("x-amzn-requestid").unwrap_or("none")
                        ));
                        Event::Answered { id, response }
                    }
                    Ok(Err(failure)) => Event::NotAnswered {
                        id,
                        loss: failure.loss,
                        error: failure.error,
                    },
                    Err(error) => Event::NotAnswered {
                        id,
                        loss: Loss::Unsendable,
                        error,
                    },
                },
                Action::Pause { duration } => {
                    std::thread::sleep(duration);
                    Event::Tick
                }
                Action::Note(note) => {
                    match note.kind {
                        NoteKind::Renewed | NoteKind::Restored => self.renewals.made += 1,
                        NoteKind::RenewalFailed => self.renewals.failed += 1,
                        _ => {}
                    }
                    // Without credentials, whoever asked says why there are none.
                    let is_told = note.kind != NoteKind::RenewalFailed
                        || self.provider.is_valid(clock::reading());
                    let console = self.client.console();
                    match note.kind.is_warning() && is_told {
                        true => console.warn(note.message),
                        false => console.detail(format_args!("{}", note.message)),
                    }
                    continue;
                }
                Action::Use(_) | Action::Fail { .. } => continue,
                other => match self.cache.as_mut().and_then(|cache| cache.execute(other)) {
                    Some(event) => event,
                    None => continue,
                },
            };
            self.provider.handle(clock::reading(), event);
        }
        // Nothing that was read for this renewal is kept for the next.
        self.identity = None;
        self.http = None;
    }

    fn load_identity(&mut self, id: u32) -> Event {
        match self.client.identity() {
            Ok(identity) => {
                let chain = identity.chain.clone();
                self.describe(&identity, &chain);
                self.identity = Some(identity);
                Event::IdentityLoaded { id, chain }
            }
            Err(error) => Event::IdentityFailed {
                id,
                error,
                modified: self.modified(),
            },
        }
    }

    fn describe(&self, identity: &Identity, chain: &CertificateChain) {
        let end_entity = chain.end_entity();
        self.client.console().detail(format_args!(
            "certificate: {} serial {}, {}, {} intermediate(s)",
            end_entity.subject(),
            end_entity.serial_decimal(),
            identity.key.algorithm(),
            chain.intermediates().len()
        ));
    }

    /// When the newest of the identity's files was modified.
    fn modified(&self) -> Option<HostTime> {
        let identity = &self.client.options().identity;
        let paths = [
            &identity.certificate,
            &identity.private_key,
            &identity.intermediates,
        ];
        let times = paths.into_iter().flatten().filter_map(|path| {
            // A pipe or a directory is no file that a writer has half finished.
            let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
            let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            i64::try_from(since.as_millis()).ok()
        });
        times.max().map(HostTime::from_milliseconds)
    }

    fn sign(&self, request: &UnsignedRequest) -> Result<Signature> {
        let missing = || Error::new(ErrorKind::SigningFailed, "no identity is loaded");
        let identity = self.identity.as_ref().ok_or_else(missing)?;
        let signer = identity.key.signer()?;
        signer.sign(request.string_to_sign().as_bytes())
    }

    fn way(&mut self) -> Result<&HttpsClient> {
        if self.http.is_none() {
            let http = self.client.http()?;
            let console = self.client.console();
            console.detail(format_args!("{}", http.describe()));
            self.http = Some(http);
        }
        let none = || Error::new(ErrorKind::TransportFailed, "there is no way to the service");
        self.http.as_ref().ok_or_else(none)
    }
}
