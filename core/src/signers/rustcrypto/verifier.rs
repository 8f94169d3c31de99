//! Checking signatures in pure Rust.

use ecdsa::{EcdsaCurve, hazmat::verify_prehashed};
use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, VerifyingKey};
use p256::elliptic_curve::{
    self, AffinePoint, CurveArithmetic, FieldBytesSize,
    array::ArraySize,
    sec1::{FromSec1Point, ModulusSize, ToSec1Point},
};
use rsa::{BigUint, RsaPublicKey};

use super::{HashAlgorithm, pkcs1v15};
use crate::{
    KeyAlgorithm, PublicKey, Result, Signature, SignatureVerifier,
    key::rsa_public_numbers,
    signers::outcome::{check_algorithm, mismatch},
};

/// Checks signatures of every kind in pure Rust.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCryptoVerifier;

impl SignatureVerifier for RustCryptoVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<()> {
        check_algorithm(key, signature)?;
        if is_signature(key, HashAlgorithm::Sha256, message, signature.as_bytes()) {
            Ok(())
        } else {
            Err(mismatch(key))
        }
    }
}

/// Whether `signature` is one of `key` over `message` under that hash: RSASSA-PKCS1-v1_5, ECDSA in DER, or
/// ML-DSA with an empty context, which takes no hash.
pub(crate) fn is_signature(
    key: &PublicKey,
    hash: HashAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let bytes = key.as_bytes();
    match key.algorithm() {
        KeyAlgorithm::EcP256 => ecdsa::<p256::NistP256>(bytes, &hash.digest(message), signature),
        KeyAlgorithm::EcP384 => ecdsa::<p384::NistP384>(bytes, &hash.digest(message), signature),
        KeyAlgorithm::EcP521 => ecdsa::<p521::NistP521>(bytes, &hash.digest(message), signature),
        KeyAlgorithm::MlDsa44 => ml_dsa::<MlDsa44>(bytes, message, signature),
        KeyAlgorithm::MlDsa65 => ml_dsa::<MlDsa65>(bytes, message, signature),
        KeyAlgorithm::MlDsa87 => ml_dsa::<MlDsa87>(bytes, message, signature),
        KeyAlgorithm::Rsa { bits } => rsa(bytes, bits, hash, message, signature),
    }
    .is_some()
}

fn ecdsa<C>(point: &[u8], digest: &[u8], signature: &[u8]) -> Option<()>
where
    C: EcdsaCurve + CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
    ecdsa::der::MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as core::ops::Add>::Output:
        core::ops::Add<ecdsa::der::MaxOverhead> + ArraySize,
{
    let key = elliptic_curve::PublicKey::<C>::from_sec1_bytes(point).ok()?;
    let signature = ecdsa::Signature::<C>::from_der(signature).ok()?;
    verify_prehashed(&key.to_projective(), digest, &signature).ok()
}

fn ml_dsa<P: MlDsaParams>(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key: EncodedVerifyingKey<P> = key.try_into().ok()?;
    let key = VerifyingKey::<P>::decode(&key);
    let signature = ml_dsa::Signature::<P>::try_from(signature).ok()?;
    key.verify_with_context(message, &[], &signature)
        .then_some(())
}

fn rsa(key: &[u8], bits: u32, hash: HashAlgorithm, message: &[u8], signature: &[u8]) -> Option<()> {
    let (modulus, public_exponent) = rsa_public_numbers(key)?;
    let key = RsaPublicKey::new_with_max_size(
        BigUint::from_bytes_be(modulus),
        BigUint::from_bytes_be(public_exponent),
        usize::try_from(bits).ok()?,
    )
    .ok()?;
    key.verify(pkcs1v15(hash), &hash.digest(message), signature)
        .ok()
}
