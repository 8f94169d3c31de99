//! The environment variables that matter, read once and passed on as a value.

/// The environment variables, looked up by name. An empty variable counts as unset.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a>(&'a (dyn Fn(&str) -> Option<String> + Sync));

impl<'a> Environment<'a> {
    /// An environment that answers with `lookup`.
    pub(crate) fn new(lookup: &'a (dyn Fn(&str) -> Option<String> + Sync)) -> Self {
        Self(lookup)
    }

    /// The process's own environment. A value that is not UTF-8 counts as unset: none of the
    /// variables read here can sensibly hold one.
    pub(crate) fn process() -> Environment<'static> {
        Environment(&|name| std::env::var(name).ok())
    }

    /// The value of a variable; `None` when it is unset or empty.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of the variables that is set, with its name.
    pub(crate) fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, String)> {
        names
            .iter()
            .find_map(|name| Some((*name, self.value(name)?)))
    }

    /// Whether a variable of AWS's is `true`, in any case; AWS's SDKs take nothing else for yes.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}
