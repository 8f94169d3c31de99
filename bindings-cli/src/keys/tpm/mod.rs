//! Keys of a TPM 2.0: those that are loaded from TSS2 files, and those that stay in it under a
//! handle.
//!
//! Five commands are all that it takes (`CreatePrimary`, `Load`, `Sign` and `FlushContext`, and
//! `ReadPublic` for handles), so they are written out here, with a password session where one is
//! wanted: the library (`tss-esapi`) needs libtss2 on every machine, which a static program
//! cannot have, and `tpm2-protocol` wants a newer compiler than this workspace.
//!
//! Source: Trusted Platform Module Library, parts 2 and 3, revision 1.59; "ASN.1 Specification for
//! TPM 2.0 Key Files".

mod device;
mod key_file;
mod public_area;
mod wire;

use std::sync::{Mutex, PoisonError};

use rolesanywhere_core::{Error, ErrorKind, Result, Signature, signers::rustcrypto::HashAlgorithm};
use zeroize::Zeroizing;

pub(crate) use self::key_file::is_key_file;
use self::{
    device::Device,
    key_file::{KeyFile, Parent},
    public_area::{PublicArea, Scheme},
    wire::{Command, Reader, algorithm, malformed},
};
use super::{Access, Key, Sign};
use crate::{identity_files::InputFile, password::Password};

/// Opens a key that stays in the TPM, by its persistent handle.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for a handle without a key; what reaching the TPM and its password
/// need.
pub(crate) fn persistent(handle: u32, access: &Access<'_>) -> Result<Key> {
    let place = format!("`handle:{handle:#010x}` of the TPM");
    if handle >> 24 != 0x81 {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{place} is no persistent handle: these begin with 0x81"),
        ));
    }
    let mut device = Device::open(access.environment)?;
    let answer = device.run(&Command::new(wire::READ_PUBLIC, &[handle], None), &place)?;
    let public =
        PublicArea::read(Reader::new(&answer).sized()?).map_err(|error| error.context(&place))?;
    let password = match access.no_tpm_key_password {
        true => Password::default(),
        false => password(&place, access)?,
    };
    key(
        public,
        password,
        Location::Persistent(handle),
        device,
        place,
    )
}

/// Opens a key that its file holds, wrapped by the TPM.
///
/// # Errors
/// [`ErrorKind::InvalidKey`] for a damaged file, [`ErrorKind::Unsupported`] for what is not done
/// (policies, keys to be imported); what reaching the TPM and its password need.
pub(crate) fn in_file(file: &InputFile, access: &Access<'_>) -> Result<Key> {
    let place = file.shown.clone();
    let contents = KeyFile::read(&file.bytes).map_err(|error| error.context(&place))?;
    let public =
        PublicArea::read(contents.public_area()?).map_err(|error| error.context(&place))?;
    let device = Device::open(access.environment)?;
    let password = if contents.empty_auth || access.no_tpm_key_password {
        // A password that is given is used all the same: tpm2-tools 5.4 writes the flag the wrong
        // way round.
        let given = |password: Option<&[u8]>| Ok(password.unwrap_or_default().to_vec());
        let given = access
            .passwords
            .open(&place, access.environment, access.console, given)?;
        Zeroizing::new(given)
    } else {
        password(&place, access)?
    };
    key(public, password, Location::File(contents), device, place)
}

/// The password of a key. It is found right or wrong when the key signs: a trial would count with
/// the TPM's protection against guessing.
fn password(place: &str, access: &Access<'_>) -> Result<Password> {
    let take = |password: Option<&[u8]>| match password {
        Some(password) => Ok(Zeroizing::new(password.to_vec())),
        None => Err(Error::new(
            ErrorKind::PasswordRequired,
            format!(
                "{place} wants a password: give it with --password-file, --password-env or --password-fd, \
                 say --no-tpm-key-password for none, or run this in a terminal"
            ),
        )),
    };
    let what = format!("Password of {place}");
    access
        .passwords
        .open(&what, access.environment, access.console, take)
}

fn key(
    public: PublicArea,
    password: Password,
    location: Location,
    device: Device,
    place: String,
) -> Result<Key> {
    public
        .check_signs()
        .map_err(|error| error.context(&place))?;
    let public_key = public.key.clone();
    let signer = TpmKey {
        device: Mutex::new(device),
        location,
        password,
        public,
        place: place.clone(),
    };
    Ok(Key::elsewhere(public_key, place, signer))
}

