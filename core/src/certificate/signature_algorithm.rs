//! How an issuer signed a certificate.

use alloc::string::String;
use core::fmt;

use super::parse::algorithm;
use crate::elements::{EXPLICIT, Elements, SEQUENCE};

/// The algorithm of the signature on a certificate; not the one that signs requests
/// ([`SigningAlgorithm`](crate::SigningAlgorithm)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// DSA, with whatever hash.
    Dsa,
    /// ECDSA with a hash.
    Ecdsa(HashAlgorithm),
    /// Ed25519 (RFC 8410), SHA-512 inside.
    Ed25519,
    /// Ed448 (RFC 8410), SHAKE256 inside.
    Ed448,
    /// ML-DSA-44 (RFC 9881).
    MlDsa44,
    /// ML-DSA-65 (RFC 9881).
    MlDsa65,
    /// ML-DSA-87 (RFC 9881).
    MlDsa87,
    /// Another algorithm, by its dotted OID.
    Other(String),
    /// RSASSA-PKCS1-v1_5 with a hash.
    Rsa(HashAlgorithm),
    /// RSASSA-PSS with a hash.
    RsaPss(HashAlgorithm),
}

/// A hash of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// MD2.
    Md2,
    /// MD4.
    Md4,
    /// MD5.
    Md5,
    /// Another hash, by its dotted OID.
    Other(String),
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/256.
    Sha512_256,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-384.
    Sha3_384,
    /// SHA3-512.
    Sha3_512,
}

impl SignatureAlgorithm {
    /// Whether the hash is SHA-256 or stronger, as the service's user guide asks; `None` when the
    /// algorithm is not known. Ed25519, Ed448 and ML-DSA bring a hash that is.
    pub fn is_sha256_or_stronger(&self) -> Option<bool> {
        match self {
            Self::Dsa => Some(false),
            Self::Ecdsa(hash) | Self::Rsa(hash) | Self::RsaPss(hash) => {
                hash.is_sha256_or_stronger()
            }
            Self::Ed25519 | Self::Ed448 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => {
                Some(true)
            }
            Self::Other(_) => None,
        }
    }

    /// Reads an `AlgorithmIdentifier`.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let (oid, parameters) = algorithm(der)?;
        if oid == RSASSA_PSS {
            let parameters = parameters.filter(|element| element.tag == SEQUENCE);
            let hash = pss_hash(parameters.map(|element| element.content))?;
            return Some(Self::RsaPss(hash));
        }
        let known = KNOWN.iter().find(|(known, _)| *known == oid);
        Some(known.map_or(Self::Other(oid), |(_, known)| known.clone()))
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dsa => f.write_str("DSA"),
            Self::Ecdsa(hash) => write!(f, "ECDSA with {hash}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::MlDsa44 => f.write_str("ML-DSA-44"),
            Self::MlDsa65 => f.write_str("ML-DSA-65"),
            Self::MlDsa87 => f.write_str("ML-DSA-87"),
            Self::Other(oid) => f.write_str(oid),
            Self::Rsa(hash) => write!(f, "RSA with {hash}"),
            Self::RsaPss(hash) => write!(f, "RSA-PSS with {hash}"),
        }
    }
}

impl HashAlgorithm {
    fn is_sha256_or_stronger(&self) -> Option<bool> {
        match self {
            Self::Md2 | Self::Md4 | Self::Md5 | Self::Sha1 | Self::Sha224 => Some(false),
            Self::Other(_) => None,
            Self::Sha256
            | Self::Sha384
            | Self::Sha512
            | Self::Sha512_256
            | Self::Sha3_256
            | Self::Sha3_384
            | Self::Sha3_512 => Some(true),
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md2 => "MD2",
            Self::Md4 => "MD4",
            Self::Md5 => "MD5",
            Self::Other(oid) => oid,
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_256 => "SHA-512/256",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_384 => "SHA3-384",
            Self::Sha3_512 => "SHA3-512",
        })
    }
}

const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

