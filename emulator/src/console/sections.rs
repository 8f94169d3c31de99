//! The sections of the page. Each has a heading and a table with a caption; each is a unit that the
//! script replaces when it has changed.

use std::fmt::Write as _;

use rolesanywhere_core::UnixTime;

use super::{
    CALLS_SHOWN, SUBJECTS_SHOWN, View,
    html::Escaped,
    timeline::{self, MARKS, Standing, WIDTH},
};
use crate::{
    audit::{AuditRecord, Outcome},
    certificate::Certificate,
    config::NotificationEvent,
    store::TrustAnchor,
};

/// One certificate of the time line.
struct Line {
    whose: String,
    subject: String,
    not_after: UnixTime,
    standing: Standing,
}

/// Writes everything between the body's tags but the script.
// Writing into a `String` does not fail: its results say nothing.
pub(super) fn write(out: &mut String, view: &View<'_>) {
    let _ = write!(
        out,
        "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
         <header><h1>Roles Anywhere emulator</h1>\n\
         <p>Account <code>{}</code>, region <code>{}</code></p>\n\
         <nav aria-label=\"Sections\"><ul>",
        Escaped(view.account),
        Escaped(view.region)
    );
    for (id, name) in [
        ("calls", "Calls"),
        ("expiry", "Expiry"),
        ("anchors", "Trust anchors"),
        ("crls", "Revocation lists"),
        ("profiles", "Profiles"),
        ("roles", "Roles"),
        ("subjects", "Subjects"),
    ] {
        let _ = write!(out, "<li><a href=\"#{id}\">{name}</a></li>");
    }
    let _ = write!(
        out,
        "</ul></nav>\n<p class=\"live\"><span id=\"clock\">Clock: {}</span> \
         <button type=\"button\" id=\"pause\" hidden>Pause updates</button> \
         <span role=\"status\" id=\"status\"></span></p></header>\n<main id=\"main\" tabindex=\"-1\">\n",
        time(view.now)
    );
    calls(out, view);
    expiry(out, view);
    anchors(out, view);
    crls(out, view);
    profiles(out, view);
    roles(out, view);
    subjects(out, view);
    out.push_str("</main>\n");
}

/// A section with a table, or with a sentence when there is nothing to tell.
fn section(
    out: &mut String,
    id: &str,
    heading: &str,
    caption: &str,
    columns: &[&str],
    empty: &str,
    rows: &[String],
) {
    let _ = writeln!(
        out,
        "<section id=\"{id}\" aria-labelledby=\"{id}-heading\"><h2 id=\"{id}-heading\">{heading}</h2>"
    );
    if rows.is_empty() {
        let _ = writeln!(out, "<p class=\"empty\">{empty}</p></section>");
        return;
    }
    // A wide table scrolls in a box of its own, which the keyboard must reach.
    let _ = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}-heading\">\
         <table><caption>{caption}</caption><thead><tr>"
    );
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{column}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str(row);
        out.push('\n');
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn calls(out: &mut String, view: &View<'_>) {
    let rows: Vec<String> = view
        .calls
        .iter()
        .rev()
        .map(|record| call(record, view.now))
        .collect();
    let caption = format!("The last {CALLS_SHOWN} calls, newest first");
    section(
        out,
        "calls",
        "Calls",
        &caption,
        &[
            "Time",
            "Operation",
            "Outcome",
            "Certificate",
            "What happened",
        ],
        "No call yet. Clients send CreateSession to this address.",
        &rows,
    );
}

fn call(record: &AuditRecord, now: UnixTime) -> String {
    let certificate = match (&record.certificate_subject, &record.certificate_serial) {
        (Some(subject), Some(serial)) => {
            format!(
                "{}<br><small>serial {}</small>",
                Escaped(subject),
                Escaped(serial)
            )
        }
        _ => "–".to_owned(),
    };
    let (class, outcome, what) = match &record.outcome {
        Outcome::Refused {
            check,
            fault,
            message,
            reason,
        } => (
            "refused",
            format!("Refused<br><small>{}</small>", Escaped(fault.entry().code)),
            format!(
                "<strong>{}</strong><br><span class=\"reason\"><em>{}:</em> {}</span>",
                Escaped(message),
                Escaped(check),
                sentence(reason)
            ),
        ),
        Outcome::Succeeded {
            assumed_role_arn,
            source_identity,
            ..
        } => {
            let mut what = format!("<code>{}</code>", Escaped(assumed_role_arn));
            if !source_identity.is_empty() {
                let _ = write!(
                    what,
                    "<br><small>source identity {}</small>",
                    Escaped(source_identity)
                );
            }
            for note in &record.nonconformance {
                let _ = write!(
                    what,
                    "<br><small>not as it should be signed: {}</small>",
                    Escaped(note)
                );
            }
            ("accepted", "Accepted".to_owned(), what)
        }
    };
    format!(
        "<tr class=\"{class}\"><td>{}</td><td>{}</td><td class=\"outcome\">{outcome}</td>\
         <td>{certificate}</td><td>{what}</td></tr>",
        time_of_day(record.time, now),
        Escaped(&record.operation)
    )
}

