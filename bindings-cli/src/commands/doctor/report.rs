//! The report, as a table for people and as JSON for programs.

use std::{fmt::Write as _, io::IsTerminal as _, time::Duration};

use rolesanywhere_core::{
    UnixTime,
    identity::{About, Finding},
    text::{duration, printable},
};
use serde_json::json;

use crate::{clock, environment::Environment};

/// All that was found out.
pub(super) struct Report {
    pub(super) trust_anchor: String,
    pub(super) profile: String,
    pub(super) role: String,
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) serial_number: String,
    pub(super) fingerprint: String,
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
    pub(super) key: String,
    /// What is sent.
    pub(super) chain: Vec<String>,
    /// What the service is likely to take of it.
    pub(super) path: Vec<String>,
    pub(super) anchor_subject: String,
    pub(super) session_name: String,
    pub(super) session_name_given: bool,
    /// `None` where it is not known what the service makes of the certificate.
    pub(super) source_identity: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) findings: Vec<Finding>,
    pub(super) endpoint: Endpoint,
    pub(super) trust_policy: Option<Granted>,
    pub(super) granted: Option<Granted>,
    pub(super) now: UnixTime,
}

/// What came of a look at the endpoint.
#[derive(Default)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) signing_region: String,
    /// Roots and proxy.
    pub(super) way: String,
    pub(super) status: Option<u16>,
    pub(super) milliseconds: Option<f64>,
    pub(super) failure: Option<String>,
    pub(super) clock: Option<Clock>,
}

/// The local clock against the server's.
pub(super) struct Clock {
    /// How far the server's is ahead.
    pub(super) offset_seconds: i64,
}

impl Clock {
    /// Beyond five minutes the service refuses the signature.
    fn is_refused(&self) -> bool {
        self.offset_seconds.unsigned_abs() > 300
    }
}

/// What a policy or the service said.
pub(super) struct Granted {
    pub(super) verdict: Verdict,
    pub(super) what: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Granted,
    Refused,
}

impl Report {
    /// How many things stand in the way of a session.
    pub(super) fn refusals(&self) -> usize {
        let certain = self
            .findings
            .iter()
            .filter(|finding| finding.refuses())
            .count();
        let refused = |granted: &Option<Granted>| {
            usize::from(
                granted
                    .as_ref()
                    .is_some_and(|said| said.verdict == Verdict::Refused),
            )
        };
        certain
            + refused(&self.trust_policy)
            + refused(&self.granted)
            + usize::from(self.endpoint.failure.is_some())
    }

