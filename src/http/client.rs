//! The caller's address, and the URL under which the caller reaches this server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use poem::http::{HeaderMap, header};
use serde_json::{Map, Value as Json};

use super::handed::Handed;
use crate::config::network::TrustProxy;
use crate::config::server::Server;

/// Addresses of a request.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The caller's address.
    pub ip: IpAddr,
    /// Whether the address is from a proxy's header; otherwise it is that of the connection.
    pub forwarded: bool,
    /// Base of URLs in responses: `publicServerURL`, or scheme, host and mount path of the request.
    pub base_url: String,
}

/// The server's end of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Own {
    /// Its address.
    pub address: Option<SocketAddr>,
    /// Whether the connection is encrypted by the server itself.
    pub https: bool,
}

/// Determines the addresses of a request.
#[must_use]
pub fn origin(options: &Server, peer: SocketAddr, own: Own, headers: &HeaderMap) -> Origin {
    let (ip, forwarded) = address(&options.trust_proxy, peer.ip().to_canonical(), headers);
    let base_url = match &options.public_server_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => own_url(options, peer.ip().to_canonical(), own, headers),
    };
    Origin { ip, forwarded, base_url }
}

/// Where a request comes from that a program hands on: the program has looked at proxies already.
#[must_use]
pub fn handed_origin(options: &Server, handed: &Handed, headers: &HeaderMap) -> Origin {
    let own = || {
        let scheme = if handed.https { "https" } else { "http" };
        let host = named_host(headers).unwrap_or_else(|| format!("localhost:{}", options.port));
        format!("{scheme}://{host}{}", handed.mount)
    };
    let public = options.public_server_url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
    let base_url = public.unwrap_or_else(own);
    Origin { ip: handed.ip, forwarded: false, base_url }
}

/// The headers of a request for cloud code: names in lower case, values of the same name joined.
#[must_use]
pub fn headers(headers: &HeaderMap) -> Map<String, Json> {
    let mut map = Map::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        map.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    map
}

/// The depth of nested calls of cloud code that a request claims (`X-Parse-Cloud-Depth`).
#[must_use]
pub fn depth(headers: &HeaderMap) -> u32 {
    headers.get("x-parse-cloud-depth").and_then(|depth| depth.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// The caller's address: that of the connection, or the one that a trusted proxy names. Forwarded addresses are read from
/// the right, because only the rightmost ones are written by trusted proxies.
fn address(trust: &TrustProxy, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, bool) {
    if *trust == TrustProxy::Nobody {
        return (peer, false);
    }
    let mut current = peer;
    let mut forwarded = false;
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for (hop, text) in lines.iter().rev().flat_map(|line| line.rsplit(',')).enumerate() {
        if !is_trusted(trust, current, hop) {
            break;
        }
        let Some(next) = parse_address(text.trim()) else {
            // The proxy does not know the address: use 0.0.0.0, so that the caller is not mistaken for the proxy.
            return (IpAddr::V4(Ipv4Addr::UNSPECIFIED), true);
        };
        current = next;
        forwarded = true;
    }
    (current, forwarded)
}

fn is_trusted(trust: &TrustProxy, address: IpAddr, hop: usize) -> bool {
    match trust {
        TrustProxy::Nobody => false,
        TrustProxy::Everybody => true,
        TrustProxy::Hops(hops) => hop < usize::try_from(*hops).unwrap_or(usize::MAX),
        TrustProxy::Addresses(nets) => nets.iter().any(|net| net.contains(&address)),
    }
}

/// Parses an address as proxies write it: bare, with a port, or in brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.or_else(bracketed).or_else(with_port).map(|address| address.to_canonical())
}

/// Scheme, host and mount path as the caller sees them. An invalid `Host` header is replaced by the address of the
/// connection, so that it never gets into a `Location`.
fn own_url(options: &Server, peer: IpAddr, own: Own, headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut scheme = if own.https { "https" } else { "http" };
    if is_trusted(&options.trust_proxy, peer, 0)
        && text("x-forwarded-proto")
            .and_then(|list| list.split(',').next())
            .is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
    {
        scheme = "https";
    }
    let host = named_host(headers).unwrap_or_else(|| {
        own.address.map_or_else(|| format!("localhost:{}", options.port), |address| address.to_string())
    });
    format!("{scheme}://{host}{}", options.mount_path.trim_end_matches('/'))
}

fn named_host(headers: &HeaderMap) -> Option<String> {
    headers.get(header::HOST)?.to_str().ok().filter(|host| is_host(host)).map(str::to_owned)
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipnet::IpNet;

    fn seen(trust: &TrustProxy, peer: &str, forwarded: &[&str]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let (ip, through) = address(trust, peer.parse().unwrap(), &headers);
        (ip.to_string(), through)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let spoofed = ["127.0.0.1, 9.9.9.9", "8.8.8.8"];
        assert_eq!(seen(&TrustProxy::Nobody, "1.2.3.4", &spoofed), ("1.2.3.4".into(), false));
        assert_eq!(seen(&TrustProxy::Hops(1), "1.2.3.4", &spoofed), ("8.8.8.8".into(), true));
        assert_eq!(seen(&TrustProxy::Hops(2), "1.2.3.4", &spoofed), ("9.9.9.9".into(), true));
        assert_eq!(seen(&TrustProxy::Hops(9), "1.2.3.4", &["5.6.7.8:443"]), ("5.6.7.8".into(), true));
        assert_eq!(seen(&TrustProxy::Everybody, "1.2.3.4", &spoofed), ("127.0.0.1".into(), true));
        let nets = TrustProxy::Addresses(vec!["1.2.3.0/24".parse::<IpNet>().unwrap()]);
        assert_eq!(seen(&nets, "1.2.3.4", &spoofed), ("8.8.8.8".into(), true));
        assert_eq!(seen(&nets, "4.4.4.4", &spoofed), ("4.4.4.4".into(), false));
        assert_eq!(seen(&nets, "1.2.3.4", &["7.7.7.7, rubbish"]), ("0.0.0.0".into(), true));
        assert_eq!(seen(&TrustProxy::Hops(2), "127.0.0.1", &["unknown"]), ("0.0.0.0".into(), true));
    }

    #[test]
    fn a_host_that_is_none_does_not_reach_a_location() {
        let options = Server::default();
        let mut headers = HeaderMap::new();
        let peer = "127.0.0.1:9".parse().unwrap();
        for (host, base) in [
            ("a.example:8080", "http://a.example:8080/parse"),
            ("a\"><b", "http://127.0.0.1:1/parse"),
            ("x/y", "http://127.0.0.1:1/parse"),
        ] {
            headers.insert(header::HOST, host.parse().unwrap());
            let own = Own { address: Some("127.0.0.1:1".parse().unwrap()), https: false };
            assert_eq!(origin(&options, peer, own, &headers).base_url, base);
            let encrypted = origin(&options, peer, Own { https: true, ..own }, &headers).base_url;
            assert_eq!(encrypted, base.replace("http:", "https:"));
        }
    }
}
