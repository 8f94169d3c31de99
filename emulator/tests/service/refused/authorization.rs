//! The `Authorization` header, the scope, the clock and the headers that must be signed.

use super::{
    Row, add_header, answer, denied, edit_authorization, incomplete, invalid_signature, refuse,
    refuse_by, set_header,
};
use crate::{client::Call, lab::lab, pki::Identity};

/// A row whose `Authorization` header is changed and whose message is its reason.
fn malformed(name: &'static str, edit: impl FnOnce(&str) -> String, message: &'static str) -> Row {
    Row::tampered(
        name,
        |request| edit_authorization(request, edit),
        incomplete(message),
        message,
    )
}

#[test]
fn an_authorization_header_that_cannot_be_read() {
    let without = |part: &'static str| {
        move |header: &str| {
            let (algorithm, rest) = header.split_once(' ').unwrap();
            let kept: Vec<&str> = rest.split(", ").filter(|p| !p.starts_with(part)).collect();
            format!("{algorithm} {}", kept.join(", "))
        }
    };
    let signed = |list: &'static str| {
        move |header: &str| header.replace("content-type;host;x-amz-date;x-amz-x509", list)
    };
    let unsorted = "`SignedHeaders` must be sorted and name each header once";
    let names = "`SignedHeaders` must hold header names in lower case";
    let five = "`Credential` must be KEY/DATE/REGION/SERVICE/aws4_request, five parts";
    refuse(vec![
        malformed(
            "no parameters",
            |_| "AWS4-X509-ECDSA-SHA256".to_owned(),
            "the `Authorization` header holds no parameters",
        ),
        malformed(
            "empty",
            |_| String::new(),
            "the `Authorization` header holds no parameters",
        ),
        malformed(
            "an algorithm in lower case",
            str::to_lowercase,
            "the `Authorization` header does not begin with an algorithm",
        ),
        malformed(
            "no Credential",
            without("Credential"),
            "Authorization header requires 'Credential' parameter.",
        ),
        malformed(
            "no SignedHeaders",
            without("SignedHeaders"),
            "Authorization header requires 'SignedHeaders' parameter.",
        ),
        malformed(
            "no Signature",
            without("Signature"),
            "Authorization header requires 'Signature' parameter.",
        ),
        malformed(
            "Signature twice",
            |h| format!("{h}, Signature=00"),
            "the `Authorization` header has `Signature` twice",
        ),
        malformed(
            "another parameter",
            |h| format!("{h}, Extra=1"),
            "the `Authorization` header has a parameter that is not Credential, SignedHeaders or Signature",
        ),
        malformed(
            "a comma at the end",
            |h| format!("{h},"),
            "a parameter of the `Authorization` header has no `=`",
        ),
        malformed(
            "a credential of four parts",
            |h| h.replace("/aws4_request", ""),
            five,
        ),
        malformed(
            "a credential of six parts",
            |h| h.replace("aws4_request", "aws4_request/x"),
            five,
        ),
        malformed(
            "a credential with an empty part",
            |h| h.replace("/rolesanywhere/", "//"),
            "`Credential` has an empty part",
        ),
        malformed(
            "unsorted signed headers",
            signed("host;content-type;x-amz-date;x-amz-x509"),
            unsorted,
        ),
        malformed(
            "a signed header twice",
            signed("content-type;host;host;x-amz-date;x-amz-x509"),
            unsorted,
        ),
        malformed(
            "a signed header in capitals",
            signed("content-type;Host;x-amz-date;x-amz-x509"),
            names,
        ),
        malformed("no signed headers", signed(""), names),
        malformed(
            "an empty signed header",
            signed("content-type;host;;x-amz-date;x-amz-x509"),
            names,
        ),
        malformed(
            "longer than any signature",
            |h| format!("{h}{}", "0".repeat(11_000)),
            "the `Authorization` header is longer than 10278 bytes",
        ),
    ]);
    let many = Row::tampered(
        "fifty-one signed headers",
        |request| {
            let names: Vec<String> = (10..61).map(|n| format!("a{n}")).collect();
            edit_authorization(request, |h| {
                h.replace("content-type;host;x-amz-date;x-amz-x509", &names.join(";"))
            });
        },
        incomplete("`SignedHeaders` names more than 50 headers"),
        "more than 50",
    );
    let none = Row::tampered(
        "no Authorization",
        |request| request.headers.retain(|(name, _)| name != "Authorization"),
        answer(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        "there is no `Authorization` header",
    );
    refuse(vec![many, none]);
}

