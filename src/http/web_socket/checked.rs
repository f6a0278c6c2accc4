//! The bytes of a web socket, looked at before the library reads them.
//!
//! A control frame has 125 bytes at most. The library waits for all of a frame's header before it says so; a client that sends no more
//! would wait as long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest payload of a control frame, and the largest that the second byte of a frame gives.
const SHORT: u8 = 125;
/// Says in the second byte that the length follows in two bytes.
const TWO_BYTES: u8 = 126;
/// Bytes of the mask of a client's frames.
const MASK: u64 = 4;

/// What the next byte of a client is.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// The first of a frame.
    First,
    /// The second; whether it is a control frame.
    Second { control: bool },
    /// One of those of the length that are still to come.
    Length { left: u8, length: u64 },
    /// One of the mask and the payload.
    Rest { left: u64 },
}

/// A stream on which frames begin as they may.
#[derive(Debug)]
pub struct Checked<S> {
    stream: S,
    next: Next,
}

impl<S> Checked<S> {
    /// A stream whose next byte begins a frame.
    pub const fn new(stream: S) -> Self {
        Self { stream, next: Next::First }
    }
}

impl Next {
    /// Follows the frames in some bytes.
    fn follow(mut self, mut bytes: &[u8]) -> io::Result<Self> {
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = rest;
            self = match self {
                Self::First => Self::Second { control: byte & 0x08 != 0 },
                Self::Second { control } => match byte & 0x7f {
                    length if control && length > SHORT => {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "a control frame is too long"));
                    }
                    length @ 0..=SHORT => Self::after_length(u64::from(length)),
                    TWO_BYTES => Self::Length { left: 2, length: 0 },
                    _ => Self::Length { left: 8, length: 0 },
                },
                Self::Length { left, length } => {
                    let length = length << 8 | u64::from(*byte);
                    if left > 1 { Self::Length { left: left - 1, length } } else { Self::after_length(length) }
                }
                Self::Rest { left } => {
                    let skipped = left.min(1 + u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                    bytes = bytes.get(usize::try_from(skipped - 1).unwrap_or(usize::MAX)..).unwrap_or_default();
                    if left == skipped { Self::First } else { Self::Rest { left: left - skipped } }
                }
            };
        }
        Ok(self)
    }

    const fn after_length(length: u64) -> Self {
        Self::Rest { left: length.saturating_add(MASK) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Checked<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        this.next = this.next.follow(buffer.filled().get(before..).unwrap_or_default())?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Checked<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_followed_in_pieces_of_any_size() {
        let mut bytes = Vec::new();
        for length in [0_usize, 5, 125, 126, 70_000] {
            bytes.push(0x81);
            match length {
                0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
                126..=65_535 => {
                    bytes.push(0xfe);
                    bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
                }
                _ => {
                    bytes.push(0xff);
                    bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
                }
            }
            // The payload looks like a control frame that is too long.
            bytes.extend([0x89, 0xfe, 0x89, 0xfe].iter().cycle().take(length + 4));
        }
        for size in [1, 2, 3, 7, 1000, bytes.len()] {
            let mut next = Next::First;
            for piece in bytes.chunks(size) {
                next = next.follow(piece).unwrap();
            }
            assert!(matches!(next, Next::First), "{size}: {next:?}");
            assert!(next.follow(&[0x89, 0xfe]).is_err());
            assert!(next.follow(&[0x89, 0xfd]).is_ok());
        }
    }
}
