//! Options of push and installations.

use std::fmt;

use serde_json::{Map, Value};

use super::declare::Status::{Harmless, Supported};
use super::declare::{OptionType, OptionValue, Reader, group, options};
use super::free::Free;
use super::values::{DuplicateDeviceTokenAction, MergePriority};

options! {
    /// Options of push and installations.
    pub struct Push {
        /// Senders of push messages and their settings.
        senders: Option<Senders> = None, "push", "PARSE_SERVER_PUSH", Supported;
        /// Send push messages with a `push_time` at that time.
        scheduled_push: bool = false, "scheduledPush", "PARSE_SERVER_SCHEDULED_PUSH", Supported;
        /// What happens to installations with the same device token.
        installation: Installations = Installations::default(), "installation", "PARSE_SERVER_INSTALLATION", Supported;
    }
}

group! {
    /// What happens to installations with the same device token.
    pub struct Installations {
        /// `delete` the other installation, or `update` it by removing its device token.
        duplicate_device_token_action: DuplicateDeviceTokenAction = DuplicateDeviceTokenAction::Delete, "duplicateDeviceTokenAction", "PARSE_SERVER_INSTALLATION_DUPLICATE_DEVICE_TOKEN_ACTION", Supported;
        /// Change the other installation with the permissions of the caller.
        duplicate_device_token_action_enforce_auth: bool = false, "duplicateDeviceTokenActionEnforceAuth", "PARSE_SERVER_INSTALLATION_DUPLICATE_DEVICE_TOKEN_ACTION_ENFORCE_AUTH", Supported;
        /// Installation that is kept when two are merged: the one found by `deviceToken` or by `installationId`.
        duplicate_device_token_merge_priority: MergePriority = MergePriority::DeviceToken, "duplicateDeviceTokenMergePriority", "PARSE_SERVER_INSTALLATION_DUPLICATE_DEVICE_TOKEN_MERGE_PRIORITY", Supported;
    }
}

group! {
    /// How push messages are split and which server sends them (`push.queueOptions`).
    pub struct Queue {
        /// Maximum number of devices in one call of the sender.
        batch_size: u64 = 100, "batchSize", "", Supported;
        /// Only store push messages; another server with the same channel sends them.
        disable_push_worker: bool = false, "disablePushWorker", "", Supported;
        /// Channel of the push queue: servers with the same channel send each other's messages (default: `APPID-parse-server-push`).
        channel: Option<String> = None, "channel", "", Supported;
        /// The queue through which servers share their messages.
        message_queue_adapter: Option<Free> = None, "messageQueueAdapter", "", Harmless("servers share messages through the database");
    }
}

/// The option `push`: settings of senders, and the queue.
#[derive(Clone, PartialEq)]
pub struct Senders {
    /// The settings of senders, which the adapters validate.
    pub settings: Map<String, Value>,
    /// The queue.
    pub queue: Queue,
}

impl fmt::Debug for Senders {
    /// Omits the settings, which contain keys of services.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Senders").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl OptionValue for Senders {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let Value::Object(mut settings) = value else { return reader.wrong("an object", &value) };
        let queue = reader.take(&mut settings, "queueOptions", Queue::default());
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