    /// One JSON object.
    pub(super) fn to_json(&self) -> String {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "severity": if finding.refuses() { "refusal" } else { "warning" },
                "code": finding.code,
                "about": about(finding.about),
                "message": finding.message,
                "remedy": finding.remedy,
                "service_message": finding.service_message,
            })
        });
        let findings: Vec<_> = findings.collect();
        let tags: serde_json::Map<_, _> = self
            .tags
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        let granted = |granted: &Option<Granted>| {
            granted.as_ref().map(
                |said| json!({ "granted": said.verdict == Verdict::Granted, "reason": said.what }),
            )
        };
        let page = json!({
            "ok": self.refusals() == 0,
            "trust_anchor_arn": self.trust_anchor,
            "profile_arn": self.profile,
            "role_arn": self.role,
            "certificate": {
                "subject": self.subject,
                "issuer": self.issuer,
                "serial_number": self.serial_number,
                "sha256": self.fingerprint,
                "not_before": self.not_before.to_iso8601(),
                "not_after": self.not_after.to_iso8601(),
                "key": self.key,
                "chain": self.chain,
                "path": self.path,
                "trust_anchor_subject": self.anchor_subject,
            },
            "session": {
                "name": self.session_name,
                "source_identity": self.source_identity,
                "principal_tags": tags,
            },
            "endpoint": {
                "url": self.endpoint.url,
                "signing_region": self.endpoint.signing_region,
                "reachable": self.endpoint.failure.is_none(),
                "status": self.endpoint.status,
                "milliseconds": self.endpoint.milliseconds,
                "failure": self.endpoint.failure,
                "clock_offset_seconds": self.endpoint.clock.as_ref().map(|clock| clock.offset_seconds),
            },
            "findings": findings,
            "trust_policy": granted(&self.trust_policy),
            "create_session": granted(&self.granted),
        });
        format!("{page}\n")
    }

    /// A table; with colours where they are seen.
    pub(super) fn to_text(&self, coloured: bool) -> String {
        let mut table = Table {
            text: String::new(),
            coloured,
        };
        table.title("Certificate");
        table.row("subject", &self.subject);
        table.row("issuer", &self.issuer);
        table.row("serial number", &self.serial_number);
        table.row("SHA-256", &self.fingerprint);
        table.row("key", &self.key);
        table.row("valid from", &self.not_before.to_iso8601());
        let days = self.not_after.seconds_since(self.now).div_euclid(86_400);
        table.row(
            "valid until",
            &format!("{} ({days} days)", self.not_after.to_iso8601()),
        );
        for (position, subject) in self.chain.iter().enumerate() {
            table.row(if position == 0 { "chain" } else { "" }, subject);
        }
        for (position, subject) in self.path.iter().enumerate() {
            table.row(if position == 0 { "likely path" } else { "" }, subject);
        }
        table.row(
            "under",
            &format!("{}, which must be the trust anchor's", self.anchor_subject),
        );

        table.title("What the service will see");
        table.row("trust anchor", &self.trust_anchor);
        table.row("profile", &self.profile);
        table.row("role", &self.role);
        let origin = if self.session_name_given {
            "given"
        } else {
            "from the serial number"
        };
        table.row("session name", &format!("{} ({origin})", self.session_name));
        let unknown = "not known for such a certificate";
        table.row(
            "source identity",
            self.source_identity.as_deref().unwrap_or(unknown),
        );
        for (position, (key, value)) in self.tags.iter().enumerate() {
            table.row(
                if position == 0 { "tags" } else { "" },
                &format!("{key} = {value}"),
            );
        }

        table.title("Endpoint");
        let endpoint = &self.endpoint;
        table.row("URL", &endpoint.url);
        table.row("signing region", &endpoint.signing_region);
        table.row("way", &endpoint.way);
        match (&endpoint.failure, endpoint.status, endpoint.milliseconds) {
            (Some(failure), ..) => table.mark("reachable", Mark::Bad, failure),
            (None, Some(status), Some(milliseconds)) => {
                let answer = format!("yes, it answers in {milliseconds:.0} ms (status {status})");
                table.mark("reachable", Mark::Good, &answer);
            }
            _ => {}
        }
        match &endpoint.clock {
            Some(clock) if clock.offset_seconds == 0 => {
                table.mark("clock", Mark::Good, "as the server's");
            }
            Some(clock) => {
                let seconds = clock.offset_seconds;
                let told = match clock.is_refused() {
                    true => clock::describe_offset(seconds),
                    false => {
                        let offset = duration(Duration::from_secs(seconds.unsigned_abs()));
                        let side = if seconds > 0 { "ahead" } else { "behind" };
                        format!("the server's is {offset} {side}")
                    }
                };
                table.mark("clock", Mark::Doubtful, &format!("{told}: set the clock"));
            }
            None => table.row("clock", "not known: no answer with a date"),
        }

        table.title("Findings");
        if self.findings.is_empty() {
            table.mark("", Mark::Good, "nothing to find fault with");
        }
        for finding in &self.findings {
            let mark = if finding.refuses() {
                Mark::Bad
            } else {
                Mark::Doubtful
            };
            table.mark(finding.code, mark, &finding.message);
            table.row("", &format!("→ {}", finding.remedy));
        }
        for (name, granted) in [
            ("trust policy", &self.trust_policy),
            ("CreateSession", &self.granted),
        ] {
            if let Some(said) = granted {
                let mark = match said.verdict {
                    Verdict::Granted => Mark::Good,
                    Verdict::Refused => Mark::Bad,
                };
                table.mark(name, mark, &said.what);
            }
        }
        table.text
    }
}

fn about(about: About) -> String {
    match about {
        About::EndEntity => "end_entity".to_owned(),
        About::Intermediate(position) => format!("intermediate_{position}"),
        _ => "request".to_owned(),
    }
}

/// Whether stdout is a terminal whose user has nothing against colours (no-color.org).
pub(super) fn is_coloured(environment: &Environment<'_>) -> bool {
    std::io::stdout().is_terminal()
        && environment.value("NO_COLOR").is_none()
        && environment.value("TERM").is_none_or(|term| term != "dumb")
}

#[derive(Clone, Copy)]
enum Mark {
    Good,
    Doubtful,
    Bad,
}

struct Table {
    text: String,
    coloured: bool,
}

impl Table {
    fn title(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let title = self.painted("1", title);
        self.line(&title);
    }

    fn row(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:<16} {}", printable(value)));
    }

    fn mark(&mut self, name: &str, mark: Mark, value: &str) {
        let word = match mark {
            Mark::Good => self.painted("32", "good"),
            Mark::Doubtful => self.painted("33", "warning"),
            Mark::Bad => self.painted("31", "refused"),
        };
        self.line(&format!("  {name:<16} {word}: {}", printable(value)));
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        match self.coloured {
            true => format!("\x1b[{colour}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", line.trim_end()); // Writing into a string does not fail.
    }
}
