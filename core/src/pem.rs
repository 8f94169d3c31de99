//! The sections of a PEM text.
//!
//! The base64 is decoded by `base64ct`, in constant time. The boundaries are read here, since the
//! crates that read them are either as strict as RFC 7468 (`pem-rfc7468`: no headers, one width of
//! line) or neither bounded nor wiped (`pem`). What people have in their files is wider than that
//! RFC: text between the blocks, RFC 1421 headers, any width, any indentation, any line ending.

use alloc::{format, string::String, vec, vec::Vec};
use core::fmt;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

/// The longest PEM text that is read, in bytes: 1 MiB. The service takes bundles of 204,800
/// characters; `openssl x509 -text` makes a certificate about four times as long.
pub const MAX_PEM_LENGTH: usize = 1 << 20;

/// The greatest number of sections that is read. A certificate needs at least 400 characters, so
/// the service's longest bundle holds no more than this.
pub const MAX_PEM_SECTIONS: usize = 512;

/// The longest label of a section, in bytes; the longest in use has 24.
const MAX_LABEL_LENGTH: usize = 64;

/// One block of a PEM text. Its content may be a secret: it is wiped when dropped and not printed.
#[derive(Clone)]
pub struct PemSection {
    label: String,
    headers: Vec<(String, String)>,
    der: Zeroizing<Vec<u8>>,
    line: usize,
}

impl PemSection {
    /// The label: `CERTIFICATE`, `PRIVATE KEY`, …
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The [label](Self::label) as errors repeat it.
    pub(crate) fn shown_label(&self) -> &str {
        shown_label(&self.label)
    }

    /// The RFC 1421 headers in the order of the text, names and values without the white space
    /// around them: `Proc-Type` and `DEK-Info` of OpenSSL's traditional encryption.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The value of the first header of that name; names are compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The decoded content: DER, or what an encryption made of it when the headers say so.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The decoded content itself, still wiped when dropped.
    pub fn into_der(self) -> Zeroizing<Vec<u8>> {
        self.der
    }

    /// What errors call the section: its label and line.
    pub(crate) fn name(&self) -> String {
        format!("`{}` on line {}", self.shown_label(), self.line)
    }

