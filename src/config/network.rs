//! Types of options about addresses: who may use a key, which proxies are trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::declare::{OptionType, OptionValue, Reader};

/// Addresses and ranges. IPv4 and IPv6 are separate: `0.0.0.0/0` contains every IPv4 address
/// and no IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpList {
    /// The ranges; a single address is a range of one.
    pub nets: Vec<IpNet>,
    text: Vec<String>,
}

impl IpList {
    /// Parses the entries; `Err` is the first that is not an address or range.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, String> {
        let mut list = IpList { nets: Vec::new(), text: Vec::new() };
        for entry in entries {
            let entry = entry.as_ref();
            list.nets.push(parse_net(entry).ok_or_else(|| entry.to_owned())?);
            list.text.push(entry.to_owned());
        }
        Ok(list)
    }

    /// The two loopback addresses.
    #[must_use]
    pub fn loopback() -> Self {
        Self::parse(&["127.0.0.1", "::1"]).unwrap_or_else(|_| Self::none())
    }

    /// Every address.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::parse(&["0.0.0.0/0", "::0"]).unwrap_or_else(|_| Self::none())
    }

    /// An empty list.
    #[must_use]
    pub fn none() -> Self {
        IpList { nets: Vec::new(), text: Vec::new() }
    }

    /// Whether `address` is on the list; an IPv4 address written as IPv6
    /// (`::ffff:127.0.0.1`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.nets.iter().any(|net| net.contains(&address))
    }
}

/// Parses an address or range. As in parse-server, the unspecified addresses (`0.0.0.0`,
/// `::`, `::0`) mean all addresses of their family.
fn parse_net(entry: &str) -> Option<IpNet> {
    if entry.contains('/') {
        return entry.parse().ok();
    }
    match entry.parse::<IpAddr>().ok()? {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(IpNet::V4(Ipv4Net::default())),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(IpNet::V6(Ipv6Net::default())),
        address => Some(IpNet::from(address.to_canonical())),
    }
}

impl OptionValue for IpList {
    const TYPE: OptionType = OptionType::List;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let entries: Vec<String> = Vec::from_json(value, reader)?;
        match IpList::parse(&entries) {
            Ok(list) => Some(list),
            Err(entry) => {
                let address = entry.split('/').next().unwrap_or_default();
                let path = reader.path();
                reader
                    .refuse(format!("The Parse Server option \"{path}\" contains an invalid IP address \"{address}\"."))
            }
        }
    }

    fn to_json(&self) -> Value {
        self.text.to_json()
    }
}

/// Proxies whose `X-Forwarded-For` header is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustProxy {
    /// None: the caller's address is that of the connection.
    Nobody,
    /// All: the leftmost address counts. Only safe behind a proxy that replaces the header.
    Everybody,
    /// This number of proxies, counted from this server.
    Hops(u32),
    /// Proxies with these addresses.
    Addresses(Vec<IpNet>),
}

impl TrustProxy {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Bool(false) => Some(TrustProxy::Nobody),
            Value::Bool(true) => Some(TrustProxy::Everybody),
            Value::Number(number) => {
                let hops = u32::try_from(number.as_u64()?).ok()?;
                Some(if hops == 0 { TrustProxy::Nobody } else { TrustProxy::Hops(hops) })
            }
            Value::String(text) => Self::of(text.split(',').map(str::trim)),
            Value::Array(items) => {
                let names: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                Self::of(names?.into_iter())
            }
            Value::Object(_) => None,
        }
    }

    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut nets = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            let well_known: &[&str] = match name {
                "loopback" => &["127.0.0.1/8", "::1/128"],
                "linklocal" => &["169.254.0.0/16", "fe80::/10"],
                "uniquelocal" => &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
                _ => &[],
            };
            if well_known.is_empty() {
                nets.push(parse_net(name)?);
            }
            nets.extend(well_known.iter().filter_map(|net| parse_net(net)));
        }
        Some(if nets.is_empty() { TrustProxy::Nobody } else { TrustProxy::Addresses(nets) })
    }
}

impl OptionValue for TrustProxy {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match Self::read(&value) {
            Some(trust) => Some(trust),
            None => reader.wrong("a boolean, a number of proxies, or a list of their addresses", &value),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            TrustProxy::Nobody => Value::Array(Vec::new()),
            TrustProxy::Everybody => Value::Bool(true),
            TrustProxy::Hops(hops) => Value::from(*hops),
            TrustProxy::Addresses(nets) => {
                Value::Array(nets.iter().map(|net| Value::String(net.to_string())).collect())
            }
        }
    }
}
