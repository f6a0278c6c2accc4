//! What a reader asks for, checked.

use serde_json::{Map, Value as Json};

use crate::domain::context::Context;
use crate::domain::schema::Class;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::query::Filter;
use crate::model::query::options::{FindParameters, ReadPreference, Sort};
use crate::model::query::parse::{self, Access};

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
    /// Pointers to follow, dotted paths.
    pub include: Vec<String>,
    /// Follow all pointers, one level.
    pub include_all: bool,
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
            include: Vec::new(),
            include_all: false,
            count: false,
            redirect_key: None,
            explain: None,
            hint: None,
            comment: None,
            read_preference: None,
            include_read_preference: None,
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
        let parameters = FindParameters::parse(parameters)?;
        let filter = match &parameters.filter {
            Some(json) => parse::parse(json, &access(cx, class))?,
            None => Filter::All,
        };
        let object_id = match &parameters.filter {
            Some(Json::Object(condition)) => condition.get("objectId").and_then(Json::as_str).map(str::to_owned),
            _ => None,
        };
        if parameters.explain.is_some() && !cx.auth.is_master() && !cx.app.options.database.driver.allow_public_explain
        {
            return Err(ParseError::new(
                ErrorCode::InvalidQuery,
                "Using the explain query parameter requires the master key",
            ));
        }
        Ok(Self { filter, object_id, ..Self::from_parameters(parameters) })
    }

    /// Reads the parameters of a get by id.
    ///
    /// # Errors
    /// 102 for a parameter that a get does not know.
    pub fn get(parameters: Map<String, Json>) -> Result<Self> {
        const KNOWN: [&str; 6] =
            ["keys", "include", "excludeKeys", "readPreference", "includeReadPreference", "subqueryReadPreference"];
        if parameters.keys().any(|name| !KNOWN.contains(&name.as_str())) {
            return Err(ParseError::new(ErrorCode::InvalidQuery, "Improper encode of parameter"));
        }
        Ok(Self::from_parameters(FindParameters::parse(parameters)?))
    }

    fn from_parameters(parameters: FindParameters) -> Self {
        let mut include = parameters.include;
        for key in parameters.keys.iter().flatten() {
            // `keys=p.x` asks for x of what p points at.
            if let Some((path, _)) = key.rsplit_once('.') {
                include.push(path.to_owned());
            }
        }
        let include_all = parameters.include_all || include.iter().any(|path| path == "*");
        include.retain(|path| path != "*");
        Self {
            sort: parameters.sort,
            limit: parameters.limit,
            skip: parameters.skip,
            keys: parameters.keys,
            exclude_keys: parameters.exclude_keys,
            include,
            include_all,
            count: parameters.count,
            redirect_key: parameters.redirect_class_name_for_key,
            explain: parameters.explain,
            hint: parameters.hint,
            comment: parameters.comment,
            read_preference: parameters.read_preference,
            include_read_preference: parameters.include_read_preference.or(parameters.read_preference),
            ..Self::default()
        }
    }
}

/// How the condition of this caller on this class is read.
#[must_use]
pub fn access<'a>(cx: &Context, class: &'a Class) -> Access<'a> {
    Access {
        master: cx.auth.is_master(),
        maintenance: cx.auth.is_maintenance(),
        now: cx.now(),
        schema: Some(&class.schema),
        allow_regex: cx.auth.is_master() || cx.app.options.security.request_complexity.allow_regex,
    }
}