    /// The line of the text on which the section begins; the first line is 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Debug for PemSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PemSection")
            .field("label", &self.label)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Reads every section of a PEM text, in the order of the text; at least one.
///
/// A byte order mark, any line ending, white space around and within lines, text and bag attributes between the
/// blocks, lines of any width and RFC 1421 headers are taken. Two blocks that were joined without a
/// line break between them are taken too. `kind` is the kind of the errors: the caller knows whether
/// it reads a certificate or a key.
///
/// # Errors
/// Of the given kind: the text is longer than [`MAX_PEM_LENGTH`] or has more than
/// [`MAX_PEM_SECTIONS`] sections; it holds no block (the message says what it looks like instead); a
/// block has no END, another END, bad base64 or nothing in it (the message names the line).
/// Messages never quote the content of a block.
pub fn sections(text: &[u8], kind: ErrorKind) -> Result<Vec<PemSection>> {
    read(text).map_err(|message| Error::new(kind, message))
}

fn read(text: &[u8]) -> core::result::Result<Vec<PemSection>, String> {
    if text.len() > MAX_PEM_LENGTH {
        return Err(format!(
            "the PEM text has {} bytes, more than {MAX_PEM_LENGTH}: leave out what is not needed",
            text.len()
        ));
    }
    let mut lines = Lines::new(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.text.starts_with(END) {
            return Err(format!(
                "line {} ends a PEM block that never began: restore its line `-----BEGIN …-----`",
                line.number
            ));
        }
        if !line.text.starts_with(BEGIN) {
            continue;
        }
        if found.len() == MAX_PEM_SECTIONS {
            return Err(format!(
                "the PEM text has more than {MAX_PEM_SECTIONS} blocks: leave out what is not needed"
            ));
        }
        found.push(section(&line, &mut lines)?);
    }
    if found.is_empty() {
        return Err(format!("no PEM block was found: {}", guess(text)));
    }
    Ok(found)
}

/// A label, or another word beside an encrypted key, as errors repeat it: `…` where it may be a part of the key that
/// damage has put into its place. Words of eight bytes and more are shown when they are capitals alone, as in labels.
pub(crate) fn shown_label(label: &str) -> &str {
    let is_known =
        |word: &str| word.len() < 8 || word.bytes().all(|byte| byte.is_ascii_uppercase());
    if label.split([' ', '-']).all(is_known) {
        label
    } else {
        "…"
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Reads the section whose BEGIN line is `begin`; `lines` stands after that line.
fn section(begin: &Line<'_>, lines: &mut Lines<'_>) -> core::result::Result<PemSection, String> {
    let (label, rest) = label(begin, BEGIN)?;
    let shown = shown_label(&label);
    if !rest.is_empty() {
        return Err(format!(
            "line {} goes on after `-----BEGIN {shown}-----`: the line breaks of the PEM text were \
             lost, put them back",
            begin.number
        ));
    }
    let unended = |before: &str| {
        format!(
            "the PEM block `{shown}` that begins on line {} has no line `-----END \
             {shown}-----`{before}: the text is cut short",
            begin.number
        )
    };

    // First pass: find the end, so that the buffer for what may be a secret is made once.
    let body = lines.clone();
    let end = loop {
        let Some(line) = lines.next() else {
            return Err(unended(""));
        };
        if line.text.starts_with(END) {
            break line;
        }
        if line.text.starts_with(BEGIN) {
            return Err(unended(&format!(" before line {}", line.number)));
        }
    };
    let (end_label, rest) = self::label(&end, END)?;
    if end_label != label {
        return Err(format!(
            "the PEM block `{shown}` that begins on line {} is ended as `{}` on line {}: \
             restore the line that was changed",
            begin.number,
            shown_label(&end_label),
            end.number
        ));
    }
    if rest.starts_with(BEGIN) {
        lines.push_back(rest);
    }

    // Second pass: headers, then base64.
    let mut headers = Vec::new();
    let mut base64 = Zeroizing::new(Vec::with_capacity(end.offset.saturating_sub(begin.offset)));
    for line in body.take_while(|line| line.number < end.number) {
        if is_base64(line.text) {
            base64.extend_from_slice(line.text);
        } else if is_spaced_base64(line.text) {
            base64.extend(line.text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        } else if let Some(header) = header(line.text).filter(|_| base64.is_empty()) {
            headers.push(header);
        } else {
            return Err(format!(
                "line {} of the PEM block `{shown}` is not base64: restore the line",
                line.number
            ));
        }
    }
    if base64.is_empty() {
        return Err(format!(
            "the PEM block `{shown}` that begins on line {} is empty",
            begin.number
        ));
    }
    let mut der = Zeroizing::new(vec![0; base64.len().div_ceil(4) * 3]);
    let length = Base64::decode(&*base64, &mut der)
        .map_err(|_| {
            format!(
                "the base64 of the PEM block `{shown}` that begins on line {} is cut short or \
                 wrongly padded: copy the block again",
                begin.number
            )
        })?
        .len();
    der.truncate(length);
    Ok(PemSection {
        label,
        headers,
        der,
        line: begin.number,
    })
}

/// The label of a boundary line, and what follows its closing dashes.
fn label<'a>(line: &Line<'a>, prefix: &[u8]) -> core::result::Result<(String, &'a [u8]), String> {
    let tail = line.text.strip_prefix(prefix).unwrap_or_default();
    let split = tail
        .windows(DASHES.len())
        .position(|window| window == DASHES)
        .and_then(|at| tail.split_at_checked(at));
    let Some((label, rest)) = split else {
        return Err(format!(
            "line {} begins as a PEM boundary but has no closing `-----`",
            line.number
        ));
    };
    let label = core::str::from_utf8(label.trim_ascii())
        .ok()
        .filter(|label| label.len() <= MAX_LABEL_LENGTH)
        .filter(|label| label.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    let Some(label) = label else {
        return Err(format!(
            "the PEM boundary on line {} has no readable label",
            line.number
        ));
    };
    let rest = rest.strip_prefix(DASHES).unwrap_or(rest).trim_ascii();
    Ok((String::from(label), rest))
}

/// An RFC 1421 header; `None` when the line is none. Base64 has no colon.
fn header(line: &[u8]) -> Option<(String, String)> {
    let (name, value) = core::str::from_utf8(line).ok()?.split_once(':')?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then(|| (String::from(name), String::from(value.trim_ascii())))
}

/// Whether every byte is of base64's alphabet. Without early exit, which lets it be vectorized.
fn is_base64(text: &[u8]) -> bool {
    text.iter().fold(true, |all, byte| {
        all & (byte.is_ascii_alphanumeric() | (*byte == b'+') | (*byte == b'/') | (*byte == b'='))
    })
}

/// Whether a line is base64 with white space within, which OpenSSL and Go pass over.
fn is_spaced_base64(line: &[u8]) -> bool {
    line.split(u8::is_ascii_whitespace).all(is_base64)
}

/// Where the first line break stands. In chunks, which lets it be vectorized.
fn line_break(text: &[u8]) -> Option<usize> {
    const CHUNK: usize = 32;
    let is_break = |byte: &u8| (*byte == b'\n') | (*byte == b'\r');
    let (chunks, _) = text.as_chunks::<CHUNK>();
    let without = chunks
        .iter()
        .take_while(|chunk| !chunk.iter().fold(false, |any, byte| any | is_break(byte)))
        .count();
    let searched = without * CHUNK;
    let rest = text.get(searched..)?;
    rest.iter().position(is_break).map(|at| searched + at)
}

/// What a text without a PEM block is likely to be, and what to do about it.
fn guess(text: &[u8]) -> &'static str {
    // The content of PKCS#7's outer sequence begins with an OID 1.2.840.113549.1.7.x, that of
    // PKCS#12's with the version 3.
    const PKCS7: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    const PKCS12: &[u8] = b"\x02\x01\x03";
    let begins = |prefix: &[u8]| text.starts_with(prefix);
    if text.trim_ascii().is_empty() {
        return "the text is empty";
    }
    if begins(b"\xff\xfe") || begins(b"\xfe\xff") {
        return "the text is UTF-16; save it as UTF-8 or ASCII";
    }
    if begins(b"\xfe\xed\xfe\xed") {
        return "it looks like a Java key store (JKS); convert it with `keytool -importkeystore \
                -deststoretype PKCS12`";
    }
    if text.trim_ascii_start().starts_with(b"{") {
        return "the text is JSON without PEM in its strings; ask for the output in PEM";
    }
    if begins(b"\x30") {
        let content = sequence_content(text).unwrap_or_default();
        if content.starts_with(PKCS12) {
            return "it looks like PKCS#12 (.p12, .pfx); read it as PKCS#12";
        }
        if content.starts_with(PKCS7) {
            return "it looks like PKCS#7 (.p7b) in DER; convert it with `openssl pkcs7 -inform DER \
                    -print_certs`";
        }
        return "it looks like DER, the binary form; read it as DER or convert it with `openssl`";
    }
    if begins(b"MI") && text.split(u8::is_ascii_whitespace).all(is_base64) {
        return "it looks like the base64 alone; put its lines `-----BEGIN …-----` and \
                `-----END …-----` around it";
    }
    "a PEM text has lines `-----BEGIN …-----` and `-----END …-----`"
}

/// The content of the DER or BER sequence that `bytes` begins with.
fn sequence_content(bytes: &[u8]) -> Option<&[u8]> {
    let length = *bytes.get(1)?;
    let octets = if length & 0x80 == 0 { 0 } else { length & 0x7f };
    bytes.get(2 + usize::from(octets)..)
}

/// The lines of a text, without the white space around them; `\n`, `\r\n` and `\r` end a line.
#[derive(Clone)]
struct Lines<'a> {
    rest: &'a [u8],
    length: usize,
    number: usize,
    pushed_back: Option<&'a [u8]>,
}

struct Line<'a> {
    text: &'a [u8],
    number: usize,
    /// Where the line begins in the text.
    offset: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            length: text.len(),
            number: 0,
            pushed_back: None,
        }
    }

    /// Makes `line` the next line, under the number of the one that was read last.
    fn push_back(&mut self, line: &'a [u8]) {
        self.pushed_back = Some(line);
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let offset = self.length - self.rest.len();
        let text = if let Some(line) = self.pushed_back.take() {
            line
        } else if self.rest.is_empty() {
            return None;
        } else {
            let at = line_break(self.rest);
            let (line, rest) = self.rest.split_at(at.unwrap_or(self.rest.len()));
            self.rest = rest
                .strip_prefix(b"\r\n")
                .or_else(|| rest.get(1..))
                .unwrap_or_default();
            self.number += 1;
            line
        };
        Some(Line {
            text: text.trim_ascii(),
            number: self.number,
            offset,
        })
    }
}

#[cfg(test)]
mod tests;
