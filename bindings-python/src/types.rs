//! The classes of the module: the core's types, each behind a class of the same name.

mod identity;
mod provider;
mod session;
mod sigv4;
mod source;

pub(crate) use identity::{Certificate, CertificateChain, PrivateKey};
pub(crate) use provider::{Action, Advice, Provider};
pub(crate) use session::{CreateSession, HttpRequest, Session, Signature, UnsignedRequest};
pub(crate) use sigv4::{SigningKey, host_scope, is_s3};
pub(crate) use source::Parameter;
