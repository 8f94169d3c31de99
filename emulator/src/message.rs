//! HTTP requests and responses as plain values: what the shell reads and writes, and what tests build.

use std::net::IpAddr;

use rolesanywhere_core::UnixTime;

use crate::addressing::{Addressing, Unaddressed};

/// An HTTP request, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The request target in origin form, raw: the path, then `?` and the query where there is one.
    /// Nothing in it has been decoded.
    pub target: String,
    /// The headers in order of arrival, repeated ones repeated. Names are compared without regard to
    /// case. With HTTP/2, `:authority` stands here as `host`.
    pub headers: Vec<(String, String)>,
    /// The body, whole and without transfer coding.
    pub body: Vec<u8>,
    /// The client's address, for the audit record.
    pub peer: Option<IpAddr>,
}

impl Request {
    /// The path, raw.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    /// The query without its `?`, raw; empty when there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Every value of the header `name` (given in lower case), in order of arrival.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// What the headers say about the way that the request took.
    pub(crate) fn addressing(&self) -> Result<Addressing, Unaddressed> {
        let headers = self.headers.iter();
        Addressing::read(headers.map(|(name, value)| (name.as_str(), value.as_bytes())))
    }

    /// The first value of the header `name` (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// An HTTP response, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers; names in lower case. `content-length` is the shell's to add.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How the shell is to deliver it: at once and whole, unless a fault was injected.
    pub delivery: Delivery,
}

/// How a response is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// How long it waits before its first byte, in milliseconds.
    pub delay_milliseconds: u64,
    /// What of it arrives.
    pub end: End,
}

/// What of a response arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// Nothing: the connection is closed.
    Dropped,
    /// The head and so many bytes of the body; then the connection is closed.
    Truncated(usize),
    /// All of it.
    #[default]
    Whole,
}

impl Response {
    pub(crate) fn new(
        status: u16,
        content_type: &str,
        request_id: &str,
        now: UnixTime,
        body: String,
    ) -> Self {
        Self {
            status,
            headers: vec![
                ("content-type".to_owned(), content_type.to_owned()),
                ("date".to_owned(), http_date(now)),
                ("x-amzn-requestid".to_owned(), request_id.to_owned()),
            ],
            body: body.into_bytes(),
            delivery: Delivery::default(),
        }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The first value of the header `name` (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The form of HTTP's `Date` header (RFC 9110, 5.6.7).
pub(crate) fn http_date(time: UnixTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // 1970-01-01 was a Thursday.
    let day = time.seconds().div_euclid(86_400).rem_euclid(7);
    let weekday = usize::try_from(day).ok().and_then(|at| DAYS.get(at));
    let iso = time.to_iso8601();
    let part = |from: usize, to: usize| iso.get(from..to).unwrap_or_default();
    let month = part(5, 7)
        .parse::<usize>()
        .ok()
        .and_then(|number| MONTHS.get(number.wrapping_sub(1)));
    format!(
        "{}, {} {} {} {} GMT",
        weekday.copied().unwrap_or_default(),
        part(8, 10),
        month.copied().unwrap_or_default(),
        part(0, 4),
        part(11, 19),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_rfc_9110_shows_it() {
        // The example of RFC 9110, section 5.6.7; the seconds are from `date -d … +%s`.
        assert_eq!(
            http_date(UnixTime::from_seconds(784_111_777)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }

    #[test]
    fn a_target_is_split_at_its_first_question_mark() {
        let request = |target: &str| Request {
            target: target.to_owned(),
            ..Request::default()
        };
        assert_eq!(request("/sessions").path(), "/sessions");
        assert_eq!(request("/sessions").query(), "");
        assert_eq!(request("/sessions?a=1?b").path(), "/sessions");
        assert_eq!(request("/sessions?a=1?b").query(), "a=1?b");
    }
}
