//! EC keys: SEC1 `ECPrivateKey` (RFC 5915) and the points that are their public halves.

use alloc::{vec, vec::Vec};

use zeroize::Zeroizing;

use super::{
    KeyMaterial, PrivateKey, PublicKey,
    algorithm::{Curve, explicit_parameters},
    malformed,
};
use crate::{
    Error, ErrorKind, Result,
    elements::{
        BIT_STRING, EXPLICIT, Element, Elements, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
    },
};

/// Reads a bare `ECPrivateKey`. RFC 5915 (3) has it name its curve; where it does not, as BouncyCastle
/// writes some, its certificate tells: the key of `certified` to which it belongs. So does its public
/// half, where it carries one and this build can derive another to compare.
pub(super) fn sec1(der: &[u8], certified: &[&PublicKey]) -> Result<PrivateKey> {
    let is_curveless = |key: &EcPrivateKey<'_>| key.parameters.is_none();
    let Some(key) = EcPrivateKey::parse(der).filter(is_curveless) else {
        return private_key(der, None, None);
    };
    let carries_public_half = cfg!(feature = "rustcrypto") && key.public_key.is_some();
    for curve in [Curve::P256, Curve::P384, Curve::P521] {
        // What is refused here does not fit the curve.
        let Ok(found) = private_key(der, Some(curve), None) else {
            continue;
        };
        if carries_public_half || certified.contains(&&found.public_key) {
            return Ok(found);
        }
    }
    Err(Error::new(
        ErrorKind::InvalidKey,
        "the EC key names no curve, and no certificate beside it, on P-256, P-384 or P-521, belongs to \
         it: pass its certificate too, or have its writer name the curve",
    ))
}

/// Reads an `ECPrivateKey`. `curve` is the one that a PKCS#8 around it names; a bare one must name
/// its own. `public_key` is the point that the PKCS#8 carries, if it does.
pub(super) fn private_key(
    der: &[u8],
    curve: Option<Curve>,
    public_key: Option<&[u8]>,
) -> Result<PrivateKey> {
    let key = EcPrivateKey::parse(der)
        .ok_or_else(|| malformed("the EC key is not a readable `ECPrivateKey` (RFC 5915)"))?;
    let named = match key.parameters {
        None => None,
        Some(parameters) if parameters.tag == OBJECT_IDENTIFIER => {
            Some(Curve::identify(parameters.content)?)
        }
        // A `SpecifiedECDomain`.
        Some(parameters) if parameters.tag == SEQUENCE => return Err(explicit_parameters()),
        Some(_) => return Err(malformed("the EC key's parameters name no curve")),
    };
    let curve = match (curve, named) {
        (Some(outer), Some(inner)) if outer != inner => {
            return Err(malformed("the EC key names two different curves"));
        }
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => {
            return Err(malformed("the EC key names no curve"));
        }
    };

    let scalar = scalar(key.private_key, curve)?;
    let mut carried = Vec::with_capacity(2);
    let inner = match key.public_key {
        None => None,
        Some([0, point @ ..]) => Some(point),
        Some(_) => return Err(malformed("the EC key's public half is not whole bytes")),
    };
    for given in [inner, public_key].into_iter().flatten() {
        carried.push(point::canonical(curve, given)?);
    }
    let mut point = match carried.first() {
        Some(given) if is_pair(curve, &scalar, given) => Some(given.clone()),
        _ => point::derive(curve, &scalar)?,
    };
    for given in carried {
        match &point {
            Some(point) if *point != given => {
                return Err(malformed(
                    "the EC key's public half does not belong to its private half",
                ));
            }
            _ => point = Some(given),
        }
    }
    let Some(point) = point else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the EC key carries no public half, and this build cannot derive it: build with the \
             feature `rustcrypto`",
        ));
    };
    Ok(PrivateKey {
        material: KeyMaterial::Ec(scalar),
        public_key: PublicKey::new(curve.algorithm(), point),
    })
}

/// `ECPrivateKey` (RFC 5915, 3).
struct EcPrivateKey<'a> {
    private_key: &'a [u8],
    parameters: Option<Element<'a>>,
    /// The content of a BIT STRING.
    public_key: Option<&'a [u8]>,
}

impl<'a> EcPrivateKey<'a> {
    fn parse(der: &'a [u8]) -> Option<Self> {
        let mut fields = Elements::within(der, SEQUENCE)?;
        (fields.number()? == 1).then_some(())?;
        let private_key = fields.expect(OCTET_STRING)?;
        let parameters = match fields.optional(EXPLICIT)? {
            None => None,
            Some(content) => {
                let mut elements = Elements::of(content);
                let parameters = elements.element()?;
                elements.finish()?;
                Some(parameters)
            }
        };
        let public_key = match fields.optional(EXPLICIT + 1)? {
            None => None,
            Some(content) => Some(Elements::of(content).only(BIT_STRING)?),
        };
        fields.finish()?;
        Some(Self {
            private_key,
            parameters,
            public_key,
        })
    }
}

