//! Keys and the addresses they may be used from.

use super::code::Key;
use super::declare::Status::Supported;
use super::declare::options;
use super::network::IpList;
use super::values::Secret;

options! {
    /// Application id, keys, and the addresses they may be used from.
    pub struct Keys {
        /// Application id (required). Clients send it with every request.
        app_id: String = String::new(), "appId", "PARSE_SERVER_APPLICATION_ID", Supported;
        /// Master key (required), or `{"module": …}`, which exports a function that gives it. Requests that use it bypass all permission checks.
        master_key: Key = Key::Text(Secret::new("")), "masterKey", "PARSE_SERVER_MASTER_KEY", Supported;
        /// Maintenance key. Requests that use it can read and write internal fields.
        maintenance_key: Option<Secret> = None, "maintenanceKey", "PARSE_SERVER_MAINTENANCE_KEY", Supported;
        /// Read-only master key. Requests that use it can read everything and change nothing.
        read_only_master_key: Option<Secret> = None, "readOnlyMasterKey", "PARSE_SERVER_READ_ONLY_MASTER_KEY", Supported;
        /// Key that mobile SDKs send. If any client key is set, every request needs one of them.
        client_key: Option<Secret> = None, "clientKey", "PARSE_SERVER_CLIENT_KEY", Supported;
        /// Key that the JavaScript SDK sends.
        javascript_key: Option<Secret> = None, "javascriptKey", "PARSE_SERVER_JAVASCRIPT_KEY", Supported;
        /// Key that REST clients send.
        rest_api_key: Option<Secret> = None, "restAPIKey", "PARSE_SERVER_REST_API_KEY", Supported;
        /// Key that the .NET SDK sends.
        dot_net_key: Option<Secret> = None, "dotNetKey", "PARSE_SERVER_DOT_NET_KEY", Supported;
        /// Key that is sent to web hooks in the header `X-Parse-Webhook-Key`.
        webhook_key: Option<Secret> = None, "webhookKey", "PARSE_SERVER_WEBHOOK_KEY", Supported;
        /// Addresses and ranges that may use the master key.
        master_key_ips: IpList = IpList::loopback(), "masterKeyIps", "PARSE_SERVER_MASTER_KEY_IPS", Supported;
        /// Addresses and ranges that may use the maintenance key.
        maintenance_key_ips: IpList = IpList::loopback(), "maintenanceKeyIps", "PARSE_SERVER_MAINTENANCE_KEY_IPS", Supported;
        /// Addresses and ranges that may use the read-only master key.
        read_only_master_key_ips: IpList = IpList::everywhere(), "readOnlyMasterKeyIps", "PARSE_SERVER_READ_ONLY_MASTER_KEY_IPS", Supported;
        /// Seconds after which the function for the master key is asked again. Without it, it is asked once.
        master_key_ttl: Option<f64> = None, "masterKeyTtl", "PARSE_SERVER_MASTER_KEY_TTL", Supported;
    }
}
