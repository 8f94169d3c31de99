//! The times of a certificate.

use crate::UnixTime;

/// A time that was read.
pub(super) struct Read {
    pub(super) time: UnixTime,
    /// Whether validators are known that refuse it: it lies before 1970, or its form has an offset, a
    /// fraction or no seconds, which RFC 5280 (4.1.2.5) forbids.
    pub(super) is_unusual: bool,
}

/// Reads a `Time` of RFC 5280 (4.1.2.5), and what is seen beside it: GeneralizedTime before 2050,
/// before 1970 and in the year 0 (Go), seconds left out, a fraction (dropped), an offset from UTC.
pub(super) fn time(tag: u8, content: &[u8]) -> Option<Read> {
    let time = moment(tag, content)?;
    let usual_length = if tag == UTC_TIME { 13 } else { 15 };
    Some(Read {
        time,
        is_unusual: content.len() != usual_length || time < UnixTime::from_seconds(0),
    })
}

fn moment(tag: u8, content: &[u8]) -> Option<UnixTime> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = number(content, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => number(content, 4)?,
        _ => return None,
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2).unwrap_or((0, rest));
    let rest = match rest {
        [b'.' | b',', fraction @ ..] => {
            let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            fraction.get(length..).filter(|_| length > 0)?
        }
        _ => rest,
    };
    let time = UnixTime::from_civil(
        i32::from(year),
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
        u8::try_from(hour).ok()?,
        u8::try_from(minute).ok()?,
        u8::try_from(second).ok()?,
    )?;
    match rest {
        b"Z" => Some(time),
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let (hours, offset) = number(offset, 2)?;
            let (minutes, offset) = number(offset, 2)?;
            (offset.is_empty() && hours < 24 && minutes < 60).then_some(())?;
            let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
            Some(time.plus_seconds(if *sign == b'+' { -seconds } else { seconds }))
        }
        _ => None,
    }
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A decimal number of `length` digits, at most four, and what follows it.
fn number(text: &[u8], length: usize) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(length)?;
    let value = digits.iter().try_fold(0u16, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u16::from(digit - b'0'))
    })?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &str) -> Option<alloc::string::String> {
        moment(tag, text.as_bytes()).map(UnixTime::to_iso8601)
    }

    /// The forms are RFC 5280's, 4.1.2.5.1 and 4.1.2.5.2.
    #[test]
    fn unusual_times_are_told() {
        use super::{GENERALIZED_TIME as GENERAL, UTC_TIME as UTC};
        for (tag, text, unusual) in [
            (UTC, "240706113859Z", false),
            (UTC, "2407061138Z", true),
            (UTC, "240706113859+0000", true),
            (UTC, "2407061138+0000", true),
            (UTC, "690706113859Z", true),
            (GENERAL, "20240706113859Z", false),
            (GENERAL, "20240706113859.5Z", true),
            (GENERAL, "00000101000000Z", true),
            (GENERAL, "202407061138Z", true),
        ] {
            let read = time(tag, text.as_bytes()).unwrap();
            assert_eq!(read.is_unusual, unusual, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_found() {
        use super::{GENERALIZED_TIME as GENERAL, UTC_TIME as UTC};
        for (tag, text, time) in [
            (UTC, "240706113859Z", "2024-07-06T11:38:59Z"),
            (UTC, "491231235959Z", "2049-12-31T23:59:59Z"),
            (UTC, "500101000000Z", "1950-01-01T00:00:00Z"),
            (UTC, "2407061138Z", "2024-07-06T11:38:00Z"),
            (UTC, "240706113859+0230", "2024-07-06T09:08:59Z"),
            (UTC, "240706113859-0230", "2024-07-06T14:08:59Z"),
            (GENERAL, "00000101000000Z", "0000-01-01T00:00:00Z"),
            (GENERAL, "20240706113859Z", "2024-07-06T11:38:59Z"),
            (GENERAL, "20240706113859.123Z", "2024-07-06T11:38:59Z"),
            (GENERAL, "99991231235959Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(read(tag, text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        use super::{GENERALIZED_TIME as GENERAL, UTC_TIME as UTC};
        for (tag, text) in [
            (UTC, ""),
            (UTC, "240706113859"),
            (UTC, "240706113859z"),
            (UTC, "241306113859Z"),
            (UTC, "240230113859Z"),
            (UTC, "24070611385 Z"),
            (UTC, "240706113859.Z"),
            (UTC, "240706113859+02"),
            (UTC, "240706113859+2400"),
            (UTC, "20240706113859Z"),
            (GENERAL, "240706113859Z"),
            (0x13, "240706113859Z"),
        ] {
            assert_eq!(read(tag, text), None, "{text}");
        }
    }
}
