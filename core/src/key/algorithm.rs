//! Which kinds of key there are, by object identifier: those that the service takes, and those that
//! are refused by name.

use alloc::{
    format,
    string::{String, ToString},
};

use const_oid::ObjectIdentifier;

use super::malformed;
use crate::{
    Error, ErrorKind, KeyAlgorithm, Result,
    certificate::oid,
    elements::{AlgorithmIdentifier, NULL, OBJECT_IDENTIFIER, SEQUENCE},
};

/// A kind of key that the service takes, as far as an `AlgorithmIdentifier` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Ec(Curve),
    MlDsa(ParameterSet),
    Rsa,
}

impl Family {
    /// Reads the identifier of a private key (RFC 5958) or of a public one (RFC 5280); both use the
    /// same identifiers.
    pub(super) fn identify(algorithm: &AlgorithmIdentifier<'_>) -> Result<Self> {
        let AlgorithmIdentifier { oid, parameters } = *algorithm;
        if oid == RSA.as_bytes() {
            // RFC 8017 wants NULL; some writers leave it out.
            return match parameters {
                None => Ok(Self::Rsa),
                Some(any) if any.der == NULL => Ok(Self::Rsa),
                Some(_) => Err(malformed("the RSA key has algorithm parameters")),
            };
        }
        if oid == EC.as_bytes() {
            return match parameters {
                Some(any) if any.tag == OBJECT_IDENTIFIER => {
                    Curve::identify(any.content).map(Self::Ec)
                }
                Some(any) if any.tag == SEQUENCE => Err(explicit_parameters()),
                _ => Err(malformed("the EC key names no curve")),
            };
        }
        match ParameterSet::identify(oid) {
            // RFC 9881, 2: the parameters are absent.
            Some(_) if parameters.is_some() => {
                Err(malformed("the ML-DSA key has algorithm parameters"))
            }
            Some(set) => Ok(Self::MlDsa(set)),
            None => Err(refused(&name_of(oid))),
        }
    }
}

/// A curve that the service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// Reads the OID of a named curve (RFC 5480, 2.1.1.1).
    pub(super) fn identify(oid: &[u8]) -> Result<Self> {
        let known = [(P256, Self::P256), (P384, Self::P384), (P521, Self::P521)];
        let known = known.into_iter().find(|(known, _)| known.as_bytes() == oid);
        match (known, oid::dotted(oid)) {
            (Some((_, curve)), _) => Ok(curve),
            (None, Some(oid)) => Err(refused(&format!("EC on {}", curve_name_of(&oid)))),
            (None, None) => Err(malformed("the EC key's curve is not a readable OID")),
        }
    }

    pub(super) const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::P256 => KeyAlgorithm::EcP256,
            Self::P384 => KeyAlgorithm::EcP384,
            Self::P521 => KeyAlgorithm::EcP521,
        }
    }

    /// The length of a scalar and of a coordinate, in bytes.
    pub(super) const fn field_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A parameter set of ML-DSA (FIPS 204, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterSet {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl ParameterSet {
    fn identify(oid: &[u8]) -> Option<Self> {
        let known = [
            (ML_DSA_44, Self::MlDsa44),
            (ML_DSA_65, Self::MlDsa65),
            (ML_DSA_87, Self::MlDsa87),
        ];
        let found = known.into_iter().find(|(known, _)| known.as_bytes() == oid);
        found.map(|(_, set)| set)
    }

    pub(super) const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::MlDsa44 => KeyAlgorithm::MlDsa44,
            Self::MlDsa65 => KeyAlgorithm::MlDsa65,
            Self::MlDsa87 => KeyAlgorithm::MlDsa87,
        }
    }

    /// The length of an expanded private key, in bytes (FIPS 204, table 2).
    pub(super) const fn expanded_length(self) -> usize {
        match self {
            Self::MlDsa44 => 2560,
            Self::MlDsa65 => 4032,
            Self::MlDsa87 => 4896,
        }
    }

    /// The length of a public key, in bytes (FIPS 204, table 2).
    pub(super) const fn public_length(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }
}

/// The refusal of a kind of key that is known, by its name.
pub(super) fn refused(name: &str) -> Error {
    Error::written(
        ErrorKind::Unsupported,
        format_args!(
            "the key is {name}, which IAM Roles Anywhere does not take: have the certificate issued \
             for a key of RSA (2,048 to 8,192 bits), EC (P-256, P-384 or P-521) or ML-DSA"
        ),
    )
}

/// The refusal of an EC key that spells its curve out. RFC 5480, 2.1.1 forbids that in certificates.
pub(super) fn explicit_parameters() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the EC key has explicit curve parameters where the curve should be named: convert it with \
         `openssl ec -in KEY -param_enc named_curve -out NEW`, and have the certificate name the \
         curve too",
    )
}

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
pub(super) const ML_DSA_44: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17");
pub(super) const ML_DSA_65: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");
pub(super) const ML_DSA_87: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19");

/// The algorithms that people have keys of and the service does not take.
const REFUSED: &[(&str, &str)] = &[
    (
        "1.2.840.113549.1.1.10",
        "RSA restricted to PSS (RSASSA-PSS)",
    ),
    (
        "1.2.840.113549.1.1.7",
        "RSA restricted to OAEP (RSAES-OAEP)",
    ),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10046.2.1", "Diffie-Hellman (X9.42)"),
    ("1.2.840.113549.1.3.1", "Diffie-Hellman (PKCS#3)"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.156.10197.1.301", "SM2"),
    ("1.2.643.7.1.1.1.1", "GOST R 34.10-2012"),
    ("1.2.643.7.1.1.1.2", "GOST R 34.10-2012"),
    ("2.16.840.1.101.3.4.3.32", "HashML-DSA-44"),
    ("2.16.840.1.101.3.4.3.33", "HashML-DSA-65"),
    ("2.16.840.1.101.3.4.3.34", "HashML-DSA-87"),
    ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
    ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
    ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
];

/// The arcs under which several such algorithms stand.
const REFUSED_ARCS: &[(&str, &str)] = &[
    ("1.3.36.3.3.2.8.1.1.", "a Brainpool curve"),
    ("2.16.840.1.101.3.4.3.", "SLH-DSA or another NIST signature"),
];

/// The curves that people have keys on and the service does not take.
const REFUSED_CURVES: &[(&str, &str)] = &[
    ("1.2.840.10045.3.1.1", "P-192 (secp192r1)"),
    ("1.3.132.0.33", "P-224 (secp224r1)"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.2.156.10197.1.301", "SM2"),
];

fn name_of(oid: &[u8]) -> String {
    match oid::dotted(oid) {
        Some(oid) => look_up(&oid, REFUSED).unwrap_or_else(|| format!("of the algorithm `{oid}`")),
        None => String::from("of an algorithm whose OID is not readable"),
    }
}

fn curve_name_of(oid: &str) -> String {
    look_up(oid, REFUSED_CURVES).unwrap_or_else(|| format!("the curve `{oid}`"))
}

fn look_up(oid: &str, names: &[(&str, &str)]) -> Option<String> {
    let exact = names.iter().find(|(known, _)| *known == oid);
    let under = || REFUSED_ARCS.iter().find(|(arc, _)| oid.starts_with(arc));
    exact.or_else(under).map(|(_, name)| name.to_string())
}