fn expiry(out: &mut String, view: &View<'_>) {
    let mut scale = format!(
        "<svg class=\"line\" viewBox=\"0 0 {WIDTH} 18\" role=\"img\" aria-label=\"Scale: from now to \
         30 years, logarithmic\"><text x=\"0\" y=\"13\">now</text>"
    );
    for (name, seconds) in MARKS {
        let x = timeline::position(seconds);
        let anchor = if x == WIDTH { "end" } else { "middle" };
        let _ = write!(
            scale,
            "<text x=\"{x}\" y=\"13\" text-anchor=\"{anchor}\">{name}</text>"
        );
    }
    scale.push_str("</svg>");
    let rows: Vec<String> = lines(view)
        .iter()
        .map(|line| certificate(line, view.now))
        .collect();
    section(
        out,
        "expiry",
        "Expiry of certificates",
        "Certificates of trust anchors and of subjects, the first to expire on top",
        &["Certificate", "State", "Ends", &scale],
        "No certificate yet.",
        &rows,
    );
}

fn certificate(line: &Line, now: UnixTime) -> String {
    let left = line.not_after.seconds_since(now);
    let end = timeline::position(left);
    let mut drawing = format!(
        "<svg class=\"line\" viewBox=\"0 0 {WIDTH} 18\" aria-hidden=\"true\" focusable=\"false\">"
    );
    for (_, seconds) in MARKS {
        let x = timeline::position(seconds);
        let _ = write!(
            drawing,
            "<line class=\"mark\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"18\"/>"
        );
    }
    if left >= 0 {
        let width = end.max(3);
        let _ = write!(
            drawing,
            "<rect class=\"bar\" x=\"0\" y=\"4\" width=\"{width}\" height=\"10\" rx=\"2\"/>"
        );
    } else {
        drawing.push_str("<path class=\"gone\" d=\"M1 5l8 8m0-8l-8 8\"/>");
    }
    drawing.push_str("</svg>");
    format!(
        "<tr class=\"{}\"><th scope=\"row\">{}<br><small>{}</small></th><td class=\"state\">{}</td>\
         <td>{}<br><small>{}</small></td><td>{drawing}</td></tr>",
        line.standing.class(),
        Escaped(&line.subject),
        Escaped(&line.whose),
        line.standing.word(),
        Escaped(timeline::distance(left)),
        time(line.not_after)
    )
}

/// Every certificate that is known, the first to expire first.
fn lines(view: &View<'_>) -> Vec<Line> {
    let line = |whose: String, certificate: &Certificate, soon: i64| Line {
        whose,
        subject: certificate.subject_text.clone(),
        not_after: certificate.not_after,
        standing: timeline::standing(
            certificate.not_before,
            certificate.not_after,
            soon,
            view.now,
        ),
    };
    let mut lines = Vec::new();
    for anchor in &view.trust_anchors {
        for ca in &anchor.certificates {
            let whose = format!("trust anchor {}", anchor.name);
            lines.push(line(whose, ca, threshold_seconds(anchor)));
        }
    }
    for subject in view.subjects {
        // The newest: older ones are on their way out.
        let newest = subject.credentials.last();
        let parsed = newest.and_then(|c| Certificate::from_der(&c.certificate_der).ok());
        lines.extend(parsed.map(|parsed| {
            // Many live for a day, and are not about to end all their lives.
            let tenth = parsed.not_after.seconds_since(parsed.not_before) / 10;
            line("subject".to_owned(), &parsed, tenth)
        }));
    }
    lines.sort_by_key(|line| line.not_after);
    lines
}

/// How long before its expiry a trust anchor's certificate is told of.
fn threshold_seconds(anchor: &TrustAnchor) -> i64 {
    let mut settings = anchor.notification_settings.iter();
    let setting = settings.find(|s| s.event == NotificationEvent::CaCertificateExpiry);
    setting
        .and_then(|s| s.threshold)
        .map_or(0, |days| i64::from(days) * 86_400)
}

fn anchors(out: &mut String, view: &View<'_>) {
    let rows: Vec<String> = view
        .trust_anchors
        .iter()
        .map(|anchor| {
            let certificates: Vec<String> = anchor
                .certificates
                .iter()
                .map(|ca| Escaped(&ca.subject_text).to_string())
                .collect();
            row(
                &anchor.name,
                anchor.enabled,
                &anchor.arn,
                anchor.alias_arn.as_deref(),
                &certificates.join("<br>"),
            )
        })
        .collect();
    section(
        out,
        "anchors",
        "Trust anchors",
        "Trust anchors",
        &["Name", "State", "ARN", "Certificates"],
        "No trust anchor: every call will be refused.",
        &rows,
    );
}

