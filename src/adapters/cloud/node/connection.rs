//! One connection to a process that runs cloud code: many calls at once, in both directions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::{CloudError, Thrown};
use super::frame::{self, Frame, FrameKind};
use super::host::Origin;
use super::serve::Server;
use crate::system::local_socket::{ReadHalf, WriteHalf};
use crate::traces;

/// Frames up to this length are copied into one buffer and written together.
const COALESCE: usize = 64 << 10;

/// Bounds of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Longest frame in bytes, in both directions.
    pub frame: usize,
    /// Most calls in flight, each direction by itself. Calls beyond are refused, never queued: calls nest, and a queue
    /// would let outer calls wait for inner ones that wait for a place.
    pub calls: usize,
    /// Most bytes that wait to be written. The process reads nothing while its code computes.
    pub queued: usize,
}

/// A call of the process.
#[derive(Debug)]
pub struct Call<'a, P: ?Sized> {
    /// What is called: `function`, `trigger`, `job`, …
    pub kind: &'a str,
    /// Name of the function, trigger type, job, …
    pub name: &'a str,
    /// In whose course it is made; `depth` is that of the caller.
    pub origin: &'a Origin,
    /// What it gets.
    pub payload: &'a P,
    /// Raw bytes that the payload refers to.
    pub attachment: &'a [u8],
    /// Time after which the call is given up. Jobs have none.
    pub deadline: Option<Duration>,
}

#[derive(Serialize)]
struct Envelope<'a, P: ?Sized> {
    kind: &'a str,
    name: &'a str,
    request: &'a str,
    depth: u32,
    /// Where in a trace it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    payload: &'a P,
}

/// The result of a call, not yet parsed.
#[derive(Debug, Clone)]
pub struct Answer {
    json: Bytes,
    /// Raw bytes that the result refers to.
    pub attachment: Bytes,
}

impl Answer {
    /// The result.
    ///
    /// # Errors
    /// When the JSON does not have the expected form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, CloudError> {
        self.read_borrowed()
    }

    /// The result, borrowing from the bytes that were received.
    ///
    /// # Errors
    /// As [`Answer::read`].
    pub fn read_borrowed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CloudError> {
        serde_json::from_slice(&self.json).map_err(|error| CloudError::Protocol(format!("invalid answer: {error}")))
    }
}

type Waiter = oneshot::Sender<Result<Answer, CloudError>>;

#[derive(Default)]
struct Calls {
    closed: bool,
    last: u32,
    waiting: HashMap<u32, Waiter>,
}

struct Inner {
    limits: Limits,
    outgoing: mpsc::UnboundedSender<Bytes>,
    queued: AtomicUsize,
    serving: AtomicUsize,
    calls: Mutex<Calls>,
    pinged: Mutex<Option<Instant>>,
    closed: CancellationToken,
}

