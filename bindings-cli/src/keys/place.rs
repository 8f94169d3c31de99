//! Where a certificate or a private key is, in the words of `--certificate` and `--private-key`.

use std::path::Path;

use rolesanywhere_core::{
    Error, ErrorKind, Result,
    source::{Parameter, shown_word},
};

use super::uri::Uri;
use crate::inputs::Input;

/// What an option names.
pub(crate) enum Place<'a> {
    /// Content: a file, or what stands in for one.
    Content(Input<'a>),
    /// An object of a PKCS#11 token: `pkcs11:…` (RFC 7512).
    Pkcs11(Box<Uri>),
    /// A key of an OpenSSH agent: `ssh-agent:`, with what tells it.
    SshAgent(&'a str),
    /// A persistent key of a TPM 2.0: `handle:0x81000001`.
    TpmHandle(u32),
}

impl<'a> Place<'a> {
    /// Reads the value of an option. What has none of the prefixes is [content](Input::read).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] saying what is wrong after the prefix.
    pub(crate) fn read(value: &'a Path, option: Parameter<'_>) -> Result<Self> {
        let text = value.to_str().unwrap_or_default();
        if text.starts_with("pkcs11:") {
            return Uri::read(text)
                .map(|uri| Self::Pkcs11(Box::new(uri)))
                .map_err(|error| error.context(option.name));
        }
        if let Some(wanted) = text.strip_prefix("ssh-agent:") {
            return Ok(Self::SshAgent(wanted));
        }
        if let Some(handle) = text.strip_prefix("handle:") {
            let digits = handle.strip_prefix("0x").unwrap_or(handle);
            return u32::from_str_radix(digits, 16)
                .map(Self::TpmHandle)
                .map_err(|_| {
                    let shown = shown_word(handle).unwrap_or_default();
                    Error::new(
                        ErrorKind::InvalidInput,
                        format!(
                            "{}: what stands after `handle:` {shown} names no key of a TPM: write its persistent \
                             handle in hexadecimal, `handle:0x81000001`",
                            option.name
                        ),
                    )
                });
        }
        Input::read(value, option).map(Self::Content)
    }
}
