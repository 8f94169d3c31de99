//! The success answer has the form recorded from the live service; the values are made up.

use super::*;
use alloc::vec;

const SUCCESS: &str = r#"{"credentialSet":[{"assumedRoleUser":{"arn":"arn:aws:sts::123456789012:assumed-role/reader/61d5692c","assumedRoleId":"AROAEXAMPLE:61d5692c"},"credentials":{"accessKeyId":"ASIAEXAMPLE","expiration":"2024-01-16T00:02:43Z","secretAccessKey":"abc/DEF+123","sessionToken":"IQoJb3=="},"packedPolicySize":46,"roleArn":"arn:aws:iam::123456789012:role/path/reader","sourceIdentity":"CN=alice"}],"subjectArn":"arn:aws:rolesanywhere:us-east-1:123456789012:subject/2c4e"}"#;

fn response(status: u16, body: &str) -> HttpResponse {
    let headers = vec![
        (
            "Date".to_string(),
            "Sat, 06 Jul 2024 11:38:59 GMT".to_string(),
        ),
        ("X-Amzn-RequestId".to_string(), "r-1\u{1b}[31m".to_string()),
    ];
    HttpResponse::new(status, headers, body.as_bytes().to_vec())
}

fn refusal(status: u16, header: Option<&str>, body: &str) -> Error {
    let mut response = response(status, body);
    if let Some(value) = header {
        response
            .headers
            .push(("x-amzn-ErrorType".to_string(), value.to_string()));
    }
    Session::from_response(&response).unwrap_err()
}

#[test]
fn a_session_is_read_whole() {
    let session = Session::from_response(&response(201, SUCCESS)).unwrap();
    let credentials = session.credentials();
    assert_eq!(credentials.access_key_id(), "ASIAEXAMPLE");
    assert_eq!(credentials.secret_access_key().expose(), "abc/DEF+123");
    assert_eq!(credentials.session_token().expose(), "IQoJb3==");
    assert_eq!(
        credentials.expiration().to_iso8601(),
        "2024-01-16T00:02:43Z"
    );
    assert_eq!(credentials.account_id(), Some("123456789012"));
    assert_eq!(session.source_identity(), Some("CN=alice"));
    assert_eq!(session.packed_policy_size(), Some(46));
    assert_eq!(session.assumed_role_id(), Some("AROAEXAMPLE:61d5692c"));
    assert_eq!(session.role_arn().unwrap().resource(), "role/path/reader");
    assert_eq!(session.subject_arn().unwrap().resource(), "subject/2c4e");
    assert_eq!(
        session.server_time().unwrap().to_sigv4(),
        "20240706T113859Z"
    );
    assert_eq!(session.request_id(), Some("r-1 [31m"));
}

