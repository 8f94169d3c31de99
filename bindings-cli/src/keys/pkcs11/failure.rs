//! What a module says, in words that say what to do.

use cryptoki::error::{Error as Pkcs11Error, RvError};
use rolesanywhere_core::{Error, ErrorKind};

/// The error of what `what` did, or was asked to.
pub(super) fn failed(error: &Pkcs11Error, what: &str) -> Error {
    let Pkcs11Error::Pkcs11(code, function) = error else {
        return Error::new(
            ErrorKind::SigningFailed,
            format!("{what}: the PKCS#11 module failed ({error}): look into its own log"),
        );
    };
    let (kind, said) = match code {
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => (
            ErrorKind::WrongPassword,
            "the PIN is not right: give the right one, a token locks after a few wrong ones",
        ),
        RvError::PinExpired => (
            ErrorKind::SigningFailed,
            "the PIN has expired: set a new one with the token's tools",
        ),
        RvError::PinLocked => (ErrorKind::SigningFailed, LOCKED),
        RvError::UserPinNotInitialized => (ErrorKind::SigningFailed, NO_PIN),
        RvError::UserNotLoggedIn => (
            ErrorKind::SigningFailed,
            "the token wants a login that it was not given: if it wants one for each signature, pass \
             --reuse-pin",
        ),
        RvError::DeviceRemoved | RvError::TokenNotPresent | RvError::SlotIdInvalid => (
            ErrorKind::SigningFailed,
            "the token is gone: put it back and try again",
        ),
        RvError::KeyFunctionNotPermitted | RvError::KeyTypeInconsistent => (
            ErrorKind::SigningFailed,
            "the token does not let this key sign (CKA_SIGN): use another key",
        ),
        RvError::MechanismInvalid => (
            ErrorKind::Unsupported,
            "the token has no mechanism that the service takes for this key (CKM_SHA256_RSA_PKCS, \
             CKM_RSA_PKCS, CKM_ECDSA): use another key",
        ),
        _ => {
            return Error::new(
                ErrorKind::SigningFailed,
                format!(
                    "{what}: the PKCS#11 module said `{code:?}` to {function:?}: look into its own log"
                ),
            );
        }
    };
    Error::new(kind, format!("{what}: {said}"))
}

/// What to say of a token whose PIN is locked.
pub(super) const LOCKED: &str = "the token is locked after too many wrong PINs: unlock it with its \
                                 security officer's PIN or PUK, with the token's tools";

/// What to say of a token that nobody can log in to.
pub(super) const NO_PIN: &str =
    "the token has no user PIN yet: set one with the token's tools (`pkcs11-tool --init-pin`)";
