//! The lifecycle of credentials, without IO: asked for, made, shared, kept, renewed, lost and found.
//!
//! A [`Provider`] is a state machine that a host drives. [Events](Event) go in, [actions](Action) come
//! out; in between it decides everything that is a number, a comparison of times, a judgement of an
//! error or of an answer. What stays with the host is what only it can do: reading files, asking for
//! a password, signing, HTTP, the bytes and locks of a store, waiting, and its clocks.
//!
//! ```text
//!   a caller ── ask(now) ──► Advice: use │ use_and_drive │ drive │ wait │ fail
//!                                               │             │
//!   a driver ── poll(now) ─► Action: load_identity, sign, send, load, lock, store, unlock, pause,
//!            ◄─ handle(now, Event) ┘         use, fail, note
//! ```
//!
//! # One owner, many askers
//!
//! The host keeps the provider behind one lock (or in one actor, task or thread). Many may
//! [`ask`](Provider::ask); exactly one is told to drive. The hot path does not come here at all: a
//! host keeps the credentials with the [`Window`] of the last advice, and uses them while the window
//! [covers](Window::covers) its clocks. Between two calls the provider does nothing and needs nothing.
//!
//! # A driver
//!
//! A driver polls until nothing is left. This one signs with a key that the core holds; a driver with
//! threads, tasks or promises has the same shape.
//!
//! ```
//! use rolesanywhere_core::{
//!     CertificateChain, Error, ErrorKind, HttpRequest, HttpResponse, Result, Session, Signer,
//!     provider::{Action, Advice, Event, Loss, Provider, Reading},
//! };
//!
//! /// What only a host can do.
//! trait Host {
//!     fn clocks(&self) -> Reading;
//!     fn load_identity(&self) -> Result<(CertificateChain, Box<dyn Signer>)>;
//!     fn send(&self, request: &HttpRequest, at_most: std::time::Duration) -> Result<HttpResponse>;
//!     fn sleep(&self, time: std::time::Duration);
//!     fn log(&self, is_warning: bool, line: &str);
//! }
//!
//! /// Credentials that are valid now.
//! fn session<'a>(provider: &'a mut Provider, host: &dyn Host) -> Result<&'a Session> {
//!     loop {
//!         match provider.ask(host.clocks()) {
//!             // A host keeps the window, and does not ask again while it covers its clocks.
//!             Advice::Use(_) => break,
//!             // Here there is no other thread that could drive: at once, then.
//!             Advice::UseAndDrive(_) | Advice::Drive => drive(provider, host),
//!             Advice::Wait { at_most } => host.sleep(at_most),
//!             Advice::Fail { .. } => {
//!                 let unknown = || Error::new(ErrorKind::ServiceUnavailable, "no credentials");
//!                 return Err(provider.error().cloned().unwrap_or_else(unknown));
//!             }
//!             _ => {}
//!         }
//!     }
//!     let none = || Error::new(ErrorKind::ServiceUnavailable, "no credentials");
//!     provider.session().ok_or_else(none)
//! }
//!
//! fn drive(provider: &mut Provider, host: &dyn Host) {
//!     let mut signer = None;
//!     while let Some(action) = provider.poll(host.clocks()) {
//!         let event = match action {
//!             Action::LoadIdentity { id, .. } => match host.load_identity() {
//!                 Ok((chain, loaded)) => {
//!                     signer = Some(loaded);
//!                     Event::IdentityLoaded { id, chain }
//!                 }
//!                 Err(error) => Event::IdentityFailed { id, error, modified: None },
//!             },
//!             Action::Sign { id, request, .. } => {
//!                 let Some(signer) = &signer else { return };
//!                 match signer.sign(request.string_to_sign().as_bytes()) {
//!                     Ok(signature) => Event::Signed { id, signature },
//!                     Err(error) => Event::SignFailed { id, error },
//!                 }
//!             }
//!             Action::Send { id, request, timeout } => match host.send(&request, timeout) {
//!                 Ok(response) => Event::Answered { id, response },
//!                 Err(error) => Event::NotAnswered { id, loss: Loss::Unreachable, error },
//!             },
//!             Action::Pause { duration } => {
//!                 host.sleep(duration);
//!                 Event::Tick
//!             }
//!             Action::Note(note) => {
//!                 host.log(note.kind.is_warning(), &note.message);
//!                 continue;
//!             }
//!             // Here others who wait would be woken.
//!             Action::Use(_) | Action::Fail { .. } => continue,
//!             // The store's, which only a provider with `Sharing` wants.
//!             _ => continue,
//!         };
//!         provider.handle(host.clocks(), event);
//!     }
//! }
//! ```
//!
//! A host that cannot interrupt what it called (a thread in a foreign signer) is passed over: when
//! the time of an action is over, the next who asks hears of it, and drives in its place. The answer
//! that comes after all is ignored.
//!
//! # One session, past everything
//!
//! [`Provider::one_shot`] makes a provider for a single call. Drive it until `poll` returns `None`:
//! then it has a [`session`](Provider::session) or an [`error`](Provider::error). The time for all
//! attempts together is bounded by [`Policy::total_timeout`].
//!
//! # What is believed
//!
//! * A clock is learnt from an accepted request only, and only within what the signature allows
//!   ([`ACCEPTED_OFFSET_SECONDS`]). A refusal's `Date` is tried once; when the service accepts a
//!   request that is dated by it, it is believed.
//! * Credentials never outlive their end by any clock that the provider knows. A lifetime of more
//!   than 12 hours is cut to that. Only where a clock was set back by nobody knows how much (no
//!   monotonic clock, or one that stands still in a sleep), and the service cannot be asked, are they
//!   used by the best estimate.
//! * An answer that has already ended, or is for another role or account, is an error and replaces
//!   nothing.
//!
//! # Sharing
//!
//! With [`Sharing`] the session is looked for in a store before it is made, and stored afterwards. The
//! key is an [`EntryKey`]. An entry is JSON in UTF-8:
//!
//! ```json
//! { "version": 2, "access_key_id": "ASIA…", "secret_access_key": "…", "session_token": "…",
//!   "expiration": "2026-11-27T18:00:00Z", "account_id": "123456789012", "role_arn": "arn:…",
//!   "assumed_role_arn": "arn:…", "assumed_role_id": "AROA…:name", "source_identity": "CN=…",
//!   "subject_arn": "arn:…", "issued_at": 1795800000,
//!   "clock": { "machine": "…", "wall_milliseconds": 1795800000000,
//!              "monotonic_milliseconds": 1234, "offset_seconds": 3600 } }
//! ```
//!
//! The last member of a session's entry is `digest`: SHA-256, in hexadecimal, of the key, a newline and all of
//! the entry before `,"digest"`. It binds the entry to its key and shows damage where nothing seals it; an entry
//! without it is read too.
//!
//! The first five members and `issued_at` are required; `expiration` (RFC 3339) and `issued_at` (Unix
//! seconds) are by the service's clock. `clock` is what a process of that machine knew of its wrong
//! clock. Under [`EntryKey::of_failure`] stands why a renewal failed, for at most a minute:
//!
//! ```json
//! { "version": 2, "code": "access_denied", "message": "…", "failed_at": 1795800000, "until": 1795800060 }
//! ```
//!
//! What is stored where others can read it is sealed by the host, between [`Action::Store`] and the
//! store, and opened between the store and [`Event::Loaded`]. A sealed entry is
//!
//! ```text
//! 0x02 ‖ nonce (12 bytes) ‖ AES-256-GCM(plain text) ‖ tag (16 bytes)
//! ```
//!
//! with the 64 digits of the key, in ASCII, as the associated data, so that an entry is good in its
//! own place only. The nonce is random, new for each entry. `SealingKey` (feature `sealing`) does
//! that; WebCrypto's `encrypt` with `{ name: "AES-GCM", iv, additionalData }` makes the same bytes
//! (it appends the tag). An entry that is not sealed begins with `{`.
//!
//! * With a lock: look, lock, look again, look for a failure, renew, store, unlock. Those who find the
//!   lock held go on with the credentials that they have; those who have none look again, after 150 to
//!   300 ms at first and after seconds later, and renew by themselves when the lease is over.
//! * Without a lock each member draws its own moment before the mandatory window, and looks into the
//!   store then. Members that start together spread their first calls.
//! * A store that fails or is slow is passed over, and left alone for [`Policy::store_rest`].

mod action;
mod answer;
mod clock;
mod entry;
mod machine;
mod policy;
mod random;
#[cfg(feature = "sealing")]
mod sealing;
mod sharing;

pub use action::{Action, Advice, Event, Loss, Note, NoteKind, Window};
pub use clock::{
    ACCEPTED_OFFSET_SECONDS, HostTime, IGNORED_OFFSET_SECONDS, Reading, SUSPECTED_OFFSET_SECONDS,
    ServiceTime,
};
pub use entry::MAX_ENTRY_LENGTH;
pub use machine::Provider;
pub use policy::Policy;
#[cfg(feature = "sealing")]
pub use sealing::{NONCE_LENGTH, SealingKey};
pub use sharing::{EntryKey, Sharing};
