//! The DER forms in which a private key comes, told apart by their structure, and what people pass
//! instead of one.

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;

use super::{
    PrivateKey, PublicKey,
    algorithm::Family,
    ec, malformed, ml_dsa,
    refusal::{CERTIFICATE, DSA, ENCRYPTED, OPENSSH, PKCS12, PUBLIC_KEY, TSS2},
    rsa,
    store::key_store,
};
use crate::{
    Error, ErrorKind, Result,
    elements::{
        AlgorithmIdentifier, BIT_STRING, EXPLICIT, Element, Elements, IMPLICIT, INTEGER,
        OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, outermost,
    },
};

/// The longest private key that is read, in bytes: 64 KiB. The longest in use, ML-DSA-87 with its
/// seed, expanded form and public half, has about 7,600; attributes may follow.
pub const MAX_PRIVATE_KEY_LENGTH: usize = 1 << 16;

/// The most fields that any of these structures has at its top: a multi-prime RSA key has ten.
const MAX_FIELDS: usize = 10;

/// Reads a private key that is not encrypted. `certified` are public keys of certificates, of which one
/// may be its.
pub(super) fn private_key(der: &[u8], certified: &[&PublicKey]) -> Result<PrivateKey> {
    let der = outermost(der);
    if der.len() > MAX_PRIVATE_KEY_LENGTH {
        return Err(Error::written(
            ErrorKind::InvalidKey,
            format_args!(
                "the private key has {} bytes, more than {MAX_PRIVATE_KEY_LENGTH}: pass the key \
                 alone",
                der.len()
            ),
        ));
    }
    match Form::of(der)? {
        Form::Pkcs1 => rsa::private_key(der, None),
        Form::Pkcs8 => pkcs8(der),
        Form::Sec1 => ec::sec1(der, certified),
        Form::Refused(kind, why) => Err(Error::new(kind, why)),
    }
}

/// Whether some bytes are an encrypted key, PKCS#8 in DER.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    der.len() <= MAX_PRIVATE_KEY_LENGTH
        && matches!(
            Form::of(der),
            Ok(Form::Refused(ErrorKind::PasswordRequired, _))
        )
}

/// `PrivateKeyInfo` (RFC 5208) and `OneAsymmetricKey` (RFC 5958).
fn pkcs8(der: &[u8]) -> Result<PrivateKey> {
    let info = PrivateKeyInfo::parse(der)
        .ok_or_else(|| malformed("the private key is not readable PKCS#8 (RFC 5958)"))?;
    let public_key = match info.public_key {
        None => None,
        Some([0, bytes @ ..]) => Some(bytes),
        Some(_) => {
            return Err(malformed(
                "the public half in the PKCS#8 is not whole bytes",
            ));
        }
    };
    match Family::identify(&info.algorithm)? {
        Family::Ec(curve) => ec::private_key(info.private_key, Some(curve), public_key),
        Family::MlDsa(set) => ml_dsa::private_key(set, info.private_key, public_key),
        Family::Rsa => rsa::private_key(info.private_key, public_key),
    }
}

struct PrivateKeyInfo<'a> {
    algorithm: AlgorithmIdentifier<'a>,
    private_key: &'a [u8],
    /// The content of a BIT STRING.
    public_key: Option<&'a [u8]>,
}

impl<'a> PrivateKeyInfo<'a> {
    fn parse(der: &'a [u8]) -> Option<Self> {
        let mut fields = Elements::within(der, SEQUENCE)?;
        let version = fields.number()?;
        let algorithm = fields.algorithm()?;
        let private_key = fields.expect(OCTET_STRING)?;
        let _attributes = fields.optional(EXPLICIT)?;
        let public_key = fields.optional(IMPLICIT + 1)?;
        // Version 2 (1) is the one with a public key. What later versions add is passed over.
        (version == u64::from(public_key.is_some())).then_some(())?;
        while !fields.is_finished() {
            fields.element()?;
        }
        Some(Self {
            algorithm,
            private_key,
            public_key,
        })
    }
}

