//! Text that is shown to people and may hold the words of strangers: names in certificates, answers of
//! servers, paths.

use alloc::{borrow::Cow, string::String};
use core::{fmt::Write as _, time::Duration};

/// The text with invisible and bidirectional characters escaped. A message then cannot break its line, send
/// commands to a terminal, or show its parts in another order.
///
/// A tab, line feed or carriage return becomes a space. Other control characters, format characters (the
/// bidirectional ones among them) and invisible fillers are written as Rust writes them, `\u{202e}`. Every
/// other character stays as it is.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_visible) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => shown.push(' '),
            c if is_visible(c) => shown.push(c),
            c => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c)); // Writing into a string does not fail.
            }
        }
    }
    Cow::Owned(shown)
}

/// [`printable`] for an owned text. The text is copied only if a character is escaped.
pub(crate) fn made_printable(text: String) -> String {
    match printable(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => shown,
    }
}

/// The longest run of letters, digits, `+`, `/` and `=` in a value that an error repeats: the shortest private key is
/// 32 bytes, which are 43 characters of base64 and 64 of hexadecimal.
const LONGEST_RUN: usize = 31;

/// The beginning of a value that should have been something short (an ARN, a URL, a region), as an error repeats it: at
/// most `most` characters. Of a value that may hold a private key in the wrong place, only `…`: one with a long run of
/// the characters of base64, or a PEM block.
pub fn excerpt(value: &str, most: usize) -> String {
    let is_run = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut runs = value.split(|c| !is_run(c));
    if value.contains("-----BEGIN") || runs.any(|run| run.len() > LONGEST_RUN) {
        return String::from("…");
    }
    value.chars().take(most).collect()
}

/// A duration as people write it: `0.3 s`, `45 s`, `2 min 5 s`, `12 h`, `3 d 1 h`. It has two units at most;
/// the smaller unit is rounded down, and milliseconds are the smallest.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 120 {
        let milliseconds = duration.subsec_millis();
        let shown = match (seconds, milliseconds) {
            (0, 0) if !duration.is_zero() => return String::from("less than 1 ms"),
            (seconds, 0) => return alloc::format!("{seconds} s"),
            (seconds, milliseconds) => alloc::format!("{seconds}.{milliseconds:03}"),
        };
        return alloc::format!("{} s", shown.trim_end_matches('0'));
    }
    let (large, large_unit, small, small_unit) = match seconds {
        0..3_600 => (seconds / 60, "min", seconds % 60, "s"),
        3_600..172_800 => (seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => (seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    };
    match small {
        0 => alloc::format!("{large} {large_unit}"),
        small => alloc::format!("{large} {large_unit} {small} {small_unit}"),
    }
}

fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let c = u32::from(c);
    !INVISIBLE
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&c))
}

/// Beyond ASCII: control characters, format characters and separators of lines (general categories Cc, Cf,
/// Zl and Zp), and what the Unicode standard lists as `Default_Ignorable_Code_Point`, of Unicode 16. Also
/// the Braille pattern without a dot, which is a blank. The table is here because a library's tables would
/// make every wasm module larger.
const INVISIBLE: [(u32, u32); 29] = [
    (0x80, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x600, 0x605),
    (0x61C, 0x61C),
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1_10BD, 0x1_10BD),
    (0x1_10CD, 0x1_10CD),
    (0x1_3430, 0x1_343F),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_0FFF),
    // Private use: fonts show it as they like, or not at all.
    (0xF_0000, 0xF_FFFD),
    (0x10_0000, 0x10_FFFD),
];

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

    use super::*;

    #[test]
    fn an_excerpt_repeats_what_is_short_and_no_key() {
        for value in [
            "arn:aws:iam::123456789012:user/x",
            "eu-west-1",
            "https://rolesanywhere.eu-west-1.amazonaws.com",
            "https://vpce-0123456789abcdef0-abcdefgh.rolesanywhere.eu-west-1.vpce.amazonaws.com",
        ] {
            assert_eq!(excerpt(value, 100), value);
        }
        assert_eq!(excerpt("arn:aws:", 3), "arn");
        // RFC 8410, 10.3: an Ed25519 key in PKCS#8, as PEM, as base64 and as hexadecimal.
        let base64 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let pem =
            alloc::format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
        let hexadecimal = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
        for key in [base64, &pem, hexadecimal] {
            for value in [key.into(), alloc::format!("arn:aws:iam::1:role/{key}")] {
                let value: String = value;
                assert_eq!(excerpt(&value, 80), "…");
            }
        }
    }

    #[test]
    fn a_message_cannot_break_the_line_drive_the_terminal_or_turn_round() {
        for (text, shown) in [
            ("a\nb\r\u{1b}[31mc\u{9b}d\0", r"a b \u{1b}[31mc\u{9b}d\u{0}"),
            ("CN=\u{202e}moc.elpmaxe", r"CN=\u{202e}moc.elpmaxe"),
            (
                "ro\u{200b}le\u{2066}\u{feff}\u{e0041}",
                r"ro\u{200b}le\u{2066}\u{feff}\u{e0041}",
            ),
            ("a\u{2028}b\u{3164}", r"a\u{2028}b\u{3164}"),
            (
                "Zürich, 東京, عمّان, 100 €, … →",
                "Zürich, 東京, عمّان, 100 €, … →",
            ),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        for (seconds, written) in [
            (0.0, "0 s"),
            (0.000_001, "less than 1 ms"),
            (0.3, "0.3 s"),
            (0.25, "0.25 s"),
            (10.0, "10 s"),
            (61.5, "61.5 s"),
            (119.0, "119 s"),
            (120.0, "2 min"),
            (125.9, "2 min 5 s"),
            (3599.0, "59 min 59 s"),
            (3600.0, "1 h"),
            (43_200.0, "12 h"),
            (45_000.0, "12 h 30 min"),
            (86_400.0, "24 h"),
            (262_800.0, "3 d 1 h"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), written);
        }
        // The longest that an answer can ask for.
        assert_eq!(duration(Duration::MAX), "213503982334601 d 7 h");
    }

    // The categories are those of another crate.
    #[test]
    fn every_character_that_unicode_calls_a_control_or_a_format_is_escaped() {
        for c in '\0'..=char::MAX {
            let escaped = !is_visible(c);
            match c.general_category() {
                GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator => assert!(escaped, "{c:?}"),
                GeneralCategory::UppercaseLetter
                | GeneralCategory::LowercaseLetter
                | GeneralCategory::DecimalNumber
                | GeneralCategory::MathSymbol
                | GeneralCategory::CurrencySymbol
                | GeneralCategory::DashPunctuation
                | GeneralCategory::OpenPunctuation
                | GeneralCategory::SpaceSeparator => assert!(!escaped, "{c:?}"),
                _ => {}
            }
        }
    }
}
