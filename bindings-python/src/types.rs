//! The classes of the module: the core's types, each behind a class of the same name.

mod identity;
mod renewal;
mod session;
mod sigv4;
mod source;

pub(crate) use identity::{Certificate, CertificateChain, PrivateKey};
pub(crate) use renewal::Renewal;
pub(crate) use session::{CreateSession, HttpRequest, Session, Signature, UnsignedRequest};
pub(crate) use sigv4::SigningKey;
pub(crate) use source::Parameter;
