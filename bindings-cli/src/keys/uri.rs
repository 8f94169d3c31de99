//! `pkcs11:` URIs (RFC 7512): which object of which token.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use rolesanywhere_core::{Error, ErrorKind, Result, source::shown_word};
use zeroize::Zeroizing;

/// The longest URI that is read: a dozen attributes of 64 bytes, each byte as three characters, and
/// room.
const MAX_LENGTH: usize = 8 * 1024;

/// A `pkcs11:` URI: each attribute that it gives must fit.
#[derive(Debug, Default)]
pub(crate) struct Uri {
    /// The token's label.
    pub(crate) token: Option<String>,
    pub(crate) manufacturer: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) slot_description: Option<String>,
    pub(crate) slot_id: Option<u64>,
    pub(crate) slot_manufacturer: Option<String>,
    /// `CKA_LABEL`.
    pub(crate) object: Option<String>,
    /// `CKA_ID`.
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) module_path: Option<PathBuf>,
    pin: Option<Pin>,
    /// The URI without its query, where secrets stand.
    shown: String,
}

/// Where the URI says that the PIN is.
#[derive(Debug)]
enum Pin {
    Source(PathBuf),
    Value(zeroize::Zeroizing<HiddenBytes>),
}

/// Bytes whose `Debug` hides them.
#[derive(Default)]
struct HiddenBytes(Vec<u8>);

impl std::fmt::Debug for HiddenBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl zeroize::Zeroize for HiddenBytes {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Uri {
    /// Reads a URI, `pkcs11:` included.
    ///
    /// `type` and the `library-` attributes are accepted and not compared: the option says what
    /// kind of object is meant, and through p11-kit's proxy every library is the proxy. Query
    /// attributes other than `pin-value`, `pin-source` and `module-path` are passed over, as the
    /// RFC wants it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the attribute that cannot be read, is unknown or stands
    /// twice.
    pub(crate) fn read(text: &str) -> Result<Self> {
        if text.len() > MAX_LENGTH {
            return Err(refuse(format!(
                "the URI is longer than {MAX_LENGTH} characters"
            )));
        }
        let rest = text.strip_prefix("pkcs11:").unwrap_or(text);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut uri = Self {
            shown: format!("pkcs11:{path}"),
            ..Self::default()
        };
        let mut seen = Vec::new();
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = pair(attribute, &mut seen)?;
            uri.add(name, decode(name, value)?)?;
        }
        seen.clear();
        for attribute in query.into_iter().flat_map(|query| query.split('&')) {
            if attribute.is_empty() {
                continue;
            }
            let (name, value) = pair(attribute, &mut seen)?;
            let mut value = Zeroizing::new(decode(name, value)?);
            match name {
                "pin-value" => {
                    let value = HiddenBytes(std::mem::take(&mut *value));
                    uri.pin = Some(Pin::Value(Zeroizing::new(value)));
                }
                "pin-source" => uri.pin = Some(Pin::Source(pin_source(&value)?)),
                "module-path" => uri.module_path = Some(text_of(name, &value)?.into()),
                _ => {}
            }
        }
        if seen.contains(&"pin-value") && seen.contains(&"pin-source") {
            return Err(refuse(
                "it has both `pin-value` and `pin-source`: leave one of them".to_owned(),
            ));
        }
        Ok(uri)
    }

    fn add(&mut self, name: &str, value: Vec<u8>) -> Result<()> {
        let place = match name {
            "id" => {
                self.id = Some(value);
                return Ok(());
            }
            "slot-id" => {
                let number = text_of(name, &value)?.parse();
                self.slot_id = Some(number.map_err(|_| {
                    refuse("`slot-id` is no number: write it in decimal".to_owned())
                })?);
                return Ok(());
            }
            "manufacturer" => &mut self.manufacturer,
            "model" => &mut self.model,
            "object" => &mut self.object,
            "serial" => &mut self.serial,
            "slot-description" => &mut self.slot_description,
            "slot-manufacturer" => &mut self.slot_manufacturer,
            "token" => &mut self.token,
            "library-description" | "library-manufacturer" | "library-version" | "type" => {
                return Ok(());
            }
            _ => {
                return Err(refuse(format!(
                    "{} is no attribute of a pkcs11: URI (RFC 7512): correct or remove it",
                    shown(name)
                )));
            }
        };
        *place = Some(text_of(name, &value)?);
        Ok(())
    }

    /// The PIN that the URI gives or names the file of; `None` when it does neither.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the file cannot be read.
    pub(crate) fn pin(&self) -> Result<Option<crate::password::Password>> {
        match &self.pin {
            None => Ok(None),
            Some(Pin::Source(path)) => {
                crate::password::read_file(path, "pin-source in the pkcs11: URI").map(Some)
            }
            Some(Pin::Value(value)) => Ok(Some(Zeroizing::new(value.0.clone()))),
        }
    }

    /// The file that the PIN is in, where the URI names it.
    pub(crate) fn pin_source(&self) -> Option<&Path> {
        match &self.pin {
            Some(Pin::Source(path)) => Some(path),
            _ => None,
        }
    }

    /// Whether the PIN itself stands in the URI.
    pub(crate) fn shows_pin(&self) -> bool {
        matches!(self.pin, Some(Pin::Value(_)))
    }

    /// The URI without its query: what may be shown.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// Writes an attribute as RFC 7512 wants it, `;` before it unless it is the first.
pub(crate) fn write_attribute(uri: &mut String, name: &str, value: &[u8]) {
    if !uri.ends_with(':') {
        uri.push(';');
    }
    uri.push_str(name);
    uri.push('=');
    for byte in value {
        // RFC 3986's unreserved characters; of an identifier, which is binary, every byte is
        // escaped.
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        if plain && name != "id" {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}"); // Writing into a string does not fail.
        }
    }
}

