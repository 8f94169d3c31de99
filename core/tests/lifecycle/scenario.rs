//! Plays one scenario against a `Provider`.

use std::{collections::HashMap, fs, path::Path, time::Duration};

use rolesanywhere_core::{
    CertificateChain, CreateSession, Error, ErrorKind, HttpResponse, PrivateKey, Secret, Signer,
    UnixTime,
    provider::{Action, Event, HostTime, Loss, NoteKind, Policy, Provider, Reading, Sharing},
    signers::rustcrypto::RustCryptoSigner,
};
use serde_json::{Value, json};

/// What polls brought: actions by kind and the last id of each.
pub(crate) struct Scenario<'a> {
    json: &'a Value,
    provider: Provider,
    start: i64,
    /// Milliseconds since the start: true time, by which the service's clock runs.
    now: i64,
    /// What was added to the wall clock since the start.
    set_by: i64,
    slept: i64,
    service_ahead: i64,
    has_monotonic: bool,
    ids: HashMap<String, u32>,
    last: HashMap<String, Action>,
    notes: Vec<NoteKind>,
    store: HashMap<&'static str, Secret<Vec<u8>>>,
    signer: RustCryptoSigner,
    step: usize,
}

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

impl<'a> Scenario<'a> {
    pub(crate) fn new(json: &'a Value, seed: u64) -> Self {
        let seconds = |value: &Value| value.as_f64().map(Duration::from_secs_f64);
        let mut policy = Policy::default();
        for (name, value) in json["policy"].as_object().into_iter().flatten() {
            let duration = seconds(value).unwrap();
            match name.as_str() {
                "attempts" => policy.attempts = u32::try_from(value.as_u64().unwrap()).unwrap(),
                "attempt_timeout" => policy.attempt_timeout = duration,
                "background_window" => policy.background_window = duration,
                "mandatory_window" => policy.mandatory_window = duration,
                "patience" => policy.patience = duration,
                "total_timeout" => policy.total_timeout = duration,
                other => panic!("the policy `{other}` is not known"),
            }
        }
        let region = "arn:aws:rolesanywhere:eu-west-1:123456789012";
        let role = json["role"].as_str().unwrap_or(ROLE);
        let call = CreateSession::new(
            &format!("{region}:trust-anchor/0d1c5b6e-0000-4000-8000-000000000000"),
            &format!("{region}:profile/7f3a2c11-0000-4000-8000-000000000000"),
            role,
        )
        .unwrap();
        let mut provider = Provider::new(call, &policy, seed);
        if let Some(sharing) = json["sharing"].as_object() {
            let time = |name: &str| sharing.get(name).and_then(seconds).unwrap_or_default();
            let mut given = match sharing["lock"].as_bool().unwrap() {
                true => Sharing::with_lock(),
                false => Sharing::without_lock(time("propagation"), time("cold_spread")),
            };
            given.identity = sharing
                .get("identity")
                .map(|id| id.as_str().unwrap().to_owned());
            provider = provider.with_sharing(given);
        }
        if let Some(machine) = json["machine"].as_str() {
            provider = provider.with_machine(machine);
        }
        if json["monotonic_counts_sleep"] == true {
            provider = provider.with_monotonic_that_counts_sleep();
        }
        let start = json["start"].as_str().unwrap_or("2026-11-27T12:00:00Z");
        Self {
            json,
            provider,
            start: UnixTime::from_iso8601(start).unwrap().seconds() * 1000,
            now: 0,
            set_by: 0,
            slept: 0,
            service_ahead: json["service_ahead"].as_i64().unwrap_or(0) * 1000,
            has_monotonic: json["monotonic"] != false,
            ids: HashMap::new(),
            last: HashMap::new(),
            notes: Vec::new(),
            store: HashMap::new(),
            signer: signer(),
            step: 0,
        }
    }

    /// Plays the scenario and asks once more: for how many milliseconds the credentials are used.
    pub(crate) fn used_for(mut self) -> i64 {
        self.play_steps();
        let now = self.clocks();
        let window = self.provider.ask(now).window().unwrap();
        window.until.milliseconds() - now.wall.milliseconds()
    }

