//! What is stored under a key, as JSON: a session, or that a renewal failed.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use zeroize::Zeroizing;

use super::{
    EntryKey,
    clock::{Reading, ServiceTime},
    policy::{LIFETIME_SLACK, LONGEST_LIFETIME},
};
use crate::{
    Arn, Credentials, Error, ErrorKind, Secret, Session, UnixTime,
    encoding::{self, push_json_string},
    session::json::Json,
};

/// The longest entry that is read, in bytes: what the longest answer of the service makes.
pub const MAX_ENTRY_LENGTH: usize = 256 * 1024;

/// The version that is written, and the only one that is read.
const VERSION: u32 = 2;

/// The longest message of a shared failure, in bytes.
const MAX_MESSAGE: usize = 4096;

/// A stored session.
pub(super) struct Entry {
    pub(super) session: Session,
    pub(super) issued_at: ServiceTime,
    pub(super) clock: Option<ClockHint>,
}

/// What the process that stored a session knew of its clock.
pub(super) struct ClockHint {
    /// The start of the machine that it ran on.
    pub(super) machine: String,
    pub(super) wall: i64,
    pub(super) monotonic: u64,
    /// How many seconds the service's clock was ahead.
    pub(super) offset: i64,
}

impl Entry {
    /// Writes the entry. The buffer is wiped when dropped, and never grows: one that moves leaves its
    /// secrets behind.
    pub(super) fn write(
        key: &EntryKey,
        session: &Session,
        issued_at: ServiceTime,
        clock: Option<&ClockHint>,
    ) -> Secret<Vec<u8>> {
        let credentials = &session.credentials;
        let optional = [
            ("account_id", credentials.account_id.as_deref()),
            ("role_arn", session.role_arn.as_ref().map(Arn::as_str)),
            (
                "assumed_role_arn",
                session.assumed_role_arn.as_ref().map(Arn::as_str),
            ),
            ("assumed_role_id", session.assumed_role_id.as_deref()),
            ("source_identity", session.source_identity.as_deref()),
            ("subject_arn", session.subject_arn.as_ref().map(Arn::as_str)),
        ];
        let required = [
            ("access_key_id", credentials.access_key_id.as_str()),
            ("secret_access_key", credentials.secret_access_key.expose()),
            ("session_token", credentials.session_token.expose()),
            ("expiration", credentials.expiration_text.as_str()),
        ];
        let length = |value: &str| value.len() * 6 + 32; // every character may become `\u00XX`
        let machine = clock.map_or(0, |clock| length(&clock.machine));
        let total: usize = required
            .iter()
            .map(|(_, value)| length(value))
            .sum::<usize>()
            + optional
                .iter()
                .filter_map(|(_, value)| value.map(length))
                .sum::<usize>();
        let mut json = Zeroizing::new(String::with_capacity(total + machine + 512));
        json.push_str("{\"version\":");
        json.push_str(&VERSION.to_string());
        let given = optional
            .iter()
            .filter_map(|(name, value)| value.map(|value| (*name, value)));
        for (name, value) in required.into_iter().chain(given) {
            push_member(&mut json, name, value);
        }
        push_number(&mut json, "issued_at", issued_at.unix_time().seconds());
        if let Some(clock) = clock {
            json.push_str(",\"clock\":{\"machine\":");
            push_json_string(&mut json, &clock.machine);
            push_number(&mut json, "wall_milliseconds", clock.wall);
            let monotonic = i64::try_from(clock.monotonic).unwrap_or(i64::MAX);
            push_number(&mut json, "monotonic_milliseconds", monotonic);
            push_number(&mut json, "offset_seconds", clock.offset);
            json.push('}');
        }
        let digest = digest(key, json.as_bytes());
        push_member(&mut json, "digest", &digest);
        json.push('}');
        into_bytes(json)
    }

