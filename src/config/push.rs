//! Push and installations.

use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::{DuplicateDeviceTokenAction, MergePriority};

options! {
    /// Push and installations.
    pub struct Push {
        /// Push senders.
        senders: Option<Free> = None, "push", "PARSE_SERVER_PUSH", NotYet;
        /// Push with `push_time` is left to an external scheduler.
        scheduled_push: bool = false, "scheduledPush", "PARSE_SERVER_SCHEDULED_PUSH", NotYet;
        /// Handling of duplicate device tokens.
        installation: Installations = Installations::default(), "installation", "PARSE_SERVER_INSTALLATION", Supported;
    }
}

group! {
    /// What happens to installations that share a device token.
    pub struct Installations {
        /// Delete the other row or only clear its field (update).
        duplicate_device_token_action: DuplicateDeviceTokenAction = DuplicateDeviceTokenAction::Delete, "duplicateDeviceTokenAction", "PARSE_SERVER_INSTALLATION_DUPLICATE_DEVICE_TOKEN_ACTION", Supported;
        /// With the caller's rights.
        duplicate_device_token_action_enforce_auth: bool = false, "duplicateDeviceTokenActionEnforceAuth", "PARSE_SERVER_INSTALLATION_DUPLICATE_DEVICE_TOKEN_ACTION_ENFORCE_AUTH", Supported;
        /// Which row survives a merge: deviceToken or installationId.
        duplicate_device_token_merge_priority: MergePriority = MergePriority::DeviceToken, "duplicateDeviceTokenMergePriority", "PARSE_SERVER_INSTALLATION_DUPLICATE_DEVICE_TOKEN_MERGE_PRIORITY", Supported;
    }
}
