//! The access log: a line for each request, written when the last byte of its answer is on its way, or when the client breaks off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as _, Frame, SizeHint};
use poem::http::{Method, header};
use poem::{Body, Request, Response};
use tracing::{Level, Span};

use super::record::{Known, Received, RequestRecord, Subject};

/// Answers of known length up to so many bytes go to the connection in one piece, so their line does not wait for it.
const ONE_PIECE: u64 = 64 << 10;

/// The line of a request, until it is written.
#[derive(Debug)]
pub(super) struct AccessLine {
    started: Instant,
    method: Method,
    record: RequestRecord,
    received: Option<Received>,
    span: Span,
}

/// How a request ended.
#[derive(Debug)]
struct End {
    status: u16,
    /// Bytes of the body of the answer that the connection took.
    sent: u64,
    /// Whether the client left before that.
    broken_off: bool,
}

impl AccessLine {
    /// The line of a request that begins; `None` if nobody wants one. `span`: that of the request, which has its id.
    pub(super) fn begin(request: &Request, started: Instant, record: &RequestRecord, span: &Span) -> Option<Self> {
        tracing::enabled!(target: "reparse::request", Level::INFO).then(|| Self {
            started,
            method: request.method().clone(),
            record: record.clone(),
            received: request.data::<Received>().cloned(),
            span: span.clone(),
        })
    }

    /// Writes the line when the answer has been sent.
    pub(super) fn follow(self, mut response: Response) -> Response {
        let status = response.status().as_u16();
        let announced =
            response.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let body: BoxBody<Bytes, std::io::Error> = response.take_body().into();
        let exact = if self.method == Method::HEAD { Some(0) } else { body.size_hint().exact() };
        if let Some(sent) = exact.filter(|bytes| *bytes <= ONE_PIECE) {
            self.write(&End { status, sent, broken_off: false });
            response.set_body(Body::from(body));
            return response;
        }
        let expected = exact.or(announced);
        let end = End { status, sent: 0, broken_off: true };
        response.set_body(Body::from(BoxBody::new(Sent { body, expected, line: Some(self), end })));
        response
    }

    /// Writes the line of a request whose client left before there was an answer. `status`: what stands in for that of the answer.
    pub(super) fn broken_off(self, status: u16) {
        self.write(&End { status, sent: 0, broken_off: true });
    }

    fn write(self, end: &End) {
        let Self { started, method, record, received, span } = self;
        let known = record.known();
        let Known { route, address, subject, key, user } = &*known;
        let (mut class, mut function, mut job) = (None, None, None);
        match subject {
            Some(Subject::Class(name)) => class = Some(name.as_str()),
            Some(Subject::Function(name)) => function = Some(name.as_str()),
            Some(Subject::Job(name)) => job = Some(name.as_str()),
            None => {}
        }
        // To a tenth, as a number: programs that read the log compare it.
        let ms = (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
        let aborted = (end.broken_off || received.as_ref().is_some_and(Received::is_broken_off)).then_some(true);
        span.in_scope(|| {
            tracing::info!(
                target: "reparse::request",
                %method,
                route = %route.as_deref().unwrap_or("-"),
                status = end.status,
                ms,
                address = address.map(tracing::field::display),
                key,
                user = user.as_deref(),
                class,
                function,
                job,
                bytesIn = received.map_or(0, |received| received.bytes()),
                bytesOut = end.sent,
                aborted,
            );
        });
    }
}

/// The body of an answer, whose bytes are counted.
struct Sent {
    body: BoxBody<Bytes, std::io::Error>,
    /// How many bytes it has, if that is known before it ends.
    expected: Option<u64>,
    line: Option<AccessLine>,
    end: End,
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.end.sent = self.end.sent.saturating_add(bytes);
        }
        // A connection asks for no more once it has as much as was announced.
        let complete = frame.is_none()
            || self.body.is_end_stream()
            || self.expected.is_some_and(|expected| self.end.sent >= expected);
        if complete && !matches!(frame, Some(Err(_))) {
            self.end.broken_off = false;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.write(&self.end);
        }
    }
}
