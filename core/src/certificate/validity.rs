//! The times of a certificate.

use der::{Tag, asn1::AnyRef};

use crate::UnixTime;

/// Reads a `Time` of RFC 5280 (4.1.2.5), and what is seen beside it: GeneralizedTime before 2050,
/// before 1970 and in the year 0 (Go), seconds left out, a fraction (dropped), an offset from UTC.
/// (`der`'s own times begin in 1970 and keep to RFC 5280.)
pub(super) fn time(element: AnyRef<'_>) -> Option<UnixTime> {
    use der::Tagged;
    let (year, rest) = match element.tag() {
        Tag::UtcTime => {
            let (year, rest) = number(element.value(), 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        Tag::GeneralizedTime => number(element.value(), 4)?,
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

    fn read(tag: Tag, text: &str) -> Option<alloc::string::String> {
        time(AnyRef::new(tag, text.as_bytes()).unwrap()).map(UnixTime::to_iso8601)
    }

    #[test]
    fn times_are_read_as_they_are_found() {
        use Tag::{GeneralizedTime as General, UtcTime as Utc};
        for (tag, text, time) in [
            (Utc, "240706113859Z", "2024-07-06T11:38:59Z"),
            (Utc, "491231235959Z", "2049-12-31T23:59:59Z"),
            (Utc, "500101000000Z", "1950-01-01T00:00:00Z"),
            (Utc, "2407061138Z", "2024-07-06T11:38:00Z"),
            (Utc, "240706113859+0230", "2024-07-06T09:08:59Z"),
            (Utc, "240706113859-0230", "2024-07-06T14:08:59Z"),
            (General, "00000101000000Z", "0000-01-01T00:00:00Z"),
            (General, "20240706113859Z", "2024-07-06T11:38:59Z"),
            (General, "20240706113859.123Z", "2024-07-06T11:38:59Z"),
            (General, "99991231235959Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(read(tag, text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        use Tag::{GeneralizedTime as General, UtcTime as Utc};
        for (tag, text) in [
            (Utc, ""),
            (Utc, "240706113859"),
            (Utc, "240706113859z"),
            (Utc, "241306113859Z"),
            (Utc, "240230113859Z"),
            (Utc, "24070611385 Z"),
            (Utc, "240706113859.Z"),
            (Utc, "240706113859+02"),
            (Utc, "240706113859+2400"),
            (Utc, "20240706113859Z"),
            (General, "240706113859Z"),
            (Tag::PrintableString, "240706113859Z"),
        ] {
            assert_eq!(read(tag, text), None, "{text}");
        }
    }
}
