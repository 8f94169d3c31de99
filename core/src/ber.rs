//! BER to DER, as far as containers need it: PKCS#12 and PKCS#7 are specified in BER, and old Java,
//! Windows and Netscape write it.
//!
//! Lengths become definite and minimal, and an `OCTET STRING` that is written in segments becomes
//! one. All else (the order of sets, the form of booleans) stays. What is DER already comes out as
//! it went in.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// How deep elements may stand in one another: a certificate within PKCS#12 within a nested bag
/// has about 20 levels, its own included.
const MAX_DEPTH: usize = 32;

/// Reads one element with nothing behind it; `None` when it is not BER, or too deep.
///
/// What is made may hold a private key: it is wiped when dropped, and nothing else is copied.
pub(crate) fn to_der(ber: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (der, rest) = split(ber)?;
    rest.is_empty().then_some(der)
}

/// [`to_der`] of the first element of a file; what stands behind it is passed over, as by OpenSSL.
pub(crate) fn first(file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    split(file).map(|(der, _)| der)
}

fn split(ber: &[u8]) -> Option<(Zeroizing<Vec<u8>>, &[u8])> {
    // An element of indefinite length has four bytes at least and grows by two at most, and there is
    // a placeholder per level: the buffer never moves.
    let capacity = ber
        .len()
        .saturating_mul(2)
        .saturating_add(MAX_DEPTH * MAX_HEADER);
    let mut der = Zeroizing::new(Vec::with_capacity(capacity));
    let mut rest = ber;
    element(&mut rest, &mut der, false, MAX_DEPTH)?;
    Some((der, rest))
}

/// The longest header that is written: a tag, and a length of four octets and their number.
const MAX_HEADER: usize = 6;

const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Moves one element from the front of `input` to `output`; of a `segment` only the content.
fn element(input: &mut &[u8], output: &mut Vec<u8>, segment: bool, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let (tag, length) = header(input)?;
    let is_string = tag & !CONSTRUCTED == OCTET_STRING;
    if segment && !is_string {
        return None;
    }
    if tag & CONSTRUCTED == 0 {
        let content = take(input, length?)?;
        if !segment {
            write_header(tag, content.len(), output)?;
        }
        output.extend_from_slice(content);
        return Some(());
    }

    // The header goes into a placeholder, and the content behind it, when its length is known.
    let start = output.len();
    let content = if segment { start } else { start + MAX_HEADER };
    output.resize(content, 0);
    match length {
        Some(length) => {
            let mut inner = take(input, length)?;
            while !inner.is_empty() {
                element(&mut inner, output, is_string, depth)?;
            }
        }
        None => {
            while !input.starts_with(&END_OF_CONTENTS) {
                element(input, output, is_string, depth)?;
            }
            take(input, END_OF_CONTENTS.len())?;
        }
    }
    if !segment {
        let length = output.len().checked_sub(content)?;
        let mut header = Vec::with_capacity(MAX_HEADER);
        let tag = if is_string { OCTET_STRING } else { tag };
        write_header(tag, length, &mut header)?;
        output
            .get_mut(start..content)?
            .get_mut(..header.len())?
            .copy_from_slice(&header);
        output.copy_within(content.., start + header.len());
        output.truncate(start + header.len() + length);
    }
    Some(())
}

/// The tag and the length; `None` in place of a length when it is indefinite. Tags of several bytes
/// occur in no container.
fn header(input: &mut &[u8]) -> Option<(u8, Option<usize>)> {
    const MANY_BYTES: u8 = 0x1f;
    let tag = *take(input, 1)?.first()?;
    if tag & MANY_BYTES == MANY_BYTES || tag == 0 {
        return None;
    }
    let first = *take(input, 1)?.first()?;
    let length = match first {
        0x80 => return Some((tag, None)),
        0..0x80 => usize::from(first),
        _ => {
            let octets = take(input, usize::from(first & 0x7f))?;
            octets.iter().try_fold(0_usize, |length, octet| {
                length.checked_mul(256)?.checked_add((*octet).into())
            })?
        }
    };
    Some((tag, Some(length)))
}

fn write_header(tag: u8, length: usize, output: &mut Vec<u8>) -> Option<()> {
    output.push(tag);
    let octets = u32::try_from(length).ok()?.to_be_bytes();
    if let [0, 0, 0, short @ 0..0x80] = octets {
        output.push(short);
        return Some(());
    }
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = octets.get(zeros..)?;
    output.push(0x80 | u8::try_from(significant.len()).ok()?);
    output.extend_from_slice(significant);
    Some(())
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[track_caller]
    fn check(ber: &str, der: Option<&str>) {
        let bytes = |text: &str| base16ct::mixed::decode_vec(text.replace(' ', "")).unwrap();
        let made = to_der(&bytes(ber));
        assert_eq!(made.map(|der| der.to_vec()), der.map(bytes), "{ber}");
    }

    /// X.690, 8.1.3 and 8.7.
    #[test]
    fn lengths_become_definite_and_minimal() {
        check("30 80 02 01 05 00 00", Some("30 03 02 01 05"));
        check("30 81 03 02 01 05", Some("30 03 02 01 05"));
        check("30 84 00 00 00 03 02 01 05", Some("30 03 02 01 05"));
        check("a0 80 30 80 00 00 00 00", Some("a0 02 30 00"));
        check("30 00", Some("30 00"));
    }

    #[test]
    fn segments_become_one() {
        check("24 80 04 02 01 02 04 01 03 00 00", Some("04 03 01 02 03"));
        check("24 07 04 02 01 02 04 01 03", Some("04 03 01 02 03"));
        check(
            "24 80 24 80 04 01 01 00 00 04 01 02 00 00",
            Some("04 02 01 02"),
        );
        check("24 80 00 00", Some("04 00"));
        check("24 80 02 01 05 00 00", None);
    }

    #[test]
    fn der_comes_out_as_it_went_in() {
        check("30 03 01 01 ff", Some("30 03 01 01 ff"));
        let long = [&[0x04, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        assert_eq!(to_der(&long).unwrap().as_slice(), long);
        let long = [&[0x04, 0x81, 0x80][..], &[7; 128]].concat();
        assert_eq!(to_der(&long).unwrap().as_slice(), long);
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_refused() {
        for ber in [
            "",
            "30",
            "30 80",
            "30 80 02 01 05",
            "30 80 02 01 05 00",
            "30 05 02 01 05",
            "30 03 02 01 05 00",
            "04 80 01 02 00 00",
            "00 00",
            "1f 81 01 00",
            "30 ff",
            "04 89 01 00 00 00 00 00 00 00 00",
        ] {
            check(ber, None);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| [[0x30, 0x80].repeat(depth), vec![0; 2 * depth]].concat();
        assert!(to_der(&nested(MAX_DEPTH)).is_some());
        assert!(to_der(&nested(MAX_DEPTH + 1)).is_none());
        assert!(to_der(&nested(100_000)).is_none());
    }

    /// The time grows with the length, whatever the file is made of.
    #[test]
    fn many_empty_elements_take_no_time() {
        let inner = [0x30, 0x80, 0, 0].repeat(250_000);
        let ber = [&[0x30, 0x80][..], &inner, &[0, 0]].concat();
        let began = std::time::Instant::now();
        assert_eq!(to_der(&ber).unwrap().len(), 5 + 500_000);
        assert!(began.elapsed().as_secs() < 5);
    }
}
