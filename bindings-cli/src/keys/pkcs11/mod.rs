//! Keys and certificates in PKCS#11 tokens: smart cards, HSMs, SoftHSM, what p11-kit knows.
//!
//! The module is loaded, the tokens that the URI fits are looked through, and a session stays open
//! for as long as the key is in use. The user logs in only where an object cannot be found without.

mod failure;
mod objects;
mod raw;
mod token;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Pkcs11Error, RvError},
    mechanism::{Mechanism, MechanismType},
    object::ObjectHandle,
    session::{Session, UserType},
};
use rolesanywhere_core::{
    Certificate, CertificateChain, Error, ErrorKind, KeyAlgorithm, Result, Signature,
    signers::rustcrypto::HashAlgorithm,
};

use self::{
    failure::failed,
    objects::{FoundCertificate, FoundKey},
    token::{Token, raw_pin},
};
use super::{Access, Key, Sign, uri::Uri};
use crate::{password::Password, terminal};

/// Where the module is looked for when none is named: p11-kit's proxy, which stands for all modules
/// that are configured on the machine.
#[cfg(target_os = "macos")]
const DEFAULT_MODULES: &[&str] = &[
    "p11-kit-proxy.dylib",
    // Homebrew's two places are on no search path.
    "/opt/homebrew/lib/p11-kit-proxy.dylib",
    "/usr/local/lib/p11-kit-proxy.dylib",
];
#[cfg(windows)]
const DEFAULT_MODULES: &[&str] = &["p11-kit-proxy.dll"];
#[cfg(not(any(target_os = "macos", windows)))]
const DEFAULT_MODULES: &[&str] = &["p11-kit-proxy.so", "p11-kit-proxy.so.0"];

/// Opens an identity of which the certificate, the key or both are in a token.
///
/// `certificate` names the certificate, unless `chain` is there from a file; `key` names the key,
/// by default it is looked for by the certificate's URI. The certificates of the token's and `more`
/// make the chain.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when nothing or too much fits; [`ErrorKind::KeyMismatch`] when the
/// key is not the certificate's; what logging in needs.
pub(crate) fn identity(
    certificate: Option<&Uri>,
    key: Option<&Uri>,
    chain: Option<CertificateChain>,
    more: Vec<Certificate>,
    access: &Access<'_>,
) -> Result<(CertificateChain, Key)> {
    let key_uri = key.or(certificate).ok_or_else(no_uri)?;
    let module = Module::load(&[Some(key_uri), certificate], access)?;
    let pin_uris = [Some(key_uri), certificate];
    let mut found = None;
    let chain = match (chain, certificate) {
        (Some(chain), _) => chain,
        (None, Some(uri)) => {
            let tokens = module.tokens(uri)?;
            let (certificate, others) = objects::certificate(&tokens, uri, &pin_uris, access)?;
            let candidates = others.into_iter().chain(more).collect();
            let chain = super::chain_of_store(certificate.certificate.clone(), candidates)?;
            found = Some(certificate);
            chain
        }
        (None, None) => return Err(no_uri()),
    };
    let key = module.key(key_uri, &pin_uris, Some(&chain), found.as_ref(), access)?;
    Ok((chain, key))
}

/// Opens a key alone. Its public half must be in the token too.
///
/// # Errors
/// As [`identity`].
pub(crate) fn key(uri: &Uri, access: &Access<'_>) -> Result<Key> {
    let module = Module::load(&[Some(uri)], access)?;
    module.key(uri, &[Some(uri)], None, None, access)
}

/// The certificates that a URI fits, each with a URI of its own, which fits it alone.
///
/// # Errors
/// As [`identity`], as far as certificates go; that nothing fits is none.
pub(crate) fn certificates(uri: &Uri, access: &Access<'_>) -> Result<Vec<(Certificate, String)>> {
    let module = Module::load(&[Some(uri)], access)?;
    let tokens = module.tokens(uri)?;
    let mut listed = Vec::new();
    for found in objects::fitting(&tokens, uri, &[Some(uri)], access)? {
        let own = tokens.get(found.token).map(|token| found.uri(token));
        listed.push((found.certificate, own.unwrap_or_default()));
    }
    Ok(listed)
}

/// A module that has been loaded and initialised; finalised when dropped.
#[derive(Debug)]
struct Module {
    context: Pkcs11,
    path: PathBuf,
}