    pub(crate) fn play(mut self) {
        self.play_steps();
    }

    fn play_steps(&mut self) {
        for step in self.json["steps"].as_array().unwrap() {
            self.step += 1;
            let at = (step["at"].as_f64().unwrap() * 1000.0).round() as i64;
            assert!(at >= self.now, "{}: `at` runs backwards", self.place());
            self.now = at;
            self.take(step);
        }
    }

    fn take(&mut self, step: &Value) {
        if let Some(by) = step["clock_set_by"].as_f64() {
            self.set_by += (by * 1000.0) as i64;
        } else if let Some(time) = step["slept"].as_f64() {
            // `at` has come this far while the monotonic clock stood still.
            self.slept += (time * 1000.0) as i64;
        } else if let Some(expected) = step["ask"].as_str() {
            self.ask(expected, step);
        } else if let Some(kind) = step["event"].as_str() {
            self.event(kind, step);
        } else if let Some(expected) = step["actions"].as_array() {
            self.expect(expected);
        } else if step["renew"].is_object() {
            self.renew(&step["renew"]);
        } else if let Some(kinds) = step["notes"].as_array() {
            let heard: Vec<_> = self.notes.drain(..).map(NoteKind::word).collect();
            for kind in kinds {
                let kind = kind.as_str().unwrap();
                assert!(
                    heard.contains(&kind),
                    "{}: no note `{kind}` in {heard:?}",
                    self.place()
                );
            }
        } else {
            panic!("{}: the step says nothing", self.place());
        }
    }

    // ---- clocks

    fn clocks(&self) -> Reading {
        let monotonic = u64::try_from(self.now - self.slept + 1_000_000_000).unwrap();
        let wall = self.start + self.now + self.set_by;
        Reading::new(wall, self.has_monotonic.then_some(monotonic))
    }

    /// The service's clock, in seconds.
    fn service(&self) -> i64 {
        (self.start + self.service_ahead + self.now).div_euclid(1000)
    }

    fn place(&self) -> String {
        format!("step {} at {} s", self.step, self.now as f64 / 1000.0)
    }

    fn within(&self, what: &str, value: Duration, expected: &Value) {
        if expected.is_null() {
            return;
        }
        let value = value.as_secs_f64();
        let (low, high) = match expected.as_array() {
            Some(range) => (range[0].as_f64().unwrap(), range[1].as_f64().unwrap()),
            None => (expected.as_f64().unwrap(), expected.as_f64().unwrap()),
        };
        assert!(
            (low - 0.001..=high + 0.001).contains(&value),
            "{}: {what} is {value} s, expected {expected}",
            self.place()
        );
    }

    // ---- steps

    fn ask(&mut self, expected: &str, step: &Value) {
        use rolesanywhere_core::provider::Advice;

        let now = self.clocks();
        let advice = self.provider.ask(now);
        assert_eq!(
            advice.kind(),
            expected,
            "{}: {:?}",
            self.place(),
            self.provider.error()
        );
        let lasts = match advice {
            Advice::Use(window) | Advice::UseAndDrive(window) => {
                assert!(
                    self.provider.is_valid(now),
                    "{}: used, and not valid",
                    self.place()
                );
                let length = window.until.milliseconds() - now.wall.milliseconds();
                assert!(
                    window.covers(now) || length == 0,
                    "{}: {window:?}",
                    self.place()
                );
                Duration::from_millis(u64::try_from(length).unwrap())
            }
            Advice::Wait { at_most } => at_most,
            Advice::Fail { again_after } => again_after,
            _ => Duration::ZERO,
        };
        self.within("the advice", lasts, &step["for"]);
        if let Some(ends) = step["ends_in"].as_array() {
            let left = self.provider.valid_for(now);
            self.within("the validity", left, &Value::Array(ends.clone()));
        }
        if let Some(name) = step["credentials"].as_str() {
            let held = self.provider.session().unwrap().credentials();
            assert_eq!(held.access_key_id(), name, "{}", self.place());
        }
        if expected == "fail" || !step["error"].is_null() {
            let error = self.provider.error().expect("an error").clone();
            if let Some(code) = step["error"].as_str() {
                assert_eq!(error.kind().code(), code, "{}: {error}", self.place());
            }
            for words in step["says"].as_array().into_iter().flatten() {
                let words = words.as_str().unwrap();
                assert!(
                    error.message().contains(words),
                    "{}: `{words}` in: {error}",
                    self.place()
                );
            }
        }
    }