#[test]
fn headers_that_stand_twice() {
    let lab = lab();
    let twice = |name: &'static str, value: &str, reason: &'static str| {
        let value = value.to_owned();
        Row::tampered(
            name,
            move |request| add_header(request, name, &value),
            incomplete(reason),
            reason,
        )
    };
    let request = lab.call().sign(&lab.leaf);
    let same = |name: &str| request.header(name).unwrap().to_owned();
    let mut chain = lab
        .call_of(&lab.deep_leaf, "root")
        .with_chain(&[&lab.issuing])
        .sign(&lab.deep_leaf);
    let value = chain.header("x-amz-x509-chain").unwrap().to_owned();
    add_header(&mut chain, "x-amz-x509-chain", &value);
    let chain_twice = "the header `x-amz-x509-chain` stands twice";
    refuse(vec![
        twice(
            "X-Amz-X509",
            &same("x-amz-x509"),
            "the header `x-amz-x509` stands twice",
        ),
        twice(
            "x-amz-date",
            &same("x-amz-date"),
            "the header `x-amz-date` stands twice",
        ),
        twice(
            "Authorization",
            &same("authorization"),
            "the header `authorization` stands twice",
        ),
        twice("Host", "127.0.0.1:8443", "the header `host` stands twice"),
        twice(
            "Content-Type",
            "application/json",
            "the header `content-type` stands twice",
        ),
        Row::new(
            "x-amz-x509-chain",
            chain,
            incomplete(chain_twice),
            chain_twice,
        ),
    ]);
}

#[test]
fn headers_that_must_be_signed() {
    let unsigned = |name: &'static str, reason: &'static str| {
        Row::signed(
            name,
            |call| {
                let at = call.headers.iter().position(|(have, _)| have == name);
                let header = call.headers.remove(at.unwrap());
                call.unsigned_headers.push(header);
            },
            invalid_signature(),
            reason,
        )
    };
    let lab = lab();
    let mut call = lab
        .call_of(&lab.deep_leaf, "root")
        .with_chain(&[&lab.issuing]);
    let chain = call.headers.pop().unwrap();
    call.unsigned_headers.push(chain);
    let chain = Row::new(
        "the chain",
        call.sign(&lab.deep_leaf),
        invalid_signature(),
        "the header `x-amz-x509-chain` is not signed",
    );
    refuse(vec![
        unsigned("host", "the header `host` is not signed"),
        unsigned("x-amz-date", "the header `x-amz-date` is not signed"),
        unsigned("x-amz-x509", "the header `x-amz-x509` is not signed"),
        chain,
        Row::signed(
            "a body hash",
            |call| {
                let hash = crate::client::sha256(call.body.as_bytes());
                call.unsigned_headers
                    .push(("x-amz-content-sha256".to_owned(), hash));
            },
            invalid_signature(),
            "the header `x-amz-content-sha256` is not signed",
        ),
        Row::signed(
            "a body hash that is another's",
            |call| {
                let hash = crate::client::sha256(b"another body");
                call.headers.push(("x-amz-content-sha256".to_owned(), hash));
            },
            invalid_signature(),
            "`X-Amz-Content-Sha256` is not the hash of the body",
        ),
        Row::signed(
            "a body that claims to be unsigned",
            |call| {
                let value = "UNSIGNED-PAYLOAD".to_owned();
                call.headers
                    .push(("x-amz-content-sha256".to_owned(), value));
            },
            invalid_signature(),
            "`X-Amz-Content-Sha256` is not the hash of the body",
        ),
        Row::tampered(
            "a signed header that is gone",
            |request| request.headers.retain(|(name, _)| name != "content-type"),
            invalid_signature(),
            "the signed header `content-type` is not in the request",
        ),
    ]);
    let strict = || {
        let mut config = crate::lab::lab().config();
        config.settings.require_signed_content_type = true;
        rolesanywhere_emulator::Service::new(&config).unwrap()
    };
    refuse_by(
        strict,
        vec![unsigned(
            "content-type",
            "the header `content-type` is not signed",
        )],
    );
}

