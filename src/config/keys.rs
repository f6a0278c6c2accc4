//! Keys and the addresses they may be used from.

use super::declare::Status::{Harmless, Supported};
use super::declare::options;
use super::network::IpList;
use super::values::Secret;

options! {
    /// Application id, keys, and the addresses they may be used from.
    pub struct Keys {
        /// Application id (required).
        app_id: String = String::new(), "appId", "PARSE_SERVER_APPLICATION_ID", Supported;
        /// Master key (required): may do everything.
        master_key: Secret = Secret::new(""), "masterKey", "PARSE_SERVER_MASTER_KEY", Supported;
        /// Maintenance key: reads and writes internal fields.
        maintenance_key: Option<Secret> = None, "maintenanceKey", "PARSE_SERVER_MAINTENANCE_KEY", Supported;
        /// Master key without write access.
        read_only_master_key: Option<Secret> = None, "readOnlyMasterKey", "PARSE_SERVER_READ_ONLY_MASTER_KEY", Supported;
        /// Client key for mobile SDKs.
        client_key: Option<Secret> = None, "clientKey", "PARSE_SERVER_CLIENT_KEY", Supported;
        /// Client key for JavaScript.
        javascript_key: Option<Secret> = None, "javascriptKey", "PARSE_SERVER_JAVASCRIPT_KEY", Supported;
        /// Client key for REST.
        rest_api_key: Option<Secret> = None, "restAPIKey", "PARSE_SERVER_REST_API_KEY", Supported;
        /// Client key for .NET.
        dot_net_key: Option<Secret> = None, "dotNetKey", "PARSE_SERVER_DOT_NET_KEY", Supported;
        /// Sent to web hooks as X-Parse-Webhook-Key.
        webhook_key: Option<Secret> = None, "webhookKey", "PARSE_SERVER_WEBHOOK_KEY", Supported;
        /// Addresses and ranges from which the master key may be used.
        master_key_ips: IpList = IpList::loopback(), "masterKeyIps", "PARSE_SERVER_MASTER_KEY_IPS", Supported;
        /// Addresses and ranges from which the maintenance key may be used.
        maintenance_key_ips: IpList = IpList::loopback(), "maintenanceKeyIps", "PARSE_SERVER_MAINTENANCE_KEY_IPS", Supported;
        /// Addresses and ranges from which the read-only master key may be used.
        read_only_master_key_ips: IpList = IpList::everywhere(), "readOnlyMasterKeyIps", "PARSE_SERVER_READ_ONLY_MASTER_KEY_IPS", Supported;
        /// Seconds a master key obtained from a function is kept.
        master_key_ttl: Option<f64> = None, "masterKeyTtl", "PARSE_SERVER_MASTER_KEY_TTL", Harmless("keys are texts here");
    }
}
