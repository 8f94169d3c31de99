//! An emulator of AWS IAM Roles Anywhere that verifies what the service verifies.
//!
//! [`Service::handle`] takes a request and the time and gives the response; it knows no clock, socket
//! or file. [`server`] puts HTTP and TLS around it. A [`config::Config`] says what there is: trust
//! anchors, profiles, roles.
//!
//! It is a test of a client only if it does not believe the client's code: headers, canonical
//! requests, signatures and certificates are read here with other code and, wherever there is one,
//! another crate than `rolesanywhere-core` uses. Of that crate only [`Arn`](rolesanywhere_core::Arn),
//! [`UnixTime`](rolesanywhere_core::UnixTime) and the error type are taken.
//!
//! The walk of one CreateSession, each step a module: `authenticate` (header, signature, clock),
//! `path` (chain to the trust anchor), `revocation`, `authorize` (profile, role, session name),
//! `issue`. The order in which they check stands in one table, in `create_session`.
#![forbid(unsafe_code)]

pub mod addressing;
pub mod audit;
pub mod config;
pub mod faults;
pub mod fixtures;
pub mod metrics;
pub mod notifications;
pub mod policy;
pub mod server;

mod authenticate;
mod authorize;
mod certificate;
mod clock;
mod console;
mod control_plane;
mod create_session;
mod error;
mod iam;
mod identifier;
mod issue;
mod json;
mod message;
mod monitoring;
mod parameters;
mod path;
mod random;
mod revocation;
mod service;
mod state;
mod store;
mod sts;
mod test_api;
mod throttle;
mod verification;

pub use audit::AuditRecord;
pub use config::Config;
pub use error::{Entry, Evidence, Fault};
pub use message::{Delivery, End, Request, Response};
pub use random::{Random, RandomFailed, SystemRandom};
pub use service::{MAX_BODY_LENGTH, Service};

/// The README's examples are compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
