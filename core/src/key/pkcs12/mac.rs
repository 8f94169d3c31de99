//! The MAC over a PKCS#12 file: the one of RFC 7292 (appendix B) and PBMAC1 (RFC 9579).

use alloc::{format, vec};

use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

use super::UNREADABLE;
use crate::{
    Error, ErrorKind, Result,
    certificate::oid::dotted,
    elements::{AlgorithmIdentifier, Element, Elements, OCTET_STRING, SEQUENCE},
    key::{
        malformed,
        pbe::{Budget, Hash, Kdf, Password, Purpose, pkcs12_kdf},
    },
};

/// A MAC with all that is needed to check it but the password.
#[derive(Debug)]
pub(super) struct Mac<'a> {
    key: Key<'a>,
    /// HMAC with this hash.
    hash: Hash,
    value: &'a [u8],
}

/// How the key of the HMAC is derived.
#[derive(Debug)]
enum Key<'a> {
    Pbmac1 { kdf: Kdf<'a>, length: usize },
    Pkcs12 { salt: &'a [u8], iterations: u64 },
}

/// The longest key that PBMAC1 may name, in bytes: 4 KiB. RFC 9579 sets no bound; writers take the length of
/// their hash, at most 64. The work is bounded by the file's budget, of which each block of key takes its
/// share.
const MAX_PBMAC1_KEY_LENGTH: u64 = 4 << 10;

impl<'a> Mac<'a> {
    /// Reads `MacData` (RFC 7292, 4).
    pub(super) fn parse(data: Element<'a>) -> Result<Self> {
        let fields = || {
            let mut fields = (data.tag == SEQUENCE).then_some(Elements::of(data.content))?;
            let mut info = Elements::of(fields.expect(SEQUENCE)?);
            let (algorithm, value) = (info.algorithm()?, info.only(OCTET_STRING)?);
            let salt = fields.expect(OCTET_STRING)?;
            // RFC 7292 sets 1 by default, "for historical reasons".
            let iterations = fields.optional_number()?.unwrap_or(1);
            fields.finish()?;
            Some((algorithm, value, salt, iterations))
        };
        let (algorithm, value, salt, iterations) = fields().ok_or_else(|| malformed(UNREADABLE))?;
        let (key, hash) = if algorithm.oid == PBMAC1.as_bytes() {
            pbmac1(&algorithm)?
        } else {
            let hash =
                Hash::from_digest(algorithm.oid).ok_or_else(|| unknown_mac(algorithm.oid))?;
            (Key::Pkcs12 { salt, iterations }, hash)
        };
        if value.len() != hash.length() {
            return Err(malformed(
                "the MAC of the PKCS#12 file is not of its hash's length",
            ));
        }
        Ok(Self { key, hash, value })
    }

    /// Whether the MAC over `content` is right, compared in constant time.
    pub(super) fn verify(
        &self,
        password: &Password,
        content: &[u8],
        budget: &mut Budget,
    ) -> Result<bool> {
        let key = match &self.key {
            Key::Pbmac1 { kdf, length } => {
                let mut key = Zeroizing::new(vec![0; *length]);
                kdf.derive(password.as_bytes(), &mut key, budget)?;
                key
            }
            Key::Pkcs12 { salt, iterations } => {
                let mut key = Zeroizing::new(vec![0; self.hash.length()]);
                let password = password.as_bmp();
                pkcs12_kdf(
                    self.hash,
                    Purpose::Mac,
                    password,
                    salt,
                    *iterations,
                    &mut key,
                    budget,
                )?;
                key
            }
        };
        Ok(self.hash.verify_hmac(&key, content, self.value))
    }
}

/// `PBMAC1-params` (RFC 8018, A.5), in which RFC 9579 makes the length of the key a must.
fn pbmac1<'a>(algorithm: &AlgorithmIdentifier<'a>) -> Result<(Key<'a>, Hash)> {
    let fields = || {
        let mut fields = algorithm.sequence()?;
        let algorithms = (fields.algorithm()?, fields.algorithm()?);
        fields.finish()?;
        Some(algorithms)
    };
    let (kdf, hmac) =
        fields().ok_or_else(|| malformed("the parameters of PBMAC1 cannot be read"))?;
    let kdf = Kdf::parse(&kdf)?;
    let hash = Hash::from_hmac(hmac.oid).ok_or_else(|| unknown_mac(hmac.oid))?;
    let length = kdf.key_length().filter(|length| *length > 0);
    let length = length.ok_or_else(|| malformed("PBMAC1 names no length of key"))?;
    if length > MAX_PBMAC1_KEY_LENGTH {
        return Err(unsupported_mac(&format!(
            "PBMAC1 with a key of {length} bytes, more than {MAX_PBMAC1_KEY_LENGTH}"
        )));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok((Key::Pbmac1 { kdf, length }, hash))
}

/// The refusal of a MAC that has no name here.
fn unknown_mac(oid: &[u8]) -> Error {
    let oid = dotted(oid).unwrap_or_default();
    unsupported_mac(&format!("the algorithm `{oid}`"))
}

fn unsupported_mac(what: &str) -> Error {
    Error::written(
        ErrorKind::Unsupported,
        format_args!(
            "the MAC of the PKCS#12 file uses {what}, which is not read: take the key and the \
             certificates out with the program that wrote it, and put them into a new file with \
             `openssl pkcs12 -export -macalg sha256 -inkey KEY -in CERTIFICATES -out NEW`"
        ),
    )
}

const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
