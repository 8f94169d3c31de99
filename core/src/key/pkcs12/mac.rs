//! The MAC over a PKCS#12 file: the one of RFC 7292 (appendix B) and PBMAC1 (RFC 9579).

use alloc::vec;

use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

use super::UNREADABLE;
use crate::{
    Result,
    elements::{AlgorithmIdentifier, Element, Elements, OCTET_STRING, SEQUENCE},
    key::{
        malformed,
        pbe::{Budget, Hash, Kdf, Password, Purpose, pkcs12_kdf, unknown},
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

/// The lengths of key that PBMAC1 may name, in bytes: RFC 9579 (5) wants 20 at least; no hash has
/// more than 64.
const PBMAC1_KEY_LENGTHS: core::ops::RangeInclusive<u64> = 20..=64;

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
                Hash::from_digest(algorithm.oid).ok_or_else(|| unknown("MAC", algorithm.oid))?;
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
    let hash = Hash::from_hmac(hmac.oid).ok_or_else(|| unknown("MAC in PBMAC1", hmac.oid))?;
    let length = kdf
        .key_length()
        .filter(|length| PBMAC1_KEY_LENGTHS.contains(length))
        .and_then(|length| usize::try_from(length).ok())
        .ok_or_else(|| malformed("PBMAC1 names no length of key between 20 and 64 bytes"))?;
    Ok((Key::Pbmac1 { kdf, length }, hash))
}

const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
