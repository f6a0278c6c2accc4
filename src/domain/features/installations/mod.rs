//! Installations: one row for each app on a device. Clients identify rows by installation id or device token, so a
//! create can become an update of an existing row, and rows of the same device are merged.

mod merge;
pub mod rules;

use crate::domain::kernel::feature::Feature;
use crate::model::names;

/// Installations, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature::new("installations").rules(names::INSTALLATION, rules::InstallationRules)
}
