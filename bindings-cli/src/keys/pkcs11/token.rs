//! The tokens that a URI fits, and logging in to them.

use std::{cell::Cell, path::Path};

use cryptoki::{
    context::Pkcs11,
    error::{Error as Pkcs11Error, RvError},
    mechanism::MechanismType,
    session::{Session, UserType},
    slot::{Slot, SlotInfo, TokenInfo},
    types::RawAuthPin,
};
use rolesanywhere_core::{Error, ErrorKind, Result};

use super::failure::{LOCKED, NO_PIN, failed};
use crate::{
    keys::{
        Access,
        uri::{Uri, write_attribute},
    },
    password::Password,
};

/// The most tokens that are named in an error.
const MAX_NAMED: usize = 8;

/// A token with a session open on it.
pub(super) struct Token {
    pub(super) slot: Slot,
    pub(super) info: TokenInfo,
    pub(super) session: Session,
    logged_in: Cell<bool>,
}

/// The tokens that the URI fits.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when there is none, naming those that there are.
pub(super) fn fitting(context: &Pkcs11, module: &Path, uri: &Uri) -> Result<Vec<Token>> {
    let what = format!("the PKCS#11 module `{}`", module.display());
    let slots = context
        .get_slots_with_initialized_token()
        .map_err(|error| failed(&error, &what))?;
    let mut fitting = Vec::new();
    let mut others = Vec::new();
    for slot in slots {
        let known = context
            .get_slot_info(slot)
            .and_then(|place| Ok((place, context.get_token_info(slot)?)));
        // A token that was taken out meanwhile is none.
        let Ok((place, info)) = known else { continue };
        if !fits(uri, slot, &place, &info) {
            others.push(format!("`{}`", info.label()));
            continue;
        }
        let session = context
            .open_ro_session(slot)
            .map_err(|error| failed(&error, &format!("the token `{}`", info.label())))?;
        fitting.push(Token {
            slot,
            info,
            session,
            logged_in: Cell::new(false),
        });
    }
    if !fitting.is_empty() {
        return Ok(fitting);
    }
    let there = match others.len() {
        0 => "there is no token at all: is it plugged in, and is this its module (--pkcs11-lib)?"
            .to_owned(),
        count => {
            others.truncate(MAX_NAMED);
            let more = if count > MAX_NAMED { ", …" } else { "" };
            format!("the tokens here are {}{more}", others.join(", "))
        }
    };
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!("no token fits `{}`: {there}", uri.shown()),
    ))
}

/// The refusal of a URI that fits several tokens.
pub(super) fn several(tokens: &[Token], uri: &Uri) -> Error {
    let mut named: Vec<String> = tokens
        .iter()
        .take(MAX_NAMED)
        .map(|token| format!("`{}`", token.uri()))
        .collect();
    named.sort();
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "`{}` fits {} tokens: name the one of the key, {}",
            uri.shown(),
            tokens.len(),
            named.join(" or ")
        ),
    )
}

fn fits(uri: &Uri, slot: Slot, place: &SlotInfo, info: &TokenInfo) -> bool {
    let same = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    same(&uri.token, info.label())
        && same(&uri.manufacturer, info.manufacturer_id())
        && same(&uri.model, info.model())
        && same(&uri.serial, info.serial_number())
        && same(&uri.slot_description, place.slot_description())
        && same(&uri.slot_manufacturer, place.manufacturer_id())
        && uri.slot_id.is_none_or(|wanted| wanted == slot.id())
}

impl Token {
    /// The URI of the token.
    pub(super) fn uri(&self) -> String {
        let mut uri = String::from("pkcs11:");
        write_attribute(&mut uri, "token", self.info.label().as_bytes());
        write_attribute(
            &mut uri,
            "manufacturer",
            self.info.manufacturer_id().as_bytes(),
        );
        write_attribute(&mut uri, "model", self.info.model().as_bytes());
        write_attribute(&mut uri, "serial", self.info.serial_number().as_bytes());
        uri
    }

    /// Logs the user in, unless that has been done or is not wanted. The PIN is the first one that
    /// a URI gives, else what the options name, else asked for; it is returned, where there was
    /// one.
    ///
    /// # Errors
    /// [`ErrorKind::WrongPassword`], [`ErrorKind::PasswordRequired`], and what is wrong with the
    /// token.
    pub(super) fn log_in(
        &self,
        uris: &[Option<&Uri>],
        access: &Access<'_>,
    ) -> Result<Option<Password>> {
        let label = self.info.label();
        let what = format!("the token `{label}`");
        let refuse = |why: &str| {
            Err(Error::new(
                ErrorKind::SigningFailed,
                format!("{what}: {why}"),
            ))
        };
        if !self.info.login_required() {
            return Ok(None);
        }
        if self.info.user_pin_locked() {
            return refuse(LOCKED);
        }
        if !self.info.user_pin_initialized() {
            return refuse(NO_PIN);
        }
        let done = |outcome: cryptoki::error::Result<()>| match outcome {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                self.logged_in.set(true);
                Ok(())
            }
            Err(error) => Err(failed(&error, &what)),
        };
        if self.info.protected_authentication_path() {
            if !self.logged_in.get() {
                access
                    .console
                    .say(&format!("type the PIN of {what} on its reader"));
                done(self.session.login(UserType::User, None))?;
            }
            return Ok(None);
        }
        let log_in = |pin: &Password| {
            if !self.logged_in.get() {
                done(self.session.login_with_raw(UserType::User, &raw_pin(pin)))?;
            }
            Ok(pin.clone())
        };
        if let Some(uri) = uris.iter().flatten().find(|uri| uri.shows_pin()) {
            access.console.warn(format!(
                "pin-value in `{}` shows the PIN to every user of this machine: use pin-source, \
                 --password-file, --password-env or --password-fd",
                uri.shown()
            ));
        }
        for uri in uris.iter().flatten() {
            if let Some(pin) = uri.pin()? {
                return log_in(&pin).map(Some);
            }
        }
        let last = if self.info.user_pin_final_try() {
            ", which locks after one more wrong one"
        } else {
            ""
        };
        let prompt = format!("PIN of {what}{last}");
        let open = |pin: Option<&[u8]>| match pin {
            Some(pin) => log_in(&Password::new(pin.to_vec())),
            None => Err(Error::new(ErrorKind::PasswordRequired, "")),
        };
        access
            .passwords
            .open(&prompt, access.environment, access.console, open)
            .map(Some)
            .map_err(|error| match error.kind() {
                ErrorKind::PasswordRequired => error.with_message(format!(
                    "{what} wants a PIN: give it with --password-file, --password-env, \
                     --password-fd or pin-source in the URI, or run this in a terminal"
                )),
                _ => error,
            })
    }

    /// The mechanisms by which the token hashes for ECDSA by itself.
    pub(super) fn hashes_ec(&self, context: &Pkcs11) -> Vec<MechanismType> {
        let hashing = [
            MechanismType::ECDSA_SHA256,
            MechanismType::ECDSA_SHA384,
            MechanismType::ECDSA_SHA512,
        ];
        let mut all = context.get_mechanism_list(self.slot).unwrap_or_default();
        all.retain(|mechanism| hashing.contains(mechanism));
        all
    }
}

/// A PIN as cryptoki takes it, which wipes it.
pub(super) fn raw_pin(pin: &Password) -> RawAuthPin {
    RawAuthPin::new(Box::new(pin.to_vec()))
}