    fn poll(&mut self) -> Option<Action> {
        loop {
            let action = self.provider.poll(self.clocks())?;
            if let Action::Note(note) = action {
                assert!(!note.message.contains("secret"), "{}", note.message);
                self.notes.push(note.kind);
                continue;
            }
            if let Some(id) = action.id() {
                self.ids.insert(action.kind().to_owned(), id);
            }
            if let Action::Store { key, entry, .. } = &action {
                let holds = if is_failure(entry.expose()) {
                    "failure"
                } else {
                    "session"
                };
                assert_eq!(key.len(), 64);
                self.store.insert(holds, entry.clone());
            }
            self.last.insert(action.kind().to_owned(), action.clone());
            return Some(action);
        }
    }

    fn expect(&mut self, expected: &[Value]) {
        for wanted in expected {
            let kind = wanted["action"].as_str().unwrap();
            if kind == "none" {
                let more = self.poll();
                assert!(more.is_none(), "{}: more to do: {more:?}", self.place());
                continue;
            }
            let action = self.poll();
            let found = action.as_ref().map(Action::kind);
            assert_eq!(
                found,
                Some(kind),
                "{}: {:?}",
                self.place(),
                self.provider.error()
            );
            let action = action.unwrap();
            let lasts = match &action {
                Action::Fail { again_after } => *again_after,
                Action::Use(window) => {
                    let length = window.until.milliseconds() - self.clocks().wall.milliseconds();
                    Duration::from_millis(u64::try_from(length).unwrap())
                }
                other => other.timeout().unwrap(),
            };
            self.within(kind, lasts, &wanted["for"]);
            match &action {
                Action::Store { entry, ttl, .. } => {
                    self.within("the entry's life", *ttl, &wanted["ttl"]);
                    if let Some(holds) = wanted["holds"].as_str() {
                        assert_eq!(
                            is_failure(entry.expose()),
                            holds == "failure",
                            "{}",
                            self.place()
                        );
                    }
                }
                Action::Lock { lease, .. } => self.within("the lease", *lease, &wanted["lease"]),
                Action::Send { request, .. } if !wanted["dated"].is_null() => {
                    let date = request
                        .headers
                        .iter()
                        .find(|(name, _)| name == "x-amz-date");
                    let date = UnixTime::from_sigv4(&date.unwrap().1).unwrap();
                    let off = date.seconds() - self.service();
                    let range = wanted["dated"].as_array().unwrap();
                    let (low, high) = (range[0].as_i64().unwrap(), range[1].as_i64().unwrap());
                    assert!(
                        (low..=high).contains(&off),
                        "{}: dated {off} s off",
                        self.place()
                    );
                }
                _ => {}
            }
        }
    }

