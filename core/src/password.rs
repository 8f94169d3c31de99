//! Passwords as files hold them.

use alloc::string::String;

use zeroize::Zeroizing;

/// A second reading of a password file, for a key that did not open with the first: the content up to the
/// final newline.
///
/// The password is a secret: it is wiped when dropped.
pub struct OtherReading {
    /// The password, to be tried once.
    pub password: Zeroizing<alloc::vec::Vec<u8>>,
    /// The invisible peculiarity of the file, for the message if this reading fails too. It ends a sentence
    /// that begins with the file's name.
    pub peculiarity: &'static str,
}

/// Reads the content of a password file the other way: without the byte order mark that it begins with (of
/// UTF-8; of UTF-16, which PowerShell writes, as UTF-8), else with the newline that it ends in, which may be
/// the password's own. `None` when it has neither.
///
/// It is for keys that are decrypted in memory. Do not use it with a token or a TPM, which count wrong tries.
pub fn other_reading(content: &[u8]) -> Option<OtherReading> {
    if let Some(text) = content.strip_prefix(b"\xef\xbb\xbf") {
        return Some(OtherReading {
            password: Zeroizing::new(without_newline(text).to_vec()),
            peculiarity: "begins with a byte order mark",
        });
    }
    if let Some(text) = utf16(content) {
        return Some(OtherReading {
            password: Zeroizing::new(without_newline(text.as_bytes()).to_vec()),
            peculiarity: "is written in UTF-16",
        });
    }
    content.ends_with(b"\n").then(|| OtherReading {
        password: Zeroizing::new(content.to_vec()),
        peculiarity: "ends in a newline",
    })
}

/// The content without the newline that it ends in, if any.
fn without_newline(content: &[u8]) -> &[u8] {
    let line = content.strip_suffix(b"\n").unwrap_or(content);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn utf16(content: &[u8]) -> Option<Zeroizing<String>> {
    let (units, is_little) = match content {
        [0xFF, 0xFE, units @ ..] => (units, true),
        [0xFE, 0xFF, units @ ..] => (units, false),
        _ => return None,
    };
    let number = |pair: [u8; 2]| match is_little {
        true => u16::from_le_bytes(pair),
        false => u16::from_be_bytes(pair),
    };
    let mut pairs = units.chunks_exact(2);
    // Of its final size from the start: a buffer that grows leaves its content behind.
    let mut text = Zeroizing::new(String::with_capacity(units.len() / 2 * 3));
    let numbers = pairs
        .by_ref()
        .filter_map(|pair| pair.first_chunk().copied().map(number));
    for c in char::decode_utf16(numbers) {
        text.push(c.ok()?);
    }
    pairs.remainder().is_empty().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(content: &[u8]) -> Option<(alloc::vec::Vec<u8>, &'static str)> {
        other_reading(content).map(|other| (other.password.to_vec(), other.peculiarity))
    }

    #[test]
    fn invisible_peculiarities_are_read_the_other_way() {
        let (mark, utf16, newline) = (
            "begins with a byte order mark",
            "is written in UTF-16",
            "ends in a newline",
        );
        assert_eq!(other(b"hunter2"), None);
        assert_eq!(other(b""), None);
        assert_eq!(other(b"hunter2\n"), Some((b"hunter2\n".to_vec(), newline)));
        assert_eq!(
            other(b"hunter2\r\n"),
            Some((b"hunter2\r\n".to_vec(), newline))
        );
        assert_eq!(
            other(b"\xef\xbb\xbfhunter2\r\n"),
            Some((b"hunter2".to_vec(), mark))
        );
        // What PowerShell 5's `"né€😀" > file` writes.
        assert_eq!(
            other(b"\xff\xfen\0\xe9\0\xac\x20\x3d\xd8\x00\xde\r\0\n\0"),
            Some(("né€😀".as_bytes().to_vec(), utf16))
        );
        assert_eq!(other(b"\xfe\xff\0h\0i"), Some((b"hi".to_vec(), utf16)));
        // No UTF-16: half a character, half a pair.
        assert_eq!(other(b"\xff\xfeh"), None);
        assert_eq!(other(b"\xff\xfe\x3d\xd8"), None);
    }
}
