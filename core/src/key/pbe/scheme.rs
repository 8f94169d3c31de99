//! Encryption schemes, by object identifier.

use alloc::{vec, vec::Vec};

use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

use super::{
    Budget, Cipher, Hash, Kdf, Password, Purpose,
    kdf::{Pbkdf1Hash, pbkdf1},
    pkcs12_kdf, unknown, unsupported,
};
use crate::{
    Result,
    elements::{AlgorithmIdentifier, OCTET_STRING},
    key::malformed,
};

/// A password-based encryption scheme with its parameters: all that is needed but the password.
#[derive(Debug)]
pub(in crate::key) struct Scheme<'a> {
    cipher: Cipher,
    derivation: Derivation<'a>,
}

/// How key and IV come about.
#[derive(Debug)]
enum Derivation<'a> {
    /// PBKDF1 gives both.
    Pbes1 {
        hash: Pbkdf1Hash,
        parameters: SaltAndIterations<'a>,
    },
    /// A named function gives the key; the IV is a parameter of the cipher.
    Pbes2 { kdf: Kdf<'a>, iv: &'a [u8] },
    /// The derivation of PKCS#12 with SHA-1 gives both.
    Pkcs12(SaltAndIterations<'a>),
}

#[derive(Debug)]
struct SaltAndIterations<'a> {
    salt: &'a [u8],
    iterations: u64,
}

impl<'a> Scheme<'a> {
    /// Reads a scheme.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported), naming the scheme or its OID.
    pub(in crate::key) fn parse(algorithm: &AlgorithmIdentifier<'a>) -> Result<Self> {
        if algorithm.oid == PBES2.as_bytes() {
            return Self::pbes2(algorithm);
        }
        let Some(named) = SCHEMES
            .iter()
            .find(|named| named.oid.as_bytes() == algorithm.oid)
        else {
            return Err(unknown("scheme", algorithm.oid));
        };
        let Some((cipher, kind)) = named.parts else {
            return Err(unsupported(named.name));
        };
        let parameters = SaltAndIterations::parse(algorithm)?;
        Ok(Self {
            cipher,
            derivation: match kind {
                Kind::Pbes1(hash) => Derivation::Pbes1 { hash, parameters },
                Kind::Pkcs12 => Derivation::Pkcs12(parameters),
            },
        })
    }

    /// `PBES2-params` (RFC 8018, A.4).
    fn pbes2(algorithm: &AlgorithmIdentifier<'a>) -> Result<Self> {
        let unreadable = || malformed("the parameters of PBES2 cannot be read");
        let fields = || {
            let mut fields = algorithm.sequence()?;
            let algorithms = (fields.algorithm()?, fields.algorithm()?);
            fields.finish()?;
            Some(algorithms)
        };
        let (kdf, cipher) = fields().ok_or_else(unreadable)?;
        let kdf = Kdf::parse(&kdf)?;
        let (cipher, iv) = if cipher.oid == RC2_CBC.as_bytes() {
            rc2_cbc(&cipher)?
        } else {
            let iv = cipher.parameters.filter(|iv| iv.tag == OCTET_STRING);
            let cipher = Cipher::identify(cipher.oid)?;
            (cipher, iv.ok_or_else(unreadable)?.content)
        };
        Ok(Self {
            cipher,
            derivation: Derivation::Pbes2 { kdf, iv },
        })
    }

    /// Derives the key and decrypts; `None` when the padding shows that the password is wrong.
    ///
    /// # Errors
    /// When the file asks for too much work, or cannot be what the scheme has made.
    pub(in crate::key) fn decrypt(
        &self,
        password: &Password,
        ciphertext: &[u8],
        budget: &mut Budget,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let cipher = self.cipher;
        let mut key = Zeroizing::new(vec![0; cipher.key_length()]);
        match &self.derivation {
            Derivation::Pbes1 { hash, parameters } => {
                let SaltAndIterations { salt, iterations } = *parameters;
                let derived = pbkdf1(*hash, password.as_bytes(), salt, iterations, budget)?;
                let (key, iv) = derived.split_at(cipher.key_length());
                cipher.decrypt(key, iv, ciphertext)
            }
            Derivation::Pbes2 { kdf, iv } => {
                kdf.derive(password.as_bytes(), &mut key, budget)?;
                cipher.decrypt(&key, iv, ciphertext)
            }
            Derivation::Pkcs12(SaltAndIterations { salt, iterations }) => {
                let mut iv = vec![0; cipher.block_length()];
                for (purpose, output) in [
                    (Purpose::Key, &mut *key),
                    (Purpose::InitializationVector, &mut iv),
                ] {
                    let password = password.as_bmp();
                    pkcs12_kdf(
                        Hash::Sha1,
                        purpose,
                        password,
                        salt,
                        *iterations,
                        output,
                        budget,
                    )?;
                }
                cipher.decrypt(&key, &iv, ciphertext)
            }
        }
    }
}

