//! Regroups streams of bytes.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::{ByteStream, Result};

/// The same bytes in blocks of exactly `size`; the last may be shorter, and there is none for an empty stream.
#[must_use]
pub fn blocks(bytes: ByteStream, size: usize) -> ByteStream {
    let state = Some((bytes, BytesMut::new()));
    Box::pin(stream::try_unfold(state, move |state| async move {
        let Some((mut bytes, mut held)) = state else { return Ok(None) };
        loop {
            if held.len() >= size {
                return Ok(Some((held.split_to(size).freeze(), Some((bytes, held)))));
            }
            match bytes.next().await {
                Some(piece) => {
                    let piece = piece?;
                    if held.is_empty() && piece.len() == size {
                        return Ok(Some((piece, Some((bytes, held)))));
                    }
                    // Room for one block at once; growing piece by piece would copy it again and again.
                    held.reserve(size.saturating_sub(held.len()).max(piece.len()));
                    held.extend_from_slice(&piece);
                }
                None if held.is_empty() => return Ok(None),
                None => return Ok(Some((held.freeze(), None))),
            }
        }
    }))
}

/// A stream of one piece.
#[must_use]
pub fn once(bytes: Bytes) -> ByteStream {
    Box::pin(stream::iter((!bytes.is_empty()).then_some(Ok(bytes))))
}

/// All bytes of a stream that is known to be short.
///
/// # Errors
/// Those of the stream.
pub async fn gather(mut bytes: ByteStream) -> Result<Bytes> {
    let Some(first) = bytes.next().await.transpose()? else { return Ok(Bytes::new()) };
    let Some(second) = bytes.next().await.transpose()? else { return Ok(first) };
    let mut all = BytesMut::from(first);
    all.extend_from_slice(&second);
    while let Some(piece) = bytes.next().await.transpose()? {
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}
