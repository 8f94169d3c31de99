//! The elements of DER, side by side.
//!
//! `der` reads each length. What is built of elements is read here with one reader for all structures:
//! the readers that `der` derives are made anew for each, with errors that nobody is told, which was
//! a tenth of a wasm module that does not sign; and what has one meaning but is not known to `der`
//! (UniversalString, a time before 1970) needs no way around it.

use alloc::vec::Vec;

use der::{Decode, Length, Reader, SliceReader};
use zeroize::Zeroizing;

/// BOOLEAN.
pub(crate) const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// NULL, all of it.
pub(crate) const NULL: [u8; 2] = [5, 0];
/// OBJECT IDENTIFIER.
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
/// SEQUENCE and SEQUENCE OF.
pub(crate) const SEQUENCE: u8 = 0x30;
/// SET and SET OF.
pub(crate) const SET: u8 = 0x31;
/// `[0]` around an element; `[1]` is one more.
pub(crate) const EXPLICIT: u8 = 0xa0;
/// `[0]` in the place of a primitive tag; `[1]` is one more.
pub(crate) const IMPLICIT: u8 = 0x80;

/// Elements that stand side by side, of which the first are read.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    /// The identifier octet: class, constructed or not, number.
    pub(crate) tag: u8,
    /// What stands after the length.
    pub(crate) content: &'a [u8],
    /// All of it.
    pub(crate) der: &'a [u8],
}

/// An algorithm and its parameters.
#[derive(Clone, Copy)]
pub(crate) struct AlgorithmIdentifier<'a> {
    /// The content of its object identifier.
    pub(crate) oid: &'a [u8],
    pub(crate) parameters: Option<Element<'a>>,
}

impl<'a> AlgorithmIdentifier<'a> {
    /// The parameters where they are a SEQUENCE.
    pub(crate) fn sequence(&self) -> Option<Elements<'a>> {
        let parameters = self.parameters?;
        (parameters.tag == SEQUENCE).then_some(Elements::of(parameters.content))
    }
}

impl<'a> Elements<'a> {
    /// The elements that fill `content`.
    pub(crate) fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The elements within the one element that `der` is, which has that tag.
    pub(crate) fn within(der: &'a [u8], tag: u8) -> Option<Self> {
        Some(Self::of(Self::of(der).only(tag)?))
    }

