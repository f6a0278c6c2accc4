//! What a reader asks for, checked.

use serde_json::{Map, Value as Json};

use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::model::query::Filter;
use crate::model::query::parameters::QueryParameters;
use crate::model::query::parse::{self, Access, Limits};

/// A query, ready to run.
#[derive(Debug)]
pub struct ReadRequest {
    /// The condition.
    pub filter: Filter,
    /// The id the condition asks for, when it asks for one.
    pub object_id: Option<String>,
    /// What is asked besides the condition.
    pub parameters: QueryParameters,
    /// No limit applies, not even the default one: for sub-queries and includes.
    pub unlimited: bool,
    /// How many queries this one is inside of.
    pub depth: u32,
    /// No trigger is called: for what the server reads by itself.
    pub quiet: bool,
}

impl Default for ReadRequest {
    fn default() -> Self {
        Self::of(Filter::All, QueryParameters::default())
    }
}

impl ReadRequest {
    /// A query for what meets a condition.
    #[must_use]
    pub fn of(filter: Filter, parameters: QueryParameters) -> Self {
        Self { filter, object_id: None, parameters, unlimited: false, depth: 0, quiet: false }
    }

    /// Reads the parameters of a find.
    ///
    /// # Errors
    /// 102, 105, 107, as the parameters are wrong.
    pub fn find(cx: &Context, class: &Class, parameters: Map<String, Json>) -> Result<Self> {
        let may_explain = cx.auth.is_master() || cx.app.options.database.driver.allow_public_explain;
        let (condition, parameters) = QueryParameters::of_find(parameters, may_explain)?;
        let object_id = condition.get("objectId").and_then(Json::as_str).map(str::to_owned);
        let schemas = cx.schemas();
        let context = parse::Context {
            access: Access { master: cx.auth.is_master() },
            limits: limits(cx),
            schema: Some(&class.schema),
            classes: &|name| schemas.get(name).map(|class| &class.schema),
            now: cx.now(),
        };
        let filter = parse::parse(&Json::Object(condition), &context)?;
        Ok(Self { object_id, ..Self::of(filter, parameters) })
    }

    /// Reads the parameters of a get by id.
    ///
    /// # Errors
    /// 102 for a parameter that a get does not know.
    pub fn get(parameters: &Map<String, Json>) -> Result<Self> {
        Ok(Self::of(Filter::All, QueryParameters::of_get(parameters)?))
    }
}

/// The limits on the caller's conditions.
fn limits(cx: &Context) -> Limits {
    if cx.auth.is_master() {
        return Limits::default();
    }
    let limits = &cx.app.options.security.request_complexity;
    let depth =
        |limit: crate::config::rules::Limit| limit.get().map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    Limits {
        condition_depth: depth(limits.query_depth),
        subquery_depth: depth(limits.subquery_depth),
        regex: limits.allow_regex,
    }
}
