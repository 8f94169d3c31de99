//! The service's JSON (RFC 8259), read without a description of what is expected.
//!
//! By hand, since the readers that are kept turn numbers into floating point and say what they did not
//! expect: that was a seventh of a wasm module that does not sign. The tests hold it against `serde_json`.
//! A text is checked as a whole; its values are left as they are until they are asked for.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::str;

/// How deep lists and objects may stand in one another. A session's are four deep.
const MAX_DEPTH: usize = 64;

/// A value whose form has been checked, without white space around it.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(&'a str);

/// The members of an object: name and value.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// Where a text stops being JSON, in bytes from its beginning.
#[derive(Debug)]
pub(super) struct Fault(pub(super) usize);

impl<'a> Json<'a> {
    /// Reads a text, with nothing behind the value.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let text = str::from_utf8(bytes).map_err(|error| Fault(error.valid_up_to()))?;
        let mut scanner = Scanner { text, at: 0 };
        let value = scanner.value(MAX_DEPTH);
        if value.is_some() {
            scanner.space();
        }
        match value {
            Some(value) if scanner.at == text.len() => Ok(Self(value)),
            _ => Err(Fault(scanner.at)),
        }
    }

    /// The members; `None` when the value is no object.
    pub(super) fn object(self) -> Option<Object<'a>> {
        let mut members = Vec::new();
        self.elements('{', |scanner| {
            let name = decoded(scanner.string()?);
            scanner.space();
            scanner.eat(b':')?;
            members.push((name?, Self(scanner.value(MAX_DEPTH)?)));
            Some(())
        })?;
        Some(Object(members))
    }

    /// The first of a list.
    pub(super) fn first(self) -> Option<Self> {
        let mut first = None;
        self.elements('[', |scanner| {
            let value = Self(scanner.value(MAX_DEPTH)?);
            first = first.or(Some(value));
            Some(())
        })?;
        first
    }

    /// Calls `element` at the beginning of each element of a list or an object.
    fn elements(
        self,
        open: char,
        mut element: impl FnMut(&mut Scanner<'a>) -> Option<()>,
    ) -> Option<()> {
        let text = self.0.strip_prefix(open)?;
        let mut scanner = Scanner { text, at: 0 };
        loop {
            scanner.space();
            if matches!(scanner.peek()?, b']' | b'}') {
                return Some(());
            }
            element(&mut scanner)?;
            scanner.space();
            scanner.eat(b',');
        }
    }
}

impl<'a> Object<'a> {
    /// The member of that name, unless it is null, true or false, which nobody asks for. One that
    /// occurs twice is as good as none: who knows which is meant?
    pub(super) fn member(&self, name: &str) -> Option<Json<'a>> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        let (Some((_, value)), None) = (found.next(), found.next()) else {
            return None;
        };
        (!value.0.starts_with(['n', 't', 'f'])).then_some(*value)
    }

    /// The members of the member of that name.
    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.member(name)?.object()
    }

    /// The text of the member of that name, borrowed where it holds no escape.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let text = self.member(name)?.0;
        decoded(text.strip_prefix('"')?.strip_suffix('"')?)
    }

    /// The natural number of the member of that name.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.member(name)?.0.parse().ok()
    }
}