/// The server's end of a connection.
#[derive(Clone)]
pub(super) struct Connection {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("calls", &self.in_flight()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// Takes over a stream whose other end has proved that it may join. `buffer` holds what was already read of it.
    pub(super) fn open(
        (mut reader, writer): (ReadHalf, WriteHalf),
        mut buffer: BytesMut,
        limits: Limits,
        server: Arc<Server>,
    ) -> Self {
        let (outgoing, frames) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            limits,
            outgoing,
            queued: AtomicUsize::new(0),
            serving: AtomicUsize::new(0),
            calls: Mutex::default(),
            pinged: Mutex::default(),
            closed: CancellationToken::new(),
        });
        tokio::spawn(write(writer, frames, inner.clone()));
        let connection = Self { inner };
        let reading = connection.clone();
        tokio::spawn(async move {
            let closed = reading.inner.closed.clone();
            let end = tokio::select! {
                () = closed.cancelled() => Ok(()),
                end = reading.read(&mut reader, &mut buffer, &server) => end,
            };
            if let Err(reason) = end {
                tracing::error!("the connection to cloud code is closed: {reason}");
            }
            reading.close();
        });
        connection
    }

    async fn read(&self, reader: &mut ReadHalf, buffer: &mut BytesMut, server: &Arc<Server>) -> Result<(), String> {
        loop {
            while let Some(frame) = frame::decode(buffer, self.inner.limits.frame).map_err(|error| error.to_string())? {
                self.receive(frame, server);
            }
            buffer.reserve(16 << 10);
            if reader.read_buf(buffer).await.map_err(|error| error.to_string())? == 0 {
                return Ok(());
            }
        }
    }

    fn receive(&self, frame: Frame, server: &Arc<Server>) {
        match frame.kind {
            FrameKind::Answer => {
                self.settle(frame.id, Ok(Answer { json: frame.json, attachment: frame.attachment }));
            }
            FrameKind::Failure => {
                let error = match serde_json::from_slice::<Thrown>(&frame.json) {
                    Ok(thrown) => CloudError::Thrown(thrown),
                    Err(error) => CloudError::Protocol(format!("invalid failure: {error}")),
                };
                self.settle(frame.id, Err(error));
            }
            FrameKind::Call => self.serve(frame, server),
            FrameKind::Note => server.note(&frame.json),
            FrameKind::Ping => self.enqueue(frame::bare(FrameKind::Pong, frame.id)),
            FrameKind::Pong => *lock(&self.inner.pinged) = None,
            // What cloud code asked for is done to its end, as for an HTTP client that goes away.
            FrameKind::Cancel => {}
        }
    }

    fn serve(&self, frame: Frame, server: &Arc<Server>) {
        let serving = ServingCount(self.inner.clone());
        if self.inner.serving.fetch_add(1, Ordering::Relaxed) >= self.inner.limits.calls {
            self.reply(frame.id, Err(CloudError::Overloaded.into()));
            return;
        }
        let (connection, server) = (self.clone(), server.clone());
        tokio::spawn(async move {
            let outcome = server.answer(frame.json, frame.attachment).await;
            connection.reply(frame.id, outcome);
            drop(serving);
        });
    }

    fn reply(&self, id: u32, outcome: Result<super::serve::Reply, super::host::HostFailure>) {
        let limit = self.inner.limits.frame;
        let encoded = match outcome {
            Ok(reply) => frame::encode(FrameKind::Answer, id, &reply.json, &reply.attachment, limit),
            Err(failure) => frame::encode(FrameKind::Failure, id, &failure, &[], limit),
        };
        let bytes = encoded.or_else(|error| {
            let failure = super::host::HostFailure::new(error.to_string());
            frame::encode(FrameKind::Failure, id, &failure, &[], limit)
        });
        if let Ok(bytes) = bytes {
            self.enqueue(bytes);
        }
    }

    fn settle(&self, id: u32, outcome: Result<Answer, CloudError>) {
        // An answer of a call that was given up finds nobody.
        if let Some(waiter) = lock(&self.inner.calls).waiting.remove(&id) {
            let _ = waiter.send(outcome);
        }
    }

    fn enqueue(&self, bytes: Bytes) {
        self.inner.queued.fetch_add(bytes.len(), Ordering::Relaxed);
        // Fails only when the connection is closed; then all calls are settled already.
        let _ = self.inner.outgoing.send(bytes);
    }

    /// Calls the process and waits for its answer.
    ///
    /// # Errors
    /// See [`CloudError`]; `Unavailable` means that nothing was sent. Dropping the future cancels the call.
    pub(super) async fn call<P: Serialize + ?Sized>(&self, call: &Call<'_, P>) -> Result<Answer, CloudError> {
        if self.inner.queued.load(Ordering::Relaxed) > self.inner.limits.queued {
            return Err(CloudError::Overloaded);
        }
        let (waiter, answer) = oneshot::channel();
        let id = self.register(waiter)?;
        let waiting = Waiting { connection: self, id };
        let envelope = Envelope {
            kind: call.kind,
            name: call.name,
            request: &call.origin.request,
            depth: call.origin.depth,
            trace: traces::current_context().map(|context| context.to_string()),
            payload: call.payload,
        };
        let bytes = frame::encode(FrameKind::Call, id, &envelope, call.attachment, self.inner.limits.frame)
            .map_err(|error| CloudError::Protocol(error.to_string()));
        match bytes {
            Ok(bytes) => self.enqueue(bytes),
            Err(error) => {
                self.settle(id, Err(error.clone()));
                return Err(error);
            }
        }
        let outcome = match call.deadline {
            Some(deadline) => tokio::time::timeout(deadline, answer).await.map_err(|_| CloudError::TimedOut)?,
            None => answer.await,
        };
        drop(waiting);
        outcome.unwrap_or(Err(CloudError::Interrupted))
    }

    fn register(&self, waiter: Waiter) -> Result<u32, CloudError> {
        let mut calls = lock(&self.inner.calls);
        if calls.closed {
            return Err(CloudError::Unavailable("the connection is closed".to_owned()));
        }
        if calls.waiting.len() >= self.inner.limits.calls {
            return Err(CloudError::Overloaded);
        }
        loop {
            calls.last = calls.last.wrapping_add(1);
            let id = calls.last;
            if id != 0 && !calls.waiting.contains_key(&id) {
                calls.waiting.insert(id, waiter);
                return Ok(id);
            }
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inner.closed.is_cancelled()
    }

    /// Calls that wait for an answer of the process.
    pub(super) fn in_flight(&self) -> usize {
        lock(&self.inner.calls).waiting.len()
    }

    /// Whether the process still reads: pings it while calls are in flight, and tells `false` once a ping has waited
    /// longer than `limit`.
    pub(super) fn is_responsive(&self, limit: Duration) -> bool {
        let mut pinged = lock(&self.inner.pinged);
        // Calls may have been given up meanwhile; the ping still wants its answer.
        if let Some(since) = *pinged {
            return since.elapsed() <= limit;
        }
        if self.in_flight() > 0 {
            *pinged = Some(Instant::now());
            drop(pinged);
            self.enqueue(frame::bare(FrameKind::Ping, 0));
        }
        true
    }

    /// Closes the connection; calls in flight fail.
    pub(super) fn close(&self) {
        self.inner.closed.cancel();
        let waiting = {
            let mut calls = lock(&self.inner.calls);
            calls.closed = true;
            std::mem::take(&mut calls.waiting)
        };
        for waiter in waiting.into_values() {
            let _ = waiter.send(Err(CloudError::Interrupted));
        }
    }

    /// Completes when the connection is closed, by whichever side.
    pub(super) async fn closed(&self) {
        self.inner.closed.cancelled().await;
    }
}

