//! A private key as PKCS#8, for a host whose own library signs.

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::{
    Encode,
    asn1::{AnyRef, OctetStringRef},
};
use pkcs8::{AlgorithmIdentifierRef, PrivateKeyInfoRef};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use super::{KeyAlgorithm, KeyMaterial, PrivateKey};

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
        let (oid, parameters) = identifier(self.algorithm());
        let parameters = match &parameters {
            Parameters::Absent => None,
            Parameters::Curve(curve) => Some(AnyRef::from(curve)),
            Parameters::Null => Some(AnyRef::NULL),
        };
        let inner = match &self.material {
            KeyMaterial::Ec(scalar) => EcPrivateKey {
                private_key: scalar,
                parameters: None, // the algorithm names the curve
                public_key: Some(self.public_key.as_bytes()),
            }
            .to_der()
            .ok()?,
            KeyMaterial::MlDsaExpanded(_) => return None,
            // [0] IMPLICIT OCTET STRING (SIZE (32))
            KeyMaterial::MlDsaSeed(seed) => [&[0x80, 32], seed.as_slice()].concat(),
            KeyMaterial::Rsa(der) => der.to_vec(),
        };
        let inner = Zeroizing::new(inner);
        let info = PrivateKeyInfoRef::new(
            AlgorithmIdentifierRef { oid, parameters },
            OctetStringRef::new(&inner).ok()?,
        );
        info.to_der().ok().map(Zeroizing::new)
    }
}

enum Parameters {
    Absent,
    Curve(ObjectIdentifier),
    Null,
}

fn identifier(algorithm: KeyAlgorithm) -> (ObjectIdentifier, Parameters) {
    use super::algorithm::{EC, ML_DSA_44, ML_DSA_65, ML_DSA_87, P256, P384, P521, RSA};
    match algorithm {
        KeyAlgorithm::EcP256 => (EC, Parameters::Curve(P256)),
        KeyAlgorithm::EcP384 => (EC, Parameters::Curve(P384)),
        KeyAlgorithm::EcP521 => (EC, Parameters::Curve(P521)),
        KeyAlgorithm::MlDsa44 => (ML_DSA_44, Parameters::Absent),
        KeyAlgorithm::MlDsa65 => (ML_DSA_65, Parameters::Absent),
        KeyAlgorithm::MlDsa87 => (ML_DSA_87, Parameters::Absent),
        KeyAlgorithm::Rsa { .. } => (RSA, Parameters::Null),
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
