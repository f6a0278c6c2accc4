//! `reparse healthcheck`: checks whether a server is healthy.

use std::process::ExitCode;
use std::time::Duration;

use super::fail;

/// Time limit for the response.
const PATIENCE: Duration = Duration::from_secs(5);

/// Succeeds if the server at `url` answers 200. Follows no redirects and uses no proxy. `own`: the server of this machine, whose
/// certificate is not checked, because it has the name that clients use.
pub async fn check(url: &str, own: bool) -> ExitCode {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
    let client = client.danger_accept_invalid_certs(own);
    let answer = match client.build() {
        Ok(client) => client.get(url).send().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) if answer.status() == reqwest::StatusCode::OK => ExitCode::SUCCESS,
        Ok(_) => fail("error: the server is unhealthy"),
        Err(error) if error.is_timeout() => fail("error: the server does not answer"),
        Err(error) => fail(&format!("error: cannot reach the server: {}", crate::server::chain(&error))),
    }
}
