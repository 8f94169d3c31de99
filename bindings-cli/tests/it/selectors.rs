//! `--cert-selector`, in the grammar of `aws_signing_helper`.

use std::process::Command;

use crate::{
    harness::{World, openssl, program, run},
    keys::{data, make_key},
};

/// How a selector is given: on the command line, or in a file that the command line names.
#[derive(Clone, Copy, Debug)]
enum Given {
    InFile(&'static str),
    InWords(&'static str),
}

use Given::{InFile, InWords};

impl Given {
    fn argument(self, world: &World) -> String {
        match self {
            InFile(text) => {
                world.write("selector.json", text.as_bytes());
                format!("file://{}", world.text("selector.json"))
            }
            InWords(text) => text.to_owned(),
        }
    }
}

/// The certificates that the selectors below mean: their names, subjects, issuers and serial numbers.
const CERTIFICATES: [(&str, &str, &str, &str); 3] = [
    (
        "plain",
        "/CN=Subject",
        "/CN=Issuer",
        "0x15D19632234BF759A32802C0DA88F9E8AFC8702D",
    ),
    (
        "spaced",
        "/O=O With Spaces/CN=CN With Spaces",
        "/CN=Issuer",
        "1",
    ),
    (
        "spaced-issuer",
        "/CN=CN With Spaces",
        "/OU=OU With Spaces/CN=CN With Spaces",
        "2",
    ),
];

/// The eight selectors that the reference's own tests have it take, each with the certificates that
/// it means.
const TAKEN: [(Given, &[&str]); 8] = [
    (
        InFile(
            r#"[{"Key": "x509Subject", "Value": "CN=Subject"}, {"Key": "x509Issuer", "Value": "CN=Issuer"},
                {"Key": "x509Serial", "Value": "15D19632234BF759A32802C0DA88F9E8AFC8702D"}]"#,
        ),
        &["plain"],
    ),
    (
        InFile(
            r#"[{"Key": "x509Subject", "Value": "CN=Subject"},
                {"Key": "x509Serial", "Value": "15D19632234BF759A32802C0DA88F9E8AFC8702D"}]"#,
        ),
        &["plain"],
    ),
    (
        InWords(
            "Key=x509Subject,Value=CN=Subject Key=x509Issuer,Value=CN=Issuer \
             Key=x509Serial,Value=15D19632234BF759A32802C0DA88F9E8AFC8702D",
        ),
        &["plain"],
    ),
    (
        InWords("Key=x509Issuer,Value=CN=Issuer"),
        &["plain", "spaced"],
    ),
    (
        InWords(
            "Key=x509Subject,Value=CN=CN With Spaces \
             Key=x509Issuer,Value=CN=CN With Spaces,OU=OU With Spaces",
        ),
        &["spaced-issuer"],
    ),
    (
        InWords(
            "Key=x509Subject,Value=CN=CN With Spaces,O=O With Spaces Key=x509Issuer,Value=CN=Issuer",
        ),
        &["spaced"],
    ),
    (
        InWords(
            " \n  Key=x509Subject,Value=CN=CN With Spaces,O=O With Spaces   \t   \
             Key=x509Issuer,Value=CN=Issuer  \n",
        ),
        &["spaced"],
    ),
    // Spaces inside a value stay, so that it means no certificate here.
    (
        InWords(
            " \n  Key=x509Subject,Value=CN=CN With Spaces  ,O=O With Spaces   \t   \
             Key=x509Issuer,Value=CN=Issuer  \n",
        ),
        &[],
    ),
];

