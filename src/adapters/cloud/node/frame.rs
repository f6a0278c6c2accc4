//! Frames: the unit of the protocol. A header of 16 bytes, JSON, then an optional attachment of raw bytes.
//!
//! ```text
//! offset  size
//!      0     4   length of the JSON in bytes, big endian
//!      4     4   length of the attachment in bytes, big endian
//!      8     1   kind (see FrameKind)
//!      9     3   zero
//!     12     4   number of the call, big endian; 0 where there is none
//! ```

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde::Serialize;

/// Bytes before the JSON of a frame.
pub const HEADER: usize = 16;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Calls the other side; its number belongs to the side that sends it.
    Call = 1,
    /// The result of a call.
    Answer = 2,
    /// The error of a call.
    Failure = 3,
    /// The caller no longer waits for the answer of a call.
    Cancel = 4,
    /// A message without an answer.
    Note = 5,
    /// Asks whether the other side still reads.
    Ping = 6,
    /// The answer of a ping.
    Pong = 7,
}

impl FrameKind {
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Call,
            2 => Self::Answer,
            3 => Self::Failure,
            4 => Self::Cancel,
            5 => Self::Note,
            6 => Self::Ping,
            7 => Self::Pong,
            _ => return None,
        })
    }
}

/// A frame that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is for.
    pub kind: FrameKind,
    /// Number of the call.
    pub id: u32,
    /// JSON, not yet parsed.
    pub json: Bytes,
    /// Raw bytes that belong to the JSON.
    pub attachment: Bytes,
}

/// Why bytes are not a frame. The connection cannot be used any more.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// The frame is longer than this side accepts.
    #[error("a frame of {length} bytes exceeds the limit of {limit} bytes")]
    TooLarge {
        /// Length of JSON and attachment.
        length: u64,
        /// The limit.
        limit: usize,
    },
    /// The header has values that the protocol does not have.
    #[error("the header of a frame is malformed")]
    Malformed,
    /// A value could not be written as JSON.
    #[error("the payload is not JSON: {0}")]
    Payload(String),
}

/// Takes one frame off the front of the buffer; `None` if it has not arrived completely.
///
/// # Errors
/// When the bytes are no frame, or one longer than `limit`.
pub fn decode(buffer: &mut BytesMut, limit: usize) -> Result<Option<Frame>, FrameError> {
    let Some(mut header) = buffer.get(..HEADER) else { return Ok(None) };
    let json = header.get_u32();
    let attachment = header.get_u32();
    let kind = FrameKind::from_byte(header.get_u8()).ok_or(FrameError::Malformed)?;
    if header.get_uint(3) != 0 {
        return Err(FrameError::Malformed);
    }
    let id = header.get_u32();
    let length = u64::from(json) + u64::from(attachment);
    if length > limit as u64 {
        return Err(FrameError::TooLarge { length, limit });
    }
    let (json, attachment) = (json as usize, attachment as usize);
    let total = HEADER + json + attachment;
    if buffer.len() < total {
        buffer.reserve(total - buffer.len());
        return Ok(None);
    }
    let mut body = buffer.split_to(total).freeze();
    body.advance(HEADER);
    let json = body.split_to(json);
    Ok(Some(Frame { kind, id, json, attachment: body }))
}

/// A frame as bytes. The payload is serialized straight into its place.
///
/// # Errors
/// When the payload cannot be serialized or the frame exceeds `limit`.
pub fn encode<P: Serialize + ?Sized>(
    kind: FrameKind,
    id: u32,
    payload: &P,
    attachment: &[u8],
    limit: usize,
) -> Result<Bytes, FrameError> {
    let mut writer = BytesMut::with_capacity(256 + attachment.len()).writer();
    writer.get_mut().put_bytes(0, HEADER);
    serde_json::to_writer(&mut writer, payload).map_err(|error| FrameError::Payload(error.to_string()))?;
    let mut bytes = writer.into_inner();
    let json = bytes.len() - HEADER;
    bytes.extend_from_slice(attachment);
    finish(bytes, kind, id, json, attachment.len(), limit)
}

/// A frame without JSON and attachment.
#[must_use]
pub fn bare(kind: FrameKind, id: u32) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEADER);
    bytes.put_u64(0);
    bytes.put_u8(kind as u8);
    bytes.put_uint(0, 3);
    bytes.put_u32(id);
    bytes.freeze()
}

fn finish(
    mut bytes: BytesMut,
    kind: FrameKind,
    id: u32,
    json: usize,
    attachment: usize,
    limit: usize,
) -> Result<Bytes, FrameError> {
    let too_large = FrameError::TooLarge { length: (json + attachment) as u64, limit };
    if json + attachment > limit {
        return Err(too_large);
    }
    let (Ok(json), Ok(attachment)) = (u32::try_from(json), u32::try_from(attachment)) else { return Err(too_large) };
    if let Some(mut header) = bytes.get_mut(..HEADER) {
        header.put_u32(json);
        header.put_u32(attachment);
        header.put_u8(kind as u8);
        header.put_uint(0, 3);
        header.put_u32(id);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use serde_json::json;

    use super::{FrameError, FrameKind, HEADER, bare, decode, encode};

    #[test]
    fn frames_survive_any_split() {
        let first = encode(FrameKind::Call, 7, &json!({"a": "ü"}), b"bytes", 1000).unwrap();
        let second = bare(FrameKind::Ping, 9);
        let all = [first.as_ref(), second.as_ref()].concat();
        for split in 0..all.len() {
            let mut buffer = BytesMut::new();
            let mut frames = Vec::new();
            for part in [&all[..split], &all[split..]] {
                buffer.extend_from_slice(part);
                while let Some(frame) = decode(&mut buffer, 1000).unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames.len(), 2);
            assert_eq!((frames[0].kind, frames[0].id), (FrameKind::Call, 7));
            assert_eq!(frames[0].json.as_ref(), r#"{"a":"ü"}"#.as_bytes());
            assert_eq!(frames[0].attachment.as_ref(), b"bytes");
            assert_eq!((frames[1].kind, frames[1].id, frames[1].json.len()), (FrameKind::Ping, 9, 0));
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn malformed_and_large_frames_are_refused() {
        let mut garbage = BytesMut::from(&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..]);
        assert_eq!(decode(&mut garbage, 1000), Err(FrameError::Malformed));
        let mut large = BytesMut::from(&encode(FrameKind::Note, 0, "x", &[0; 2000], 5000).unwrap()[..HEADER]);
        assert_eq!(decode(&mut large, 1000), Err(FrameError::TooLarge { length: 2003, limit: 1000 }));
        assert!(matches!(encode(FrameKind::Note, 0, "x", &[0; 2000], 1000), Err(FrameError::TooLarge { .. })));
    }
}
