//! The commands of the domain: one type for each operation on objects of any class. REST parses them from JSON maps
//! ([`FindQuery::read`], [`GetQuery::read`]); GraphQL and the server itself build them.

use serde_json::{Map, Value as Json};

use super::context::Context;
use crate::config::rules::Limit;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::query::Filter;
use crate::model::query::parameters::QueryParameters;
use crate::model::query::parse::{self, Access, Limits};

/// A query for objects of a class, for `read::find`.
#[derive(Debug)]
pub struct FindQuery {
    /// The class.
    pub class: ClassName,
    /// The condition.
    pub filter: Filter,
    /// The id in the top level of the condition, if there is one: users who query their own id see all fields of
    /// their own row.
    pub object_id: Option<String>,
    /// The parameters besides the condition.
    pub parameters: QueryParameters,
    /// Whether no limit applies, not even the default one: for sub-queries and includes.
    pub unlimited: bool,
    /// The number of queries around this one.
    pub depth: u32,
    /// Whether no trigger is called: for reads by the server itself.
    pub quiet: bool,
}

impl FindQuery {
    /// A query by the server itself, whose condition is already a filter.
    #[must_use]
    pub fn of(class: ClassName, filter: Filter, parameters: QueryParameters) -> Self {
        Self { class, filter, object_id: None, parameters, unlimited: false, depth: 0, quiet: false }
    }

    /// A query with a client's condition in Parse's query language (`{"n": {"$gt": 1}}`) and typed parameters.
    ///
    /// # Errors
    /// 102, 105, 107 for a condition that is invalid or exceeds the limits for the caller.
    pub fn new(
        cx: &Context,
        class: ClassName,
        condition: Map<String, Json>,
        parameters: QueryParameters,
    ) -> Result<Self> {
        let object_id = condition.get("objectId").and_then(Json::as_str).map(str::to_owned);
        let schemas = cx.schemas();
        let known = cx.class(&class);
        let context = parse::Context {
            access: Access { master: cx.auth.is_master() },
            limits: limits(cx),
            schema: Some(&known.schema),
            classes: &|name| schemas.get(name).map(|class| &class.schema),
            now: cx.now(),
        };
        let filter = parse::parse(&Json::Object(condition), &context)?;
        Ok(Self { object_id, ..Self::of(class, filter, parameters) })
    }

    /// Parses the parameters of REST's find (`where`, `order`, `limit`, `keys`, …): JSON, or strings of a query string.
    ///
    /// # Errors
    /// As [`FindQuery::new`]; 102 for unknown parameters and invalid values, 105 for invalid names in `order`.
    pub fn read(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Self> {
        let may_explain = cx.auth.has_master_key() || cx.app.options.database.driver.allow_public_explain;
        let (condition, parameters) =
            QueryParameters::of_find(parameters, may_explain, cx.app.options.own.limits.names)?;
        Self::new(cx, ClassName::unchecked(class), condition, parameters)
    }
}

/// A read of one object by its id, for `read::get`.
#[derive(Debug)]
pub struct GetQuery {
    /// The class.
    pub class: ClassName,
    /// The object's id.
    pub id: String,
    /// The parameters: keys, includes, read preference.
    pub parameters: QueryParameters,
    /// Whether no trigger is called: for reads by the server itself.
    pub quiet: bool,
}

impl GetQuery {
    /// A read of the whole object.
    #[must_use]
    pub fn of(class: &str, id: &str) -> Self {
        Self::new(class, id, QueryParameters::default())
    }

    /// A read with these parameters.
    #[must_use]
    pub fn new(class: &str, id: &str, parameters: QueryParameters) -> Self {
        Self { class: ClassName::unchecked(class), id: id.to_owned(), parameters, quiet: false }
    }

    /// Parses the parameters of REST's get (`keys`, `include`, …).
    ///
    /// # Errors
    /// 102 for an unknown parameter, and for more names than `limits.names` allows.
    pub fn read(cx: &Context, class: &str, id: &str, parameters: &Map<String, Json>) -> Result<Self> {
        Ok(Self::new(class, id, QueryParameters::of_get(parameters, cx.app.options.own.limits.names)?))
    }
}

impl From<GetQuery> for FindQuery {
    fn from(get: GetQuery) -> Self {
        let parameters = QueryParameters { limit: Some(1), ..get.parameters };
        let filter = Filter::eq("objectId", get.id.as_str());
        Self { object_id: Some(get.id), quiet: get.quiet, ..Self::of(get.class, filter, parameters) }
    }
}

/// A create or update of an object, for `write::save`. Has no `Debug`, because the body may contain a password.
pub struct Save {
    /// The class.
    pub class: ClassName,
    /// The id of the object to update; `None` creates one.
    pub id: Option<String>,
    /// The id of a new object, where the server itself has chosen one.
    pub new_id: Option<String>,
    /// Fields and operations (`{"n": {"__op": "Increment", "amount": 1}}`) as REST JSON, which rules of special classes read.
    pub body: Map<String, Json>,
}

impl Save {
    /// A create.
    ///
    /// # Errors
    /// 107 for an invalid class name.
    pub fn create(class: &str, body: Map<String, Json>) -> Result<Self> {
        Ok(Self { class: writable(class)?, id: None, new_id: None, body })
    }

    /// An update.
    ///
    /// # Errors
    /// 107 for an invalid class name.
    pub fn update(class: &str, id: &str, body: Map<String, Json>) -> Result<Self> {
        Ok(Self { class: writable(class)?, id: Some(id.to_owned()), new_id: None, body })
    }
}

/// Checks the name of a class to write to. Names of hidden classes are accepted here; later stages refuse them.
fn writable(name: &str) -> Result<ClassName> {
    let class = ClassName::unchecked(name);
    if names::is_valid_class_name(name) || class.is_internal() {
        Ok(class)
    } else {
        Err(ParseError::new(ErrorCode::InvalidJson, "schema class name does not revalidate"))
    }
}

/// A deletion of an object, for `delete::delete`.
#[derive(Debug)]
pub struct Delete {
    /// The class.
    pub class: ClassName,
    /// The object's id.
    pub id: String,
}

impl Delete {
    /// A deletion of the object with this id.
    #[must_use]
    pub fn new(class: &str, id: &str) -> Self {
        Self { class: ClassName::unchecked(class), id: id.to_owned() }
    }
}

/// The limits for the caller's conditions.
fn limits(cx: &Context) -> Limits {
    if cx.auth.is_master() {
        return Limits::default();
    }
    let limits = &cx.app.options.security.request_complexity;
    let depth = |limit: Limit| limit.get().map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    Limits {
        condition_depth: depth(limits.query_depth),
        subquery_depth: depth(limits.subquery_depth),
        regex: limits.allow_regex,
    }
}
