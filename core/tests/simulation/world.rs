//! The fleet, its hosts, and what must be true of them at every moment.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Duration,
};

use rolesanywhere_core::{
    CertificateChain, CreateSession, Error, ErrorKind, Secret, Signature, UnixTime,
    provider::{Action, Advice, Event, Loss, Policy, Provider, Reading, Sharing, Window},
};

use super::network::{Answer, Broken, Dice, Service, Shelf};

/// 2026-11-27T12:00:00Z, in milliseconds.
const START: u64 = 1_795_780_800_000;
/// What a clock that was learnt may be off: `Date` has whole seconds, and travels.
const SLACK: u64 = 3_000;

/// What members share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    None,
    Lock,
    Slow { propagation: u64 },
}

/// A fleet, and what befalls it.
pub(crate) struct Fleet {
    pub(crate) members: usize,
    pub(crate) store: Store,
    pub(crate) lasts: u64,
    pub(crate) lifetime: u64,
    /// The mean time between two uses of a member, in milliseconds.
    pub(crate) ask_every: u64,
    pub(crate) start_within: u64,
    pub(crate) outage: Option<(u64, u64)>,
    has_trouble: bool,
}

impl Fleet {
    pub(crate) fn healthy(members: usize, store: Store, lasts: u64) -> Self {
        Self {
            members,
            store,
            lasts,
            lifetime: 3_600_000,
            ask_every: 200_000,
            start_within: 60_000,
            outage: None,
            has_trouble: false,
        }
    }

    pub(crate) fn in_trouble(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xf1ee7);
        let store = match dice.below(3) {
            0 => Store::None,
            1 => Store::Lock,
            _ => Store::Slow {
                propagation: [100, 5_000, 60_000][dice.below(3) as usize],
            },
        };
        Self {
            members: 1 + dice.below(8) as usize,
            store,
            lasts: (2 + dice.below(7)) * 3_600_000,
            lifetime: [900_000, 3_600_000, 43_200_000][dice.below(3) as usize],
            ask_every: [20_000, 60_000, 300_000][dice.below(3) as usize],
            start_within: 10_000,
            outage: None,
            has_trouble: true,
        }
    }
}

struct Member {
    provider: Provider,
    /// By how much the wall clock is ahead of the truth, in milliseconds.
    error: i64,
    has_monotonic: bool,
    /// Whether that clock runs while the machine sleeps.
    counts_sleep: bool,
    slept: u64,
    sleeps_until: u64,
    lag: u64,
    /// The credentials in use: the key's id, and for how long they are used without asking.
    using: Option<(String, Window)>,
    is_driving: bool,
    /// Changes when the process is another: what was under way then is lost.
    life: u32,
    waiting: u32,
    /// When requests were sent last.
    sent: Vec<u64>,
    /// Until when the member reaches nobody.
    cut_off_until: u64,
    /// Whether its clock was set while it runs: then it may fail although its credentials are good.
    was_set: bool,
}

impl Member {
    fn told(&self) -> String {
        let (error, slept, monotonic) = (self.error, self.slept, self.has_monotonic);
        let was_set = self.was_set;
        let believed = self.provider.clock_offset_seconds();
        format!(
            "clock off by {error} ms, {believed} s believed, slept {slept} ms, monotonic {monotonic}, set {was_set}"
        )
    }
}

#[allow(clippy::large_enum_variant)] // as the event that it holds
enum Happening {
    Use(usize),
    AskAgain(usize, u32),
    Happens(usize, u32, Event),
    Crash(usize),
    Sleep(usize, u64),
    Set(usize, i64),
    CutOff(usize, u64),
    Cancel(usize),
}

pub(crate) struct World {
    now: u64,
    pub(crate) start: u64,
    end: u64,
    fleet: Fleet,
    dice: Dice,
    queue: BTreeMap<(u64, u64), Happening>,
    happened: u64,
    members: Vec<Member>,
    pub(crate) service: Service,
    shelf: Shelf,
    /// When the credentials of each access key really end.
    ends: HashMap<String, u64>,
    chain: CertificateChain,
    signature: Signature,
    pub(crate) uses: u64,
    pub(crate) last_failure: u64,
}

