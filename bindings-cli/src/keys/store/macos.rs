//! The keychains of macOS, by Security.framework. Written against its documentation and
//! type-checked; no Mac ran it.

use std::sync::{Mutex, PoisonError};

use rolesanywhere_core::{
    Certificate, Error, ErrorKind, KeyAlgorithm, Result, Signature,
    signers::rustcrypto::HashAlgorithm,
};
use security_framework::{
    base::Error as KeychainError,
    item::{ItemClass, ItemSearchOptions, Limit, Reference, SearchResult},
    key::{Algorithm, SecKey},
};

use super::{Candidate, Contents, Sign};

pub(super) const NAME: &str = "the keychains";

/// `errSecItemNotFound`: a search that finds nothing.
const NOT_FOUND: i32 = -25300;

/// The identities and certificates of the keychains that are searched by default.
pub(super) fn contents(store: Option<&str>) -> Result<Contents> {
    if store.is_some() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "--system-store-name is for Windows: on macOS the keychains of the search list are used",
        ));
    }
    let mut identities = Vec::new();
    for reference in search(ItemClass::identity())? {
        let Reference::Identity(identity) = reference else {
            continue;
        };
        let der = identity
            .certificate()
            .map_err(|error| failed(&error))?
            .to_der();
        // One that the service cannot take either is none.
        let Ok(certificate) = Certificate::from_der(&der) else {
            continue;
        };
        let algorithm = match certificate.public_key() {
            Ok(key) => key.algorithm(),
            Err(_) => continue,
        };
        let open = move || {
            let key = identity.private_key().map_err(|error| failed(&error))?;
            let key = Mutex::new(key);
            Ok(Box::new(KeychainKey { key, algorithm }) as Box<dyn Sign>)
        };
        identities.push(Candidate {
            certificate,
            open: Box::new(open),
        });
    }
    let others = search(ItemClass::certificate())?
        .into_iter()
        .filter_map(|reference| match reference {
            Reference::Certificate(found) => Certificate::from_der(&found.to_der()).ok(),
            _ => None,
        });
    Ok(Contents {
        identities,
        others: others.collect(),
    })
}

fn search(class: ItemClass) -> Result<Vec<Reference>> {
    let mut options = ItemSearchOptions::new();
    options.class(class).load_refs(true).limit(Limit::All);
    let found = match options.search() {
        Ok(found) => found,
        Err(error) if error.code() == NOT_FOUND => Vec::new(),
        Err(error) => return Err(failed(&error)),
    };
    let references = found.into_iter().filter_map(|found| match found {
        SearchResult::Ref(reference) => Some(reference),
        _ => None,
    });
    Ok(references.collect())
}

/// Signs in the keychain, or in the Secure Enclave behind it.
#[derive(Debug)]
struct KeychainKey {
    key: Mutex<SecKey>,
    algorithm: KeyAlgorithm,
}

impl Sign for KeychainKey {
    fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        let is_rsa = matches!(self.algorithm, KeyAlgorithm::Rsa { .. });
        let algorithm = match (is_rsa, hash) {
            (true, HashAlgorithm::Sha256) => Algorithm::RSASignatureMessagePKCS1v15SHA256,
            (true, HashAlgorithm::Sha384) => Algorithm::RSASignatureMessagePKCS1v15SHA384,
            (true, HashAlgorithm::Sha512) => Algorithm::RSASignatureMessagePKCS1v15SHA512,
            (false, HashAlgorithm::Sha256) => Algorithm::ECDSASignatureMessageX962SHA256,
            (false, HashAlgorithm::Sha384) => Algorithm::ECDSASignatureMessageX962SHA384,
            (false, HashAlgorithm::Sha512) => Algorithm::ECDSASignatureMessageX962SHA512,
        };
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = key.create_signature(algorithm, message).map_err(|error| {
            Error::new(
                ErrorKind::SigningFailed,
                format!(
                    "{NAME} do not sign ({error}): let this program use the key in Keychain Access"
                ),
            )
        })?;
        match is_rsa {
            true => Signature::rsa_pkcs1(&bytes),
            false => Signature::ecdsa_der(&bytes),
        }
    }
}

fn failed(error: &KeychainError) -> Error {
    Error::new(
        ErrorKind::SigningFailed,
        format!(
            "{NAME} cannot be searched ({error}): unlock them, and let this program use the key"
        ),
    )
}
