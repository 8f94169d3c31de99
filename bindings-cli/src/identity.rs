//! The identity, wherever its parts are: the certificate with its chain, and the private key.

use std::path::Path;

use rolesanywhere_core::{Certificate, CertificateChain, Error, ErrorKind, IdentityFiles, Result};

use crate::{
    arguments::StoreOptions,
    identity_files::{self, InputFile, Places},
    inputs::{CERTIFICATE, Input, PRIVATE_KEY},
    keys::{self, Access, Key, pkcs11, place::Place},
};

/// Where the identity's parts are, as the options say.
#[derive(Clone, Copy)]
pub(crate) struct Whereabouts<'a> {
    pub(crate) certificate: Option<&'a Path>,
    pub(crate) private_key: Option<&'a Path>,
    pub(crate) intermediates: Option<&'a Path>,
    pub(crate) store: &'a StoreOptions,
}

/// A certificate chain and the private key of its end entity: one generation, since both were read
/// together and compared.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) chain: CertificateChain,
    pub(crate) key: Key,
}

impl Identity {
    /// Opens the identity: reads its files, or goes to where its key is.
    ///
    /// # Errors
    /// [`ErrorKind::KeyMismatch`] when key and certificate are known to be no pair; what reading
    /// files, logging in to a token, reaching a TPM or an agent can meet, each naming the place.
    pub(crate) fn open(where_: Whereabouts<'_>, access: &Access<'_>) -> Result<Self> {
        let Some(certificate) = where_.certificate else {
            let (chain, key) = keys::store::identity(where_.store, access)?;
            return Ok(Self { chain, key });
        };
        let certificate_place = Place::read(certificate, CERTIFICATE)?;
        let key_place = where_
            .private_key
            .map(|path| Place::read(path, PRIVATE_KEY))
            .transpose()?;
        let (chain, key) = match (&certificate_place, &key_place) {
            (Place::Content(certificate), None) => {
                return Self::in_files(*certificate, None, where_, access);
            }
            (Place::Content(certificate), Some(Place::Content(key))) => {
                return Self::in_files(*certificate, Some(*key), where_, access);
            }
            (Place::Pkcs11(uri), None) => {
                pkcs11::identity(Some(&**uri), None, None, more(where_, access)?, access)?
            }
            (Place::Pkcs11(uri), Some(Place::Pkcs11(key))) => pkcs11::identity(
                Some(&**uri),
                Some(&**key),
                None,
                more(where_, access)?,
                access,
            )?,
            (Place::Content(certificate), Some(Place::Pkcs11(key))) => {
                let chain = chain(*certificate, where_, access)?;
                pkcs11::identity(None, Some(&**key), Some(chain), Vec::new(), access)?
            }
            (Place::Content(certificate), Some(Place::TpmHandle(handle))) => {
                let chain = chain(*certificate, where_, access)?;
                let key = keys::tpm::persistent(*handle, access)?;
                (chain, key)
            }
            (Place::Content(certificate), Some(Place::SshAgent(wanted))) => {
                let chain = chain(*certificate, where_, access)?;
                let wanted_key = chain.end_entity().public_key()?;
                let key = keys::ssh_agent::key(wanted, Some(wanted_key), access)?;
                (chain, key)
            }
            (Place::Pkcs11(_), Some(_)) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "a certificate in a token goes with a key in a token: export the certificate, or name \
                     the key by a pkcs11: URI",
                ));
            }
            (Place::TpmHandle(_) | Place::SshAgent(_), _) => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "--certificate names a key, not a certificate: pass it to --private-key, and the certificate's file to \
                     --certificate",
                ));
            }
        };
        Self::paired(chain, key)
    }

    /// Both parts in files, though the key's may hold what only a TPM opens.
    fn in_files(
        certificate: Input<'_>,
        private_key: Option<Input<'_>>,
        where_: Whereabouts<'_>,
        access: &Access<'_>,
    ) -> Result<Self> {
        let certificate_file = InputFile::of(certificate, CERTIFICATE, access)?;
        let private_key = private_key
            .map(|input| InputFile::of(input, PRIVATE_KEY, access))
            .transpose()?;
        let key_file = private_key.as_ref().unwrap_or(&certificate_file);
        if keys::tpm::is_key_file(&key_file.bytes) {
            let key = keys::tpm::in_file(key_file, access)?;
            let more = identity_files::intermediates(where_.intermediates, access)?;
            let chain = read_chain(&certificate_file, more.as_ref())?;
            return Self::paired(chain, key);
        }
        let places = Places {
            certificate: &certificate_file,
            private_key: private_key.as_ref(),
            intermediates: where_.intermediates,
        };
        let (chain, key) = identity_files::identity(places, access)?;
        let key = Key::File(key);
        Ok(Self { chain, key })
    }

    fn paired(chain: CertificateChain, key: Key) -> Result<Self> {
        key.check_matches(&chain)?;
        Ok(Self { chain, key })
    }
}

/// Opens a private key alone, without a certificate.
///
/// # Errors
/// As [`Identity::open`], as far as keys go.
pub(crate) fn private_key(path: &Path, access: &Access<'_>) -> Result<Key> {
    match Place::read(path, PRIVATE_KEY)? {
        Place::Content(input) => {
            let file = InputFile::of(input, PRIVATE_KEY, access)?;
            if keys::tpm::is_key_file(&file.bytes) {
                return keys::tpm::in_file(&file, access);
            }
            identity_files::private_key(&file, access).map(Key::File)
        }
        Place::Pkcs11(uri) => pkcs11::key(&uri, access),
        Place::SshAgent(wanted) => keys::ssh_agent::key(wanted, None, access),
        Place::TpmHandle(handle) => keys::tpm::persistent(handle, access),
    }
}

/// The chain of a file, for a key that is elsewhere.
fn chain(
    certificate: Input<'_>,
    where_: Whereabouts<'_>,
    access: &Access<'_>,
) -> Result<CertificateChain> {
    let file = InputFile::of(certificate, CERTIFICATE, access)?;
    let more = identity_files::intermediates(where_.intermediates, access)?;
    read_chain(&file, more.as_ref())
}

fn read_chain(file: &InputFile, intermediates: Option<&InputFile>) -> Result<CertificateChain> {
    let files = IdentityFiles {
        certificate: &file.bytes,
        private_key: None,
        intermediates: intermediates.map(|file| &**file.bytes),
        password: None,
    };
    files
        .read_chain()
        .map_err(|error| error.context(&file.shown))
}

/// The certificates of `--intermediates`, for one that is in a token.
fn more(where_: Whereabouts<'_>, access: &Access<'_>) -> Result<Vec<Certificate>> {
    let Some(file) = identity_files::intermediates(where_.intermediates, access)? else {
        return Ok(Vec::new());
    };
    let files = IdentityFiles {
        certificate: &[],
        private_key: None,
        intermediates: Some(file.content()),
        password: None,
    };
    files
        .read_intermediates()
        .map_err(|error| error.context(&file.shown))
}