    fn event(&mut self, kind: &str, step: &Value) {
        let now = self.clocks();
        let answers = match kind {
            "identity_loaded" | "identity_failed" => "load_identity",
            "signed" | "sign_failed" => "sign",
            "answered" | "not_answered" => "send",
            "loaded" | "unreadable" => "load",
            "locked" | "lock_held" => "lock",
            "stored" => "store",
            "unlocked" => "unlock",
            "store_failed" => step["of"].as_str().unwrap(),
            _ => "",
        };
        let mut id = self.ids.get(answers).copied().unwrap_or_default();
        if step["stale"] == true {
            id = id.wrapping_sub(1);
        }
        let error = || {
            let code = step["error"].as_str().unwrap_or("transport_failed");
            let message = step["message"].as_str().unwrap_or("it failed");
            Error::new(ErrorKind::from_code(code).unwrap(), message)
        };
        let event = match kind {
            "tick" => Event::Tick,
            "cancelled" => Event::Cancelled,
            "refresh" => Event::Refresh,
            "forked" => Event::Forked { seed: 77 },
            "resumed" => Event::Resumed,
            "lock_lost" => Event::LockLost,
            "identity_loaded" => {
                let chain = chain(step["certificate"].as_str().unwrap_or("leaf"));
                Event::IdentityLoaded { id, chain }
            }
            "identity_failed" => {
                let ago = step["modified_ago"].as_i64();
                let modified = ago
                    .map(|ago| HostTime::from_milliseconds(now.wall.milliseconds() - ago * 1000));
                Event::IdentityFailed {
                    id,
                    error: error(),
                    modified,
                }
            }
            "signed" => {
                let Some(Action::Sign { request, .. }) = self.last.get("sign") else {
                    panic!("{}: nothing to sign", self.place());
                };
                let signature = self
                    .signer
                    .sign(request.string_to_sign().as_bytes())
                    .unwrap();
                Event::Signed { id, signature }
            }
            "sign_failed" => Event::SignFailed { id, error: error() },
            "answered" => Event::Answered {
                id,
                response: self.response(step),
            },
            "not_answered" => {
                let loss = Loss::from_word(step["loss"].as_str().unwrap()).unwrap();
                Event::NotAnswered {
                    id,
                    loss,
                    error: error(),
                }
            }
            "loaded" => Event::Loaded {
                id,
                entry: self.entry(&step["entry"]),
            },
            "unreadable" => Event::Unreadable { id },
            "locked" => Event::Locked { id },
            "lock_held" => Event::LockHeld { id },
            "stored" => Event::Stored { id },
            "unlocked" => Event::Unlocked { id },
            "store_failed" => Event::StoreFailed { id, error: error() },
            other => panic!("{}: the event `{other}` is not known", self.place()),
        };
        self.provider.handle(now, event);
    }

    /// The plain way from an advice to drive up to the credentials, with this answer.
    fn renew(&mut self, answer: &Value) {
        let advice = self.provider.ask(self.clocks()).kind();
        assert!(advice.ends_with("drive"), "{}: `{advice}`", self.place());
        self.expect(&[json!({"action": "load_identity"})]);
        self.event("identity_loaded", &json!({}));
        self.expect(&[json!({"action": "sign"})]);
        self.event("signed", &json!({}));
        self.expect(&[json!({"action": "send"})]);
        self.event("answered", answer);
        if answer["status"].is_null() {
            self.expect(&[json!({"action": "use"}), json!({"action": "none"})]);
        }
    }

    // ---- what the service and the store say

