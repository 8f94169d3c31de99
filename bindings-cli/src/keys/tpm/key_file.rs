//! TSS2 files: a key that a TPM has wrapped, in PEM.

use der::{
    Decode as _, Reader as _, SliceReader, Tag, Tagged as _,
    asn1::{AnyRef, ObjectIdentifier, SequenceRef},
};
use rolesanywhere_core::{Error, ErrorKind, Result, pem};

use super::wire::Reader;

const LABEL: &str = "TSS2 PRIVATE KEY";
const BEGIN: &[u8] = b"-----BEGIN TSS2 PRIVATE KEY-----";

/// A key that is loaded as it is; the other two kinds are to be imported, or are no keys.
const LOADABLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.10.1.3");

/// What a file holds.
pub(super) struct KeyFile {
    /// The key has no password.
    pub(super) empty_auth: bool,
    pub(super) parent: Parent,
    /// `TPM2B_PUBLIC`, its length before it.
    pub(super) public: Vec<u8>,
    /// `TPM2B_PRIVATE`, its length before it; wrapped by the TPM.
    pub(super) private: Vec<u8>,
}

/// The key under which a file's key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// It stays in the TPM.
    Persistent(u32),
    /// It is made of a hierarchy's seed, by a template that everyone uses.
    Primary { hierarchy: u32, rsa: bool },
}

/// Whether a file is one of these.
pub(crate) fn is_key_file(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, BEGIN).is_some()
}

impl KeyFile {
    /// Reads the file's one key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when it cannot be read; [`ErrorKind::Unsupported`] naming what is
    /// not done.
    pub(super) fn read(text: &[u8]) -> Result<Self> {
        let sections = pem::sections(text, ErrorKind::InvalidKey)?;
        let mut keys = sections.iter().filter(|section| section.label() == LABEL);
        match (keys.next(), keys.next()) {
            (Some(key), None) => Self::from_der(key.der()),
            _ => Err(Error::new(
                ErrorKind::InvalidKey,
                "the file holds several keys: leave the one that belongs to the certificate",
            )),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self> {
        let mut fields = fields(der).map_err(|_| damaged())?.into_iter();
        let mut next = || fields.next().ok_or_else(damaged);
        let kind = next()?;
        let kind: ObjectIdentifier = kind.decode_as().map_err(|_| damaged())?;
        if kind != LOADABLE {
            return Err(unsupported("it is a key to be imported or sealed data"));
        }
        let (mut empty_auth, mut rsa) = (false, false);
        let parent = loop {
            let field = next()?;
            let Tag::ContextSpecific { number, .. } = field.tag() else {
                break field;
            };
            // Each is explicit: its content is a value with a tag of its own.
            let truth = || {
                let inner = AnyRef::from_der(field.value()).map_err(|_| damaged())?;
                // Some writers have 1 for true, where DER wants 255.
                Ok::<bool, Error>(inner.value() != [0])
            };
            match number.value() {
                0 => empty_auth = truth()?,
                1 | 3 => return Err(unsupported("it wants a policy")),
                2 => return Err(unsupported("it is to be imported")),
                5 => rsa = truth()?,
                _ => {} // a description
            }
        };
        let parent: u32 = parent.decode_as().map_err(|_| damaged())?;
        let octets = |field: AnyRef<'_>| match field.tag() {
            Tag::OctetString => Ok(field.value().to_vec()),
            _ => Err(damaged()),
        };
        let file = Self {
            empty_auth,
            parent: Parent::read(parent, rsa)?,
            public: octets(next()?)?,
            private: octets(next()?)?,
        };
        // Both are one byte string, and nothing after it.
        for part in [&file.public, &file.private] {
            let inner = Reader::new(part).sized().map_err(|_| damaged())?;
            if inner.len() + 2 != part.len() {
                return Err(damaged());
            }
        }
        Ok(file)
    }

    /// The `TPMT_PUBLIC` of the key.
    pub(super) fn public_area(&self) -> Result<&[u8]> {
        Reader::new(&self.public).sized()
    }
}

impl Parent {
    fn read(handle: u32, rsa: bool) -> Result<Self> {
        match handle {
            // The owner, null, endorsement and platform hierarchies.
            0x4000_0001 | 0x4000_0007 | 0x4000_000B | 0x4000_000C => Ok(Self::Primary {
                hierarchy: handle,
                rsa,
            }),
            _ if handle >> 24 == 0x81 => Ok(Self::Persistent(handle)),
            _ => Err(Error::new(
                ErrorKind::InvalidKey,
                format!(
                    "the parent {handle:#010x} is neither a persistent handle nor a hierarchy: make the file \
                     anew under one of these"
                ),
            )),
        }
    }
}

/// The fields of the outermost sequence.
fn fields(der: &[u8]) -> der::Result<Vec<AnyRef<'_>>> {
    /// The type, six optional fields, the parent and two byte strings.
    const MOST: usize = 10;
    let sequence = <&SequenceRef>::from_der(der)?;
    let mut reader = SliceReader::new(sequence.as_bytes())?;
    let mut fields = Vec::with_capacity(MOST);
    while !reader.is_finished() && fields.len() < MOST {
        fields.push(reader.decode()?);
    }
    Ok(fields)
}

fn damaged() -> Error {
    Error::new(
        ErrorKind::InvalidKey,
        "the TSS2 key cannot be read: the file is damaged or its writer is at fault, make it anew",
    )
}

fn unsupported(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the TSS2 key cannot be used, {what}: make one that is loaded with a password or without"
        ),
    )
}
