//! Options of the metrics for Prometheus.

use super::declare::Status::Supported;
use super::declare::group;
use super::values::Secret;

group! {
    /// Metrics for Prometheus.
    pub struct Metrics {
        /// Count requests and serve the metrics.
        enabled: bool = false, "enabled", "REPARSE_METRICS_ENABLED", Supported;
        /// Path of the metrics.
        path: String = "/metrics".to_owned(), "path", "REPARSE_METRICS_PATH", Supported;
        /// Key that callers send as `Authorization: Bearer KEY`; without one, only this machine gets the metrics.
        key: Option<Secret> = None, "key", "REPARSE_METRICS_KEY", Supported;
    }
}
