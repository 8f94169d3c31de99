//! Password-based encryption: PBES1 and PBES2 (RFC 8018), and the schemes of PKCS#12 (RFC 7292,
//! appendix C).
//!
//! A scheme is parsed first, with everything that it asks for, and refused by name where it is not
//! known. Only then is a password needed and a key derived, once.

mod budget;
mod cipher;
mod hash;
mod kdf;
mod password;
mod scheme;

pub(super) use budget::Budget;
pub(super) use cipher::Cipher;
pub(super) use hash::Hash;
pub(super) use kdf::{Kdf, Purpose, evp_bytes_to_key, pkcs12_kdf};
pub(super) use password::Password;
pub(super) use scheme::Scheme;

use alloc::format;

use crate::{Error, ErrorKind, certificate::oid::dotted};

/// What to do about an encryption that is not read.
const REMEDY: &str = "encrypt it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW` \
                      (or `openssl pkcs12` for PKCS#12)";

/// The refusal of an encryption that is known by `name`.
fn unsupported(name: &str) -> Error {
    Error::written(
        ErrorKind::Unsupported,
        format_args!("the encryption uses {name}, which is not read: {REMEDY}"),
    )
}

/// The refusal of what has no name here; `role` tells what it is used as.
fn unknown(role: &str, oid: &[u8]) -> Error {
    let oid = dotted(oid).unwrap_or_default();
    unsupported(&format!("the {role} `{oid}`"))
}

#[cfg(test)]
mod tests;
