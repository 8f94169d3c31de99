//! The DER forms in which a private key comes, told apart by their structure, and what people pass
//! instead of one.

use alloc::{format, vec::Vec};

use const_oid::ObjectIdentifier;
use der::{
    Decode, Reader, SliceReader, Tag, Tagged,
    asn1::{AnyRef, SequenceRef},
};
use pkcs8::PrivateKeyInfoRef;

use super::{
    PrivateKey,
    algorithm::Family,
    ec, malformed, ml_dsa,
    refusal::{CERTIFICATE, DSA, ENCRYPTED, OPENSSH, PKCS12, PUBLIC_KEY, TSS2},
    rsa,
};
use crate::{Error, ErrorKind, Result};

/// The longest private key that is read, in bytes: 64 KiB. The longest in use, ML-DSA-87 with its
/// seed, expanded form and public half, has about 7,600; attributes may follow.
pub const MAX_PRIVATE_KEY_LENGTH: usize = 1 << 16;

/// The most fields that any of these structures has at its top: a multi-prime RSA key has ten.
const MAX_FIELDS: usize = 10;

/// Reads a private key that is not encrypted.
pub(super) fn private_key(der: &[u8]) -> Result<PrivateKey> {
    if der.len() > MAX_PRIVATE_KEY_LENGTH {
        return Err(Error::new(
            ErrorKind::InvalidKey,
            format!(
                "the private key has {} bytes, more than {MAX_PRIVATE_KEY_LENGTH}: pass the key \
                 alone",
                der.len()
            ),
        ));
    }
    match Form::of(der)? {
        Form::Pkcs1 => rsa::private_key(der, None),
        Form::Pkcs8 => pkcs8(der),
        Form::Sec1 => ec::private_key(der, None, None),
        Form::Refused(kind, why) => Err(Error::new(kind, why)),
    }
}

/// `PrivateKeyInfo` (RFC 5208) and `OneAsymmetricKey` (RFC 5958).
fn pkcs8(der: &[u8]) -> Result<PrivateKey> {
    let info = PrivateKeyInfoRef::from_der(der)
        .map_err(|_| malformed("the private key is not readable PKCS#8 (RFC 5958)"))?;
    let key = info.private_key.as_bytes();
    let public_key = info
        .public_key
        .map(|bits| {
            bits.as_bytes()
                .ok_or_else(|| malformed("the public half in the PKCS#8 is not whole bytes"))
        })
        .transpose()?;
    match Family::identify(&info.algorithm)? {
        Family::Ec(curve) => ec::private_key(key, Some(curve), public_key),
        Family::MlDsa(set) => ml_dsa::private_key(set, key, public_key),
        Family::Rsa => rsa::private_key(key, public_key),
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
        use Tag::{BitString, Integer, ObjectIdentifier, OctetString, Sequence};

        if let Some((_, kind, why)) = NOT_DER.iter().find(|(start, ..)| bytes.starts_with(start)) {
            return Ok(Self::Refused(*kind, why));
        }
        let fields = fields(bytes)
            .map_err(|_| malformed("the private key is not DER: its lengths do not fit"))?;
        let tags: Vec<Tag> = fields.iter().map(|field| field.tag()).collect();
        Ok(match tags.as_slice() {
            [Integer, Sequence, OctetString, ..] => Self::Pkcs8,
            [Integer, OctetString, ..] => Self::Sec1,
            [Integer, Sequence] | [Integer, Sequence, Sequence] => {
                Self::Refused(Unsupported, PKCS12)
            }
            [Sequence, OctetString] => Self::Refused(PasswordRequired, ENCRYPTED),
            [Sequence, BitString] => Self::Refused(InvalidKey, PUBLIC_KEY),
            [Sequence, Sequence, BitString] => Self::Refused(InvalidKey, CERTIFICATE),
            [ObjectIdentifier, ..] => led_by_oid(&fields),
            tags if tags.iter().take(9).all(|tag| *tag == Integer) => match tags.len() {
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
fn led_by_oid(fields: &[AnyRef<'_>]) -> Form {
    const TPM_LOADABLE_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.10.1.3");
    const PKCS7: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7");
    let oid: Option<ObjectIdentifier> = fields.first().and_then(|field| field.decode_as().ok());
    match oid {
        Some(TPM_LOADABLE_KEY) => Form::Refused(ErrorKind::Unsupported, TSS2),
        Some(oid) if oid.parent() == Some(PKCS7) => {
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
    (
        b"\xfe\xed\xfe\xed",
        ErrorKind::Unsupported,
        "this is a Java key store (JKS): convert it with `keytool -importkeystore -deststoretype \
         PKCS12`",
    ),
    (b"openssh-key-v1", ErrorKind::Unsupported, OPENSSH),
    (
        b"PuTTY-User-Key-File",
        ErrorKind::Unsupported,
        "this is a PuTTY key: convert it with `puttygen KEY -O private-openssh -o NEW`",
    ),
];

/// The fields of the sequence that `der` is, not looked into.
fn fields(der: &[u8]) -> der::Result<Vec<AnyRef<'_>>> {
    let sequence = <&SequenceRef>::from_der(der)?;
    let mut reader = SliceReader::new(sequence.as_bytes())?;
    let mut fields = Vec::new();
    while !reader.is_finished() && fields.len() < MAX_FIELDS {
        fields.push(reader.decode()?);
    }
    Ok(fields)
}
