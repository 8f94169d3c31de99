//! A password in the encodings that the schemes want.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// A password: its bytes for PBES1 and PBES2, its `BMPString` for the schemes of PKCS#12. Wiped when
/// dropped.
pub(in crate::key) struct Password {
    bytes: Zeroizing<Vec<u8>>,
    bmp: Zeroizing<Vec<u8>>,
}

impl Password {
    /// A password in UTF-8. Bytes that are none are taken for ISO 8859-1, as OpenSSL does.
    pub(in crate::key) fn new(password: &[u8]) -> Self {
        match core::str::from_utf8(password) {
            Ok(text) => Self::from_units(password, text.encode_utf16()),
            Err(_) => Self::byte_by_byte(password),
        }
    }

    /// Every byte as a character of its own: what OpenSSL before 1.1.0 made of UTF-8.
    fn byte_by_byte(password: &[u8]) -> Self {
        Self::from_units(password, password.iter().map(|byte| u16::from(*byte)))
    }

    fn from_units(password: &[u8], units: impl Iterator<Item = u16>) -> Self {
        // The terminator is part of the string (RFC 7292, B.1). One byte makes two at most.
        let mut bmp = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
        for unit in units.chain([0]) {
            bmp.extend_from_slice(&unit.to_be_bytes());
        }
        Self {
            bytes: Zeroizing::new(password.to_vec()),
            bmp,
        }
    }

    /// What a user's password may mean, the likely first: in UTF-8 as it was given, and in Latin-1, which
    /// node-forge and pkijs encrypt with.
    pub(in crate::key) fn encodings(password: &[u8]) -> Vec<Self> {
        let mut candidates = Vec::from([Self::new(password)]);
        if !password.is_ascii()
            && let Ok(text) = core::str::from_utf8(password)
        {
            candidates.extend(Self::latin_1(text));
        }
        candidates
    }

    /// What a user's password may mean in PKCS#12, the likely first. The empty one, which no
    /// password is too, is written with its terminator by some and as nothing by others.
    pub(in crate::key) fn candidates(password: &[u8]) -> Vec<Self> {
        let mut candidates = Self::encodings(password);
        if password.is_empty() {
            candidates.push(Self {
                bytes: Zeroizing::default(),
                bmp: Zeroizing::default(),
            });
        } else if !password.is_ascii() && core::str::from_utf8(password).is_ok() {
            candidates.push(Self::byte_by_byte(password));
        }
        candidates
    }

    /// One byte for each character, for PBES1, PBES2 and PBMAC1; `None` where a character has no such.
    fn latin_1(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        for character in text.chars() {
            bytes.push(u8::try_from(character).ok()?);
        }
        Some(Self::from_units(&bytes, text.encode_utf16()))
    }

    pub(in crate::key) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// UTF-16, big endian, with its terminator.
    pub(in crate::key) fn as_bmp(&self) -> &[u8] {
        &self.bmp
    }
}
