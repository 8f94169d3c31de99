//! The service and the store, as far as they can be told from outside.

use std::collections::{HashMap, VecDeque};

use rolesanywhere_core::{HttpResponse, UnixTime};

/// Random numbers of the world, none of the providers'.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % end.max(1)
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// Exponentially distributed around `mean`.
    pub(crate) fn exponential(&mut self, mean: u64) -> u64 {
        let u = (self.below(1 << 53) + 1) as f64 / (1u64 << 53) as f64;
        (-u.ln() * mean as f64) as u64
    }
}

/// How an answer is broken by what stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The session has ended.
    Ended,
    /// The Date is of 1970.
    OldDate,
    /// It is said to last until 9999; it lasts 12 hours.
    Endless,
    /// It is another role's.
    OtherRole,
}

/// Ten sessions a second, and dates within five minutes.
pub(crate) struct Service {
    pub(crate) lifetime: u64,
    pub(crate) outages: Vec<(u64, u64)>,
    pub(crate) broken: Vec<(u64, u64, Broken)>,
    /// When each request came, in milliseconds.
    pub(crate) calls: Vec<u64>,
    tokens: f64,
    filled_at: u64,
    made: u64,
}

/// What the service does about a request.
pub(crate) enum Answer {
    /// Nothing: it is away.
    Silence,
    /// An answer, and when the credentials in it really end.
    Response(HttpResponse, Option<(String, u64)>),
}

impl Service {
    pub(crate) fn new(lifetime: u64) -> Self {
        Self {
            lifetime,
            outages: Vec::new(),
            broken: Vec::new(),
            calls: Vec::new(),
            tokens: 10.0,
            filled_at: 0,
            made: 0,
        }
    }

    /// How many seconds had more than ten calls.
    pub(crate) fn seconds_over_quota(&self) -> usize {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for at in &self.calls {
            *counts.entry(at / 1000).or_default() += 1;
        }
        counts.values().filter(|count| **count > 10).count()
    }

    pub(crate) fn is_away(&self, now: u64) -> bool {
        self.outages
            .iter()
            .any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Answers a request that is dated so.
    pub(crate) fn answer(&mut self, now: u64, dated: UnixTime) -> Answer {
        if self.is_away(now) {
            // Half of an outage is silence, the other a front end that says 503.
            self.calls.push(now);
            return match now / 600_000 % 2 {
                0 => Answer::Silence,
                _ => Answer::Response(
                    refusal(now, 503, "ServiceUnavailableException", "away"),
                    None,
                ),
            };
        }
        self.calls.push(now);
        let passed = (now - self.filled_at) as f64 / 1000.0;
        self.tokens = (self.tokens + passed * 10.0).min(10.0);
        self.filled_at = now;
        if self.tokens < 1.0 {
            return Answer::Response(
                refusal(now, 429, "ThrottlingException", "Rate exceeded"),
                None,
            );
        }
        self.tokens -= 1.0;
        let off = dated.seconds() - (now / 1000) as i64;
        if off.abs() > 300 {
            return Answer::Response(
                refusal(now, 403, "AccessDeniedException", "Invalid signature"),
                None,
            );
        }
        let broken = self
            .broken
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&now));
        let broken = broken.map(|(_, _, how)| *how);
        self.made += 1;
        let id = format!("ASIA{}", self.made);
        let (ends, said) = match broken {
            Some(Broken::Ended) => (now / 1000 * 1000, iso(now / 1000 - 1)),
            Some(Broken::Endless) => (
                now / 1000 * 1000 + 43_200_000,
                "9999-12-31T23:59:59Z".into(),
            ),
            _ => (
                now / 1000 * 1000 + self.lifetime,
                iso(now / 1000 + self.lifetime / 1000),
            ),
        };
        let date = match broken {
            Some(Broken::OldDate) => http_date(0),
            _ => http_date(now / 1000),
        };
        let role = match broken {
            Some(Broken::OtherRole) => "admin",
            _ => "reader",
        };
        let body = format!(
            r#"{{"credentialSet":[{{"credentials":{{"accessKeyId":"{id}","secretAccessKey":"s","sessionToken":"t","expiration":"{said}"}},"roleArn":"arn:aws:iam::123456789012:role/{role}"}}]}}"#
        );
        let response = HttpResponse::new(201, vec![("date".to_owned(), date)], body.into_bytes());
        Answer::Response(response, Some((id, ends)))
    }
}

fn refusal(now: u64, status: u16, code: &str, message: &str) -> HttpResponse {
    let headers = vec![
        ("date".to_owned(), http_date(now / 1000)),
        ("x-amzn-errortype".to_owned(), code.to_owned()),
    ];
    let body = format!(r#"{{"message":"{message}"}}"#);
    HttpResponse::new(status, headers, body.into_bytes())
}

fn iso(seconds: u64) -> String {
    UnixTime::from_seconds(seconds as i64).to_iso8601()
}

fn http_date(seconds: u64) -> String {
    let text = iso(seconds);
    let month: usize = text[5..7].parse().unwrap();
    let month = &"JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3 - 3..month * 3];
    // Nobody compares the day of the week.
    format!(
        "Thu, {} {month} {} {} GMT",
        &text[8..10],
        &text[..4],
        &text[11..19]
    )
}

/// A map that members share, with a lock or with a delay until all see a value.
#[derive(Default)]
pub(crate) struct Shelf {
    entries: HashMap<String, VecDeque<(u64, usize, Vec<u8>)>>,
    locks: HashMap<String, (usize, u64)>,
    pub(crate) away: Vec<(u64, u64)>,
}

impl Shelf {
    pub(crate) fn is_away(&self, now: u64) -> bool {
        self.away
            .iter()
            .any(|(from, to)| (*from..*to).contains(&now))
    }

    /// What a member sees that is `lag` milliseconds away from the others.
    pub(crate) fn load(&self, key: &str, now: u64, lag: u64, member: usize) -> Option<Vec<u8>> {
        let written = self.entries.get(key)?;
        let seen = written
            .iter()
            .rev()
            .find(|(at, by, _)| *by == member || at + lag <= now);
        seen.map(|(_, _, entry)| entry.clone())
    }

    pub(crate) fn store(&mut self, key: &str, now: u64, member: usize, entry: Vec<u8>) {
        let written = self.entries.entry(key.to_owned()).or_default();
        written.push_back((now, member, entry));
        if written.len() > 64 {
            written.pop_front();
        }
    }

    pub(crate) fn lock(&mut self, key: &str, now: u64, member: usize, lease: u64) -> bool {
        let held = self.locks.get(key).is_some_and(|(_, until)| *until > now);
        if !held {
            self.locks.insert(key.to_owned(), (member, now + lease));
        }
        !held
    }

    pub(crate) fn unlock(&mut self, key: &str, member: usize) {
        if self
            .locks
            .get(key)
            .is_some_and(|(holder, _)| *holder == member)
        {
            self.locks.remove(key);
        }
    }
}
