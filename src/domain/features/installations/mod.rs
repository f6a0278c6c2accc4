//! Installations: one row for each app on a device. Clients make and change rows by what they know, an installation id or a
//! device token, so a create may turn out to be a change of a row that is there, and rows of one device are merged.

mod merge;
pub mod rules;

use crate::domain::kernel::feature::Feature;
use crate::model::names;

/// Installations, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature::new("installations").rules(names::INSTALLATION, rules::InstallationRules)
}
