//! `GetCallerIdentity`: issued credentials sign, and nothing else does. Every request is shown to
//! `scratchstack-aws-signature` as well, which must be of the same opinion.

use std::str::FromStr;

use data_encoding::HEXLOWER;
use ring::hmac;
use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{Request, Service};
use scratchstack_aws_signature::{
    GetSigningKeyRequest, GetSigningKeyResponse, KSecretKey, NO_ADDITIONAL_SIGNED_HEADERS,
    SignatureOptions, principal::AssumedRole, sigv4_validate_request,
};

use crate::{
    client::{REGION, pair, sha256},
    lab::lab,
};

/// What CreateSession gave.
#[derive(Clone, Debug)]
struct Keys {
    id: String,
    secret: String,
    token: String,
}

/// A service with one session of fifteen minutes.
fn session() -> (Service, Keys) {
    let lab = lab();
    let service = lab.service();
    let call = lab.call().with_body(r#"{"durationSeconds":900}"#);
    let response = service.handle(&call.sign(&lab.leaf), lab.now);
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let keys = &body["credentialSet"][0]["credentials"];
    let text = |name: &str| keys[name].as_str().unwrap().to_owned();
    let keys = Keys {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
        token: text("sessionToken"),
    };
    (service, keys)
}

/// A call of STS before it is signed.
#[derive(Clone, Debug)]
struct StsCall {
    method: &'static str,
    query: &'static str,
    /// The query as the canonical request has it.
    canonical_query: &'static str,
    headers: Vec<(String, String)>,
    body: &'static str,
    scope: String,
    date: String,
}

const FORM: &str = "Action=GetCallerIdentity&Version=2011-06-15";

impl StsCall {
    fn post(keys: &Keys, now: UnixTime) -> Self {
        let date = now.to_sigv4();
        Self {
            method: "POST",
            query: "",
            canonical_query: "",
            headers: vec![
                pair(
                    "content-type",
                    "application/x-www-form-urlencoded; charset=utf-8",
                ),
                pair("host", "127.0.0.1:8443"),
                pair("x-amz-date", &date),
                pair("x-amz-security-token", &keys.token),
            ],
            body: FORM,
            scope: format!("{}/{REGION}/sts/aws4_request", &date[..8]),
            date,
        }
    }

    fn get(keys: &Keys, now: UnixTime) -> Self {
        let mut call = Self {
            method: "GET",
            query: FORM,
            canonical_query: FORM,
            body: "",
            ..Self::post(keys, now)
        };
        call.headers.remove(0);
        call
    }

    fn sign(&self, keys: &Keys) -> Request {
        let mut headers = self.headers.clone();
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let canonical = format!(
            "{}\n/\n{}\n{lines}\n{names}\n{}",
            self.method,
            self.canonical_query,
            sha256(self.body.as_bytes())
        );
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.date,
            self.scope,
            sha256(canonical.as_bytes())
        );
        let mut key = format!("AWS4{}", keys.secret).into_bytes();
        for part in self.scope.split('/').chain([string_to_sign.as_str()]) {
            let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            key = hmac::sign(&hmac_key, part.as_bytes()).as_ref().to_vec();
        }
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={}",
            keys.id,
            self.scope,
            HEXLOWER.encode(&key)
        );
        let mut headers = self.headers.clone();
        headers.push(pair("authorization", &authorization));
        let mark = if self.query.is_empty() { "" } else { "?" };
        Request {
            method: self.method.to_owned(),
            target: format!("/{mark}{}", self.query),
            headers,
            body: self.body.as_bytes().to_vec(),
            peer: None,
        }
    }
}

