//! Private keys, in files and elsewhere: one type that signs.
//!
//! A key in a token, a TPM or an agent never comes here: it is asked for signatures. What such a
//! signer returns is checked under the public key before anything is sent, so that a key of another
//! certificate, or a device that fails, is told apart from a refusal of the service.

#![cfg_attr(
    any(not(unix), all(target_env = "musl", target_feature = "crt-static")),
    allow(
        dead_code,
        reason = "what PKCS#11 alone needs, or TPMs and agents, is there without them"
    )
)]

#[cfg(not(all(target_env = "musl", target_feature = "crt-static")))]
pub(crate) mod pkcs11;
// A static program cannot load a module: musl's `dlopen` refuses.
#[cfg(all(target_env = "musl", target_feature = "crt-static"))]
#[path = "no_pkcs11.rs"]
pub(crate) mod pkcs11;
pub(crate) mod place;
mod public_key;
pub(crate) mod ssh_agent;
pub(crate) mod store;
pub(crate) mod tpm;
pub(crate) mod uri;

use std::{fmt, path::Path};

use rolesanywhere_core::{
    Certificate, CertificateChain, Error, ErrorKind, KeyAlgorithm, PrivateKey, PublicKey, Result,
    Signature, SignatureVerifier as _, Signer, SigningAlgorithm,
    signers::{
        ring::{RingSigner, RingVerifier},
        rustcrypto::{HashAlgorithm, RustCryptoSigner},
    },
};

use crate::{
    arguments::KeyOptions, console::Console, environment::Environment, password::Passwords,
};

/// What the way to a key may take.
pub(crate) struct Access<'a> {
    /// The PKCS#11 module, where one is named.
    pub(crate) pkcs11_lib: Option<&'a Path>,
    /// The PIN of the token is that of its keys, too.
    pub(crate) reuse_pin: bool,
    /// The key of the TPM has no password.
    pub(crate) no_tpm_key_password: bool,
    pub(crate) passwords: &'a Passwords<'a>,
    pub(crate) environment: &'a Environment<'a>,
    pub(crate) console: &'a Console,
}

impl<'a> Access<'a> {
    /// As the options say.
    pub(crate) fn new(
        options: &'a KeyOptions,
        passwords: &'a Passwords<'a>,
        environment: &'a Environment<'a>,
        console: &'a Console,
    ) -> Self {
        Self {
            pkcs11_lib: options.pkcs11_lib.as_deref(),
            reuse_pin: options.reuse_pin,
            no_tpm_key_password: options.no_tpm_key_password,
            passwords,
            environment,
            console,
        }
    }
}

/// The private key of an identity.
#[derive(Debug)]
pub(crate) enum Key {
    /// A key in a file, which has been read.
    File(PrivateKey),
    /// A key that stays where it is.
    Elsewhere(Elsewhere),
}

/// Signs with a key that it reaches.
pub(crate) trait Sign: fmt::Debug + Send + Sync {
    /// Signs a message, which is not hashed yet, under the hash function; the result is not
    /// checked.
    ///
    /// # Errors
    /// [`ErrorKind::SigningFailed`] and what the way to the key needs, each naming the key's place;
    /// [`ErrorKind::Unsupported`] for a hash function that there is not.
    fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature>;
}

/// A key that stays where it is, and its public half.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    public_key: PublicKey,
    /// Where the key is, for messages.
    place: String,
    signer: Box<dyn Sign>,
}

impl Key {
    /// A key at `place`, whose public half is `public_key`.
    pub(crate) fn elsewhere(
        public_key: PublicKey,
        place: String,
        signer: impl Sign + 'static,
    ) -> Self {
        Self::Elsewhere(Elsewhere {
            public_key,
            place,
            signer: Box::new(signer),
        })
    }

    /// The kind of key.
    pub(crate) fn algorithm(&self) -> KeyAlgorithm {
        self.public_key().algorithm()
    }

    /// The public half.
    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::File(key) => key.public_key(),
            Self::Elsewhere(key) => &key.public_key,
        }
    }

    /// Checks that a key that is elsewhere is the certificate's; of a key in a file it is known.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`] naming the key's place.
    pub(crate) fn check_matches(&self, chain: &CertificateChain) -> Result<()> {
        match self {
            Self::File(_) => Ok(()),
            Self::Elsewhere(key) => check_pair(chain, &key.public_key, &key.place),
        }
    }

    /// What signs requests.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for a damaged key in a file.
    pub(crate) fn signer(&self) -> Result<Box<dyn Signer + '_>> {
        Ok(match self {
            Self::File(key) => Box::new(RingSigner::new(key)?),
            Self::Elsewhere(key) => Box::new(key),
        })
    }

    /// Signs a message, which is not hashed yet, under any hash function, to try the key out.
    ///
    /// # Errors
    /// As [`Sign::sign`], and [`ErrorKind::InvalidKey`] for a damaged key in a file.
    pub(crate) fn sign_under(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        match self {
            Self::File(key) => RustCryptoSigner::new(key)?.sign_under(hash, message),
            Self::Elsewhere(key) if hash == HashAlgorithm::Sha256 => key.sign(message),
            Self::Elsewhere(key) => key.signer.sign(hash, message),
        }
    }
}

impl Signer for &Elsewhere {
    fn algorithm(&self) -> SigningAlgorithm {
        self.public_key.algorithm().signing_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        Elsewhere::sign(self, message)
    }
}

impl Elsewhere {
    fn sign(&self, message: &[u8]) -> Result<Signature> {
        let signature = self.signer.sign(HashAlgorithm::Sha256, message)?;
        match RingVerifier.verify(&self.public_key, message, &signature) {
            Ok(()) => Ok(signature),
            Err(_) => Err(mismatch(&self.place, self.public_key.algorithm())),
        }
    }
}

/// Checks that a key whose public half is known is the certificate's.
///
/// # Errors
/// [`ErrorKind::KeyMismatch`] naming the key's place.
fn check_pair(chain: &CertificateChain, key: &PublicKey, place: &str) -> Result<()> {
    let wanted = chain.end_entity().public_key()?;
    if key == wanted {
        return Ok(());
    }
    Err(mismatch(place, wanted.algorithm()))
}

/// The chain of a certificate out of all that its token or store holds. What is not on the path is
/// nobody's mistake there, so it is forgotten.
fn chain_of_store(
    end_entity: Certificate,
    candidates: Vec<Certificate>,
) -> Result<CertificateChain> {
    let chain = CertificateChain::new(end_entity.clone(), candidates)?;
    CertificateChain::new(end_entity, chain.intermediates().to_vec())
}

/// The refusal of a key that does not sign for the certificate.
fn mismatch(place: &str, wanted: KeyAlgorithm) -> Error {
    Error::new(
        ErrorKind::KeyMismatch,
        format!(
            "the key in {place} does not belong to the certificate, whose key is {wanted}: pass the \
             key and the certificate of one request"
        ),
    )
}

/// The digest of a message, for signers that take nothing else.
fn digest(hash: HashAlgorithm, message: &[u8]) -> ring::digest::Digest {
    let algorithm = match hash {
        HashAlgorithm::Sha256 => &ring::digest::SHA256,
        HashAlgorithm::Sha384 => &ring::digest::SHA384,
        HashAlgorithm::Sha512 => &ring::digest::SHA512,
    };
    ring::digest::digest(algorithm, message)
}
