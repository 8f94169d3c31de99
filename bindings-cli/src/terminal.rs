//! A secret from the person at the terminal: asked on the terminal itself, never on stdout, with the
//! echo off, and the terminal as it was afterwards whatever happens.

#[cfg(unix)]
pub(crate) use unix::{ask, is_there, release_signals};

#[cfg(not(unix))]
pub(crate) use elsewhere::{ask, is_there, release_signals};

/// The longest line that is read. A terminal passes on 4,096 bytes at most.
#[cfg(unix)]
const MAX_LINE: usize = 4096;

#[cfg(unix)]
mod unix {
    use std::{
        fs::File,
        io::{self, Read as _, Write as _},
        os::unix::net::UnixStream,
        sync::{
            Arc, Mutex, PoisonError,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
    };

    use rolesanywhere_core::{Error, ErrorKind, Result};
    use rustix::{
        event::{PollFd, PollFlags, poll},
        process::getpgrp,
        termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
    };
    use signal_hook::{
        SigId,
        consts::{SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
        flag,
        low_level::{emulate_default_handler, pipe, unregister},
    };
    use zeroize::Zeroizing;

    use super::MAX_LINE;

    /// What ends or stops a process from its terminal, or politely from elsewhere. A hang-up is left
    /// out: then there is no terminal to restore.
    const SIGNALS: [i32; 4] = [SIGINT, SIGQUIT, SIGTERM, SIGTSTP];

    /// What stands in for the signals' default actions after a prompt; see [`Signals`].
    static DEFAULTS: Mutex<Vec<SigId>> = Mutex::new(Vec::new());

    /// Whether the process has a terminal, in whose foreground it is.
    pub(crate) fn is_there() -> bool {
        File::open("/dev/tty").is_ok_and(|tty| tcgetpgrp(&tty).ok() == Some(getpgrp()))
    }

    /// Asks on the process's terminal and returns the line that was typed, without its end. `None` when
    /// there is no terminal, or when another job has it: a job in the background would be stopped.
    ///
    /// # Errors
    /// [`ErrorKind::WrongPassword`] when the terminal breaks, or ends the input without a line.
    pub(crate) fn ask(prompt: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else {
            return Ok(None);
        };
        if tcgetpgrp(&terminal).ok() != Some(getpgrp()) {
            return Ok(None);
        }
        read_hidden(&terminal, prompt).map(Some).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "nothing was typed".to_owned(),
                _ => error.to_string(),
            };
            Error::new(
                ErrorKind::WrongPassword,
                format!(
                    "no password came from the terminal ({why}): type it, or give it with \
                     --password-file, --password-env or --password-fd"
                ),
            )
        })
    }

    fn read_hidden(terminal: &File, prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let signals = Signals::catch()?;
        let mut terminal_io = terminal;
        loop {
            let hidden = Hidden::begin(terminal)?;
            terminal_io.write_all(prompt.as_bytes())?;
            let outcome = read_line(terminal, &signals);
            drop(hidden);
            // The newline that ended the line was not echoed.
            terminal_io.write_all(b"\n")?;
            match outcome? {
                Line::Typed(line) => return Ok(line),
                // Does here what the signal would have done at once: ends the process, or stops it
                // until it is continued, and then asks again.
                Line::Interrupted(signal) => emulate_default_handler(signal)?,
            }
        }
    }

    enum Line {
        Typed(Zeroizing<Vec<u8>>),
        Interrupted(i32),
    }

    fn read_line(mut terminal: &File, signals: &Signals) -> io::Result<Line> {
        // Of its final size from the start: a buffer that grows leaves its content behind.
        let mut line = Zeroizing::new(vec![0; MAX_LINE]);
        let mut length = 0;
        loop {
            let mut ready = [
                PollFd::new(terminal, PollFlags::IN),
                PollFd::new(&signals.wake, PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let typed = !ready[0].revents().is_empty();
            if let Some(signal) = signals.taken() {
                return Ok(Line::Interrupted(signal));
            }
            if !typed {
                continue;
            }
            let rest = line.get_mut(length..).unwrap_or_default();
            let count = terminal.read(rest)?;
            length += count;
            let text = line.get(..length).unwrap_or_default();
            let text_length = match text.last() {
                Some(b'\n') => length - 1,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
                // The end of input after some text, or a line as long as lines can be.
                Some(_) if count == 0 || length == MAX_LINE => length,
                Some(_) => continue,
            };
            line.truncate(text_length); // The rest is wiped with the buffer.
            return Ok(Line::Typed(line));
        }
    }

    /// The echo is off while this lives.
    struct Hidden<'a> {
        terminal: &'a File,
        before: Termios,
    }

    impl<'a> Hidden<'a> {
        fn begin(terminal: &'a File) -> io::Result<Self> {
            let before = tcgetattr(terminal)?;
            let mut hidden = before.clone();
            hidden
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ECHONL);
            // Lines and the keys that send signals stay; what was typed before is discarded.
            hidden
                .local_modes
                .insert(LocalModes::ICANON | LocalModes::ISIG);
            tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
            Ok(Self { terminal, before })
        }
    }

    impl Drop for Hidden<'_> {
        fn drop(&mut self) {
            // Nothing can be done about a terminal that is gone.
            let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
        }
    }

    /// The signals are noted, not acted on, while this lives.
    ///
    /// The system's default action cannot be put back without unsafe code, so afterwards an action of
    /// our own does the same, until [`release_signals`] makes room for a command's own.
    struct Signals {
        wake: UnixStream,
        noted: Arc<AtomicUsize>,
        over: Arc<AtomicBool>,
        registered: Vec<SigId>,
    }

    impl Signals {
        fn catch() -> io::Result<Self> {
            let (wake, waker) = UnixStream::pair()?;
            wake.set_nonblocking(true)?;
            let mut signals = Self {
                wake,
                noted: Arc::default(),
                over: Arc::default(),
                registered: Vec::new(),
            };
            for signal in SIGNALS {
                let default = flag::register_conditional_default(signal, signals.over.clone())?;
                lock_defaults().push(default);
                let number = usize::try_from(signal).unwrap_or_default();
                let noted = flag::register_usize(signal, signals.noted.clone(), number)?;
                signals.registered.push(noted);
                let woken = pipe::register(signal, waker.try_clone()?)?;
                signals.registered.push(woken);
            }
            Ok(signals)
        }

        /// The signal that came since the last call.
        fn taken(&self) -> Option<i32> {
            let mut woken = &self.wake;
            let _ = woken.read(&mut [0; 64]); // Only to wake: it may be empty.
            match self.noted.swap(0, Ordering::SeqCst) {
                0 => None,
                signal => i32::try_from(signal).ok(),
            }
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.over.store(true, Ordering::SeqCst);
            for id in self.registered.drain(..) {
                unregister(id);
            }
        }
    }

    /// Lets go of the signals that a prompt took. For commands that handle them themselves; to be
    /// called once their own handlers stand.
    pub(crate) fn release_signals() {
        for id in lock_defaults().drain(..) {
            unregister(id);
        }
    }

    fn lock_defaults() -> std::sync::MutexGuard<'static, Vec<SigId>> {
        DEFAULTS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use rolesanywhere_core::Result;
    use zeroize::Zeroizing;

    pub(crate) fn is_there() -> bool {
        false
    }

    /// No terminal is asked on this platform yet.
    pub(crate) fn ask(_: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }

    pub(crate) fn release_signals() {}
}