/// Whether scratchstack verifies the signature, given the secret of the access key.
fn scratchstack_verifies(request: &Request, keys: &Keys, now: UnixTime) -> bool {
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.target.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let keys = keys.clone();
    let mut signing_key = tower::service_fn(move |asked: GetSigningKeyRequest| {
        let known = asked.access_key() == keys.id;
        let secret = KSecretKey::from_str(&keys.secret).unwrap();
        let key = secret.to_ksigning(asked.request_date(), asked.region(), asked.service());
        async move {
            if !known {
                return Err(tower::BoxError::from("unknown access key"));
            }
            let who = AssumedRole::new("aws", "123456789012", "app", "session")?;
            Ok(GetSigningKeyResponse::builder()
                .principal(who)
                .signing_key(key)
                .build()?)
        }
    });
    let verdict = sigv4_validate_request(
        builder.body(request.body.clone()).unwrap(),
        REGION,
        "sts",
        &mut signing_key,
        chrono::DateTime::from_timestamp(now.seconds(), 0).unwrap(),
        &NO_ADDITIONAL_SIGNED_HEADERS,
        SignatureOptions::default(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(verdict).is_ok()
}

#[test]
fn who_holds_the_credentials_is_named() {
    let (service, keys) = session();
    let now = lab().now;
    let mut odd = StsCall::get(&keys, now);
    // Out of order, encoded without need, in lower case, with a plus and an empty value.
    odd.query = "Version=2011-06-15&b=%7e%2f&a&Action=GetCallerIdentity&B=x%20y&b=%2B";
    odd.canonical_query = "Action=GetCallerIdentity&B=x%20y&Version=2011-06-15&a=&b=%2B&b=~%2F";
    let mut spaced = StsCall::post(&keys, now);
    spaced.headers.push(pair("my-header", "a b c"));
    let mut spaced = spaced.sign(&keys);
    let header = spaced
        .headers
        .iter_mut()
        .find(|(name, _)| name == "my-header");
    header.unwrap().1 = "  a   b  c ".to_owned();
    for request in [
        StsCall::post(&keys, now).sign(&keys),
        StsCall::get(&keys, now).sign(&keys),
        odd.sign(&keys),
        spaced,
    ] {
        let response = service.handle(&request, now);
        assert_eq!(response.status, 200, "{}", response.text());
        let id = response.header("x-amzn-requestid").unwrap();
        let role_id = response.text();
        let role_id = role_id
            .split("<UserId>")
            .nth(1)
            .unwrap()
            .split(':')
            .next()
            .unwrap();
        assert!(
            role_id.starts_with("AROA") && role_id.len() == 21,
            "{role_id}"
        );
        assert_eq!(
            response.text(),
            format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
                 <GetCallerIdentityResult>\n    \
                 <Arn>arn:aws:sts::123456789012:assumed-role/app/61d5692c0a7b</Arn>\n    \
                 <UserId>{role_id}:61d5692c0a7b</UserId>\n    \
                 <Account>123456789012</Account>\n  \
                 </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
                 <RequestId>{id}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
            )
        );
        assert_eq!(response.header("content-type"), Some("text/xml"));
        assert!(scratchstack_verifies(&request, &keys, now));
    }
}

/// A request that must be refused: what STS says, and what scratchstack thinks of the signature.
struct Row {
    name: &'static str,
    request: Request,
    now: UnixTime,
    status: u16,
    code: &'static str,
    message: &'static str,
    verifies: bool,
}

const NO_MATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

#[test]
fn everybody_else_is_refused() {
    let (service, keys) = session();
    let now = lab().now;
    let row = |name, request, status, code, message, verifies| Row {
        name,
        request,
        now,
        status,
        code,
        message,
        verifies,
    };
    let signed = |change: fn(&mut StsCall)| {
        let mut call = StsCall::post(&keys, now);
        change(&mut call);
        call.sign(&keys)
    };
    let tampered = |change: fn(&mut Request)| {
        let mut request = StsCall::post(&keys, now).sign(&keys);
        change(&mut request);
        request
    };
    let with = |id: &str, secret: &str, token: &str| {
        let keys = Keys {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: token.to_owned(),
        };
        StsCall::post(&keys, now).sign(&keys)
    };
    let other_secret = "x".repeat(40);
    let does_not = "SignatureDoesNotMatch";
    let rows = vec![
        row(
            "an unknown access key",
            with("ASIAAAAAAAAAAAAAAAAA", &keys.secret, &keys.token),
            403,
            "InvalidClientTokenId",
            INVALID_TOKEN,
            false,
        ),
        row(
            "another secret",
            with(&keys.id, &other_secret, &keys.token),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "another token",
            with(&keys.id, &keys.secret, "token"),
            403,
            "InvalidClientTokenId",
            INVALID_TOKEN,
            true,
        ),
        row(
            "no token",
            signed(|c| c.headers.retain(|(n, _)| n != "x-amz-security-token")),
            403,
            "InvalidClientTokenId",
            INVALID_TOKEN,
            true,
        ),
        row(
            "a byte of the body",
            tampered(|r| r.body[0] ^= 1),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "a parameter more",
            tampered(|r| r.target.push_str("?a=b")),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "another method",
            tampered(|r| r.method = "GET".to_owned()),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "another host",
            tampered(|r| set(r, "host", "example.org")),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "the service of another",
            signed(|c| c.scope = c.scope.replace("/sts/", "/rolesanywhere/")),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "another region",
            signed(|c| c.scope = c.scope.replace("us-east-1", "us-east-2")),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "another day in the scope",
            signed(|c| c.scope.replace_range(..8, "20200101")),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "an unsigned host",
            signed(|c| c.headers.retain(|(n, _)| n != "host")),
            403,
            does_not,
            NO_MATCH,
            false,
        ),
        row(
            "no signature at all",
            tampered(|r| r.headers.retain(|(n, _)| n != "authorization")),
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
            false,
        ),
        row(
            "no date",
            tampered(|r| r.headers.retain(|(n, _)| n != "x-amz-date")),
            400,
            "IncompleteSignature",
            "there is no `X-Amz-Date` header",
            false,
        ),
        row(
            "another algorithm",
            tampered(|r| {
                let value = r
                    .header("authorization")
                    .unwrap()
                    .replace("AWS4-HMAC-SHA256", "AWS4-X509-RSA-SHA256");
                set(r, "authorization", &value);
            }),
            400,
            "IncompleteSignature",
            "Unsupported AWS 'algorithm': 'AWS4-X509-RSA-SHA256'.",
            false,
        ),
        row(
            "another action",
            signed(|c| c.body = "Action=AssumeRole&Version=2011-06-15"),
            400,
            "InvalidAction",
            "Could not find operation AssumeRole for version 2011-06-15",
            true,
        ),
        row(
            "another version",
            signed(|c| c.body = "Action=GetCallerIdentity&Version=2010-05-08"),
            400,
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version 2010-05-08",
            true,
        ),
        row(
            "the action twice",
            signed(|c| c.body = "Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15"),
            400,
            "InvalidAction",
            "Could not find operation GetCallerIdentity,AssumeRole for version 2011-06-15",
            true,
        ),
        row(
            "no action",
            signed(|c| c.body = "<&>"),
            400,
            "InvalidAction",
            "Could not find operation  for version ",
            true,
        ),
        Row {
            now: now.plus_seconds(16 * 60),
            ..row(
                "sixteen minutes late",
                StsCall::post(&keys, now).sign(&keys),
                403,
                does_not,
                NO_MATCH,
                false,
            )
        },
        Row {
            now: now.plus_seconds(-16 * 60),
            ..row(
                "sixteen minutes early",
                StsCall::post(&keys, now).sign(&keys),
                403,
                does_not,
                NO_MATCH,
                false,
            )
        },
        Row {
            now: now.plus_seconds(900),
            ..row(
                "expired",
                StsCall::post(&keys, now.plus_seconds(900)).sign(&keys),
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
                true,
            )
        },
    ];
    for row in rows {
        let response = service.handle(&row.request, row.now);
        let text = response.text();
        let id = response.header("x-amzn-requestid").unwrap();
        assert_eq!(
            (response.status, text.as_str()),
            (row.status, format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    \
                 <Type>Sender</Type>\n    <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
                 <RequestId>{id}</RequestId>\n</ErrorResponse>\n", row.code, row.message).as_str()),
            "{}", row.name
        );
        assert_eq!(
            scratchstack_verifies(&row.request, &keys, row.now),
            row.verifies,
            "{}",
            row.name
        );
    }
    // A second before they expire they still sign.
    let last = now.plus_seconds(899);
    assert_eq!(
        service
            .handle(&StsCall::post(&keys, last).sign(&keys), last)
            .status,
        200
    );
}

fn set(request: &mut Request, name: &str, value: &str) {
    let header = request.headers.iter_mut().find(|(have, _)| have == name);
    header.unwrap().1 = value.to_owned();
}
