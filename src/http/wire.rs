//! Adapts the bytes of a connection for hyper, which is stricter than Parse's clients and sends errors without a body.
//!
//! Some clients send `"`, `<` and `>` unencoded in the URL (`?where={"a":1}`); they are encoded before hyper reads them.
//! hyper answers requests that it refuses with an empty body; such responses get the body, the headers and the log line
//! of every other error.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use poem::http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::JSON;
use super::cors::Cors;

/// Maximum bytes of an error response that hyper itself sends.
const OWN_REFUSAL: usize = 256;

/// Whether the next byte from the client begins a request, because the previous request has been read completely.
#[derive(Debug, Clone)]
pub struct RequestStart(Arc<AtomicBool>);

impl Default for RequestStart {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl RequestStart {
    /// Records that the body of a request has been read completely.
    pub fn expect(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// A connection.
pub struct Wire<S> {
    stream: S,
    cors: Arc<Cors>,
    start: RequestStart,
    /// The client's address, for the log.
    address: IpAddr,
    /// Whether the next bytes belong to the first line of a request.
    in_first_line: bool,
    /// Bytes for hyper that did not fit into its buffer.
    surplus: Vec<u8>,
    /// Bytes for the client that replace hyper's.
    pending: Vec<u8>,
}

impl<S> Wire<S> {
    /// Wraps a new connection from an address.
    pub fn new(stream: S, cors: Arc<Cors>, start: RequestStart, address: IpAddr) -> Self {
        Self { stream, cors, start, address, in_first_line: false, surplus: Vec::new(), pending: Vec::new() }
    }

    /// Encodes characters that hyper does not accept in the first line of a request. `None` if there are none.
    fn encoded(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.start.take() {
            self.in_first_line = begins_request(bytes);
        }
        if !self.in_first_line {
            return None;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        self.in_first_line = end.is_none();
        let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if !line.iter().any(|byte| matches!(byte, b'"' | b'<' | b'>')) {
            return None;
        }
        let mut encoded = Vec::with_capacity(bytes.len().saturating_add(64));
        for byte in line {
            match byte {
                b'"' => encoded.extend_from_slice(b"%22"),
                b'<' => encoded.extend_from_slice(b"%3C"),
                b'>' => encoded.extend_from_slice(b"%3E"),
                other => encoded.push(*other),
            }
        }
        encoded.extend_from_slice(rest);
        Some(encoded)
    }

    /// The replacement for an error response of hyper; `None` if the bytes are something else.
    fn instead_of(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if bytes.len() > OWN_REFUSAL || !bytes.starts_with(b"HTTP/1.1 4") {
            return None;
        }
        let head = std::str::from_utf8(bytes).ok()?;
        let (status, error) = match head.get(9..12)? {
            "400" => ("400 Bad Request", "malformed HTTP request"),
            "414" => ("414 URI Too Long", "the address is too long"),
            "431" => ("431 Request Header Fields Too Large", "the headers are too large"),
            _ => return None,
        };
        // Responses of this server already have CORS headers.
        if head.contains("access-control-allow-origin") {
            return None;
        }
        let mut headers = HeaderMap::new();
        self.cors.apply(None, &mut headers);
        let mut answer = format!("HTTP/1.1 {status}\r\ncontent-type: {JSON}\r\nconnection: close\r\n").into_bytes();
        for (name, value) in &headers {
            answer.extend_from_slice(name.as_str().as_bytes());
            answer.extend_from_slice(b": ");
            answer.extend_from_slice(value.as_bytes());
            answer.extend_from_slice(b"\r\n");
        }
        let body = format!("{{\"error\":\"{error}\"}}");
        answer.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let status: u16 = status.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or_default();
        let address = self.address.to_canonical();
        tracing::info!(target: "reparse::request", method = "-", route = "-", status, error, %address);
        Some(answer)
    }
}

/// Whether bytes begin with a method and a path. Other bytes are left unchanged, because they belong to something else.
fn begins_request(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    (3..=7).contains(&method) && bytes.get(method..).is_some_and(|rest| rest.starts_with(b" /"))
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.surplus.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
            let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) else {
                return Poll::Ready(Ok(()));
            };
            let Some(encoded) = this.encoded(bytes) else { return Poll::Ready(Ok(())) };
            this.surplus = encoded;
            buffer.set_filled(before);
        }
        let room = this.surplus.len().min(buffer.remaining());
        let rest = this.surplus.split_off(room);
        buffer.put_slice(&this.surplus);
        this.surplus = rest;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_pending(cx))?;
        match this.instead_of(bytes) {
            Some(answer) => {
                // It is sent with the next flush.
                this.pending = answer;
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut this.stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_pending(cx))?;
        if let [only] = parts
            && let Some(answer) = this.instead_of(only)
        {
            this.pending = answer;
            return Poll::Ready(Ok(only.len()));
        }
        Pin::new(&mut this.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_pending(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_pending(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::server::Server;

    fn wire() -> Wire<()> {
        Wire::new((), Arc::new(Cors::new(&Server::default())), RequestStart::default(), [127, 0, 0, 1].into())
    }

    #[test]
    fn only_the_first_line_of_a_request_is_encoded() {
        let mut wire = wire();
        assert_eq!(wire.encoded(b"GET /x?where={\"a\":").as_deref(), Some(&b"GET /x?where={%22a%22:"[..]));
        assert_eq!(
            wire.encoded(b"\"<\"} HTTP/1.1\r\nA: \"b\"\r\n").as_deref(),
            Some(&b"%22%3C%22} HTTP/1.1\r\nA: \"b\"\r\n"[..])
        );
        assert_eq!(wire.encoded(b"B: \"c\"\r\n\r\n"), None);
        // The body, which may look like a request.
        assert_eq!(wire.encoded(b"GET /x?\" HTTP/1.1\r\n"), None);
        wire.start.expect();
        assert_eq!(wire.encoded(b"POST /> HTTP/1.1\r\n").as_deref(), Some(&b"POST /%3E HTTP/1.1\r\n"[..]));
        wire.start.expect();
        assert_eq!(wire.encoded(b"es/X\" HTTP/1.1\r\n"), None);
    }

    #[test]
    fn hypers_own_refusals_get_a_body() {
        let answer = wire()
            .instead_of(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            )
            .unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.ends_with("{\"error\":\"the headers are too large\"}")
                && answer.contains("access-control-allow-origin: *")
        );
        for other in [
            "HTTP/1.1 400 Bad Request\r\naccess-control-allow-origin: *\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\n\r\n",
        ] {
            assert_eq!(wire().instead_of(other.as_bytes()), None);
        }
    }
}