impl Module {
    fn load(uris: &[Option<&Uri>], access: &Access<'_>) -> Result<Self> {
        let mut of_uris = uris.iter().flatten();
        let of_uri = of_uris.find_map(|uri| uri.module_path.as_deref());
        let named = access.pkcs11_lib.or(of_uri);
        let defaults: Vec<&Path> = DEFAULT_MODULES.iter().map(Path::new).collect();
        let candidates = named.map_or(defaults, |path| vec![path]);
        let mut failure = None;
        for path in candidates {
            match Pkcs11::new(path) {
                Ok(context) => {
                    access
                        .console
                        .detail(format_args!("PKCS#11 module: `{}`", path.display()));
                    return Self::initialize(context, path);
                }
                Err(error) => failure = failure.or(Some((path, error))),
            }
        }
        let (path, why) = match failure {
            Some((path, Pkcs11Error::LibraryLoading(error))) => (path, error.to_string()),
            Some((path, _)) => (path, "it is no PKCS#11 module".to_owned()),
            None => (Path::new(""), String::new()),
        };
        let advice = if named.is_some() {
            "check the path"
        } else {
            "install p11-kit's, or name the module of your token with --pkcs11-lib"
        };
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "the PKCS#11 module `{}` cannot be loaded ({why}): {advice}",
                path.display()
            ),
        ))
    }

    fn initialize(context: Pkcs11, path: &Path) -> Result<Self> {
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Something else of this process uses the module already.
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(Self {
                context,
                path: path.to_owned(),
            }),
            Err(error) => Err(failed(
                &error,
                &format!("the PKCS#11 module `{}`", path.display()),
            )),
        }
    }

    /// The tokens that the URI fits; at least one.
    fn tokens(&self, uri: &Uri) -> Result<Vec<Token>> {
        token::fitting(&self.context, &self.path, uri)
    }

    /// Opens the key: logs in to the one token that the URI fits, and finds the key there.
    fn key(
        self,
        uri: &Uri,
        pin_uris: &[Option<&Uri>],
        chain: Option<&CertificateChain>,
        certificate: Option<&FoundCertificate>,
        access: &Access<'_>,
    ) -> Result<Key> {
        let mut tokens = self.tokens(uri)?;
        if let Some(found) = certificate
            && tokens.iter().any(|token| token.slot == found.slot)
        {
            tokens.retain(|token| token.slot == found.slot);
        }
        let token = match (tokens.pop(), tokens.is_empty()) {
            (Some(token), true) => token,
            (last, _) => {
                tokens.extend(last);
                return Err(token::several(&tokens, uri));
            }
        };
        let pin = token.log_in(pin_uris, access)?;
        let wanted = chain
            .map(|chain| chain.end_entity().public_key())
            .transpose()?;
        let found = objects::key(&token, uri, wanted, certificate)?;
        let FoundKey {
            handle,
            public_key,
            always_authenticate,
            place,
        } = found;
        let public_key = match (public_key, wanted) {
            (Some(known), _) => known,
            (None, Some(wanted)) => wanted.clone(),
            (None, None) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("{place} has no public half beside it: pass --certificate too"),
                ));
            }
        };
        access.console.detail(format_args!("private key: {place}"));
        let again = always_authenticate.then(|| Again {
            pin: Mutex::new(pin.filter(|_| access.reuse_pin)),
            on_reader: token.info.protected_authentication_path(),
            hashes_ec: token.hashes_ec(&self.context),
        });
        let signer = TokenKey {
            session: Mutex::new(token.session),
            key: handle,
            algorithm: public_key.algorithm(),
            place: place.clone(),
            again,
            module: self,
        };
        Ok(Key::elsewhere(public_key, place, signer))
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // All sessions end with it. There is nobody to tell of a failure, and nothing to do about
        // it.
        let _ = self.context.clone().finalize();
    }
}

/// Signs in the token.
#[derive(Debug)]
struct TokenKey {
    // Dropped before the module, in this order.
    session: Mutex<Session>,
    key: ObjectHandle,
    algorithm: KeyAlgorithm,
    place: String,
    again: Option<Again>,
    module: Module,
}

/// What a key needs that wants a login for each signature (`CKA_ALWAYS_AUTHENTICATE`).
struct Again {
    /// The PIN, once it is known.
    pin: Mutex<Option<Password>>,
    /// The PIN is typed on the reader, not here.
    on_reader: bool,
    /// The token hashes for ECDSA by itself, under these functions.
    hashes_ec: Vec<MechanismType>,
}

impl std::fmt::Debug for Again {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Again")
    }
}

impl Sign for TokenKey {
    fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match self.algorithm {
            KeyAlgorithm::Rsa { .. } => {
                let bytes = self.rsa(&session, hash, message)?;
                Signature::rsa_pkcs1(&bytes)
            }
            _ => {
                let bytes = self.ecdsa(&session, hash, message)?;
                Signature::ecdsa_p1363(&bytes)
            }
        }
        .map_err(|error| error.context(&self.place))
    }
}

impl TokenKey {
    fn rsa(&self, session: &Session, hash: HashAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        let mechanism = match hash {
            HashAlgorithm::Sha256 => Mechanism::Sha256RsaPkcs,
            HashAlgorithm::Sha384 => Mechanism::Sha384RsaPkcs,
            HashAlgorithm::Sha512 => Mechanism::Sha512RsaPkcs,
        };
        let whole = match &self.again {
            Some(again) => self.in_parts(session, again, &mechanism, message),
            None => session
                .sign(&mechanism, self.key, message)
                .map_err(|error| Failure::of(error, &self.place)),
        };
        match whole {
            // A token that leaves the hashing to others.
            Err(Failure::NoMechanism) => {
                let info = digest_info(hash, message);
                match &self.again {
                    Some(again) => self.at_once(session, again, &Mechanism::RsaPkcs, &info),
                    None => session
                        .sign(&Mechanism::RsaPkcs, self.key, &info)
                        .map_err(|error| failed(&error, &self.place)),
                }
            }
            Err(Failure::Other(error)) => Err(error),
            Ok(bytes) => Ok(bytes),
        }
    }

