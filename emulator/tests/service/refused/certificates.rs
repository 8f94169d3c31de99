//! The certificate headers, and the rules for end entities.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};

use super::{Row, denied, insufficient, invalid_signature, refuse, refuse_by, untrusted};
use crate::{
    handmade::{self, Handmade, Key, extension, key_usage, signed_by_openssl},
    lab::{ROOT_NAME, lab},
    pki::{Certificate, Identity, key_file},
};

/// A row whose certificate header is another text, well signed.
fn header(name: &'static str, text: &str, reason: &'static str) -> Row {
    let lab = lab();
    let call = lab.call().with_header("x-amz-x509", text);
    Row::new(name, call.sign(&lab.leaf), untrusted(), reason)
}

#[test]
fn a_certificate_header_that_cannot_be_read() {
    let lab = lab();
    let der = lab.leaf.der();
    let text = BASE64.encode(&der);
    let changed = |at: usize, by: u8| {
        let mut der = der.clone();
        der[at] ^= by;
        BASE64.encode(&der)
    };
    // A DER length that makes the last character of the base64 carry unused bits.
    let mut odd = der.clone();
    while odd.len() % 3 != 1 {
        odd.push(0);
    }
    let stray = BASE64.encode(&odd);
    let last = stray.trim_end_matches('=').len() - 1;
    let next = char::from(stray.as_bytes()[last] + 1);
    let stray = format!("{}{next}{}", &stray[..last], &stray[last + 1..]);
    let none = {
        let mut call = lab.call();
        call.headers.retain(|(name, _)| name != "x-amz-x509");
        call.sign(&lab.leaf)
    };
    refuse(vec![
        Row::new(
            "none",
            none,
            invalid_signature(),
            "`x-amz-x509` is not signed",
        ),
        header(
            "white space",
            &format!("{} {}", &text[..64], &text[64..]),
            "not base64",
        ),
        header(
            "no padding",
            &BASE64_NOPAD.encode(&[der.clone(), vec![0; (4 - der.len() % 3) % 3 + 1]].concat()),
            "X-Amz-X509",
        ),
        header(
            "the URL alphabet",
            &BASE64URL.encode(&[0x30, 0xfb, 0xff, 0xbf]),
            "not base64",
        ),
        header("stray bits", &stray, "not base64"),
        header("PEM", "-----BEGIN CERTIFICATE-----", "not base64"),
        header("empty", "", "not a certificate"),
        header(
            "no DER",
            &BASE64.encode(b"certificate"),
            "not a certificate",
        ),
        header(
            "a byte more",
            &BASE64.encode(&[der.as_slice(), &[0]].concat()),
            "1 bytes follow the certificate",
        ),
        header(
            "a byte less",
            &BASE64.encode(&der[..der.len() - 1]),
            "not a certificate",
        ),
        header("two certificates", &format!("{text},{text}"), "not base64"),
        header(
            "two certificates' DER",
            &BASE64.encode(&[der.clone(), der.clone()].concat()),
            "bytes follow the certificate",
        ),
        header("the outer tag", &changed(0, 1), "not a certificate"),
        header(
            "larger than any",
            &BASE64.encode(&vec![0x30; 65_537]),
            "longer than 65536 bytes",
        ),
    ]);
}

#[test]
fn a_chain_header_that_cannot_be_read() {
    let lab = lab();
    let text = BASE64.encode(&lab.issuing.der());
    let row = |name, chain: &str, reason| {
        let mut call = lab.call_of(&lab.deep_leaf, "root");
        call.headers
            .push(("x-amz-x509-chain".to_owned(), chain.to_owned()));
        Row::new(name, call.sign(&lab.deep_leaf), untrusted(), reason)
    };
    let six: Vec<&str> = vec![&text; 6];
    let seven: Vec<&str> = vec![&text; 7];
    refuse(vec![
        row("empty", "", "`X-Amz-X509-Chain`: not a certificate"),
        row(
            "a comma at the end",
            &format!("{text},"),
            "`X-Amz-X509-Chain`: not a certificate",
        ),
        row(
            "a space after the comma",
            &format!("{text}, {text}"),
            "`X-Amz-X509-Chain`: not base64",
        ),
        row(
            "a byte more",
            &BASE64.encode(&[lab.issuing.der().as_slice(), &[0]].concat()),
            "1 bytes follow",
        ),
        row(
            "six certificates",
            &six.join(","),
            "more than 5 certificates",
        ),
        row(
            "seven certificates",
            &seven.join(","),
            "more than 5 certificates",
        ),
        row(
            "one of them no certificate",
            &format!("{text},AAAA"),
            "not a certificate",
        ),
    ]);
}

