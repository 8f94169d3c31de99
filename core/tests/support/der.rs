//! DER that `openssl` does not write, and what is in DER.

/// `1.2.840.113549`, in front of the identifiers of PKCS.
pub(crate) const RSADSI: [u8; 6] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d];

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    tlv(6, content)
}

/// A PKCS#12 file over an `AuthenticatedSafe`.
pub(crate) fn pfx(content: &[u8], mac_data: &[u8]) -> Vec<u8> {
    let data = oid(&[&RSADSI[..], &[1, 7, 1]].concat());
    let content_info = sequence(&[&data, &tlv(0xa0, &tlv(4, content))]);
    sequence(&[&[2, 1, 3], &content_info, mac_data])
}

/// The tag, the content and the rest.
pub(crate) fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, start) = match der[1] {
        short @ 0..0x80 => (usize::from(short), 2),
        long => {
            let octets = usize::from(long & 0x7f);
            let length = der[2..2 + octets]
                .iter()
                .fold(0, |n, o| n * 256 + usize::from(*o));
            (length, 2 + octets)
        }
    };
    (der[0], &der[start..start + length], &der[start + length..])
}

pub(crate) fn elements(der: &[u8]) -> Vec<u8> {
    element(der).1.to_vec()
}

/// The `AuthenticatedSafe` of a file, which its MAC is over.
pub(crate) fn authenticated_safe(file: &[u8]) -> Vec<u8> {
    let (_, pfx, _) = element(file);
    let (_, _version, rest) = element(pfx);
    let (_, content_info, _) = element(rest);
    let (_, _oid, rest) = element(content_info);
    elements(element(rest).1)
}

/// The same in BER: indefinite lengths, and strings in segments of 100 bytes.
pub(crate) fn indefinite(der: &[u8]) -> Vec<u8> {
    let (tag, content, rest) = element(der);
    let ber = match tag {
        4 | 0x80 if !content.is_empty() => {
            let segments = content.chunks(100).flat_map(|chunk| tlv(4, chunk));
            [vec![tag | 0x20, 0x80], segments.collect(), vec![0, 0]].concat()
        }
        _ if tag & 0x20 != 0 => {
            let inner = if content.is_empty() {
                Vec::new()
            } else {
                indefinite(content)
            };
            [vec![tag, 0x80], inner, vec![0, 0]].concat()
        }
        _ => tlv(tag, content),
    };
    [
        ber,
        if rest.is_empty() {
            Vec::new()
        } else {
            indefinite(rest)
        },
    ]
    .concat()
}
