//! The devices of a push: the installations that meet its condition and have a token, in the order of their ids.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::adapters::push::Device;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::commands::FindQuery;
use crate::domain::kernel::context::{Client, Context};
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::Scoped;
use crate::domain::read::resolve::{self, SubQueryContext};
use crate::domain::store;
use crate::error::{ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::operation::{Change, Update};
use crate::model::query::options::{FindOptions, Sort};
use crate::model::query::parameters::QueryParameters;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::shape::Shape;
use crate::model::value::Value;

use super::request::Request;

const TOKEN: &str = "deviceToken";

/// The devices of a push.
pub(super) struct Devices {
    cx: Context,
    filter: Resolved,
}

/// What the server does in its own name, for a push whose request came in at this address.
pub(super) fn context(app: &Arc<App>, base_url: &str) -> Context {
    let client = Client { base_url: base_url.to_owned(), ..Client::default() };
    Context::new(app.clone(), Auth::Master, None, None, false, client)
}

impl Devices {
    /// The devices of a push. Queries inside of its condition are run now.
    ///
    /// # Errors
    /// 102, 105, 107 for a condition that is none; when the store fails.
    pub async fn of(app: &Arc<App>, request: &Request) -> Result<Self> {
        let cx = context(app, &request.base_url);
        let name = ClassName::unchecked(names::INSTALLATION);
        let query = FindQuery::new(&cx, name.clone(), request.condition.clone(), QueryParameters::default())?;
        let filter = resolve::resolve(&cx, &cx.class(&name), query.filter, SubQueryContext::default()).await?;
        let reachable = if request.condition.contains_key(TOKEN) {
            Filter::All
        } else {
            Filter::field(TOKEN, Constraint::Exists(true))
        };
        Ok(Self { cx, filter: filter.and(reachable) })
    }

    /// Those of the devices that meet a further condition.
    pub fn only(self, condition: Resolved) -> Self {
        Self { filter: self.filter.and(condition), ..self }
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count(&self) -> Result<u64> {
        store::count(&self.cx, &self.class(), &self.scope("", None), &FindOptions::default()).await
    }

    /// The next devices after an id. `whole`: with all fields of their rows, else with [`Device::FIELDS`] only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&self, after: &str, most: u64, whole: bool) -> Result<Vec<Device>> {
        let class = self.class();
        let mut shape = Shape::of(&class.schema, self.cx.file_addresses());
        let mut keys = None;
        if !whole {
            shape.keys = Some(Device::FIELDS.map(str::to_owned).into_iter().collect());
            keys = Some(Device::FIELDS.map(str::to_owned).into());
        }
        let (scope, options) = (self.scope(after, None), by_id(most, keys));
        let rows = store::find_json(&self.cx, &class, &scope, &options, &Arc::new(shape)).await?;
        let devices = rows.read::<Box<RawValue>>().map(|row| row.and_then(Device::new));
        devices.collect::<Result<_, _>>().map_err(ParseError::internal)
    }

    /// The id of the last of the next devices after an id; `None` when there are none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_of(&self, after: &str, most: u64) -> Result<Option<String>> {
        let options = by_id(most, Some(vec!["objectId".to_owned()]));
        let rows = store::find(&self.cx, &self.class(), &self.scope(after, None), &options).await?;
        Ok(rows.last().and_then(|row| row.get_str("objectId")).map(str::to_owned))
    }

    /// Changes the devices after one id up to another one. No trigger is called.
    ///
    /// # Errors
    /// When the store fails, or the change does not fit a row.
    pub async fn update(&self, after: &str, last: &str, update: &Update) -> Result<()> {
        store::update_many(&self.cx, &self.class(), &self.scope(after, Some(last)), update).await.map(|_| ())
    }

    /// The time zones of the devices; null for those without one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn time_zones(&self) -> Result<Vec<Value>> {
        let class = self.class();
        let distinct = self.cx.app.storage.distinct(&class.schema, "timeZone", &self.filter);
        distinct.await.map_err(failure)
    }

    fn class(&self) -> Arc<Class> {
        self.cx.part().class(&ClassName::unchecked(names::INSTALLATION))
    }

    fn scope(&self, after: &str, last: Option<&str>) -> Scoped {
        let mut filter = self.filter.clone();
        if !after.is_empty() {
            filter = filter.and(Filter::field("objectId", Constraint::Gt(after.into())));
        }
        if let Some(last) = last {
            filter = filter.and(Filter::field("objectId", Constraint::Lte(last.into())));
        }
        Scoped::internal(filter, "devices of a push, which only a master may send")
    }
}

/// So many rows in the order of their ids.
fn by_id(most: u64, keys: Option<Vec<String>>) -> FindOptions {
    let sort = vec![Sort { path: "objectId".to_owned(), descending: false }];
    FindOptions { sort, limit: Some(most), keys, ..FindOptions::default() }
}

/// Removes tokens that are dead. The installations stay, and look as if nobody had touched them.
///
/// # Errors
/// When the store fails.
pub(super) async fn clear_tokens(app: &Arc<App>, tokens: Vec<String>) -> Result<()> {
    let cx = context(app, "");
    let dead = Filter::field(TOKEN, Constraint::In(tokens.into_iter().map(Value::String).collect()));
    let scope = Scoped::internal(dead, "tokens that a push service calls dead");
    let mut update = Update::default();
    update.put(TOKEN, Change::Unset);
    store::update_many(&cx, &cx.class(&ClassName::unchecked(names::INSTALLATION)), &scope, &update).await.map(|_| ())
}
