//! The way to the service: the identity, the signature, the request, and what its answer means.

use alloc::sync::Arc;

use super::{
    Provider,
    drive::{Look, Pending, Stage, Then},
    outcome::seconds_in_words,
};
use crate::{
    CertificateChain, Error, ErrorKind, HttpResponse, Result, Session, Signature,
    provider::{
        action::{Action, Loss, NoteKind},
        answer,
        clock::{
            ACCEPTED_OFFSET_SECONDS, Clock, HostTime, IGNORED_OFFSET_SECONDS,
            SUSPECTED_OFFSET_SECONDS, ServiceTime,
        },
        policy::{BUSY_BACKOFF, LOST_BACKOFF, SETTLING, SETTLING_PAUSE, SHORTEST_ATTEMPT},
    },
};

impl Provider {
    pub(super) fn load_identity(&mut self) {
        let left = self.left();
        if left == 0 {
            self.out_of_time();
            return;
        }
        self.issue(
            Stage::Identity,
            self.limits.identity.min(left),
            |id, timeout| Action::LoadIdentity { id, timeout },
        );
    }

    pub(super) fn identity_loaded(&mut self, chain: CertificateChain) {
        if let Err(error) = self.look_at_findings(&chain) {
            self.fail_locally(error);
            return;
        }
        let needs_key = self.needs_key(&chain);
        if let Some(drive) = &mut self.drive {
            drive.chain = Some(chain);
        }
        match needs_key {
            true => self.look(Look::First),
            false => self.proceed(),
        }
    }

    /// Files that were modified just now may be half of a pair that is being replaced. Otherwise the
    /// last identity that could be loaded does, where the service accepts its certificate.
    pub(super) fn identity_failed(
        &mut self,
        error: Error,
        modified: Option<HostTime>,
        last: Option<CertificateChain>,
    ) {
        let now = self.clock.reading().wall.milliseconds();
        let age = modified.map(|at| now.saturating_sub(at.milliseconds()));
        // What half of a pair can look like. A password that is missing or wrong is no such case.
        let is_half = matches!(
            error.kind(),
            ErrorKind::InvalidInput
                | ErrorKind::InvalidCertificate
                | ErrorKind::InvalidKey
                | ErrorKind::KeyMismatch
        );
        let settles = is_half && age.is_some_and(|age| (-SETTLING..SETTLING).contains(&age));
        if settles && self.left() > SETTLING_PAUSE + SHORTEST_ATTEMPT {
            let message = error.message();
            self.note(
                NoteKind::AttemptFailed,
                &[
                    message,
                    "; the files were modified just now: reading them again",
                ],
            );
            self.pause(Then::Identity, SETTLING_PAUSE);
            return;
        }
        let now_at_service = self.clock.service().unix_time();
        match last.filter(|chain| now_at_service <= chain.end_entity().not_after()) {
            Some(chain) => {
                let message = error.message();
                self.note(
                    NoteKind::IdentityStale,
                    &[message, "; the last identity is used on"],
                );
                self.identity_loaded(chain);
            }
            None => self.fail_locally(error),
        }
    }

    /// Prepares a request and has it signed.
    pub(super) fn attempt(&mut self) {
        let left = self.left();
        if left < SHORTEST_ATTEMPT {
            self.out_of_time();
            return;
        }
        let service = self.clock.service().unix_time();
        let Some(drive) = &mut self.drive else {
            return;
        };
        let date = service.plus_seconds(drive.correction.unwrap_or(0));
        drive.dated = ServiceTime::new(date);
        let Some(chain) = &drive.chain else {
            return; // there is always one: the identity is loaded before an attempt
        };
        match self.call.prepare(chain, date) {
            Ok(request) => {
                let request = Arc::new(request);
                drive.request = Some(Arc::clone(&request));
                let limit = self.limits.signing.min(left);
                self.issue(Stage::Sign, limit, |id, timeout| Action::Sign {
                    id,
                    request,
                    timeout,
                });
            }
            Err(error) => self.fail_locally(error),
        }
    }

    pub(super) fn signed(&mut self, signature: &Signature) {
        let left = self.left();
        let request = self.drive.as_mut().and_then(|drive| drive.request.take());
        let Some(request) = request else {
            return; // the signature was asked for with a request at hand
        };
        match request.with_signature(signature) {
            Ok(_) if left < SHORTEST_ATTEMPT => self.out_of_time(),
            Ok(request) => {
                if let Some(drive) = &mut self.drive {
                    drive.attempt = drive.attempt.saturating_add(1);
                }
                let limit = self.limits.attempt.min(left);
                self.issue(Stage::Send, limit, |id, timeout| Action::Send {
                    id,
                    request,
                    timeout,
                });
            }
            Err(error) => self.fail_locally(error),
        }
    }

    pub(super) fn lost(&mut self, loss: Loss, error: Error) {
        match loss {
            Loss::Unreachable | Loss::TimedOut => self.retry(error, LOST_BACKOFF),
            Loss::Untrusted | Loss::Unsendable => {
                self.fail(error);
                self.is_permanent = true;
            }
        }
    }

