use super::*;

/// AWS's S3 documentation, "signature calculations for the authorization header", GET object.
#[test]
fn the_documented_s3_request() {
    let headers = [
        ("Host", "examplebucket.s3.amazonaws.com"),
        ("Range", "bytes=0-9"),
    ];
    let signed = sign_headers(
        &request("/test.txt", "", &headers),
        &CREDENTIALS,
        at("20130524T000000Z"),
        "us-east-1",
        "s3",
        HmacSettings {
            canonical: Settings::S3,
            content_sha256_header: true,
            ..HmacSettings::default()
        },
    )
    .unwrap();
    assert_eq!(
        signed.signature(),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
}

/// AWS's S3 documentation, "signature calculations for query parameters".
#[test]
fn the_documented_presigned_url() {
    let headers = [("Host", "examplebucket.s3.amazonaws.com")];
    let signed = presign(
        &SigningRequest {
            payload: Payload::Unsigned,
            ..request("/test.txt", "", &headers)
        },
        &CREDENTIALS,
        at("20130524T000000Z"),
        "us-east-1",
        "s3",
        Duration::from_secs(86_400),
        HmacSettings::for_service("s3"),
    )
    .unwrap();
    assert_eq!(
        signed.signature(),
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

/// AWS's IAM documentation, "create a signed AWS API request": `ListUsers`.
#[test]
fn the_documented_iam_request() {
    let headers = [
        ("Host", "iam.amazonaws.com"),
        (
            "Content-Type",
            "application/x-www-form-urlencoded; charset=utf-8",
        ),
    ];
    let signed = sign_headers(
        &request("/", "Action=ListUsers&Version=2010-05-08", &headers),
        &HmacCredentials {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token: None,
        },
        at("20150830T123600Z"),
        "us-east-1",
        "iam",
        HmacSettings::default(),
    )
    .unwrap();
    assert_eq!(
        signed.signature(),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn a_signed_request_can_be_signed_again() {
    let now = at("20240706T113859Z");
    let key = SigningKey::new(
        &HmacCredentials {
            session_token: Some("token"),
            ..CREDENTIALS
        },
        now,
        "us-east-2",
        "sts",
    )
    .unwrap();
    let settings = HmacSettings {
        content_sha256_header: true,
        ..HmacSettings::default()
    };
    let headers = [("host", "h")];
    let first = key
        .sign_headers(&request("/", "", &headers), now, settings)
        .unwrap();
    let mut headers = headers.to_vec();
    headers.extend(
        first
            .headers()
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "host",
            "X-Amz-Security-Token",
            "X-Amz-Date",
            "x-amz-content-sha256",
            "Authorization"
        ]
    );
    let second = key
        .sign_headers(&request("/", "", &headers), now, settings)
        .unwrap();
    assert_eq!(second.headers(), first.headers());
    assert_eq!(
        first.canonical_request().signed_headers(),
        "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
    );
}

#[test]
fn a_signing_key_is_for_one_day() {
    let key = SigningKey::new(&CREDENTIALS, at("20240706T000000Z"), "us-east-2", "sts").unwrap();
    assert!(key.covers(at("20240706T235959Z")));
    let next = at("20240707T000000Z");
    assert!(!key.covers(next));
    let request = request("/", "", &[("host", "h")]);
    refused(
        key.sign_headers(&request, next, HmacSettings::default()),
        "derive another",
    );
    refused(
        key.presign(
            &request,
            next,
            Duration::from_secs(60),
            HmacSettings::default(),
        ),
        "derive another",
    );
}

#[test]
fn credentials_that_cannot_sign_are_refused() {
    let now = at("20240706T000000Z");
    let with = |access_key_id, secret_access_key, session_token| {
        let credentials = HmacCredentials {
            access_key_id,
            secret_access_key,
            session_token,
        };
        SigningKey::new(&credentials, now, "us-east-2", "sts")
    };
    assert!(with("AKID", "secret", Some("to/ken+==")).is_ok());
    refused(with("", "secret", None), "empty");
    refused(with("AKID", "", None), "empty");
    for token in ["", "to ken", "token\n", "tökén"] {
        let error = with("AKID", "secret", Some(token)).unwrap_err();
        assert!(error.message().contains("session token"), "{error}");
        assert!(
            token.is_empty() || !error.message().contains(token),
            "{error}"
        );
    }
}

#[test]
fn presigning_is_bounded() {
    let key = SigningKey::new(&CREDENTIALS, at("20240706T000000Z"), "us-east-2", "sts").unwrap();
    let sign = |query, expires| {
        key.presign(
            &request("/", query, &[("host", "h")]),
            at("20240706T000000Z"),
            expires,
            HmacSettings::default(),
        )
    };
    for seconds in [1, MAX_PRESIGN_SECONDS] {
        let signed = sign("", Duration::from_secs(seconds)).unwrap();
        assert!(
            signed
                .as_str()
                .contains(&format!("&X-Amz-Expires={seconds}&"))
        );
    }
    for expires in [
        Duration::ZERO,
        Duration::from_millis(999),
        Duration::from_secs(MAX_PRESIGN_SECONDS + 1),
        Duration::MAX,
    ] {
        refused(sign("", expires), "1 to 604800");
    }
    let minute = Duration::from_secs(60);
    for query in ["X-Amz-Signature=0", "a=b&x-amz-date", "X-Amz-Expires=1&a"] {
        refused(sign(query, minute), "already");
    }
    assert!(
        sign("Action=x&", minute)
            .unwrap()
            .as_str()
            .starts_with("Action=x&X-Amz-Alg")
    );
}

#[test]
fn debug_shows_no_secret() {
    let now = at("20240706T000000Z");
    let credentials = HmacCredentials {
        session_token: Some("SESSION"),
        secret_access_key: "SECRET",
        ..CREDENTIALS
    };
    let headers = [("host", "h"), ("x-amz-security-token", "SESSION")];
    let request = SigningRequest {
        payload: Payload::Bytes(b"SECRET"),
        ..request("/", "", &headers)
    };
    let key = SigningKey::new(&credentials, now, "us-east-2", "sts").unwrap();
    let signed = key
        .sign_headers(&request, now, HmacSettings::default())
        .unwrap();
    let presigned = key
        .presign(
            &request,
            now,
            Duration::from_secs(60),
            HmacSettings::default(),
        )
        .unwrap();
    for shown in [
        format!("{credentials:?}"),
        format!("{request:?}"),
        format!("{key:?}"),
        format!("{signed:?}"),
        format!("{presigned:?}"),
        format!("{:?}", signed.canonical_request()),
    ] {
        for secret in [
            "SESSION",
            "SECRET",
            signed.signature(),
            presigned.signature(),
        ] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
