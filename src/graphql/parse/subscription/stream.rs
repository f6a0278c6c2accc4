//! Answers that are streams of responses: server-sent events, as `graphql-sse` clients read them, and the parts of `multipart/mixed`, as
//! Apollo Client reads them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Request, Response};
use tokio_util::sync::CancellationToken;

use crate::graphql::engine::Text;

/// The form of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Server-sent events: <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>.
    Events,
    /// Parts: <https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>.
    Parts,
}

impl Form {
    /// The form that a client asks for; `None`: it wants no stream.
    #[must_use]
    pub fn wanted(request: &Request) -> Option<Self> {
        let accept = request.header(header::ACCEPT)?;
        let first = accept.split(',').next().unwrap_or_default();
        let kind = first.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("text/event-stream") {
            Some(Self::Events)
        } else if async_graphql::http::is_accept_multipart_mixed(accept) {
            Some(Self::Parts)
        } else {
            None
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream; charset=utf-8",
            Self::Parts => "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0",
        }
    }

    const fn opening(self) -> &'static [u8] {
        match self {
            Self::Events => b":\n\n",
            Self::Parts => b"--graphql",
        }
    }

    const fn alive(self) -> &'static [u8] {
        match self {
            Self::Events => b":\n\n",
            Self::Parts => b"\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql",
        }
    }

    const fn closing(self) -> &'static [u8] {
        match self {
            Self::Events => b"event: complete\ndata:\n\n",
            Self::Parts => b"--\r\n",
        }
    }

    /// A response; its JSON is one line.
    fn response(self, text: Text) -> Bytes {
        let (before, after): (&[u8], &[u8]) = match self {
            Self::Events => (b"event: next\ndata: ", b"\n\n"),
            Self::Parts => (b"\r\nContent-Type: application/json\r\n\r\n{\"payload\":", b"}\r\n--graphql"),
        };
        [before, &text.into_bytes(), after].concat().into()
    }

    /// The answer with these responses. It breaks off when one of `ends` is cancelled: then the client knows that it missed something.
    pub fn answer(
        self,
        responses: BoxStream<'static, Text>,
        every: Duration,
        ends: [CancellationToken; 2],
    ) -> Response {
        self.answer_with(responses.map(move |text| self.response(text)).boxed(), every, ends)
    }

    /// The same with responses that are written already.
    pub(super) fn answer_with(
        self,
        responses: BoxStream<'static, Bytes>,
        every: Duration,
        ends: [CancellationToken; 2],
    ) -> Response {
        let said = Said { form: self, next: Next::Opening, responses, every, ends };
        Response::builder()
            .status(StatusCode::OK)
            .header(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type()))
            .header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
            // Proxies are not to collect it.
            .header("X-Accel-Buffering", HeaderValue::from_static("no"))
            .body(Body::from_bytes_stream(stream::unfold(said, Said::next)))
    }
}

/// What comes next in a stream.
enum Next {
    Opening,
    Response,
    Nothing,
}

/// What is still to be said.
struct Said {
    form: Form,
    next: Next,
    responses: BoxStream<'static, Bytes>,
    every: Duration,
    ends: [CancellationToken; 2],
}

impl Said {
    async fn next(mut self) -> Option<(std::io::Result<Bytes>, Self)> {
        let form = self.form;
        let piece = match self.next {
            Next::Opening => {
                self.next = Next::Response;
                Ok(Bytes::from_static(form.opening()))
            }
            Next::Response => {
                let [lost, stop] = &self.ends;
                tokio::select! {
                    biased;
                    () = lost.cancelled() => Err(self.break_off()),
                    () = stop.cancelled() => Err(self.break_off()),
                    response = self.responses.next() => if let Some(response) = response {
                        Ok(response)
                    } else {
                        self.next = Next::Nothing;
                        Ok(Bytes::from_static(form.closing()))
                    },
                    () = tokio::time::sleep(self.every) => Ok(Bytes::from_static(form.alive())),
                }
            }
            Next::Nothing => return None,
        };
        Some((piece, self))
    }

    fn break_off(&mut self) -> std::io::Error {
        self.next = Next::Nothing;
        std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "the stream ended early")
    }
}
