//! Files encrypted as parse-server encrypts them: AES-256-GCM with a random IV of 16 bytes; stored are the ciphertext,
//! the IV and the tag, in this order.
//!
//! The IV is longer than the usual 12 bytes and the tag comes last, so the ready-made ciphers, which want one buffer,
//! cannot stream it. Here counter mode and GHASH are put together from their parts as NIST SP 800-38D (section 7)
//! describes. A download must not hand out a byte before the tag was checked: short files are checked in memory, long
//! ones are read twice.

use std::fmt;
use std::ops::Range;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt as _, InnerIvInit as _, KeyInit as _, StreamCipher as _};
use aes::cipher::{StreamCipherCoreWrapper, StreamCipherSeek as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;
use subtle::ConstantTimeEq as _;

use super::blocks::{blocks, gather};
use super::in_memory::InMemory;
use super::{ByteStream, FileError, FileInfo, Result, StoredFile};

/// Bytes that encryption adds to a file: IV and tag.
pub const OVERHEAD: u64 = 32;
/// Bytes that are encrypted at once; a multiple of the cipher's 16.
const BLOCK: usize = 64 * 1024;
/// Files up to this length are decrypted in memory; longer ones are read twice.
const SHORT: u64 = 256 * 1024;

type Counter = StreamCipherCoreWrapper<ctr::CtrCore<Aes256, ctr::flavors::Ctr32BE>>;

/// A key for files.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey([u8; 32]);

impl fmt::Debug for FileKey {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FileKey(…)")
    }
}

impl FileKey {
    /// The key that parse-server makes of the option's text: the first 32 characters of the base64 text of its SHA-256.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(STANDARD.encode(digest).bytes()) {
            *to = from;
        }
        Self(key)
    }
}

/// The two halves of GCM for one file.
struct Gcm {
    aes: Aes256,
    hash: GHash,
    /// The counter block before the first.
    start: [u8; 16],
    /// Bytes hashed so far.
    length: u64,
}

impl Gcm {
    fn new(key: &FileKey, iv: [u8; 16]) -> Self {
        let aes = Aes256::new(&Array::from(key.0));
        let mut subkey = Array::from([0; 16]);
        aes.encrypt_block(&mut subkey);
        let hash = GHash::new(&subkey);
        // An IV that is not 12 bytes long is hashed, followed by its length in bits.
        let mut start = hash.clone();
        start.update(&[Array::from(iv), Array::from(128_u128.to_be_bytes())]);
        Self { aes, hash, start: start.finalize().into(), length: 0 }
    }

    /// The key stream from a byte position on. Fails beyond 64 GiB, where the counter would repeat itself.
    fn stream(&self, position: u64) -> Result<Counter> {
        let mut first = self.start;
        let counter = u32::from_be_bytes([first[12], first[13], first[14], first[15]]).wrapping_add(1);
        first[12..].copy_from_slice(&counter.to_be_bytes());
        let mut stream = Counter::from_core(ctr::CtrCore::inner_iv_init(self.aes.clone(), &Array::from(first)));
        stream.try_seek(position).map_err(|_| FileError::Undecipherable("it is longer than 64 GiB"))?;
        Ok(stream)
    }

    /// Hashes ciphertext; every piece but the last must be a multiple of 16 bytes long.
    fn hash(&mut self, ciphertext: &[u8]) {
        self.hash.update_padded(ciphertext);
        self.length += ciphertext.len() as u64;
    }

    fn tag(mut self) -> [u8; 16] {
        self.hash.update(&[Array::from(u128::from(self.length * 8).to_be_bytes())]);
        let mut mask = Array::from(self.start);
        self.aes.encrypt_block(&mut mask);
        let mut tag: [u8; 16] = self.hash.finalize().into();
        for (byte, mask) in tag.iter_mut().zip(mask) {
            *byte ^= mask;
        }
        tag
    }
}

