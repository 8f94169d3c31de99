//! Numbers that have no greatest: the arcs of object identifiers, and serial numbers.
//!
//! `const-oid` holds an arc in 32 bits and an identifier in 39 bytes; `2.25.UUID` and private arcs
//! in the field are longer.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

/// The longest object identifier that is read, in bytes of content. The longest in use (Microsoft's
/// certificate templates, `2.25.UUID`) have about 30.
const MAX_OID_LENGTH: usize = 128;

/// The dotted form of the content of an OBJECT IDENTIFIER; `None` when it is none.
pub(crate) fn dotted(content: &[u8]) -> Option<String> {
    const MORE: u8 = 0x80;
    let ended = content.last().is_some_and(|last| last & MORE == 0);
    if !ended || content.len() > MAX_OID_LENGTH {
        return None;
    }
    let mut text = String::with_capacity(3 * content.len());
    for group in content.split_inclusive(|byte| byte & MORE == 0) {
        if group.first() == Some(&MORE) {
            return None; // a leading zero digit: X.690, 8.19.2, forbids it
        }
        let mut digits = group.iter().map(|byte| byte & !MORE);
        // Nine digits of seven bits fit into 64 bits.
        let arc = (group.len() <= 9).then(|| {
            digits
                .clone()
                .fold(0u64, |arc, digit| arc << 7 | u64::from(digit))
        });
        // Writing into a `String` does not fail.
        let _ = match arc {
            // The first two arcs share a number, 40 × first + second; the first is at most 2.
            Some(shared) if text.is_empty() => {
                let first = (shared / 40).min(2);
                write!(text, "{first}.{}", shared - 40 * first)
            }
            None if text.is_empty() => return None, // nobody registers such
            Some(arc) => write!(text, ".{arc}"),
            None => write!(text, ".{}", decimal(&mut digits, 128)),
        };
    }
    Some(text)
}

/// The decimal form of a number, given its digits in `base`, the most significant first; `0` when
/// there is none.
pub(crate) fn decimal(digits: impl Iterator<Item = u8>, base: u64) -> String {
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = Vec::new(); // the least significant first
    for digit in digits {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            let value = *limb * base + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut text = format!("{}", limbs.pop().unwrap_or(0));
    for limb in limbs.iter().rev() {
        // Writing into a `String` does not fail.
        let _ = write!(text, "{limb:09}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal_of(bytes: &[u8]) -> String {
        decimal(bytes.iter().copied(), 256)
    }

    #[test]
    fn decimals_are_those_of_u128_and_beyond() {
        for number in [
            0u128,
            1,
            255,
            256,
            999_999_999,
            1_000_000_000,
            1 << 64,
            u128::MAX,
        ] {
            assert_eq!(decimal_of(&number.to_be_bytes()), format!("{number}"));
        }
        // `python3 -c 'print(2**160 - 1)'`
        assert_eq!(
            decimal_of(&[0xff; 20]),
            "1461501637330902918203684832716283019655932542975"
        );
        assert_eq!(decimal_of(&[]), "0");
    }

    #[test]
    fn object_identifiers_are_those_of_openssl() {
        // As `openssl asn1parse -genstr OID:…` encodes them.
        for (content, text) in [
            ("550403", "2.5.4.3"),
            ("27", "0.39"),
            ("883703", "2.999.3"),
            (
                "2b0601040182371508908080800005",
                "1.3.6.1.4.1.311.21.8.4294967296.5",
            ),
            (
                "6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776",
                "2.25.329800735698586629295641978511506172918",
            ),
        ] {
            let content = crate::encoding::from_hex(content).unwrap();
            assert_eq!(dotted(&content).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_object_identifier_is_none() {
        for content in [&[][..], &[0x80, 1], &[0x55, 0x80, 1], &[0x55, 0x81]] {
            assert_eq!(dotted(content), None, "{content:?}");
        }
        assert!(dotted(&[1; MAX_OID_LENGTH]).is_some());
        assert_eq!(dotted(&[1; MAX_OID_LENGTH + 1]), None);
    }
}
