//! The classes of the addon: the core's types, each behind a class of the same name.

pub mod identity;
pub mod provider;
pub mod session;
pub mod sigv4;
pub mod source;

pub use identity::CertificateChain;
pub use session::{Session, UnsignedRequest};

use napi_derive::napi;

/// The version of the addon, which must be that of the package that loads it.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
