//! Push and installations.

use std::fmt;

use serde_json::{Map, Value};

use super::declare::Status::Supported;
use super::declare::{Kind, OptionValue, Reader, group, options};
use super::values::{DuplicateDeviceTokenAction, MergePriority};

options! {
    /// Push and installations.
    pub struct Push {
        /// Push senders.
        senders: Option<Senders> = None, "push", "PARSE_SERVER_PUSH", Supported;
        /// Pushes with a `push_time` wait for it.
        scheduled_push: bool = false, "scheduledPush", "PARSE_SERVER_SCHEDULED_PUSH", Supported;
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

group! {
    /// How pushes are split and who sends them (`push.queueOptions`).
    pub struct Queue {
        /// Devices that are handed to the sender at a time.
        batch_size: u64 = 100, "batchSize", "", Supported;
        /// Only write pushes down; another server with the same channel sends them.
        disable_push_worker: bool = false, "disablePushWorker", "", Supported;
        /// Pushes are sent by servers with the same channel (none: APPID-parse-server-push).
        channel: Option<String> = None, "channel", "", Supported;
    }
}

/// The option `push`: what sends, and the queue.
#[derive(Clone, PartialEq)]
pub struct Senders {
    /// Everything but the queue; its meaning is checked by the adapters.
    pub settings: Map<String, Value>,
    /// The queue.
    pub queue: Queue,
}

impl fmt::Debug for Senders {
    /// Without the settings, which hold keys of services.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Senders").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl OptionValue for Senders {
    const KIND: Kind = Kind::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let Value::Object(mut settings) = value else { return reader.wrong("an object", &value) };
        let queue = reader.take(&mut settings, "queueOptions", Queue::default);
        if queue.batch_size == 0 {
            return reader.refuse("option push.queueOptions.batchSize must be greater than 0".to_owned());
        }
        Some(Self { settings, queue })
    }

    fn to_json(&self) -> Value {
        let mut map = self.settings.clone();
        map.insert("queueOptions".to_owned(), self.queue.to_json());
        Value::Object(map)
    }
}
