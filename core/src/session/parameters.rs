//! The parameters of `CreateSession` as named texts: arguments of a binding, keys of a profile,
//! environment variables. A new parameter is named here, and every face has it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, time::Duration};

use super::{ArnPlacement, CreateSession};
use crate::{Endpoint, EndpointOptions, Error, ErrorKind, Result, text::excerpt};

/// A parameter of [`CreateSession::from_parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, in snake case.
    pub name: &'static str,
    /// Whether there is no session without it.
    pub is_required: bool,
    /// Its value, in a few words.
    pub value: &'static str,
}

const fn parameter(name: &'static str, is_required: bool, value: &'static str) -> Parameter {
    Parameter {
        name,
        is_required,
        value,
    }
}

/// What the name of a single instance property begins with.
const PROPERTY_PREFIX: &str = "instance_property.";

impl Parameter {
    /// Every parameter, in alphabetical order. Beside them `instance_property.KEY` names one instance
    /// property.
    pub const ALL: &'static [Self] = &[
        parameter("arn_placement", false, "`query` or `body`"),
        parameter("dual_stack", false, "`true` or `false`"),
        parameter("duration_seconds", false, "900 to 43200"),
        parameter("endpoint", false, "the URL of another endpoint"),
        parameter("fips", false, "`true` or `false`"),
        parameter("instance_properties", false, "`KEY=VALUE,KEY=VALUE`"),
        parameter("plain_http", false, "`true` or `false`"),
        parameter("profile_arn", true, "the ARN or alias ARN of the profile"),
        parameter("region", false, "the trust anchor's region"),
        parameter("role_arn", true, "the ARN of the role"),
        parameter(
            "role_session_name",
            false,
            "2 to 64 letters, digits or `_+=,.@-`",
        ),
        parameter(
            "trust_anchor_arn",
            true,
            "the ARN or alias ARN of the trust anchor",
        ),
    ];
}

impl CreateSession {
    /// Reads a call from named texts. The names are those of [`Parameter::ALL`]; an empty value is as
    /// good as none.
    ///
    /// `session_duration` is another name of `duration_seconds`.
    /// In `instance_properties` a backslash takes the meaning from a comma, an equals sign or a
    /// backslash that follows it. `plain_http` is [`Endpoint::with_plain_http`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when a name is unknown, given twice or missing; and what the
    /// functions return that take the values.
    pub fn from_parameters<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        let mut given: Vec<(&str, &str)> = Vec::new();
        let mut properties: Vec<(String, String)> = Vec::new();
        for (name, value) in parameters {
            if let Some(key) = name.strip_prefix(PROPERTY_PREFIX) {
                properties.push((key.to_string(), value.to_string()));
                continue;
            }
            // The older name, in profiles and in the command.
            let name = match name {
                "session_duration" => "duration_seconds",
                other => other,
            };
            let known = Parameter::ALL
                .iter()
                .any(|parameter| parameter.name == name);
            if !known {
                let names: Vec<&str> = Parameter::ALL.iter().map(|known| known.name).collect();
                return Err(invalid(format_args!(
                    "`{}` is not a parameter of a session: the parameters are {}",
                    shown(name),
                    names.join(", ")
                )));
            }
            if given.iter().any(|(other, _)| *other == name) {
                return Err(invalid(format_args!(
                    "`{name}` is given twice: pass it once"
                )));
            }
            given.push((name, value));
        }
        let value = |name: &str| {
            let found = given.iter().find(|(other, _)| *other == name);
            found
                .map(|(_, value)| *value)
                .filter(|value| !value.is_empty())
        };
        let required = |name: &str| {
            value(name).ok_or_else(|| invalid(format_args!("`{name}` is missing: pass the ARN")))
        };
        let mut call = Self::new(
            required("trust_anchor_arn")?,
            required("profile_arn")?,
            required("role_arn")?,
        )?;
        let options = EndpointOptions {
            fips: flag("fips", value("fips"))?,
            dual_stack: flag("dual_stack", value("dual_stack"))?,
        };
        let region = value("region").unwrap_or(call.trust_anchor().region());
        let mut endpoint = Endpoint::new(value("endpoint"), region, options)?;
        if flag("plain_http", value("plain_http"))? {
            endpoint = endpoint.with_plain_http();
        }
        call = call.with_endpoint(endpoint)?;
        if let Some(seconds) = value("duration_seconds") {
            let seconds = seconds.parse().map_err(|_| {
                invalid(format_args!(
                    "`duration_seconds` is `{}`: pass whole seconds, 900 to 43200",
                    shown(seconds)
                ))
            })?;
            call = call.with_duration(Duration::from_secs(seconds))?;
        }
        if let Some(name) = value("role_session_name") {
            call = call.with_role_session_name(name)?;
        }
        if let Some(text) = value("instance_properties") {
            properties.extend(pairs(text)?);
        }
        for (key, value) in &properties {
            call = call.with_instance_property(key, value)?;
        }
        match value("arn_placement") {
            None | Some("query") => Ok(call.with_arn_placement(ArnPlacement::Query)),
            Some("body") => Ok(call.with_arn_placement(ArnPlacement::Body)),
            Some(other) => Err(invalid(format_args!(
                "`arn_placement` is `{}`: pass `query` or `body`",
                shown(other)
            ))),
        }
    }
}

