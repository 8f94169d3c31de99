//! Dates as condition values: the W3C profile of ISO 8601, or seconds since 1970.

use rolesanywhere_core::UnixTime;

/// A point in time with its fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// Reads `YYYY-MM`, `YYYY-MM-DD`, `YYYY-MM-DDThh:mm`, with seconds and their fraction, a zone
    /// (`Z`, `±hh:mm`; UTC when there is none), or an integer of seconds since 1970.
    ///
    /// `2026` alone is read as seconds: IAM takes what has neither `-` nor `T` as epoch time.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_date = text.bytes().any(|b| matches!(b, b'-' | b'T' | b't'));
        if !is_date {
            let seconds = digits(text, 1, 19)?;
            return Some(Self {
                seconds,
                nanoseconds: 0,
            });
        }
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut date = date.split('-');
        let year = digits(date.next()?, 4, 4)?;
        let month = digits(date.next()?, 2, 2)?;
        let day = date.next();
        // A time needs its day.
        if date.next().is_some() || (time.is_some() && day.is_none()) {
            return None;
        }
        let day = day.map_or(Some(1), |part| digits(part, 2, 2))?;
        let time = time.map_or(Some(TimeOfDay::default()), TimeOfDay::parse)?;
        let civil = UnixTime::from_civil(
            i32::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
            time.hour,
            time.minute,
            time.second,
        )?;
        Some(Self {
            seconds: civil.seconds() - time.offset_seconds,
            nanoseconds: time.nanoseconds,
        })
    }
}

#[derive(Default)]
struct TimeOfDay {
    hour: u8,
    minute: u8,
    second: u8,
    nanoseconds: u32,
    offset_seconds: i64,
}

impl TimeOfDay {
    fn parse(text: &str) -> Option<Self> {
        let (clock, offset_seconds) = match text.find(['Z', 'z', '+', '-']) {
            Some(at) => {
                let (clock, zone) = text.split_at(at);
                (clock, zone_seconds(zone)?)
            }
            None => (text, 0),
        };
        let (clock, nanoseconds) = match clock.split_once('.') {
            Some((clock, fraction)) => (clock, nanoseconds(fraction)?),
            None => (clock, 0),
        };
        let mut parts = clock.split(':').map(|part| digits(part, 2, 2));
        let hour = u8::try_from(parts.next()??).ok()?;
        let minute = u8::try_from(parts.next()??).ok()?;
        let second = match parts.next() {
            Some(second) => u8::try_from(second?).ok()?,
            // Only seconds have a fraction.
            None if text.contains('.') => return None,
            None => 0,
        };
        parts.next().is_none().then_some(Self {
            hour,
            minute,
            second,
            nanoseconds,
            offset_seconds,
        })
    }
}

/// `Z`, `+hh:mm` or `-hh:mm`, as seconds east of UTC.
fn zone_seconds(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, clock) = match zone.strip_prefix('+') {
        Some(clock) => (1, clock),
        None => (-1, zone.strip_prefix('-')?),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2, 2)?, digits(minutes, 2, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A fraction of a second; digits beyond the ninth are dropped.
fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    nine.parse().ok()
}

/// An unsigned number of `least` to `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
