//! ML-DSA keys in the three forms of RFC 9881, 6.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{KeyMaterial, PrivateKey, PublicKey, algorithm::ParameterSet, malformed};
use crate::{
    Error, ErrorKind, Result,
    elements::{Elements, IMPLICIT, OCTET_STRING, SEQUENCE},
};

/// Reads the content of PKCS#8's `privateKey`:
///
/// ```text
/// ML-DSA-nn-PrivateKey ::= CHOICE {
///   seed        [0] OCTET STRING (SIZE (32)),
///   expandedKey OCTET STRING,
///   both        SEQUENCE { seed OCTET STRING (SIZE (32)), expandedKey OCTET STRING } }
/// ```
///
/// `public_key` is the one that the PKCS#8 carries, if it does.
pub(super) fn private_key(
    set: ParameterSet,
    der: &[u8],
    public_key: Option<&[u8]>,
) -> Result<PrivateKey> {
    let (seed, expanded) = forms(der)
        .ok_or_else(|| malformed("the ML-DSA key is in none of the three forms of RFC 9881"))?;
    if expanded.is_some_and(|key| key.len() != set.expanded_length()) {
        return Err(malformed(
            "the ML-DSA key's expanded form has the wrong length for its parameter set",
        ));
    }
    let (material, derived) = match (seed, expanded) {
        (Some(seed), expanded) => {
            let seed: [u8; 32] = seed
                .try_into()
                .map_err(|_| malformed("the ML-DSA key's seed does not have 32 bytes"))?;
            let seed = Zeroizing::new(seed);
            let derived = derive::from_seed(set, &seed, expanded)?;
            (KeyMaterial::MlDsaSeed(seed), derived)
        }
        (None, Some(expanded)) => {
            let derived = derive::from_expanded(set, expanded)?;
            let expanded = Zeroizing::new(expanded.to_vec());
            (KeyMaterial::MlDsaExpanded(expanded), derived)
        }
        (None, None) => {
            return Err(malformed("the ML-DSA key is empty"));
        }
    };
    let public_key = match (derived, public_key) {
        (Some(derived), Some(given)) if derived != given => {
            return Err(malformed(
                "the ML-DSA key's public half does not belong to its private half",
            ));
        }
        (Some(derived), _) => PublicKey::new(set.algorithm(), derived),
        (None, Some(given)) => self::public_key(set, given)?,
        (None, None) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the ML-DSA key carries no public half, and this build cannot derive it: build \
                 with the feature `rustcrypto`",
            ));
        }
    };
    Ok(PrivateKey {
        material,
        public_key,
    })
}

/// Reads a public key, which is its bytes.
pub(super) fn public_key(set: ParameterSet, bytes: &[u8]) -> Result<PublicKey> {
    if bytes.len() != set.public_length() {
        return Err(malformed(
            "the ML-DSA public key has the wrong length for its parameter set",
        ));
    }
    Ok(PublicKey::new(set.algorithm(), bytes.to_vec()))
}

type Forms<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// The seed and the expanded key, one of them or both.
fn forms(der: &[u8]) -> Option<Forms<'_>> {
    let mut elements = Elements::of(der);
    let choice = elements.element()?;
    elements.finish()?;
    match choice.tag {
        IMPLICIT => Some((Some(choice.content), None)),
        OCTET_STRING => Some((None, Some(choice.content))),
        SEQUENCE => {
            let mut both = Elements::of(choice.content);
            let seed = both.expect(OCTET_STRING)?;
            Some((Some(seed), Some(both.only(OCTET_STRING)?)))
        }
        _ => None,
    }
}

/// The public half by RustCrypto's ML-DSA.
#[cfg(feature = "rustcrypto")]
mod derive {
    // `from_expanded` and `to_expanded` are deprecated in favour of the seed. RFC 9881 lets a file
    // hold the expanded key alone, and asks for the check when it holds both.
    #![allow(deprecated)]

    use ml_dsa::{
        EncodedVerifyingKey, ExpandedSigningKey, ExpandedSigningKeyBytes, Keypair, MlDsa44,
        MlDsa65, MlDsa87, MlDsaParams, SigningKey,
    };

    use super::{ParameterSet, Result, Vec, Zeroizing, malformed};