/// The stored form of a file's bytes.
///
/// # Errors
/// In the stream: those of `bytes`; a file above 64 GiB.
#[must_use]
pub fn encrypt(bytes: ByteStream, key: &FileKey, iv: [u8; 16]) -> ByteStream {
    let gcm = Gcm::new(key, iv);
    let start = gcm.stream(0).map(|counter| Some((blocks(bytes, BLOCK), gcm, counter)));
    Box::pin(stream::try_unfold(start, move |state| async move {
        let Some((mut bytes, mut gcm, mut counter)) = state? else { return Ok(None) };
        let Some(block) = bytes.next().await.transpose()? else {
            let mut end = BytesMut::with_capacity(32);
            end.extend_from_slice(&iv);
            end.extend_from_slice(&gcm.tag());
            return Ok(Some((end.freeze(), Ok(None))));
        };
        let block = apply(&mut counter, block)?;
        gcm.hash(&block);
        Ok(Some((block, Ok(Some((bytes, gcm, counter))))))
    }))
}

/// The piece with the key stream applied, in place where nobody else holds it.
fn apply(counter: &mut Counter, piece: Bytes) -> Result<Bytes> {
    let mut piece = piece.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    counter.try_apply_keystream(&mut piece).map_err(|_| FileError::Undecipherable("it is longer than 64 GiB"))?;
    Ok(piece.freeze())
}

/// The plain form of a stored file. Its tag has been checked when this returns.
///
/// # Errors
/// `Undecipherable`; those of reading.
pub async fn decrypt(raw: Box<dyn StoredFile>, key: &FileKey) -> Result<Box<dyn StoredFile>> {
    let length =
        raw.info().length.checked_sub(OVERHEAD).ok_or(FileError::Undecipherable("it is too short to be encrypted"))?;
    let info = FileInfo { length, ..raw.info().clone() };
    if length <= SHORT {
        let all = gather(raw.read(0..length + OVERHEAD).await?).await?;
        let cut = usize::try_from(length).unwrap_or(usize::MAX);
        if all.len() != cut.saturating_add(32) {
            return Err(FileError::Damaged("it is shorter than noted".to_owned()));
        }
        let (ciphertext, end) = (all.slice(..cut), all.slice(cut..));
        let (iv, tag) = ends(&end)?;
        let mut gcm = Gcm::new(key, iv);
        let mut counter = gcm.stream(0)?;
        gcm.hash(&ciphertext);
        check(&gcm.tag(), &tag)?;
        drop(all);
        let plain = apply(&mut counter, ciphertext)?;
        return Ok(Box::new(InMemory::of(info, plain)));
    }
    let (iv, tag) = ends(&gather(raw.read(length..length + OVERHEAD).await?).await?)?;
    let mut gcm = Gcm::new(key, iv);
    let mut pieces = blocks(raw.read(0..length).await?, BLOCK);
    while let Some(piece) = pieces.next().await.transpose()? {
        gcm.hash(&piece);
    }
    if gcm.length != length {
        return Err(FileError::Damaged("it is shorter than noted".to_owned()));
    }
    check(&gcm.tag(), &tag)?;
    Ok(Box::new(Long { info, raw, gcm: Gcm::new(key, iv) }))
}

/// IV and tag.
fn ends(end: &[u8]) -> Result<([u8; 16], [u8; 16])> {
    match end.as_chunks() {
        ([iv, tag], []) => Ok((*iv, *tag)),
        _ => Err(FileError::Damaged("its end is missing".to_owned())),
    }
}

fn check(found: &[u8; 16], tag: &[u8; 16]) -> Result<()> {
    if bool::from(found.ct_eq(tag)) {
        Ok(())
    } else {
        Err(FileError::Undecipherable("it was encrypted by another key, changed, or is plain"))
    }
}

/// A file that is decrypted while it is read.
struct Long {
    info: FileInfo,
    raw: Box<dyn StoredFile>,
    gcm: Gcm,
}

impl StoredFile for Long {
    fn info(&self) -> &FileInfo {
        &self.info
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        Box::pin(async move {
            let mut counter = self.gcm.stream(range.start)?;
            let pieces = self.raw.read(range).await?;
            Ok(pieces.map(move |piece| apply(&mut counter, piece?)).boxed())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_parse_servers() {
        assert_eq!(&FileKey::from_text("file secret").0, b"hg/z5P0G5+6udijGSQk+yRtLxQH+Ckb3");
    }
}