static KNOWN: [(&str, SignatureAlgorithm); 29] = {
    use HashAlgorithm::{Md2, Md4, Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
    use HashAlgorithm::{Sha3_256, Sha3_384, Sha3_512, Sha512_256};
    use SignatureAlgorithm::{Dsa, Ecdsa, Ed448, Ed25519, MlDsa44, MlDsa65, MlDsa87, Rsa};
    [
        ("1.2.840.113549.1.1.2", Rsa(Md2)),
        ("1.2.840.113549.1.1.3", Rsa(Md4)),
        ("1.2.840.113549.1.1.4", Rsa(Md5)),
        ("1.2.840.113549.1.1.5", Rsa(Sha1)),
        ("1.3.14.3.2.29", Rsa(Sha1)),
        ("1.2.840.113549.1.1.11", Rsa(Sha256)),
        ("1.2.840.113549.1.1.12", Rsa(Sha384)),
        ("1.2.840.113549.1.1.13", Rsa(Sha512)),
        ("1.2.840.113549.1.1.14", Rsa(Sha224)),
        ("1.2.840.113549.1.1.16", Rsa(Sha512_256)),
        ("2.16.840.1.101.3.4.3.14", Rsa(Sha3_256)),
        ("2.16.840.1.101.3.4.3.15", Rsa(Sha3_384)),
        ("2.16.840.1.101.3.4.3.16", Rsa(Sha3_512)),
        ("1.2.840.10045.4.1", Ecdsa(Sha1)),
        ("1.2.840.10045.4.3.1", Ecdsa(Sha224)),
        ("1.2.840.10045.4.3.2", Ecdsa(Sha256)),
        ("1.2.840.10045.4.3.3", Ecdsa(Sha384)),
        ("1.2.840.10045.4.3.4", Ecdsa(Sha512)),
        ("2.16.840.1.101.3.4.3.10", Ecdsa(Sha3_256)),
        ("2.16.840.1.101.3.4.3.11", Ecdsa(Sha3_384)),
        ("2.16.840.1.101.3.4.3.12", Ecdsa(Sha3_512)),
        ("1.2.840.10040.4.3", Dsa),
        ("2.16.840.1.101.3.4.3.1", Dsa),
        ("2.16.840.1.101.3.4.3.2", Dsa),
        ("1.3.101.112", Ed25519),
        ("1.3.101.113", Ed448),
        ("2.16.840.1.101.3.4.3.17", MlDsa44),
        ("2.16.840.1.101.3.4.3.18", MlDsa65),
        ("2.16.840.1.101.3.4.3.19", MlDsa87),
    ]
};

/// The hash in the content of `RSASSA-PSS-params` (RFC 4055, 3.1); SHA-1 where it is left out.
fn pss_hash(parameters: Option<&[u8]>) -> Option<HashAlgorithm> {
    let Some(hash) = Elements::of(parameters?).optional(EXPLICIT)? else {
        return Some(HashAlgorithm::Sha1);
    };
    let (oid, _) = algorithm(hash)?;
    let known = KNOWN_HASHES.iter().find(|(known, _)| *known == oid);
    Some(known.map_or(HashAlgorithm::Other(oid), |(_, known)| known.clone()))
}

static KNOWN_HASHES: [(&str, HashAlgorithm); 10] = {
    use HashAlgorithm::{Md5, Sha1, Sha3_256, Sha3_384, Sha3_512};
    use HashAlgorithm::{Sha224, Sha256, Sha384, Sha512, Sha512_256};
    [
        ("1.2.840.113549.2.5", Md5),
        ("1.3.14.3.2.26", Sha1),
        ("2.16.840.1.101.3.4.2.1", Sha256),
        ("2.16.840.1.101.3.4.2.2", Sha384),
        ("2.16.840.1.101.3.4.2.3", Sha512),
        ("2.16.840.1.101.3.4.2.4", Sha224),
        ("2.16.840.1.101.3.4.2.6", Sha512_256),
        ("2.16.840.1.101.3.4.2.8", Sha3_256),
        ("2.16.840.1.101.3.4.2.9", Sha3_384),
        ("2.16.840.1.101.3.4.2.10", Sha3_512),
    ]
};