/// Where the TPM has the key.
enum Location {
    File(KeyFile),
    Persistent(u32),
}

/// Signs in the TPM.
struct TpmKey {
    device: Mutex<Device>,
    location: Location,
    password: Password,
    public: PublicArea,
    place: String,
}

impl std::fmt::Debug for TpmKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TpmKey")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Sign for TpmKey {
    fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Signature> {
        let digest = super::digest(hash, message);
        let scheme = self
            .public
            .scheme_under(hash)
            .map_err(|error| error.context(&self.place))?;
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &self.location {
            Location::Persistent(handle) => {
                self.sign_with(&mut device, *handle, scheme, digest.as_ref())
            }
            Location::File(file) => {
                let parent = self.parent(&mut device, file)?;
                let loaded = self.load(&mut device, file, parent.handle);
                parent.flush(&mut device);
                let loaded = loaded?;
                let answer = self.sign_with(&mut device, loaded.handle, scheme, digest.as_ref());
                loaded.flush(&mut device);
                answer
            }
        }?;
        self.signature(&answer)
            .map_err(|error| error.context(&self.place))
    }
}

impl TpmKey {
    /// The key under which the file's key is wrapped: one that stays in the TPM, or one that is
    /// made anew out of a hierarchy's seed and is the same each time.
    fn parent(&self, device: &mut Device, file: &KeyFile) -> Result<Object> {
        let (hierarchy, template) = match file.parent {
            Parent::Persistent(handle) => {
                return Ok(Object {
                    handle,
                    transient: false,
                });
            }
            Parent::Primary { hierarchy, rsa } => (hierarchy, public_area::storage_template(rsa)),
        };
        let mut command = Command::new(wire::CREATE_PRIMARY, &[hierarchy], Some(&[]));
        command.sized(&[0, 0, 0, 0]); // TPMS_SENSITIVE_CREATE: no password, no data
        command.sized(&template);
        command.sized(&[]); // outsideInfo
        command.u32(0); // no PCRs
        let answer = device.run(&command, "the parent of the TPM's key")?;
        Object::created(&answer)
    }

    fn load(&self, device: &mut Device, file: &KeyFile, parent: u32) -> Result<Object> {
        let mut command = Command::new(wire::LOAD, &[parent], Some(&[]));
        command.raw(&file.private);
        command.raw(&file.public);
        let answer = device.run(&command, &self.place)?;
        Object::created(&answer)
    }

    fn sign_with(
        &self,
        device: &mut Device,
        handle: u32,
        scheme: Scheme,
        digest: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let mut command = Command::new(wire::SIGN, &[handle], Some(&self.password));
        command.sized(digest);
        command.u16(scheme.algorithm);
        command.u16(scheme.hash);
        // TPMT_TK_HASHCHECK: none, for a key that is not restricted.
        command.u16(0x8024);
        command.u32(0x4000_0007);
        command.sized(&[]);
        device.run(&command, &self.place)
    }

    /// The signature in the answer to `Sign`.
    fn signature(&self, answer: &[u8]) -> Result<Signature> {
        let mut reader = Reader::new(answer);
        reader.u32()?; // the size of the parameters, which end with the answer
        let kind = reader.u16()?;
        reader.u16()?; // the hash function, which the command named
        match kind {
            algorithm::RSASSA => Signature::rsa_pkcs1(reader.sized()?),
            algorithm::ECDSA => {
                let length = self.public.coordinate_length();
                let mut r_s = Vec::with_capacity(2 * length);
                for _ in 0..2 {
                    r_s.extend_from_slice(&wire::padded(reader.sized()?, length)?);
                }
                Signature::ecdsa_p1363(&r_s)
            }
            _ => Err(malformed()),
        }
    }
}

/// A key that the TPM has at hand.
struct Object {
    handle: u32,
    /// It takes a place that others need.
    transient: bool,
}

impl Object {
    /// Of the answer to a command that makes or loads a key.
    fn created(answer: &[u8]) -> Result<Self> {
        Ok(Self {
            handle: Reader::new(answer).u32()?,
            transient: true,
        })
    }

    fn flush(self, device: &mut Device) {
        if self.transient {
            let mut command = Command::new(wire::FLUSH_CONTEXT, &[], None);
            command.u32(self.handle);
            // The signature is there; a place that stays taken is freed with the connection.
            let _ = device.run(&command, "the TPM");
        }
    }
}
