//! Accepts connections, and knows what all of them have in common: limits for headers, timeouts, TLS, and graceful shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, Ends};
use super::connections::Connections;
use super::cors::Cors;
use super::http2;
use super::tls::{self, Tls};
use crate::system::local_socket::Listener;

/// Opens a listening socket. `backlog`: maximum number of connections that wait to be accepted.
///
/// # Errors
/// If the address is in use, or does not belong to this machine.
pub fn listen(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// Maximum size of what comes before the body of a request.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// Bytes of the first line and all headers.
    pub bytes: usize,
    /// Number of headers.
    pub headers: usize,
}

/// Timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first byte on a new connection.
    pub first_byte: Duration,
    /// For the headers of a request, including the pause since the previous request.
    pub headers: Duration,
    /// For the client to read some of the response, once the send buffer is full.
    pub write: Duration,
}

/// Who accepts: what all connections of a server share.
#[derive(Debug)]
pub struct Door<E> {
    /// Answers the requests.
    pub endpoint: Arc<E>,
    /// Headers for refusals that come before the endpoint.
    pub cors: Arc<Cors>,
    /// How long clients may keep a connection waiting.
    pub patience: Patience,
    /// Size of the head of a request.
    pub head: Head,
    /// Encrypts the connections of clients.
    pub tls: Option<Arc<Tls>>,
    /// Accept no more, and finish.
    pub stop: CancellationToken,
}

impl<E> Clone for Door<E> {
    fn clone(&self) -> Self {
        let Self { endpoint, cors, patience, head, tls, stop } = self;
        let (endpoint, cors, tls, stop) = (endpoint.clone(), cors.clone(), tls.clone(), stop.clone());
        Self { endpoint, cors, patience: *patience, head: *head, tls, stop }
    }
}

/// Accepts connections until `stop`, then waits until open connections have finished their current request.
pub async fn serve<E>(listener: TcpListener, door: Door<E>, open: Arc<Connections>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = door.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, remote)) => {
                let Some(admitted) = open.admit(remote.ip()) else {
                    tracing::debug!(%remote, "connection refused: too many are open");
                    continue;
                };
                let served = client(stream, remote, door.clone());
                connections.spawn(async move {
                    served.await;
                    drop(admitted);
                });
            }
            Err(error) => cannot_accept(&error).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Accepts connections of the program that hands requests on, like [`serve`]. The program has its own bounds for its clients.
pub async fn serve_program<E>(mut listener: Listener, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = door.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok(stream) => {
                let here = SocketAddr::from(([127, 0, 0, 1], 0));
                let ends = Ends { local: here, remote: here, https: false, handed: true };
                connections.spawn(connection::serve(stream, ends, door.clone()));
            }
            Err(error) => cannot_accept(&error).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Mostly too many open files; connections that close make room.
async fn cannot_accept(error: &std::io::Error) {
    tracing::warn!(%error, "failed to accept a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn client<E>(stream: TcpStream, remote: SocketAddr, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
{
    // `readable` returns at once for a socket that is new to the runtime.
    if !matches!(tokio::time::timeout(door.patience.first_byte, stream.peek(&mut [0])).await, Ok(Ok(1..))) {
        return;
    }
    let local = stream.local_addr().unwrap_or(remote);
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    let ends = Ends { local, remote, https: door.tls.is_some(), handed: false };
    let Some(tls) = door.tls.clone() else { return connection::serve(stream, ends, door).await };
    match tokio::time::timeout(door.patience.first_byte, tls.accept(stream)).await {
        Ok(Ok(stream)) if tls::chose_http2(&stream) => http2::serve(stream, ends, door).await,
        Ok(Ok(stream)) => connection::serve(stream, ends, door).await,
        Ok(Err(error)) => tracing::debug!(%remote, %error, "no agreement on TLS"),
        Err(_) => tracing::debug!(%remote, "no agreement on TLS in time"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    /// Connections that are made while nobody accepts any.
    fn made(backlog: u32) -> u32 {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), backlog).unwrap();
        let address = listener.local_addr().unwrap();
        let mut open = Vec::new();
        while let Ok(connection) = TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
            open.push(connection);
            assert!(open.len() < 1000);
        }
        u32::try_from(open.len()).unwrap()
    }

    #[tokio::test]
    async fn twice_the_backlog_lets_twice_the_connections_wait() {
        for backlog in [8, 16] {
            // Linux lets one more wait.
            let made = made(backlog);
            assert!((backlog..=backlog + 1).contains(&made), "{made} with {backlog}");
        }
    }
}