/// The kinds of the ten selectors that the reference's own tests have it refuse, and what is said here.
const REFUSED: [(Given, &str); 10] = [
    (InFile("certificate of the web server\n"), "it is not JSON"),
    (
        InFile(r#"{"certificate": "web"}"#),
        "it is not a list of keys and values",
    ),
    (
        InFile(r#"{"Key": "x509Serial", "Value": "not hexadecimal"}"#),
        "it is not a list of keys and values",
    ),
    (
        InFile(
            r#"[{"Key": "x509Subject", "Value": "CN=Subject"}, {"Key": "x509Issuer", "Value": "CN=Issuer"},
                {"Key": "x509Serial", "Value": "15D19632234BF759A32802C0DA88F9E8AFC8702D"},
                {"Key": "x509Subject", "Value": "CN=Subject2"}]"#,
        ),
        "`x509Subject` stands twice",
    ),
    (InWords("CN=Subject"), "it is not of the form"),
    (InWords("Key=x509Subject,Val"), "it is not of the form"),
    (
        InWords("Key=subject,Value=CN=Subject"),
        "`subject` is no key",
    ),
    (
        InWords(
            "Key=x509Subject,Value=CN=Subject Key=x509Issuer,Value=CN=Issuer \
             Key=x509Serial,Value=15D19632234BF759A32802C0DA88F9E8AFC8702D \
             Key=x509Subject,Value=CN=Subject2",
        ),
        "`x509Subject` stands twice",
    ),
    (
        InWords("stray Key=x509Subject,Value=CN=Subject"),
        "it is not of the form",
    ),
    (
        InWords("Key=x509Subject,Value=CN=Subject Key=x509Subject,Value=CN=Subject2"),
        "`x509Subject` stands twice",
    ),
];

#[test]
fn the_reference_s_matrix_of_selectors_is_taken_and_refused() {
    let world = World::new();
    make_key(&world, "EC", "ec_paramgen_curve:P-256", "/CN=signer");
    let text = |name: &str| world.text(name);
    let (key, public, issuer_file) = (text("k.pem"), text("public.pem"), text("issuer.pem"));
    for (name, subject, issuer, serial) in CERTIFICATES {
        let request = ["req", "-x509", "-new", "-key", &key, "-subj", issuer];
        openssl(&[&request[..], &["-days", "1", "-out", &issuer_file]].concat());
        let what = ["x509", "-new", "-force_pubkey", &public, "-subj", subject];
        let by = ["-CA", &issuer_file, "-CAkey", &key, "-set_serial", serial];
        openssl(&[&what[..], &by, &["-days", "1", "-out", &text(name)]].concat());
    }
    // Without a store of the system, the reference's tests tell a selector that is taken by what comes after it.
    let sign = |selector: &str| run(&mut program(&["sign-string", "--cert-selector", selector]));
    for (given, meant) in TAKEN {
        let selector = given.argument(&world);
        sign(&selector).fails_with("this system has no certificate store");
        for (name, ..) in CERTIFICATES {
            let ended = data(&text(name), &["--cert-selector", &selector]);
            assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
            let first = match meant.contains(&name) {
                true => "Matching identities",
                false => "No matching identities",
            };
            assert_eq!(ended.stdout.lines().next(), Some(first), "{given:?} {name}");
        }
    }
    for (given, part) in REFUSED {
        let selector = given.argument(&world);
        sign(&selector).fails_with(part);
        data(&text("plain"), &["--cert-selector", &selector]).fails_with(part);
    }
    sign("file:///nonexistent").fails_with("cannot be read");
}

#[test]
fn a_selector_lists_the_certificates_that_fit_by_go_s_names() {
    let world = World::new();
    // Every rule of Go's name at once; what Go 1.26 prints for this certificate stands below.
    let subject = "/C=DE/ST=Bayern/L=A, B/O=One/O=Two+OU=#hash/OU= lead/street=Way 1/postalCode=80331\
                   /CN=first/CN=la\\\\st;/serialNumber=77/emailAddress=a@b.example/DC=x/UID=u-1";
    make_key(&world, "EC", "ec_paramgen_curve:P-256", subject);
    let file = world.text("c.pem");
    let name = GO_NAME;
    for selector in [
        format!("Key=x509Subject,Value={name}"),
        format!("  Key=x509Issuer,Value={name}   Key=x509Serial,Value=000A0b "),
        format!(
            "Key=x509Serial,Value=a0b Key=x509Subject,Value={name} Key=x509Issuer,Value={name}"
        ),
    ] {
        let ended = data(&file, &["--cert-selector", &selector]);
        let lines: Vec<&str> = ended.stdout.lines().collect();
        let fingerprint = Command::new("openssl")
            .args(["x509", "-in", &file, "-noout", "-fingerprint", "-sha1"])
            .output()
            .unwrap();
        let fingerprint = String::from_utf8(fingerprint.stdout).unwrap();
        let fingerprint = fingerprint
            .trim()
            .split_once('=')
            .unwrap()
            .1
            .replace(':', "")
            .to_lowercase();
        let expected = [
            "Matching identities".to_owned(),
            format!("1) Hex Fingerprint: {fingerprint}"),
            format!("Subject: {name}"),
            format!("Issuer: {name}"),
            "Serial Number: A0B".to_owned(),
            String::new(),
        ];
        assert_eq!(lines, expected, "{selector}: {ended:?}");
    }
    for selector in ["Key=x509Serial,Value=b0a", "Key=x509Subject,Value=CN=other"] {
        let ended = data(&file, &["--cert-selector", selector]);
        assert_eq!(ended.stdout, "No matching identities\n", "{ended:?}");
    }
    data(&file, &["--cert-selector=nonsense"]).fails_with("--cert-selector: it is not of the form");
}

/// Printed by Go 1.26's `x509.Certificate.Subject.String()`.
const GO_NAME: &str = concat!(
    r"SERIALNUMBER=77,CN=la\\st\;,OU=\#hash+OU=\ lead,O=One+O=Two,POSTALCODE=80331,STREET=Way 1,",
    r"L=A\, B,ST=Bayern,C=DE,0.9.2342.19200300.100.1.1=#1303752d31,",
    r"0.9.2342.19200300.100.1.25=#130178,1.2.840.113549.1.9.1=#0c0b6140622e6578616d706c65"
);
