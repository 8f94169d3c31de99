//! A session as it stands in its file.

use std::fmt::Write as _;

use ring::digest::{self, SHA256};
use rolesanywhere_core::{Next, Renewal, RenewalPolicy, Secret, Session, UnixTime};
use zeroize::Zeroizing;

use super::is_set_back;

/// The largest file that is read. Credentials in JSON have 1 to 2 kB; a token grows with the tags.
pub(super) const MAX_LENGTH: u64 = 64 * 1024;

const FORMAT: &str = "rolesanywhere session 1";

/// When a kept session is renewed. botocore asks again from 15 minutes before the end on, at each
/// use, so what it is given must last longer: the window begins at 20 minutes, and its jitter may
/// take a quarter of that.
const POLICY: RenewalPolicy = RenewalPolicy {
    background_window: std::time::Duration::from_secs(20 * 60),
    mandatory_window: std::time::Duration::from_secs(10 * 60),
    minimum_interval: std::time::Duration::from_secs(5),
    maximum_interval: std::time::Duration::from_secs(5 * 60),
};

/// A session, when it was made, and what is known of the clocks.
pub(super) struct Kept {
    json: Secret<String>,
    /// By the local clock.
    issued: UnixTime,
    /// How many seconds the service's clock is ahead of the local one.
    offset: i64,
    /// By the service's clock.
    expiration: UnixTime,
    /// Before this, by the local clock, no renewal is tried again.
    held_until: UnixTime,
}

impl Kept {
    /// A session that was received at `now`.
    pub(super) fn new(now: UnixTime, session: &Session) -> Self {
        let mut renewal = Renewal::new(POLICY, 0);
        renewal.renewed(now, session);
        let credentials = session.credentials();
        Self {
            json: credentials.to_credential_process_json(),
            issued: now,
            offset: renewal.clock_offset_seconds(),
            expiration: credentials.expiration(),
            held_until: now,
        }
    }

    /// What to do with it.
    pub(super) fn next(&self, now: UnixTime) -> Next {
        if is_set_back(now, self.issued) {
            return Next::Renew;
        }
        // Any number that differs from session to session; the token does.
        let digest = digest::digest(&SHA256, self.json.expose().as_bytes());
        let jitter = digest
            .as_ref()
            .first_chunk()
            .copied()
            .map_or(0, u64::from_be_bytes);
        let mut renewal = Renewal::new(POLICY, jitter);
        renewal.restored(self.server_time(self.issued), self.expiration);
        let next = renewal.next(self.server_time(now));
        let held = now < self.held_until && self.is_valid(now);
        match next {
            Next::Renew | Next::UseAndRenew if held => Next::Use {
                until: self.held_until,
            },
            other => other,
        }
    }

    /// Whether the service still accepts it.
    pub(super) fn is_valid(&self, now: UnixTime) -> bool {
        !is_set_back(now, self.issued) && self.server_time(now) < self.expiration
    }

    /// When it ends.
    pub(super) fn expiration(&self) -> UnixTime {
        self.expiration
    }

    /// The JSON that `credential-process` prints.
    pub(super) fn json(&self) -> Secret<String> {
        self.json.clone()
    }

    /// Puts the next renewal off.
    pub(super) fn hold_until(&mut self, time: UnixTime) {
        self.held_until = time;
    }

    fn server_time(&self, local: UnixTime) -> UnixTime {
        local.plus_seconds(self.offset)
    }

    /// The file's content: five lines, the last the digest of the others.
    pub(super) fn to_bytes(&self, key: &str) -> Zeroizing<Vec<u8>> {
        let json = self.json.expose();
        // Of its final size from the start: a buffer that grows leaves its content behind.
        let mut text = Zeroizing::new(String::with_capacity(json.len() + 512));
        let (issued, offset) = (self.issued.seconds(), self.offset);
        let (expiration, held) = (self.expiration.seconds(), self.held_until.seconds());
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "{FORMAT}\n{key}\n{issued} {offset} {expiration} {held}\n{json}\n"
        );
        let digest = hex(digest::digest(&SHA256, text.as_bytes()).as_ref());
        text.push_str(&digest);
        text.push('\n');
        Zeroizing::new(text.as_bytes().to_vec())
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote under the same key; `None` when it is anything
    /// else.
    pub(super) fn from_bytes(bytes: &[u8], key: &str) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (content, digest) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let covered = text.get(..content.len() + 1)?;
        if digest != hex(digest::digest(&SHA256, covered.as_bytes()).as_ref()) {
            return None;
        }
        let mut lines = content.split('\n');
        let (format, key_line) = (lines.next()?, lines.next()?);
        let mut numbers = lines.next()?.split(' ').map(str::parse::<i64>);
        let mut number = || numbers.next()?.ok();
        let kept = Self {
            issued: UnixTime::from_seconds(number()?),
            offset: number()?,
            expiration: UnixTime::from_seconds(number()?),
            held_until: UnixTime::from_seconds(number()?),
            json: Secret::new(lines.next()?.to_owned()),
        };
        (format == FORMAT && key_line == key && lines.next().is_none()).then_some(kept)
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // Writing into a string does not fail.
            text
        })
}
