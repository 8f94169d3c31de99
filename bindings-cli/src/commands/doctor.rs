//! `rolesanywhere doctor`: what the service will see, and what it will say, before it is asked.

mod report;
mod trust_policy;

use std::time::Instant;

use rolesanywhere_core::{
    Certificate, CertificateChain, Error, ErrorKind, HttpRequest, Result, UnixTime,
    identity::{self, AttributeMapping},
    provider::Policy,
};

use self::report::{Clock, Endpoint, Granted, Report, Verdict};
use crate::{arguments::Doctor, client::Client, clock, console::Console, environment::Environment};

/// A clock that is off by less is not worth a word: HTTP's `Date` has whole seconds and travels.
const IGNORED_OFFSET_SECONDS: i64 = 5;

/// Prints the report: as a table, or with `--json` as one JSON object.
///
/// # Errors
/// The options' and the files', before anything is printed; [`ErrorKind::AccessDenied`] after the report,
/// when it says that there will be no session.
pub(crate) fn run(
    options: &Doctor,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    let client = Client::new(&options.client, *environment, console)?;
    let identity = client.identity()?;
    let policy = options
        .trust_policy
        .as_deref()
        .map(trust_policy::read)
        .transpose()?;
    let now = clock::now();
    let mut report = examine(&client, &identity.chain, now);
    report.key = identity.key.algorithm().to_string();
    if let Some(policy) = policy {
        let inputs = trust_policy::Inputs {
            tags: &report.tags,
            request: client.request(),
            source_identity: report.source_identity.as_deref().unwrap_or_default(),
            session_name: &report.session_name,
            now,
        };
        report.trust_policy = Some(trust_policy::verdict(&policy, &inputs));
    }
    report.endpoint = reach(&client);
    if options.ask {
        report.granted = Some(ask(&client));
    }
    let page = match options.json {
        true => report.to_json(),
        false => report.to_text(report::is_coloured(environment)),
    };
    super::print(page.as_bytes())?;
    match report.refusals() {
        0 => Ok(()),
        count => Err(Error::new(
            ErrorKind::AccessDenied,
            format!(
                "there will be no session: {count} {} above to correct",
                if count == 1 { "point" } else { "points" }
            ),
        )),
    }
}

/// What the certificate and the options tell, without the network.
fn examine(client: &Client<'_>, chain: &CertificateChain, now: UnixTime) -> Report {
    let end_entity = chain.end_entity();
    let tags = identity::principal_tags(end_entity, &AttributeMapping::default());
    let request = client.request();
    let named = client.session_name();
    let path = identity::likely_path(chain, now);
    Report {
        trust_anchor: request.trust_anchor().as_str().to_owned(),
        profile: request.profile().as_str().to_owned(),
        role: request.role().as_str().to_owned(),
        subject: end_entity.subject().to_string(),
        issuer: end_entity.issuer().to_string(),
        serial_number: end_entity.serial_decimal().to_owned(),
        fingerprint: end_entity.fingerprint_sha256(),
        not_before: end_entity.not_before(),
        not_after: end_entity.not_after(),
        key: String::new(),
        chain: std::iter::once(end_entity)
            .chain(chain.intermediates())
            .map(|certificate: &Certificate| certificate.subject().to_string())
            .collect(),
        path: std::iter::once(end_entity)
            .chain(path.iter().copied())
            .map(|certificate| certificate.subject().to_string())
            .collect(),
        anchor_subject: path.last().unwrap_or(&end_entity).issuer().to_string(),
        session_name: named
            .unwrap_or_else(|| identity::default_session_name(end_entity))
            .to_owned(),
        session_name_given: named.is_some(),
        source_identity: identity::source_identity(end_entity),
        tags: tags.tags().to_vec(),
        findings: identity::findings(chain, now, named),
        endpoint: Endpoint::default(),
        trust_policy: None,
        granted: None,
        now,
    }
}

/// Whether the endpoint answers at all, and what its clock says. Whatever it answers is fine.
fn reach(client: &Client<'_>) -> Endpoint {
    let url = client.request().endpoint().url().to_owned();
    let mut found = Endpoint {
        url: url.clone(),
        signing_region: client.request().endpoint().signing_region().to_owned(),
        ..Endpoint::default()
    };
    let http = match client.http() {
        Ok(http) => http,
        Err(error) => {
            found.failure = Some(error.message().to_owned());
            return found;
        }
    };
    found.way = http.describe();
    let begun = Instant::now();
    let request = HttpRequest {
        method: "GET",
        url: format!("{}/", url.trim_end_matches('/')),
        headers: Vec::new(),
        body: Vec::new(),
    };
    match http.send(&request, client.policy(Policy::default()).attempt_timeout) {
        Ok(answer) => {
            found.milliseconds = Some(begun.elapsed().as_secs_f64() * 1000.0);
            found.status = Some(answer.status);
            let date = answer
                .header("date")
                .and_then(|date| UnixTime::from_http_date(date).ok());
            found.clock = date.map(|date| {
                let offset = date.seconds_since(clock::now());
                Clock {
                    offset_seconds: if offset.abs() < IGNORED_OFFSET_SECONDS {
                        0
                    } else {
                        offset
                    },
                }
            });
        }
        Err(failure) => found.failure = Some(failure.error.message().to_owned()),
    }
    found
}

/// Asks for a session, of which nothing is kept.
fn ask(client: &Client<'_>) -> Granted {
    let outcome = client.session();
    match outcome {
        Ok(session) => Granted {
            verdict: Verdict::Granted,
            what: session
                .assumed_role_arn()
                .map(|arn| arn.as_str().to_owned())
                .unwrap_or_default(),
        },
        Err(error) => Granted {
            verdict: Verdict::Refused,
            what: error.message().to_owned(),
        },
    }
}
