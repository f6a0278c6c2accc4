//! Frames: what a client sends, what it is sent, pings, and the end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::bell::Bell;
use super::connection::{LiveConnection, Told};
use crate::domain::features::live_query::Delivery;
use crate::domain::features::live_query::outlet::{Inbox, Missed};
use crate::http::web_socket;

/// Why a connection ends.
enum End {
    /// The client went away, or closed it.
    Gone,
    /// It is closed, with a code and a reason.
    Closed(CloseCode, &'static str),
    /// It is dropped.
    Dropped,
}

const MISSED: End = End::Closed(CloseCode::Again, "events are not read fast enough");

/// What a connection does next.
enum Next {
    /// It tells what happened.
    Tell(Delivery),
    /// It hears what the client said.
    Hear(Option<Result<Message, Error>>),
    /// It asks whether the client is there.
    Ping,
    /// It ends.
    End(End),
}

/// A web socket that is served.
struct Serving<'a, 's, S> {
    stream: WebSocketStream<S>,
    connection: LiveConnection,
    inbox: Inbox<Delivery>,
    /// The pause between pings, and the current one.
    every: Duration,
    pause: Pin<&'a mut Sleep>,
    awaits_pong: bool,
    stop: &'s CancellationToken,
    stopped: Pin<&'a mut WaitForCancellationFuture<'s>>,
    /// Whether the last thing done was to tell an event.
    told: bool,
    /// Rings when the client said something, a ping is due or the server stops: all that is rare beside what is told.
    bell: Arc<Bell>,
}

/// Serves a web socket until it ends.
pub async fn run<S>(
    stream: WebSocketStream<S>,
    connection: LiveConnection,
    inbox: Inbox<Delivery>,
    every: Duration,
    stop: &CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (pause, stopped) = (pin!(sleep(every)), pin!(stop.cancelled()));
    let (bell, awaits_pong, told) = (Bell::new(), false, false);
    let mut serving = Serving { stream, connection, inbox, every, pause, awaits_pong, stop, stopped, told, bell };
    let end = loop {
        let next = poll_fn(|cx| serving.poll_next(cx)).await;
        if let Err(end) = serving.act(next).await {
            break end;
        }
    };
    let Serving { mut stream, connection, inbox, .. } = serving;
    // The subscriptions end before the socket does.
    connection.end();
    drop(inbox);
    if let End::Closed(code, reason) = end {
        Box::pin(web_socket::close(&mut stream, code, reason, stop)).await;
    }
}

impl<S> Serving<'_, '_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Next> {
        // However much there is to tell, a client is heard in between.
        if std::mem::take(&mut self.told)
            && let Poll::Ready(next) = self.poll_bell(cx)
        {
            return Poll::Ready(next);
        }
        match self.inbox.poll_next(cx) {
            Poll::Ready(Ok(delivery)) => {
                self.told = true;
                Poll::Ready(Next::Tell(delivery))
            }
            Poll::Ready(Err(Missed)) => Poll::Ready(Next::End(MISSED)),
            Poll::Pending => self.poll_bell(cx),
        }
    }

    /// What is rare beside what is told, if the bell rang.
    fn poll_bell(&mut self, cx: &Context<'_>) -> Poll<Next> {
        let Some(waker) = self.bell.heard(cx) else { return Poll::Pending };
        let cx = &mut Context::from_waker(&waker);
        let next = if self.stopped.as_mut().poll(cx).is_ready() {
            Next::End(End::Dropped)
        } else if let Poll::Ready(heard) = self.stream.poll_next_unpin(cx) {
            Next::Hear(heard)
        } else if self.pause.as_mut().poll(cx).is_ready() {
            Next::Ping
        } else {
            return Poll::Pending;
        };
        // There may be more.
        self.bell.ring();
        Poll::Ready(next)
    }

    async fn act(&mut self, next: Next) -> Result<(), End> {
        match next {
            Next::Tell(delivery) => {
                let text = match self.connection.tell(&delivery) {
                    Told::Nothing => None,
                    Told::Text(text) => Some(text),
                    Told::Later(asking) => unless_ended(asking, &mut self.inbox, self.stop).await?,
                };
                match text {
                    Some(text) => self.send(Message::text(text)).await,
                    None => Ok(()),
                }
            }
            Next::Hear(Some(Ok(message))) => self.hear(message).await,
            Next::Hear(Some(Err(Error::Capacity(_)))) => Err(End::Closed(CloseCode::Size, "the message is too large")),
            Next::Hear(Some(Err(Error::Utf8(_)))) => Err(End::Closed(CloseCode::Invalid, "the message is not UTF-8")),
            Next::Hear(Some(Err(Error::Protocol(_)))) => Err(End::Closed(CloseCode::Protocol, "not a web socket")),
            Next::Hear(Some(Err(_)) | None) => Err(End::Gone),
            Next::Ping if self.awaits_pong => Err(End::Dropped),
            Next::Ping => {
                self.awaits_pong = true;
                self.pause.as_mut().reset(Instant::now() + self.every);
                self.send(Message::Ping(Bytes::new())).await
            }
            Next::End(end) => Err(end),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => {
                // Few messages come, and what it takes to answer one is much: it is kept no longer than that.
                let answering = Box::pin(self.connection.answer(&text));
                for answer in unless_ended(answering, &mut self.inbox, self.stop).await? {
                    self.send(Message::text(answer)).await?;
                }
                Ok(())
            }
            Message::Binary(_) => Err(End::Closed(CloseCode::Unsupported, "messages are text")),
            Message::Pong(_) => {
                self.awaits_pong = false;
                Ok(())
            }
            // Answered by the library with the next flush.
            Message::Ping(_) | Message::Close(_) => {
                sent(unless_ended(self.stream.flush(), &mut self.inbox, self.stop).await?)
            }
            Message::Frame(_) => Ok(()),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        sent(unless_ended(self.stream.send(message), &mut self.inbox, self.stop).await?)
    }
}

fn sent(result: Result<(), Error>) -> Result<(), End> {
    match result {
        Ok(()) => Ok(()),
        // The close of the client was answered.
        Err(Error::ConnectionClosed) => Err(End::Gone),
        Err(error) => {
            tracing::debug!(%error, "a live query connection broke");
            Err(End::Gone)
        }
    }
}

/// Does something for a connection, which may end meanwhile.
async fn unless_ended<T>(
    work: impl Future<Output = T>,
    inbox: &mut Inbox<Delivery>,
    stop: &CancellationToken,
) -> Result<T, End> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        Missed = inbox.missed() => Err(MISSED),
        () = stop.cancelled() => Err(End::Dropped),
    }
}
