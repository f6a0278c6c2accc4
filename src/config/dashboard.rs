//! Options of Parse Dashboard, which the server hosts from the folder where it is installed.

use super::declare::Status::Supported;
use super::declare::group;
use super::free::Free;

group! {
    /// Parse Dashboard, served from the folder where it is installed.
    pub struct Dashboard {
        /// Serve Parse Dashboard.
        enabled: bool = false, "enabled", "REPARSE_DASHBOARD_ENABLED", Supported;
        /// Path of the dashboard.
        path: String = "/dashboard".to_owned(), "path", "REPARSE_DASHBOARD_PATH", Supported;
        /// Folder of the npm package parse-dashboard (default: looked for in `node_modules` of the data directory and of the working directory).
        package: Option<String> = None, "package", "REPARSE_DASHBOARD_PACKAGE", Supported;
        /// Path of a configuration file of Parse Dashboard; its apps, users and settings are used as they are.
        config: Option<String> = None, "config", "REPARSE_DASHBOARD_CONFIG", Supported;
        /// Users of the dashboard, as in its own configuration; without any, only this machine has access.
        users: Option<Free> = None, "users", "REPARSE_DASHBOARD_USERS", Supported;
        /// Passwords of the users are bcrypt hashes.
        use_encrypted_passwords: bool = false, "useEncryptedPasswords", "REPARSE_DASHBOARD_USE_ENCRYPTED_PASSWORDS", Supported;
        /// Give other machines access without HTTPS.
        allow_insecure_http: bool = false, "allowInsecureHTTP", "REPARSE_DASHBOARD_ALLOW_INSECURE_HTTP", Supported;
        /// Milliseconds after which a user who opens no page has to log in again.
        session_ms: u64 = 43_200_000, "sessionMs", "REPARSE_DASHBOARD_SESSION_MS", Supported;
    }
}
