//! Reading what selections want: objects and connections, with the pointers they need.

use serde_json::{Map, Value as Json, json};

use super::catalog::Catalog;
use super::paging::{DEFAULT_LIMIT, Page};
use super::plan::{ConnectionPlan, Wanted};
use crate::domain::classes;
use crate::domain::kernel::context::Context;
use crate::domain::read::Found;
use crate::error::Result;
use crate::model::object::Object;

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
        add_options(&mut parameters, options);
        classes::get(self.cx, class, id, parameters).await
    }

    /// The filter of a connection, in REST's words.
    pub(super) fn filter(self, plan: &ConnectionPlan) -> Result<Map<String, Json>> {
        match plan.arguments.get("where").and_then(Json::as_object) {
            Some(filter) => (self.catalog.read_filter)(self.catalog, &plan.class, filter),
            None => Ok(Map::new()),
        }
    }

    /// Reads the rows of a connection.
    ///
    /// # Errors
    /// 102 for paging that makes no sense; those of the domain.
    pub async fn connection(self, plan: &ConnectionPlan, related: Option<Json>) -> Result<Connection> {
        let max_limit = self.cx.app.options.database.max_limit.map(i64::unsigned_abs);
        let mut page = Page::read(&plan.arguments, max_limit)?;
        let mut filter = self.filter(plan)?;
        let mut parameters = Map::new();
        if let Some(related) = related {
            filter.insert("$relatedTo".to_owned(), related);
        }
        parameters.insert("where".to_owned(), Json::Object(filter));
        add_options(&mut parameters, Some(plan.options()));

        let mut counted = None;
        if page.from_end {
            let limit = page.limit.unwrap_or(0);
            let mut counting = parameters.clone();
            counting.insert("limit".to_owned(), json!(0));
            counting.insert("count".to_owned(), json!(1));
            let count = self.find(&plan.class.name, counting).await?.count.unwrap_or(0);
            if page.skip.unwrap_or(0).saturating_add(limit) < count {
                page.skip = Some(count - limit);
            }
            counted = Some(count);
        }
        let limit = if plan.wants_rows() { page.limit.unwrap_or(DEFAULT_LIMIT) } else { 0 };
        parameters.insert("limit".to_owned(), json!(limit));
        if limit > 0 {
            parameters.extend(Wanted::by(plan.nodes()).parameters());
            if let Some(order) = plan.arguments.get("order").and_then(order_to_rest) {
                parameters.insert("order".to_owned(), Json::from(order));
            }
            if let Some(skip) = page.skip.filter(|skip| *skip > 0) {
                parameters.insert("skip".to_owned(), json!(skip));
            }
        }
        if counted.is_none() && plan.wants_count() {
            parameters.insert("count".to_owned(), json!(1));
        }
        let found = self.find(&plan.class.name, parameters).await?;
        Ok(Connection { rows: found.results, skip: page.skip.unwrap_or(0), count: counted.or(found.count) })
    }

    /// Finds objects of a class.
    pub(super) async fn find(self, class: &str, parameters: Map<String, Json>) -> Result<Found> {
        classes::find(self.cx, class, parameters).await
    }
}

pub(super) fn add_options(parameters: &mut Map<String, Json>, options: Option<&Map<String, Json>>) {
    for key in ["readPreference", "includeReadPreference", "subqueryReadPreference"] {
        if let Some(value) = options.and_then(|options| options.get(key)).filter(|value| !value.is_null()) {
            parameters.insert(key.to_owned(), value.clone());
        }
    }
}

/// The order of rows in REST's words: `n_DESC` → `-n`.
#[must_use]
pub fn order_to_rest(order: &Json) -> Option<String> {
    let fields: Vec<String> = order
        .as_array()?
        .iter()
        .filter_map(Json::as_str)
        .filter_map(|value| {
            let (field, sign) = match value.strip_suffix("_DESC") {
                Some(field) => (field, "-"),
                None => (value.strip_suffix("_ASC")?, ""),
            };
            Some(format!("{sign}{}", if field == "id" { "objectId" } else { field }))
        })
        .collect();
    (!fields.is_empty()).then(|| fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        assert_eq!(order_to_rest(&json!(["aNumber_DESC", "id_ASC"])).unwrap(), "-aNumber,objectId");
    }
}