#[test]
fn any_2xx_and_unknown_members_are_accepted() {
    let body = SUCCESS.replacen('{', r#"{"enrollmentArn":"x","new":[{"a":null}],"#, 1);
    assert!(Session::from_response(&response(200, &body)).is_ok());
}

#[test]
fn an_answer_that_is_no_session_is_refused_without_echoing_it() {
    let cut = &SUCCESS[..SUCCESS.len() / 2];
    let long = "x".repeat(MAX_RESPONSE_LENGTH + 1);
    for (body, part) in [
        ("", "it is empty"),
        (cut, "cut short"),
        ("<html>abc/DEF</html>", "web page"),
        ("{]", "line 1"),
        ("[]", "not the JSON of a session"),
        ("{}", "holds no credential set"),
        (r#"{"credentialSet":[]}"#, "holds no credential set"),
        (r#"{"credentialSet":[{}]}"#, "holds no credentials"),
        (
            r#"{"credentialSet":[{"credentials":{}}]}"#,
            "holds no expiration",
        ),
        (r#"{"credentialSet":"abc/DEF"}"#, "holds no credential set"),
        (
            &SUCCESS.replacen('{', r#"{"credentialSet":[],"#, 1),
            "holds no credential set",
        ),
        (
            &SUCCESS.replace(r#""abc/DEF+123""#, "7"),
            "no secret access key",
        ),
        (
            &SUCCESS.replace("abc/DEF+123", ""),
            "secret access key is empty",
        ),
        (
            &SUCCESS.replace("abc/DEF+123", "abc/DEF\\n"),
            "secret access key",
        ),
        (&SUCCESS.replace("IQoJb3==", "IQ\u{e4}"), "session token"),
        (
            &SUCCESS.replace("2024-01-16T00:02:43Z", "tomorrow"),
            "expiration",
        ),
        (
            &SUCCESS.replace(r#""secretAccessKey":"abc/DEF+123","#, ""),
            "no secret access key",
        ),
        (&long, "more than the"),
    ] {
        let error = Session::from_response(&response(201, body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
        assert!(error.message().contains(part), "{error}");
        assert!(!error.message().contains("abc/DEF"), "{error}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = alloc::format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(Session::from_response(&response(201, &deep)).is_err());
}

#[test]
fn a_refusal_keeps_everything_the_service_said() {
    let body = r#"{"message":"Untrusted signing certificate"}"#;
    let error = refusal(403, Some("AccessDeniedException:http://internal/"), body);
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    let service = error.service().unwrap();
    assert_eq!(service.status, 403);
    assert_eq!(service.code.as_deref(), Some("AccessDeniedException"));
    assert_eq!(
        service.message.as_deref(),
        Some("Untrusted signing certificate")
    );
    assert_eq!(service.request_id.as_deref(), Some("r-1 [31m"));
    assert_eq!(service.server_time.unwrap().to_sigv4(), "20240706T113859Z");
    assert!(error.message().contains("Untrusted signing certificate"));
}

#[test]
fn the_code_is_found_wherever_it_stands() {
    for (header, body, code) in [
        (
            Some("ns#ValidationException"),
            r#"{"__type":"Other"}"#,
            Some("ValidationException"),
        ),
        (
            None,
            r#"{"__type":"aws.ns#ValidationException"}"#,
            Some("ValidationException"),
        ),
        (
            None,
            r#"{"code":"ValidationException:x"}"#,
            Some("ValidationException"),
        ),
        (None, "<html>", None),
        (None, "", None),
    ] {
        let error = refusal(400, header, body);
        assert_eq!(error.service().unwrap().code.as_deref(), code);
        assert_eq!(error.kind(), ErrorKind::RequestRejected);
    }
    let upper = refusal(400, None, r#"{"Message":"upper\u001b]"}"#);
    assert_eq!(upper.service().unwrap().message.as_deref(), Some("upper ]"));
}

#[test]
fn kinds_follow_from_status_and_code() {
    for (status, header, kind) in [
        (401, None, ErrorKind::AccessDenied),
        (
            404,
            Some("ResourceNotFoundException"),
            ErrorKind::RequestRejected,
        ),
        (400, Some("ThrottlingException"), ErrorKind::Throttled),
        (429, None, ErrorKind::Throttled),
        (408, None, ErrorKind::ServiceUnavailable),
        (500, None, ErrorKind::ServiceUnavailable),
        (503, None, ErrorKind::ServiceUnavailable),
        (302, None, ErrorKind::InvalidResponse),
        (100, None, ErrorKind::InvalidResponse),
    ] {
        assert_eq!(refusal(status, header, "").kind(), kind, "{status}");
    }
    let busy = refusal(503, None, r#"{"message":"busy","retryAfterSeconds":7}"#);
    assert_eq!(
        busy.service().unwrap().retry_after,
        Some(Duration::from_secs(7))
    );
    assert!(busy.is_retryable());
}

#[test]
fn debug_hides_the_body() {
    let text = alloc::format!("{:?}", response(201, SUCCESS));
    assert!(
        !text.contains("abc/DEF") && text.contains("redacted"),
        "{text}"
    );
}
