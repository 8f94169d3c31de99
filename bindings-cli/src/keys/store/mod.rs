//! The certificate stores of macOS (keychains) and Windows, with keys that may not be exported.
//!
//! Whoever selects nothing gets the one identity that there is. The certificates of the store make
//! the chain, as those of a file do.

#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;
#[cfg(not(any(target_os = "macos", windows)))]
#[path = "none.rs"]
mod platform;

use rolesanywhere_core::{
    Certificate, CertificateChain, Error, ErrorKind, Result, SigningAlgorithm,
};

use super::{Access, Key, Sign};
use crate::{arguments::StoreOptions, selector::Selector};

/// The most certificates that are named in an error.
const MAX_NAMED: usize = 8;

/// What a store holds.
#[cfg_attr(
    not(any(target_os = "macos", windows)),
    allow(dead_code, reason = "there is no store that would make one")
)]
struct Contents {
    /// Certificates with a private key.
    identities: Vec<Candidate>,
    /// Certificates without, which may be issuers.
    others: Vec<Certificate>,
}

/// A certificate with a private key, which is opened once it is chosen.
struct Candidate {
    certificate: Certificate,
    open: Box<dyn FnOnce() -> Result<Box<dyn Sign>>>,
}

/// Opens the identity that the options select in the system's store.
///
/// # Errors
/// What is wrong with the selector; [`ErrorKind::InvalidInput`] when nothing or several fit, naming
/// them; [`ErrorKind::Unsupported`] where the system has no store, and for keys that it does not
/// sign with.
pub(crate) fn identity(
    options: &StoreOptions,
    access: &Access<'_>,
) -> Result<(CertificateChain, Key)> {
    let selector = match &options.cert_selector {
        Some(selector) => Selector::read(selector)?,
        None => Selector::default(),
    };
    let contents = platform::contents(options.system_store_name.as_deref())?;
    let (mut fitting, rest): (Vec<_>, Vec<_>) = contents
        .identities
        .into_iter()
        .partition(|candidate| selector.matches(&candidate.certificate));
    if options.use_latest_expiring_certificate {
        fitting.sort_by_key(|candidate| candidate.certificate.not_after());
    } else if fitting.len() > 1 {
        return Err(several(&fitting));
    }
    let Some(chosen) = fitting.pop() else {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "no certificate with a private key fits in {}: `rolesanywhere read-certificate-data \
                 --cert-selector …` lists those that do",
                platform::NAME
            ),
        ));
    };
    let public_key = chosen.certificate.public_key()?.clone();
    if public_key.algorithm().signing_algorithm() == SigningAlgorithm::MlDsa {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{} does not sign with ML-DSA for other programs: keep such a key in a file",
                platform::NAME
            ),
        ));
    }
    let issuers = fitting.into_iter().chain(rest);
    let issuers = issuers.map(|candidate| candidate.certificate);
    let issuers = issuers.chain(contents.others).collect();
    let place = format!("{} (`{}`)", platform::NAME, chosen.certificate.subject());
    access.console.detail(format_args!("private key: {place}"));
    let chain = super::chain_of_store(chosen.certificate, issuers)?;
    let signer = (chosen.open)().map_err(|error| error.context(&place))?;
    Ok((chain, Key::elsewhere(public_key, place, signer)))
}

/// Every certificate with a private key of the store.
///
/// # Errors
/// [`ErrorKind::Unsupported`] where the system has no store.
pub(crate) fn certificates(store: Option<&str>) -> Result<Vec<Certificate>> {
    let identities = platform::contents(store)?.identities.into_iter();
    Ok(identities.map(|candidate| candidate.certificate).collect())
}

fn several(fitting: &[Candidate]) -> Error {
    let named: Vec<_> = fitting
        .iter()
        .take(MAX_NAMED)
        .map(|candidate| {
            let serial = candidate.certificate.serial_hex();
            format!(
                "`{}` (x509Serial {serial})",
                candidate.certificate.subject()
            )
        })
        .collect();
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "{} certificates fit in {}: name the one that is meant with --cert-selector, or take the one that \
             is valid longest with --use-latest-expiring-certificate; they are {}",
            fitting.len(),
            platform::NAME,
            named.join(", ")
        ),
    )
}

impl Sign for Box<dyn Sign> {
    fn sign(
        &self,
        hash: rolesanywhere_core::signers::rustcrypto::HashAlgorithm,
        message: &[u8],
    ) -> Result<rolesanywhere_core::Signature> {
        (**self).sign(hash, message)
    }
}
