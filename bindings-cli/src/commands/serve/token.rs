//! Session tokens of IMDSv2. A token carries its own end and a proof that this process made it, so
//! none is stored: there is nothing to fill up, to evict or to sweep.

use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::{
    hmac::{self, HMAC_SHA256},
    rand::{SecureRandom as _, SystemRandom},
};
use rolesanywhere_core::{Error, ErrorKind, Result};

use super::authorization::is_equal;

/// How long a token may last, in seconds: six hours, as the instance metadata service has it.
pub(super) const MAX_TTL: u32 = 21_600;

/// The tokens of AWS have 56 characters, and clients count on it: the AWS CRT, which is below the SDKs
/// for C++, Swift and others, reads a token into a buffer of 64 bytes and gives up on a longer token.
const END_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 14;
/// HMAC-SHA256 cut to 192 bits (RFC 2104, section 5, asks for 128 at least).
const TAG_LENGTH: usize = 24;
const LENGTH: usize = END_LENGTH + NONCE_LENGTH + TAG_LENGTH;
const TEXT_LENGTH: usize = 56;
const _: () = assert!(LENGTH.div_ceil(3) * 4 == TEXT_LENGTH);

/// Makes tokens and checks them, under a key that lives and dies with the process.
pub(super) struct Tokens {
    key: hmac::Key,
    random: SystemRandom,
    /// Ends are counted from here: by a clock that nobody sets.
    begun: Instant,
}

impl Tokens {
    /// Makes the key.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when the system has no randomness.
    pub(super) fn new() -> Result<Self> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(HMAC_SHA256, &random).map_err(|_| no_randomness())?;
        Ok(Self {
            key,
            random,
            begun: Instant::now(),
        })
    }

    /// A token for so many seconds.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] when the system has no randomness.
    pub(super) fn make(&self, ttl: u32) -> Result<String> {
        self.make_at(self.begun.elapsed(), ttl)
    }

    /// Whether this process made the token and it has not ended.
    pub(super) fn accept(&self, token: &str) -> bool {
        self.accept_at(self.begun.elapsed(), token)
    }

    fn make_at(&self, now: Duration, ttl: u32) -> Result<String> {
        // Seconds for 136 years; a token of a later time would end at once.
        let end = u32::try_from(now.as_secs().saturating_add(ttl.into())).unwrap_or(u32::MAX);
        let mut nonce = [0; NONCE_LENGTH];
        self.random.fill(&mut nonce).map_err(|_| no_randomness())?;
        let mut token = Vec::with_capacity(LENGTH);
        token.extend_from_slice(&end.to_be_bytes());
        token.extend_from_slice(&nonce);
        let tag = hmac::sign(&self.key, &token);
        token.extend(tag.as_ref().iter().take(TAG_LENGTH));
        Ok(Base64UrlUnpadded::encode_string(&token))
    }

    fn accept_at(&self, now: Duration, token: &str) -> bool {
        let mut buffer = [0; LENGTH];
        let Ok(bytes) = Base64UrlUnpadded::decode(token, &mut buffer) else {
            return false;
        };
        let Some((signed, tag)) = bytes.split_at_checked(END_LENGTH + NONCE_LENGTH) else {
            return false;
        };
        let expected = hmac::sign(&self.key, signed);
        let expected = expected.as_ref().get(..TAG_LENGTH);
        let genuine = expected.is_some_and(|expected| is_equal(tag, expected));
        let end = signed.first_chunk().copied().map_or(0, u32::from_be_bytes);
        genuine && now.as_secs() < u64::from(end)
    }
}

fn no_randomness() -> Error {
    Error::new(
        ErrorKind::SigningFailed,
        "the system has no random numbers for tokens: check its entropy source",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_until_its_end_and_only_by_its_maker() {
        let (tokens, others) = (Tokens::new().unwrap(), Tokens::new().unwrap());
        let at = Duration::from_secs;
        let token = tokens.make_at(at(100), 60).unwrap();
        assert!(tokens.accept_at(at(100), &token) && tokens.accept_at(at(159), &token));
        assert!(!tokens.accept_at(at(160), &token));
        assert!(!others.accept_at(at(100), &token));
        assert_ne!(token, tokens.make_at(at(100), 60).unwrap());
        // As long as AWS's own.
        assert_eq!(token.len(), 56);
    }

    #[test]
    fn whatever_is_changed_in_a_token_makes_it_worthless() {
        let tokens = Tokens::new().unwrap();
        let token = tokens.make(MAX_TTL).unwrap();
        assert!(tokens.accept(&token));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!tokens.accept(&changed), "{at}");
        }
        for bad in [
            "",
            "A",
            &token[1..],
            &format!("{token}A"),
            &"A".repeat(1 << 16),
            "ä",
        ] {
            assert!(!tokens.accept(bad), "{bad}");
        }
    }
}
