//! One CreateSession call: dated, signed, sent, and tried again where that can help.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom as _, SystemRandom};
use rolesanywhere_core::{
    CertificateChain, Error, ErrorKind, HttpResponse, Result, Session, Signer, UnixTime,
    session::CreateSession, text::duration,
};

use crate::{
    console::Console,
    https::{Failure, HttpsClient},
    remedy,
    retry::{self, MAX_ATTEMPTS, MAX_DELAY},
};

/// What a call needs.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) request: &'a CreateSession,
    pub(crate) chain: &'a CertificateChain,
    pub(crate) signer: &'a dyn Signer,
    pub(crate) client: &'a HttpsClient,
    pub(crate) console: &'a Console,
}

impl Exchange<'_> {
    /// Asks for a session. Each attempt is dated and signed anew. Lost connections, 5xx and throttling
    /// are tried again, three attempts in all; a 403 is, once, when the clocks are far apart, with
    /// the server's time.
    ///
    /// # Errors
    /// The last attempt's, with what to do about it.
    pub(crate) fn run(&self) -> Result<Session> {
        let mut offset = None;
        let mut attempt = 1;
        loop {
            let local = now();
            let failure = match self.send(local.plus_seconds(offset.unwrap_or(0))) {
                Ok(session) => {
                    if let Some(offset) = offset {
                        let clock = retry::describe_offset(offset);
                        self.console.warn(format!(
                            "{clock}: the request was dated with the server's time, set the clock"
                        ));
                    }
                    return Ok(session);
                }
                Err(failure) => failure,
            };
            let service = failure.error.service();
            let denied = failure.error.kind() == ErrorKind::AccessDenied;
            let skew = retry::clock_offset(local, service.and_then(|service| service.server_time));
            if let (true, None, Some(skew)) = (denied, offset, skew) {
                let clock = retry::describe_offset(skew);
                self.console.detail(format_args!(
                    "{}; {clock}: signing again with the server's time",
                    failure.error
                ));
                offset = Some(skew);
                continue;
            }
            let asked = service.and_then(|service| service.retry_after);
            let delay = retry::delay(attempt, asked, random());
            if let (true, true, Some(delay)) = (failure.passing, attempt < MAX_ATTEMPTS, delay) {
                self.console.detail(format_args!(
                    "attempt {attempt} of {MAX_ATTEMPTS} failed ({}): trying again in {:.1} s",
                    failure.error,
                    delay.as_secs_f64()
                ));
                std::thread::sleep(delay);
                attempt += 1;
                continue;
            }
            return Err(explain(failure.error, attempt, asked, offset));
        }
    }

    fn send(&self, date: UnixTime) -> std::result::Result<Session, Failure> {
        let request = self
            .request
            .prepare(self.chain, date)
            .and_then(|request| request.sign(self.signer))
            .map_err(final_failure)?;
        let response = self.client.send(
            request.method,
            &request.url,
            &request.headers,
            &request.body,
        )?;
        self.console.detail(format_args!(
            "the answer: status {}, {} bytes, request id {}",
            response.status,
            response.body.len(),
            response.header("x-amzn-requestid").unwrap_or("none")
        ));
        check_content_type(&response).map_err(final_failure)?;
        Session::from_response(&response).map_err(|error| Failure {
            passing: error.is_retryable(),
            error,
        })
    }
}

fn final_failure(error: Error) -> Failure {
    Failure {
        error,
        passing: false,
    }
}

/// A success that is not JSON by its own word is none: a portal or a proxy answered.
fn check_content_type(response: &HttpResponse) -> Result<()> {
    let Some(content_type) = response.header("content-type") else {
        return Ok(());
    };
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json = essence.ends_with("/json")
        || essence.ends_with("+json")
        || essence.starts_with("application/x-amz-json");
    if is_json || !(200..300).contains(&response.status) {
        return Ok(());
    }
    let shown: String = essence.chars().take(80).collect();
    Err(Error::new(
        ErrorKind::InvalidResponse,
        format!(
            "the answer with status {} is `{shown}`, not JSON: check the endpoint and what stands between",
            response.status
        ),
    ))
}

/// The error with what is known besides: how often it was tried, the clock, and what to do.
fn explain(error: Error, attempts: u32, asked: Option<Duration>, offset: Option<i64>) -> Error {
    let mut message = error.message().to_owned();
    if let Some(remedy) = error.service().and_then(remedy::of) {
        message = format!("{message}: {remedy}");
    }
    if let Some(asked) = asked.filter(|asked| *asked > MAX_DELAY) {
        message = format!("{message}; it asks to wait {}", duration(asked));
    }
    if attempts > 1 {
        message = format!("{message} ({attempts} attempts)");
    }
    if let Some(offset) = offset {
        let clock = retry::describe_offset(offset);
        message = format!("{message}; {clock}, and signing with the server's time did not help");
    }
    error.with_message(message)
}

/// The clock, read where a request is dated.
pub(crate) fn now() -> UnixTime {
    let since = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    };
    UnixTime::from_seconds(since(SystemTime::now()))
}

/// A number that differs from process to process, for a [`Renewal`](rolesanywhere_core::Renewal).
pub(crate) fn random_jitter() -> u64 {
    u64::from(random()) << 32 | u64::from(random())
}

/// Randomness for the jitter. Without any, the longest wait.
fn random() -> u32 {
    let mut bytes = [0xFF; 4];
    let _ = SystemRandom::new().fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}
