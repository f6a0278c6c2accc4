//! One HTTP/1.1 connection that is kept open.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back: the status here, the body in [`Connection::body`].
pub struct Answer {
    pub status: u16,
    /// The bytes of the whole answer.
    pub bytes: usize,
}

pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
    /// Bytes received and not used yet.
    buffer: Vec<u8>,
    /// The body of the last answer.
    pub body: Vec<u8>,
    /// How often a connection was made.
    pub opened: u64,
}

struct Head {
    status: u16,
    /// Bytes up to the body.
    length: usize,
    body: Framing,
    close: bool,
}

enum Framing {
    Length(usize),
    Chunked,
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The head of an answer, once all of it is there.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(broken(&format!("not an HTTP answer: {error}"))),
    };
    let mut body = Framing::Length(0);
    let mut close = false;
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        if header.name.eq_ignore_ascii_case("content-length") {
            body = Framing::Length(value.parse().map_err(|_| broken("a Content-Length that is no number"))?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            body = Framing::Chunked;
        } else if header.name.eq_ignore_ascii_case("connection") {
            close = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(Some(Head { status: response.code.unwrap_or(0), length, body, close }))
}

impl Connection {
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None, buffer: Vec::new(), body: Vec::new(), opened: 0 }
    }

    async fn stream(&mut self) -> io::Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            self.buffer.clear();
            self.opened += 1;
            self.stream = Some(stream);
        }
        self.stream.as_mut().ok_or_else(|| broken("no stream"))
    }

    pub async fn open(&mut self) -> io::Result<()> {
        self.stream().await.map(|_| ())
    }

    /// Sends a request and reads its answer. A connection that the server closed while it was idle is made anew, once.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let reused = self.stream.is_some();
        let mut result = self.attempt(request).await;
        let closed = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
            )
        };
        if reused && self.buffer.is_empty() && result.as_ref().is_err_and(closed) {
            self.stream = None;
            result = self.attempt(request).await;
        }
        if result.is_err() {
            self.stream = None;
        }
        result
    }

    async fn attempt(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream().await?.write_all(request).await?;
        let head = loop {
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
            self.receive().await?;
        };
        self.buffer.drain(..head.length);
        self.body.clear();
        let mut bytes = head.length;
        match head.body {
            Framing::Length(length) => {
                self.take(length).await?;
                bytes += length;
            }
            Framing::Chunked => bytes += self.chunks().await?,
        }
        if head.close {
            self.stream = None;
        }
        Ok(Answer { status: head.status, bytes })
    }

    async fn receive(&mut self) -> io::Result<()> {
        let Some(stream) = self.stream.as_mut() else { return Err(broken("no stream")) };
        self.buffer.reserve(16 * 1024);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Moves so many bytes into the body.
    async fn take(&mut self, length: usize) -> io::Result<()> {
        while self.buffer.len() < length {
            self.receive().await?;
        }
        self.body.extend(self.buffer.drain(..length));
        Ok(())
    }

    /// Reads chunks up to the last one; returns the bytes they took.
    async fn chunks(&mut self) -> io::Result<usize> {
        let mut bytes = 0;
        loop {
            let line = self.line().await?;
            bytes += line.len() + 2;
            let text = std::str::from_utf8(&line).unwrap_or_default();
            let size = text.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(size, 16).map_err(|_| broken("a chunk without a size"))?;
            if length == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(bytes + 2);
            }
            self.take(length).await?;
            self.line().await?;
            bytes += length + 2;
        }
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let line = self.buffer.get(..end).unwrap_or_default().to_vec();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            self.receive().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers each connection's requests with these bytes, a few at a time, then closes it.
    async fn served(answers: &'static [&'static [u8]]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                for answer in answers {
                    let mut request = [0; 1024];
                    if stream.read(&mut request).await.unwrap() == 0 {
                        break;
                    }
                    for piece in answer.chunks(7) {
                        stream.write_all(piece).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn both_framings_are_read_on_one_connection() {
        let address = served(&[
            b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
            b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
        ])
        .await;
        let mut connection = Connection::new(&address);
        for (status, body) in [(200, "hello world"), (404, "hello world"), (204, "")] {
            let answer = connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            assert_eq!((answer.status, connection.body.as_slice()), (status, body.as_bytes()));
        }
        assert_eq!(connection.opened, 1);
        assert_eq!(connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.unwrap().status, 200);
        assert_eq!(connection.opened, 2);
    }

    #[tokio::test]
    async fn what_is_not_http_is_an_error() {
        let address = served(&[b"SSH-2.0-whatever\r\n\r\n"]).await;
        assert!(Connection::new(&address).exchange(b"GET / HTTP/1.1\r\n\r\n").await.is_err());
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_an_error() {
        let address = served(&[b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"]).await;
        assert!(Connection::new(&address).exchange(b"GET / HTTP/1.1\r\n\r\n").await.is_err());
    }
}