    fn ecdsa(&self, session: &Session, hash: HashAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        let digest = super::digest(hash, message);
        let Some(again) = &self.again else {
            return session
                .sign(&Mechanism::Ecdsa, self.key, digest.as_ref())
                .map_err(|error| failed(&error, &self.place));
        };
        let (hashing, kind) = match hash {
            HashAlgorithm::Sha256 => (Mechanism::EcdsaSha256, MechanismType::ECDSA_SHA256),
            HashAlgorithm::Sha384 => (Mechanism::EcdsaSha384, MechanismType::ECDSA_SHA384),
            HashAlgorithm::Sha512 => (Mechanism::EcdsaSha512, MechanismType::ECDSA_SHA512),
        };
        if again.hashes_ec.contains(&kind) {
            match self.in_parts(session, again, &hashing, message) {
                Err(Failure::NoMechanism) => {}
                Err(Failure::Other(error)) => return Err(error),
                Ok(bytes) => return Ok(bytes),
            }
        }
        self.at_once(session, again, &Mechanism::Ecdsa, digest.as_ref())
    }

    /// Begins, logs in for this signature, passes the message and ends.
    fn in_parts(
        &self,
        session: &Session,
        again: &Again,
        mechanism: &Mechanism<'_>,
        message: &[u8],
    ) -> std::result::Result<Vec<u8>, Failure> {
        let failed = |error| Failure::of(error, &self.place);
        session.sign_init(mechanism, self.key).map_err(failed)?;
        self.authenticate(session, again)?;
        session.sign_update(message).map_err(failed)?;
        session.sign_final().map_err(failed)
    }

    /// Begins, logs in for this signature, and signs what is short enough for one call.
    fn at_once(
        &self,
        session: &Session,
        again: &Again,
        mechanism: &Mechanism<'_>,
        data: &[u8],
    ) -> Result<Vec<u8>> {
        session
            .sign_init(mechanism, self.key)
            .map_err(|error| failed(&error, &self.place))?;
        self.authenticate(session, again)?;
        raw::sign(&self.module.path, session, data).map_err(|error| error.context(&self.place))
    }

    fn authenticate(&self, session: &Session, again: &Again) -> Result<()> {
        let log_in = |pin: Option<&Password>| {
            let pin = pin.map(raw_pin);
            match &pin {
                Some(pin) => session.login_with_raw(UserType::ContextSpecific, pin),
                None => session.login(UserType::ContextSpecific, None),
            }
            .map_err(|error| failed(&error, &self.place))
        };
        if again.on_reader {
            return log_in(None);
        }
        let mut kept = again.pin.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            let typed = terminal::ask(&format!("PIN once more, to sign with {}: ", self.place))?;
            *kept = Some(typed.ok_or_else(|| {
                Error::new(
                    ErrorKind::PasswordRequired,
                    format!(
                        "{} wants its PIN for each signature: pass --reuse-pin if that is the token's \
                         own, or run this in a terminal",
                        self.place
                    ),
                )
            })?);
        }
        let outcome = log_in(kept.as_ref());
        if outcome.is_err() {
            *kept = None;
        }
        outcome
    }
}

/// Why a way of signing did not work.
enum Failure {
    /// The token does not have the mechanism; another may do.
    NoMechanism,
    Other(Error),
}

impl Failure {
    fn of(error: Pkcs11Error, place: &str) -> Self {
        match error {
            Pkcs11Error::Pkcs11(RvError::MechanismInvalid, _) => Self::NoMechanism,
            error => Self::Other(failed(&error, place)),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The `DigestInfo` that RSASSA-PKCS1-v1_5 pads (RFC 8017, 9.2, note 1).
fn digest_info(hash: HashAlgorithm, message: &[u8]) -> Vec<u8> {
    let (arc, length) = match hash {
        HashAlgorithm::Sha256 => (1, 32),
        HashAlgorithm::Sha384 => (2, 48),
        HashAlgorithm::Sha512 => (3, 64),
    };
    let mut info = vec![
        0x30,
        17 + length,
        0x30,
        13,
        6,
        9,
        0x60,
        0x86,
        0x48,
        1,
        0x65,
        3,
        4,
        2,
        arc,
        5,
        0,
        4,
        length,
    ];
    info.extend_from_slice(super::digest(hash, message).as_ref());
    info
}

fn no_uri() -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "no pkcs11: URI names the key: pass one to --private-key or --certificate",
    )
}
