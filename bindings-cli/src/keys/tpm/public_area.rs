//! What a TPM tells of a key (`TPMT_PUBLIC`).

use rolesanywhere_core::{
    Error, ErrorKind, KeyAlgorithm, PublicKey, Result, signers::rustcrypto::HashAlgorithm,
};

use super::wire::{Command, Reader, algorithm, padded};
use crate::keys::public_key::{self, P256, P384, P521};

/// The exponent that a TPM means by zero.
const DEFAULT_EXPONENT: u32 = 65_537;

const ATTRIBUTE_RESTRICTED: u32 = 1 << 16;
const ATTRIBUTE_SIGN: u32 = 1 << 18;

/// The public half of a key, and what the key may be used for.
pub(super) struct PublicArea {
    pub(super) key: PublicKey,
    attributes: u32,
    /// The scheme that the key is bound to, if it is.
    scheme: Option<Scheme>,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) algorithm: u16,
    pub(super) hash: u16,
}

impl PublicArea {
    /// Reads a `TPMT_PUBLIC`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when it is none; [`ErrorKind::Unsupported`] naming a kind of key
    /// that the service does not take.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u16()?;
        reader.u16()?; // the hash function of the key's name
        let attributes = reader.u32()?;
        reader.sized()?; // the policy that may be used instead of a password
        if reader.u16()? != algorithm::NULL {
            reader.u32()?; // a parent's cipher: length of the key and mode
        }
        let scheme = match reader.u16()? {
            algorithm::NULL => None,
            algorithm @ algorithm::RSAES => Some(Scheme { algorithm, hash: 0 }),
            algorithm => {
                let hash = reader.u16()?;
                if algorithm == algorithm::ECDAA {
                    reader.u16()?;
                }
                Some(Scheme { algorithm, hash })
            }
        };
        let key = match kind {
            algorithm::RSA => {
                reader.u16()?; // the length of the modulus, which tells it itself
                let exponent = match reader.u32()? {
                    0 => DEFAULT_EXPONENT,
                    exponent => exponent,
                };
                public_key::rsa(reader.sized()?, &exponent.to_be_bytes())?
            }
            algorithm::ECC => {
                let (curve, length) = match reader.u16()? {
                    3 => (P256, 32),
                    4 => (P384, 48),
                    5 => (P521, 66),
                    other => {
                        return Err(Error::new(
                            ErrorKind::Unsupported,
                            format!(
                                "the TPM's curve {other:#x} is not taken by the service: use P-256, P-384 or P-521"
                            ),
                        ));
                    }
                };
                if reader.u16()? != algorithm::NULL {
                    reader.u16()?; // a derivation's hash function
                }
                let mut point = vec![4];
                for _ in 0..2 {
                    point.extend_from_slice(&padded(reader.sized()?, length)?);
                }
                public_key::ec(curve, &point)?
            }
            other => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "the TPM's key is of type {other:#06x}, neither RSA nor ECC: use another key"
                    ),
                ));
            }
        };
        Ok(Self {
            key,
            attributes,
            scheme,
        })
    }

    /// Checks that the key may sign what this program hashes.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] saying what the key is for instead.
    pub(super) fn check_signs(&self) -> Result<()> {
        let why = if self.attributes & ATTRIBUTE_SIGN == 0 {
            "is not made for signing: make one with the attribute `sign`"
        } else if self.attributes & ATTRIBUTE_RESTRICTED != 0 {
            "is restricted to what the TPM says itself: make one without the attribute `restricted`"
        } else {
            return self.scheme_under(HashAlgorithm::Sha256).map(|_| ());
        };
        Err(Error::new(ErrorKind::Unsupported, format!("the key {why}")))
    }

    /// The scheme for a signature under this hash function.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the key is bound to another.
    pub(super) fn scheme_under(&self, hash: HashAlgorithm) -> Result<Scheme> {
        let wanted = Scheme {
            algorithm: match self.key.algorithm() {
                KeyAlgorithm::Rsa { .. } => algorithm::RSASSA,
                _ => algorithm::ECDSA,
            },
            hash: match hash {
                HashAlgorithm::Sha256 => algorithm::SHA256,
                HashAlgorithm::Sha384 => algorithm::SHA384,
                HashAlgorithm::Sha512 => algorithm::SHA512,
            },
        };
        match self.scheme {
            Some(bound) if bound != wanted => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the key is bound to {}, and {} is wanted: make one without a scheme",
                    bound.name(),
                    wanted.name()
                ),
            )),
            _ => Ok(wanted),
        }
    }

    /// The length of a coordinate of the curve, and of either half of a signature.
    pub(super) fn coordinate_length(&self) -> usize {
        self.key.as_bytes().len() / 2
    }
}