/// A flag: `true` or `false` in any case, as the AWS SDKs read theirs; absent is false.
fn flag(name: &str, value: Option<&str>) -> Result<bool> {
    match value {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        Some(word) => Err(invalid(format_args!(
            "`{name}` is `{}`: pass `true` or `false`",
            shown(word)
        ))),
    }
}

/// Reads `KEY=VALUE,KEY=VALUE`.
fn pairs(text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let (mut key, mut part) = (None, String::new());
    let mut rest = text.chars();
    loop {
        match rest.next() {
            Some('\\') => match rest.next() {
                Some(c @ (',' | '=' | '\\')) => part.push(c),
                Some(c) => part.extend(['\\', c]),
                None => part.push('\\'),
            },
            Some('=') if key.is_none() => key = Some(core::mem::take(&mut part)),
            end @ (Some(',') | None) => {
                let key = key.take().ok_or_else(|| {
                    invalid(format_args!(
                        "`instance_properties` has `{}`, which is not `KEY=VALUE`: write `KEY=VALUE,KEY=VALUE`",
                        shown(&part)
                    ))
                })?;
                pairs.push((key, core::mem::take(&mut part)));
                if end.is_none() {
                    return Ok(pairs);
                }
            }
            Some(c) => part.push(c),
        }
    }
}

fn shown(text: &str) -> String {
    excerpt(text, 60)
}

fn invalid(message: fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANCHOR: &str = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a";
    const PROFILE: &str = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p";
    const ROLE: &str = "arn:aws:iam::123456789012:role/r";

    fn read(more: &[(&'static str, &'static str)]) -> Result<CreateSession> {
        let mut all = [
            ("trust_anchor_arn", ANCHOR),
            ("profile_arn", PROFILE),
            ("role_arn", ROLE),
        ]
        .to_vec();
        all.extend_from_slice(more);
        CreateSession::from_parameters(all)
    }

    #[test]
    fn every_parameter_is_read() {
        let call = read(&[
            ("duration_seconds", "900"),
            ("role_session_name", "me"),
            ("region", "eu-west-1"),
            ("fips", "False"),
            ("dual_stack", "TRUE"),
            ("endpoint", ""),
            ("arn_placement", "body"),
            ("instance_properties", r"b=2\,5=x,a=\\"),
            ("instance_property.c", "3"),
            ("plain_http", "false"),
        ])
        .unwrap();
        assert_eq!(call.duration_seconds(), Some(900));
        assert_eq!(call.role_session_name(), Some("me"));
        assert_eq!(
            call.endpoint().url(),
            "https://rolesanywhere.eu-west-1.api.aws"
        );
        let properties: Vec<_> = call.instance_properties().collect();
        assert_eq!(properties, [("a", "\\"), ("b", "2,5=x"), ("c", "3")]);
        assert_eq!(call.arn_placement, ArnPlacement::Body);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (parameter, words) in [
            (("durations", "1"), "`durations` is not a parameter"),
            (("role_arn", ROLE), "`role_arn` is given twice"),
            (("duration_seconds", "1h"), "`duration_seconds` is `1h`"),
            (("duration_seconds", "899"), "900 to 43200"),
            (("session_duration", "1"), "900 to 43200"),
            (("fips", "yes"), "`fips` is `yes`"),
            (("arn_placement", "path"), "`arn_placement` is `path`"),
            (("instance_properties", "a=1,b"), "has `b`"),
            (("endpoint", "http://service.example"), "in the clear"),
            (("region", "us-east-1"), "use the region `eu-west-1`"),
        ] {
            let error = read(&[parameter]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.message().contains(words), "{error}");
        }
        let error = CreateSession::from_parameters([("role_arn", ROLE)]).unwrap_err();
        assert!(error.message().contains("`trust_anchor_arn` is missing"));
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for (url, is_allowed) in [
            ("http://127.0.0.1:8080", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8080", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://localhost:1", true),
            ("http://a.localhost", true),
            ("http://localhost.example", false),
            ("http://notlocalhost", false),
            ("http://128.0.0.1", false),
            ("http://[::2]", false),
            ("https://service.example", true),
        ] {
            let call = CreateSession::from_parameters([
                ("trust_anchor_arn", ANCHOR),
                ("profile_arn", PROFILE),
                ("role_arn", ROLE),
                ("endpoint", url),
            ]);
            assert_eq!(call.is_ok(), is_allowed, "{url}");
        }
        assert!(read(&[("endpoint", "http://a.example"), ("plain_http", "true")]).is_ok());
    }
}