/// `RC2-CBC-Parameter` (RFC 8018, B.2.3): a number that stands for the effective length of the key, and the
/// IV. Of the lengths these are in use, each with a key of that length.
fn rc2_cbc<'a>(algorithm: &AlgorithmIdentifier<'a>) -> Result<(Cipher, &'a [u8])> {
    let fields = || {
        let mut fields = algorithm.sequence()?;
        let version = fields.optional_number()?;
        Some((version, fields.only(OCTET_STRING)?))
    };
    let (version, iv) =
        fields().ok_or_else(|| malformed("the parameters of RC2-CBC cannot be read"))?;
    let cipher = match version {
        Some(160) => RC2_40,
        Some(120) => RC2_64,
        Some(58) => RC2_128,
        _ => {
            return Err(unsupported(
                "RC2-CBC with a key of an unusual effective length",
            ));
        }
    };
    Ok((cipher, iv))
}

impl<'a> SaltAndIterations<'a> {
    /// `PBEParameter` (RFC 8018, A.3) and `pkcs-12PbeParams` (RFC 7292, C).
    fn parse(algorithm: &AlgorithmIdentifier<'a>) -> Result<Self> {
        let fields = || {
            let mut fields = algorithm.sequence()?;
            let salt = fields.expect(OCTET_STRING)?;
            let iterations = fields.number()?;
            fields.finish()?;
            Some(Self { salt, iterations })
        };
        fields().ok_or_else(|| malformed("the salt and iteration count cannot be read"))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Pbes1(Pbkdf1Hash),
    Pkcs12,
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");
const RC2_CBC: ObjectIdentifier = oid("1.2.840.113549.3.2");

/// A scheme that names key derivation and cipher in one OID.
struct Named {
    oid: ObjectIdentifier,
    name: &'static str,
    /// `None` when the scheme is not read.
    parts: Option<(Cipher, Kind)>,
}

const fn named(text: &str, name: &'static str, parts: Option<(Cipher, Kind)>) -> Named {
    Named {
        oid: oid(text),
        name,
        parts,
    }
}

const fn pbes1(cipher: Cipher, hash: Pbkdf1Hash) -> Option<(Cipher, Kind)> {
    Some((cipher, Kind::Pbes1(hash)))
}

const fn pkcs12(cipher: Cipher) -> Option<(Cipher, Kind)> {
    Some((cipher, Kind::Pkcs12))
}

const RC2_40: Cipher = Cipher::Rc2 { key_length: 5 };
const RC2_64: Cipher = Cipher::Rc2 { key_length: 8 };
const RC2_128: Cipher = Cipher::Rc2 { key_length: 16 };

#[rustfmt::skip] // a table
const SCHEMES: &[Named] = &[
    named("1.2.840.113549.1.5.1", "PBES1 with MD2 and DES", None),
    named("1.2.840.113549.1.5.3", "PBES1 with MD5 and DES", pbes1(Cipher::Des, Pbkdf1Hash::Md5)),
    named("1.2.840.113549.1.5.4", "PBES1 with MD2 and RC2", None),
    named("1.2.840.113549.1.5.6", "PBES1 with MD5 and RC2", pbes1(RC2_64, Pbkdf1Hash::Md5)),
    named("1.2.840.113549.1.5.10", "PBES1 with SHA-1 and DES", pbes1(Cipher::Des, Pbkdf1Hash::Sha1)),
    named("1.2.840.113549.1.5.11", "PBES1 with SHA-1 and RC2", pbes1(RC2_64, Pbkdf1Hash::Sha1)),
    named("1.2.840.113549.1.12.1.1", "PKCS#12's RC4-128", None),
    named("1.2.840.113549.1.12.1.2", "PKCS#12's RC4-40", None),
    named("1.2.840.113549.1.12.1.3", "PKCS#12's 3DES", pkcs12(Cipher::TripleDes)),
    named("1.2.840.113549.1.12.1.4", "PKCS#12's 3DES of two keys", pkcs12(Cipher::TripleDesTwoKeys)),
    named("1.2.840.113549.1.12.1.5", "PKCS#12's RC2-128", pkcs12(RC2_128)),
    named("1.2.840.113549.1.12.1.6", "PKCS#12's RC2-40", pkcs12(RC2_40)),
];
