//! The classes of the library: the core's types, each behind a class of the same name.

pub mod identity;
pub mod renewal;
pub mod session;
pub mod sigv4;
pub mod source;

pub use identity::{CertificateChain, LocalIdentity};
pub use renewal::{Next, Renewal};
pub use session::{
    CallParameters, CreateSession, EndpointParts, Header, HttpRequest, Session, SessionParts,
    SignatureForm, SigningAlgorithm, UnsignedRequest,
};
pub use sigv4::{HostScope, PayloadSigning, SigningKey, host_scope};
pub use source::IdentityPart;