/// Whether ring confirms that the two belong together, which costs it a tenth of what deriving the
/// point costs in pure Rust. False where ring does not know the curve: then the point is derived.
#[cfg(feature = "ring")]
fn is_pair(curve: Curve, scalar: &[u8], point: &[u8]) -> bool {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
    };
    curve == Curve::P256
        && EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            scalar,
            point,
            &SystemRandom::new(),
        )
        .is_ok()
}

/// Nobody confirms a pair for less than the point costs that [`point::derive`] makes.
#[cfg(not(feature = "ring"))]
fn is_pair(_: Curve, _: &[u8], _: &[u8]) -> bool {
    false
}

/// Reads the point of a public key: uncompressed, or compressed where this build can expand it.
pub(super) fn public_key(curve: Curve, point: &[u8]) -> Result<PublicKey> {
    Ok(PublicKey::new(
        curve.algorithm(),
        point::canonical(curve, point)?,
    ))
}

/// Brings the private scalar to the curve's length. RFC 5915 fixes the length; old writers drop
/// leading zeros, or put one more before the number.
fn scalar(bytes: &[u8], curve: Curve) -> Result<Zeroizing<Vec<u8>>> {
    let length = curve.field_length();
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let Some(padding) = length.checked_sub(digits.len()) else {
        return Err(malformed("the EC key's private number is too long"));
    };
    if digits.is_empty() {
        return Err(malformed("the EC key's private number is zero"));
    }
    let mut scalar = Zeroizing::new(vec![0; length]);
    if let Some(tail) = scalar.get_mut(padding..) {
        tail.copy_from_slice(digits);
    }
    Ok(scalar)
}

/// Points by RustCrypto's curves: every form is read, and each must lie on its curve.
#[cfg(feature = "rustcrypto")]
mod point {
    use alloc::vec::Vec;

    use p256::elliptic_curve::{
        AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey,
        sec1::{FromSec1Point, ModulusSize, ToSec1Point},
    };

    use super::{Curve, Result, malformed};

    /// The public point of a private scalar, which must lie between 1 and the order less 1.
    pub(super) fn derive(curve: Curve, scalar: &[u8]) -> Result<Option<Vec<u8>>> {
        fn derive<C: CurveArithmetic>(scalar: &[u8]) -> Option<Vec<u8>>
        where
            AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
            FieldBytesSize<C>: ModulusSize,
        {
            let secret = SecretKey::<C>::from_slice(scalar).ok()?;
            Some(secret.public_key().to_sec1_point(false).as_bytes().to_vec())
        }
        match curve {
            Curve::P256 => derive::<p256::NistP256>(scalar),
            Curve::P384 => derive::<p384::NistP384>(scalar),
            Curve::P521 => derive::<p521::NistP521>(scalar),
        }
        .map(Some)
        .ok_or_else(|| malformed("the EC key's private number is not below the order of its curve"))
    }

    /// The uncompressed form `04‖X‖Y` of a point in any form of SEC1, 2.3.3.
    pub(super) fn canonical(curve: Curve, point: &[u8]) -> Result<Vec<u8>> {
        fn canonical<C: CurveArithmetic>(point: &[u8]) -> Option<Vec<u8>>
        where
            AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
            FieldBytesSize<C>: ModulusSize,
        {
            let key = PublicKey::<C>::from_sec1_bytes(point).ok()?;
            Some(key.to_sec1_point(false).as_bytes().to_vec())
        }
        match curve {
            Curve::P256 => canonical::<p256::NistP256>(point),
            Curve::P384 => canonical::<p384::NistP384>(point),
            Curve::P521 => canonical::<p521::NistP521>(point),
        }
        .ok_or_else(|| malformed("the EC public key is not a point of its curve"))
    }
}

/// Points without curve arithmetic: only the uncompressed form is read, and not checked further.
#[cfg(not(feature = "rustcrypto"))]
mod point {
    use alloc::vec::Vec;

    use super::{Curve, Error, ErrorKind, Result, malformed};

    pub(super) fn derive(_: Curve, _: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    pub(super) fn canonical(curve: Curve, point: &[u8]) -> Result<Vec<u8>> {
        match point.first() {
            Some(4) if point.len() == 1 + 2 * curve.field_length() => Ok(point.to_vec()),
            Some(2 | 3) => Err(Error::new(
                ErrorKind::Unsupported,
                "the EC public key is a compressed point, which this build cannot expand: build \
                 with the feature `rustcrypto`",
            )),
            _ => Err(malformed("the EC public key is not a point of its curve")),
        }
    }
}