impl World {
    pub(crate) fn new(fleet: Fleet, seed: u64) -> Self {
        let file = "../tests/vectors/lifecycle/certificates/leaf.pem";
        let pem = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let mut world = Self {
            now: START,
            start: START,
            end: START + fleet.lasts,
            service: Service::new(fleet.lifetime),
            fleet,
            dice: Dice::new(seed),
            queue: BTreeMap::new(),
            happened: 0,
            members: Vec::new(),
            shelf: Shelf::default(),
            ends: HashMap::new(),
            chain: CertificateChain::from_pem(&pem).unwrap(),
            // r = s = 1: the service of this world does not verify.
            signature: Signature::ecdsa_der(&[0x30, 6, 2, 1, 1, 2, 1, 1]).unwrap(),
            uses: 0,
            last_failure: START,
        };
        world.service.outages.extend(
            world
                .fleet
                .outage
                .map(|(from, to)| (START + from, START + to)),
        );
        for number in 0..world.fleet.members {
            let member = world.member();
            world.members.push(member);
            let first = world.dice.below(world.fleet.start_within);
            world.at(first, Happening::Use(number));
        }
        if world.fleet.has_trouble {
            world.draw_trouble();
        }
        world
    }

    fn member(&mut self) -> Member {
        let arn = "arn:aws:rolesanywhere:eu-west-1:123456789012";
        let call = CreateSession::new(
            &format!("{arn}:trust-anchor/a"),
            &format!("{arn}:profile/p"),
            "arn:aws:iam::123456789012:role/reader",
        )
        .unwrap();
        let seed = self.dice.below(u64::MAX);
        let mut provider = Provider::new(call, &Policy::default(), seed);
        let mut lag = 0;
        match self.fleet.store {
            Store::None => {}
            Store::Lock => provider = provider.with_sharing(Sharing::with_lock()),
            Store::Slow { propagation } => {
                lag = self.dice.below(propagation);
                let propagation = Duration::from_millis(propagation);
                let cold = Duration::from_secs(1);
                provider = provider.with_sharing(Sharing::without_lock(propagation, cold));
            }
        }
        let mut error = 0;
        if self.fleet.has_trouble && self.dice.one_in(4) {
            error = self.dice.below(2 * 86_400_000) as i64 - 86_400_000;
            if error.abs() < 400_000 {
                error = 0; // off by what nobody can see
            }
        }
        let has_monotonic = !self.fleet.has_trouble || !self.dice.one_in(4);
        let counts_sleep = has_monotonic && self.dice.one_in(2);
        if counts_sleep {
            provider = provider.with_monotonic_that_counts_sleep();
        }
        Member {
            provider,
            error,
            has_monotonic,
            counts_sleep,
            slept: 0,
            sleeps_until: 0,
            lag,
            using: None,
            is_driving: false,
            life: 0,
            waiting: 0,
            sent: Vec::new(),
            cut_off_until: 0,
            was_set: false,
        }
    }

    fn draw_trouble(&mut self) {
        let lasts = self.fleet.lasts;
        for _ in 0..self.dice.below(3) {
            let from = START + self.dice.below(lasts);
            let length = [30_000, 600_000, 7_200_000][self.dice.below(3) as usize];
            self.service.outages.push((from, from + length));
        }
        for how in [
            Broken::Ended,
            Broken::OldDate,
            Broken::Endless,
            Broken::OtherRole,
        ] {
            if self.dice.one_in(3) {
                let from = START + self.dice.below(lasts);
                self.service.broken.push((from, from + 1_200_000, how));
            }
        }
        for _ in 0..self.dice.below(3) {
            let from = START + self.dice.below(lasts);
            self.shelf
                .away
                .push((from, from + self.dice.below(1_800_000)));
        }
        for _ in 0..self.dice.below(12) {
            let at = self.dice.below(lasts);
            let member = self.dice.below(self.members.len() as u64) as usize;
            let trouble = match self.dice.below(5) {
                0 => Happening::Crash(member),
                1 => Happening::Sleep(member, self.dice.below(3 * 3_600_000)),
                2 => Happening::CutOff(member, self.dice.below(3_600_000)),
                3 => Happening::Cancel(member),
                _ => Happening::Set(member, self.dice.below(14_400_000) as i64 - 7_200_000),
            };
            self.at(at, trouble);
        }
    }

    fn at(&mut self, after: u64, happening: Happening) {
        self.happened += 1;
        self.queue
            .insert((self.now + after, self.happened), happening);
    }