fn pair<'a>(attribute: &'a str, seen: &mut Vec<&'a str>) -> Result<(&'a str, &'a str)> {
    let Some((name, value)) = attribute.split_once('=') else {
        // The text itself may be part of a PIN.
        return Err(refuse(
            "an attribute has no value: write `name=value`, and `;` within a value as `%3B`"
                .to_owned(),
        ));
    };
    if seen.contains(&name) {
        return Err(refuse(format!(
            "{} stands twice: give it once",
            shown(name)
        )));
    }
    seen.push(name);
    Ok((name, value))
}

/// A value without its percent-encoding (RFC 3986).
fn decode(name: &str, value: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = rest.split_at_checked(2);
        let number = digits.and_then(|(digits, after)| {
            rest = after;
            let digits = std::str::from_utf8(digits).ok()?;
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| plain)
        });
        bytes.push(number.ok_or_else(|| {
            refuse(format!(
                "{} has a `%` without two hexadecimal digits: write `%25` for a percent sign",
                shown(name)
            ))
        })?);
    }
    Ok(bytes)
}

fn text_of(name: &str, value: &[u8]) -> Result<String> {
    String::from_utf8(value.to_vec())
        .map_err(|_| refuse(format!("{} is not UTF-8: correct its escapes", shown(name))))
}

/// The name of an attribute in an error. What is no name of RFC 7512 may be a part of a PIN.
fn shown(name: &str) -> String {
    const NAMES: [&str; 10] = [
        "manufacturer",
        "model",
        "object",
        "serial",
        "slot-description",
        "slot-manufacturer",
        "token",
        "pin-value",
        "pin-source",
        "module-path",
    ];
    if NAMES.contains(&name) {
        return format!("`{name}`");
    }
    shown_word(name).unwrap_or_else(|| "an attribute".to_owned())
}

fn pin_source(value: &[u8]) -> Result<PathBuf> {
    let text = text_of("pin-source", value)?;
    let path = match text.strip_prefix("file:") {
        // `file:///etc/pin` and `file:/etc/pin` mean the same.
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None => &text,
    };
    if path.starts_with('/') {
        return Ok(Path::new(path).to_owned());
    }
    Err(refuse(
        "`pin-source` is neither an absolute path nor a `file:` URI: programs are not run for a PIN"
            .to_owned(),
    ))
}

fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7512_are_read() {
        // Section 3 of the RFC.
        let uri = Uri::read("pkcs11:").unwrap();
        assert!(uri.token.is_none() && uri.object.is_none());
        let uri = Uri::read("pkcs11:object=my-pubkey;type=public?pin-source=file:/etc/token_pin")
            .unwrap();
        assert_eq!(uri.object.as_deref(), Some("my-pubkey"));
        let uri = Uri::read(
            "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
             model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin",
        )
        .unwrap();
        assert_eq!(uri.token.as_deref(), Some("The Software PKCS#11 Softtoken"));
        assert_eq!(uri.manufacturer.as_deref(), Some("Snake Oil, Inc."));
        assert_eq!(
            uri.id.as_deref(),
            Some(&b"\x69\x95\x3e\x5c\xf4\xbd\xec\x91"[..])
        );
        assert_eq!(uri.serial.as_deref(), Some(""));
        let uri =
            Uri::read("pkcs11:token=a;object=x?pin-value=the-pin&module-path=/lib/m.so&x-vendor=1")
                .unwrap();
        assert_eq!(&**uri.pin().unwrap().unwrap(), b"the-pin");
        assert_eq!(uri.module_path.as_deref(), Some(Path::new("/lib/m.so")));
        assert!(!format!("{uri:?}").contains("the-pin"));
        assert_eq!(uri.shown(), "pkcs11:token=a;object=x");
        let uri = Uri::read(
            "pkcs11:slot-description=Sun%20Metaslot;slot-id=327;slot-manufacturer=x;library-version=3",
        )
        .unwrap();
        assert_eq!(uri.slot_id, Some(327));
    }

    #[test]
    fn what_is_no_uri_is_refused_by_name() {
        for (text, part) in [
            ("pkcs11:token", "has no value"),
            ("pkcs11:token=a;token=b", "`token` stands twice"),
            ("pkcs11:tokn=a", "`tokn` is no attribute"),
            ("pkcs11:token=%4", "`token` has a `%`"),
            ("pkcs11:token=%+4", "`token` has a `%`"),
            ("pkcs11:token=%ff", "not UTF-8"),
            ("pkcs11:slot-id=x", "`slot-id` is no number"),
            ("pkcs11:?pin-source=|/bin/pin", "programs are not run"),
            ("pkcs11:?pin-value=1&pin-source=/x", "both"),
        ] {
            let error = Uri::read(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
        let long = format!("pkcs11:token={}", "a".repeat(MAX_LENGTH));
        assert!(Uri::read(&long).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut uri = "pkcs11:".to_owned();
        write_attribute(&mut uri, "token", "a;b %é".as_bytes());
        write_attribute(&mut uri, "id", &[0, b'a', 255]);
        assert_eq!(uri, "pkcs11:token=a%3Bb%20%25%C3%A9;id=%00%61%FF");
        let read = Uri::read(&uri).unwrap();
        assert_eq!(read.token.as_deref(), Some("a;b %é"));
        assert_eq!(read.id.as_deref(), Some(&[0, b'a', 255][..]));
    }
}
