//! Public keys of the numbers that tokens, TPMs and agents tell.

use der::{
    Encode as _,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, UintRef},
};
use rolesanywhere_core::{Error, ErrorKind, PublicKey, Result};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// An RSA key of its modulus and public exponent, big endian; zeros in front do not count.
///
/// # Errors
/// The core's, for a key that the service does not take.
pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey> {
    let encode = || -> der::Result<Vec<u8>> {
        let key = pkcs1::RsaPublicKey {
            modulus: UintRef::new(modulus)?,
            public_exponent: UintRef::new(exponent)?,
        };
        spki(RSA_ENCRYPTION, AnyRef::NULL, &key.to_der()?)
    };
    PublicKey::from_spki_der(&encode().map_err(|_| malformed())?)
}

/// An EC key of its curve's identifier and its uncompressed point `04‖X‖Y`.
///
/// # Errors
/// The core's, for a curve that the service does not take, and a point that is none.
pub(super) fn ec(curve: ObjectIdentifier, point: &[u8]) -> Result<PublicKey> {
    let encode = || spki(EC_PUBLIC_KEY, AnyRef::from(&curve), point);
    PublicKey::from_spki_der(&encode().map_err(|_| malformed())?)
}

/// An EC key as PKCS#11 tells it: the curve as DER, the point as a DER octet string or, from some
/// tokens, as it is.
///
/// # Errors
/// As [`ec`].
pub(super) fn ec_of_token(parameters: &[u8], point: &[u8]) -> Result<PublicKey> {
    use der::Decode as _;
    let curve = ObjectIdentifier::from_der(parameters).map_err(|_| malformed())?;
    match <&OctetStringRef>::from_der(point) {
        Ok(inner) => ec(curve, inner.as_bytes()),
        Err(_) => ec(curve, point),
    }
}

fn spki(oid: ObjectIdentifier, parameters: AnyRef<'_>, key: &[u8]) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid,
            parameters: Some(parameters),
        },
        subject_public_key: BitStringRef::from_bytes(key)?,
    }
    .to_der()
}

fn malformed() -> Error {
    Error::new(
        ErrorKind::InvalidKey,
        "the numbers of the public key are none: the device or its driver is at fault",
    )
}