    pub(crate) fn run(&mut self) {
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > self.end {
                break;
            }
            self.now = at;
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        // While a machine sleeps, nothing happens on it.
        let number = match &happening {
            Happening::Use(number)
            | Happening::AskAgain(number, _)
            | Happening::Happens(number, ..) => *number,
            _ => usize::MAX,
        };
        if let Some(member) = self.members.get(number)
            && member.sleeps_until > self.now
        {
            let left = member.sleeps_until - self.now;
            self.at(left, happening);
            return;
        }
        match happening {
            Happening::Use(number) => {
                let next = self.dice.exponential(self.fleet.ask_every).max(1);
                self.at(next, Happening::Use(number));
                self.use_credentials(number);
            }
            Happening::AskAgain(number, life) if self.members[number].life == life => {
                if self.members[number].waiting > 0 {
                    self.wake(number);
                }
            }
            Happening::Happens(number, life, event) if self.members[number].life == life => {
                let now = self.clocks(number);
                self.members[number].provider.handle(now, event);
                self.drive(number);
            }
            Happening::AskAgain(..) | Happening::Happens(..) => {}
            Happening::Crash(number) => {
                let mut member = self.member();
                member.life = self.members[number].life + 1;
                self.members[number] = member;
            }
            Happening::Sleep(number, time) => {
                let member = &mut self.members[number];
                let can_hide = member.was_set && !member.counts_sleep;
                if member.sleeps_until <= self.now && !can_hide {
                    member.sleeps_until = self.now + time;
                    member.slept += time;
                }
            }
            Happening::Set(number, by) => {
                let member = &mut self.members[number];
                // When a set-back is not seen in full (no monotonic clock, or a sleep that it does not
                // count) and the service is away, nobody can know the time.
                let is_seen = member.has_monotonic && (member.counts_sleep || member.slept == 0);
                if is_seen || by > 0 {
                    member.error += by;
                    member.was_set = true;
                }
            }
            Happening::CutOff(number, time) => self.members[number].cut_off_until = self.now + time,
            Happening::Cancel(number) => {
                let now = self.clocks(number);
                let member = &mut self.members[number];
                if member.is_driving && member.sleeps_until <= self.now {
                    member.life += 1;
                    member.provider.handle(now, Event::Cancelled);
                    self.drive(number);
                }
            }
        }
    }

    fn clocks(&self, number: usize) -> Reading {
        let member = &self.members[number];
        // A sleep that has begun is not over: nothing is read before that.
        let slept = if member.counts_sleep { 0 } else { member.slept };
        let monotonic = self.now - slept.min(self.now - START);
        Reading::new(
            self.now as i64 + member.error,
            member.has_monotonic.then_some(monotonic),
        )
    }

    // ---- callers

    fn use_credentials(&mut self, number: usize) {
        let now = self.clocks(number);
        if let Some((id, window)) = &self.members[number].using
            && window.covers(now)
        {
            self.check_use(number, &id.clone());
            return;
        }
        match self.members[number].provider.ask(now) {
            Advice::Use(window) => self.take(number, window),
            Advice::UseAndDrive(window) => {
                self.take(number, window);
                self.members[number].is_driving = true;
                self.drive(number);
            }
            Advice::Drive => {
                self.members[number].waiting += 1;
                self.members[number].is_driving = true;
                self.drive(number);
            }
            Advice::Wait { at_most } => {
                self.members[number].waiting += 1;
                let (after, life) = (at_most.as_millis() as u64, self.members[number].life);
                self.at(after, Happening::AskAgain(number, life));
            }
            Advice::Fail { .. } => self.check_failure(number),
            other => panic!("{other:?}"),
        }
    }

    fn take(&mut self, number: usize, window: Window) {
        let member = &mut self.members[number];
        let session = member.provider.session().expect("credentials to use");
        let id = session.credentials().access_key_id().to_owned();
        member.using = Some((id.clone(), window));
        self.check_use(number, &id);
    }

    /// No credentials are used after their end.
    fn check_use(&mut self, number: usize, id: &str) {
        self.uses += 1;
        let ends = self.ends[id];
        assert!(
            self.now < ends + SLACK,
            "member {number} ({}) uses {id} {} s after its end, {} s after the start",
            self.members[number].told(),
            (self.now - ends) / 1000,
            (self.now - START) / 1000
        );
    }

