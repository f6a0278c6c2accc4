//! Hands pushes to a push adapter of the app, in JavaScript: `send(body, installations, pushStatusId)`, `getValidPushTypes()`.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

use super::own::{self, outcomes};
use super::{Device, Outcome, Push, PushSender};
use crate::adapters::cloud::module::{Modules, OwnModule};

const PUSH_TYPES: &str = "getValidPushTypes";

/// An adapter of the app.
#[derive(Debug)]
pub struct JavaScript {
    module: Arc<OwnModule>,
    types: OnceLock<Option<Vec<String>>>,
}

impl JavaScript {
    /// The adapter that a module makes with these settings.
    #[must_use]
    pub fn open(module: &str, settings: &Map<String, Json>, modules: &Modules) -> Self {
        let module =
            modules.with_constants("push.adapter", module, settings.clone().into(), PUSH_TYPES, vec![Vec::new()]);
        Self { module, types: OnceLock::new() }
    }

    async fn results(&self, push: &Push, devices: &[Device]) -> Result<Vec<Outcome>, String> {
        let installations = devices.iter().map(|device| Json::Object(device.row.clone())).collect();
        let told = vec![Json::Object(push.body.clone()), Json::Array(installations), push.status_id.as_str().into()];
        match self.module.call_json(Some("send"), told).await {
            Ok(Some(Json::Array(list))) => Ok(outcomes(list)),
            Ok(_) => Err("no list of results".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl PushSender for JavaScript {
    fn push_types(&self) -> Option<&[String]> {
        let types = self.types.get_or_init(|| {
            let types = self.module.constants().first()?.as_ref()?.as_array()?;
            Some(types.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        });
        types.as_deref()
    }

    async fn send(&self, push: &Push, devices: &[Device]) -> Vec<Outcome> {
        own::settled(push, devices, self.results(push, devices).await)
    }
}
