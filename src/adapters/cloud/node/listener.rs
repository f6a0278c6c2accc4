//! The local socket on which processes join, in a folder that only the server's user may enter.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::frame::{self, FrameKind};
use crate::system::folders;
use crate::system::local_socket::{self, Listener, ReadHalf, Stream, WriteHalf};

/// Version of the protocol of this server.
pub const PROTOCOL: u32 = 1;
/// Longest first frame of a connection: who has not shown the token yet may not make the server keep much.
const MAX_HELLO: usize = 64 << 10;
/// Time in which a connection must have sent its first frame.
const HELLO_TIME: Duration = Duration::from_secs(5);

/// A private folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// Makes the folder. Fails if it exists.
    pub(super) fn create(parent: &Path, name: &str) -> io::Result<Self> {
        let path = parent.join(name);
        folders::private().create(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::debug!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// A process that has shown its token.
pub(super) struct Joined {
    pub halves: (ReadHalf, WriteHalf),
    /// Bytes that came after the first frame.
    pub buffer: BytesMut,
    /// Process id, as the process states it.
    pub pid: Option<u32>,
}

/// Where the processes of one worker are delivered: the token they must show, and the queue they go to.
pub(super) struct Slot {
    pub token: String,
    pub joined: mpsc::Sender<Joined>,
}

/// What a joining process gets to know.
pub(super) type Welcome = Arc<dyn Fn() -> Json + Send + Sync>;

/// Accepts connections until the listener fails.
pub(super) async fn accept(mut listener: Listener, slots: Arc<Vec<Slot>>, welcome: Welcome) {
    loop {
        match listener.accept().await {
            Ok(stream) => {
                let (slots, welcome) = (slots.clone(), welcome.clone());
                tokio::spawn(async move {
                    let greeted = tokio::time::timeout(HELLO_TIME, greet(stream, &slots, &welcome)).await;
                    match greeted {
                        Ok(Ok(())) => {}
                        Ok(Err(reason)) => tracing::warn!("a process could not join as cloud code: {reason}"),
                        Err(_) => tracing::warn!("a process could not join as cloud code: it sent no token in time"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!("cannot accept a cloud code process: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

#[derive(Deserialize)]
struct Hello {
    kind: String,
    payload: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    protocol: u32,
    token: String,
    #[serde(default)]
    pid: Option<u32>,
}

/// Reads the first frame, which must be the call `hello` with the token of a worker, and answers it.
async fn greet(stream: Stream, slots: &[Slot], welcome: &Welcome) -> Result<(), String> {
    let (mut reader, mut writer) = local_socket::split(stream);
    let mut buffer = BytesMut::with_capacity(4 << 10);
    let first = loop {
        if let Some(frame) = frame::decode(&mut buffer, MAX_HELLO).map_err(|error| error.to_string())? {
            break frame;
        }
        if reader.read_buf(&mut buffer).await.map_err(|error| error.to_string())? == 0 {
            return Err("it left without a token".to_owned());
        }
    };
    let hello = (first.kind == FrameKind::Call).then(|| serde_json::from_slice::<Hello>(&first.json).ok()).flatten();
    let Some(hello) = hello.filter(|hello| hello.kind == "hello") else {
        return Err("its first frame is not a hello".to_owned());
    };
    let known = |slot: &&Slot| bool::from(slot.token.as_bytes().ct_eq(hello.payload.token.as_bytes()));
    let refusal = match slots.iter().find(known) {
        None => "the token is wrong".to_owned(),
        Some(_) if hello.payload.protocol != PROTOCOL => {
            format!("the server speaks protocol {PROTOCOL}, not {}", hello.payload.protocol)
        }
        Some(slot) => match slot.joined.try_reserve() {
            Err(_) => "a process has joined already".to_owned(),
            Ok(place) => {
                let answer = frame::encode(FrameKind::Answer, first.id, &welcome(), &[], usize::MAX)
                    .map_err(|error| error.to_string())?;
                writer.write_all(&answer).await.map_err(|error| error.to_string())?;
                place.send(Joined { halves: (reader, writer), buffer, pid: hello.payload.pid });
                return Ok(());
            }
        },
    };
    let failure = json!({"code": super::error::SCRIPT_FAILED, "message": refusal});
    if let Ok(bytes) = frame::encode(FrameKind::Failure, first.id, &failure, &[], MAX_HELLO) {
        let _ = writer.write_all(&bytes).await;
    }
    Err(refusal)
}