    /// Nobody is told a failure who has valid credentials.
    fn check_failure(&mut self, number: usize) {
        self.last_failure = self.now;
        let member = &self.members[number];
        let held = member
            .provider
            .session()
            .map(|session| session.credentials().access_key_id());
        let left = held.map_or(0, |id| self.ends[id].saturating_sub(self.now));
        assert!(
            left <= SLACK || member.was_set,
            "member {number} fails with {} s left: {:?}",
            left / 1000,
            member.provider.error()
        );
    }

    fn wake(&mut self, number: usize) {
        let waiting = std::mem::take(&mut self.members[number].waiting);
        for _ in 0..waiting {
            self.use_credentials(number);
        }
    }

    // ---- drivers

    fn drive(&mut self, number: usize) {
        loop {
            let now = self.clocks(number);
            let Some(action) = self.members[number].provider.poll(now) else {
                self.members[number].is_driving = false;
                self.wake(number);
                return;
            };
            match action {
                Action::Note(_) => {}
                Action::Use(_) | Action::Fail { .. } => self.wake(number),
                action => {
                    self.execute(number, action);
                    return;
                }
            }
        }
    }

    fn execute(&mut self, number: usize, action: Action) {
        let timeout = action.timeout().unwrap().as_millis() as u64;
        let (after, event) = match action {
            Action::LoadIdentity { id, .. } => {
                let chain = self.chain.clone();
                (1 + self.dice.below(5), Event::IdentityLoaded { id, chain })
            }
            Action::Sign { id, .. } => {
                let signature = self.signature.clone();
                (1 + self.dice.below(20), Event::Signed { id, signature })
            }
            Action::Send { id, request, .. } => {
                let date = request
                    .headers
                    .iter()
                    .find(|(name, _)| name == "x-amz-date")
                    .unwrap();
                let date = UnixTime::from_sigv4(&date.1).unwrap();
                self.send(number, id, date, timeout)
            }
            Action::Pause { .. } => (timeout, Event::Tick),
            store => self.reach_for(number, store, timeout),
        };
        let life = self.members[number].life;
        self.at(after.min(timeout), Happening::Happens(number, life, event));
    }

    fn send(&mut self, number: usize, id: u32, date: UnixTime, timeout: u64) -> (u64, Event) {
        let now = self.now;
        let sent = &mut self.members[number].sent;
        sent.retain(|at| now - at < 10_000);
        sent.push(now);
        // Three attempts and one for the clock, at most every five seconds.
        assert!(
            sent.len() <= 8,
            "member {number} sends {} requests in ten seconds: {sent:?}",
            sent.len()
        );
        if self.members[number].cut_off_until > now {
            let error = Error::new(ErrorKind::TransportFailed, "no route to host");
            return (
                1,
                Event::NotAnswered {
                    id,
                    loss: Loss::Unreachable,
                    error,
                },
            );
        }
        let after = 40 + self.dice.exponential(120);
        match self.service.answer(now, date) {
            Answer::Silence => (timeout, Event::Tick),
            Answer::Response(response, made) => {
                if let Some((key, ends)) = made {
                    self.ends.insert(key, ends);
                }
                // Slower than the request has time: it is given up.
                match after < timeout {
                    true => (after, Event::Answered { id, response }),
                    false => (timeout, Event::Tick),
                }
            }
        }
    }

    fn reach_for(&mut self, number: usize, action: Action, timeout: u64) -> (u64, Event) {
        let id = action.id().unwrap();
        if self.shelf.is_away(self.now) || self.members[number].cut_off_until > self.now {
            return match self.dice.one_in(2) {
                true => (timeout, Event::Tick),
                false => {
                    let error = Error::new(ErrorKind::TransportFailed, "connection refused");
                    (2, Event::StoreFailed { id, error })
                }
            };
        }
        let (now, lag) = (self.now, self.members[number].lag);
        let event = match action {
            Action::Load { key, .. } => {
                let entry = self.shelf.load(&key, now, lag, number).map(Secret::new);
                Event::Loaded { id, entry }
            }
            Action::Lock { key, lease, .. } => {
                let lease = lease.as_millis() as u64;
                match self.shelf.lock(&key, now, number, lease) {
                    true => Event::Locked { id },
                    false => Event::LockHeld { id },
                }
            }
            Action::Store { key, entry, .. } => {
                self.shelf.store(&key, now, number, entry.expose().clone());
                Event::Stored { id }
            }
            Action::Unlock { key, .. } => {
                self.shelf.unlock(&key, number);
                Event::Unlocked { id }
            }
            other => panic!("{other:?}"),
        };
        (1 + self.dice.below(10), event)
    }
}