fn crls(out: &mut String, view: &View<'_>) {
    let rows: Vec<String> = view
        .crls
        .iter()
        .map(|crl| {
            let what = format!(
                "{}<br><small>{} revoked</small>",
                Escaped(crl.list.issuer()),
                crl.list.count()
            );
            row(
                &crl.name,
                crl.enabled,
                &crl.arn,
                crl.alias_arn.as_deref(),
                &what,
            )
        })
        .collect();
    section(
        out,
        "crls",
        "Revocation lists",
        "Certificate revocation lists",
        &["Name", "State", "ARN", "Issuer"],
        "No revocation list.",
        &rows,
    );
}

fn profiles(out: &mut String, view: &View<'_>) {
    let rows: Vec<String> = view
        .profiles
        .iter()
        .map(|profile| {
            let mut what: Vec<String> = profile
                .role_arns
                .iter()
                .map(|arn| format!("<code>{}</code>", Escaped(arn)))
                .collect();
            what.push(format!(
                "<small>sessions of {} s at most</small>",
                profile.duration_seconds
            ));
            row(
                &profile.name,
                profile.enabled,
                &profile.arn,
                profile.alias_arn.as_deref(),
                &what.join("<br>"),
            )
        })
        .collect();
    section(
        out,
        "profiles",
        "Profiles",
        "Profiles",
        &["Name", "State", "ARN", "Roles"],
        "No profile.",
        &rows,
    );
}

fn roles(out: &mut String, view: &View<'_>) {
    let rows: Vec<String> = view
        .roles
        .iter()
        .map(|role| {
            format!(
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td>{} s</td></tr>",
                Escaped(&role.name),
                Escaped(&role.arn),
                role.max_session_duration
            )
        })
        .collect();
    section(
        out,
        "roles",
        "Roles",
        "Roles of IAM",
        &["Name", "ARN", "Longest session"],
        "No role.",
        &rows,
    );
}

fn subjects(out: &mut String, view: &View<'_>) {
    let rows: Vec<String> = view
        .subjects
        .iter()
        .map(|subject| {
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
                Escaped(&subject.x509_subject),
                time(subject.last_seen_at),
                subject.credentials.len(),
                Escaped(&subject.id)
            )
        })
        .collect();
    let caption = match view.subject_count {
        count if count > rows.len() => format!("The first {SUBJECTS_SHOWN} of {count} subjects"),
        _ => "Subjects: who has asked for a session".to_owned(),
    };
    section(
        out,
        "subjects",
        "Subjects",
        &caption,
        &["Subject", "Last seen", "Certificates", "Id"],
        "Nobody has had a session yet.",
        &rows,
    );
}

/// A resource's row: name, state, ARN with alias, and what is particular to it (HTML).
fn row(name: &str, enabled: bool, arn: &str, alias: Option<&str>, what: &str) -> String {
    let alias = alias.map_or(String::new(), |alias| {
        format!("<br><code>{}</code>", Escaped(alias))
    });
    let (class, state) = if enabled {
        ("enabled", "enabled")
    } else {
        ("disabled", "disabled")
    };
    format!(
        "<tr class=\"{class}\"><th scope=\"row\">{}</th><td class=\"state\">{state}</td>\
         <td><code>{}</code>{alias}</td><td>{what}</td></tr>",
        Escaped(name),
        Escaped(arn)
    )
}

/// A sentence of the log: what stands in backticks is code.
fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // One is left over: it is the text's own.
        return Escaped(text).to_string();
    }
    let mut html = String::new();
    for (at, part) in parts.iter().enumerate() {
        let part = Escaped(part);
        let _ = match at % 2 {
            0 => write!(html, "{part}"),
            _ => write!(html, "<code>{part}</code>"),
        };
    }
    html
}

/// A time of the day that it is, or with its date.
fn time_of_day(time_: UnixTime, now: UnixTime) -> String {
    let (iso, today) = (time_.to_iso8601(), now.to_iso8601());
    match (iso.split_once('T'), today.split_once('T')) {
        (Some((day, hour)), Some((other, _))) if day == other => {
            let hour = hour.trim_end_matches('Z');
            format!("<time datetime=\"{iso}\">{hour}</time>")
        }
        _ => time(time_),
    }
}

/// A time that people and machines can read.
fn time(time: UnixTime) -> String {
    let iso = time.to_iso8601();
    let shown = iso.replace('T', " ").replace('Z', " UTC");
    format!("<time datetime=\"{iso}\">{shown}</time>")
}
