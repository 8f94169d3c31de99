use super::*;

#[test]
fn credential_scopes_are_written_and_read() {
    let scope = CredentialScope::new(at("20240706T235959Z"), "us-east-2", "rolesanywhere").unwrap();
    assert_eq!(
        scope.to_string(),
        "20240706/us-east-2/rolesanywhere/aws4_request"
    );
    assert_eq!(
        (scope.date(), scope.region(), scope.service()),
        ("20240706", "us-east-2", "rolesanywhere")
    );
    assert_eq!(CredentialScope::parse(scope.as_str()).unwrap(), scope);
    for (text, part) in [
        ("", "is not a credential scope"),
        (
            "20240706/us-east-2/rolesanywhere",
            "is not a credential scope",
        ),
        (
            "20240706/us-east-2/rolesanywhere/aws4",
            "is not a credential scope",
        ),
        (
            "20240706/us-east-2/rolesanywhere/aws4_request/",
            "is not a credential scope",
        ),
        ("20240230/us-east-2/rolesanywhere/aws4_request", "date"),
        ("2024-7-6/us-east-2/rolesanywhere/aws4_request", "date"),
        ("20240706//rolesanywhere/aws4_request", "region"),
        ("20240706/us east/rolesanywhere/aws4_request", "region"),
        ("20240706/us-east-2//aws4_request", "service"),
        ("20240706/us-east-2/r\n/aws4_request", "service"),
    ] {
        refused(CredentialScope::parse(text), part);
    }
    let long = "x".repeat(MAX_SCOPE_PART_LENGTH + 1);
    refused(
        CredentialScope::new(at("20240706T000000Z"), &long, "s"),
        "region",
    );
    refused(
        CredentialScope::new(at("20240706T000000Z"), "r", &long),
        "service",
    );
}

#[test]
fn authorization_headers_are_read_strictly() {
    let good = "AWS4-HMAC-SHA256 Credential=AKID/20240706/us-east-2/sts/aws4_request, \
                SignedHeaders=host;x-amz-date, Signature=00ff";
    let read = Authorization::parse(good).unwrap();
    assert_eq!(read.algorithm(), "AWS4-HMAC-SHA256");
    assert_eq!(read.credential(), "AKID");
    assert_eq!(read.scope().service(), "sts");
    assert_eq!(read.signed_headers(), ["host", "x-amz-date"]);
    assert_eq!(read.signature(), [0, 255]);
    assert_eq!(read.signature_hex(), "00ff");
    assert_eq!(read.to_string(), good);
    assert_eq!(
        Authorization::parse(&good.replace(", ", ",")).unwrap(),
        read
    );

    for (from, to, part) in [
        (good, "", "no space"),
        ("AWS4-HMAC-SHA256 ", "", "`Credential=`"),
        ("AWS4-HMAC-SHA256", "", "signing algorithm"),
        ("AWS4-HMAC-SHA256", "AWS4/HMAC", "signing algorithm"),
        (" Credential", "  Credential", "`Credential=`"),
        ("Credential=", "credential=", "`Credential=`"),
        ("Credential=", "Credential:", "`Credential=`"),
        ("AKID", "", "access key id"),
        ("AKID", "AK-ID", "access key id"),
        (
            "AKID/20240706/us-east-2/sts/aws4_request",
            "AKID",
            "no credential scope",
        ),
        ("20240706", "20240732", "date"),
        ("aws4_request", "aws4_response", "credential scope"),
        (", SignedHeaders", ",  SignedHeaders", "`SignedHeaders=`"),
        ("SignedHeaders=host;x-amz-date, ", "", "`SignedHeaders=`"),
        ("host;x-amz-date", "", "empty"),
        ("host;x-amz-date", "host;", "empty"),
        ("host;x-amz-date", "x-amz-date;host", "sort"),
        ("host;x-amz-date", "host;host", "twice"),
        ("host;x-amz-date", "Host;x-amz-date", "lower case"),
        ("Signature=00ff", "Signature=", "hexadecimal"),
        ("00ff", "00f", "hexadecimal"),
        ("00ff", "00FF", "hexadecimal"),
        ("00ff", "00ff ", "hexadecimal"),
        ("00ff", "00ff,", "goes on"),
        ("00ff", "00ff, Signature=00ff", "goes on"),
    ] {
        refused(Authorization::parse(&good.replacen(from, to, 1)), part);
    }
    let long = format!("{good}{}", "0".repeat(MAX_AUTHORIZATION_LENGTH));
    refused(Authorization::parse(&long), "at most");
    let names: Vec<_> = (0..=MAX_SIGNED_HEADERS)
        .map(|n| format!("h{n:04}"))
        .collect();
    refused(
        Authorization::parse(&good.replace("host;x-amz-date", &names.join(";"))),
        "more than",
    );
    refused(
        Authorization::parse(&good.replace("AKID", &"7".repeat(310))),
        "access key id",
    );
}

/// The longest header there is, ML-DSA-87's, is within the bounds.
#[test]
fn an_ml_dsa_87_authorization_header_is_read() {
    let scope = CredentialScope::new(at("20240706T000000Z"), "us-east-2", "rolesanywhere").unwrap();
    let written = Authorization::new(
        "AWS4-X509-MLDSA",
        &"9".repeat(309),
        &scope,
        "content-type;host;x-amz-date;x-amz-x509;x-amz-x509-chain",
        &[0xab; crate::signature::MAX_SIGNATURE_LENGTH],
    )
    .unwrap();
    assert_eq!(Authorization::parse(&written.to_string()).unwrap(), written);
}
