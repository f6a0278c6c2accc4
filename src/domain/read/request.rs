//! What a reader asks for, checked.

use serde_json::{Map, Value as Json};

use crate::domain::context::Context;
use crate::domain::schema::Class;
use crate::error::Result;
use crate::model::query::Filter;
use crate::model::query::options::{ReadPreference, Sort};
use crate::model::query::parameters::{FindParameters, GetParameters, Include};
use crate::model::query::parse::{self, Access, Limits};

/// A query, ready to run.
#[derive(Debug)]
pub struct ReadRequest {
    /// The condition.
    pub filter: Filter,
    /// The id the condition asks for, when it asks for one.
    pub object_id: Option<String>,
    /// Order.
    pub sort: Vec<Sort>,
    /// Most rows wanted.
    pub limit: Option<u64>,
    /// No limit applies, not even the default one: for sub-queries and includes.
    pub unlimited: bool,
    /// Rows to leave out first.
    pub skip: u64,
    /// Fields wanted, perhaps dotted.
    pub keys: Option<Vec<String>>,
    /// Fields not wanted, perhaps dotted.
    pub exclude_keys: Vec<String>,
    /// Pointers to follow.
    pub include: Include,
    /// Whether the number of matches is wanted.
    pub count: bool,
    /// Field whose target class is searched instead.
    pub redirect_key: Option<String>,
    /// Plan instead of rows: how much of it.
    pub explain: Option<String>,
    /// Index to use.
    pub hint: Option<Json>,
    /// Remark for the database.
    pub comment: Option<String>,
    /// Where to read.
    pub read_preference: Option<ReadPreference>,
    /// Where to read what is included.
    pub include_read_preference: Option<ReadPreference>,
    /// Where to read sub-queries.
    pub sub_query_read_preference: Option<ReadPreference>,
    /// How many queries this one is inside of.
    pub depth: u32,
}

impl Default for ReadRequest {
    fn default() -> Self {
        Self {
            filter: Filter::All,
            object_id: None,
            sort: Vec::new(),
            limit: None,
            unlimited: false,
            skip: 0,
            keys: None,
            exclude_keys: Vec::new(),
            include: Include::default(),
            count: false,
            redirect_key: None,
            explain: None,
            hint: None,
            comment: None,
            read_preference: None,
            include_read_preference: None,
            sub_query_read_preference: None,
            depth: 0,
        }
    }
}

impl ReadRequest {
    /// Reads the parameters of a find.
    ///
    /// # Errors
    /// 102, 105, 107, as the parameters are wrong.
    pub fn find(cx: &Context, class: &Class, parameters: Map<String, Json>) -> Result<Self> {
        let may_explain = cx.auth.is_master() || cx.app.options.database.driver.allow_public_explain;
        let parameters = FindParameters::parse(parameters, may_explain)?;
        let object_id = parameters.condition.get("objectId").and_then(Json::as_str).map(str::to_owned);
        let schemas = cx.schemas();
        let context = parse::Context {
            access: Access { master: cx.auth.is_master() },
            limits: limits(cx),
            schema: Some(&class.schema),
            classes: &|name| schemas.get(name).map(|class| &class.schema),
            now: cx.now(),
        };
        let filter = parse::parse(&Json::Object(parameters.condition), &context)?;
        Ok(Self {
            filter,
            object_id,
            sort: parameters.order,
            limit: parameters.limit,
            skip: parameters.skip,
            keys: parameters.keys,
            exclude_keys: parameters.exclude_keys,
            include: parameters.include,
            count: parameters.count,
            redirect_key: parameters.redirect_key,
            explain: parameters.explain,
            hint: parameters.hint,
            comment: parameters.comment,
            include_read_preference: parameters.include_read_preference.or(parameters.read_preference),
            sub_query_read_preference: parameters.subquery_read_preference.or(parameters.read_preference),
            read_preference: parameters.read_preference,
            ..Self::default()
        })
    }

    /// Reads the parameters of a get by id.
    ///
    /// # Errors
    /// 102 for a parameter that a get does not know.
    pub fn get(parameters: &Map<String, Json>) -> Result<Self> {
        let parameters = GetParameters::parse(parameters)?;
        Ok(Self {
            keys: parameters.keys,
            exclude_keys: parameters.exclude_keys,
            include: parameters.include,
            include_read_preference: parameters.include_read_preference.or(parameters.read_preference),
            sub_query_read_preference: parameters.subquery_read_preference.or(parameters.read_preference),
            read_preference: parameters.read_preference,
            ..Self::default()
        })
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
