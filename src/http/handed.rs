//! Requests that a program took from its clients and hands on over a local socket. The program says whom they come from.

use std::net::{IpAddr, Ipv4Addr};

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
    /// Takes the header out of a request. Clients have a say in what a program that trusts them takes for their address, or for the
    /// path: what is malformed counts as unknown, and never as this machine.
    #[must_use]
    pub fn take(headers: &mut HeaderMap) -> Option<Self> {
        let value = headers.remove(HEADER)?;
        let mut words = value.to_str().unwrap_or_default().split(' ');
        // An address may have a zone: `fe80::1%eth0`.
        let ip = words.next().unwrap_or_default().split('%').next().unwrap_or_default().parse::<IpAddr>();
        Some(Self {
            ip: ip.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ip| ip.to_canonical()),
            https: words.next() == Some("https"),
            mount: words.next().and_then(path).unwrap_or_default(),
            graphql: words.next().and_then(path),
        })
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
        assert_eq!(taken("fe80::1%eth0 http /"), Some(handed("fe80::1", false, "")));
    }

    #[test]
    fn what_is_malformed_is_unknown() {
        let handed = |ip: &str| Handed { ip: ip.parse().unwrap(), https: false, mount: String::new(), graphql: None };
        for (value, ip) in [("1.2.3.4 http /a\"b", "1.2.3.4"), ("x http /", "0.0.0.0"), ("", "0.0.0.0")] {
            assert_eq!(taken(value), Some(handed(ip)), "{value}");
        }
        assert_eq!(Handed::take(&mut HeaderMap::new()), None);
    }
}
