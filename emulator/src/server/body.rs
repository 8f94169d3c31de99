//! The body of a response, which may break off on purpose.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// A body that is sent whole, or one that announces its length and breaks off before.
pub(super) struct Body {
    data: Option<Bytes>,
    announced: u64,
    breaks_off: bool,
}

/// The connection is to be closed: a fault was injected.
#[derive(Debug)]
pub(super) struct Dropped;

impl Body {
    pub(super) fn whole(data: Bytes) -> Self {
        Self {
            announced: length(&data),
            data: Some(data).filter(|data| !data.is_empty()),
            breaks_off: false,
        }
    }

    /// The first `kept` bytes of `data`, under the length of all of it.
    pub(super) fn truncated(data: Bytes, kept: usize) -> Self {
        let announced = length(&data);
        let data = data.slice(..kept.min(data.len()));
        Self {
            announced,
            data: Some(data).filter(|data| !data.is_empty()),
            breaks_off: true,
        }
    }
}

fn length(data: &Bytes) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(match self.data.take() {
            Some(data) => Some(Ok(Frame::data(data))),
            None if self.breaks_off => Some(Err(Dropped)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.breaks_off
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault was injected")
    }
}

impl std::error::Error for Dropped {}