/// Withdraws a call whose caller has gone before the answer came.
struct Waiting<'a> {
    connection: &'a Connection,
    id: u32,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let unanswered = lock(&self.connection.inner.calls).waiting.remove(&self.id).is_some();
        if unanswered {
            self.connection.enqueue(frame::bare(FrameKind::Cancel, self.id));
        }
    }
}

struct ServingCount(Arc<Inner>);

impl Drop for ServingCount {
    fn drop(&mut self) {
        self.0.serving.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Writes what is queued, small frames together.
async fn write(mut writer: WriteHalf, mut frames: mpsc::UnboundedReceiver<Bytes>, inner: Arc<Inner>) {
    let mut batch = Vec::with_capacity(64);
    let mut buffer = Vec::with_capacity(COALESCE);
    let result: std::io::Result<()> = async {
        loop {
            let count = tokio::select! {
                () = inner.closed.cancelled() => return Ok(()),
                count = frames.recv_many(&mut batch, 64) => count,
            };
            if count == 0 {
                return Ok(());
            }
            let mut written = 0;
            for frame in batch.drain(..) {
                written += frame.len();
                if buffer.len() + frame.len() > COALESCE {
                    send(&mut writer, &buffer, &inner).await?;
                    buffer.clear();
                }
                if frame.len() > COALESCE {
                    send(&mut writer, &frame, &inner).await?;
                } else {
                    buffer.extend_from_slice(&frame);
                }
            }
            send(&mut writer, &buffer, &inner).await?;
            buffer.clear();
            inner.queued.fetch_sub(written, Ordering::Relaxed);
        }
    }
    .await;
    if let Err(error) = result {
        tracing::debug!("cannot write to cloud code: {error}");
    }
    inner.closed.cancel();
}

/// Writes all bytes unless the connection is closed meanwhile: a process that does not read must not hold the task.
async fn send(writer: &mut WriteHalf, bytes: &[u8], inner: &Inner) -> std::io::Result<()> {
    tokio::select! {
        () = inner.closed.cancelled() => Ok(()),
        written = writer.write_all(bytes) => written,
    }
}
