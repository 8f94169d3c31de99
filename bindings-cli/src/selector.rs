//! `--cert-selector`: which certificate is meant, in the words of `aws_signing_helper`.
//!
//! On the command line `Key=x509Subject,Value=CN=web Key=x509Serial,Value=1F`; from a file
//! `file://selector.json` with `[{"Key": "x509Subject", "Value": "CN=web"}, …]`. Names are compared
//! with the text that Go makes of them, see [`go_name`].
//!
//! Whatever the reference takes means the same here, but for what it lets through by mistake: a selector
//! or a value that is empty (it would fit any certificate, or none) and a serial number that is not
//! hexadecimal. Beyond it, a value may hold `Key=` where no white space stands before.

use std::path::Path;

use rolesanywhere_core::{Certificate, Error, ErrorKind, Result};

use crate::{files, go_name::go_name};

/// The largest selector file that is read: three names of a kilobyte each, and room.
const MAX_SELECTOR_LENGTH: u64 = 64 * 1024;

/// What a certificate must be to be meant; each part that is given must fit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    subject: Option<String>,
    issuer: Option<String>,
    /// Hexadecimal in lower case, without leading zeros.
    serial: Option<String>,
}

impl Selector {
    /// Reads either form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming what cannot be read: the form, a key, a serial number that
    /// is not hexadecimal, a key that stands twice.
    pub(crate) fn read(text: &str) -> Result<Self> {
        match text.strip_prefix("file://") {
            Some(path) => Self::from_json(&read_file(Path::new(path))?)
                .map_err(|error| error.context(format_args!("`{path}` of --cert-selector"))),
            None => Self::from_words(text).map_err(|error| error.context("--cert-selector")),
        }
    }

    /// Whether a certificate is meant.
    pub(crate) fn matches(&self, certificate: &Certificate) -> bool {
        let fits = |wanted: &Option<String>, found: String| {
            wanted.as_ref().is_none_or(|wanted| *wanted == found)
        };
        fits(&self.subject, go_name(certificate.subject()))
            && fits(&self.issuer, go_name(certificate.issuer()))
            && fits(&self.serial, significant(certificate.serial_hex()))
    }

    fn from_words(text: &str) -> Result<Self> {
        const FORM: &str = "write `Key=x509Subject,Value=CN=name`, keys separated by a space";
        let mut selector = Self::default();
        let mut rest = text.trim_matches(is_space);
        if rest.is_empty() {
            return Err(refuse(format!("it is empty: {FORM}")));
        }
        while !rest.is_empty() {
            let parts = rest
                .strip_prefix("Key=")
                .and_then(|rest| rest.split_once(",Value="));
            let Some((key, after)) = parts else {
                return Err(refuse(format!(
                    "it is not of the form `Key=…,Value=…`: {FORM}"
                )));
            };
            let end = next_key(after);
            let (value, following) = after.split_at(end);
            let value = value.trim_end_matches(is_space);
            if value.contains('\n') {
                return Err(refuse(format!(
                    "a value goes on after a line break, where only `Key=` may stand: {FORM}"
                )));
            }
            selector.add(key, value)?;
            rest = following.trim_start_matches(is_space);
        }
        Ok(selector)
    }

    fn from_json(text: &str) -> Result<Self> {
        const FORM: &str = "write `[{\"Key\": \"x509Subject\", \"Value\": \"CN=name\"}]`";
        let json: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| refuse(format!("it is not JSON ({error}): {FORM}")))?;
        let unreadable = || refuse(format!("it is not a list of keys and values: {FORM}"));
        let mut selector = Self::default();
        for entry in json.as_array().ok_or_else(unreadable)? {
            let entry = entry.as_object().ok_or_else(unreadable)?;
            // Go takes members in any case, and passes over those that it does not know.
            let member = |name: &str| {
                let mut members = entry.iter();
                let found = members.find(|(member, _)| member.eq_ignore_ascii_case(name));
                found.and_then(|(_, value)| value.as_str())
            };
            let key = member("Key").ok_or_else(unreadable)?;
            let value = member("Value").ok_or_else(unreadable)?;
            selector.add(key, value)?;
        }
        if selector == Self::default() {
            return Err(refuse(format!("it selects nothing: {FORM}")));
        }
        Ok(selector)
    }

    fn add(&mut self, key: &str, value: &str) -> Result<()> {
        let shown: String = key.chars().take(40).collect();
        if value.is_empty() {
            return Err(refuse(format!(
                "the value of `{shown}` is empty: write what the certificate has, or leave the key out"
            )));
        }
        let (place, value) = match key {
            "x509Subject" => (&mut self.subject, value.to_owned()),
            "x509Issuer" => (&mut self.issuer, value.to_owned()),
            "x509Serial" => {
                if !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(refuse(
                        "the value of `x509Serial` is not hexadecimal: write the serial number as \
                         `openssl x509 -serial` prints it, without `0x`"
                            .to_owned(),
                    ));
                }
                (&mut self.serial, significant(&value.to_ascii_lowercase()))
            }
            _ => {
                return Err(refuse(format!(
                    "`{shown}` is no key: use x509Subject, x509Issuer or x509Serial"
                )));
            }
        };
        if place.replace(value).is_some() {
            return Err(refuse(format!("`{shown}` stands twice: give it once")));
        }
        Ok(())
    }
}

