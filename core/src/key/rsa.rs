//! RSA keys: PKCS#1 (RFC 8017, A.1).

use zeroize::Zeroizing;

use super::{KeyMaterial, PrivateKey, PublicKey, malformed};
use crate::{
    Error, ErrorKind, KeyAlgorithm, Result,
    elements::{Elements, SEQUENCE, encode, encode_natural},
};

/// The lengths of modulus that are taken, in bits: the service's user guide asks for at least 2,048
/// and its API shows keys of up to 8,192.
const MODULUS_BITS: core::ops::RangeInclusive<u32> = 2048..=8192;

/// The longest public exponent, in bits. Every signing library here stops at 33; a longer one only
/// makes verifying slow.
const MAX_EXPONENT_BITS: u32 = 33;

/// How far apart the lengths of the two primes may lie, in bits. FIPS 186-5 (A.1.1) wants primes of one
/// length. A far smaller prime would make the recombination of the pure-Rust signer run for ever.
const MAX_PRIME_IMBALANCE_BITS: u32 = 16;

/// Reads an `RSAPrivateKey`. `public_key` is the `RSAPublicKey` that a PKCS#8 around it carries, if
/// it does.
///
/// Sizes and signs are checked here. That the numbers belong together is checked by each signer when
/// it is made from the key, in its library's arithmetic.
pub(super) fn private_key(der: &[u8], public_key: Option<&[u8]>) -> Result<PrivateKey> {
    let key = RsaNumbers::parse(der)
        .ok_or_else(|| malformed("the RSA key is not a readable `RSAPrivateKey` (RFC 8017)"))?;
    if key.is_multi_prime {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the RSA key has more than two primes, which the signing libraries do not take: make a \
             key of two primes, as `openssl genpkey -algorithm RSA` does",
        ));
    }
    let numbers = [
        encode_natural(key.modulus),
        encode_natural(key.public_exponent),
    ];
    let [modulus, public_exponent] = &numbers;
    let public = encode(SEQUENCE, &[modulus, public_exponent]);
    let public = canonical(key.modulus, key.public_exponent, &public)?;
    if public_key.is_some_and(|given| given != public.as_bytes()) {
        return Err(malformed(
            "the RSA key's public half does not belong to its private half",
        ));
    }
    let (p, q) = (bits(key.prime1), bits(key.prime2));
    let private = [
        key.private_exponent,
        key.prime1,
        key.prime2,
        key.exponent1,
        key.exponent2,
        key.coefficient,
    ];
    let expected = bits(key.modulus);
    // The product of two numbers has as many bits as both together, or one less.
    if private.iter().any(|number| bits(number) == 0) || !(p + q - 1..=p + q).contains(&expected) {
        return Err(malformed("the RSA key's numbers contradict one another"));
    }
    if p.abs_diff(q) > MAX_PRIME_IMBALANCE_BITS {
        return Err(outside(format_args!(
            "has primes of {p} and {q} bits, and their lengths may differ by \
             {MAX_PRIME_IMBALANCE_BITS} bits"
        )));
    }
    if bits(key.private_exponent) > expected {
        return Err(outside(format_args!(
            "has a private exponent that is longer than its modulus"
        )));
    }
    Ok(PrivateKey {
        material: KeyMaterial::Rsa(Zeroizing::new(der.to_vec())),
        public_key: public,
    })
}

/// The numbers of an `RSAPrivateKey`, big endian.
pub(crate) struct RsaNumbers<'a> {
    is_multi_prime: bool,
    pub(crate) modulus: &'a [u8],
    pub(crate) public_exponent: &'a [u8],
    pub(crate) private_exponent: &'a [u8],
    pub(crate) prime1: &'a [u8],
    pub(crate) prime2: &'a [u8],
    exponent1: &'a [u8],
    exponent2: &'a [u8],
    coefficient: &'a [u8],
}

impl<'a> RsaNumbers<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut fields = Elements::within(der, SEQUENCE)?;
        let version = fields.number()?;
        let numbers = Self {
            is_multi_prime: version == 1,
            modulus: fields.natural()?,
            public_exponent: fields.natural()?,
            private_exponent: fields.natural()?,
            prime1: fields.natural()?,
            prime2: fields.natural()?,
            exponent1: fields.natural()?,
            exponent2: fields.natural()?,
            coefficient: fields.natural()?,
        };
        // `otherPrimeInfos`, with version 1.
        if numbers.is_multi_prime {
            fields.expect(SEQUENCE)?;
        }
        fields.finish()?;
        (version <= 1).then_some(numbers)
    }
}

/// Reads an `RSAPublicKey`.
pub(super) fn public_key(der: &[u8]) -> Result<PublicKey> {
    let Some((modulus, public_exponent)) = public_numbers(der) else {
        return Err(malformed(
            "the RSA public key is not a readable `RSAPublicKey` (RFC 8017)",
        ));
    };
    canonical(modulus, public_exponent, der)
}

/// Modulus and exponent of an `RSAPublicKey`, big endian.
pub(crate) fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut key = Elements::within(der, SEQUENCE)?;
    let numbers = (key.natural()?, key.natural()?);
    key.finish()?;
    Some(numbers)
}

/// `der` is the `RSAPublicKey` of the two numbers, of which there is one only.
fn canonical(modulus: &[u8], public_exponent: &[u8], der: &[u8]) -> Result<PublicKey> {
    let size = bits(modulus);
    if !MODULUS_BITS.contains(&size) {
        return Err(Error::written(
            ErrorKind::Unsupported,
            format_args!(
                "the RSA key has {size} bits: {} to {} are taken, have the certificate issued for \
                 such a key",
                MODULUS_BITS.start(),
                MODULUS_BITS.end()
            ),
        ));
    }
    let exponent = bits(public_exponent);
    if !is_odd(modulus) || !is_odd(public_exponent) || exponent < 2 {
        return Err(malformed(
            "the RSA key's modulus or public exponent is even, or the exponent is 1",
        ));
    }
    if exponent > MAX_EXPONENT_BITS {
        return Err(outside(format_args!(
            "has a public exponent of {exponent} bits, and at most {MAX_EXPONENT_BITS} are taken"
        )));
    }
    Ok(PublicKey::new(
        KeyAlgorithm::Rsa { bits: size },
        der.to_vec(),
    ))
}

/// The refusal of a key that may be good and lies outside of what the signing libraries take.
fn outside(of: core::fmt::Arguments<'_>) -> Error {
    Error::written(
        ErrorKind::Unsupported,
        format_args!(
            "the RSA key {of}: have the certificate issued for a key as `openssl genpkey -algorithm \
             RSA` makes it"
        ),
    )
}

/// The length of a number in bits; 0 for 0.
fn bits(number: &[u8]) -> u32 {
    let mut digits = number.iter().skip_while(|digit| **digit == 0);
    let Some(first) = digits.next() else {
        return 0;
    };
    // The size of a key is bounded long before this saturates.
    let rest = u32::try_from(digits.count()).unwrap_or(u32::MAX);
    rest.saturating_mul(8)
        .saturating_add(8 - first.leading_zeros())
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|digit| digit & 1 == 1)
}
