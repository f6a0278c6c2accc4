//! Reading what selections want: objects and connections, with the pointers they need.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::catalog::Catalog;
use super::paging::{DEFAULT_LIMIT, Page};
use super::plan::{ConnectionPlan, Wanted};
use crate::domain::classes;
use crate::domain::kernel::commands::GetQuery;
use crate::domain::kernel::context::Context;
use crate::domain::read::{self, Found};
use crate::error::Result;
use crate::model::object::Object;
use crate::model::query::Filter;
use crate::model::query::options::Sort;
use crate::model::query::parameters::{QueryParameters, ReadPreferences};

/// Rows of a connection.
#[derive(Debug, Default)]
pub struct Connection {
    /// The rows.
    pub rows: Vec<Object>,
    /// How many rows were passed over.
    pub skip: u64,
    /// How many there are in all, when that was wanted.
    pub count: Option<u64>,
}

/// Reads for one request.
#[derive(Debug, Clone, Copy)]
pub struct Fetcher<'a> {
    /// The request.
    pub cx: &'a Context,
    /// The classes.
    pub catalog: &'a Catalog,
}

impl Fetcher<'_> {
    /// Reads one object as selected.
    ///
    /// # Errors
    /// Those of the domain; 101 when the caller may not read it.
    pub async fn object(
        self,
        class: &str,
        id: &str,
        wanted: &Wanted,
        options: Option<&Map<String, Json>>,
    ) -> Result<Object> {
        let mut parameters = wanted.parameters();
        if let Some(options) = options {
            parameters.read_preferences = ReadPreferences::parse(options)?;
        }
        read::get(self.cx, GetQuery::new(class, id, parameters)).await
    }

    /// The condition of a connection, in Parse's query language.
    pub(super) fn condition(self, plan: &ConnectionPlan) -> Result<Map<String, Json>> {
        match plan.arguments.get("where").and_then(Json::as_object) {
            Some(condition) => (self.catalog.read_filter)(self.catalog, &plan.class, condition),
            None => Ok(Map::new()),
        }
    }

    /// Reads the rows of a connection. `related`: only members of this relation.
    ///
    /// # Errors
    /// 102 for paging that makes no sense; those of the domain.
    pub async fn connection(self, plan: &ConnectionPlan, related: Option<Filter>) -> Result<Connection> {
        let max_limit = self.cx.app.options.database.max_limit.map(i64::unsigned_abs);
        let mut page = Page::read(&plan.arguments, max_limit)?;
        let condition = self.condition(plan)?;
        let read_preferences = ReadPreferences::parse(plan.options())?;

        let mut counted = None;
        if page.from_end {
            let limit = page.limit.unwrap_or(0);
            let counting =
                QueryParameters { limit: Some(0), count: true, read_preferences, ..QueryParameters::default() };
            let found = self.find(&plan.class.name, condition.clone(), related.clone(), counting).await?;
            let count = found.count.unwrap_or(0);
            if page.skip.unwrap_or(0).saturating_add(limit) < count {
                page.skip = Some(count - limit);
            }
            counted = Some(count);
        }
        let limit = if plan.wants_rows() { page.limit.unwrap_or(DEFAULT_LIMIT) } else { 0 };
        let mut parameters = QueryParameters::default();
        if limit > 0 {
            parameters = Wanted::by(plan.nodes()).parameters();
            parameters.order = plan.arguments.get("order").map(order).unwrap_or_default();
            parameters.skip = page.skip.unwrap_or(0);
        }
        parameters.limit = Some(limit);
        parameters.read_preferences = read_preferences;
        parameters.count = counted.is_none() && plan.wants_count();
        let found = self.find(&plan.class.name, condition, related, parameters).await?;
        Ok(Connection { rows: found.results, skip: page.skip.unwrap_or(0), count: counted.or(found.count) })
    }

    /// Finds objects of a class; `also`: a condition of ours besides the client's.
    pub(super) async fn find(
        self,
        class: &str,
        condition: Map<String, Json>,
        also: Option<Filter>,
        parameters: QueryParameters,
    ) -> Result<Found> {
        let mut query = classes::query(self.cx, class, condition, parameters).await?;
        if let Some(also) = also {
            query.filter = also.and(query.filter);
        }
        read::find(self.cx, query).await
    }
}

/// The order of rows: `["n_DESC", "id_ASC"]` is by `n`, large values first, then by `objectId`. A field named twice keeps its first
/// place and its last direction, as in REST.
#[must_use]
pub fn order(values: &Json) -> Vec<Sort> {
    let mut order: IndexMap<&str, bool> = IndexMap::new();
    for value in values.as_array().into_iter().flatten().filter_map(Json::as_str) {
        let (field, descending) = match value.strip_suffix("_DESC") {
            Some(field) => (field, true),
            None => (value.strip_suffix("_ASC").unwrap_or(value), false),
        };
        order.insert(if field == "id" { "objectId" } else { field }, descending);
    }
    order.into_iter().map(|(path, descending)| Sort { path: path.to_owned(), descending }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn orders() {
        let order = order(&json!(["aNumber_DESC", "id_ASC", "aNumber_ASC"]));
        let order: Vec<(&str, bool)> = order.iter().map(|sort| (sort.path.as_str(), sort.descending)).collect();
        assert_eq!(order, [("aNumber", false), ("objectId", false)]);
    }
}