    /// Reads what [`write`](Self::write) wrote; `None` when it is anything else.
    pub(super) fn read(key: &EntryKey, bytes: &[u8]) -> Option<Self> {
        let json = parse(bytes)?;
        if let Some(found) = json.text("digest") {
            // It is the last member, as it was written: whatever stands elsewhere is not what was stored.
            let end = [",\"digest\":\"", found, "\"}"].concat();
            let covered = bytes.strip_suffix(end.as_bytes())?;
            if digest(key, covered) != found {
                return None;
            }
        }
        // As in an answer of the service: what may stand in a header or a file.
        let required = |name: &str| {
            let value = json.text(name)?;
            let is_plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
            is_plain.then(|| value.to_string())
        };
        let shown = |name: &str| {
            let value = json.text(name)?;
            (!value.chars().any(char::is_control)).then(|| value.to_string())
        };
        let arn = |name: &str| json.text(name).and_then(|arn| Arn::new(arn).ok());
        let expiration_text = required("expiration")?;
        let expiration = UnixTime::from_iso8601(&expiration_text).ok()?;
        let issued_at = UnixTime::from_seconds(json.integer("issued_at")?);
        let lifetime = expiration.seconds_since(issued_at);
        if !(1..=(LONGEST_LIFETIME + LIFETIME_SLACK) / 1000).contains(&lifetime) {
            return None; // no session lasts so long
        }
        let clock = json.member("clock").and_then(|clock| {
            Some(ClockHint {
                machine: clock.text("machine")?.to_string(),
                wall: clock.integer("wall_milliseconds")?,
                monotonic: u64::try_from(clock.integer("monotonic_milliseconds")?).ok()?,
                offset: clock.integer("offset_seconds")?,
            })
        });
        Some(Self {
            session: Session {
                credentials: Credentials {
                    access_key_id: required("access_key_id")?,
                    secret_access_key: Secret::new(required("secret_access_key")?),
                    session_token: Secret::new(required("session_token")?),
                    expiration,
                    expiration_text,
                    account_id: required("account_id"),
                },
                role_arn: arn("role_arn"),
                assumed_role_arn: arn("assumed_role_arn"),
                assumed_role_id: shown("assumed_role_id"),
                source_identity: shown("source_identity"),
                subject_arn: arn("subject_arn"),
                packed_policy_size: None,
                server_time: None,
                request_id: None,
            },
            issued_at: ServiceTime::new(issued_at),
            clock,
        })
    }
}

impl ClockHint {
    /// The offset, when this is the same start of the same machine and its clock was not set since.
    pub(super) fn offset_at(&self, machine: Option<&str>, now: Reading) -> Option<i64> {
        let passed = now.monotonic?.checked_sub(self.monotonic)?;
        let by_wall = now.wall.milliseconds().checked_sub(self.wall)?;
        let step = by_wall.checked_sub(i64::try_from(passed).ok()?)?;
        let was_set = step.unsigned_abs()
            > super::clock::UNSEEN_STEP_MILLISECONDS.unsigned_abs() + passed / 1000;
        (machine == Some(&self.machine) && !was_set).then_some(self.offset)
    }
}

/// That a renewal failed, for those who would only repeat it.
pub(super) struct Failure {
    pub(super) error: Error,
    /// When it failed, and until when nobody needs to try again.
    pub(super) at: ServiceTime,
    pub(super) until: ServiceTime,
}

impl Failure {
    pub(super) fn write(error: &Error, at: ServiceTime, until: ServiceTime) -> Secret<Vec<u8>> {
        let mut json = Zeroizing::new(String::from("{\"version\":"));
        json.push_str(&VERSION.to_string());
        push_member(&mut json, "code", error.kind().code());
        push_member(&mut json, "message", cut(error.message()));
        push_number(&mut json, "failed_at", at.unix_time().seconds());
        push_number(&mut json, "until", until.unix_time().seconds());
        json.push('}');
        into_bytes(json)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let json = parse(bytes)?;
        let kind = ErrorKind::from_code(json.text("code")?)?;
        let message: String = cut(json.text("message")?)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let time = |name: &str| {
            json.integer(name)
                .map(UnixTime::from_seconds)
                .map(ServiceTime::new)
        };
        Some(Self {
            error: Error::new(kind, message),
            at: time("failed_at")?,
            until: time("until")?,
        })
    }
}

/// The digest that binds an entry to its key and shows damage: SHA-256, in hexadecimal, of the key, a newline
/// and all of the entry before the digest's own member.
fn digest(key: &EntryKey, entry: &[u8]) -> String {
    let mut bytes = Zeroizing::new(Vec::with_capacity(key.as_str().len() + 1 + entry.len()));
    bytes.extend_from_slice(key.as_str().as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(entry);
    encoding::sha256_hex(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Json<'_>> {
    let json: Json<'_> =
        serde_json::from_slice(bytes.get(..bytes.len().min(MAX_ENTRY_LENGTH))?).ok()?;
    (json.number("version") == Some(VERSION)).then_some(json)
}

fn cut(message: &str) -> &str {
    let mut end = message.len().min(MAX_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default()
}

fn push_member(json: &mut String, name: &str, value: &str) {
    json.push(',');
    push_json_string(json, name);
    json.push(':');
    push_json_string(json, value);
}

fn push_number(json: &mut String, name: &str, value: i64) {
    json.push(',');
    push_json_string(json, name);
    json.push(':');
    json.push_str(&value.to_string());
}

fn into_bytes(mut json: Zeroizing<String>) -> Secret<Vec<u8>> {
    Secret::new(core::mem::take(&mut *json).into_bytes())
}