impl Scheme {
    fn name(self) -> String {
        let scheme = match self.algorithm {
            algorithm::RSASSA => "RSASSA",
            algorithm::RSAPSS => "RSAPSS",
            algorithm::RSAES => "RSAES",
            algorithm::ECDSA => "ECDSA",
            _ => "another scheme",
        };
        let hash = match self.hash {
            algorithm::SHA256 => "SHA-256",
            algorithm::SHA384 => "SHA-384",
            algorithm::SHA512 => "SHA-512",
            _ => "another hash function",
        };
        format!("{scheme} under {hash}")
    }
}

/// The template of a storage key under a hierarchy, by which tools make the same parent each time:
/// ECC P-256, or RSA-2048, with AES-128 in CFB mode ("TCG TPM v2.0 Provisioning Guidance", 7.5.1).
pub(super) fn storage_template(rsa: bool) -> Vec<u8> {
    /// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt.
    const ATTRIBUTES: u32 = 0x0003_0472;
    let mut area = Command::new(0, &[], None);
    area.u16(if rsa { algorithm::RSA } else { algorithm::ECC });
    area.u16(algorithm::SHA256);
    area.u32(ATTRIBUTES);
    area.sized(&[]);
    area.u16(algorithm::AES);
    area.u16(128);
    area.u16(algorithm::CFB);
    area.u16(algorithm::NULL);
    if rsa {
        area.u16(2048);
        area.u32(0);
        area.sized(&[]);
    } else {
        area.u16(3);
        area.u16(algorithm::NULL);
        area.sized(&[]);
        area.sized(&[]);
    }
    area.into_body()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_refused() {
        // An ECC key on P-256 as a TPM tells it; the point is the generator (SEC 2, 2.4.2).
        let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
        let text = format!("0023000b0004007200000010001000030010 0020{x} 0020{y}");
        let bytes: Vec<u8> = {
            let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
            let pairs = digits
                .chunks(2)
                .map(|pair| std::str::from_utf8(pair).unwrap());
            pairs
                .map(|pair| u8::from_str_radix(pair, 16).unwrap())
                .collect()
        };
        let area = PublicArea::read(&bytes).unwrap();
        assert_eq!(area.key.algorithm(), KeyAlgorithm::EcP256);
        assert_eq!(area.coordinate_length(), 32);
        area.check_signs().unwrap();
        let bound = area.scheme_under(HashAlgorithm::Sha384).unwrap();
        assert_eq!((bound.algorithm, bound.hash), (0x18, 0x0C));
        for length in 0..bytes.len() {
            assert!(PublicArea::read(&bytes[..length]).is_err(), "{length}");
        }
        // Without `sign`, with `restricted`, bound to SHA-384.
        for (at, byte, part) in [(5, 0, "not made for signing"), (5, 5, "restricted")] {
            let mut other = bytes.clone();
            other[at] = byte;
            let error = PublicArea::read(&other).unwrap().check_signs().unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
        let mut other = bytes.clone();
        other.splice(12..14, [0, 0x18, 0, 0x0C]);
        let error = PublicArea::read(&other).unwrap().check_signs().unwrap_err();
        assert!(
            error.message().contains("bound to ECDSA under SHA-384"),
            "{error}"
        );
    }

    #[test]
    fn numbers_get_their_length() {
        assert_eq!(padded(&[1, 2], 4).unwrap(), [0, 0, 1, 2]);
        assert_eq!(padded(&[0, 0, 0, 1, 2], 4).unwrap(), [0, 0, 1, 2]);
        assert!(padded(&[1, 2, 3, 4, 5], 4).is_err());
    }
}
