//! A connection's stream with a clock in it.
//!
//! hyper bounds how long the head of a request may take, and nothing else: a client that never reads
//! its answers keeps a connection for ever. Here one clock bounds a whole turn, from the first byte of
//! a request to the last byte of its answer, however the bytes trickle; and the pause between turns.
//! Requests that do not wait for the answer before are told apart, so that they can be slowed down.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// How long a turn may take. A request and its answer have 2 kB, which is a packet or two each way.
pub(super) const TURN: Duration = Duration::from_secs(5);

/// How long a connection may wait for its next request.
const IDLE: Duration = Duration::from_secs(30);

/// When a connection was last of use: when it was accepted, its last request began, or its last answer
/// was out. Read from elsewhere to find the connection that has been of no use longest.
#[derive(Clone, Debug)]
pub(super) struct LastUse {
    begun: Instant,
    milliseconds: Arc<AtomicU64>,
}

impl LastUse {
    /// Now, counted from `begun`, which is the same for all that are compared.
    pub(super) fn now(begun: Instant) -> Self {
        let last_use = Self {
            begun,
            milliseconds: Arc::default(),
        };
        last_use.renew();
        last_use
    }

    fn renew(&self) {
        let elapsed = self.begun.elapsed().as_millis();
        self.milliseconds
            .store(u64::try_from(elapsed).unwrap_or(u64::MAX), Relaxed);
    }

    /// Greater is later.
    pub(super) fn milliseconds(&self) -> u64 {
        self.milliseconds.load(Relaxed)
    }
}

/// Whether the next request was sent after the answer before it, as far as its bytes tell. No SDK sends
/// requests without waiting for answers (pipelining).
#[derive(Clone, Debug)]
pub(super) struct Fresh(Arc<AtomicBool>);

impl Fresh {
    /// Whether bytes have come since the last answer went out.
    pub(super) fn is_fresh(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// A stream that ends with [`io::ErrorKind::TimedOut`] when its clock runs out.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    clock: Pin<Box<Sleep>>,
    phase: Phase,
    last_use: LastUse,
    fresh: Fresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between turns.
    Idle,
    /// A request is coming in, or its answer is going out.
    Turn {
        /// Whether something of an answer was written.
        answered: bool,
    },
}

impl<S> Paced<S> {
    /// The first turn begins now: who connects has something to ask.
    pub(super) fn new(stream: S, last_use: LastUse) -> Self {
        Self {
            stream,
            clock: Box::pin(tokio::time::sleep(TURN)),
            phase: Phase::Turn { answered: false },
            last_use,
            fresh: Fresh(Arc::default()),
        }
    }

    /// What its next request is like.
    pub(super) fn fresh(&self) -> Fresh {
        self.fresh.clone()
    }

    fn begin_turn(&mut self) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Turn { answered: false };
            self.clock.as_mut().reset(Instant::now() + TURN);
            self.last_use.renew();
        }
    }

    /// An answer is out, or waits for a client that does not read: no bytes of now are after it.
    fn flushed(&mut self, all: bool) {
        // hyper flushes in the middle of a head, too, with nothing to send.
        if self.phase != (Phase::Turn { answered: true }) {
            return;
        }
        self.fresh.0.store(false, Relaxed);
        if all {
            self.phase = Phase::Idle;
            self.clock.as_mut().reset(Instant::now() + IDLE);
            self.last_use.renew();
        }
    }

    fn write<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.begin_turn();
        if outcome.is_ready() {
            self.phase = Phase::Turn { answered: true };
        }
        self.or_late(context, outcome)
    }

    /// What has to wait waits until the clock has run out and no longer.
    fn or_late<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_pending() && self.clock.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.begin_turn();
            self.fresh.0.store(true, Relaxed);
        }
        self.or_late(context, outcome)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.write(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.write(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.flushed(outcome.is_ready());
        self.or_late(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.begin_turn();
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.or_late(context, outcome)
    }
}
