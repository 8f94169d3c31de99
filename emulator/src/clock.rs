//! The emulator's clock, which tests may set.

use std::sync::{Mutex, PoisonError};

use rolesanywhere_core::UnixTime;

/// What time it is for the service, given what time it is.
#[derive(Debug, Default)]
pub(crate) struct ServiceClock(Mutex<Setting>);

#[derive(Clone, Copy, Debug, Default)]
enum Setting {
    /// Stands still.
    Frozen(UnixTime),
    /// So many seconds ahead.
    Offset(i64),
    #[default]
    Unset,
}

impl ServiceClock {
    /// The time that the service goes by at `now`.
    pub(crate) fn at(&self, now: UnixTime) -> UnixTime {
        match *self.lock() {
            Setting::Frozen(time) => time,
            Setting::Offset(seconds) => now.plus_seconds(seconds),
            Setting::Unset => now,
        }
    }

    /// Makes it `time` at `now`; from there it runs on, unless frozen.
    pub(crate) fn set(&self, time: UnixTime, frozen: bool, now: UnixTime) {
        *self.lock() = if frozen {
            Setting::Frozen(time)
        } else {
            Setting::Offset(time.seconds_since(now))
        };
    }

    /// Puts it forward, or back.
    pub(crate) fn advance(&self, seconds: i64) {
        let mut setting = self.lock();
        *setting = match *setting {
            Setting::Frozen(time) => Setting::Frozen(time.plus_seconds(seconds)),
            Setting::Offset(offset) => Setting::Offset(offset.saturating_add(seconds)),
            Setting::Unset => Setting::Offset(seconds),
        };
    }

    /// Lets it go by the true time again.
    pub(crate) fn unset(&self) {
        *self.lock() = Setting::Unset;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Setting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
