//! Frames: what a client sends, what it is sent, pings, and the end.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::CancellationToken;

use super::connection::LiveConnection;
use crate::domain::features::live_query::Delivery;
use crate::domain::features::live_query::outlet::Inbox;
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

/// Serves a web socket until it ends.
pub async fn run<S>(
    mut stream: WebSocketStream<S>,
    mut connection: LiveConnection,
    mut inbox: Inbox<Delivery>,
    every: Duration,
    stop: &CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let slow = inbox.slow.clone();
    let end = {
        let serving = serve(&mut stream, &mut connection, &mut inbox, every);
        tokio::select! {
            end = serving => end,
            () = slow.cancelled() => End::Closed(CloseCode::Again, "events are not read fast enough"),
            () = stop.cancelled() => End::Dropped,
        }
    };
    // The subscriptions end before the socket does.
    drop(connection);
    if let End::Closed(code, reason) = end {
        web_socket::close(&mut stream, code, reason, stop).await;
    }
}

async fn serve<S>(
    stream: &mut WebSocketStream<S>,
    connection: &mut LiveConnection,
    inbox: &mut Inbox<Delivery>,
    every: Duration,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut awaits_pong = false;
    let ping: Sleep = sleep(every);
    tokio::pin!(ping);
    loop {
        let sent = tokio::select! {
            received = stream.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    let mut sent = Ok(());
                    for answer in connection.answer(&text).await {
                        sent = stream.feed(Message::text(answer)).await;
                        if sent.is_err() {
                            break;
                        }
                    }
                    match sent {
                        Ok(()) => stream.flush().await,
                        failed => failed,
                    }
                }
                Some(Ok(Message::Binary(_))) => {
                    return End::Closed(CloseCode::Unsupported, "messages are text");
                }
                Some(Ok(Message::Pong(_))) => {
                    awaits_pong = false;
                    Ok(())
                }
                // Answered by the library with the next flush.
                Some(Ok(Message::Ping(_) | Message::Close(_))) => stream.flush().await,
                Some(Ok(Message::Frame(_))) => Ok(()),
                Some(Err(Error::Capacity(_))) => return End::Closed(CloseCode::Size, "the message is too large"),
                Some(Err(Error::Utf8(_))) => return End::Closed(CloseCode::Invalid, "the message is not UTF-8"),
                Some(Err(Error::Protocol(_))) => return End::Closed(CloseCode::Protocol, "not a web socket"),
                Some(Err(_)) | None => return End::Gone,
            },
            Some(delivery) = inbox.next() => match connection.tell(delivery).await {
                Some(text) => stream.send(Message::text(text)).await,
                None => Ok(()),
            },
            () = &mut ping => {
                if awaits_pong {
                    return End::Dropped;
                }
                awaits_pong = true;
                ping.as_mut().reset(Instant::now() + every);
                stream.send(Message::Ping(Bytes::new())).await
            }
        };
        match sent {
            Ok(()) => {}
            // The close of the client was answered: the end comes with the next read.
            Err(Error::ConnectionClosed) => return End::Gone,
            Err(error) => {
                tracing::debug!(%error, "a live query connection broke");
                return End::Gone;
            }
        }
    }
}
