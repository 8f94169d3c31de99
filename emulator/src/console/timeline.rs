//! How long certificates last, drawn to a logarithmic scale: what ends within the hour and what ends
//! in ten years both have a place.

use rolesanywhere_core::UnixTime;

/// The drawing's width in its own units.
pub(super) const WIDTH: u32 = 640;
/// The marks of the scale, each with its seconds.
pub(super) const MARKS: [(&str, i64); 7] = [
    ("1 h", 3_600),
    ("1 d", 86_400),
    ("1 wk", 604_800),
    ("1 mo", 2_629_800),
    ("1 y", 31_557_600),
    ("10 y", 315_576_000),
    ("30 y", 946_728_000),
];

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Expired,
    NotYetValid,
    Soon,
    Valid,
}

impl Standing {
    /// In words, since colour alone tells not everybody.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not valid yet",
            Self::Soon => "expires soon",
            Self::Valid => "valid",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "waiting",
            Self::Soon => "soon",
            Self::Valid => "valid",
        }
    }
}

/// The standing at `now`; the end is soon when at most `soon` seconds are left.
pub(super) fn standing(
    not_before: UnixTime,
    not_after: UnixTime,
    soon: i64,
    now: UnixTime,
) -> Standing {
    let left = not_after.seconds_since(now);
    if left < 0 {
        Standing::Expired
    } else if now < not_before {
        Standing::NotYetValid
    } else if left <= soon {
        Standing::Soon
    } else {
        Standing::Valid
    }
}

/// Where so many seconds from now lie, from 0 to [`WIDTH`].
pub(super) fn position(seconds: i64) -> u32 {
    // A minute is the left end, thirty years are the right.
    const FIRST: f64 = 60.0;
    const LAST: f64 = 946_728_000.0;
    // Positions are pixels: what a float loses of the seconds is not seen.
    #[allow(clippy::cast_precision_loss)]
    let seconds = (seconds.max(0) as f64).clamp(FIRST, LAST);
    let share = (seconds / FIRST).ln() / (LAST / FIRST).ln();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (share * f64::from(WIDTH)).round() as u32;
    at
}

/// `in 3 d 4 h`, `2 y 1 mo ago`: the two largest units.
pub(super) fn distance(seconds: i64) -> String {
    const UNITS: [(&str, u64); 5] = [
        ("y", 31_557_600),
        ("mo", 2_629_800),
        ("d", 86_400),
        ("h", 3_600),
        ("min", 60),
    ];
    let mut rest = seconds.unsigned_abs();
    let mut parts = Vec::new();
    for (name, unit) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            parts.push(format!("{count} {name}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    let text = if parts.is_empty() {
        "less than 1 min".to_owned()
    } else {
        parts.join(" ")
    };
    if seconds < 0 {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_two_units() {
        for (seconds, text) in [
            (0, "in less than 1 min"),
            (59, "in less than 1 min"),
            (3_600, "in 1 h"),
            (3_661, "in 1 h 1 min"),
            (90_000, "in 1 d 1 h"),
            (86_400 + 120, "in 1 d"),
            (-31_557_600 - 86_400, "1 y ago"),
            (-172_800, "2 d ago"),
        ] {
            assert_eq!(distance(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn the_scale_grows_and_ends() {
        let positions: Vec<u32> = MARKS
            .iter()
            .map(|(_, seconds)| position(*seconds))
            .collect();
        assert!(
            positions.windows(2).all(|pair| pair[0] < pair[1]),
            "{positions:?}"
        );
        assert_eq!((position(-5), position(i64::MAX)), (0, WIDTH));
    }

    #[test]
    fn a_certificate_stands_as_its_validity_says() {
        let at = UnixTime::from_seconds;
        let standing = |now| standing(at(10), at(1_000), 100, at(now));
        for (now, expected) in [
            (5, Standing::NotYetValid),
            (10, Standing::Valid),
            (899, Standing::Valid),
            (900, Standing::Soon),
            (1_000, Standing::Soon),
            (1_001, Standing::Expired),
        ] {
            assert_eq!(standing(now), expected, "{now}");
        }
    }
}
