//! The ciphers, all in CBC mode with the padding of RFC 8018 (6.1.1).

use alloc::vec::Vec;

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7},
};
use const_oid::ObjectIdentifier;
use des::TdesEde3;
use rc2::Rc2;
use zeroize::{Zeroizing, zeroize_stack};

use super::{unknown, unsupported};
use crate::{Result, key::malformed};

/// A block cipher in CBC mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::key) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    /// RC2 whose effective length is that of its key: 5, 8 or 16 bytes.
    Rc2 {
        key_length: usize,
    },
    TripleDes,
    /// 3DES whose first and third key are one.
    TripleDesTwoKeys,
}

impl Cipher {
    /// Reads the OID of a cipher whose only parameter is the IV.
    pub(super) fn identify(oid: &[u8]) -> Result<Self> {
        let known = CIPHERS.iter().find(|(known, _)| known.as_bytes() == oid);
        if let Some((_, cipher)) = known {
            return Ok(*cipher);
        }
        Err(
            match NOT_READ.iter().find(|(known, _)| known.as_bytes() == oid) {
                Some((_, name)) => unsupported(name),
                None => unknown("cipher", oid),
            },
        )
    }

    /// Reads the name that OpenSSL gives a cipher in `DEK-Info`.
    pub(in crate::key) fn from_dek_info(name: &str) -> Option<Self> {
        match name {
            "AES-128-CBC" => Some(Self::Aes128),
            "AES-192-CBC" => Some(Self::Aes192),
            "AES-256-CBC" => Some(Self::Aes256),
            "DES-CBC" => Some(Self::Des),
            "DES-EDE3-CBC" => Some(Self::TripleDes),
            _ => None,
        }
    }

    /// The length of a key, in bytes.
    pub(in crate::key) const fn key_length(self) -> usize {
        match self {
            Self::Aes128 | Self::TripleDesTwoKeys => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Des => 8,
            Self::Rc2 { key_length } => key_length,
        }
    }

    /// The length of a block and of an IV, in bytes.
    pub(in crate::key) const fn block_length(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::Des | Self::Rc2 { .. } | Self::TripleDes | Self::TripleDesTwoKeys => 8,
        }
    }

    /// Decrypts and takes the padding off; `None` when there is none, as after a wrong password.
    ///
    /// # Errors
    /// When the ciphertext is not whole blocks, or the IV not one.
    pub(in crate::key) fn decrypt(
        self,
        key: &[u8],
        iv: &[u8],
        ciphertext: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let block = self.block_length();
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(block) || iv.len() != block {
            return Err(malformed(
                "the encrypted part or its IV is not of a length that the cipher makes",
            ));
        }
        let plaintext = match self {
            Self::Aes128 => decrypt::<Aes128>(key, iv, ciphertext),
            Self::Aes192 => decrypt::<Aes192>(key, iv, ciphertext),
            Self::Aes256 => decrypt::<Aes256>(key, iv, ciphertext),
            // DES is 3DES with the same key three times; the third of two keys is the first.
            Self::Des => {
                let keys = Zeroizing::new([key; 3].concat());
                decrypt::<TdesEde3>(&keys, iv, ciphertext)
            }
            Self::Rc2 { .. } => decrypt::<Rc2>(key, iv, ciphertext),
            Self::TripleDes => decrypt::<TdesEde3>(key, iv, ciphertext),
            Self::TripleDesTwoKeys => {
                let first = key.get(..8).unwrap_or_default();
                let keys = Zeroizing::new([key, first].concat());
                decrypt::<TdesEde3>(&keys, iv, ciphertext)
            }
        };
        zeroize_stack::<CIPHER_STACK>();
        Ok(plaintext)
    }
}

/// How much of the stack is wiped after a decryption, in bytes: 16 KiB. The ciphers copy several blocks at a time
/// to the stack, the plaintext of a key among them; unoptimised, their frames take some kilobytes.
const CIPHER_STACK: usize = 16 << 10;

// Never inlined: what it leaves on the stack lies below its caller, who wipes it.
#[inline(never)]
fn decrypt<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = Decryptor::<C>::new_from_slices(key, iv)
        .ok()?
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .ok()?
        .len();
    buffer.truncate(length);
    Some(buffer)
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const CIPHERS: &[(ObjectIdentifier, Cipher)] = &[
    (oid("2.16.840.1.101.3.4.1.2"), Cipher::Aes128),
    (oid("2.16.840.1.101.3.4.1.22"), Cipher::Aes192),
    (oid("2.16.840.1.101.3.4.1.42"), Cipher::Aes256),
    (oid("1.3.14.3.2.7"), Cipher::Des),
    (oid("1.2.840.113549.3.7"), Cipher::TripleDes),
];

/// Ciphers that some tools offer and hardly any file has.
const NOT_READ: &[(ObjectIdentifier, &str)] = &[
    (oid("1.2.156.10197.1.104.2"), "SM4-CBC"),
    (oid("1.2.392.200011.61.1.1.1.2"), "Camellia-128-CBC"),
    (oid("1.2.392.200011.61.1.1.1.3"), "Camellia-192-CBC"),
    (oid("1.2.392.200011.61.1.1.1.4"), "Camellia-256-CBC"),
    (oid("1.2.410.200046.1.1.12"), "ARIA-256-CBC"),
    (oid("1.2.410.200046.1.1.2"), "ARIA-128-CBC"),
    (oid("1.2.840.113549.3.9"), "RC5-CBC"),
    (oid("2.16.840.1.101.3.4.1.26"), "AES-192-GCM"),
    (oid("2.16.840.1.101.3.4.1.46"), "AES-256-GCM"),
    (oid("2.16.840.1.101.3.4.1.6"), "AES-128-GCM"),
];
