//! Key derivation: PBKDF2 and scrypt as PBES2 names them, and the derivations of PBES1 and PKCS#12.

use alloc::{format, vec, vec::Vec};

use const_oid::ObjectIdentifier;
use hmac::digest::DynDigest;
use md5::Md5;
use sha1::Sha1;
use zeroize::Zeroizing;

use super::{Budget, Hash, REMEDY, hash::with_hash, unknown, unsupported};
use crate::{
    Error, ErrorKind, Result,
    elements::{AlgorithmIdentifier, OCTET_STRING},
    key::{MAX_SCRYPT_MEMORY, malformed},
};

/// A key derivation function of PBES2 and PBMAC1, with its parameters.
#[derive(Debug)]
pub(in crate::key) struct Kdf<'a> {
    function: Function,
    salt: &'a [u8],
    /// The length of key that the parameters name, in bytes.
    key_length: Option<u64>,
}

#[derive(Debug)]
enum Function {
    Pbkdf2 { prf: Hash, iterations: u32 },
    Scrypt { params: scrypt::Params, cost: u64 },
}

impl<'a> Kdf<'a> {
    pub(in crate::key) fn parse(algorithm: &AlgorithmIdentifier<'a>) -> Result<Self> {
        if algorithm.oid == PBKDF2.as_bytes() {
            Self::pbkdf2(algorithm)
        } else if algorithm.oid == SCRYPT.as_bytes() {
            Self::scrypt(algorithm)
        } else {
            Err(unknown("key derivation", algorithm.oid))
        }
    }

    /// The length of key that the parameters name, in bytes. PBMAC1 depends on it.
    pub(in crate::key) fn key_length(&self) -> Option<u64> {
        self.key_length
    }

    /// Derives as many bytes as `key` has.
    pub(in crate::key) fn derive(
        &self,
        password: &[u8],
        key: &mut [u8],
        budget: &mut Budget,
    ) -> Result<()> {
        if self
            .key_length
            .is_some_and(|length| length != key.len() as u64)
        {
            return Err(malformed(
                "the key derivation names another length of key than the cipher takes",
            ));
        }
        match &self.function {
            Function::Pbkdf2 { prf, iterations } => {
                // A key longer than a digest costs the iterations once more for each digest begun. No
                // cipher's counts more than once, whatever the hash.
                let blocks = key.len().div_ceil(prf.length().max(LONGEST_CIPHER_KEY));
                let blocks = u64::try_from(blocks).unwrap_or(u64::MAX);
                budget.spend(u64::from(*iterations).saturating_mul(blocks))?;
                with_hash!(prf, D => pbkdf2::pbkdf2_hmac::<D>(password, self.salt, *iterations, key));
            }
            // The crate does not wipe its working memory. Guessing a password is quicker for one who
            // reads it there, the key itself is not in it.
            Function::Scrypt { params, cost } => {
                budget.spend(*cost)?;
                scrypt::scrypt(password, self.salt, params, key)
                    .map_err(|_| malformed("scrypt cannot give a key of the cipher's length"))?;
            }
        }
        Ok(())
    }

    /// `PBKDF2-params` (RFC 8018, A.2).
    fn pbkdf2(algorithm: &AlgorithmIdentifier<'a>) -> Result<Self> {
        let fields = || {
            let mut fields = algorithm.sequence()?;
            let salt = fields.expect(OCTET_STRING)?;
            let iterations = fields.number()?;
            let key_length = fields.optional_number()?;
            let prf = if fields.is_finished() {
                None
            } else {
                Some(fields.algorithm()?)
            };
            fields.finish()?;
            Some((salt, iterations, key_length, prf))
        };
        let (salt, iterations, key_length, prf) =
            fields().ok_or_else(|| malformed("the parameters of PBKDF2 cannot be read"))?;
        // Absent stands for HMAC with SHA-1: AWS Private CA exports keys so.
        let prf = match prf {
            None => Hash::Sha1,
            Some(prf) => {
                Hash::from_hmac(prf.oid).ok_or_else(|| unknown("function in PBKDF2", prf.oid))?
            }
        };
        Ok(Self {
            function: Function::Pbkdf2 {
                prf,
                iterations: iteration_count(iterations)?,
            },
            salt,
            key_length,
        })
    }

    /// `scrypt-params` (RFC 7914, 7.1).
    fn scrypt(algorithm: &AlgorithmIdentifier<'a>) -> Result<Self> {
        let fields = || {
            let mut fields = algorithm.sequence()?;
            let salt = fields.expect(OCTET_STRING)?;
            let n = fields.number()?;
            let r = u32::try_from(fields.number()?).ok()?;
            let p = u32::try_from(fields.number()?).ok()?;
            let key_length = fields.optional_number()?;
            fields.finish()?;
            Some((salt, n, r, p, key_length))
        };
        let unreadable = || malformed("the parameters of scrypt cannot be read");
        let (salt, n, r, p, key_length) = fields().ok_or_else(unreadable)?;
        if n < 2 || !n.is_power_of_two() {
            return Err(unreadable());
        }
        let blocks = u64::from(r).saturating_mul(n);
        let memory = u64::from(r).saturating_mul(n.saturating_add(p.into()));
        if memory.saturating_mul(128) > MAX_SCRYPT_MEMORY {
            return Err(Error::written(
                ErrorKind::Unsupported,
                format_args!(
                    "the file asks scrypt for more than {MAX_SCRYPT_MEMORY} bytes of memory (N {n}, \
                     r {r}, p {p}): {REMEDY}"
                ),
            ));
        }
        // The exponent of a `u64` fits.
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| unreadable())?;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| unreadable())?;
        Ok(Self {
            function: Function::Scrypt {
                params,
                cost: blocks.saturating_mul(p.into()),
            },
            salt,
            key_length,
        })
    }
}

