//! Any bytes as a private key: DER of every form, PEM, encrypted or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::{Error, ErrorKind, PrivateKey, Result};

fuzz_target!(|bytes: &[u8]| {
    if asks_for_much(bytes) {
        return;
    }
    check(PrivateKey::from_der(bytes));
    check(PrivateKey::from_pem(bytes, Some(b"secret")));
    check(PrivateKey::from_bytes(bytes, Some(b"secret")));
});

fn check(read: Result<PrivateKey>) {
    match read {
        Ok(key) => key.check_matches(key.public_key()).unwrap(),
        Err(error) => check_error(&error),
    }
}

fn check_error(error: &Error) {
    assert!(
        matches!(
            error.kind(),
            ErrorKind::InvalidCertificate
                | ErrorKind::InvalidKey
                | ErrorKind::PasswordRequired
                | ErrorKind::Unsupported
                | ErrorKind::WrongPassword
        ),
        "{error}"
    );
    assert!(!error.message().is_empty());
}

/// A file may ask for some seconds of key derivation, within the limits: a fuzzer that finds these
/// finds nothing else. Numbers of three bytes and more are left out, which leaves 65,535 iterations.
fn asks_for_much(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|header| matches!(header, [2, 3..=5]))
}
