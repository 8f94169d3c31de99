//! One byte off in each part of a signed request, and signatures of the wrong kind.

use data_encoding::HEXLOWER;
use ml_dsa::{MlDsa44, MlDsa65};

use super::{Row, edit_authorization, incomplete, invalid_signature, refuse, set_header};
use crate::{
    handmade::{Handmade, Key, signed_by_openssl},
    lab::{ROOT_NAME, lab},
    pki::{Certificate, Identity, sign_with},
};

const NOT_VERIFIED: &str = "the signature does not verify over this string to sign";

/// A call of the lab whose signature's hexadecimal is changed.
fn signature(name: &'static str, edit: impl FnOnce(&str) -> String) -> Row {
    Row::tampered(
        name,
        |request| {
            edit_authorization(request, |header| {
                let (rest, signature) = header.rsplit_once('=').unwrap();
                format!("{rest}={}", edit(signature))
            });
        },
        invalid_signature(),
        NOT_VERIFIED,
    )
}

/// One hexadecimal digit at `at` made another.
fn flipped(hex: &str, at: usize) -> String {
    let other = if hex.as_bytes()[at] == b'0' { '1' } else { '0' };
    format!("{}{other}{}", &hex[..at], &hex[at + 1..])
}

#[test]
fn a_changed_signature() {
    refuse(vec![
        signature("its last digit", |hex| flipped(hex, hex.len() - 1)),
        signature("its DER tag", |hex| flipped(hex, 0)),
        signature("the middle of r", |hex| flipped(hex, 40)),
        signature("one byte less", |hex| hex[..hex.len() - 2].to_owned()),
        signature("one byte more", |hex| format!("{hex}00")),
        signature("r and s as they are, without DER", |hex| {
            let der = HEXLOWER.decode(hex.as_bytes()).unwrap();
            let r_length = usize::from(der[3]);
            let integer = |from: usize, length: usize| {
                let bytes = &der[from..from + length];
                let start = bytes.len().saturating_sub(32);
                let mut padded = vec![0; 32usize.saturating_sub(bytes.len())];
                padded.extend_from_slice(&bytes[start..]);
                padded
            };
            let (r, s) = (
                integer(4, r_length),
                integer(6 + r_length, usize::from(der[5 + r_length])),
            );
            HEXLOWER.encode(&[r, s].concat())
        }),
        signature("of nothing", |_| "00".to_owned()),
    ]);
    let malformed = |name, edit: fn(&str) -> String, message: &'static str| Row {
        answer: incomplete(message),
        reason: message,
        ..signature(name, edit)
    };
    let not_hex = "`Signature` is not lower-case hexadecimal";
    refuse(vec![
        malformed("capitals", str::to_uppercase, not_hex),
        malformed("an odd length", |hex| hex[1..].to_owned(), not_hex),
        malformed(
            "a space within",
            |hex| format!("{} {}", &hex[..2], &hex[2..]),
            not_hex,
        ),
        malformed("base64", |_| "MEUCIQ".to_owned(), not_hex),
        malformed("empty", |_| String::new(), "`Signature` is empty"),
    ]);
}

#[test]
fn a_changed_request() {
    let lab = lab();
    let verified = |name, change: fn(&mut rolesanywhere_emulator::Request)| {
        Row::tampered(name, change, invalid_signature(), NOT_VERIFIED)
    };
    refuse(vec![
        verified("a digit of the body", |request| {
            request.body = br#"{"durationSeconds":3601}"#.to_vec();
        }),
        verified("white space in the body", |request| request.body.push(b' ')),
        verified("the body left out", |request| request.body.clear()),
        verified("another role of the profile", |request| {
            request.target = request.target.replace("role%2Fapp", "role%2Flong");
        }),
        verified("one more parameter", |request| {
            request.target.push_str("&a=b")
        }),
        verified("the date a second later", |request| {
            let later = crate::lab::lab().now.plus_seconds(1).to_sigv4();
            set_header(request, "x-amz-date", &later);
        }),
        verified("the content type", |request| {
            set_header(request, "content-type", "application/jso");
        }),
        verified("the host", |request| {
            set_header(request, "host", "127.0.0.1:8444")
        }),
        verified("the host's case", |request| {
            set_header(request, "host", "LOCALHOST:8443");
        }),
        verified("one of two joined headers", |request| {
            request
                .headers
                .push(("content-encoding".to_owned(), "a".to_owned()));
            edit_authorization(request, |header| {
                header.replace(
                    "SignedHeaders=content-type",
                    "SignedHeaders=content-encoding;content-type",
                )
            });
        }),
    ]);
    // Another certificate of the same CA and serial number in place of the one that signed.
    let twin = Certificate::leaf("/CN=twin")
        .key("p256-twin")
        .signed_by(&lab.root);
    let swap = |request: &mut rolesanywhere_emulator::Request| {
        set_header(
            request,
            "x-amz-x509",
            &data_encoding::BASE64.encode(&twin.der()),
        );
    };
    // Two chains of the same certificates in another order lead to the same anchor.
    let chain = lab
        .call_of(&lab.deep_leaf, "root")
        .with_chain(&[&lab.issuing, &lab.root])
        .sign(&lab.deep_leaf);
    let mut reordered = chain.clone();
    let (first, second) = chain
        .header("x-amz-x509-chain")
        .unwrap()
        .split_once(',')
        .unwrap();
    set_header(
        &mut reordered,
        "x-amz-x509-chain",
        &format!("{second},{first}"),
    );
    refuse(vec![
        Row::tampered("the certificate", swap, invalid_signature(), NOT_VERIFIED),
        Row::new(
            "the chain's order",
            reordered,
            invalid_signature(),
            NOT_VERIFIED,
        ),
    ]);
}