#[test]
fn dates_and_clocks() {
    let lab = lab();
    let set = |name, value: &'static str, message: &'static str| {
        Row::tampered(
            name,
            move |request| set_header(request, "x-amz-date", value),
            incomplete(message),
            "X-Amz-Date",
        )
    };
    let at = |name, seconds: i64, reason| Row {
        now: lab.now.plus_seconds(seconds),
        ..Row::new(
            name,
            lab.call().sign(&lab.leaf),
            invalid_signature(),
            reason,
        )
    };
    refuse(vec![
        Row::tampered(
            "no date",
            |request| request.headers.retain(|(name, _)| name != "x-amz-date"),
            incomplete("there is no `X-Amz-Date` header"),
            "there is no `X-Amz-Date` header",
        ),
        set(
            "ISO 8601",
            "2026-11-21T00:00:00Z",
            "`X-Amz-Date`: `2026-11-21T00:00:00Z` is not a time of the form `YYYYMMDDTHHMMSSZ`",
        ),
        set(
            "a day that there is not",
            "20260230T000000Z",
            "`X-Amz-Date`: `20260230T000000Z` is not a time of the form `YYYYMMDDTHHMMSSZ`",
        ),
        set(
            "seconds since 1970",
            "1700000000",
            "`X-Amz-Date`: `1700000000` is not a time of the form `YYYYMMDDTHHMMSSZ`",
        ),
        at("a second too late", 601, "601 s behind"),
        at("a second too early", -601, "601 s ahead of"),
        at("half an hour late", 1_800, "1800 s behind"),
    ]);
}

