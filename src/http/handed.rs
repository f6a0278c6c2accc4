//! Requests that a program took from its clients and hands on over a local socket. The program says whom they come from.

use std::net::IpAddr;

use poem::http::HeaderMap;

/// The header in which it says so: `203.0.113.9 https /api`, and for the playground the path of GraphQL behind it. Nobody but the program can reach the socket, and it overwrites what its
/// clients send in this header.
const HEADER: &str = "x-reparse-origin";

/// What a program says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The client's address.
    pub ip: IpAddr,
    /// Whether the client speaks TLS with the program, or with a proxy that the program trusts.
    pub https: bool,
    /// The path below which the program serves what it hands on: `/api`, or nothing.
    pub mount: String,
    /// The path at which the program serves GraphQL, if it matters for the request.
    pub graphql: Option<String>,
}

impl Handed {
    /// Takes the header out of a request.
    #[must_use]
    pub fn take(headers: &mut HeaderMap) -> Option<Self> {
        let value = headers.remove(HEADER)?;
        let mut words = value.to_str().ok()?.split(' ');
        let (ip, scheme, mount) = (words.next()?, words.next()?, words.next()?);
        let ip = ip.parse::<IpAddr>().ok()?.to_canonical();
        let graphql = match words.next() {
            Some(graphql) => Some(path(graphql)?),
            None => None,
        };
        Some(Self { ip, https: scheme == "https", mount: path(mount)?, graphql })
    }
}

/// A path that can stand in answers, without a slash at the end.
fn path(text: &str) -> Option<String> {
    let is_path = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte));
    is_path.then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(value: &str) -> Option<Handed> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, value.parse().unwrap());
        let handed = Handed::take(&mut headers);
        assert!(headers.is_empty());
        handed
    }

    #[test]
    fn what_a_program_says() {
        let handed = |ip: &str, https, mount: &str| Handed {
            ip: ip.parse().unwrap(),
            https,
            mount: mount.into(),
            graphql: None,
        };
        assert_eq!(taken("::ffff:1.2.3.4 https /api/v1"), Some(handed("1.2.3.4", true, "/api/v1")));
        assert_eq!(taken("::1 http /"), Some(handed("::1", false, "")));
        let with_graphql = Handed { graphql: Some("/graphql".into()), ..handed("::1", false, "/play") };
        assert_eq!(taken("::1 http /play /graphql"), Some(with_graphql));
        for wrong in ["1.2.3.4 http", "x http /", "1.2.3.4 http /a\"b", ""] {
            assert_eq!(taken(wrong), None, "{wrong}");
        }
    }
}
