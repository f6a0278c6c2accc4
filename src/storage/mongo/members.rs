//! Which members of the deployment a read goes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mongodb::event::EventHandler;
use mongodb::event::sdam::{SdamEvent, TopologyDescription};
use mongodb::options::{ReadPreference, SelectionCriteria};
use mongodb::{ServerType, TopologyType};

use crate::model::query::options::ReadPreference as Preference;
use crate::storage::{Result, StorageError};

/// What the driver found out about the members.
#[derive(Clone, Default)]
pub(super) struct Members {
    no_secondary: Arc<AtomicBool>,
}

impl Members {
    /// Learns of each change of the deployment.
    pub(super) fn handler(&self) -> EventHandler<SdamEvent> {
        let members = self.clone();
        EventHandler::callback(move |event| {
            if let SdamEvent::TopologyDescriptionChanged(change) = event {
                members.no_secondary.store(has_no_secondary(&change.new_description), Ordering::Relaxed);
            }
        })
    }

    /// The members a read goes to. A read that already waits for a secondary is not refused when there is none any more.
    ///
    /// # Errors
    /// `Refused` if it must go to a secondary and the replica set has none: the driver would wait for one in vain.
    pub(super) fn selection(&self, preference: Option<Preference>) -> Result<Option<SelectionCriteria>> {
        if preference == Some(Preference::Secondary) && self.no_secondary.load(Ordering::Relaxed) {
            return Err(StorageError::Refused("The replica set has no secondary to read from".to_owned()));
        }
        Ok(preference.map(criteria))
    }
}

/// Whether each member is known, and none is a secondary or about to become one. A member that cannot be reached may be one.
fn has_no_secondary(deployment: &TopologyDescription) -> bool {
    deployment.topology_type() == TopologyType::ReplicaSetWithPrimary
        && deployment
            .servers()
            .values()
            .all(|member| matches!(member.server_type(), ServerType::RsPrimary | ServerType::RsArbiter))
}

fn criteria(preference: Preference) -> SelectionCriteria {
    SelectionCriteria::ReadPreference(match preference {
        Preference::Primary => ReadPreference::Primary,
        Preference::PrimaryPreferred => ReadPreference::PrimaryPreferred { options: None },
        Preference::Secondary => ReadPreference::Secondary { options: None },
        Preference::SecondaryPreferred => ReadPreference::SecondaryPreferred { options: None },
        Preference::Nearest => ReadPreference::Nearest { options: None },
    })
}
