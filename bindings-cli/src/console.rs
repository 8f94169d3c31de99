//! What is said on stderr: one line an event, never a secret, never an invisible character.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rolesanywhere_core::text::printable;

/// The name that stands before every line, so that the reader of an SDK's log knows who spoke.
const SPEAKER: &str = "rolesanywhere";

/// Stderr. Warnings wait until the command ends: a failed command prints its one line only, unless
/// `--verbose` asks for all.
#[derive(Debug, Default)]
pub(crate) struct Console {
    verbose: AtomicBool,
    at_once: AtomicBool,
    silent: AtomicBool,
    warnings: Mutex<Vec<String>>,
}

impl Console {
    /// Prints what [`detail`](Self::detail) says, and warnings at once.
    pub(crate) fn set_verbose(&self, verbose: bool) {
        self.verbose.store(verbose, Ordering::Relaxed);
    }

    /// Says a step of the way, under `--verbose` only.
    pub(crate) fn detail(&self, message: fmt::Arguments<'_>) {
        if self.verbose.load(Ordering::Relaxed) {
            line(&message.to_string());
        }
    }

    /// Something that the user should change, though it stops nothing.
    pub(crate) fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        if self.verbose.load(Ordering::Relaxed) || self.at_once.load(Ordering::Relaxed) {
            line(&format!("warning: {message}"));
        } else {
            let mut warnings = self.lock();
            if !warnings.contains(&message) {
                warnings.push(message);
            }
        }
    }

    /// Withholds the warnings of a success unless stderr is a terminal. Some SDKs (the AWS SDK for C++, and with
    /// it pyarrow 14 to 21) read stderr as a part of the answer on stdout, and then send unsigned requests.
    pub(crate) fn succeed_in_silence(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    /// The command did what it was asked: prints the warnings that waited.
    pub(crate) fn succeeded(&self) {
        if self.silent.load(Ordering::Relaxed) && !std::io::stderr().is_terminal() {
            self.lock().clear();
        }
        for message in std::mem::take(&mut *self.lock()) {
            line(&format!("warning: {message}"));
        }
    }

    /// The command failed: prints the one line that says what to do.
    pub(crate) fn failed(&self, error: &dyn fmt::Display) {
        match std::mem::take(&mut *self.lock()).len() {
            0 => line(&error.to_string()),
            count => line(&format!(
                "{error} ({count} warning{} withheld: `--verbose` shows {})",
                if count == 1 { "" } else { "s" },
                if count == 1 { "it" } else { "them" },
            )),
        }
    }

    /// Prints the warnings that waited, and those to come when they come: for commands that go on.
    pub(crate) fn speak_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
        self.succeeded();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        // Whoever panicked while holding it can have left only whole lines behind.
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that the user waits for.
    pub(crate) fn say(&self, message: &str) {
        line(message);
    }

    /// A line of a story, as it is.
    pub(crate) fn tell(&self, message: fmt::Arguments<'_>) {
        write_stderr(&format!("{message}\n"));
    }
}

/// Says one line, whoever is free to: another thread has no [`Console`].
pub(crate) fn line(message: &str) {
    write_stderr(&format!("{SPEAKER}: {}\n", printable(message)));
}

fn write_stderr(text: &str) {
    // Nobody is left to tell that stderr is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