    fn response(&self, answer: &Value) -> HttpResponse {
        let status = u16::try_from(answer["status"].as_u64().unwrap_or(201)).unwrap();
        let mut headers = Vec::new();
        let content_type = answer["content_type"]
            .as_str()
            .unwrap_or("application/json");
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        match &answer["date"] {
            Value::Null => headers.push(("date".to_owned(), http_date(self.service()))),
            Value::Bool(_) => {}
            Value::String(text) => headers.push(("date".to_owned(), text.clone())),
            off => {
                let date = http_date(self.service() + off.as_i64().unwrap());
                headers.push(("date".to_owned(), date));
            }
        }
        if let Some(seconds) = answer["retry_after"].as_u64() {
            headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        if let Some(text) = answer["body"].as_str() {
            return HttpResponse::new(status, headers, text.as_bytes().to_vec());
        }
        if status != 201 {
            let code = answer["code"].as_str().unwrap_or("AccessDeniedException");
            headers.push(("x-amzn-errortype".to_owned(), code.to_owned()));
            let mut body = json!({"message": answer["message"].as_str().unwrap_or("no")});
            if let Some(seconds) = answer["retry_after_seconds"].as_u64() {
                body["retryAfterSeconds"] = json!(seconds);
            }
            return HttpResponse::new(status, headers, body.to_string().into_bytes());
        }
        let expiration = match &answer["expires_in"] {
            Value::String(text) => text.clone(),
            seconds => {
                let end = self.service() + seconds.as_i64().unwrap_or(3600);
                UnixTime::from_seconds(end).to_iso8601()
            }
        };
        let role = self.json["role"].as_str().unwrap_or(ROLE);
        let name = role.rsplit('/').next().unwrap();
        let assumed = format!("arn:aws:sts::123456789012:assumed-role/{name}/s");
        let mut set = json!({
            "assumedRoleUser": {"arn": answer["assumed_role"].as_str().unwrap_or(&assumed)},
            "credentials": {
                "accessKeyId": answer["credentials"].as_str().unwrap_or("ASIA1"),
                "secretAccessKey": "secret", "sessionToken": "secret-token", "expiration": expiration,
            },
            "roleArn": answer["role_arn"].as_str().unwrap_or(role),
        });
        if answer["role_arn"] == false {
            set.as_object_mut().unwrap().remove("roleArn");
        }
        let body = json!({"credentialSet": [set]});
        HttpResponse::new(status, headers, body.to_string().into_bytes())
    }

    /// An entry of the store: what this provider stored, or one that another would have stored.
    fn entry(&self, entry: &Value) -> Option<Secret<Vec<u8>>> {
        let time =
            |name: &str, otherwise: i64| self.service() + entry[name].as_i64().unwrap_or(otherwise);
        let body = match entry {
            Value::Null => return None,
            Value::String(name) if name == "stored" => return Some(self.store["session"].clone()),
            Value::String(name) if name == "stored failure" => {
                return Some(self.store["failure"].clone());
            }
            Value::String(text) => text.clone(),
            _ if !entry["failed"].is_null() => json!({
                "version": 2, "code": entry["failed"],
                "message": entry["message"].as_str().unwrap_or("no"),
                "failed_at": time("failed_in", 0), "until": time("until_in", 30),
            })
            .to_string(),
            _ => {
                let mut body = json!({
                    "version": entry["version"].as_u64().unwrap_or(2),
                    "access_key_id": entry["credentials"].as_str().unwrap_or("ASIASHARED"),
                    "secret_access_key": "secret", "session_token": "secret-token",
                    "expiration": UnixTime::from_seconds(time("expires_in", 3600)).to_iso8601(),
                    "issued_at": time("issued_in", 0),
                    "role_arn": entry["role_arn"].as_str().unwrap_or(ROLE),
                });
                if let Some(clock) = entry["clock"].as_object() {
                    let now = self.clocks();
                    let ago = clock["ago"].as_i64().unwrap() * 1000;
                    body["clock"] = json!({
                        "machine": clock["machine"], "offset_seconds": clock["offset"],
                        "wall_milliseconds": now.wall.milliseconds() - ago
                            + clock.get("wall_was_off_by").and_then(Value::as_i64).unwrap_or(0) * 1000,
                        "monotonic_milliseconds": i64::try_from(now.monotonic.unwrap()).unwrap() - ago,
                    });
                }
                body.to_string()
            }
        };
        Some(Secret::new(body.into_bytes()))
    }
}

fn is_failure(entry: &[u8]) -> bool {
    let json: Value = serde_json::from_slice(entry).unwrap();
    json["failed_at"].is_number()
}

fn file(name: &str) -> Vec<u8> {
    let folder = "../tests/vectors/lifecycle/certificates";
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(folder)
            .join(name),
    )
    .unwrap()
}

fn chain(name: &str) -> CertificateChain {
    CertificateChain::from_pem(&file(&format!("{name}.pem"))).unwrap()
}

fn signer() -> RustCryptoSigner {
    let key = PrivateKey::from_pem(&file("key.pem"), None).unwrap();
    RustCryptoSigner::new(&key).unwrap()
}

/// HTTP's form of a time, `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(seconds: i64) -> String {
    let iso = UnixTime::from_seconds(seconds).to_iso8601();
    let month: usize = iso[5..7].parse().unwrap();
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970 began on a Thursday
    let day = days[usize::try_from(seconds.div_euclid(86_400).rem_euclid(7)).unwrap()];
    let month = &months[month * 3 - 3..month * 3];
    format!(
        "{day}, {} {month} {} {} GMT",
        &iso[8..10],
        &iso[..4],
        &iso[11..19]
    )
}