    /// Reads the next element. `None` when there is none or its header is not DER: a length that is
    /// indefinite, not the shortest, or longer than what is there. Tags of several bytes are no structure's
    /// here and are refused too.
    pub(crate) fn element(&mut self) -> Option<Element<'a>> {
        const MANY_BYTES: u8 = 0x1f;
        let all = self.0;
        let mut reader = SliceReader::new(all).ok()?;
        let tag = reader.read_byte().ok()?;
        if tag & MANY_BYTES == MANY_BYTES {
            return None;
        }
        let length = usize::try_from(Length::decode(&mut reader).ok()?).ok()?;
        let header = usize::try_from(reader.position()).ok()?;
        let (der, rest) = all.split_at_checked(header.checked_add(length)?)?;
        self.0 = rest;
        Some(Element {
            tag,
            content: der.get(header..)?,
            der,
        })
    }

    /// The content of the next element, which has that tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let element = self.element()?;
        (element.tag == tag).then_some(element.content)
    }

    /// The content of the next element where it has that tag; nothing is read otherwise.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.0.first() == Some(&tag) {
            self.expect(tag).map(Some)
        } else {
            Some(None)
        }
    }

    /// The content of the next element, which has that tag and nothing behind it.
    pub(crate) fn only(mut self, tag: u8) -> Option<&'a [u8]> {
        let content = self.expect(tag)?;
        self.finish()?;
        Some(content)
    }

    /// The next element, an INTEGER that is not negative: its digits, without the sign's octet.
    pub(crate) fn natural(&mut self) -> Option<&'a [u8]> {
        match self.expect(INTEGER)? {
            [0] => Some(&[0]),
            [0, digits @ ..] if digits.first()? & 0x80 != 0 => Some(digits),
            digits if *digits.first()? != 0 && digits.first()? & 0x80 == 0 => Some(digits),
            _ => None,
        }
    }

    /// The next element, an INTEGER that is not negative and fits.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let digits = self.natural()?;
        (digits.len() <= 8).then(|| {
            digits
                .iter()
                .fold(0, |number, digit| number << 8 | u64::from(*digit))
        })
    }

    /// [`number`](Self::number) where the next element is an INTEGER; nothing is read otherwise.
    pub(crate) fn optional_number(&mut self) -> Option<Option<u64>> {
        if self.0.first() == Some(&INTEGER) {
            self.number().map(Some)
        } else {
            Some(None)
        }
    }

    /// The next element, an `AlgorithmIdentifier` (RFC 5280, 4.1.1.2).
    pub(crate) fn algorithm(&mut self) -> Option<AlgorithmIdentifier<'a>> {
        let mut fields = Self::of(self.expect(SEQUENCE)?);
        let oid = fields.expect(OBJECT_IDENTIFIER)?;
        let parameters = if fields.is_finished() {
            None
        } else {
            Some(fields.element()?)
        };
        fields.finish()?;
        Some(AlgorithmIdentifier { oid, parameters })
    }

    /// Whether all have been read.
    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` when there are more.
    pub(crate) fn finish(&self) -> Option<()> {
        self.is_finished().then_some(())
    }
}

/// The SEQUENCE that `bytes` begin with, without what stands behind it (a line break, zeros), as OpenSSL
/// and Go read it; all of them when there is no such.
pub(crate) fn outermost(bytes: &[u8]) -> &[u8] {
    match Elements::of(bytes).element() {
        Some(element) if element.tag == SEQUENCE => element.der,
        _ => bytes,
    }
}

/// One element in DER, its content given in parts. It may hold a private key: it is wiped when dropped,
/// and the buffer does not move.
pub(crate) fn encode(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    const LONGEST_HEADER: usize = 6;
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut der = Zeroizing::new(Vec::with_capacity(LONGEST_HEADER + length));
    der.push(tag);
    // Nothing that is written here reaches 4 GiB.
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    match [a, b, c, d] {
        [0, 0, 0, 0..=0x7f] => der.push(d),
        [0, 0, 0, _] => der.extend_from_slice(&[0x81, d]),
        [0, 0, ..] => der.extend_from_slice(&[0x82, c, d]),
        [0, ..] => der.extend_from_slice(&[0x83, b, c, d]),
        _ => der.extend_from_slice(&[0x84, a, b, c, d]),
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    der
}

/// An INTEGER in DER, of big-endian digits that may have zeros in front.
pub(crate) fn encode_natural(digits: &[u8]) -> Zeroizing<Vec<u8>> {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    match digits.get(zeros..) {
        Some(digits @ [0x80..=0xff, ..]) => encode(INTEGER, &[&[0], digits]),
        Some(digits @ [_, ..]) => encode(INTEGER, &[digits]),
        _ => encode(INTEGER, &[&[0]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(der: &[u8]) -> Option<(u8, usize, usize)> {
        let element = Elements::of(der).element()?;
        Some((element.tag, element.content.len(), element.der.len()))
    }

    /// X.690, 8.1.3 and 10.1.
    #[test]
    fn lengths_are_definite_and_the_shortest() {
        let of = |header: &[u8], length: usize| {
            let mut der = header.to_vec();
            der.resize(header.len() + length, 0);
            first(&der)
        };
        assert_eq!(of(&[4, 0], 0), Some((4, 0, 2)));
        assert_eq!(of(&[4, 0x7f], 127), Some((4, 127, 129)));
        assert_eq!(of(&[4, 0x81, 0x80], 128), Some((4, 128, 131)));
        assert_eq!(of(&[4, 0x82, 1, 0], 256), Some((4, 256, 260)));
        assert_eq!(of(&[4, 0x82, 1, 0], 257), Some((4, 256, 260)));
        assert_eq!(of(&[4], 0), None);
        for wrong in [
            &[4, 0x80][..],
            &[4, 0x81, 0x7f],
            &[4, 0x82, 0, 0x80],
            &[4, 0x85, 0, 0, 0, 0, 1],
            &[4, 0xff],
            &[0x1f, 0x20, 0],
        ] {
            assert_eq!(of(wrong, 200), None, "{wrong:?}");
        }
        assert_eq!(of(&[4, 0x82, 1, 0], 255), None);
        assert_eq!(of(&[4, 0x84, 0xff, 0xff, 0xff, 0xff], 9), None);
    }

    #[test]
    fn what_is_optional_is_left_alone() {
        let mut elements = Elements::of(&[0xa0, 1, 7, 2, 1, 5]);
        assert_eq!(elements.optional(EXPLICIT + 1), Some(None));
        assert_eq!(elements.optional(EXPLICIT), Some(Some(&[7][..])));
        assert!(elements.finish().is_none());
        assert_eq!(elements.natural(), Some(&[5][..]));
        assert_eq!(elements.optional(EXPLICIT), Some(None));
        assert!(elements.finish().is_some());
        assert_eq!(Elements::of(&[0xa0, 2, 7]).optional(EXPLICIT), None);
    }

    /// X.690, 8.3.2.
    #[test]
    fn naturals_are_the_shortest_and_not_negative() {
        let natural = |content: &[u8]| {
            let length = u8::try_from(content.len()).unwrap();
            let der = [&[2, length], content].concat();
            Elements::of(&der).natural().map(<[u8]>::to_vec)
        };
        for (content, digits) in [
            (&[0][..], &[0][..]),
            (&[1], &[1]),
            (&[0x7f, 0], &[0x7f, 0]),
            (&[0, 0x80], &[0x80]),
        ] {
            assert_eq!(natural(content).as_deref(), Some(digits));
        }
        for wrong in [&[][..], &[0x80], &[0xff, 0xff], &[0, 0], &[0, 0x7f]] {
            assert_eq!(natural(wrong), None, "{wrong:?}");
        }
    }

    /// X.690, 8.1.3 and 8.3.
    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = alloc::vec![7; length];
            let (head, tail) = content.split_at(length / 3);
            let der = encode(OCTET_STRING, &[head, tail]);
            assert_eq!(Elements::of(&der).only(OCTET_STRING), Some(&*content));
            assert!(der.capacity() >= der.len());
        }
        for (digits, der) in [
            (&[][..], &[2, 1, 0][..]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 5], &[2, 1, 5]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0x80, 1], &[2, 3, 0, 0x80, 1]),
        ] {
            assert_eq!(encode_natural(digits).as_slice(), der);
        }
    }
}
