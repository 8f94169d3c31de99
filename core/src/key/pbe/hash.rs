//! The hashes of key derivations and MACs.

use const_oid::ObjectIdentifier;
use hmac::{EagerHash, Hmac, KeyInit, Mac};

/// Runs `$body` with `$D` as the type of the hash.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $body:expr) => {
        match $hash {
            $crate::key::pbe::Hash::Sha1 => {
                type $D = sha1::Sha1;
                $body
            }
            $crate::key::pbe::Hash::Sha224 => {
                type $D = sha2::Sha224;
                $body
            }
            $crate::key::pbe::Hash::Sha256 => {
                type $D = sha2::Sha256;
                $body
            }
            $crate::key::pbe::Hash::Sha384 => {
                type $D = sha2::Sha384;
                $body
            }
            $crate::key::pbe::Hash::Sha512 => {
                type $D = sha2::Sha512;
                $body
            }
            $crate::key::pbe::Hash::Sha512_224 => {
                type $D = sha2::Sha512_224;
                $body
            }
            $crate::key::pbe::Hash::Sha512_256 => {
                type $D = sha2::Sha512_256;
                $body
            }
        }
    };
}
pub(super) use with_hash;

/// A hash of the SHA-1 and SHA-2 families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::key) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

impl Hash {
    /// Reads the OID of a digest (RFC 8017, appendix B.1).
    pub(in crate::key) fn from_digest(oid: &[u8]) -> Option<Self> {
        let found = DIGESTS.iter().find(|(digest, _)| digest.as_bytes() == oid);
        found.map(|(_, hash)| *hash)
    }

    /// Reads the OID of an HMAC (RFC 8018, appendix B.1.2).
    pub(in crate::key) fn from_hmac(oid: &[u8]) -> Option<Self> {
        let found = HMACS.iter().find(|(hmac, _)| hmac.as_bytes() == oid);
        found.map(|(_, hash)| *hash)
    }

    /// The length of a digest, in bytes.
    pub(in crate::key) const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The length of a block that the hash works on, in bytes.
    pub(super) const fn block_length(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512_224 | Self::Sha512_256 => 128,
        }
    }

    /// Whether `tag` is the HMAC of `message`, compared in constant time.
    pub(in crate::key) fn verify_hmac(self, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
        fn verify<D: EagerHash>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
            // A key of any length is taken.
            Hmac::<D>::new_from_slice(key)
                .is_ok_and(|hmac| hmac.chain_update(message).verify_slice(tag).is_ok())
        }
        with_hash!(self, D => verify::<D>(key, message, tag))
    }
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const DIGESTS: &[(ObjectIdentifier, Hash)] = &[
    (oid("1.3.14.3.2.26"), Hash::Sha1),
    (oid("2.16.840.1.101.3.4.2.1"), Hash::Sha256),
    (oid("2.16.840.1.101.3.4.2.2"), Hash::Sha384),
    (oid("2.16.840.1.101.3.4.2.3"), Hash::Sha512),
    (oid("2.16.840.1.101.3.4.2.4"), Hash::Sha224),
    (oid("2.16.840.1.101.3.4.2.5"), Hash::Sha512_224),
    (oid("2.16.840.1.101.3.4.2.6"), Hash::Sha512_256),
];

const HMACS: &[(ObjectIdentifier, Hash)] = &[
    (oid("1.2.840.113549.2.7"), Hash::Sha1),
    (oid("1.2.840.113549.2.8"), Hash::Sha224),
    (oid("1.2.840.113549.2.9"), Hash::Sha256),
    (oid("1.2.840.113549.2.10"), Hash::Sha384),
    (oid("1.2.840.113549.2.11"), Hash::Sha512),
    (oid("1.2.840.113549.2.12"), Hash::Sha512_224),
    (oid("1.2.840.113549.2.13"), Hash::Sha512_256),
];
