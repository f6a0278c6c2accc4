//! A body out of several pieces, whose length is known: a large answer that is put together is not copied for it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};

/// Bytes from which on a part stays a piece of its own.
const LARGE: usize = 1 << 16;

/// Puts a body together.
#[derive(Debug, Default)]
pub struct Pieces {
    done: VecDeque<Bytes>,
    open: Vec<u8>,
}

impl Pieces {
    /// Adds a part.
    pub fn add(&mut self, part: &[u8]) {
        self.open.extend_from_slice(part);
    }

    /// Adds a part that may be large.
    pub fn add_bytes(&mut self, part: Bytes) {
        if part.len() < LARGE {
            self.add(&part);
        } else {
            self.close();
            self.done.push_back(part);
        }
    }

    /// The body.
    #[must_use]
    pub fn into_body(mut self) -> poem::Body {
        self.close();
        poem::Body::from(Queue(self.done).map_err(|never: Infallible| match never {}).boxed())
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push_back(std::mem::take(&mut self.open).into());
        }
    }
}

struct Queue(VecDeque<Bytes>);

impl Body for Queue {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_parts_stay_pieces() {
        let large = Bytes::from(vec![b'x'; LARGE]);
        let mut pieces = Pieces::default();
        pieces.add(b"[");
        pieces.add_bytes(Bytes::from_static(b"1,"));
        pieces.add_bytes(large.clone());
        pieces.add(b"]");
        assert_eq!(pieces.done.len(), 2);
        assert_eq!(pieces.done.back().unwrap().as_ptr(), large.as_ptr());
        let body: http_body_util::combinators::BoxBody<Bytes, std::io::Error> = pieces.into_body().into();
        assert_eq!(body.size_hint().exact(), Some(LARGE as u64 + 4));
        let bytes = poem::Body::from(body).into_bytes().await.unwrap();
        assert_eq!((&bytes[..3], bytes.len(), bytes.last()), (&b"[1,"[..], LARGE + 4, Some(&b']')));
    }
}
