//! The classes of the module: the core's types, each behind a class of the same name.

mod certificate_chain;
mod create_session;
mod provider;
mod session;
mod signing_key;
#[cfg(feature = "full")]
mod source;

pub use certificate_chain::CertificateChain;
pub use create_session::{CreateSession, Signature, UnsignedRequest, partition_of};
#[cfg(feature = "full")]
pub use provider::explains;
pub use provider::{Action, Advice, Provider, max_response_length};
pub use session::Session;
pub use signing_key::{SigningKey, host_scope, is_s3};
#[cfg(feature = "full")]
pub use source::{refuse_stream, refuse_unreadable, refuse_unset, source_of};