#[test]
fn the_scope_and_the_serial_number() {
    let lab = lab();
    let scope = |name, change: fn(&str) -> String, reason| {
        Row::signed(
            name,
            |call| call.scope = change(&call.scope),
            invalid_signature(),
            reason,
        )
    };
    let serial = |name, change: fn(&str) -> String| {
        Row::signed(
            name,
            |call| call.serial = change(&call.serial),
            invalid_signature(),
            "the certificate's serial number is 107569220422267 in decimal",
        )
    };
    let algorithm = |name, algorithm: &'static str| {
        Row::signed(
            name,
            |call| call.algorithm = algorithm.to_owned(),
            invalid_signature(),
            "the certificate's key takes `AWS4-X509-ECDSA-SHA256`",
        )
    };
    let yesterday = |scope: &str| {
        let date = crate::lab::lab().now.plus_seconds(-86_400).to_sigv4_date();
        format!("{date}{}", &scope[8..])
    };
    refuse(vec![
        scope("yesterday", yesterday, "the date of the credential scope"),
        scope(
            "another region",
            |s| s.replace("us-east-1", "us-east-2"),
            "the region of the credential scope is `us-east-2`",
        ),
        scope(
            "another service",
            |s| s.replace("rolesanywhere", "sts"),
            "the service of the credential scope is `sts`",
        ),
        scope(
            "another terminator",
            |s| s.replace("aws4_request", "aws5_request"),
            "the terminator of the credential scope",
        ),
        serial("hexadecimal", |_| "61d5692c0a7b".to_owned()),
        serial("one more", |_| "107569220422268".to_owned()),
        serial("a zero in front", |s| format!("0{s}")),
        serial("a sign", |s| format!("+{s}")),
        algorithm("RSA for an EC key", "AWS4-X509-RSA-SHA256"),
        algorithm("ML-DSA for an EC key", "AWS4-X509-MLDSA"),
        algorithm("SHA-384 declared", "AWS4-X509-ECDSA-SHA384"),
        algorithm("HMAC", "AWS4-HMAC-SHA256"),
        algorithm("none", "NONE"),
    ]);
    // The algorithm is signed: changing its name alone changes the string to sign as well.
    let renamed = Row::tampered(
        "renamed after signing",
        |request| edit_authorization(request, |h| h.replace("ECDSA-SHA256", "ECDSA-SHA384")),
        invalid_signature(),
        "does not verify",
    );
    let tolerant = || {
        let mut config = crate::lab::lab().config();
        config.settings.accept_mismatched_algorithm = true;
        rolesanywhere_emulator::Service::new(&config).unwrap()
    };
    refuse_by(
        tolerant,
        vec![
            renamed,
            algorithm("a name that no client uses", "AWS4-X509-ECDSA-MD5"),
        ],
    );
    let hint = serial("hexadecimal", |_| "61d5692c0a7b".to_owned());
    let service = lab.service();
    service.handle(&hint.request, lab.now);
    let records = format!("{:?}", service.audit_records());
    assert!(
        records.contains("the same number in hexadecimal"),
        "{records}"
    );
}

#[test]
fn the_route() {
    let unknown = |name, message: &'static str, change: fn(&mut Call)| {
        Row::signed(
            name,
            change,
            answer(404, "UnknownOperationException", message),
            message,
        )
    };
    refuse(vec![
        unknown("PUT", "no operation answers to PUT /sessions", |call| {
            call.method = "PUT".to_owned()
        }),
        unknown("GET", "no operation answers to GET /sessions", |call| {
            call.method = "GET".to_owned()
        }),
        unknown(
            "a slash more",
            "no operation answers to POST /sessions/",
            |call| call.path = "/sessions/".to_owned(),
        ),
        unknown(
            "a slash before",
            "no operation answers to POST //sessions",
            |call| call.path = "//sessions".to_owned(),
        ),
        unknown(
            "capitals",
            "no operation answers to POST /Sessions",
            |call| call.path = "/Sessions".to_owned(),
        ),
        unknown(
            "a dot",
            "no operation answers to POST /./sessions",
            |call| call.path = "/./sessions".to_owned(),
        ),
    ]);
    let too_large = Row::signed(
        "a body of a MiB and a byte",
        |call| call.body = " ".repeat(1_024 * 1_024 + 1),
        answer(
            413,
            "RequestEntityTooLargeException",
            "the body is longer than 1048576 bytes",
        ),
        "longer than 1048576 bytes",
    );
    refuse(vec![too_large]);
    let lab = lab();
    let query = Row::signed(
        "a percent sign without digits",
        |call| call.query.push_str("&x=%zz"),
        incomplete("the query has a `%` without two hexadecimal digits"),
        "`%`",
    );
    let many = Row::signed(
        "a hundred and one parameters",
        |call| {
            call.query = (0..101)
                .map(|n| format!("a{n}="))
                .collect::<Vec<_>>()
                .join("&")
        },
        incomplete("the query has more than 100 parameters"),
        "more than 100",
    );
    refuse(vec![query, many]);
    // The control: the same call, unbroken, is accepted.
    let response = lab.service().handle(&lab.call().sign(&lab.leaf), lab.now);
    assert_eq!(response.status, 201);
    assert_eq!(lab.leaf.serial(), "107569220422267");
    assert_eq!(denied("x").status, 403);
}
