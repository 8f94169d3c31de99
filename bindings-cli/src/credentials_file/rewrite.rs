//! The text of the credentials file with one profile's keys changed.
//!
//! The grammar is what the SDKs agree on: `[name]` begins a profile, of exactly that name, `key = value` stands below it,
//! an indented line goes on with the value above it, `#` and `;` begin comments.

use zeroize::Zeroizing;

/// Keys and their new values.
pub(super) struct Values<'a> {
    /// They are in the profile afterwards.
    pub(super) written: &'a [(&'a str, &'a str)],
    /// They are changed where they stand, and are not added.
    pub(super) changed: &'a [(&'a str, &'a str)],
}

impl<'a> Values<'a> {
    /// Both kinds.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a (&'a str, &'a str)> {
        self.written.iter().chain(self.changed)
    }
}

/// The content with `values` in the profile, in the order given. Keys that stand there are changed
/// where they stand; missing ones follow the profile's last key; a missing profile goes to the end.
/// Where a profile stands twice, of which SDKs take the one or the other, the second keeps no old
/// value. Every other byte stays.
pub(super) fn with_credentials(
    content: &[u8],
    profile: &str,
    values: &Values<'_>,
) -> Zeroizing<Vec<u8>> {
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let crlf = lines.first().is_some_and(|line| line.ends_with(b"\r\n"));
    let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let more: usize = values
        .all()
        .map(|(key, value)| key.len() + value.len() + 8)
        .sum();
    let mut output = Output {
        // Room for all, so that it never grows: a buffer that moves leaves its secrets behind. A
        // second profile of the name takes the values once more, a third is met by nobody.
        bytes: Zeroizing::new(Vec::with_capacity(
            content.len() + 2 * more + profile.len() + 64,
        )),
        line_end,
    };
    let mut sections = 0;
    let mut position = 0;
    while let Some(line) = lines.get(position) {
        output.line(line);
        position += 1;
        if header(line, position == 1) != Some(profile.as_bytes()) {
            continue;
        }
        sections += 1;
        let rest = lines.get(position..).unwrap_or_default();
        let length = rest.iter().position(|line| header(line, false).is_some());
        let section = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        output.section(section, values, sections == 1);
        position += section.len();
    }
    if sections == 0 {
        output.end_line();
        if !output.bytes.is_empty() && !ends_with_blank_line(&output.bytes) {
            output.bytes.extend_from_slice(line_end);
        }
        output.bytes.push(b'[');
        output.bytes.extend_from_slice(profile.as_bytes());
        output.bytes.push(b']');
        output.bytes.extend_from_slice(line_end);
        for (key, value) in values.written {
            output.entry(key, value);
        }
    }
    output.bytes
}

struct Output<'a> {
    bytes: Zeroizing<Vec<u8>>,
    line_end: &'a [u8],
}

impl Output<'_> {
    /// The lines below a header, with the values in them; those that are missing too if `complete`.
    fn section(&mut self, lines: &[&[u8]], values: &Values<'_>, complete: bool) {
        let last_key = last_entry(lines);
        let mut missing: Vec<&(&str, &str)> = values.written.iter().collect();
        let mut written: Vec<&str> = Vec::new();
        let mut replacing = false;
        if last_key.is_none() && complete {
            for (key, value) in missing.drain(..) {
                self.entry(key, value);
            }
        }
        for (position, line) in lines.iter().enumerate() {
            let goes_on = position > 0 && is_indented(line) && !is_comment(line);
            let found = values
                .all()
                .find(|(key, _)| !goes_on && entry_key(line, key));
            match found {
                Some((key, value)) => {
                    // Of a key that stands twice the first stays.
                    if !written.contains(key) {
                        self.entry(key, value);
                        written.push(key);
                    }
                    missing.retain(|(name, _)| name != key);
                    replacing = true;
                }
                None if goes_on && replacing => {} // The old value's next line.
                None => {
                    replacing = false;
                    self.line(line);
                }
            }
            if complete && last_key == Some(position) {
                // Those that stand further below are none: this is the last.
                for (key, value) in missing.drain(..) {
                    self.entry(key, value);
                }
            }
        }
    }

    /// A line as it is. A last line without an end gets one as soon as another follows.
    fn line(&mut self, line: &[u8]) {
        self.end_line();
        self.bytes.extend_from_slice(line);
    }

    fn entry(&mut self, key: &str, value: &str) {
        self.end_line();
        for part in [key, " = ", value] {
            self.bytes.extend_from_slice(part.as_bytes());
        }
        self.bytes.extend_from_slice(self.line_end);
    }

    fn end_line(&mut self) {
        if !self.bytes.is_empty() && !self.bytes.ends_with(b"\n") {
            self.bytes.extend_from_slice(self.line_end);
        }
    }
}

/// The name in a line that begins a section, with the white space in it: `[ default ]` is not `[default]`.
/// White space around the brackets and text behind them are let through, as by the SDKs; so is a byte order
/// mark at the very beginning.
fn header(line: &[u8], first: bool) -> Option<&[u8]> {
    let bom: &[u8] = if first { b"\xef\xbb\xbf" } else { b"" };
    let line = line.strip_prefix(bom).unwrap_or(line).trim_ascii();
    let inside = line.strip_prefix(b"[")?;
    let end = inside.iter().position(|byte| *byte == b']')?;
    inside.get(..end)
}

/// Whether the line gives a value to this key, and to no longer one that begins like it.
fn entry_key(line: &[u8], key: &str) -> bool {
    let end = line.iter().position(|byte| matches!(byte, b'=' | b':'));
    let name = end.and_then(|end| line.get(..end)).unwrap_or_default();
    name.trim_ascii().eq_ignore_ascii_case(key.as_bytes())
}

/// The last line of a section that is neither blank nor a comment.
fn last_entry(lines: &[&[u8]]) -> Option<usize> {
    lines
        .iter()
        .rposition(|line| !line.trim_ascii().is_empty() && !is_comment(line))
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'#' | b';'))
}

fn is_indented(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty()
}

fn ends_with_blank_line(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n")
}

#[cfg(test)]
mod tests;
