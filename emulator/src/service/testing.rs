//! What tests ask of the service besides requests: clock, faults, a new beginning.

use rolesanywhere_core::{Result, UnixTime};

use super::Service;
use crate::faults::InjectedFault;

impl Service {
    /// The time that the service goes by when it truly is `now`.
    pub fn time_at(&self, now: UnixTime) -> UnixTime {
        self.clock.at(now)
    }

    /// Sets the service's clock to `time`, it being `now` in truth. It runs on from there, or stands
    /// still when `frozen`.
    pub fn set_clock(&self, time: UnixTime, frozen: bool, now: UnixTime) {
        self.clock.set(time, frozen, now);
    }

    /// Puts the service's clock forward, or back with a negative number.
    pub fn advance_clock(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// Lets the service go by the true time again.
    pub fn unset_clock(&self) {
        self.clock.unset();
    }

    /// Injects a fault after those that wait already. False when too many wait, or when it befalls no
    /// call.
    pub fn inject_fault(&self, fault: InjectedFault) -> bool {
        self.faults.add(fault)
    }

    /// The faults that are yet to befall.
    pub fn injected_faults(&self) -> Vec<InjectedFault> {
        self.faults.all()
    }

    /// Takes back every fault.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Begins anew: resources as the configuration has them, created at `now`; no subjects, no issued
    /// credentials, no audit records, no faults, no counted calls, the true time.
    ///
    /// # Errors
    /// When the state file cannot be written.
    pub fn reset(&self, now: UnixTime) -> Result<()> {
        self.begin_anew(now)?;
        self.issued.clear();
        self.audit.clear();
        self.reset_monitoring();
        self.faults.clear();
        self.throttle.clear();
        self.clock.unset();
        Ok(())
    }
}
