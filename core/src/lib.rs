//! The sans-IO core of AWS IAM Roles Anywhere.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arn;
pub mod credentials;
mod encoding;
pub mod endpoint;
mod error;
pub mod key;
pub mod pem;
pub mod renewal;
pub mod secret;
pub mod session;
pub mod signature;
pub mod sigv4;
pub mod time;

pub use arn::Arn;
pub use credentials::Credentials;
pub use endpoint::{Endpoint, EndpointOptions, Partition};
pub use error::{Error, ErrorKind, Result};
pub use key::{KeyAlgorithm, PrivateKey, PublicKey};
pub use pem::PemSection;
pub use renewal::{Next, Renewal, RenewalPolicy};
pub use secret::Secret;
pub use session::{HttpResponse, ServiceError, Session};
pub use signature::{Signature, SignatureVerifier, Signer, SigningAlgorithm};
pub use time::UnixTime;
