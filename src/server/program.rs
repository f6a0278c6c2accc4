//! A Node program that embeds the server: it hands the requests of its clients on, and runs the cloud code.

use std::path::PathBuf;

use super::StartError;
use crate::system::local_socket::{self, Listener};

/// How the program reaches the server. The sockets lie in a folder that only the program's user may enter.
#[derive(Debug, Clone)]
pub struct Program {
    /// Path of the socket for requests, which the server makes.
    pub requests: PathBuf,
    /// Path of the socket on which the program joins as the cloud process, which the server makes.
    pub cloud: PathBuf,
    /// What the program shows when it joins.
    pub token: String,
    /// Whether the server listens on its host and port, too.
    pub listens: bool,
    /// Whether its master key is a function, which is asked again after `masterKeyTtl`.
    pub gives_master_key: bool,
}

impl Program {
    /// Makes the socket for requests.
    pub(super) fn listen(&self) -> Result<Listener, StartError> {
        let address = self.requests.display().to_string();
        Listener::bind(&self.requests).map_err(|source| StartError::Listen { address, source })
    }

    /// Removes what a program that is gone has left: the sockets, and their folder.
    pub fn clean(&self) {
        for socket in [&self.requests, &self.cloud] {
            local_socket::remove(socket);
        }
        if let Some(folder) = self.requests.parent() {
            let _gone = std::fs::remove_dir(folder);
        }
    }
}