    /// The public key of a seed, once it is sure that `expanded`, where given, comes from it too.
    pub(super) fn from_seed(
        set: ParameterSet,
        seed: &[u8; 32],
        expanded: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>> {
        fn from_seed<P: MlDsaParams>(seed: &[u8; 32], expanded: Option<&[u8]>) -> Option<Vec<u8>> {
            let key = SigningKey::<P>::from_seed(seed.into());
            if let Some(given) = expanded {
                let own = Zeroizing::new(key.expanded_key().to_expanded());
                if own.as_slice() != given {
                    return None;
                }
            }
            let public: EncodedVerifyingKey<P> = key.verifying_key().encode();
            Some(public.to_vec())
        }
        match set {
            ParameterSet::MlDsa44 => from_seed::<MlDsa44>(seed, expanded),
            ParameterSet::MlDsa65 => from_seed::<MlDsa65>(seed, expanded),
            ParameterSet::MlDsa87 => from_seed::<MlDsa87>(seed, expanded),
        }
        .map(Some)
        .ok_or_else(|| malformed("the ML-DSA key's seed and expanded form are of different keys"))
    }

    /// The public key of an expanded key.
    ///
    /// Nothing in an expanded key proves that its parts belong together, so it signs once and the
    /// signature is checked: that covers ρ, tr, s₁, s₂ and t₀.
    pub(super) fn from_expanded(set: ParameterSet, expanded: &[u8]) -> Result<Option<Vec<u8>>> {
        fn from_expanded<P: MlDsaParams>(expanded: &[u8]) -> Option<Vec<u8>> {
            let bytes = Zeroizing::new(ExpandedSigningKeyBytes::<P>::try_from(expanded).ok()?);
            let key = ExpandedSigningKey::<P>::from_expanded(&bytes);
            let public = key.verifying_key();
            let signature = key.sign_deterministic(&[], &[]).ok()?;
            public
                .verify_with_context(&[], &[], &signature)
                .then(|| public.encode().to_vec())
        }
        if !secret_vectors_are_short(set, expanded) {
            return Err(malformed(
                "the ML-DSA key's expanded form holds numbers that are out of bounds",
            ));
        }
        match set {
            ParameterSet::MlDsa44 => from_expanded::<MlDsa44>(expanded),
            ParameterSet::MlDsa65 => from_expanded::<MlDsa65>(expanded),
            ParameterSet::MlDsa87 => from_expanded::<MlDsa87>(expanded),
        }
        .map(Some)
        .ok_or_else(|| malformed("the parts of the ML-DSA key's expanded form do not agree"))
    }

    /// Whether every coefficient of s₁ and s₂ lies in −η…η (FIPS 204, algorithm 25: skDecode may
    /// return others on malformed input, and asks the caller to look). The crate panics on others.
    fn secret_vectors_are_short(set: ParameterSet, expanded: &[u8]) -> bool {
        // ρ (32 bytes), K (32) and tr (64) stand before s₁ and s₂, t₀ after them. Each polynomial
        // has 256 coefficients of 3 bits (η = 2) or 4 bits (η = 4), stored as η − s.
        const BEFORE: usize = 128;
        let (polynomials, eta) = match set {
            ParameterSet::MlDsa44 => (4 + 4, 2),
            ParameterSet::MlDsa65 => (5 + 6, 4),
            ParameterSet::MlDsa87 => (7 + 8, 2),
        };
        let coefficient_bits = if eta == 2 { 3 } else { 4 };
        let length = polynomials * 256 * coefficient_bits / 8;
        let Some(packed) = expanded.get(BEFORE..BEFORE + length) else {
            return false;
        };
        // Three bytes hold eight coefficients of 3 bits or six of 4, least significant bit first.
        packed.chunks(3).all(|chunk| {
            let word = chunk
                .iter()
                .rev()
                .fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
            (0..chunk.len() * 8)
                .step_by(coefficient_bits)
                .all(|shift| (word >> shift) & ((1 << coefficient_bits) - 1) <= 2 * eta)
        })
    }
}

/// Without ML-DSA's arithmetic nothing is derived, and the two forms of one key are not compared.
#[cfg(not(feature = "rustcrypto"))]
mod derive {
    use super::{ParameterSet, Result, Vec};

    pub(super) fn from_seed(
        _: ParameterSet,
        _: &[u8; 32],
        _: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    pub(super) fn from_expanded(_: ParameterSet, _: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}
