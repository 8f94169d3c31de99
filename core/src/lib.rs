//! The sans-IO core of `rolesanywhere`: temporary AWS credentials from an X.509 certificate.
//!
//! [AWS IAM Roles Anywhere](https://docs.aws.amazon.com/rolesanywhere/latest/userguide/introduction.html)
//! gives a workload outside AWS temporary credentials in exchange for a request that is signed with
//! the private key of its certificate: `CreateSession`, which is in no AWS SDK. This crate knows the
//! protocol and nothing else. It reads no clock, opens no socket and no file, and draws no random
//! numbers: time and bytes come in as arguments, instructions go out.
//!
//! ```text
//!  certificate bytes ─► Certificate ─► CertificateChain ─┐
//!  ARNs, duration    ─► CreateSession ───────────────────┼─ prepare(now) ─► UnsignedRequest ─► Signer or host
//!                                                        │                        ▲                  │
//!         the host's HTTP  ◄── HttpRequest ◄─────────────┴── with_signature ◄─────┴── Signature ◄────┘
//!                 │
//!                 └─► HttpResponse ─► Session::from_response ─► Credentials
//! ```
//!
//! The whole walk, with a key that this crate signs with itself:
//!
//! ```no_run
//! use rolesanywhere_core::{
//!     CertificateChain, CreateSession, HttpResponse, PrivateKey, Session, UnixTime,
//!     signers::rustcrypto::RustCryptoSigner,
//! };
//!
//! # fn main() -> rolesanywhere_core::Result<()> {
//! # let (certificate_pem, key_pem): (&[u8], &[u8]) = (b"", b"");
//! # let (status, headers, body) = (201, Vec::new(), Vec::new());
//! let chain = CertificateChain::from_pem(certificate_pem)?;
//! let key = PrivateKey::from_pem(key_pem, None)?;
//! key.check_matches(chain.end_entity().public_key()?)?;
//!
//! let call = CreateSession::new(
//!     "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0d1c5b6e-0000-4000-8000-000000000000",
//!     "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/7f3a2c11-0000-4000-8000-000000000000",
//!     "arn:aws:iam::123456789012:role/reader",
//! )?;
//! let now = UnixTime::from_seconds(1_780_000_000); // the host's clock
//! let request = call.prepare(&chain, now)?.sign(&RustCryptoSigner::new(&key)?)?;
//!
//! // The host sends `request` with its own HTTP and passes the answer back.
//! let session = Session::from_response(&HttpResponse::new(status, headers, body))?;
//! println!("{}", session.credentials().access_key_id());
//! # Ok(())
//! # }
//! ```
//!
//! A key that lives elsewhere (WebCrypto, KMS, PKCS#11, a TPM, a Secure Enclave) signs
//! [`UnsignedRequest::string_to_sign`](session::UnsignedRequest::string_to_sign) in its own time,
//! and [`with_signature`](session::UnsignedRequest::with_signature) goes on from there.
//!
//! That is one session. [`provider`] is the life of credentials: when to make them, what to believe of
//! an answer, whom to let wait, and how processes share.
//!
//! # Features
//!
//! Each adds types and changes nothing else.
//!
//! * `containers` (default): what opens PKCS#12, PKCS#7, BER and encrypted keys. Without it such a file is
//!   refused by name; [`identity_files::is_container`] tells it apart beforehand.
//! * `rustcrypto` (default): `signers::rustcrypto`, pure Rust, for wasm and for targets without std;
//!   also what derives public keys from private ones.
//! * `ring`: `signers::ring`, the cheapest in a process that signs once.
//! * `aws-lc`: `signers::aws_lc`, the fastest in a process that lives long.
//! * `export-private-key`: `PrivateKey::to_pkcs8_der`, for a host that signs with a library of its own,
//!   and `identity_files::open`, for one that keeps `containers` apart.
//! * `explain` (default): [`provider`] looks for what the service will refuse before it asks, and adds
//!   to a refusal what to do about it.
//! * `sealing`: `provider::SealingKey`, which seals shared sessions with AES-256-GCM.
//! * `std`: faster tables for `rustcrypto`, which need std.
//!
//! # Errors and panics
//!
//! Every failure is an [`Error`] with a [kind](ErrorKind) that is the same in every language. A panic
//! is a bug of ours.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arn;
#[cfg(feature = "containers")]
mod ber;
pub mod certificate;
pub mod credentials;
#[cfg_attr(not(feature = "containers"), allow(dead_code))] // some only containers have
mod elements;
mod encoding;
pub mod endpoint;
mod error;
pub mod identity;
pub mod identity_files;
pub mod key;
pub mod password;
pub mod pem;
pub mod provider;
pub mod secret;
pub mod session;
pub mod signature;
pub mod signers;
pub mod sigv4;
pub mod source;
pub mod text;
pub mod time;

pub use arn::Arn;
pub use certificate::{Certificate, CertificateChain};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, EndpointOptions, Partition};
pub use error::{Error, ErrorKind, Result};
pub use identity_files::IdentityFiles;
pub use key::{KeyAlgorithm, PrivateKey, PublicKey};
pub use pem::PemSection;
pub use secret::Secret;
pub use session::{
    ArnPlacement, CreateSession, HttpRequest, HttpResponse, ServiceError, Session, UnsignedRequest,
};
pub use signature::{Signature, SignatureVerifier, Signer, SigningAlgorithm};
pub use source::Source;
pub use time::UnixTime;
