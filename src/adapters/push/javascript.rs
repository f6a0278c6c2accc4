//! Hands pushes to a push adapter of the app, in JavaScript: `send(body, installations, pushStatusId)`, `getValidPushTypes()`.

use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use serde::Deserialize as _;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json};

use super::own::{self, Results};
use super::{Device, Outcome, Push, PushSender};
use crate::adapters::cloud::module::{Modules, OwnModule};
use crate::adapters::cloud::node::{Argument, Returned};

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
        let installations: Vec<&RawValue> = devices.iter().map(Device::row).collect();
        let told = [
            Argument::Json(Json::Object(push.body.clone())),
            Argument::Written(to_raw_value(&installations).map_err(|error| error.to_string())?),
            Argument::Json(push.status_id.as_str().into()),
        ];
        match self.module.call(Some("send"), &told).await {
            Ok(Returned::Json(list @ Json::Array(_))) => {
                Results::deserialize(list).map(|results| results.0).map_err(|error| error.to_string())
            }
            Ok(_) => Err("no list of results".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl PushSender for JavaScript {
    fn push_types(&self) -> Option<&[String]> {
        let types = self.types.get_or_init(|| {
            let types = self.module.constants().first()?.as_ref()?.as_array()?;
            Some(types.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        });
        types.as_deref()
    }

    fn needs_whole_rows(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, push: &'a Push, devices: &'a [Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move { own::settled(push, devices, self.results(push, devices).await) })
    }
}