    pub(super) fn exchange_timed_out(&mut self, pending: &Pending) {
        let within = seconds_in_words(pending.timeout);
        match pending.stage {
            Stage::Identity => self.fail_locally(Error::new(
                ErrorKind::InvalidInput,
                [
                    "the identity was not loaded within ",
                    &within,
                    ": look at what loads it (a file system, a password prompt, a callback)",
                ]
                .concat(),
            )),
            Stage::Sign => self.fail_locally(Error::new(
                ErrorKind::SigningFailed,
                [
                    "the signer did not sign within ",
                    &within,
                    ": look at the key store or the callback that it uses",
                ]
                .concat(),
            )),
            _ => {
                let endpoint = self.call.endpoint().url();
                let message = [
                    "no answer from `",
                    endpoint,
                    "` within ",
                    &within,
                    ": check the network, the proxy and the CA bundle",
                ];
                let error = Error::new(ErrorKind::TransportFailed, message.concat());
                self.retry(error, LOST_BACKOFF);
            }
        }
    }

    pub(super) fn answered(&mut self, response: &HttpResponse) {
        match Session::from_response(response) {
            Ok(session) => {
                if let Err(error) = self.accepted(session) {
                    self.fail(error);
                }
            }
            Err(error) => self.refused(error),
        }
    }

    fn refused(&mut self, error: Error) {
        let service = error.service();
        // The service says the same of a wrong clock and of a wrong signature (403); AWS's front ends
        // say 400 and 401 too.
        let ahead = service
            .filter(|service| matches!(service.status, 400 | 401 | 403))
            .and_then(|service| service.server_time)
            .and_then(|date| {
                let drive = self.drive.as_ref()?;
                Clock::ahead(ServiceTime::new(date), drive.dated)
            })
            .filter(|ahead| ahead.unsigned_abs() > u64::from(SUSPECTED_OFFSET_SECONDS));
        match (ahead, &mut self.drive) {
            (Some(ahead), Some(drive)) if drive.correction.is_none() => {
                drive.correction = Some(ahead);
                drive.attempt = drive.attempt.saturating_sub(1);
                let clock = self.clock_in_words(ahead);
                self.note(
                    NoteKind::AttemptFailed,
                    &[
                        error.message(),
                        "; ",
                        &clock,
                        ": signing again with the server's time",
                    ],
                );
                if let Some(drive) = &mut self.drive {
                    drive.last = Some(error);
                }
                self.attempt();
            }
            _ if error.is_retryable() => self.retry(error, BUSY_BACKOFF),
            _ => self.fail(error),
        }
    }

    /// Tries again after a pause, where there are attempts and time left.
    fn retry(&mut self, error: Error, backoff: u64) {
        let Some(drive) = &self.drive else {
            return;
        };
        let attempt = drive.attempt;
        let asked = error.service().and_then(|service| service.retry_after);
        let asked = asked.map_or(0, |asked| {
            u64::try_from(asked.as_millis()).unwrap_or(u64::MAX)
        });
        let ceiling = (backoff << attempt.min(20)).min(self.limits.maximum_pause);
        let pause = self.random.up_to(ceiling).max(asked);
        let has_time = pause.saturating_add(SHORTEST_ATTEMPT) <= self.left();
        if attempt >= self.limits.attempts || asked > self.limits.maximum_pause || !has_time {
            self.fail(error);
            return;
        }
        self.note(
            NoteKind::AttemptFailed,
            &[
                error.message(),
                "; trying again in ",
                &seconds_in_words(pause),
            ],
        );
        if let Some(drive) = &mut self.drive {
            drive.last = Some(error);
        }
        self.pause(Then::Attempt, pause);
    }

    /// Judges an answer with a session.
    fn accepted(&mut self, mut session: Session) -> Result<()> {
        answer::check_role(&self.call, &session)?;
        self.learn(session.server_time().map(ServiceTime::new));
        let now = self.clock.service_milliseconds();
        if answer::end_of(&mut session, now)? {
            let end = session.credentials().expiration_text();
            self.note(
                NoteKind::ExpirationClamped,
                &[
                    "the credentials are said to last for more than 12 hours: they are used until ",
                    end,
                ],
            );
        }
        self.succeed(session, now);
        Ok(())
    }

    /// What an accepted signature teaches about the clock.
    fn learn(&mut self, date: Option<ServiceTime>) {
        let correction = self.drive.as_ref().and_then(|drive| drive.correction);
        if let Some(seconds) = correction {
            self.clock.correct(seconds);
        }
        self.clock.confirm();
        let Some(date) = date else {
            return;
        };
        match Clock::ahead(date, self.clock.service()) {
            Some(ahead) if ahead.unsigned_abs() < u64::from(IGNORED_OFFSET_SECONDS) => {}
            Some(ahead) if ahead.unsigned_abs() <= u64::from(ACCEPTED_OFFSET_SECONDS) => {
                self.clock.correct(ahead);
            }
            _ => {
                let date = date.unix_time().to_iso8601();
                self.note(
                    NoteKind::DateIgnored,
                    &[
                        "the answer's date `",
                        &date,
                        "` cannot be the service's, whose clock accepted the request",
                    ],
                );
                return;
            }
        }
        let offset = self.clock.offset_seconds();
        if correction.is_some() && offset != 0 {
            let clock = self.clock_in_words(offset);
            self.note(NoteKind::ClockCorrected, &[&clock, ": set the clock"]);
        }
    }
}
