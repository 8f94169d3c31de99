//! The certificate stores of Windows, with keys of CNG. Written against its documentation and
//! type-checked; no Windows ran it.

use rolesanywhere_core::{
    Certificate, Error, ErrorKind, KeyAlgorithm, Result, Signature,
    signers::rustcrypto::HashAlgorithm,
};
use schannel::{
    RawPointer as _,
    cert_context::{CertContext, PrivateKey},
    cert_store::CertStore,
    ncrypt_key::NcryptKey,
};
use windows_sys::{
    Win32::Security::Cryptography::{
        BCRYPT_PAD_PKCS1, BCRYPT_PKCS1_PADDING_INFO, BCRYPT_SHA256_ALGORITHM,
        BCRYPT_SHA384_ALGORITHM, BCRYPT_SHA512_ALGORITHM, NCRYPT_KEY_HANDLE, NCRYPT_SILENT_FLAG,
        NCryptSignHash,
    },
    core::PCWSTR,
};

use super::{super::digest, Candidate, Contents, Sign};

pub(super) const NAME: &str = "the system's store";

/// The store of one's own certificates, and the names that are known whatever their case.
const DEFAULT_STORE: &str = "MY";
const KNOWN_STORES: [&str; 4] = ["MY", "Root", "Trust", "CA"];

/// Where issuers are looked for besides.
const ISSUERS: &str = "CA";

/// The longest signature: RSA-8192's.
const MAX_SIGNATURE_LENGTH: usize = 1024;

/// The certificates of a store: the user's, and the machine's, whose keys take the right to use
/// them.
pub(super) fn contents(store: Option<&str>) -> Result<Contents> {
    let name = store.unwrap_or(DEFAULT_STORE);
    let known = KNOWN_STORES.into_iter();
    let mut known = known.filter(|known| known.eq_ignore_ascii_case(name));
    let name = known.next().unwrap_or(name);
    let open = |opened: std::io::Result<CertStore>| {
        opened.map_err(|error| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the store `{name}` cannot be opened ({error}): check --system-store-name"),
            )
        })
    };
    let mut contents = Contents {
        identities: Vec::new(),
        others: Vec::new(),
    };
    let user = open(CertStore::open_current_user(name))?;
    // A system without the machine's store of that name, or without the right to read it, has the
    // user's.
    let machine = CertStore::open_local_machine(name).ok();
    for store in [Some(user), machine].into_iter().flatten() {
        for found in store.certs() {
            add(&mut contents, found);
        }
    }
    for store in [
        CertStore::open_current_user(ISSUERS),
        CertStore::open_local_machine(ISSUERS),
    ] {
        let certificates = store.iter().flat_map(CertStore::certs);
        let certificates =
            certificates.filter_map(|found| Certificate::from_der(found.to_der()).ok());
        contents.others.extend(certificates);
    }
    Ok(contents)
}

fn add(contents: &mut Contents, found: CertContext) {
    // One that the service cannot take either is none.
    let Ok(certificate) = Certificate::from_der(found.to_der()) else {
        return;
    };
    let is_known = |known: &Candidate| known.certificate == certificate;
    if contents.identities.iter().any(is_known) {
        return; // The user's store shows the machine's, too.
    }
    let Ok(algorithm) = certificate.public_key().map(|key| key.algorithm()) else {
        return;
    };
    // Without a word to the user: whether there is a key, not what it takes to use it.
    if found
        .private_key()
        .silent(true)
        .compare_key(true)
        .acquire()
        .is_err()
    {
        contents.others.push(certificate);
        return;
    }
    let open = move || {
        let key = found.private_key().compare_key(true).acquire();
        let key = key.map_err(|error| failed(&error))?;
        match key {
            PrivateKey::NcryptKey(key) => Ok(Box::new(CngKey { key, algorithm }) as Box<dyn Sign>),
            PrivateKey::CryptProv(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "the key is kept by CryptoAPI, which Windows has replaced: import it again into CNG's \
                 `Microsoft Software Key Storage Provider` (`certutil -csp … -importpfx`)",
            )),
        }
    };
    contents.identities.push(Candidate {
        certificate,
        open: Box::new(open),
    });
}

/// Signs by CNG, in software, a TPM or a smart card.
struct CngKey {
    key: NcryptKey,
    algorithm: KeyAlgorithm,
}

impl std::fmt::Debug for CngKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CngKey")
    }
}

impl Sign for CngKey {
    fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        let digest = digest(hash, message);
        let name = match hash {
            HashAlgorithm::Sha256 => BCRYPT_SHA256_ALGORITHM,
            HashAlgorithm::Sha384 => BCRYPT_SHA384_ALGORITHM,
            HashAlgorithm::Sha512 => BCRYPT_SHA512_ALGORITHM,
        };
        let is_rsa = matches!(self.algorithm, KeyAlgorithm::Rsa { .. });
        let padding = is_rsa.then_some(name);
        // First without a word to the user; then, if the key wants one, with it.
        let bytes = sign_hash(&self.key, digest.as_ref(), padding, true)
            .or_else(|_| sign_hash(&self.key, digest.as_ref(), padding, false))?;
        match is_rsa {
            true => Signature::rsa_pkcs1(&bytes),
            false => Signature::ecdsa_p1363(&bytes),
        }
    }
}

/// Signs a digest; `padding` names the hash function for RSASSA-PKCS1-v1_5.
#[allow(
    unsafe_code,
    reason = "schannel opens CNG keys and does not sign with them"
)]
fn sign_hash(
    key: &NcryptKey,
    digest: &[u8],
    padding: Option<PCWSTR>,
    silent: bool,
) -> Result<Vec<u8>> {
    let info = padding.map(|name| BCRYPT_PKCS1_PADDING_INFO { pszAlgId: name });
    let mut flags = if silent { NCRYPT_SILENT_FLAG } else { 0 };
    if info.is_some() {
        flags |= BCRYPT_PAD_PKCS1;
    }
    let mut signature = vec![0; MAX_SIGNATURE_LENGTH];
    let mut length = 0;
    // SAFETY: the handle is of a key that lives through the call. The pointers are to buffers that
    // do, with their own lengths; the padding's, null or of a constant name, is read during the
    // call alone.
    let status = unsafe {
        NCryptSignHash(
            key.as_ptr() as NCRYPT_KEY_HANDLE,
            info.as_ref()
                .map_or(std::ptr::null(), |info| std::ptr::from_ref(info).cast()),
            digest.as_ptr(),
            u32::try_from(digest.len()).unwrap_or_default(),
            signature.as_mut_ptr(),
            u32::try_from(signature.len()).unwrap_or_default(),
            &raw mut length,
            flags,
        )
    };
    if status != 0 {
        return Err(failed(&std::io::Error::from_raw_os_error(status)));
    }
    signature.truncate(usize::try_from(length).unwrap_or_default());
    Ok(signature)
}

fn failed(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::SigningFailed,
        format!("{NAME} does not sign ({error}): let this user use the key"),
    )
}