/// What is left of a text.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The next value, as it stands. Recursion is bounded by `depth`.
    fn value(&mut self, depth: usize) -> Option<&'a str> {
        self.space();
        let start = self.at;
        match self.peek()? {
            b'"' => {
                self.string()?;
            }
            b'{' => self.sequence(b'}', |scanner| {
                scanner.space();
                scanner.string()?;
                scanner.space();
                scanner.eat(b':')?;
                scanner.value(depth.checked_sub(1)?).map(|_| ())
            })?,
            b'[' => self.sequence(b']', |scanner| {
                scanner.value(depth.checked_sub(1)?).map(|_| ())
            })?,
            b'n' => self.word("null")?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            _ => self.number()?,
        }
        self.text.get(start..self.at)
    }

    /// A list or an object, at its first bracket.
    fn sequence(&mut self, close: u8, element: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        if self.eat(close).is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            self.space();
            if self.eat(close).is_some() {
                return Some(());
            }
            self.eat(b',')?;
        }
    }

    /// What stands between the quotation marks of a string, escapes and all.
    fn string(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    match self.peek()? {
                        b'u' => {
                            for _ in 0..4 {
                                self.at += 1;
                                self.peek()?.is_ascii_hexdigit().then_some(())?;
                            }
                        }
                        escape => simple_escape(escape).map(|_| ())?,
                    }
                }
                0..=0x1f => return None,
                _ => {}
            }
            self.at += 1;
        }
        let content = self.text.get(start..self.at);
        self.at += 1;
        content
    }

    fn number(&mut self) -> Option<()> {
        self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if self.eat(b'e').or_else(|| self.eat(b'E')).is_some() {
            let _ = self.eat(b'+').or_else(|| self.eat(b'-'));
            self.digits()?;
        }
        Some(())
    }

    /// One digit at least.
    fn digits(&mut self) -> Option<()> {
        self.peek()?.is_ascii_digit().then_some(())?;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.bytes().try_for_each(|byte| self.eat(byte))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

/// What a backslash and that byte stand for.
fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// The text of a string that has been checked; `None` when it holds half a surrogate pair.
fn decoded(content: &str) -> Option<Cow<'_, str>> {
    let mut parts = content.split('\\');
    let first = parts.next()?;
    if first.len() == content.len() {
        return Some(Cow::Borrowed(content));
    }
    let mut text = String::with_capacity(content.len());
    text.push_str(first);
    let mut high: Option<u32> = None;
    while let Some(part) = parts.next() {
        let (c, rest) = match part.as_bytes().first() {
            Some(b'u') => {
                let unit = u32::from_str_radix(part.get(1..5)?, 16).ok()?;
                let rest = part.get(5..)?;
                match (high.take(), unit) {
                    // The low half must follow at once.
                    (None, 0xd800..=0xdbff) if rest.is_empty() => {
                        high = Some(unit);
                        continue;
                    }
                    (Some(high), 0xdc00..=0xdfff) => {
                        let c = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                        (char::from_u32(c)?, rest)
                    }
                    (None, _) => (char::from_u32(unit)?, rest),
                    (Some(_), _) => return None,
                }
            }
            Some(byte) => (simple_escape(*byte)?, part.get(1..)?),
            // Two backslashes stand for one, and the part between them is empty.
            None => ('\\', parts.next()?),
        };
        if high.is_some() {
            return None;
        }
        text.push(c);
        text.push_str(rest);
    }
    high.is_none().then_some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};
    use proptest::prelude::*;
    use serde_json::Value;

    /// The value as `serde_json` has it, by way of what is read here.
    fn value(json: Json<'_>) -> Option<Value> {
        if let Some(Object(members)) = json.object() {
            let members = members.into_iter();
            let members = members.map(|(name, json)| Some((name.into_owned(), value(json)?)));
            return members.collect::<Option<_>>().map(Value::Object);
        }
        if json.0.starts_with('[') {
            let mut list = Vec::new();
            let elements = json.elements('[', |scanner| {
                list.push(value(Json(scanner.value(MAX_DEPTH)?))?);
                Some(())
            });
            elements?;
            assert_eq!(json.first().is_some(), !list.is_empty());
            return Some(Value::Array(list));
        }
        match json.0.strip_prefix('"') {
            Some(text) => decoded(text.strip_suffix('"')?).map(|text| Value::from(text.as_ref())),
            None => serde_json::from_str(json.0).ok(),
        }
    }

    #[track_caller]
    fn check(text: &str) {
        let ours = Json::read(text.as_bytes()).ok().and_then(value);
        let theirs: Option<Value> = serde_json::from_str(text).ok();
        assert_eq!(ours, theirs, "{text}");
    }

    #[test]
    fn odd_texts_are_read_as_serde_json_reads_them() {
        for text in [
            "",
            " ",
            "{}",
            " [ ] ",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\" : [ ] , \"b\":{}}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "[1 2]",
            "nul",
            "nulll",
            "null",
            "true",
            "false",
            "-",
            "-1",
            "-0",
            "01",
            "1.",
            ".5",
            "1.5",
            "1e",
            "1e5",
            "1E+5",
            "1e-5",
            "1e+",
            "+1",
            "0x1",
            "\"",
            "\"a",
            "\"\\",
            "\"\\\"",
            "\"\\\"\"",
            "\"\\\\\"",
            "\"\\\\n\"",
            "\"\\n\\t\\/\\b\\f\\r\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u00e4\"",
            "\"\\u00E4x\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ud83dx\\ude00\"",
            "\"\\ud83d\\n\"",
            "\"\\ude00\"",
            "\"\\ud83d\\ud83d\"",
            "\"\u{1}\"",
            "\"ä😀\"",
            "[]]",
            "{}{}",
            "\u{feff}{}",
            "[[[[1]]]]",
            "\"\\\\\\\\\"",
            "\"\\\\u0041\"",
            "\"a\\\\\\\"b\"",
            "[\"\\\\\", 1]",
        ] {
            check(text);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::read(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(Json::read(nested(MAX_DEPTH + 2).as_bytes()).is_err());
        assert!(Json::read(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn faults_say_where() {
        for (text, at) in [("{\"a\":x}", 5), ("[1", 2), ("{} x", 3), ("", 0)] {
            assert_eq!(Json::read(text.as_bytes()).err().unwrap().0, at, "{text}");
        }
        assert_eq!(Json::read(b"[\"\xff\"]").err().unwrap().0, 2);
    }

    proptest! {
        #[test]
        fn texts_of_json_s_characters(text in r#"[\[\]{}:,"\\ntrufals0-9.eE+\- ]{0,24}"#) {
            check(&text);
        }

        #[test]
        fn strings(content in r#"([ -~]|\\["\\/bfnrtu]|\\u[0-9a-fA-F]{4}|\\ud8[0-9a-f]{2}|\\udc[0-9a-f]{2}|\PC){0,12}"#) {
            check(&format!("\"{content}\""));
            check(&format!("{{\"{content}\":[\"{content}\",1.5e3]}}"));
        }

        #[test]
        fn what_serde_json_writes(texts: Vec<(String, u32)>) {
            let members = texts.into_iter();
            let members = members.map(|(name, n)| (name.clone(), Value::from([name, n.to_string()].to_vec())));
            check(&Value::Object(members.collect()).to_string());
        }
    }
}