#[test]
fn a_signature_of_another_kind() {
    let lab = lab();
    let row = |name, leaf: &dyn Identity, algorithm: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut call = lab.call_of(leaf, "root");
        call.algorithm = algorithm.to_owned();
        let request = call.signed(&sign(call.string_to_sign().as_bytes()));
        Row::new(name, request, invalid_signature(), NOT_VERIFIED)
    };
    let leaf = |key| {
        Certificate::leaf("/CN=workload")
            .key(key)
            .signed_by(&lab.root)
    };
    let (rsa, p384, p521) = (leaf("rsa2048"), leaf("p384"), leaf("p521"));
    let other = leaf("p256-twin");
    let ml_dsa = |key: &Key| {
        signed_by_openssl(
            &Handmade::leaf("workload", lab.now),
            key,
            &lab.root,
            ROOT_NAME,
        )
    };
    let (ml_dsa_65, ml_dsa_44) = (Key::ml_dsa::<MlDsa65>(2), Key::ml_dsa::<MlDsa44>(1));
    let (signed_65, signed_44) = (ml_dsa(&ml_dsa_65), ml_dsa(&ml_dsa_44));
    let pss = ["-sha256", "-sigopt", "rsa_padding_mode:pss"];
    let (rsa_name, ec_name) = ("AWS4-X509-RSA-SHA256", "AWS4-X509-ECDSA-SHA256");
    refuse(vec![
        row("RSA with SHA-1", &rsa, rsa_name, &|m| {
            sign_with(&["-sha1"], &rsa.key, m)
        }),
        row("RSA with SHA-512", &rsa, rsa_name, &|m| {
            sign_with(&["-sha512"], &rsa.key, m)
        }),
        row("RSASSA-PSS", &rsa, rsa_name, &|m| {
            sign_with(&pss, &rsa.key, m)
        }),
        row("P-384 with SHA-384", &p384, ec_name, &|m| {
            sign_with(&["-sha384"], &p384.key, m)
        }),
        row("P-521 with SHA-512", &p521, ec_name, &|m| {
            sign_with(&["-sha512"], &p521.key, m)
        }),
        row("another key of the curve", &lab.leaf, ec_name, &|m| {
            other.sign(m)
        }),
        row("P-384's for P-256's", &lab.leaf, ec_name, &|m| p384.sign(m)),
        row(
            "ML-DSA of another parameter set",
            &signed_65,
            "AWS4-X509-MLDSA",
            &|m| signed_44.sign(m),
        ),
        row("ML-DSA over a hash", &signed_65, "AWS4-X509-MLDSA", &|m| {
            signed_65.sign(ring::digest::digest(&ring::digest::SHA256, m).as_ref())
        }),
        row(
            "ML-DSA, a byte changed",
            &signed_65,
            "AWS4-X509-MLDSA",
            &|m| {
                let mut signature = signed_65.sign(m);
                signature[1_000] ^= 1;
                signature
            },
        ),
        row("RSA, a byte changed", &rsa, rsa_name, &|m| {
            let mut signature = rsa.sign(m);
            signature[100] ^= 1;
            signature
        }),
        row("P-521, a byte changed", &p521, ec_name, &|m| {
            let mut signature = p521.sign(m);
            signature[50] ^= 1;
            signature
        }),
    ]);
}
