//! How many devices got a push, and how many did not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::adapters::push::{Device, Outcome};

/// Devices by their type.
pub(super) type PerType = BTreeMap<String, u64>;

/// The counts of a push.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    sent: PerType,
    failed: PerType,
    sent_per_offset: PerType,
    failed_per_offset: PerType,
}

impl Tally {
    /// Counts what became of the devices of a batch. `offset`: that of their clocks, for a push that goes by local time.
    pub fn add(&mut self, outcomes: &[Outcome], offset: Option<&str>) {
        for outcome in outcomes {
            let Some(kind) = &outcome.device_type else { continue };
            let (types, offsets) = if outcome.transmitted {
                (&mut self.sent, &mut self.sent_per_offset)
            } else {
                (&mut self.failed, &mut self.failed_per_offset)
            };
            *types.entry(key(kind)).or_default() += 1;
            if let Some(offset) = offset {
                *offsets.entry(offset.to_owned()).or_default() += 1;
            }
        }
    }

    /// Counts the devices of a batch of which nobody knows what became.
    pub fn add_lost(&mut self, devices: &PerType) {
        for (kind, number) in devices {
            *self.failed.entry(kind.clone()).or_default() += number;
        }
    }

    /// The counts as fields of a row of `_PushStatus`.
    pub fn fields(&self) -> Map<String, Json> {
        let mut fields = Map::new();
        fields.insert("numSent".to_owned(), self.sent.values().sum::<u64>().into());
        if !self.failed.is_empty() {
            fields.insert("numFailed".to_owned(), self.failed.values().sum::<u64>().into());
        }
        for (field, counts) in [
            ("sentPerType", &self.sent),
            ("failedPerType", &self.failed),
            ("sentPerUTCOffset", &self.sent_per_offset),
            ("failedPerUTCOffset", &self.failed_per_offset),
        ] {
            if !counts.is_empty() {
                let counts = counts.iter().map(|(key, number)| (key.clone(), Json::from(*number)));
                fields.insert(field.to_owned(), Json::Object(counts.collect()));
            }
        }
        fields
    }
}

/// How many devices of each type there are.
pub(super) fn per_type<'a>(devices: impl IntoIterator<Item = &'a Device>) -> PerType {
    let mut counts = PerType::new();
    for kind in devices.into_iter().filter_map(Device::device_type) {
        *counts.entry(key(kind)).or_default() += 1;
    }
    counts
}

/// A type of device as the name of a field.
fn key(kind: &str) -> String {
    kind.replace(['.', '$', '\0'], "_")
}