#[test]
fn end_entities_that_break_a_rule() {
    let lab = lab();
    let leaf = |extensions: &str| Certificate::leaf("/CN=workload").extensions(extensions);
    let row = |name, certificate: Certificate, reason| {
        Row::of(
            name,
            &certificate.signed_by(&lab.root),
            &[],
            insufficient(),
            reason,
        )
    };
    let rsa = |key: &'static str| {
        let leaf = Certificate::leaf("/CN=workload")
            .key(key)
            .signed_by(&lab.root);
        let mut call = lab.call_of(&leaf, "root");
        call.algorithm = "AWS4-X509-RSA-SHA256".to_owned();
        Row::new(
            key,
            call.sign(&leaf),
            insufficient(),
            "`minimum_rsa_bits` is 2048",
        )
    };
    // Ed25519 does not sign hashes, and the certificate is refused before anybody looks.
    let ed25519 = {
        let leaf = Certificate::leaf("/CN=workload")
            .key("ed25519")
            .signed_by(&lab.root);
        let call = lab.call_of(&leaf, "root");
        Row::new(
            "Ed25519",
            call.signed(&[0; 64]),
            insufficient(),
            "key is not RSA, EC",
        )
    };
    let usage = "keyUsage=critical,digitalSignature\n";
    refuse(vec![
        row(
            "no key usage",
            leaf("basicConstraints=CA:FALSE\n"),
            "has no key usage",
        ),
        row(
            "no digitalSignature",
            leaf("keyUsage=critical,keyEncipherment\n"),
            "lacks digitalSignature",
        ),
        row(
            "nonRepudiation only",
            leaf("keyUsage=critical,nonRepudiation\n"),
            "lacks digitalSignature",
        ),
        row(
            "CA:TRUE",
            leaf(&format!("{usage}basicConstraints=critical,CA:TRUE\n")),
            "the certificate is a CA's, and no end entity's",
        ),
        row("version 1", leaf(""), "the certificate is not of version 3"),
        row(
            "no subject",
            Certificate::leaf("").extensions(&format!(
                "{usage}subjectAltName=critical,DNS:a.example.org\n"
            )),
            "subject is empty",
        ),
        row(
            "SHA-1",
            Certificate::leaf("/CN=workload").hash("sha1"),
            "is made in a way that is not taken",
        ),
        row(
            "secp256k1",
            Certificate::leaf("/CN=workload").key("secp256k1"),
            "key is not RSA, EC",
        ),
        row(
            "P-224",
            Certificate::leaf("/CN=workload").key("secp224r1"),
            "key is not RSA, EC",
        ),
        rsa("rsa1024"),
        ed25519,
    ]);
    let server = leaf(&format!("{usage}extendedKeyUsage=serverAuth\n"));
    let strict = || {
        let mut config = crate::lab::lab().config();
        config.settings.require_client_auth = true;
        rolesanywhere_emulator::Service::new(&config).unwrap()
    };
    refuse_by(
        strict,
        vec![row("serverAuth only", server, "lacks clientAuth")],
    );
}

#[test]
fn end_entities_that_no_tool_makes() {
    let lab = lab();
    let key = Key::ec(&key_file("p256"));
    let row = |name, certificate: Handmade, answer, reason| {
        let leaf = signed_by_openssl(&certificate, &key, &lab.root, ROOT_NAME);
        Row::of(name, &leaf, &[], answer, reason)
    };
    let good = Handmade::leaf("workload", lab.now);
    let with = |extra: Vec<u8>| {
        let mut certificate = good.clone();
        certificate.extensions.push(extra);
        certificate
    };
    let unknown = extension(&[0x2a, 0x03, 0x04], true, &[0x05, 0x00]);
    refuse(vec![
        row(
            "an unknown critical extension",
            with(unknown),
            untrusted(),
            "has the critical extension 1.2.3.4, which is not known",
        ),
        row(
            "key usage twice",
            with(key_usage(0x80, 7)),
            untrusted(),
            "the key usage cannot be read",
        ),
        row(
            "an empty extended key usage",
            with(extension(&[0x55, 0x1d, 0x25], false, &[0x30, 0x00])),
            untrusted(),
            "has an empty extended key usage",
        ),
        row(
            "a negative serial number",
            Handmade {
                serial: vec![0xff, 0x01],
                ..good.clone()
            },
            untrusted(),
            "serial number is negative",
        ),
        row(
            "version 2",
            Handmade {
                version: Some(1),
                ..good.clone()
            },
            insufficient(),
            "the certificate is not of version 3",
        ),
        row(
            "key usage of no bits",
            Handmade {
                extensions: vec![handmade::key_usage(0, 7)],
                ..good.clone()
            },
            insufficient(),
            "lacks digitalSignature",
        ),
        row(
            "a validity that ends before it begins",
            Handmade {
                not_before: good.not_after,
                not_after: good.not_before,
                ..good.clone()
            },
            untrusted(),
            "the certificate is valid from",
        ),
    ]);
    // The control: unbroken, it is accepted.
    let leaf = signed_by_openssl(&good, &key, &lab.root, ROOT_NAME);
    let call = lab.call_of(&leaf, "root");
    let signature = leaf.sign(call.string_to_sign().as_bytes());
    let response = lab.service().handle(&call.signed(&signature), lab.now);
    assert_eq!(response.status, 201, "{}", response.text());
}

#[test]
fn end_entities_out_of_their_time() {
    let lab = lab();
    let key = Key::ec(&key_file("p256"));
    let row = |name, from: i64, to: i64| {
        let certificate = Handmade {
            not_before: lab.now.plus_seconds(from),
            not_after: lab.now.plus_seconds(to),
            ..Handmade::leaf("workload", lab.now)
        };
        let leaf = signed_by_openssl(&certificate, &key, &lab.root, ROOT_NAME);
        let answer = denied("Untrusted signing certificate");
        Row::of(name, &leaf, &[], answer, "the emulator's clock says")
    };
    refuse(vec![
        row("expired a second ago", -3_600, -1),
        row("valid in a second", 1, 3_600),
    ]);
}
