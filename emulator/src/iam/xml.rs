//! XML, as much of it as the answers need.

/// Elements, one after the other.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    /// With one more element that holds text.
    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.0
            .push_str(&format!("<{name}>{}</{name}>", escaped(value)));
        self
    }

    /// With one more element that holds elements.
    pub(super) fn element(mut self, name: &str, content: &Self) -> Self {
        self.0.push_str(&format!("<{name}>{}</{name}>", content.0));
        self
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Text as the content of an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