/// The longest key that a cipher takes, in bytes: AES-256's.
const LONGEST_CIPHER_KEY: usize = 32;

/// What PKCS#12 derives bytes for (RFC 7292, B.3).
#[derive(Clone, Copy, Debug)]
pub(in crate::key) enum Purpose {
    Key = 1,
    InitializationVector = 2,
    Mac = 3,
}

/// The derivation of PKCS#12 (RFC 7292, B.2). `password` is a `BMPString` with its terminator.
pub(in crate::key) fn pkcs12_kdf(
    hash: Hash,
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    output: &mut [u8],
    budget: &mut Budget,
) -> Result<()> {
    let iterations = iteration_count(iterations)?;
    budget.spend(iterations.into())?;
    let input = Input {
        purpose,
        password,
        salt,
        block: hash.block_length(),
    };
    with_hash!(hash, D => derive_pkcs12(&mut D::default(), &input, iterations, output));
    Ok(())
}

/// What the derivation of PKCS#12 hashes.
struct Input<'a> {
    purpose: Purpose,
    password: &'a [u8],
    salt: &'a [u8],
    /// The length of the hash's blocks, in bytes.
    block: usize,
}

/// Any hash by a pointer: one derivation in the binary and not one per hash.
fn derive_pkcs12(hash: &mut dyn DynDigest, from: &Input<'_>, iterations: u32, output: &mut [u8]) {
    let block = from.block;
    let diversifier = vec![from.purpose as u8; block];
    let (salt, password) = (from.salt, from.password);
    let mut input = Zeroizing::new(Vec::with_capacity(
        salt.len().next_multiple_of(block) + password.len().next_multiple_of(block),
    ));
    for part in [salt, password] {
        let length = part.len().next_multiple_of(block);
        input.extend(part.iter().cycle().take(length));
    }
    let mut repeated = Zeroizing::new(vec![0; block]);
    let mut digest = Zeroizing::new(vec![0; hash.output_size()]);
    for chunk in output.chunks_mut(hash.output_size()) {
        hash.update(&diversifier);
        iterate(hash, &input, iterations, &mut digest);
        for (to, from) in chunk.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        for (to, from) in repeated.iter_mut().zip(digest.iter().cycle()) {
            *to = *from;
        }
        for number in input.chunks_mut(block) {
            add_one_more(number, &repeated);
        }
    }
}

/// The hash of `last`, after what it was given before, hashed again until it is `iterations` times.
/// `digest` is of the hash's length.
fn iterate(hash: &mut dyn DynDigest, last: &[u8], iterations: u32, digest: &mut [u8]) {
    hash.update(last);
    // It fails only when the length is another.
    let _ = hash.finalize_into_reset(digest);
    for _ in 1..iterations {
        hash.update(digest);
        let _ = hash.finalize_into_reset(digest);
    }
}

/// Adds `addend` and one to `number`, both big endian, modulo its length.
fn add_one_more(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1;
    for (digit, addend) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*digit) + u16::from(*addend) + carry;
        [_, *digit] = sum.to_be_bytes();
        carry = sum >> 8;
    }
}

/// The hashes of PBES1.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pbkdf1Hash {
    Md5,
    Sha1,
}

/// PBKDF1 (RFC 8018, 5.1), of which PBES1 always takes 16 bytes: eight of key, eight of IV.
pub(super) fn pbkdf1(
    hash: Pbkdf1Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    budget: &mut Budget,
) -> Result<Zeroizing<[u8; 16]>> {
    let iterations = iteration_count(iterations)?;
    budget.spend(iterations.into())?;
    let (mut md5, mut sha1) = (Md5::default(), Sha1::default());
    let hash: &mut dyn DynDigest = match hash {
        Pbkdf1Hash::Md5 => &mut md5,
        Pbkdf1Hash::Sha1 => &mut sha1,
    };
    let mut digest = Zeroizing::new(vec![0; hash.output_size()]);
    hash.update(password);
    iterate(hash, salt, iterations, &mut digest);
    let mut output = Zeroizing::new([0; 16]);
    for (to, from) in output.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    Ok(output)
}

/// The derivation of OpenSSL's traditional PEM encryption: `EVP_BytesToKey` with MD5 and one
/// iteration. `salt` is the first eight bytes of the IV.
pub(in crate::key) fn evp_bytes_to_key(password: &[u8], salt: &[u8], key: &mut [u8]) {
    let hash: &mut dyn DynDigest = &mut Md5::default();
    let mut digest = Zeroizing::new([0; 16]);
    for (position, chunk) in key.chunks_mut(16).enumerate() {
        if position > 0 {
            hash.update(&*digest);
        }
        hash.update(password);
        iterate(hash, salt, 1, &mut *digest);
        for (to, from) in chunk.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
    }
}

/// An iteration count that has a meaning and fits PBKDF2's; the budget bounds it further.
fn iteration_count(iterations: u64) -> Result<u32> {
    if iterations == 0 {
        return Err(malformed(
            "the key derivation has an iteration count of zero",
        ));
    }
    u32::try_from(iterations)
        .map_err(|_| unsupported(&format!("{iterations} iterations of key derivation")))
}

const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