/// Where the next `Key=` after white space begins, or the text ends.
fn next_key(text: &str) -> usize {
    text.match_indices("Key=")
        .map(|(at, _)| at)
        .find(|at| {
            let before = text
                .get(..*at)
                .and_then(|before| before.chars().next_back());
            before.is_some_and(is_space)
        })
        .unwrap_or(text.len())
}

/// What Go's regular expressions take for white space: `\s`.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

/// A hexadecimal number without leading zeros; zero is `0`.
fn significant(hex: &str) -> String {
    match hex.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

fn read_file(path: &Path) -> Result<String> {
    let unreadable = |why: &dyn std::fmt::Display| {
        refuse(format!(
            "`{}` of --cert-selector cannot be read ({why}): check the path after `file://`",
            path.display()
        ))
    };
    let content = files::read(path, MAX_SELECTOR_LENGTH).map_err(|error| unreadable(&error))?;
    let text = std::str::from_utf8(&content.bytes).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX_SELECTOR_LENGTH {
        return Err(unreadable(&format!(
            "it is longer than {MAX_SELECTOR_LENGTH} bytes"
        )));
    }
    Ok(text.to_owned())
}

fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(parts: [Option<&str>; 3]) -> Selector {
        let [subject, issuer, serial] = parts.map(|part| part.map(str::to_owned));
        Selector {
            subject,
            issuer,
            serial,
        }
    }

    #[test]
    fn words_are_read_as_the_reference_reads_them() {
        for (text, expected) in [
            ("Key=x509Subject,Value=CN=a", [Some("CN=a"), None, None]),
            (
                "  Key=x509Subject,Value=CN=a b,O=c  ",
                [Some("CN=a b,O=c"), None, None],
            ),
            (
                "Key=x509Issuer,Value=CN=x=y   Key=x509Serial,Value=00Ff",
                [None, Some("CN=x=y"), Some("ff")],
            ),
            (
                "Key=x509Subject,Value=CN=Key=z Key=x509Issuer,Value=CN=i\n Key=x509Serial,Value=0",
                [Some("CN=Key=z"), Some("CN=i"), Some("0")],
            ),
            // What the reference's own test has for its one exact result.
            (
                " \n  Key=x509Subject,Value=CN=CN With Trailing Spaces  ,O=O With Spaces   \t   \
                 Key=x509Issuer,Value=CN=Issuer  \n ",
                [
                    Some("CN=CN With Trailing Spaces  ,O=O With Spaces"),
                    Some("CN=Issuer"),
                    None,
                ],
            ),
            // As Go's regular expressions see white space: a form feed is some, other kinds are not.
            (
                "Key=x509Subject,Value=  CN=a\u{c}Key=x509Issuer,Value=CN=b\u{a0}",
                [Some("  CN=a"), Some("CN=b\u{a0}"), None],
            ),
        ] {
            assert_eq!(Selector::read(text).unwrap(), selector(expected), "{text}");
        }
    }

    #[test]
    fn words_that_are_no_selector_are_refused_by_name() {
        for (text, part) in [
            ("", "it is empty"),
            ("  \n", "it is empty"),
            ("\u{a0}Key=x509Subject,Value=CN=a", "not of the form"),
            ("Key=x509Subject, Value=CN=a", "not of the form"),
            ("Key=x509Subject,Value=CN=a Key=", "not of the form"),
            ("Key= x509Subject,Value=CN=a", "` x509Subject` is no key"),
            ("Key=,Value=CN=a", "`` is no key"),
            ("Key=x509Subject,Value=", "`x509Subject` is empty"),
            (
                "Key=x509Subject,Value= Key=x509Issuer,Value=CN=i",
                "is empty",
            ),
            ("Key=x509Subject,Value=CN=a\nCN=b", "after a line break"),
            ("Key=x509Serial,Value=1 stray", "is not hexadecimal"),
            ("CN=a", "not of the form"),
            ("Key=x509Subject", "not of the form"),
            ("Key=x509Subject,CN=a", "not of the form"),
            ("key=x509Subject,Value=a", "not of the form"),
            ("Key=subject,Value=a", "`subject` is no key"),
            ("Key=x509subject,Value=a", "is no key"),
            ("Key=x509Serial,Value=0x1", "is not hexadecimal"),
            ("Key=x509Serial,Value=", "`x509Serial` is empty"),
            (
                "Key=x509Subject,Value=a Key=x509Subject,Value=b",
                "stands twice",
            ),
        ] {
            let error = Selector::read(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_of_json_is_read_in_go_s_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("selector.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Selector::read(&format!("file://{}", path.display()))
        };
        let both =
            r#"[{"key":"x509Subject","VALUE":"CN=a ","note":1},{"Key":"x509Serial","Value":"0A"}]"#;
        assert_eq!(
            read(both).unwrap(),
            selector([Some("CN=a "), None, Some("a")])
        );
        for (text, part) in [
            ("", "not JSON"),
            ("{}", "not a list"),
            ("[1]", "not a list"),
            ("[]", "selects nothing"),
            ("null", "not a list"),
            (r#"[{"Key":"x509Issuer","Value":""}]"#, "is empty"),
            (r#"[{"Key":"x509Subject"}]"#, "not a list"),
            (r#"[{"Key":"x509Subject","Value":7}]"#, "not a list"),
            (r#"[{"Key":"x","Value":"y"}]"#, "`x` is no key"),
            (
                r#"[{"Key":"x509Issuer","Value":"y"},{"Key":"x509Issuer","Value":"y"}]"#,
                "stands twice",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
        let error = Selector::read("file:///nonexistent").unwrap_err();
        assert!(error.message().contains("cannot be read"), "{error}");
    }
}
