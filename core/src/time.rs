//! Points in time and the forms in which the service and its clients write them.

use alloc::{format, string::String};

use ::time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::{Error, ErrorKind, Result};

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, from the year 0 to the year 9999.
///
/// The core never reads a clock: the host passes the time in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// 0000-01-01T00:00:00Z, the earliest time of `GeneralizedTime` and of SigV4's forms.
    pub const MIN: Self = Self(-62_167_219_200);
    /// 9999-12-31T23:59:59Z, RFC 5280's "no well-defined expiration".
    pub const MAX: Self = Self(253_402_300_799);

    /// A time from seconds since the Unix epoch; held within [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX), so that every value has a written form.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Seconds since the Unix epoch.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// This time moved by `seconds`, held within the bounds of the type.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_seconds(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this time; negative when this time is the earlier one.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// A time of the civil calendar, UTC; `None` when there is no such time.
    pub fn from_civil(
        year: i32,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
    ) -> Option<Self> {
        let month = Month::try_from(month).ok()?;
        let date = Date::from_calendar_date(year, month, day).ok()?;
        let time = Time::from_hms(hour, minute, second).ok()?;
        let seconds = PrimitiveDateTime::new(date, time)
            .assume_utc()
            .unix_timestamp();
        (Self::MIN.0..=Self::MAX.0)
            .contains(&seconds)
            .then_some(Self(seconds))
    }

    /// `YYYYMMDD'T'HHMMSS'Z'`, the form of `X-Amz-Date`.
    pub fn to_sigv4(self) -> String {
        let t = self.civil();
        let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
        let (hour, minute, second) = (t.hour(), t.minute(), t.second());
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    /// `YYYYMMDD`, the form of the credential scope.
    pub fn to_sigv4_date(self) -> String {
        let t = self.civil();
        format!("{:04}{:02}{:02}", t.year(), u8::from(t.month()), t.day())
    }

    /// `YYYY-MM-DD'T'HH:MM:SS'Z'`, ISO 8601 and RFC 3339 in UTC.
    pub fn to_iso8601(self) -> String {
        let t = self.civil();
        let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
        let (hour, minute, second) = (t.hour(), t.minute(), t.second());
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// Reads `YYYYMMDD'T'HHMMSS'Z'`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the text is anything else.
    pub fn from_sigv4(text: &str) -> Result<Self> {
        parse_sigv4(text.as_bytes()).ok_or_else(|| unreadable(text, "YYYYMMDDTHHMMSSZ"))
    }

    /// Reads RFC 3339: `YYYY-MM-DDTHH:MM:SS`, an optional fraction (dropped), then `Z` or `±HH:MM`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the text is anything else.
    pub fn from_iso8601(text: &str) -> Result<Self> {
        parse_iso8601(text.as_bytes()).ok_or_else(|| unreadable(text, "YYYY-MM-DDTHH:MM:SSZ"))
    }

    /// Reads the form of HTTP's `Date` header, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    /// The two obsolete forms are refused.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the text is anything else.
    pub fn from_http_date(text: &str) -> Result<Self> {
        parse_http_date(text).ok_or_else(|| unreadable(text, "Sun, 06 Nov 1994 08:49:37 GMT"))
    }

    fn civil(self) -> OffsetDateTime {
        // The bounds of the type lie within the bounds of `OffsetDateTime`.
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

fn unreadable(text: &str, form: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::written(
        ErrorKind::InvalidInput,
        format_args!("`{shown}` is not a time of the form `{form}`"),
    )
}

fn parse_sigv4(text: &[u8]) -> Option<UnixTime> {
    let [
        y0,
        y1,
        y2,
        y3,
        m0,
        m1,
        d0,
        d1,
        b'T',
        h0,
        h1,
        n0,
        n1,
        s0,
        s1,
        b'Z',
    ] = text
    else {
        return None;
    };
    UnixTime::from_civil(
        i32::try_from(digits(&[*y0, *y1, *y2, *y3])?).ok()?,
        two(*m0, *m1)?,
        two(*d0, *d1)?,
        two(*h0, *h1)?,
        two(*n0, *n1)?,
        two(*s0, *s1)?,
    )
}

fn parse_iso8601(text: &[u8]) -> Option<UnixTime> {
    let (head, tail) = text.split_at_checked(19)?;
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = head
    else {
        return None;
    };
    let local = UnixTime::from_civil(
        i32::try_from(digits(&[*y0, *y1, *y2, *y3])?).ok()?,
        two(*m0, *m1)?,
        two(*d0, *d1)?,
        two(*h0, *h1)?,
        two(*n0, *n1)?,
        two(*s0, *s1)?,
    )?;
    let zone = match tail.split_first() {
        Some((b'.', fraction)) => {
            let length = fraction
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if length == 0 {
                return None;
            }
            fraction.get(length..)?
        }
        _ => tail,
    };
    match zone {
        b"Z" => Some(local),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (two(*h0, *h1)?, two(*m0, *m1)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours) * 3600 + i64::from(minutes) * 60;
            Some(local.plus_seconds(if *sign == b'+' { -offset } else { offset }))
        }
        _ => None,
    }
}

fn parse_http_date(text: &str) -> Option<UnixTime> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let (day_name, rest) = text.split_once(',')?;
    let rest = rest.strip_prefix(' ')?;
    let [
        d0,
        d1,
        b' ',
        _,
        _,
        _,
        b' ',
        y0,
        y1,
        y2,
        y3,
        b' ',
        time @ ..,
        b' ',
        b'G',
        b'M',
        b'T',
    ] = rest.as_bytes()
    else {
        return None;
    };
    let [h0, h1, b':', n0, n1, b':', s0, s1] = time else {
        return None;
    };
    let month = MONTHS
        .iter()
        .position(|name| rest.get(3..6) == Some(*name))?;
    if !DAYS.contains(&day_name) {
        return None;
    }
    UnixTime::from_civil(
        i32::try_from(digits(&[*y0, *y1, *y2, *y3])?).ok()?,
        u8::try_from(month + 1).ok()?,
        two(*d0, *d1)?,
        two(*h0, *h1)?,
        two(*n0, *n1)?,
        two(*s0, *s1)?,
    )
}

fn two(tens: u8, ones: u8) -> Option<u8> {
    u8::try_from(digits(&[tens, ones])?).ok()
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests;