/// What some bytes are.
enum Form {
    Pkcs1,
    Pkcs8,
    Sec1,
    /// Something else, and what to do about it.
    Refused(ErrorKind, &'static str),
}

impl Form {
    fn of(bytes: &[u8]) -> Result<Self> {
        use ErrorKind::{InvalidKey, PasswordRequired, Unsupported};
        if let Some((_, kind, why)) = NOT_DER.iter().find(|(start, ..)| bytes.starts_with(start)) {
            return Ok(Self::Refused(*kind, why));
        }
        if let Some(why) = key_store(bytes) {
            return Ok(Self::Refused(Unsupported, why));
        }
        let fields = fields(bytes)
            .ok_or_else(|| malformed("the private key is not DER: its lengths do not fit"))?;
        let tags: Vec<u8> = fields.iter().map(|field| field.tag).collect();
        Ok(match tags.as_slice() {
            [INTEGER, SEQUENCE, OCTET_STRING, ..] => Self::Pkcs8,
            [INTEGER, OCTET_STRING, ..] => Self::Sec1,
            [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] => {
                Self::Refused(Unsupported, PKCS12)
            }
            [SEQUENCE, OCTET_STRING] => Self::Refused(PasswordRequired, ENCRYPTED),
            [SEQUENCE, BIT_STRING] => Self::Refused(InvalidKey, PUBLIC_KEY),
            [SEQUENCE, SEQUENCE, BIT_STRING] => Self::Refused(InvalidKey, CERTIFICATE),
            [OBJECT_IDENTIFIER, ..] => led_by_oid(&fields),
            tags if tags.iter().take(9).all(|tag| *tag == INTEGER) => match tags.len() {
                2 => Self::Refused(InvalidKey, PUBLIC_KEY),
                6 => Self::Refused(Unsupported, DSA),
                9.. => Self::Pkcs1,
                _ => Self::Refused(InvalidKey, UNKNOWN),
            },
            _ => Self::Refused(InvalidKey, UNKNOWN),
        })
    }
}

/// What a sequence is that an object identifier leads.
fn led_by_oid(fields: &[Element<'_>]) -> Form {
    const TPM_LOADABLE_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.10.1.3");
    const PKCS7: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7");
    match fields.first().map(|field| field.content) {
        Some(oid) if oid == TPM_LOADABLE_KEY.as_bytes() => {
            Form::Refused(ErrorKind::Unsupported, TSS2)
        }
        // One arc below.
        Some([parent @ .., 0..=0x7f]) if parent == PKCS7.as_bytes() => {
            Form::Refused(ErrorKind::InvalidKey, CERTIFICATE)
        }
        _ => Form::Refused(ErrorKind::InvalidKey, UNKNOWN),
    }
}

const UNKNOWN: &str = "this DER is no private key of PKCS#8, PKCS#1 or SEC1: convert the key with \
                       `openssl pkey -in KEY -out NEW`";

/// Starts of files that are passed as a private key and are not DER.
const NOT_DER: &[(&[u8], ErrorKind, &str)] = &[
    (
        b"-----BEGIN",
        ErrorKind::InvalidKey,
        "the private key is PEM, not DER: read it as PEM",
    ),
    // BER of indefinite length.
    (b"\x30\x80", ErrorKind::Unsupported, PKCS12),
    (b"openssh-key-v1", ErrorKind::Unsupported, OPENSSH),
    (
        b"PuTTY-User-Key-File",
        ErrorKind::Unsupported,
        "this is a PuTTY key: convert it with `puttygen KEY -O private-openssh -o NEW`",
    ),
];

/// The fields of the sequence that `der` is, not looked into.
fn fields(der: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Elements::within(der, SEQUENCE)?;
    let mut fields = Vec::new();
    while !elements.is_finished() && fields.len() < MAX_FIELDS {
        fields.push(elements.element()?);
    }
    Some(fields)
}
