//! A private key as PKCS#8, for a host whose own library signs.

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

use super::{KeyAlgorithm, KeyMaterial, PrivateKey};
use crate::elements::{
    BIT_STRING, EXPLICIT, IMPLICIT, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
    encode,
};

impl PrivateKey {
    /// The key as PKCS#8 in DER (RFC 5958), not encrypted: for a host that hands it to a library of
    /// its own which takes no other form, such as WebCrypto, and does nothing else with it. What is
    /// returned wipes itself; the host wipes the copy that it makes.
    ///
    /// An EC key carries its public half; an ML-DSA key is its seed (RFC 9881). `None` for an ML-DSA
    /// key that was given without its seed.
    ///
    /// Behind the feature `export-private-key`, so that faces which sign here cannot call it.
    pub fn to_pkcs8_der(&self) -> Option<Zeroizing<Vec<u8>>> {
        let (oid, curve) = identifier(self.algorithm());
        let oid = encode(OBJECT_IDENTIFIER, &[oid.as_bytes()]);
        let algorithm = match (&self.material, curve) {
            (KeyMaterial::Rsa(_), _) => encode(SEQUENCE, &[&oid, &NULL]),
            (_, Some(curve)) => {
                let curve = encode(OBJECT_IDENTIFIER, &[curve.as_bytes()]);
                encode(SEQUENCE, &[&oid, &curve])
            }
            (_, None) => encode(SEQUENCE, &[&oid]),
        };
        let key = match &self.material {
            // `ECPrivateKey` of version 1; the algorithm names the curve.
            KeyMaterial::Ec(scalar) => {
                let scalar = encode(OCTET_STRING, &[scalar]);
                let point = encode(BIT_STRING, &[&[0], self.public_key.as_bytes()]);
                let point = encode(EXPLICIT + 1, &[&point]);
                encode(SEQUENCE, &[&[INTEGER, 1, 1], &scalar, &point])
            }
            KeyMaterial::MlDsaExpanded(_) => return None,
            // [0] IMPLICIT OCTET STRING (SIZE (32))
            KeyMaterial::MlDsaSeed(seed) => encode(IMPLICIT, &[seed.as_slice()]),
            KeyMaterial::Rsa(der) => der.clone(),
        };
        let key = encode(OCTET_STRING, &[&key]);
        Some(encode(SEQUENCE, &[&[INTEGER, 1, 0], &algorithm, &key]))
    }
}

/// The object identifiers of a kind of key, and of its curve.
fn identifier(algorithm: KeyAlgorithm) -> (ObjectIdentifier, Option<ObjectIdentifier>) {
    use super::algorithm::{EC, ML_DSA_44, ML_DSA_65, ML_DSA_87, P256, P384, P521, RSA};
    match algorithm {
        KeyAlgorithm::EcP256 => (EC, Some(P256)),
        KeyAlgorithm::EcP384 => (EC, Some(P384)),
        KeyAlgorithm::EcP521 => (EC, Some(P521)),
        KeyAlgorithm::MlDsa44 => (ML_DSA_44, None),
        KeyAlgorithm::MlDsa65 => (ML_DSA_65, None),
        KeyAlgorithm::MlDsa87 => (ML_DSA_87, None),
        KeyAlgorithm::Rsa { .. } => (RSA, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RSA and EC keys are compared with OpenSSL's in `tests/exported_keys.rs`; OpenSSL knows ML-DSA from
    // 3.5 on.
    #[test]
    fn an_ml_dsa_key_becomes_the_seed_form_of_rfc_9881() {
        for seed in [[7u8; 32], [0xfe; 32]] {
            let mut der = alloc::vec![0x30, 0x34, 2, 1, 0, 0x30, 0x0b, 6, 9];
            der.extend(ML_DSA_65_OID);
            der.extend([4, 0x22, 0x80, 0x20]);
            der.extend(seed);
            let key = PrivateKey::from_der(&der).unwrap();
            assert_eq!(key.to_pkcs8_der().unwrap().as_slice(), der);
        }
    }

    const ML_DSA_65_OID: [u8; 9] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
}
