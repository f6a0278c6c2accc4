//! What callers ask of the domain: one type for each thing that can be done with objects of any class. REST reads them out of JSON maps
//! ([`FindQuery::read`], [`GetQuery::read`]); GraphQL and the server itself fill them.

use serde_json::{Map, Value as Json};

use super::context::Context;
use crate::config::rules::Limit;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::query::Filter;
use crate::model::query::parameters::QueryParameters;
use crate::model::query::parse::{self, Access, Limits};

/// Find objects of a class, for `read::find`.
#[derive(Debug)]
pub struct FindQuery {
    /// The class.
    pub class: ClassName,
    /// The condition.
    pub filter: Filter,
    /// The id that the condition asks for at its top level, when it does: a user's condition on its own id shows it its own row.
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

impl FindQuery {
    /// A query of the server's own: a condition that is in the form of the model already.
    #[must_use]
    pub fn of(class: ClassName, filter: Filter, parameters: QueryParameters) -> Self {
        Self { class, filter, object_id: None, parameters, unlimited: false, depth: 0, quiet: false }
    }

    /// A query whose condition is a client's, in Parse's query language (`{"n": {"$gt": 1}}`), and whose parameters are typed.
    ///
    /// # Errors
    /// 102, 105, 107 for a condition that is none, or breaks the limits on the caller's conditions.
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

    /// Reads the parameters of REST's find (`where`, `order`, `limit`, `keys`, …): JSON, or the texts of a query string.
    ///
    /// # Errors
    /// As [`FindQuery::new`]; 102 for unknown parameters and bad values, 105 for bad names in the order.
    pub fn read(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Self> {
        let may_explain = cx.auth.is_master() || cx.app.options.database.driver.allow_public_explain;
        let (condition, parameters) =
            QueryParameters::of_find(parameters, may_explain, cx.app.options.own.limits.names)?;
        Self::new(cx, ClassName::unchecked(class), condition, parameters)
    }
}

/// Read one object by its id, for `read::get`.
#[derive(Debug)]
pub struct GetQuery {
    /// The class.
    pub class: ClassName,
    /// The object's id.
    pub id: String,
    /// What of it is asked for: keys, includes, read preference.
    pub parameters: QueryParameters,
    /// No trigger is called: for what the server reads by itself.
    pub quiet: bool,
}

impl GetQuery {
    /// The whole object.
    #[must_use]
    pub fn of(class: &str, id: &str) -> Self {
        Self::new(class, id, QueryParameters::default())
    }

    /// Parts of the object.
    #[must_use]
    pub fn new(class: &str, id: &str, parameters: QueryParameters) -> Self {
        Self { class: ClassName::unchecked(class), id: id.to_owned(), parameters, quiet: false }
    }

    /// Reads the parameters of REST's get (`keys`, `include`, …).
    ///
    /// # Errors
    /// 102 for a parameter that a get does not know, and for more names than `limits.names` allows.
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

/// Create or update an object, for `write::save`. Has no `Debug`: the body may hold a password.
pub struct Save {
    /// The class.
    pub class: ClassName,
    /// The object to update; `None`: create one.
    pub id: Option<String>,
    /// The id of a new object, where the server itself has chosen one.
    pub new_id: Option<String>,
    /// Fields and operations (`{"n": {"__op": "Increment", "amount": 1}}`), as REST JSON, which rules of special classes look into.
    pub body: Map<String, Json>,
}

impl Save {
    /// Creates an object.
    ///
    /// # Errors
    /// 107 for a name that no class can have.
    pub fn create(class: &str, body: Map<String, Json>) -> Result<Self> {
        Ok(Self { class: writable(class)?, id: None, new_id: None, body })
    }

    /// Updates an object.
    ///
    /// # Errors
    /// 107 for a name that no class can have.
    pub fn update(class: &str, id: &str, body: Map<String, Json>) -> Result<Self> {
        Ok(Self { class: writable(class)?, id: Some(id.to_owned()), new_id: None, body })
    }
}

/// A class name that can be written to; the hidden classes keep their name, so that they are refused as such.
fn writable(name: &str) -> Result<ClassName> {
    let class = ClassName::unchecked(name);
    if names::is_valid_class_name(name) || class.is_internal() {
        Ok(class)
    } else {
        Err(ParseError::new(ErrorCode::InvalidJson, "schema class name does not revalidate"))
    }
}

/// Delete an object, for `delete::delete`.
#[derive(Debug)]
pub struct Delete {
    /// The class.
    pub class: ClassName,
    /// The object's id.
    pub id: String,
}

impl Delete {
    /// Deletes the object of a class with this id.
    #[must_use]
    pub fn new(class: &str, id: &str) -> Self {
        Self { class: ClassName::unchecked(class), id: id.to_owned() }
    }
}

/// The limits on the caller's conditions.
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
