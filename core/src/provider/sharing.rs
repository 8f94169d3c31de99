//! Sharing a session between processes and machines: the key and the rules of a store.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, time::Duration};

use crate::{CertificateChain, CreateSession, encoding};

/// How sessions are shared through a store of the host's.
///
/// The store is any map from a key to bytes: a directory, Redis, Workers KV. Entries hold
/// credentials: seal them (feature `sealing`, or the host's own AES-256-GCM) wherever others can
/// read the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Whether the store has a lock. With one, a fleet makes one call for each session, however large
    /// it is. Without, each member draws a moment of its own: of n members the first renews
    /// `propagation · ln n` early, and about three renew before its session is seen by all.
    pub has_lock: bool,
    /// The time after which all members see what one has stored. Counts where there is no lock.
    pub propagation: Duration,
    /// The time over which members that start together, without a session and without a lock, spread
    /// their first calls.
    pub cold_spread: Duration,
    /// What stands for the certificate in the key of the entry, where the host knows it before it has
    /// loaded the identity: the SHA-256 of a file's content, the URI of a token's object. The store
    /// is then read first, and a session that is found costs no password and no PIN. It must change
    /// when the certificate does. `None`: the certificates themselves.
    pub identity: Option<String>,
    /// What else tells sessions apart that must not be shared: a mode without TLS verification, a
    /// tenant. Empty for most.
    pub context: String,
}

impl Sharing {
    /// Sharing through a store that has a lock.
    pub fn with_lock() -> Self {
        Self {
            has_lock: true,
            propagation: Duration::ZERO,
            cold_spread: Duration::ZERO,
            identity: None,
            context: String::new(),
        }
    }

    /// Sharing through a store that has no lock and whose members see an entry at the latest
    /// `propagation` after it was stored (Workers KV: 60 seconds).
    pub fn without_lock(propagation: Duration, cold_spread: Duration) -> Self {
        Self {
            has_lock: false,
            propagation,
            cold_spread,
            identity: None,
            context: String::new(),
        }
    }
}

/// The key under which a session is stored: SHA-256, as 64 lower-case hexadecimal digits, of all
/// that determines the session. Nothing secret goes into it, and nothing can be read from it.
///
/// What is hashed is a text: the line `rolesanywhere session 2`, then a line for each field that
/// there is, in this order: its name, a space, the length of its value in bytes (decimal), a space,
/// the value, a newline.
///
/// | field | value |
/// |---|---|
/// | `endpoint` | the base URL, without a slash at its end |
/// | `region` | the region that is signed for |
/// | `trust_anchor_arn`, `profile_arn`, `role_arn` | as they were given |
/// | `duration_seconds` | decimal; left out where the profile decides |
/// | `role_session_name` | left out where there is none |
/// | `instance_property_key`, `instance_property_value` | a pair for each property, in the order of the keys' bytes |
/// | `certificate` | SHA-256 of the end entity's DER, hexadecimal |
/// | `intermediate` | the same for each intermediate that is sent, in that order |
/// | `identity` | [`Sharing::identity`] in place of the two before, where it is given |
/// | `context` | [`Sharing::context`]; left out where it is empty |
///
/// Where the request carries the ARNs does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey(String);

impl EntryKey {
    /// The key of the session that the call and the certificates determine. `context` is
    /// [`Sharing::context`].
    pub fn new(call: &CreateSession, chain: &CertificateChain, context: &str) -> Self {
        let mut text = Self::text_of(call);
        push(
            &mut text,
            "certificate",
            &encoding::sha256_hex(chain.end_entity().as_der()),
        );
        for intermediate in chain.intermediates() {
            push(
                &mut text,
                "intermediate",
                &encoding::sha256_hex(intermediate.as_der()),
            );
        }
        Self::of(text, context)
    }

    /// The key where `identity` stands for the certificates, as [`Sharing::identity`].
    pub fn of_identity(call: &CreateSession, identity: &str, context: &str) -> Self {
        let mut text = Self::text_of(call);
        push(&mut text, "identity", identity);
        Self::of(text, context)
    }

    fn of(mut text: String, context: &str) -> Self {
        if !context.is_empty() {
            push(&mut text, "context", context);
        }
        Self(encoding::sha256_hex(text.as_bytes()))
    }

    fn text_of(call: &CreateSession) -> String {
        let mut text = String::from("rolesanywhere session 2\n");
        let endpoint = call.endpoint();
        for (name, value) in [
            ("endpoint", endpoint.url()),
            ("region", endpoint.signing_region()),
            ("trust_anchor_arn", call.trust_anchor().as_str()),
            ("profile_arn", call.profile().as_str()),
            ("role_arn", call.role().as_str()),
        ] {
            push(&mut text, name, value);
        }
        if let Some(seconds) = call.duration_seconds() {
            push(&mut text, "duration_seconds", &seconds.to_string());
        }
        if let Some(name) = call.role_session_name() {
            push(&mut text, "role_session_name", name);
        }
        for (key, value) in call.instance_properties() {
            push(&mut text, "instance_property_key", key);
            push(&mut text, "instance_property_value", value);
        }
        text
    }

    /// The key of the entry that tells a failed renewal: SHA-256 of `rolesanywhere failure 2`, a
    /// newline and this key.
    #[must_use]
    pub fn of_failure(&self) -> Self {
        let parts: Vec<&str> = ["rolesanywhere failure 2\n", &self.0].into();
        Self(encoding::sha256_hex(parts.concat().as_bytes()))
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn push(text: &mut String, name: &str, value: &str) {
    for part in [name, " ", &value.len().to_string(), " ", value, "\n"] {
        text.push_str(part);
    }
}
