//! Channels of a Redis server.

use std::time::Duration;

use ::redis::aio::{MultiplexedConnection, PubSubStream};
use ::redis::{Client, RedisError, cmd};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use super::{Redis, within};

/// The pause before the next attempt to reach the server.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the server may take for one message.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages that wait to be published.
const WAITING: usize = 1 << 14;

/// A message for a channel.
#[derive(Debug, Clone)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// The text.
    pub text: String,
}

/// What a subscriber hears.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Message(Message),
    /// The server could not be reached for a while: messages may have been missed.
    Interrupted,
}

impl Redis {
    /// Publishes, in order, what comes into the queue, until that is dropped. A message that the server does not take at the second attempt
    /// is lost, and the log says so.
    #[must_use]
    pub fn publisher(&self) -> mpsc::Sender<Message> {
        let (sender, mut receiver) = mpsc::channel::<Message>(WAITING);
        let client = self.0.clone();
        tokio::spawn(async move {
            let mut connection = None;
            while let Some(message) = receiver.recv().await {
                if publish(&client, &mut connection, &message).await.is_err() {
                    tokio::time::sleep(PAUSE).await;
                    if let Err(error) = publish(&client, &mut connection, &message).await {
                        tracing::error!(%error, channel = message.channel, "a message to other servers is lost");
                    }
                }
            }
        });
        sender
    }

    /// Hears the messages of some channels.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn listen(&self, channels: Vec<String>) -> Result<BoxStream<'static, Heard>, String> {
        let messages = subscribe(&self.0, &channels).await.map_err(|error| format!("Redis: {error}"))?;
        let listener = Listener { client: self.0.clone(), channels, messages: Some(messages) };
        Ok(stream::unfold(listener, Listener::next).boxed())
    }
}

async fn publish(
    client: &Client,
    connection: &mut Option<MultiplexedConnection>,
    message: &Message,
) -> Result<(), RedisError> {
    let work = async {
        let open = match connection {
            Some(open) => open,
            None => connection.insert(client.get_multiplexed_async_connection().await?),
        };
        cmd("PUBLISH").arg(&message.channel).arg(&message.text).query_async::<i64>(open).await
    };
    let done = within(PATIENCE, work).await;
    if done.is_err() {
        *connection = None;
    }
    done.map(|_| ())
}

async fn subscribe(client: &Client, channels: &[String]) -> Result<PubSubStream, RedisError> {
    let work = async {
        let mut connection = client.get_async_pubsub().await?;
        for channel in channels {
            connection.subscribe(channel).await?;
        }
        Ok(connection.into_on_message())
    };
    within(PATIENCE, work).await
}

struct Listener {
    client: Client,
    channels: Vec<String>,
    messages: Option<PubSubStream>,
}

impl Listener {
    async fn next(mut self) -> Option<(Heard, Self)> {
        loop {
            let Some(messages) = &mut self.messages else {
                match subscribe(&self.client, &self.channels).await {
                    Ok(messages) => {
                        self.messages = Some(messages);
                        return Some((Heard::Interrupted, self));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "Redis cannot be reached for now");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                continue;
            };
            let Some(message) = messages.next().await else {
                self.messages = None;
                continue;
            };
            if let Ok(text) = message.get_payload::<String>() {
                let channel = message.get_channel_name().to_owned();
                return Some((Heard::Message(Message { channel, text }), self));
            }
        }
    }
}
